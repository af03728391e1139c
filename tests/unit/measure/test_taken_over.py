"""Feeds that change their name are not missed; feeds that stop are, whatever others do then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from sojourn.measure.delays import find_trouble
from sojourn.measure.taken_over import Monthly, share_at_stop
from sojourn.schemas import REPORTING, Direction

TODAY = date(2025, 12, 31)
DAYS = 420
STOP = 200  # days ago
Each = Callable[[int], float]


def told(source: str, each: float | Each, start: int = DAYS, end: int = 0) -> pl.DataFrame:
    """Records of events from ``start`` to ``end`` days ago, late by 4 days on the mean."""
    rng = np.random.default_rng([*source.encode()])
    ago = np.arange(start, end - 1, -1)
    mean = np.array([each(int(a)) if callable(each) else each for a in ago])
    events = np.repeat(ago, rng.poisson(mean))
    delay = np.floor(rng.exponential(4.0, len(events))).astype(np.int64)
    frame = pl.DataFrame({"ago": events, "delay_days": delay}).filter(
        pl.col("delay_days") <= pl.col("ago")
    )
    counted = frame.group_by("ago", "delay_days").agg(records=pl.len()).with_columns(
        event_day=pl.lit(TODAY) - pl.duration(days="ago"), source=pl.lit(source),
        direction=pl.lit(Direction.DEPARTURE.value),
    )  # fmt: skip
    return REPORTING.conform(counted.select(REPORTING.names))


def renamed_as_learned(of: pl.DataFrame, name: str, ago: int) -> pl.DataFrame:
    """What is learned from that day on bears the new name, whenever it happened."""
    learned = pl.col("event_day") + pl.duration(days="delay_days")
    late = learned >= TODAY - timedelta(days=ago)
    return of.with_columns(source=pl.when(late).then(pl.lit(name)).otherwise("source"))


def silent(*parts: pl.DataFrame, retired: tuple[str, ...] = ()) -> set[str]:
    trouble = find_trouble(pl.concat(parts), TODAY, retired=retired)
    return {s.source for s in trouble.silent}


LAND = told("land", 60)


def test_a_feed_that_changes_its_name_is_not_silent() -> None:
    by_event = told("air-24", 100, end=STOP), told("air-25", 100, start=STOP - 1)
    assert not silent(LAND, *by_event)
    assert not silent(LAND, renamed_as_learned(told("air-24", 100), "air-25", STOP))


def test_one_may_be_split_and_two_put_together() -> None:
    old = told("air", 100, end=STOP)
    north, south = (told(n, 50, start=STOP - 1) for n in ("north", "south"))
    assert not silent(LAND, old, north, south)
    halves = told("east", 40, end=STOP), told("west", 60, end=STOP - 4)
    assert not silent(LAND, *halves, told("both", 100, start=STOP - 1))


def test_all_feeds_of_a_country_may_change_their_names_and_again_later() -> None:
    years = [("22", DAYS, 280), ("23", 279, 130), ("24", 129, 0)]
    parts = [
        told(f"{mode}-{year}", each, start, end)
        for year, start, end in years
        for mode, each in (("air", 90), ("sea", 40))
    ]
    assert not silent(*parts)


def test_where_travel_halves_in_that_month_the_new_feed_may_be_half_as_large() -> None:
    """And a feed that stays as large as before has then grown: that is not clear."""
    sea, land = (told(n, lambda ago: 100 if ago >= STOP else 50) for n in ("sea", "land"))
    old = told("air-24", 100, end=STOP)
    assert not silent(sea, land, old, told("air-25", 50, start=STOP - 1))
    assert silent(sea, land, old, told("air-25", 100, start=STOP - 1)) == {"air-24"}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("nobody new", [LAND]),
        ("a season of the others", [told("land", lambda ago: 60 if ago >= STOP else 160)]),
        ("a new one that is small", [LAND, told("new", 30, start=STOP - 1)]),
        ("a new one that is far larger", [LAND, told("new", 300, start=STOP - 1)]),
        ("a new one after a hole", [LAND, told("new", 100, start=STOP - 30)]),
        ("a new one long before", [LAND, told("new", 100, start=STOP + 100)]),
        ("a new one that soon stops too", [LAND, told("new", 100, start=STOP - 1, end=STOP - 40)]),
    ],
)
def test_a_feed_that_stopped_is_silent_in_spite_of(name: str, others: list[pl.DataFrame]) -> None:
    assert "air" in silent(told("air", 100, end=STOP), *others), name


def test_one_that_stops_beside_one_that_is_renamed_is_not_covered_by_it() -> None:
    renamed = told("air-24", 100, end=STOP), told("air-25", 100, start=STOP - 1)
    assert "sea" in silent(LAND, told("sea", 25, end=STOP), *renamed)


def test_a_name_that_changed_lately_is_silent_until_a_month_after_it_has_settled() -> None:
    def at(ago: int) -> set[str]:
        return silent(LAND, told("air-24", 100, end=ago), told("air-25", 100, start=ago - 1))

    assert at(40) == {"air-24"}
    assert at(95) == set()


def test_old_days_that_are_kept_by_month_tell_the_same() -> None:
    new = renamed_as_learned(told("air-24", 100), "air-25", STOP)
    for parts, found in (((LAND, new), set()), ((LAND, told("air", 100, end=STOP)), {"air"})):
        day, limit = pl.col("event_day"), date(2025, 10, 1)
        old = pl.when(day < limit).then(day.dt.month_start()).otherwise(day)
        assert silent(pl.concat(parts).with_columns(event_day=old)) == found


def test_who_is_retired_is_not_missed_and_hides_nobody_else() -> None:
    stopped = told("air", 100, end=STOP), told("sea", 60, end=STOP)
    assert silent(LAND, *stopped, retired=("air",)) == {"sea"}
    assert silent(LAND, *stopped, retired=("air", "sea", "never-heard")) == set()


def test_a_silent_feed_weighs_as_much_as_it_told_when_it_stopped() -> None:
    """A tenth of the records of the whole time, next to nothing in its last months."""
    fading = told("ferry", lambda ago: 60 if ago > STOP + 130 else 1, end=STOP)
    all_ = pl.concat([LAND, told("air", 40), fading])
    (found,) = find_trouble(all_, TODAY).silent
    assert found.source == "ferry"
    assert found.share < 0.02
    assert share_at_stop(Monthly.of(all_), "land", TODAY) == pytest.approx(0.6, abs=0.02)
