"""Reverse-time hazards against counting by hand; sources that stop, jump or slow down."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.small_offices import evidence, office, world
from sojourn.measure.delays import (
    completeness,
    find_trouble,
    pooled,
    reverse_hazards,
    without_history,
)
from sojourn.measure.development import develop
from sojourn.measure.evidence import lay_out
from sojourn.measure.spans import month_end
from sojourn.schemas import REPORTING, VINTAGES, Direction
from sojourn.vocabulary import Outcome

TODAY = date(2025, 12, 31)


def reporting(rows: list[tuple[str, int, int, int]]) -> pl.DataFrame:
    """(source, days ago, delay, records)."""
    made = [
        (source, Direction.DEPARTURE.value, TODAY - timedelta(days=ago), delay, n)
        for source, ago, delay, n in rows
    ]
    return pl.DataFrame(made, schema=REPORTING.schema, orient="row")


def steady(source: str, mean: float, days: int = 300, each: int = 400, since: int = 0,
           slow_since: int = 0, slow: float = 1.0) -> list[tuple[str, int, int, int]]:  # fmt: skip
    rng, rows = np.random.default_rng(len(source)), []
    for ago in range(since, days):
        times = slow if ago < slow_since else 1.0
        delays = np.floor(rng.exponential(mean * times, each)).astype(int)
        for delay, n in zip(*np.unique(delays[delays <= ago], return_counts=True), strict=True):
            rows.append((source, ago, int(delay), int(n)))
    return rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=5, max_size=5), min_size=3, max_size=12))
def test_hazards_are_what_counting_one_by_one_gives(rows: list[list[int]]) -> None:
    days = len(rows)
    triangle = np.array(rows, dtype=float)
    for at in range(days):
        triangle[at, days - at :] = 0  # not seen yet
    share = reverse_hazards(triangle)
    for upto in range(5):
        product = 1.0
        for delay in range(upto + 1, 5):
            old = [r for at, r in enumerate(triangle) if days - 1 - at >= delay]
            below = sum(sum(r[: delay + 1]) for r in old)
            product *= 1 - sum(r[delay] for r in old) / below if below else 1.0
        assert share[upto] == pytest.approx(product)


def test_a_steady_source_is_completed_and_the_plain_share_is_not() -> None:
    found = completeness(reporting(steady("posts", 6.0)), TODAY, Direction.DEPARTURE)["posts"]
    for days in (0, 3, 7, 14):
        assert found.at(days) == pytest.approx(1 - np.exp(-(days + 1) / 6.0), abs=0.01)
    assert pooled({}) is None


def test_a_steady_source_is_no_trouble() -> None:
    trouble = find_trouble(reporting(steady("posts", 3.0)), TODAY)
    assert (trouble.silent, trouble.jumped, trouble.changed) == ((), (), ())


def test_a_source_that_stopped_is_silent_since_it_was_last_heard() -> None:
    rows = steady("posts", 1.0) + steady("ferries", 1.0, since=40)
    trouble = find_trouble(reporting(rows), TODAY)
    assert [s.source for s in trouble.silent] == ["ferries"]
    assert 20 <= (TODAY - trouble.silent[0].since).days <= 41
    assert 0.3 < trouble.silent[0].share < 0.6


def test_a_weekly_source_is_not_silent_within_its_week() -> None:
    rows = [("weekly", ago, 0, 50) for ago in range(6, 300, 7)]
    assert find_trouble(reporting(rows), TODAY).silent == ()


def test_a_clock_that_jumped_shows_as_records_from_the_future() -> None:
    ahead = [("posts", -40, 0, 4_000)]
    before = [("posts", 5, -2, 4_000)]
    for odd in (ahead, before):
        assert find_trouble(reporting(steady("posts", 1.0) + odd), TODAY).jumped == ("posts",)


def test_delays_that_changed_are_told() -> None:
    slowed = steady("posts", 3.0, slow_since=90, slow=4.0)
    trouble = find_trouble(reporting(slowed), TODAY)
    assert trouble.changed == ("posts",)
    assert trouble.slower > 1.5


def test_a_history_that_was_loaded_says_nothing_of_delays() -> None:
    """A year handed over on one day, then a steady feed: the feed's delays are what is told."""
    feed = reporting(steady("booth", 1.0, days=60))
    first: date = feed["event_day"].min()  # type: ignore[assignment]
    days = pl.int_range(1, 366, eager=True)
    loaded = pl.DataFrame(
        {"source": "booth", "direction": Direction.DEPARTURE.value, "delay_days": days,
         "records": 400}
    ).with_columns(event_day=pl.lit(first) - pl.duration(days=pl.col("delay_days")))  # fmt: skip
    both = pl.concat([feed, REPORTING.conform(loaded)])
    assert without_history(both)["event_day"].min() > first
    (alone,), (after,) = (
        completeness(r, TODAY, Direction.DEPARTURE).values() for r in (feed, both)
    )
    assert after.share == pytest.approx(alone.share, abs=0.02)
    assert without_history(feed).equals(feed), "a feed that never handed over a history"


