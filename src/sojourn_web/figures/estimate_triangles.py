"""Revision triangles for the page of estimates: months by how long after their end they were said.

In: rows of ESTIMATES of one rate of the totals, all days that are kept. Out: tables in words. A
number that was hidden, or could not be made, is its reason; nothing said then is nothing, never
nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sojourn.measure.revision_triangle import (
    MonthVintage,
    Moved,
    lay_revisions,
    moved_since_as_old,
    name_ages,
    tell_lack,
)
from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.statistics import Estimated


@dataclass(frozen=True)
class Cell:
    """A number or, where not ``given``, why there is none; '' where nothing was said."""

    value: str
    given: bool


@dataclass(frozen=True)
class Row:
    name: str
    cells: tuple[Cell, ...]  # by age, then the newest


@dataclass(frozen=True)
class Size:
    """How figures of one age moved; both '' where none was said again."""

    middle: str
    counts: str


@dataclass(frozen=True)
class Triangle:
    """``lack``: what keeps it from telling of revisions. ``more``: that months are left out.

    Of one day alone there are no rows: what was said on it stands under *Month by month*.
    """

    key: str
    name: str
    ages: tuple[str, ...]
    rows: tuple[Row, ...]
    sizes: tuple[Size, ...]
    lack: str
    more: str


def build_triangle(rows: Sequence[Estimated], quantity: str, most: int) -> Triangle:
    """``rows``: of one quantity; ``most``: so many months are shown, the newest."""
    months = _months(rows)
    laid, once = lay_revisions(months), len({m.known_at for m in months}) < 2
    shown = () if once else tuple(
        Row(words.say_period("month", r.month.isoformat()),
            tuple(_cell(c, quantity) for c in (*r.cells, r.newest)))
        for r in laid.rows[:most]
    )  # fmt: skip
    hidden = len(laid.rows) > most
    more = f"The newest {most} months; the last row reckons with all {len(laid.rows)}."
    return Triangle(
        quantity, words.QUANTITIES[quantity], name_ages(), shown,
        tuple(_size(m) for m in laid.moved), tell_lack(laid), more if hidden else "",
    )  # fmt: skip


def say_size(rows: Sequence[Estimated], period: str, known_at: str) -> str:
    """Beside a new figure of a month: how far others moved since they were as young."""
    day = date.fromisoformat
    moved = moved_since_as_old(_months(rows), day(period), day(known_at))
    if moved.middle is None:
        return ""
    points = words.say_points(moved.middle)
    if moved.months == 1:
        way = "up" if moved.rose else "down" if moved.fell else "neither up nor down"
        since = "Since it was as young as this one is now"
        return f"{since}, one other month moved by {points}, {way}."
    return (
        f"Since they were as young as this one is now, {moved.months} other months moved by "
        f"{points} in the middle case: {moved.rose} up, {moved.fell} down."
    )


def _months(rows: Sequence[Estimated]) -> list[MonthVintage]:
    day = date.fromisoformat
    return [
        MonthVintage(day(r.period), day(r.known_at), r.value, r.why)
        for r in rows if r.span == "month"
    ]  # fmt: skip


def _cell(said: MonthVintage | None, quantity: str) -> Cell:
    if said is None:
        return Cell("", False)
    if said.value is None:
        return Cell(words.say_short("cannot", said.why) or words.NOT_GIVEN, False)
    return Cell(words.say_number(quantity, said.value), True)


def _size(moved: Moved) -> Size:
    if moved.middle is None:
        return Size("", "")
    counts = f"{moved.rose} up, {moved.fell} down of {moved.months}"
    return Size(words.say_points(moved.middle), counts)
