"""What no estimate tells by itself: permission ended, and how many of these have no departure.

In: cells of one place that were looked up. Out: ``Cell``s that sum with them, for what is summed
here was put right alike: reports still to come are added and, in estimates, wrong links are taken
off. The number that stands in the records (``NO_DEPARTURE_RECORDED``) was not, and sums with
nothing. Of an estimate for the steward, a number under the smallest cell is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.reports.book import Book
from sojourn.reports.reckoning import add, less, unseen
from sojourn.reports.report import Cell, Kind, Status
from sojourn.schemas import Quantity

# What both are made of, by the names that they are looked up under.
NEEDED = {
    "expected": Quantity.EXPECTED_DEPARTURES,
    "changed": Quantity.STATUS_CHANGED,
    "in_time": Quantity.DEPARTED_IN_TIME,
    "late": Quantity.DEPARTED_LATE,
    "left": Quantity.LEFT_UNRECORDED,
    "here": Quantity.PROBABLY_STILL_HERE,
}


def permission_ended(book: Book, base: Mapping[str, Cell]) -> Cell:
    """Expected departures less changes of status; where these are few, the sum of the rest."""
    expected, changed = base["expected"], base["changed"]
    if changed.status == Status.ABSENT and expected.status == Status.SHOWN:
        return expected
    ended = less(expected, changed)
    if ended.value is not None:
        return _told(book, ended)
    rest = add(*(base[part] for part in ("in_time", "late", "left", "here")))
    if rest.value is not None:
        return _told(book, Cell(rest.value))
    # Not small itself: it guards the few whose status changed.
    return unseen(expected, changed) or expected


def without_departure(book: Book, base: Mapping[str, Cell]) -> Cell:
    """Expected departures less those departed and changed. Where one of these is hidden: left
    unrecorded and probably still here, which is the same number with an interval wider than needed.
    """
    rest = less(*(base[part] for part in ("expected", "changed", "in_time", "late")))
    if rest.value is not None:
        return _told(book, rest)
    parts = add(base["left"], base["here"])
    return rest if parts.value is None else _told(book, parts)


def _told(book: Book, cell: Cell) -> Cell:
    if book.kind == Kind.PUBLIC or cell.value is None:
        return cell
    if cell.value < book.smallest:
        return Cell(status=Status.HIDDEN, why="small")
    return cell.each(lambda number: max(number, 0.0))
