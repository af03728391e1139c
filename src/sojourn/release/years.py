"""Which months a year's figure is the sum of: it is told before the year is over.

In: published figures of months. Out: the months that a year of the same vintage holds, and the year
in words that say them. A year begins with the first month that there is of its cell (a code may be
added within a year), an estimate's with the first that can be told, and goes on without a gap
(``publication``, ``measure.noisy_estimates``). A cell key's year is a tally of its own: it is the
sum of no months.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import takewhile

import polars as pl
from sqlalchemy import Connection

from sojourn.release.cells import ESTIMATES
from sojourn.release.picking import Wanted
from sojourn.release.published import read_figures
from sojourn.release.store import CELL_KEY
from sojourn.vocabulary import Quantity, Span

SIZE = Quantity.EXPECTED_DEPARTURES.value  # told of every month of which anything is


def months_held(connection: Connection, year: Wanted, vintage: date) -> tuple[date, ...]:
    """Months that a year's figure, known by its whole key, is the sum of."""
    if year.period is None:
        return ()
    estimated = year.release_table == ESTIMATES
    months = replace(year, span=Span.MONTH.value, period=None, vintage=None)
    if estimated:
        months = Wanted(ESTIMATES, Span.MONTH.value, None, "", "", "", SIZE)
    found = read_figures(connection, months, as_of=vintage)
    found = found.filter(pl.col("method") != CELL_KEY)
    return run_of(found, year.period.year, estimated=estimated)


def run_of(months: pl.DataFrame, year: int, *, estimated: bool) -> tuple[date, ...]:
    """Of FIGURES of months, one quantity of one cell, those that the year holds."""
    own = months.filter(pl.col("period").dt.year() == year)
    if estimated:
        own = own.filter(pl.col("value").is_not_null())
    there = set(own["period"])
    every = [date(year, n, 1) for n in range(1, 13)]
    start = next((n for n, month in enumerate(every) if month in there), 0)
    return tuple(takewhile(there.__contains__, every[start:]))


def say_year(year: int, months: tuple[date, ...]) -> str:
    """The year; or, where it holds some of its months alone, from which to which."""
    if not months or len(months) == 12:
        return str(year)
    first, last = months[0], months[-1]
    return f"{first:%B %Y}" if first == last else f"{first:%B} to {last:%B} {year}"
