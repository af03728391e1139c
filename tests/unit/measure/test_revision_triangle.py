"""Revision triangles: each cell is what was said last at that age, each size what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from statistics import median

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.small_offices import evidence, office, world
from sojourn.measure.recorded_months import days_of_months, recorded_months
from sojourn.measure.revision_triangle import (
    AGES,
    MonthVintage,
    Moved,
    lay_revisions,
    moved_since_as_old,
    name_ages,
    tell_lack,
)
from sojourn.measure.spans import month_end
from sojourn.vocabulary import Outcome

JANUARY = date(2025, 1, 1)
UNSETTLED = (Outcome.DEPARTED_LATE, Outcome.NO_DEPARTURE_RECORDED)
EXPECTED = (*UNSETTLED, Outcome.DEPARTED_IN_TIME, Outcome.STATUS_CHANGED)


@st.composite
def sayings(draw: st.DrawFn) -> list[MonthVintage]:
    """What was said of a few months on a few days, before their end too, in any order."""
    out = {}
    for _ in range(draw(st.integers(0, 40))):
        month = date(2024, draw(st.integers(1, 12)), 1)
        day = JANUARY + timedelta(days=draw(st.integers(-300, 900)))
        value = draw(st.none() | st.floats(0, 1))
        out[month, day] = MonthVintage(month, day, value, "small" if value is None else "")
    return draw(st.permutations(list(out.values())))


def months_since(month: date, day: date) -> int:
    """Whole months from a month's end to a day, counted one by one; -1 while it runs."""
    count = -1
    while (day.year, day.month) > (month.year, month.month):
        month = (month + timedelta(days=31)).replace(day=1)
        count += 1
    return count


def over(said: list[MonthVintage], month: date) -> list[MonthVintage]:
    """What was said of a month after its end, oldest first."""
    mine = [s for s in said if s.month == month and months_since(month, s.known_at) >= 0]
    return sorted(mine, key=lambda s: s.known_at)


def said_at(said: list[MonthVintage], month: date, column: int) -> MonthVintage | None:
    """The first number of a month at the ages of a column, else the last refusal."""
    upto = AGES[column + 1] if column + 1 < len(AGES) else 10**6
    fits = [s for s in over(said, month)
            if AGES[column] <= months_since(month, s.known_at) < upto]  # fmt: skip
    numbers = [s for s in fits if s.value is not None]
    return numbers[0] if numbers else fits[-1] if fits else None


def sizes(pairs: list[tuple[MonthVintage, MonthVintage]]) -> Moved:
    found = [
        last.value - first.value for first, last in pairs
        if first.value is not None and last.value is not None and last is not first
    ]  # fmt: skip
    return Moved(
        len(found), len([f for f in found if f > 0]), len([f for f in found if f < 0]),
        median(map(abs, found)) if found else None,
    )  # fmt: skip


@given(sayings())
def test_each_cell_holds_the_first_number_of_that_age_and_each_row_ends_with_the_newest(
    said: list[MonthVintage],
) -> None:
    triangle = lay_revisions(said)
    months = {s.month for s in said if over(said, s.month)}
    assert [row.month for row in triangle.rows] == sorted(months, reverse=True)
    for row in triangle.rows:
        assert row.cells == tuple(said_at(said, row.month, at) for at in range(len(AGES)))
        assert row.newest == over(said, row.month)[-1]


@given(sayings())
def test_each_age_tells_how_far_its_numbers_are_from_the_newest(said: list[MonthVintage]) -> None:
    months = {s.month for s in said if over(said, s.month)}
    for at, moved in enumerate(lay_revisions(said).moved):
        assert moved == sizes([
            (first, over(said, m)[-1]) for m in months if (first := said_at(said, m, at))
        ])  # fmt: skip


@given(sayings(), st.integers(1, 12), st.integers(1, 700))
def test_a_new_figure_is_held_against_months_as_old_in_days(
    said: list[MonthVintage], number: int, age: int
) -> None:
    month = date(2024, number, 1)
    known_at = month_end(month) + timedelta(days=age)
    pairs = []
    for other in {s.month for s in said} - {month}:
        by_then = [s for s in over(said, other) if (s.known_at - month_end(other)).days <= age]
        if by_then:
            pairs.append((by_then[-1], over(said, other)[-1]))
    assert moved_since_as_old(said, month, known_at) == sizes(pairs)


def test_the_month_that_follows_is_age_nought_from_its_first_day_to_its_last() -> None:
    days = {date(2025, 1, 31): None, date(2025, 2, 1): 0, date(2025, 2, 28): 0,
            date(2025, 3, 1): 1, date(2025, 5, 31): 3, date(2025, 8, 1): 4, date(2026, 1, 31): 4,
            date(2026, 2, 1): 5, date(2031, 2, 1): 5}  # fmt: skip
    for day, column in days.items():
        triangle = lay_revisions([MonthVintage(JANUARY, day, 0.1)])
        filled = [at for row in triangle.rows for at, cell in enumerate(row.cells) if cell]
        assert filled == ([] if column is None else [column]), day
    assert name_ages() == ("under 1", "1", "2", "3 to 5", "6 to 11", "12 on")


