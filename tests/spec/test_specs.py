"""Every drawn spec is so: through reader, encoder, linker, ledger and outcomes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lib.offices import comparable, recounted
from lib.specs import CAST, OTHER_CAST, Cast, Spec, SpecError, SpecOffice, all_specs, compare, parse
from sojourn.schemas import Outcome, StatusKind

SPECS = all_specs()


def _params(specs: list[Spec]) -> list[object]:
    return [
        pytest.param(s, id=s.name, marks=[pytest.mark.xfail(reason=s.gap)] if s.gap else [])
        for s in specs
    ]


def _broken(taken: SpecOffice, spec: Spec) -> str:
    """What is not as it was drawn, as tables; empty where all is."""
    with taken.open_ledger() as ledger:
        folded = {day: ledger.fold(day) for day in spec.expected}
    parts = [
        compare(rows, taken.found(folded[day], day), f"{spec.title}: known at the end of {day}")
        for day, rows in spec.expected.items()
    ]
    return "\n".join(p for p in parts if p)


@pytest.mark.parametrize("cast", [CAST, OTHER_CAST], ids=["", "told-of-others"])
@pytest.mark.parametrize("spec", _params(SPECS))
def test_spec(tmp_path: Path, spec: Spec, cast: Cast) -> None:
    """Nationality, sex and age decide nothing: told of others, every spec ends the same."""
    taken = SpecOffice(tmp_path, cast)
    taken.take(spec)
    broken = _broken(taken, spec)
    assert not broken, f"\n\n{broken}"


@pytest.mark.parametrize("spec", [pytest.param(s, id=s.name) for s in SPECS])
def test_fold_projection_and_totals_agree_on_every_spec(tmp_path: Path, spec: Spec) -> None:
    taken = SpecOffice(tmp_path, CAST)
    taken.take(spec)
    today = taken.now.date()
    with taken.open_ledger() as ledger:
        live = comparable(ledger.stays())
        assert_frame_equal(comparable(ledger.fold(today)), live)
        assert_frame_equal(
            ledger.totals().sort("day", "name"), recounted(ledger, today), check_dtypes=False
        )
    taken.reconcile()
    with taken.open_ledger() as ledger:
        # Which report stands for a crossing may change; what is told of the stay may not.
        after = taken.found(ledger.stays(), today)
    assert not compare(taken.found(live, today), after, "after a reconcile")


def test_specs_run_on_both_databases(tmp_path: Path, statistics_url: str) -> None:
    """All status changes at once: each kind is stored and read back."""
    spec = next(s for s in SPECS if s.name.startswith("90"))
    taken = SpecOffice(tmp_path, CAST, statistics_url)
    taken.take(spec)
    assert not _broken(taken, spec)


@pytest.mark.parametrize(
    ("name", "source", "issue"),
    [
        ("38-extension-of-a-stay-past-its-horizon", "residence-office", "status_past_horizon"),
        ("36-extension-told-before-its-arrival", "residence-office", "status_waits"),
        ("36-extension-told-before-its-arrival", "residence-office", "status_found_later"),
        ("37-extension-told-twice", "residence-office", "repeated"),
        ("37-extension-told-twice", "residence-office", "corrected"),
        ("71-a-window-whose-last-day-nobody-gave", "border-post", "limit_without_date"),
        ("25-a-port-nobody-knows", "border-post", "unknown_port"),
    ],
)
def test_what_could_not_be_used_is_counted_for_its_source(
    tmp_path: Path, name: str, source: str, issue: str
) -> None:
    spec = next(s for s in SPECS if s.name == name)
    taken = SpecOffice(tmp_path, CAST)
    taken.take(spec)
    with taken.open_ledger() as ledger:
        counted = ledger.quality().filter(pl.col("source") == source, pl.col("issue") == issue)
    assert counted["records"].sum() == (2 if name[:2] in ("36", "71") else 1)


def test_a_broken_spec_shows_both_tables() -> None:
    spec = SPECS[0]
    ((day, rows),) = list(spec.expected.items())[-1:]
    wrong = [row | {"outcome": "departed late"} for row in rows]
    shown = compare(wrong, rows, f"known at {day}")
    assert "expected:" in shown
    assert "found:" in shown
    assert shown.count("| departed late") == len(rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("| direction |", "| way |"), r"way.*expected some of"),
        (("## Known at the end of", "## Seen on"), r"under 'Seen on"),
        (("## Crossings", "## Comings"), r"Comings"),
        (("| A1 ", "| A1 | x "), r"expected \d+ cells, found"),
    ],
)
def test_what_is_no_spec_says_where_and_what_was_expected(
    change: tuple[str, str], said: str
) -> None:
    text = Path(__file__).with_name(f"{SPECS[0].name}.spec.md").read_text("utf-8")
    with pytest.raises(SpecError, match=said):
        parse(text.replace(*change), "wrong.spec.md")


def test_every_outcome_and_every_kind_of_status_change_is_drawn() -> None:
    drawn = {row["outcome"] for s in SPECS for rows in s.expected.values() for row in rows}
    assert drawn == {o.value.replace("_", " ") for o in Outcome}
    changes = {row["what"] for s in SPECS for row in s.changes}
    assert len(changes) == len(StatusKind)