def test_a_month_grows_as_those_before_it_grew() -> None:
    """Each month: 80% in at its end, 16 more after 20 days, 4 more after 50."""
    months = [date(2025, m, 1) for m in range(1, 13)]
    rows = []
    for month in months:
        end = month_end(month)
        for days, value in ((0, 8_000), (20, 9_600), (50, 10_000)):
            known = end + timedelta(days=days)
            rows.append((known, month, "AAA", "air", "VISIT", "departed_in_time", value))
    vintages = pl.DataFrame(rows, schema=VINTAGES.schema, orient="row")
    day = date(2026, 1, 10)  # December is 10 days old, November 41
    held = vintages.filter(pl.col("known_at") <= day)
    grown = develop(held, Outcome.DEPARTED_IN_TIME, ["air/VISIT"], months, day)
    assert grown.share[0, -1] == pytest.approx(0.8, abs=0.01)
    assert grown.share[0, -2] == pytest.approx(0.96, abs=0.01)
    assert grown.share[0, 0] == 1.0
    assert not grown.unknown.any()
    assert grown.log_error[0, -1] > grown.log_error[0, 0]


def test_old_months_grow_the_less_the_older_they_are() -> None:
    """Late departures: half of those that are not in by the month's end come in each 30 days."""
    months = [date(2025 + m // 12, m % 12 + 1, 1) for m in range(18)]
    day = date(2026, 7, 5)
    rows = [
        (known, month, "AAA", "air", "VISIT", "departed_late", round(1_000 * (1 - 0.5 ** (d / 30))))
        for month in months for d in range(1, 600, 3)
        if (known := month_end(month) + timedelta(days=d)) <= day
    ]  # fmt: skip
    vintages = pl.DataFrame(rows, schema=VINTAGES.schema, orient="row")
    grown = develop(vintages, Outcome.DEPARTED_LATE, ["air/VISIT"], months, day)
    ages = np.array([(day - month_end(m)).days for m in months])
    old = ages > 60
    assert grown.share[0, old] == pytest.approx(1 - 0.5 ** (ages[old] / 30), abs=0.02)
    assert (np.diff(grown.share[0]) <= 0).all()
    assert (np.diff(grown.log_error[0]) >= 0).all(), "the younger the less sure"


def test_old_months_that_jitter_do_not_grow_for_it() -> None:
    """Corrections between outcomes take back what they add: no growth is read into them."""
    rng = np.random.default_rng(3)
    months = [date(2024 + m // 12, m % 12 + 1, 1) for m in range(24)]
    day, rows = date(2026, 1, 5), []
    for at, month in enumerate(months):
        value = 2_000
        for later in months[at:]:
            known = month_end(later) + timedelta(days=5)
            if known <= day:
                rows.append((known, month, "AAA", "air", "VISIT", "departed_late", value))
            value = 2_000 + int(rng.normal(0, 15))
    vintages = pl.DataFrame(rows, schema=VINTAGES.schema, orient="row")
    grown = develop(vintages, Outcome.DEPARTED_LATE, ["air/VISIT"], months, day)
    assert grown.share[0] == pytest.approx(np.ones(24), abs=0.006)


def test_without_a_history_how_months_grow_is_unknown() -> None:
    found, day = evidence(office(world()))
    layout = lay_out(found.counts, day)
    young = found.vintages.filter(pl.col("known_at") == pl.col("known_at").max())
    grown = develop(young, Outcome.DEPARTED_IN_TIME, layout.strata, layout.months, day)
    assert grown.unknown[1:].all()  # the oldest has nothing older to learn from
