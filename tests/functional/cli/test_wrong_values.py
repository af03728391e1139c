"""Numbers, days and paths that make no sense are refused, before anything is done, in words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from typer.testing import CliRunner

from lib.offices import hand_in, small_country, small_office
from sojourn.cli import build_app
from sojourn.errors import LedgerError, UsageError
from sojourn.pipeline import Desk
from sojourn.pipeline.releasing import plan

PEOPLE = ("--asked-by", "A", "--approved-by", "B")
ASKING = (
    ("measure",),
    ("measure", "--known-at", "2025-12-31", "--json"),
    ("estimate",),
    ("quality",),
    ("quality", "--assess"),
    ("adapt",),
    ("reconcile",),
    ("purge",),
    ("backup", "copy"),
    ("release", "--through", "2026-01-31", "--dry-run", *PEOPLE),
    ("release", "--through", "2026-01-31", *PEOPLE),
    ("release", "--closed", "mode", "--period", "2025-11", *PEOPLE),
    ("explain", "total/month/2026-01-01/arrivals"),
    ("export", "--out", "published"),
    ("report", "us", "--out", "us.html"),
    ("report", "monthly", "--public", "--out", "monthly.html"),
)


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOJOURN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "sojourn", *words], cwd=cwd, env={**kept, "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "new", "--seed", "-1"),
        ("simulate", "new", "--stays", "-5"),
        ("simulate", "new", "--stays", "0"),
        ("simulate", "new", "--noise", "-1"),
        ("simulate", "new", "--noise", "nan"),
        ("simulate", "new", "--noise", "inf"),
        ("simulate", "new", "--lists", "0"),
        ("simulate", "new", "--lists", "3"),
        ("estimate", "--home", "new", "--seed", "-1"),
        ("quality", "--home", "new", "--assess", "--seed", "-1"),
        ("calibrate", "--work", "new", "--seed", "-1"),
        ("calibrate", "--work", "new", "--countries", "0"),
        ("report", "example", "us", "--out", "new", "--seed", "-1"),
        ("train", "--out", "new", "--stays", "0"),
        ("serve", "--home", "new", "--port", "0"),
        ("serve", "--home", "new", "--port", "99999"),
        ("demo", "--home", "new", "--port", "99999"),
        ("demo", "--home", "new", "--rate", "-1"),
        ("demo", "--home", "new", "--rate", "nan"),
        ("demo", "--home", "new", "--stays", "0"),
        ("demo", "--home", "new", "--seed", "-1"),
    ],
    ids=" ".join,
)
def test_numbers_without_sense_are_refused_with_what_was_expected(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(build_app(), list(words))
    assert done.exit_code == 2, done.output
    assert words[-2] in done.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--out", "nowhere/w.npz"),
        ("watch", "nowhere", "--once", "--home", "office"),
        ("read", "a.csv", "--out", "nowhere/x.parquet"),
        ("read", "a.csv", "--out", "x.parquet", "--rejects", "nowhere/x.ndjson"),
        ("encode", "a.csv", "--out", "nowhere/x.parquet"),
        ("backup", "office", "--home", "office"),
    ],
    ids=" ".join,
)
def test_a_place_that_is_not_there_is_told_before_the_work(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "office").mkdir()
    CliRunner().invoke(build_app(), ["keys", "new", "--home", "office"])
    done = CliRunner().invoke(build_app(), list(words))
    assert isinstance(done.exception, UsageError), done.exception
    assert "expected" in str(done.exception)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run: the folder office has keys and no ledger, and nothing else is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOJOURN_STATISTICS_URL", raising=False)
    monkeypatch.delenv("SOJOURN_HOME", raising=False)
    CliRunner().invoke(build_app(), ["keys", "new", "--home", "office"])
    return tmp_path


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_who_asks_a_home_without_a_ledger_is_told_and_none_is_made(
    words: tuple[str, ...], place: Path
) -> None:
    for home in ("office", "mistyped"):
        _nothing_is_made_by([*words, "--home", home], "begin one with sojourn load", place)


def test_who_asks_a_database_that_is_none_of_a_ledger_is_told_and_none_is_made(
    place: Path, statistics_url: str
) -> None:
    address = statistics_url.replace("statistics.sqlite3", "nowhere/x.db")
    for words in ASKING:
        _nothing_is_made_by(
            [*words, "--home", "office", "--database", address], "--database", place
        )
    if not address.startswith("sqlite"):
        engine = create_engine(address)
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_another_programs_file_is_left_as_it_is(place: Path) -> None:
    with sqlite3.connect("other.db") as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    Path("empty.db").touch()
    Path("text.db").write_text("no database at all, but long enough to be read as one" * 20)
    for name, said in (("other.db", "found none"), ("empty.db", "found none"), ("text.db", "")):
        was = Path(name).read_bytes()
        _nothing_is_made_by(
            ["measure", "--home", "office", "--database", f"sqlite:///{name}"], said, place
        )
        assert Path(name).read_bytes() == was


@pytest.mark.parametrize("command", [("measure",), ("load", "a.csv")])
def test_an_address_that_leads_nowhere_is_refused(command: tuple[str, ...], place: Path) -> None:
    Path("a.csv").write_text("a,b\n1,2\n")
    for address in ("sqlite://x.db", "sqlite:///", "postgresql+none://a@b/c", "x.db"):
        before = set(place.rglob("*"))
        words = [*command, "--home", "office", "--database", address]
        done = CliRunner().invoke(build_app(), words)
        assert isinstance(done.exception, LedgerError), done.exception
        assert "expected sqlite:///path" in str(done.exception)
        assert set(place.rglob("*")) - before <= {place / "office" / "inbox"}


def test_doctor_looks_for_a_ledger_and_makes_none(tmp_path: Path) -> None:
    run("keys", "new", "--home", "office", cwd=tmp_path)
    done = run("doctor", "--home", "office", cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "expected a ledger, found none" in done.stdout
    assert "begin one with sojourn load" in done.stdout.replace("\n", "")
    assert not list(tmp_path.rglob("*.sqlite3*"))


def _nothing_is_made_by(words: list[str], said: str, folder: Path) -> None:
    before = set(folder.rglob("*"))
    done = CliRunner().invoke(build_app(), words)
    assert isinstance(done.exception, LedgerError), (words, done.output, done.exception)
    assert not done.stdout.strip()
    assert said in str(done.exception)
    assert "expected a ledger" in str(done.exception)
    assert set(folder.rglob("*")) == before, words


def test_a_path_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (("simulate", "file", "--stays", "20"), ("keys", "new", "--home", "file")):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 10, done.stderr
        assert "see that the path is right" in done.stderr
        assert "Traceback" not in done.stderr


def test_nobody_is_told_what_will_be_known_or_what_was_known_of_nothing(tmp_path: Path) -> None:
    run("simulate", "country", "--stays", "300", "--no-manifests", cwd=tmp_path)
    run("keys", "new", cwd=tmp_path)
    run("watch", "--once", cwd=tmp_path)  # an empty ledger
    assert "no record has been taken in yet" in run("measure", cwd=tmp_path).stderr
    run("load", "country/crossings.parquet", cwd=tmp_path)
    today = datetime.now(UTC).date()
    later = run("measure", "--known-at", f"{today + timedelta(days=2)}", cwd=tmp_path)
    assert later.returncode == 2
    assert f"expected today ({today}, UTC) or a day before" in later.stderr
    assert "stays" not in later.stdout
    before = run("measure", "--known-at", "1990-01-01", cwd=tmp_path)
    assert before.returncode == 0
    assert "Nothing was known by the end of 1990-01-01: the first record is of 202" in before.stderr
    assert not before.stdout.strip()
    told = run("measure", "--known-at", "1990-01-01", "--json", cwd=tmp_path)
    assert json.loads(told.stdout) == []
    assert "departed in time" in run("measure", "--known-at", f"{today}", cwd=tmp_path).stdout


@pytest.mark.parametrize("stop", [("--dry-run",), ("--dry-run", "--json"), ()], ids=" ".join)
def test_a_release_of_days_before_the_ledger_is_refused_and_the_first_day_told(
    stop: tuple[str, ...], place: Path
) -> None:
    ask = ["release", "--through", "1990-01-01", *PEOPLE, *stop, "--home", "office"]
    office = small_office(place / "office")
    office.open_ledger().close()
    empty = CliRunner().invoke(build_app(), ask)
    assert isinstance(empty.exception, UsageError), empty.exception
    assert "no record has been taken in yet" in str(empty.exception)
    crossings = small_country(stays=40, seed=2).crossings
    with Desk(office) as desk:
        hand_in(desk, office, crossings, "one")
    done = CliRunner().invoke(build_app(), ask)
    assert isinstance(done.exception, UsageError), done.exception
    assert "nothing is to be released up to 1990-01-01" in str(done.exception)
    assert f"expected {crossings['event_time'].min():%Y-%m-%d}" in str(done.exception)
    assert not done.stdout.strip()
    left = plan(office, date(1990, 1, 1)).left_before[1990]
    assert left == office.policy.release.epsilon_per_year


def test_too_few_countries_say_so(tmp_path: Path) -> None:
    done = run("calibrate", "--countries", "2", "--processes", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "plain: too few countries to tell anything" in done.stderr
    assert "--countries 50 at least" in done.stderr
    assert not done.stdout.strip()
