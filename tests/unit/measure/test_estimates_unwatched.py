"""What nobody watched, or looked at, or what only bears another name: estimates own up to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from lib.small_offices import evidence, office, world
from sojourn.measure.estimating import estimate_cells
from sojourn.measure.evidence import Evidence
from sojourn.policy import Policy, load_policy
from sojourn.schemas import LINKAGE_QUALITY, REPORTING, VINTAGES
from sojourn.simulate.small import STOP_DAY
from sojourn.simulate.small_counts import SmallOffice
from sojourn.simulate.small_world import Kind
from sojourn.vocabulary import LinkageCount, Quantity, Span

POLICY = load_policy()
YEAR = date(2023, 1, 1)
TOTALS = ((Span.MONTH, ()), (Span.YEAR, ()))
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def plain() -> SmallOffice:
    return office(world(stays=40_000))


def told(
    found: Evidence, day: date, quantity: Quantity, span: Span, policy: Policy = POLICY
) -> Rows:
    """Totals by period, the oldest first; no cell is hidden."""
    rng = np.random.default_rng(7)
    made = estimate_cells(found, day, policy, rng, smallest=0, only=TOTALS)
    rows = made.filter(pl.col("quantity") == quantity.value, pl.col("span") == span.value)
    return rows.sort("period").to_dicts()


def of(rows: Iterable[dict[str, Any]], period: date) -> dict[str, Any]:
    (row,) = (r for r in rows if r["period"] == period)
    return row


def said(row: dict[str, Any]) -> tuple[object, object]:
    return row["standing"], row["why"]


def width(row: dict[str, Any]) -> float:
    return float(row["upper"] - row["lower"])


def test_where_nobody_looked_how_sure_linking_is_that_is_the_reason(plain: SmallOffice) -> None:
    """Whether anybody arrived again is not known then. What is counted is told all the same."""
    found, day = evidence(plain)
    # Decoys are counted as they are loaded, whether or not anybody looks.
    decoys = [(day.replace(day=1), "all", "", LinkageCount.DECOYS.value, 500)]
    counted = pl.DataFrame(decoys, schema=LINKAGE_QUALITY.schema, orient="row")
    for linkage in (LINKAGE_QUALITY.empty(), counted):
        unjudged = replace(found, linkage=linkage)
        for quantity in (Quantity.OVERSTAY_RATE, Quantity.PROBABLY_STILL_HERE):
            row = of(told(unjudged, day, quantity, Span.YEAR), YEAR)
            assert said(row) == ("cannot", "linking_unjudged")
            assert row["value"] is None
        expected = of(told(unjudged, day, Quantity.EXPECTED_DEPARTURES, Span.YEAR), YEAR)
        assert said(expected) == ("widened", "linking_unjudged")
        assert expected["value"] > 0
    everything = estimate_cells(unjudged, day, POLICY, np.random.default_rng(7), smallest=10)
    by_mode = everything.filter(pl.col("quantity") == Quantity.DEPARTURES_BY_MODE.value)
    assert set(by_mode["why"]) == {"linking_unjudged", "small"}


def test_the_month_in_which_a_slow_source_stopped_has_no_number() -> None:
    """Records of the days before came for weeks after it: heard, but not of this month."""
    stops = replace(world(Kind.STOPS, stays=40_000), delay_days=np.array([12.0, 12.0, 12.0]))
    of_it = office(stops)
    found, day = evidence(of_it, day=540)
    rows = told(found, day, Quantity.OVERSTAY_RATE, Span.MONTH)
    stopped = of_it.date_of(STOP_DAY).replace(day=1)
    assert said(of(rows, stopped)) == ("cannot", "source_silent")
    assert of(rows, (stopped - timedelta(days=1)).replace(day=1))["value"] is not None


def test_a_source_that_is_called_retired_takes_no_month_with_it() -> None:
    found, day = evidence(office(world(Kind.STOPS, stays=40_000)), day=500)
    known = replace(POLICY, estimate=replace(POLICY.estimate, retired_sources=("land posts",)))
    missed, retired = (
        told(found, day, Quantity.OVERSTAY_RATE, Span.MONTH, policy) for policy in (POLICY, known)
    )
    assert said(missed[-1]) == ("cannot", "source_silent")
    assert "source_silent" not in {r["why"] for r in retired}
    assert all(r["value"] is not None for r in retired)
    recorded = [
        [r["value"] for r in told(found, day, Quantity.RECORDED_RATE, Span.MONTH, p)]
        for p in (POLICY, known)
    ]
    assert recorded[0] == recorded[1]


def test_a_feed_that_changes_its_name_changes_no_number(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    learned = pl.col("event_day") + pl.duration(days=pl.col("delay_days"))
    late = (pl.col("source") == "air posts") & (learned >= day - timedelta(days=200))
    renamed = found.reporting.with_columns(
        source=pl.when(late).then(pl.lit("air posts 2")).otherwise("source")
    )
    for span in (Span.MONTH, Span.YEAR):
        before, after = (
            told(replace(found, reporting=r), day, Quantity.OVERSTAY_RATE, span)
            for r in (found.reporting, renamed)
        )
        for one, other in zip(before, after, strict=True):
            assert said(one) == said(other)
            for name in ("value", "lower", "upper"):
                assert other[name] == pytest.approx(one[name], abs=0.002)


def loaded(found: Evidence, day: date) -> Evidence:
    """As if all of it had been handed over today: no vintages, no day but this one."""
    delay = (pl.lit(day) - pl.col("event_day")).dt.total_days().cast(pl.Int32)
    at_once = found.reporting.with_columns(delay_days=delay)
    summed = at_once.group_by(list(REPORTING.key)).agg(pl.col("records").sum())
    return replace(found, vintages=VINTAGES.empty(), reporting=REPORTING.conform(summed))


def test_a_history_that_was_loaded_tells_old_months_alone_and_those_widely(
    plain: SmallOffice,
) -> None:
    """Reports take 8 days; what is still to come of the last month nobody can know."""
    slow = office(replace(plain.country.world, delay_days=np.array([8.0, 8.0, 8.0])))
    found, day = evidence(slow)
    at_once = loaded(found, day)
    *old, last = told(at_once, day, Quantity.OVERSTAY_RATE, Span.MONTH)
    assert said(last) == ("cannot", "no_delays")
    assert last["value"] is None
    assert {said(r) for r in old} == {("widened", "short_history")}
    truth = slow.truth(460).group_by("period").agg(pl.col("expected", "overstays").sum())
    true = {p: o / e for p, e, o in truth.select("period", "expected", "overstays").rows()}
    held = [r["lower"] <= true[r["period"]] <= r["upper"] for r in old]
    assert sum(held) >= len(old) - 1
    # The year that is three months over is told, and wider than with its vintages.
    year = of(told(at_once, day, Quantity.OVERSTAY_RATE, Span.YEAR), YEAR)
    assert said(year) == ("widened", "short_history")
    wide, usual = (
        width(of(told(e, day, Quantity.DEPARTED_IN_TIME, Span.YEAR), YEAR))
        for e in (at_once, found)
    )
    assert wide > 1.2 * usual


def test_a_source_that_has_been_watched_for_days_alone_does_not_tell_the_last_month(
    plain: SmallOffice,
) -> None:
    """A history, and then a fortnight of daily records: none of them can be late by a month."""
    found, day = evidence(plain)
    since = day - timedelta(days=14)
    learned = pl.col("event_day") + pl.duration(days=pl.col("delay_days"))
    history = loaded(replace(found, reporting=found.reporting.filter(learned <= since)), since)
    both = pl.concat([history.reporting, found.reporting.filter(learned > since)])
    begun = replace(history, reporting=both)
    *_, last = told(begun, day, Quantity.OVERSTAY_RATE, Span.MONTH)
    assert said(last) == ("cannot", "no_delays")


def test_who_will_yet_leave_late_is_told_wider_where_nobody_watched_months_grow(
    plain: SmallOffice,
) -> None:
    """All vintages on one day, as a history that was loaded: no month was seen to grow."""
    found, day = evidence(plain)
    cell = ("period", "nationality", "mode", "admission_class", "outcome")
    last = found.vintages.sort("known_at").group_by(cell).agg(pl.col("value").last())
    one = VINTAGES.conform(last.with_columns(known_at=pl.lit(day)))
    for span in (Span.MONTH, Span.YEAR):
        watched, loaded = (
            told(f, day, Quantity.DEPARTED_LATE, span)[-1]
            for f in (found, replace(found, vintages=one))
        )
        assert loaded["later_upper"] > loaded["value"]
        assert loaded["later_upper"] - loaded["later_lower"] >= 0.8 * (
            watched["later_upper"] - watched["later_lower"]
        )
