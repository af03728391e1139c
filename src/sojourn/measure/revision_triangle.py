"""A revision triangle: months by how long after their end they were said, and how far that moved.

In: what was said of months on each day that is kept. Out: ``RevisionTriangle``. Age is counted in
whole months: what is said in the month that follows is 0, in the one after it 1. The layout is the
usual one of reserving and of real-time data (Croushore & Stark 2001): a row for each month, a
column for each age, so that a column holds figures that knew about equally little.

At each age the first number stands: where figures are made daily, the last one of an age would
show nothing of what moved in a month's first weeks. Where no number was given at an age the last
refusal stands. A month still running is left out: what is said of it is of a part of it. A
revision goes from an age's number to the one that was said last; where that was refused, there
is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from sojourn.measure.spans import month_end

AGES = (0, 1, 2, 3, 6, 12)  # months: where each column begins; the last has no end


@dataclass(frozen=True)
class MonthVintage:
    """What was said of a month on a day. No ``value``: ``why`` is the code of the reason."""

    month: date  # its first day
    known_at: date
    value: float | None
    why: str = ""


@dataclass(frozen=True)
class Moved:
    """Of numbers of one age: how many were said again later, and how far they had moved."""

    months: int
    rose: int
    fell: int
    middle: float | None  # median of the size; none without a month


@dataclass(frozen=True)
class MonthRow:
    month: date
    cells: tuple[MonthVintage | None, ...]  # by AGES; none where nothing was said then
    newest: MonthVintage


@dataclass(frozen=True)
class RevisionTriangle:
    """Newest month first. ``moved`` has one entry for each of AGES and reckons with all rows."""

    rows: tuple[MonthRow, ...]
    moved: tuple[Moved, ...]


def name_ages() -> tuple[str, ...]:
    """The head of each column, in months. The first is no number: it could be read as a nought."""
    ends = [after - 1 for after in AGES[1:]]
    closed = [str(a) if a == end else f"{a} to {end}" for a, end in zip(AGES, ends, strict=False)]
    return (f"under {AGES[1]}", *closed[1:], f"{AGES[-1]} on")


def lay_revisions(said: Iterable[MonthVintage]) -> RevisionTriangle:
    """``said``: in any order, of a month at most one a day."""
    rows = []
    for month, vintages in sorted(_by_month(said).items(), reverse=True):
        cells: list[MonthVintage | None] = [None] * len(AGES)
        for vintage in vintages:
            column = _column(month, vintage.known_at)
            held = cells[column]
            if held is None or held.value is None:
                cells[column] = vintage
        rows.append(MonthRow(month, tuple(cells), vintages[-1]))
    moved = tuple(_sum_up((r.cells[at], r.newest) for r in rows) for at in range(len(AGES)))
    return RevisionTriangle(tuple(rows), moved)


def moved_since_as_old(said: Iterable[MonthVintage], month: date, known_at: date) -> Moved:
    """How other months moved since they were as many days old as ``month`` is on ``known_at``.

    Of each the number that had been said last by then counts.
    """
    age = known_at - month_end(month)
    pairs = []
    for other, vintages in _by_month(said).items():
        by_then = [v for v in vintages if v.known_at - month_end(other) <= age]
        if other != month and by_then:
            pairs.append((by_then[-1], vintages[-1]))
    return _sum_up(pairs)


def tell_lack(triangle: RevisionTriangle) -> str:
    """In words, what keeps a triangle from telling of revisions; '' where nothing does."""
    if not triangle.rows:
        return "Nothing has been said yet of a month that is over, so there is no revision to tell."
    days = {r.newest.known_at for r in triangle.rows}
    days |= {c.known_at for r in triangle.rows for c in r.cells if c is not None}
    if len(days) == 1:
        return "What was said on one day alone is kept, so there is no revision to tell yet."
    if not any(moved.months for moved in triangle.moved):
        return "No month has been given a number on two days, so there is no revision to tell."
    return ""


def _by_month(said: Iterable[MonthVintage]) -> dict[date, list[MonthVintage]]:
    """Of months that were over when it was said; the oldest vintage first."""
    out: dict[date, list[MonthVintage]] = {}
    for vintage in sorted(said, key=lambda v: v.known_at):
        if vintage.known_at > month_end(vintage.month):
            out.setdefault(vintage.month, []).append(vintage)
    return out


def _column(month: date, known_at: date) -> int:
    """The place in AGES of what is said on a day after the month's end."""
    age = 12 * (known_at.year - month.year) + known_at.month - month.month - 1
    return max(at for at, begins in enumerate(AGES) if begins <= age)


def _sum_up(pairs: Iterable[tuple[MonthVintage | None, MonthVintage]]) -> Moved:
    """``pairs``: what was said first, and last."""
    moved: Sequence[float] = [
        last.value - first.value
        for first, last in pairs
        if first is not None and first.value is not None and last.value is not None
        and first.known_at < last.known_at
    ]  # fmt: skip
    middle = median(abs(m) for m in moved) if moved else None
    return Moved(len(moved), sum(m > 0 for m in moved), sum(m < 0 for m in moved), middle)
