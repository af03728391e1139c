"""Today and this month, completed: against what a country's sources will once have told."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from lib.small_offices import evidence, office, world
from sojourn.measure.evidence import Evidence
from sojourn.measure.nowcast import nowcast
from sojourn.measure.spans import month_end
from sojourn.policy import load_policy
from sojourn.schemas import COUNTS, ESTIMATES, LINKAGE_QUALITY, LISTS, REPORTING, VINTAGES
from sojourn.simulate.small_counts import SmallOffice
from sojourn.vocabulary import Direction

POLICY, DAY = load_policy(), 460


@pytest.fixture(scope="module")
def plain() -> SmallOffice:
    return office(world(stays=60_000, seed=2), seed=2)


def reported(of: SmallOffice, until: int) -> pl.DataFrame:
    """Departures by day, as reported by a day."""
    made = of.tables(until, np.random.default_rng(1)).reporting
    return (
        made.filter(pl.col("direction") == Direction.DEPARTURE.value)
        .group_by(period="event_day").agg(pl.col("records").sum())
    )  # fmt: skip


def test_the_last_days_are_completed_and_intervals_hold_what_comes(plain: SmallOffice) -> None:
    found, day = evidence(plain, day=DAY)
    made = nowcast(found, day, POLICY, 1)
    days = made.filter(
        (pl.col("span") == "day") & (pl.col("quantity") == "departures")
        & (pl.col("period") > day - timedelta(days=14)) & pl.col("value").is_not_null()
    )  # fmt: skip
    final = reported(plain, DAY + 300).rename({"records": "final"})
    now = reported(plain, DAY).rename({"records": "now"})
    set_beside = days.join(final, on="period").join(now, on="period")
    assert set_beside.height >= 10
    late = set_beside.filter(pl.col("now") < 0.9 * pl.col("final"))
    assert late.height
    held = set_beside.select(
        ((pl.col("later_lower") <= pl.col("final")) & (pl.col("final") <= pl.col("later_upper")))
        .mean()
    ).item()  # fmt: skip
    assert held >= 0.75
    ours = (set_beside["value"] - set_beside["final"]).abs().sum()
    plainly = (set_beside["now"] - set_beside["final"]).abs().sum()
    assert ours < 0.6 * plainly


def test_this_month_is_to_date_and_modes_are_parts_of_it(plain: SmallOffice) -> None:
    found, day = evidence(plain, day=DAY)
    made = nowcast(found, day, POLICY, 1)
    month = made.filter(
        (pl.col("span") == "month") & (pl.col("period") == day.replace(day=1))
        & (pl.col("quantity") == "departures")
    )  # fmt: skip
    assert set(month["why"]) == {"to_date"}
    whole = month.filter(pl.col("mode") == "")["value"].item()
    assert month.filter(pl.col("mode") != "")["value"].sum() == pytest.approx(whole)


def test_small_modes_are_hidden_two_at_a_time(plain: SmallOffice) -> None:
    found, day = evidence(plain, day=DAY)
    few = pl.DataFrame(
        [(day.replace(day=1), "departure", "rail", True, False, False, 4)],
        schema=LISTS.schema, orient="row",
    )  # fmt: skip
    with_rail = Evidence(
        found.counts, found.vintages, found.reporting, pl.concat([found.lists, few]),
        found.linkage,
    )  # fmt: skip
    made = nowcast(with_rail, day, POLICY, 10).filter(
        (pl.col("span") == "month") & (pl.col("period") == day.replace(day=1))
        & (pl.col("quantity") == "departures") & (pl.col("mode") != "")
    )  # fmt: skip
    assert made.filter(pl.col("value").is_null()).height == 2
    assert made.filter(pl.col("mode") == "rail")["why"].item() == "small"


def test_two_reports_of_a_crossing_count_once() -> None:
    day = date(2025, 6, 30)
    rows = [
        (source, "departure", day - timedelta(days=ago), 0, 100)
        for ago in range(200) for source in ("border", "carrier")
    ]  # fmt: skip
    months = [date(2025, m, 1) for m in range(1, 7)]
    lists = [
        (month, "departure", "air", True, True, False, 100 * month_end(month).day)
        for month in months
    ]
    found = Evidence(
        COUNTS.empty(), VINTAGES.empty(),
        pl.DataFrame(rows, schema=REPORTING.schema, orient="row"),
        pl.DataFrame(lists, schema=LISTS.schema, orient="row"), LINKAGE_QUALITY.empty(),
    )  # fmt: skip
    made = nowcast(found, day, POLICY, 10)
    today = made.filter((pl.col("span") == "day") & (pl.col("period") == day))
    assert today["value"].item() == pytest.approx(100, rel=0.02)


def test_nothing_reported_gives_no_rows() -> None:
    found = Evidence(
        COUNTS.empty(), VINTAGES.empty(), REPORTING.empty(), LISTS.empty(), LINKAGE_QUALITY.empty()
    )
    assert nowcast(found, date(2025, 1, 1), POLICY, 10).equals(ESTIMATES.empty())
