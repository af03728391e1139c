"""The generated pages: tables, policy, commands, errors, outcomes. ``--check`` says what is stale.

In: the code and the drawn specs of tests/spec. Out: ``docs/reference/*.md`` and
``docs/explanation/outcomes.md``. What is written by hand lies elsewhere.
"""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import typer
from click import Command, Context

from sojourn import errors, schemas
from sojourn.cli import build_app
from sojourn_web.cases import drawing
from sojourn_web.cases.applicant import catalogues

ROOT = Path(__file__).parent.parent
DOCS, SPECS = ROOT / "docs", ROOT / "tests" / "spec"
MADE = "<!-- Made by tools/build_docs.py from the code. Change the code, then 'make docs'. -->\n"


def tables_page() -> str:
    """Every table of schemas.py."""
    out = [MADE, "# Tables\n", "Times are UTC with microseconds; dates are dates.\n"]
    found = [t for _, t in inspect.getmembers(schemas, lambda m: isinstance(m, schemas.Table))]
    order = [line.split(" = Table")[0] for line in inspect.getsource(schemas).splitlines()
             if " = Table(" in line and not line.startswith(" ")]  # fmt: skip
    found.sort(key=lambda t: order.index(t.name.upper()))
    for table in found:
        out.append(f"## {table.name}\n")
        key = ", ".join(f"`{k}`" for k in table.key) or "none"
        out.append(f"{table.note} Privacy: {table.privacy.value}. Key: {key}.\n")
        out.append("| column | type | null | note |\n|---|---|---|---|")
        out += [
            f"| `{c.name}` | {_type(c.dtype)} | {'yes' if c.nullable else ''} | {c.note} |"
            for c in table.columns
        ]
        out.append("")
    return "\n".join(out)


def _type(dtype: object) -> str:
    text = str(dtype)
    if text.startswith("Enum"):
        return ", ".join(getattr(dtype, "categories", []))
    return text.replace("|", "/")


def policy_page() -> str:
    """The default policy with its comments, section by section."""
    text = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
    known = tomllib.loads(text)
    out = [MADE, "# Policy\n", "What an office decides. Copy the default, change it, pass it with "
           "`--policy`, or lay it into the home folder as `policy.toml`.\n"]  # fmt: skip
    section = ""
    for line in text.splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found.group(1)
            out.append(f"\n## {section}\n\n| setting | default | meaning |\n|---|---|---|")
        elif (found := re.match(r"(\w+) = (.+?)\s*(?:#\s*(.*))?$", line)) and section:
            value = known[section][found.group(1)]
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            out.append(f"| `{found.group(1)}` | {shown} | {found.group(3) or ''} |")
    return "\n".join(out) + "\n"


def commands_page() -> str:
    """The command line's own help, command by command."""
    root = typer.main.get_command(build_app())
    out = [MADE, "# Commands\n"]
    for name, command in _commands(root, "sojourn"):
        context = Context(command, info_name=name, terminal_width=96, max_content_width=96)
        out.append(f"## {name}\n\n```\n{_help(command, context)}\n```\n")
    codes = "\n".join(
        f"| {cls.exit_code} | {name} |"
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, errors.SojournError)
    )
    out.append(f"## Exit codes\n\n| code | error |\n|---|---|\n| 0 | none |\n{codes}\n")
    return "\n".join(out)


def _help(command: Command, context: Context) -> str:
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def _commands(command: Command, name: str) -> list[tuple[str, Command]]:
    found = [(name, command)]
    children: dict[str, Command] = getattr(command, "commands", {})
    for sub, child in sorted(children.items()):
        found += _commands(child, f"{name} {sub}")
    return found


# By the first digit of a spec's file name.
CHAPTERS = {
    "1": "The outcomes", "2": "Days and clocks", "3": "More time", "4": "Applications",
    "5": "A change of status", "6": "Death and naturalisation",
    "7": "Visa-free windows", "8": "Records: again, late, twice, wrong", "9": "All together",
}  # fmt: skip
MADE_OF_SPECS = (
    "<!-- Made by tools/build_docs.py from tests/spec. Change what is drawn there, then "
    "'make docs'. -->\n"
)


def outcomes_page() -> str:
    """The introduction, a list of contents, and every drawn spec under its chapter."""
    parts, contents = [], []
    chapter = ""
    for path in sorted(SPECS.glob("*.spec.md")):
        if path.name[0] != chapter:
            chapter = path.name[0]
            parts.append(f"## {CHAPTERS[chapter]}\n")
            contents.append(f"- {CHAPTERS[chapter]}")
        text = path.read_text("utf-8")
        title = text.splitlines()[0].removeprefix("# ")
        contents.append(f"    - [{title}](#{_anchor(title)})")
        captioned = re.sub(r"^## (.+)$", r"*\1*", text, flags=re.M)
        marked = re.sub(r"^Not yet:", "**Not yet so:**", captioned, flags=re.M)
        parts.append(re.sub(r"^# ", "### ", marked))
    introduction = (SPECS / "introduction.md").read_text("utf-8")
    return "\n".join([MADE_OF_SPECS, introduction, "## Examples\n", *contents, "", *parts])


def _anchor(title: str) -> str:
    """The address of a heading, as code forges make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def case_states_page() -> str:
    """The states of voluntary return, drawn from their one table."""
    return f"{MADE}\n{drawing.states_page()}"


def translations_page() -> str:
    """How much of the person's pages there is in each language."""
    return f"{MADE}\n{catalogues.translations_page()}"


PAGES = {
    "reference/tables.md": tables_page,
    "reference/policy.md": policy_page,
    "reference/commands.md": commands_page,
    "reference/case-states.md": case_states_page,
    "reference/translations.md": translations_page,
    "explanation/outcomes.md": outcomes_page,
}


def main() -> None:
    """Write the pages; with ``--check`` only compare."""
    stale = []
    for name, build in PAGES.items():
        page, path = build(), DOCS / name
        if path.exists() and path.read_text("utf-8") == page:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(page, "utf-8")
    if "--check" in sys.argv and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}: run 'make docs'\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
