"""Sizes, words and addresses: what the house agreed on, read from the files themselves."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from sojourn import schemas

ROOT = Path(__file__).parents[2]
# Longer on purpose: what every table is, in one place.
LONG = {"src/sojourn/schemas.py": 520}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed if (ROOT / name).exists()]


def test_files_stay_short() -> None:
    for path in tracked("*.py", "*.js", "*.html", "*.css"):
        if path.parent.name == "migrations":
            continue  # written by Django, read by Django
        limit = LONG.get(str(path.relative_to(ROOT)), 420)
        assert len(path.read_text("utf-8").splitlines()) <= limit, path


def test_functions_stay_short() -> None:
    for path in tracked("src/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 60, f"{path}: {node.name}"


def test_no_module_is_a_drawer_for_everything() -> None:
    for path in tracked("src/*.py"):
        assert not re.search(r"util|helper|manager|processor|handler", path.stem), path


def test_no_assert_guards_anything() -> None:
    for path in tracked("src/*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], path


def test_no_path_of_a_machine_and_no_registry_is_in_a_file() -> None:
    wrong = re.compile(
        r"(?<![\w.])/(work|farm|home|root|opt/pypi)/|--(extra-)?index-url|registry\.npmjs"
        r"|files\.pythonhosted|pypi\.org/simple"
    )
    for path in tracked():
        if path == Path(__file__) or path.suffix in (".png", ".npz"):
            continue
        assert not wrong.search(path.read_text("utf-8", errors="replace")), path


def test_decision_records_have_numbers_of_their_own() -> None:
    numbers = [p.name[:4] for p in tracked("docs/adr/*.md")]
    assert numbers
    assert len(set(numbers)) == len(numbers)


def never_words() -> list[str]:
    words = []
    for line in (ROOT / "GLOSSARY.md").read_text("utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in ("Say", "---"):
            words += [w.strip() for w in cells[2].split(",") if w.strip()]
    return words


def said_in_public() -> dict[str, str]:
    """Columns, commands' help, pages."""
    tables = [t for t in vars(schemas).values() if isinstance(t, schemas.Table)]
    said = {t.name: " ".join([t.name, *t.names]) for t in tables}
    for path in tracked("src/sojourn_web/templates/*", "docs/reference/commands.md"):
        text = re.sub(r"{%.*?%}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.S)
        said[str(path.relative_to(ROOT))] = text
    return said


def test_words_that_are_never_said_are_nowhere() -> None:
    words = never_words()
    assert "overstayer" in words
    for place, text in said_in_public().items():
        for word in words:
            found = re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, re.I)
            assert not found, f"{place}: {word}"


def test_no_table_could_hold_what_is_never_held() -> None:
    never = re.compile(r"address|phone|email|location|latitude|plate|biometric|social|employer|"
                       r"risk|score|rank|alert", re.I)  # fmt: skip
    for table in vars(schemas).values():
        if isinstance(table, schemas.Table):
            assert not [n for n in table.names if never.search(n)], table.name


def test_what_identifies_lives_in_tables_of_the_edge_alone() -> None:
    identity = {"surname", "given_names", "birth_date", "document_number", "crossing_id"}
    for table in vars(schemas).values():
        if isinstance(table, schemas.Table) and table.privacy not in (
            schemas.Privacy.IDENTIFYING, schemas.Privacy.SYNTHETIC
        ):  # fmt: skip
            assert not identity & set(table.names), table.name
