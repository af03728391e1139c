"""Reports of what the estimators say of ordinary countries: wrong links, late reports, small cells.

Elsewhere reports are tested on numbers whose parts sum by hand. Here raw and put right differ.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from lib.small_offices import evidence, office, world
from sojourn.errors import ReportError
from sojourn.measure.estimating import estimate
from sojourn.pipeline.reporting import make_report
from sojourn.policy import load_policy
from sojourn.reports import Cell, Kind, Report, Shape, Status

POLICY = load_policy()
FEW_DRAWS = replace(POLICY, estimate=replace(POLICY.estimate, draws=200))
DAYS = (330, 470, 520)  # of a country that begins with a year: the last two in its second
COUNTRIES = ((1, 8_000), (2, 60_000), (5, 60_000), (6, 60_000), (2, 200_000))


@cache
def estimates(seed: int, stays: int) -> pl.DataFrame:
    """What was told on each of DAYS, as a ledger holds it."""
    of = office(world(stays=stays, seed=seed), seed=seed)
    told = [evidence(of, day=day) for day in DAYS]
    return pl.concat([estimate(e, day, FEW_DRAWS, np.random.default_rng(1)) for e, day in told])


def row_of(report: Report, block: str, key: str) -> dict[str, Cell]:
    (found,) = [b for b in report.blocks if b.key == block]
    (row,) = [r for r in found.all_rows if r.key == key]
    return {head.key: report.cell(row, head.key) for head in report.heads}


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize(("seed", "stays"), COUNTRIES)
def test_reports_of_ordinary_offices_pass_their_check_at_every_vintage(
    seed: int, stays: int, shape: Shape
) -> None:
    frame = estimates(seed, stays)
    for day in frame["known_at"].unique():
        years = frame.filter(pl.col("span") == "year", pl.col("known_at") == day)["period"]
        for first in (None, *years.unique()):
            report = make_report(shape, frame, Kind.STEWARD, POLICY, known_at=day, period=first)
            assert report.findings == (), (day, first)


def test_a_year_that_had_hardly_begun_in_the_vintage_before_is_told() -> None:
    """On its sixth day it had exits by mode of travel, and no total to compare with."""
    of = office(world(stays=8_000, seed=1), seed=1)
    told = [evidence(of, day=day) for day in (370, 430)]
    frame = pl.concat([estimate(e, day, FEW_DRAWS, np.random.default_rng(1)) for e, day in told])
    for shape in (Shape.US, Shape.UK):
        report = make_report(shape, frame, Kind.STEWARD, POLICY, period=date(2024, 1, 1))
        assert report.findings == ()
        assert "so far" in report.period
        with pytest.raises(ReportError, match=r"Periods there: 2023-01-01$"):
            make_report(
                shape, frame, Kind.STEWARD, POLICY, known_at=told[0][1], period=date(2024, 1, 1)
            )


def test_what_was_put_right_sums_and_the_number_of_the_records_stands_apart() -> None:
    """Wrong links close stays: records hold more that left late, and fewer without a departure."""
    frame = estimates(2, 200_000)
    report = make_report(Shape.UK, frame, Kind.STEWARD, POLICY)
    told = {k: c.value or 0.0 for k, c in row_of(report, "visas", "total").items()}
    parts = told["in_time"] + told["late"] + told["without"]
    assert parts == pytest.approx(told["ended"])
    assert told["left"] + told["here"] == pytest.approx(told["without"])
    assert told["without"] > told["open"] + 100
    assert told["in_time"] + told["late"] + told["open"] < told["ended"] - 100
    groups = {head.key: head.group for head in report.heads}
    assert groups["late"] == groups["without"] != groups["open"]
    us = make_report(Shape.US, frame, Kind.STEWARD, POLICY)
    total = {k: c.value or 0.0 for k, c in row_of(us, "in_total", "total").items()}
    assert total["without"] == pytest.approx(told["without"])
    assert total["unsettled"] == pytest.approx(told["late"] + told["without"])
    assert total["open"] == told["open"]


def test_how_many_are_without_a_departure_is_as_sure_as_how_many_departed() -> None:
    """Its two parts are unsure against each other: which is which, not how many they are."""
    frame = estimates(2, 200_000)
    us = make_report(Shape.US, frame, Kind.STEWARD, POLICY)
    row = row_of(us, "in_total", "total")
    width = {k: (row[k].upper or 0.0) - (row[k].lower or 0.0) for k in ("without", "left", "here")}
    assert 0 < width["without"] < 0.6 * (width["left"] + width["here"])


def test_a_class_of_which_few_changed_status_is_hidden_as_large_as_it_is() -> None:
    """Expected less the few would tell them. What is hidden so may be most of a table."""
    report = make_report(Shape.UK, estimates(2, 60_000), Kind.STEWARD, POLICY)
    ended = [report.cell(row, "ended") for row in report.blocks[0].all_rows]
    untold = [cell.status for cell in ended if cell.value is None]
    assert len(untold) >= 2
    assert set(untold) == {Status.GUARDING}
