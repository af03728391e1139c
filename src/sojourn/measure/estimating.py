"""Counts into estimates: what records say, what they cannot say, and how sure either is.

In: ``Evidence`` (five tables of counts), the day of the question, policy, randomness. Out:
ESTIMATES: months and years in total, by mode, by class, by nationality; days in total. The same
evidence, day, policy and generator give the same table. COUNTS may be noisy.

Arrivals and departures, today and this month, are ``nowcast``'s and join the table here. For cells
only, never for a stay. A cell that is too small, or of which too little is known, has no number and
says why. A year that is not over is told to date (``why`` is to_date).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.doors import check_table, doors_checked
from sojourn.measure.evidence import Cells, Evidence, Layout, gather, lay_out
from sojourn.measure.factors import Concern, Model, build_model
from sojourn.measure.hiding import small_cells
from sojourn.measure.nowcast import nowcast
from sojourn.measure.reckoning import Told, reckon
from sojourn.policy import Policy
from sojourn.schemas import ESTIMATES
from sojourn.vocabulary import Quantity, Span, Standing

Array = NDArray[np.float64]

DIMENSIONS = ("nationality", "mode", "admission_class")
BREAKDOWNS: tuple[tuple[str, ...], ...] = ((), ("nationality",), ("mode",), ("admission_class",))
TOUCHED = 0.02  # of a cell's stays: a concern with less is not told
FATAL = 0.2  # of a cell's stays without a number: then the cell has none
CELLS_AT_ONCE = 2_000
# What needs no estimate of exits not seen.
_RECORDED = (Quantity.NO_DEPARTURE_RECORDED, Quantity.RECORDED_RATE)
_COUNTED = (Quantity.EXPECTED_DEPARTURES, Quantity.DEPARTED_IN_TIME, Quantity.DEPARTED_LATE,
            Quantity.STATUS_CHANGED)  # fmt: skip
_OF_EXITS = ("no_reentries", "few_reentries", "returning_unlike", "months_scatter")


def estimate(
    evidence: Evidence, known_at: date, policy: Policy, rng: np.random.Generator
) -> pl.DataFrame:
    """ESTIMATES as of the end of ``known_at``. Raises SchemaError where doors are checked."""
    made = estimate_cells(evidence, known_at, policy, rng, smallest=policy.measure.smallest_cell)
    if doors_checked():
        check_table(made, ESTIMATES)
    return made


def estimate_cells(
    evidence: Evidence, known_at: date, policy: Policy, rng: np.random.Generator, *, smallest: int
) -> pl.DataFrame:
    """The same with a smallest cell of one's own: for simulated countries, where none is hidden."""
    evidence.check()
    parts = [nowcast(evidence, known_at, policy, smallest)]
    layout = lay_out(evidence.counts, known_at)
    if layout.size:
        model = build_model(evidence, layout, known_at, policy.estimate, rng)
        for span, kept in _specs(layout):
            parts += _estimate_kind(layout, model, span, kept, known_at, policy, rng, smallest)
    return ESTIMATES.conform(pl.concat(parts)).sort(ESTIMATES.key)


def _specs(layout: Layout) -> list[tuple[Span, tuple[str, ...]]]:
    spans = [(span, kept) for span in (Span.YEAR, Span.MONTH) for kept in BREAKDOWNS]
    # A span's first day alone: then days are not told apart.
    if (layout.rows["day"].dt.day() > 1).any():
        spans.append((Span.DAY, ()))
    return spans


_FIRST = {Span.DAY: "1d", Span.MONTH: "1mo", Span.YEAR: "1y"}


def _estimate_kind(
    layout: Layout, model: Model, span: Span, kept: tuple[str, ...], known_at: date,
    policy: Policy, rng: np.random.Generator, smallest: int,
) -> list[pl.DataFrame]:  # fmt: skip
    keys: dict[str, pl.Expr] = {"period": pl.col("day").dt.truncate(_FIRST[span])}
    keys |= {d: pl.col(d) if d in kept else pl.lit("") for d in DIMENSIONS}
    cells = gather(layout, keys)
    hidden = small_cells(cells, cells.names["period"], smallest)
    out = []
    for start in range(0, cells.names.height, CELLS_AT_ONCE):
        part = _slice(cells, start)
        told = reckon(part, model, policy.estimate.unlike_odds, rng)
        masks = {q: m[start : start + CELLS_AT_ONCE] for q, m in hidden.items()}
        out += _frames(part, told, model.concerns, masks, span, known_at)
    return out


def _slice(cells: Cells, start: int) -> Cells:
    of = slice(start, start + CELLS_AT_ONCE)
    return Cells(
        cells.names[of], cells.in_time[of], cells.late[of], cells.open[of], cells.changed[of],
        cells.noise[of],
    )  # fmt: skip


def _frames(
    cells: Cells, told: Mapping[Quantity, Told], concerns: tuple[Concern, ...],
    hidden: Mapping[Quantity, NDArray[np.bool_]], span: Span, known_at: date,
) -> list[pl.DataFrame]:  # fmt: skip
    begun = cells.names["period"].dt.offset_by(
        {Span.DAY: "1d", Span.MONTH: "1mo", Span.YEAR: "1y"}[span]
    ) > known_at  # fmt: skip
    out = []
    for quantity, number in told.items():
        code, fatal = _standing(cells, concerns, quantity)
        code = np.where((code == "") & begun.to_numpy(), "to_date", code)
        code = np.where(hidden[quantity], "small", code)
        none = hidden[quantity] | fatal
        standing = np.where(
            none, Standing.CANNOT.value,
            np.where((code == "") | (code == "to_date"), Standing.MADE.value,
                     Standing.WIDENED.value),
        )  # fmt: skip
        columns = {
            "value": number.value, "lower": number.lower, "upper": number.upper,
            "later_lower": number.later_lower, "later_upper": number.later_upper,
            "bound_lower": number.bound_lower, "bound_upper": number.bound_upper,
        }  # fmt: skip
        out.append(
            cells.names.with_columns(
                *(
                    pl.Series(name, np.full(len(none), np.nan) if a is None else
                              np.where(none, np.nan, a)).fill_nan(None)
                    for name, a in columns.items()
                ),
                pl.Series("standing", standing), pl.Series("why", code),
                span=pl.lit(span.value), quantity=pl.lit(quantity.value),
                known_at=pl.lit(known_at),
            ).pipe(ESTIMATES.conform)
        )  # fmt: skip
    return out


def _standing(
    cells: Cells, concerns: tuple[Concern, ...], quantity: Quantity
) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """For each cell the gravest concern that touches it, and whether it leaves no number."""
    size = cells.names.height
    code, fatal = np.full(size, "", dtype="<U24"), np.zeros(size, dtype=bool)
    if quantity in _RECORDED:
        return code, fatal
    weight = np.asarray(np.abs(cells.expected).sum(axis=1)).ravel()
    for concern in sorted(concerns, key=lambda c: not c.fatal):
        if quantity in _COUNTED and concern.code in _OF_EXITS:
            continue
        touched = np.asarray(np.abs(cells.expected) @ concern.at).ravel() / np.maximum(weight, 1e-9)
        code = np.where((code == "") & (touched > TOUCHED), concern.code, code)
        if concern.fatal:
            fatal |= touched > FATAL
    return code, fatal