def test_a_refusal_is_never_a_nought_and_gives_way_to_a_number_of_the_same_age() -> None:
    refused = MonthVintage(JANUARY, date(2025, 2, 2), None, "source_silent")
    number = MonthVintage(JANUARY, date(2025, 2, 20), 0.03)
    hidden = MonthVintage(JANUARY, date(2025, 3, 20), None, "small")
    (row,) = lay_revisions([hidden, number, refused]).rows
    assert row.cells[:2] == (number, hidden)
    assert row.newest == hidden
    assert lay_revisions([hidden, number, refused]).moved[0] == Moved(0, 0, 0, None)


def test_months_that_were_as_young_tell_the_size_beside_a_new_figure() -> None:
    february, march = date(2025, 2, 1), date(2025, 3, 1)
    said = [MonthVintage(m, d, v) for m, d, v in (
        (JANUARY, date(2025, 2, 2), 0.050), (JANUARY, date(2025, 2, 9), 0.020),
        (JANUARY, date(2025, 4, 10), 0.017), (february, date(2025, 3, 10), 0.030),
        (february, date(2025, 4, 10), 0.031), (march, date(2025, 4, 10), 0.025))]  # fmt: skip
    moved = moved_since_as_old(said, march, date(2025, 4, 10))
    assert (moved.months, moved.rose, moved.fell) == (2, 1, 1)
    assert moved.middle == pytest.approx(0.002)
    assert lay_revisions(said).moved[0].middle == pytest.approx(0.017), "from the very first"


def test_what_is_lacking_is_told_in_words() -> None:
    one = MonthVintage(JANUARY, date(2025, 2, 10), 0.02)
    assert "Nothing has been said yet" in tell_lack(lay_revisions([]))
    running = replace(one, known_at=date(2025, 1, 31))
    assert "Nothing has been said yet" in tell_lack(lay_revisions([running]))
    assert "on one day alone" in tell_lack(lay_revisions([one]))
    refused = MonthVintage(JANUARY, date(2025, 2, 11), None, "small")
    assert "on two days" in tell_lack(lay_revisions([one, refused]))
    assert tell_lack(lay_revisions([one, replace(one, known_at=date(2025, 2, 11))])) == ""


# -- what the records alone would have said ---------------------------------------------------


def counted(vintages: pl.DataFrame, month: date, day: date) -> dict[str, int]:
    """Stays of a month by outcome as known on a day: row by row."""
    cells: dict[tuple[object, ...], int] = {}
    for row in vintages.sort("known_at").iter_rows(named=True):
        if row["period"] == month and row["known_at"] <= day:
            cell = (row["nationality"], row["mode"], row["admission_class"], row["outcome"])
            cells[cell] = row["value"]
    return {o.value: sum(v for c, v in cells.items() if c[3] == o.value) for o in EXPECTED}


def test_the_records_of_each_past_day_are_told_as_vintages_hold_them() -> None:
    vintages = evidence(office(world(stays=4_000)), 460)[0].vintages
    first, last = vintages["known_at"].min(), vintages["known_at"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    days = days_of_months(first, last)
    assert days[-1] == last
    assert days[0] == first
    assert all(d.day == 1 for d in days[1:-1])
    said = recorded_months(vintages, days, 10, 1)
    told = [s for s in said if s.value is not None]
    assert len(told) > 40
    assert {s.known_at for s in said} <= set(days)
    for vintage in told[::7]:
        by = counted(vintages, vintage.month, vintage.known_at)
        naive = sum(by[o.value] for o in UNSETTLED)
        assert vintage.value == pytest.approx(naive / sum(by.values()))
    triangle = lay_revisions(said)
    assert triangle.moved[0].months > 5
    assert triangle.moved[0].fell > triangle.moved[0].rose, "late reports take from it"


def test_small_months_of_the_records_and_what_would_give_one_away_are_hidden() -> None:
    vintages = evidence(office(world(stays=2_000)), 460)[0].vintages
    last = vintages["known_at"].max()
    assert isinstance(last, date)
    said = recorded_months(vintages, [last], 10, 1)
    shown = small = 0
    for vintage in said:
        by = counted(vintages, vintage.month, last)
        naive = sum(by[o.value] for o in UNSETTLED)
        if min(naive, sum(by.values()) - naive) < 10:
            assert vintage.value is None
            small += 1
        shown += vintage.value is not None
        assert (vintage.why == "small") == (vintage.value is None)
    assert shown
    assert small
    for year in {s.month.year for s in said}:
        months = [s for s in said if s.month.year == year]
        hidden = [s for s in months if s.value is None]
        assert len(hidden) != 1 or len(months) == 1, "its sum less the others would tell it"


def test_without_vintages_nothing_is_told() -> None:
    vintages = evidence(office(world(stays=600)), 460)[0].vintages
    assert recorded_months(vintages.clear(), [JANUARY], 10, 1) == ()
