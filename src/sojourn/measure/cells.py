"""Stays into cells: by day, month and year; in total and by nationality, mode and class.

A count under the policy's smallest cell is hidden (null), and where only one cell of a
breakdown is hidden its smallest visible sister goes with it, so that the total does not give it
away. Cells are confidential: what the public sees is made elsewhere, with noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sojourn.measure.outcomes import assign_outcomes
from sojourn.measure.spans import first_day
from sojourn.policy import MeasurePolicy
from sojourn.schemas import CLOSED_CELLS, COUNTS, MEASURES, STAYS, Outcome, Span, door, enum_of

DIMENSIONS = ("nationality", "mode", "admission_class")
# In total; by each dimension; and all three at once.
BREAKDOWNS: tuple[tuple[str, ...], ...] = (
    (), ("nationality",), ("mode",), ("admission_class",), DIMENSIONS,
)  # fmt: skip
ALL = ""
UNKNOWN = "unknown"


@door(COUNTS, stays=STAYS)
def count_stays(stays: pl.DataFrame, known_at: date) -> pl.DataFrame:
    """STAYS as known at the end of ``known_at`` into COUNTS, exact."""
    counted = (
        assign_outcomes(stays, known_at)
        .with_columns(pl.col(d).cast(pl.String).fill_null(UNKNOWN) for d in DIMENSIONS)
        .group_by("counts_on", *DIMENSIONS, "outcome")
        .agg(pl.len().alias("value"))
        .with_columns(noise_variance=pl.lit(0.0))
    )
    return COUNTS.conform(counted)


@door(MEASURES, counts=COUNTS, closed=CLOSED_CELLS)
def measure(
    counts: pl.DataFrame,
    closed: pl.DataFrame,
    known_at: date,
    policy: MeasurePolicy,
    *,
    spans: Sequence[Span] = tuple(Span),
) -> pl.DataFrame:
    """Exact COUNTS as known at the end of ``known_at`` into MEASURES, small cells hidden.

    ``closed``: CLOSED_CELLS of stays past their horizon, of which days are known in total alone.
    ``spans``: which to make; COUNTS of whole months say nothing of days.
    """
    kept_days = closed.filter(pl.col("span") == Span.DAY.value)
    kept_months = closed.filter(pl.col("span") == Span.MONTH.value)
    counted = counts.with_columns(pl.col("value").cast(pl.Int64))
    joined = _joined(counted, kept_days.clear()), _joined(counted, kept_days)
    words = _words(counted, closed)
    by_day = tuple(frame.cast(words) for frame in joined)  # type: ignore[arg-type]
    # Months first: years are made of them, and there are far fewer.
    by_month = _cells(_joined(counted, kept_months).cast(words), Span.MONTH, DIMENSIONS)  # type: ignore[arg-type]
    by_month = by_month.select(pl.col("period").alias("counts_on"), *DIMENSIONS, "outcome", "value")
    parts = []
    for span in spans:
        for kept in BREAKDOWNS:
            known = by_day[not kept] if span == Span.DAY else by_month
            parts.append(_hide(_cells(known, span, kept), kept, policy.smallest_cell))
    made = pl.concat(parts) if parts else MEASURES.empty().drop("known_at").cast(words)  # type: ignore[arg-type]
    return (
        made.with_columns(pl.lit(known_at).alias("known_at"))
        .sort(MEASURES.key)
        .select(pl.col(n).cast(MEASURES.schema[n]) for n in MEASURES.names)
    )


def _words(counted: pl.DataFrame, closed: pl.DataFrame) -> dict[str, pl.Enum]:
    """The dimensions' words in order, as a type: numbers are summed and sorted faster than text."""
    return {
        d: pl.Enum(pl.concat([counted[d], closed[d], pl.Series(d, [ALL])]).unique().sort())
        for d in DIMENSIONS
    }


def _joined(counted: pl.DataFrame, closed: pl.DataFrame) -> pl.DataFrame:
    """Counts of stays that are held and of those that are not any more, in the same columns."""
    named = closed.select(
        pl.col("period").str.to_date().alias("counts_on"), *DIMENSIONS,
        pl.col("outcome").cast(enum_of(Outcome)), "value",
    )  # fmt: skip
    return pl.concat([counted.select(named.columns), named])


def _cells(counted: pl.DataFrame, span: Span, kept: tuple[str, ...]) -> pl.DataFrame:
    period = first_day(pl.col("counts_on"), span).alias("period")
    summed = counted.group_by(period, *kept, "outcome").agg(pl.col("value").sum())
    return summed.with_columns(
        pl.lit(span.value).cast(enum_of(Span)).alias("span"),
        *(pl.lit(ALL).cast(counted.schema[d]).alias(d) for d in DIMENSIONS if d not in kept),
    )


def _hide(cells: pl.DataFrame, kept: tuple[str, ...], smallest: int) -> pl.DataFrame:
    """Hide small cells; where one alone is hidden among sisters, hide the next one too."""
    small = pl.col("value") < smallest
    place = ["period", "outcome", *DIMENSIONS]
    hidden = small
    if kept:
        sisters = ["period", "outcome"]
        lone = cells.group_by(sisters).agg(small.sum().alias("alone")).filter(pl.col("alone") == 1)
        with_it = (
            cells.filter(~small)
            .join(lone, on=sisters, how="semi")
            .sort("value", *DIMENSIONS)
            .unique(sisters, keep="first", maintain_order=True)
            .select(*place, with_it=pl.lit(value=True))
        )
        cells = cells.join(with_it, on=place, how="left")
        hidden = small | pl.col("with_it").is_not_null()
    return (
        cells.with_columns(hidden.alias("hidden"))
        .with_columns(pl.when(~pl.col("hidden")).then("value").alias("value"))
        .select("span", "period", *DIMENSIONS, "outcome", "value", "hidden")
    )
