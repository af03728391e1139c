"""Where a report's numbers are looked up: ESTIMATES or FIGURES as one book of cells.

In: ESTIMATES (for the steward) or FIGURES (for the public), a day. Out: a ``Book`` of the last
vintage on or before that day. Raises SchemaError where the table is not what it says, ReportError
where it holds no such vintage.

Of ESTIMATES, a count under the smallest cell is hidden here even where the table has it. Of
FIGURES nothing is hidden: they are noisy, and negative counts are published as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import dropwhile
from math import isfinite
from typing import Any, NamedTuple

import polars as pl

from sojourn.errors import ReportError
from sojourn.reports.reckoning import scaled
from sojourn.reports.report import NUMBERS, Cell, Kind, Status
from sojourn.reports.wording import WHY
from sojourn.schemas import ESTIMATES, FIGURES, Quantity, Span, Standing, check_table
from sojourn.vocabulary import StayEvent

RATES = (Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE)
# Where a release counts events and has no estimate of the same thing.
_COUNTED = {
    StayEvent.ARRIVED: Quantity.ARRIVALS,
    StayEvent.DEPARTED: Quantity.DEPARTURES,
    StayEvent.PERMISSION_ENDED: Quantity.EXPECTED_DEPARTURES,
    StayEvent.LEFT_IN_TIME: Quantity.DEPARTED_IN_TIME,
    StayEvent.LEFT_LATE: Quantity.DEPARTED_LATE,
}
_OF_EVERY_MONTH = Quantity.EXPECTED_DEPARTURES  # told of each month of which anything is
ALL = ""
ESTIMATES_TABLE = "estimates"  # of FIGURES: made together, completed for late records


class Where(NamedTuple):
    """A place among cells; '' for all."""

    span: Span
    period: date
    nationality: str = ALL
    mode: str = ALL
    admission_class: str = ALL


@dataclass(frozen=True)
class Book:
    kind: Kind
    known_at: date
    smallest: int
    cells: Mapping[tuple[Where, Quantity], Cell]

    def cell(self, where: Where, quantity: Quantity) -> Cell:
        """Counts as they are, rates in percent."""
        return self.cells.get((where, quantity), Cell(status=Status.ABSENT))

    def places(self, span: Span, period: date) -> tuple[Where, ...]:
        found = {w for w, _ in self.cells if w.span == span and w.period == period}
        return tuple(sorted(found))

    def unfinished(self, span: Span, period: date) -> date | None:
        """Up to which day a span is told that is not told whole; None of one that is.

        Of a span whose last day is the vintage the stays that end on it are lacking
        (``measure.outcomes``). A released year ends before the first month that could not be told
        (``release.years``).
        """
        last = span.last_day(period)
        if self.kind == Kind.PUBLIC and span == Span.YEAR:
            months = [m for m in self.periods(Span.MONTH) if period <= m <= last]
            begun = list(dropwhile(lambda m: not self._is_told(m), months))
            untold = next((m for m in begun if not self._is_told(m)), None)
            if untold is not None:
                return untold - timedelta(days=1)
        return self.known_at if last >= self.known_at else None

    def _is_told(self, month: date) -> bool:
        return self.cell(Where(Span.MONTH, month), _OF_EVERY_MONTH).value is not None

    def periods(self, span: Span) -> tuple[date, ...]:
        """Of which there is a total: without one there is no report."""
        return tuple(sorted({w.period for w, _ in self.cells if w == Where(span, w.period)}))


def vintages(frame: pl.DataFrame) -> tuple[date, ...]:
    """The days at which ESTIMATES or FIGURES were made, first to last."""
    column = "known_at" if "known_at" in frame.columns else "vintage"
    return tuple(sorted(frame[column].unique().to_list()))


def book_of_estimates(frame: pl.DataFrame, known_at: date | None, smallest: int) -> Book:
    """ESTIMATES as known on the last day up to ``known_at`` (None: the last there is)."""
    check_table(frame, ESTIMATES)
    day = _vintage(vintages(frame), known_at)
    rows = frame.filter(pl.col("known_at") == day).with_columns(_finite(NUMBERS[1:])).to_dicts()
    cells = {}
    for row in rows:
        quantity = Quantity(row["quantity"])
        cells[_where(row), quantity] = _estimated(row, quantity, smallest)
    return Book(Kind.STEWARD, day, smallest, cells)


def book_of_figures(frame: pl.DataFrame, known_at: date | None) -> Book:
    """FIGURES of the last vintage up to ``known_at``; of several tables' figures, the surest."""
    check_table(frame, FIGURES)
    day = _vintage(vintages(frame), known_at)
    known = [m.value for m in (*Quantity, *_COUNTED)]
    rows = (
        frame.filter(pl.col("vintage") == day, pl.col("quantity").is_in(known))
        .with_columns(_finite(("lower", "upper")))
        .to_dicts()
    )
    rows.sort(key=_surest)
    cells: dict[tuple[Where, Quantity], Cell] = {}
    for row in rows:
        name = row["quantity"]
        quantity = Quantity(name) if name in set(Quantity) else _COUNTED[StayEvent(name)]
        cells.setdefault((_where(row), quantity), _released(row, quantity))
    return Book(Kind.PUBLIC, day, 0, cells)


def _finite(names: Sequence[str]) -> list[pl.Expr]:
    """Ends of intervals that lie nowhere are none."""
    return [pl.when(pl.col(n).is_finite()).then(pl.col(n)).alias(n) for n in names]


def _vintage(held: tuple[date, ...], known_at: date | None) -> date:
    fitting = [day for day in held if known_at is None or day <= known_at]
    if not fitting:
        found = f"the first is {held[0]}" if held else "it is empty"
        raise ReportError(
            f"expected a table known on {known_at or 'any day'} or before; {found}. "
            "Make estimates of that day, or ask for a later one with --known-at"
        )
    return fitting[-1]


def _surest(row: dict[str, Any]) -> tuple[bool, bool, bool, float]:
    """Estimates before plain counts, numbers before none, those of one table that sum to each
    other before others, narrow intervals before wide."""
    width = (row["upper"] or 0.0) - (row["lower"] or 0.0)
    own = row["release_table"] == ESTIMATES_TABLE
    return row["quantity"] not in set(Quantity), row["value"] is None, not own, width


def _where(row: dict[str, Any]) -> Where:
    return Where(
        Span(row["span"]), row["period"], row["nationality"], row["mode"], row["admission_class"]
    )


def _estimated(row: dict[str, Any], quantity: Quantity, smallest: int) -> Cell:
    value, why = row["value"], row["why"]
    if value is not None and not isfinite(value):
        return Cell(status=Status.CANNOT, why="not_a_number")
    if value is None:
        small = why.startswith("small")
        # Small itself, or hidden beside one that is: it may hold more than the smallest cell.
        return Cell(status=Status.GUARDING if small else Status.CANNOT, why=why)
    if quantity not in RATES and value < smallest:
        return Cell(status=Status.HIDDEN, why="small")
    said = why if row["standing"] == Standing.WIDENED else ""
    cell = replace(Cell(why=said), **{n: row[n] for n in NUMBERS})
    return scaled(cell, 100) if quantity in RATES else cell


def _released(row: dict[str, Any], quantity: Quantity) -> Cell:
    if row["value"] is None or not isfinite(row["value"]):
        why = row["method"] if row["method"] in WHY else "not_released"
        return Cell(status=Status.CANNOT, why=why)
    cell = Cell(row["value"], row["lower"], row["upper"])
    return scaled(cell, 100) if quantity in RATES else cell
