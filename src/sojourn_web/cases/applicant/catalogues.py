"""Catalogues of translations: kept as ``.po``, compiled by babel, counted for the docs.

In: ``locale/<language>/LC_MESSAGES/django.po`` and the phrases of templates and code. Out: ``.mo``
files beside them, which are in no repository; what is missing; the page of the docs. Nothing but
babel is needed on the machine. A phrase without a translation is shown in English and says so.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from sojourn_web.cases.states import TRANSITIONS

ROOM = Path(__file__).parents[2]
LOCALE = ROOM / "locale"
PAGES = ROOM / "templates" / "cases" / "applicant"
CODE = ROOM / "cases" / "applicant"
DRAFT = "DRAFT: not reviewed. Pages say so; no consent is given in it."
IN_PAGES = re.compile(
    r'{% say(?:_plain|_both)? "(?P<a>[^"]+)"' + r"|{% say(?:_plain|_both)? '(?P<b>[^']+)'"
    + r'|(?<!aria-)label="(?P<c>[^"{]+)"'
)  # fmt: skip
IN_CODE = re.compile(r'\bwords\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+),?\s*\)')
NOT_WRITTEN = re.compile(r'"(POT-Cr|PO-Rev|Report-Msgid|Last-Tr|Language-Team|Generated)')
PLACE = re.compile(r"{\w+}")


def phrases() -> list[str]:
    """Every phrase of the person's pages, in the order in which files name them."""
    found: dict[str, None] = {}
    for path in sorted(PAGES.rglob("*.html")):
        for quoted in IN_PAGES.findall(path.read_text("utf-8")):
            found["".join(quoted)] = None
    for path in sorted(CODE.rglob("*.py")):
        for quoted in IN_CODE.findall(path.read_text("utf-8")):
            found["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted))] = None
    found |= dict.fromkeys(t.label for t in TRANSITIONS)
    return list(found)


def places(text: str) -> list[str]:
    """The placeholders of a phrase, sorted."""
    return sorted(PLACE.findall(text))


def catalogue_of(code: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / "django.po"


def all_catalogues() -> Iterator[tuple[str, Path]]:
    for folder in sorted(p for p in LOCALE.glob("*") if p.is_dir()):
        yield folder.name, catalogue_of(folder.name)


def read(path: Path) -> dict[str, str]:
    """Phrase to translation, empty where there is none yet."""
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def build() -> int:
    """Compile the catalogues that are newer than what was compiled; how many."""
    count = 0
    for _, source in all_catalogues():
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        fresh = compiled.with_name(f".{secrets.token_hex(4)}.mo")
        try:
            with source.open("rb") as text, fresh.open("wb") as file:
                write_mo(file, read_po(text))
            fresh.replace(compiled)
        except PermissionError:  # an installed package that nobody may write: English remains
            return count
        count += 1
    return count


def refresh(code: str, known: dict[str, str]) -> None:
    """Write a catalogue anew: every phrase of today, with the translations that are known."""
    catalogue = Catalog(
        header_comment=f"# {code}: {DRAFT}", fuzzy=False, charset="utf-8", project="Sojourn",
        version="1", locale=code,
    )  # fmt: skip
    for phrase in phrases():
        catalogue.add(phrase, known.get(phrase, ""))
    path = catalogue_of(code)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, omit_header=False, width=100)
    text = path.read_text("utf-8")
    # Dates of a run would change every catalogue with every run; nobody is named yet.
    kept = [x for x in text.splitlines() if not NOT_WRITTEN.match(x)]
    path.write_text("\n".join(kept) + "\n", "utf-8")


def refresh_all() -> None:
    """After phrases have changed: new ones wait without a translation, old ones go."""
    for code, path in all_catalogues():
        refresh(code, read(path))


def translations_page() -> str:
    """For ``docs/reference/translations.md``: how much of each language there is."""
    wanted = phrases()
    rows = []
    for code, path in all_catalogues():
        known = read(path)
        share = 100 * sum(bool(known.get(p)) for p in wanted) / len(wanted)
        rows.append(f"| `{code}` | draft | {share:.0f}% |")
    return "\n".join([
        "# Translations of the person's pages\n",
        f"{len(wanted)} phrases. English is the official wording. The others were written by "
        "the project and reviewed by nobody who answers for them: every page says so, and no "
        "consent is given in them. A phrase that is missing is shown in English.\n",
        "| language | state | translated |", "|---|---|---|", "| `en` | official | 100% |",
        *rows, "",
    ])  # fmt: skip
