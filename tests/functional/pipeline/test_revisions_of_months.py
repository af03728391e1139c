"""How months were revised: from records that come late, through the ledger, to the command."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from lib.kept_estimates import keep_estimates, made_estimates
from lib.offices import NOW, ClockedOffice, hand_in, small_country
from sojourn.cli import build_app
from sojourn.cli_estimate import say_size
from sojourn.encode import FileKeyProvider
from sojourn.measure.revision_triangle import lay_revisions, moved_since_as_old
from sojourn.pipeline import Desk, Office, open_office
from sojourn.pipeline.estimating import rates_of_months, read_revisions
from sojourn.pipeline.measuring import measure_at
from sojourn.pipeline.office import key_file
from sojourn.vocabulary import Span


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> ClockedOffice:
    """Half a year's records, taken in as they came: one departure in five 100 days late."""
    start = NOW - timedelta(days=200)
    records = small_country(stays=3_000, seed=5, lists=1).crossings.with_row_index("row")
    late = pl.duration(days=100 * ((pl.col("row") % 5 == 0) & (pl.col("direction") == "departure")))
    records = records.with_columns(sent=pl.col("recorded_at") + late).drop("row")
    clocked = ClockedOffice(tmp_path_factory.mktemp("watched"), now=start)
    with Desk(clocked.office) as desk:
        for _ in range(25):
            before, clocked.now = clocked.now, clocked.now + timedelta(days=10)
            sent = records.filter(pl.col("sent").is_between(before, clocked.now, closed="right"))
            hand_in(desk, clocked.office, sent.drop("sent"), f"until {clocked.now}")
    clocked.now += timedelta(days=40)
    return clocked


def test_the_records_of_a_past_day_are_told_as_they_would_have_been_measured(
    watched: ClockedOffice,
) -> None:
    said = read_revisions(watched.office).recorded
    told = [s for s in said if s.value is not None]
    compared = 0
    for vintage in told:
        cells = measure_at(watched.office, vintage.known_at, (Span.MONTH,)).filter(
            pl.col("period") == vintage.month,
            *(pl.col(n) == "" for n in ("nationality", "mode", "admission_class")),
        )
        by = dict(cells.select(pl.col("outcome").cast(pl.String), "value").rows())
        late, none = by.get("departed_late", 0), by.get("no_departure_recorded", 0)
        if late is not None and none is not None:  # each may be small where their sum is not
            expected = by["departed_in_time"] + late + none + by.get("status_changed", 0)
            assert vintage.value == pytest.approx((late + none) / expected)
            compared += 1
    assert compared >= 5
    first = lay_revisions(said).moved[0]
    assert first.months >= 4
    assert (first.rose, first.fell > 3) == (0, True), "departures that are told late take from it"
    assert first.middle is not None
    assert first.middle > 0.01


# -- the command ------------------------------------------------------------------------------


def ask(home: Path, *words: str) -> str:
    held = ("--home", str(home), "--database", f"sqlite:///{home / 'statistics.sqlite3'}")
    done = CliRunner().invoke(build_app(), ["estimate", "--revisions", *held, *words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office without a record, by a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    home = tmp_path / "office"
    home.mkdir()
    FileKeyProvider.create(key_file(home))
    office = open_office(home)
    office.open_ledger().close()
    return office


def test_the_command_prints_each_month_by_age_and_how_far_it_moved(plain: Office) -> None:
    keep_estimates(plain)
    said = ask(plain.home)
    triangle = lay_revisions(read_revisions(plain).estimated)
    lines = [line.split() for line in said.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ")
             .splitlines()]  # fmt: skip
    for row in triangle.rows[:12]:
        numbers = [f"{c.value:.2%}" for c in (*row.cells, row.newest)
                   if c is not None and c.value is not None]  # fmt: skip
        (line,) = [x for x in lines if x[:1] == [f"{row.month:%Y-%m}"]]
        assert [w for w in line[1:] if w.endswith("%")] == numbers
    last = {x[0]: x[1:] for x in lines if x[:1] in (["said"], ["rose"], ["fell"], ["moved"])}
    told = [m for m in triangle.moved if m.months]
    assert last["said"] == ["again", *(str(m.months) for m in triangle.moved)]
    assert last["rose"] == [str(m.rose) for m in told]
    assert last["fell"] == [str(m.fell) for m in told]
    assert last["moved"] == [f"{100 * (m.middle or 0):.2f}" for m in told]
    assert "percentage points" in said
    assert "\N{HORIZONTAL ELLIPSIS}" not in said, "whole words"
    assert "the records alone" in said


def test_a_number_that_was_refused_is_told_with_its_reason_and_not_as_nought(
    plain: Office,
) -> None:
    first, last = made_estimates()[0], made_estimates()[-1]
    silent = pl.lit("source_silent")
    keep_estimates(plain, first, last.with_columns(
        pl.lit(None, dtype=pl.Float64).alias("value"), silent.alias("why"),
        standing=pl.lit("cannot", dtype=last.schema["standing"]),
    ))  # fmt: skip
    said = ask(plain.home)
    assert "(1)  no number: a source is silent" in said
    assert "no revision to tell" in said
    assert " 0.00%" not in said
    assert "None" not in said


def test_programs_are_answered_with_every_month_and_what_is_lacking(plain: Office) -> None:
    keep_estimates(plain)
    found = json.loads(ask(plain.home, "--json"))
    assert found["ages"] == ["under 1", "1", "2", "3 to 5", "6 to 11", "12 on"]
    triangle = lay_revisions(read_revisions(plain).estimated)
    told = found["overstay_rate"]
    assert [r["month"] for r in told["rows"]] == [str(r.month) for r in triangle.rows]
    assert told["rows"][-1]["newest"]["value"] == triangle.rows[-1].newest.value
    assert told["rows"][0]["cells"][-1] is None
    assert [m["months"] for m in told["moved"]] == [m.months for m in triangle.moved]
    assert told["lacks"] == ""
    assert "Nothing has been said yet" in found["recorded_rate"]["lacks"]


def test_where_there_is_nothing_to_set_beside_each_other_words_say_so(plain: Office) -> None:
    said = ask(plain.home)
    assert said.count("Nothing has been said yet of a month that is over") == 2
    assert "Columns" not in said
    keep_estimates(plain, made_estimates()[-1])
    said = ask(plain.home)
    assert "What was said on one day alone is kept" in said.replace("\n", " ")
    assert "\N{BOX DRAWINGS LIGHT VERTICAL} moved" not in said


def test_a_new_estimate_stands_beside_how_far_months_as_young_moved() -> None:
    months = tuple(r for made in made_estimates() for r in rates_of_months(made))
    newest = lay_revisions(months).rows[0].newest
    said = say_size(months, newest.known_at)
    moved = moved_since_as_old(months, newest.month, newest.known_at)
    assert moved.middle is not None
    assert f"{newest.month:%Y-%m} may be revised" in said
    assert f"{moved.months} said again, {moved.rose} rose, {moved.fell} fell" in said
    assert f"moved by {100 * moved.middle:.2f} points" in said
    assert say_size(months, newest.known_at + timedelta(days=1)) == "", "nothing new that day"
    assert say_size((newest,), newest.known_at) == "", "no other month"
    assert say_size((), newest.known_at) == ""
