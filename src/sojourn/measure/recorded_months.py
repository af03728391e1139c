"""What the records alone would have said of each month, as they were known on past days.

In: VINTAGES, the days, policy's smallest cell. Out: ``MonthVintage`` of the recorded rate (late and
no departure recorded, of expected departures) in total. A day hides what estimates of that day
would hide (``hiding``), small months and what would give one away. Nothing is modelled: late
reports make these numbers fall for months, which is what a triangle of them shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import polars as pl

from sojourn.measure.development import with_new
from sojourn.measure.evidence import EXPECTED, gather, lay_out
from sojourn.measure.hiding import DIMENSIONS, small_cells
from sojourn.measure.revision_triangle import MonthVintage
from sojourn.measure.spans import first_day, month_end
from sojourn.schemas import COUNTS
from sojourn.vocabulary import Quantity, Span


def days_of_months(since: date, last: date) -> tuple[date, ...]:
    """``since``, the first days of months after it, and ``last``: as young as a month is told."""
    days, day = [], since
    while day < last:
        days.append(day)
        day = month_end(day.replace(day=1)) + timedelta(days=1)
    return (*days, last)


def recorded_months(
    vintages: pl.DataFrame, days: Iterable[date], smallest: int, year_begins: int
) -> tuple[MonthVintage, ...]:
    """``days``: on which VINTAGES hold (the ledger's ``Kept`` says so)."""
    steps = (
        with_new(vintages.filter(pl.col("outcome").is_in([o.value for o in EXPECTED])))
        .group_by("period", "outcome", "known_at")
        .agg(pl.col("new").sum())
    )
    found: list[MonthVintage] = []
    for day in days:
        found += _months_on(steps, day, smallest, year_begins)
    return tuple(found)


def _months_on(
    steps: pl.DataFrame, day: date, smallest: int, year_begins: int
) -> list[MonthVintage]:
    counted = (
        steps.filter(pl.col("known_at") <= day)
        .group_by(pl.col("period").alias("counts_on"), "outcome")
        .agg(pl.col("new").sum().cast(pl.Float64).alias("value"))
        .with_columns(noise_variance=pl.lit(0.0), **{d: pl.lit("") for d in DIMENSIONS})
    )
    layout = lay_out(COUNTS.conform(counted), day)
    if not layout.size:
        return []
    whole = {d: pl.lit("") for d in DIMENSIONS}
    cells = gather(layout, {"period": first_day(pl.col("day"), Span.MONTH)} | whole)
    hidden = small_cells(cells, Span.MONTH, smallest, year_begins)[Quantity.RECORDED_RATE]
    naive, every = (
        np.asarray(m.sum(axis=1)).ravel() for m in (cells.late + cells.open, cells.expected)
    )
    return [
        MonthVintage(month, day, None, "small") if small
        else MonthVintage(month, day, float(number / stays))
        for month, small, number, stays in zip(
            cells.names["period"], hidden, naive, every, strict=True
        )
    ]  # fmt: skip
