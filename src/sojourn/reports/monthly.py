"""A year of months: arrivals, departures, rates with both intervals, revisions, freshness.

In: a ``Book`` of now and, where there is one, of the vintage before. Out: a ``Report``. New
Zealand's monthly release is the model to beat (field report, section 1): its intervals say nothing
of revisions; here the second interval and the last revision stand beside each number.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sojourn.errors import ReportError
from sojourn.reports import wording
from sojourn.reports.book import Book, Where
from sojourn.reports.laying import TOTAL
from sojourn.reports.reckoning import add, hide_with, minus
from sojourn.reports.report import (
    Block,
    Cell,
    Definition,
    Head,
    Kind,
    Level,
    Report,
    Row,
    Shape,
    Status,
    Unit,
)
from sojourn.schemas import Quantity, Span

COUNTS, RATES, CHANGED = "Counted and completed", "Rates", "Revision and freshness"
HEADS = (
    Head("arrivals", "Arrivals", Unit.CROSSINGS, COUNTS, additive=True),
    Head("departures", "Departures", Unit.CROSSINGS, COUNTS, additive=True),
    Head("departures_final", "Departures, final figure", Unit.CROSSINGS, COUNTS),
    Head("expected", "Expected departures", Unit.STAYS, COUNTS, additive=True),
    Head("recorded_rate", "Rate by the records alone", Unit.PERCENT, RATES),
    Head("rate", "Overstay rate, estimated", Unit.PERCENT, RATES, drawn=True, mark="recorded_rate"),
    Head("rate_final", "Overstay rate, final figure", Unit.PERCENT, RATES),
    Head("departures_revised", "Departures, since the vintage before", Unit.CROSSINGS, CHANGED,
         signed=True),
    Head("rate_revised", "Rate, since the vintage before", Unit.POINTS, CHANGED, signed=True),
    Head("age", "Days since the month's end", Unit.DAYS, CHANGED),
)  # fmt: skip
DEFINITIONS = (
    Definition("Departures", "recorded departures, and those that are still to be reported, by how "
               "late each source has told so far", wording.OURS),
    wording.EXPECTED, wording.RECORDED_RATE, wording.RATE, wording.INTERVAL, wording.FINAL,
)  # fmt: skip
MONTHS = 12
_OLD = timedelta(days=31)


def monthly_report(
    book: Book, before: Book | None, last: date, policy_digest: str, *, months: int = MONTHS
) -> Report:
    """``months`` months up to the one that begins on ``last``; ``before``: the vintage before.

    Raises ReportError where none of them is in the book. A month that is missing has an empty row.
    """
    firsts = _firsts(last, months)
    if not set(firsts) & set(book.periods(Span.MONTH)):
        raise ReportError(
            f"expected months up to {last:%B %Y}; the table holds none of them. Its last is "
            f"{max(book.periods(Span.MONTH), default='none')}"
        )
    rows = tuple(_row(book, before, first) for first in firsts)
    block = Block("months", "Month by month", "Month", rows, _total(rows))
    until = book.unfinished(Span.MONTH, firsts[-1])
    notes = [*wording.notes_on(book.kind, until)]
    notes.append(f"The last recorded day in it is {wording.say_day(book.known_at)}.")
    if before is None:
        notes.append("There is no vintage before this one: revisions cannot be told yet.")
    else:
        notes.append(f"Revisions are against what was known on {wording.say_day(before.known_at)}.")
    for_whom = "released figures" if book.kind == Kind.PUBLIC else "confidential cells"
    return Report(
        Shape.MONTHLY, book.kind, "Arrivals, departures and overstays, month by month",
        f"From {for_whom}", wording.say_so_far(f"{firsts[0]:%B %Y} to {last:%B %Y}", until),
        book.known_at, policy_digest, HEADS, (block,), tuple(notes), DEFINITIONS, (), (),
        book.smallest, before.known_at if before else None, until=until,
    )  # fmt: skip


def _firsts(last: date, months: int) -> list[date]:
    held = [last.replace(day=1)]
    while len(held) < months:
        held.append((held[-1] - timedelta(days=1)).replace(day=1))
    return held[::-1]


def _row(book: Book, before: Book | None, first: date) -> Row:
    where = Where(Span.MONTH, first)
    expected = book.cell(where, Quantity.EXPECTED_DEPARTURES)
    departures = book.cell(where, Quantity.DEPARTURES)
    rate = _rate(book, where)
    recorded = hide_with(
        book.cell(where, Quantity.RECORDED_RATE),
        expected,
        book.cell(where, Quantity.DEPARTED_LATE),
        book.cell(where, Quantity.NO_DEPARTURE_RECORDED),
    )
    end = (first + _OLD).replace(day=1) - timedelta(days=1)
    age = (book.known_at - end).days
    cells = (
        book.cell(where, Quantity.ARRIVALS), departures, _final(departures), expected, recorded,
        rate, _final(rate), _revised(departures, before, where, Quantity.DEPARTURES, book.smallest),
        _rate_revised(rate, before, where),
        Cell(float(age)) if age >= 0 else Cell(status=Status.CANNOT, why="month_not_over"),
    )  # fmt: skip
    return Row(first.isoformat(), f"{first:%B %Y}", cells)


def _rate(book: Book, where: Where) -> Cell:
    return hide_with(
        book.cell(where, Quantity.OVERSTAY_RATE),
        book.cell(where, Quantity.EXPECTED_DEPARTURES),
        book.cell(where, Quantity.DEPARTED_LATE),
        book.cell(where, Quantity.PROBABLY_STILL_HERE),
    )


def _final(cell: Cell) -> Cell:
    """The same number with the interval for its last version."""
    if cell.status != Status.SHOWN:
        return cell
    if cell.later_lower is None or cell.later_upper is None:
        return Cell(status=Status.ABSENT)
    return Cell(cell.value, cell.later_lower, cell.later_upper, why=cell.why)


def _revised(
    now: Cell, before: Book | None, where: Where, quantity: Quantity, smallest: int
) -> Cell:
    if before is None:
        return Cell(status=Status.ABSENT)
    return minus(now, before.cell(where, quantity), smallest)


def _rate_revised(now: Cell, before: Book | None, where: Where) -> Cell:
    if before is None:
        return Cell(status=Status.ABSENT)
    return minus(now, _rate(before, where), 0)


def _total(rows: tuple[Row, ...]) -> Row:
    """Sums of counts. A rate of the year is not the mean of its months', so none is made."""
    cells = [
        replace(add(*(row.cells[i] for row in rows)), later_lower=None, later_upper=None)
        if head.additive
        else Cell(status=Status.ABSENT)
        for i, head in enumerate(HEADS)
    ]
    return Row(TOTAL, "All months", tuple(cells), Level.TOTAL)
