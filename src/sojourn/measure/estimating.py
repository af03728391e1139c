"""Counts into estimates: what records say, what they cannot say, and how sure either is.

In: ``Evidence`` (five tables of counts), the day of the question, policy, randomness. Out:
ESTIMATES: months and years in total, by mode, by class, by nationality; years by nationality and
class; days in total. The same
evidence, day, policy and generator give the same table. COUNTS may be noisy.

Arrivals and departures, today and this month, are ``nowcast``'s and join the table here; so does
what lists say of crossings (``crossed``). For cells
only, never for a stay. A cell that is too small, or of which too little is known, has no number and
says why. A year that is not over is told to date (``why`` is to_date).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.doors import check_table, doors_checked
from sojourn.measure.crossed import crossed, seen_by_stratum
from sojourn.measure.evidence import Cells, Evidence, Layout, gather, lay_out
from sojourn.measure.factors import Concern, Model, build_model
from sojourn.measure.hiding import DIMENSIONS, small_cells
from sojourn.measure.nowcast import nowcast
from sojourn.measure.reckoning import Told, reckon
from sojourn.measure.spans import LENGTH, first_day
from sojourn.policy import Policy
from sojourn.schemas import ESTIMATES
from sojourn.vocabulary import Quantity, Span, Standing

__all__ = ["Evidence", "estimate", "estimate_cells"]

Array = NDArray[np.float64]

BREAKDOWNS: tuple[tuple[str, ...], ...] = ((), ("nationality",), ("mode",), ("admission_class",))
TOUCHED = 0.02  # of a cell's stays: a concern with less is not told
FATAL = 0.2  # of a cell's stays without a number: then the cell has none
CELLS_AT_ONCE = 2_000
# What needs no estimate of exits not seen.
_RECORDED = (Quantity.NO_DEPARTURE_RECORDED, Quantity.RECORDED_RATE)
_COUNTED = (Quantity.EXPECTED_DEPARTURES, Quantity.DEPARTED_IN_TIME, Quantity.DEPARTED_LATE,
            Quantity.STATUS_CHANGED)  # fmt: skip
_NUMBERS = ("value", "lower", "upper", "later_lower", "later_upper", "bound_lower",
            "bound_upper")  # fmt: skip
_OF_EXITS = ("no_reentries", "few_reentries", "returning_unlike", "coverage_drifts",
             "months_scatter")  # fmt: skip


def estimate(
    evidence: Evidence, known_at: date, policy: Policy, rng: np.random.Generator
) -> pl.DataFrame:
    """ESTIMATES as of the end of ``known_at``. Raises SchemaError where doors are checked."""
    made = estimate_cells(evidence, known_at, policy, rng, smallest=policy.measure.smallest_cell)
    if doors_checked():
        check_table(made, ESTIMATES)
    return made


def estimate_cells(
    evidence: Evidence, known_at: date, policy: Policy, rng: np.random.Generator, *,
    smallest: int, only: Sequence[tuple[Span, tuple[str, ...]]] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The same with a smallest cell of one's own, for simulated countries, where none is hidden.

    ``only``: these kinds of cell, and no nowcast.
    """
    evidence.check()
    parts = [ESTIMATES.empty()] if only else [nowcast(evidence, known_at, policy, smallest)]
    layout = lay_out(evidence.counts, known_at)
    model = None
    if layout.size:
        model = build_model(evidence, layout, known_at, policy.estimate, rng)
        for span, kept in only or _specs(layout):
            parts += _estimate_kind(layout, model, span, kept, known_at, policy, rng, smallest)
    if not only:
        exits = None if model is None else seen_by_stratum(layout, model.exits)
        judged = evidence.judged
        parts.append(
            crossed(evidence.lists, exits, known_at, policy.estimate, rng, smallest, judged=judged)
        )
    return ESTIMATES.conform(pl.concat(parts)).sort(ESTIMATES.key)


def _specs(layout: Layout) -> list[tuple[Span, tuple[str, ...]]]:
    spans = [(span, kept) for span in (Span.YEAR, Span.MONTH) for kept in BREAKDOWNS]
    spans.append((Span.YEAR, ("nationality", "admission_class")))
    # A span's first day alone: then days are not told apart.
    if (layout.rows["day"].dt.day() > 1).any():
        spans.append((Span.DAY, ()))
    return spans


def _estimate_kind(
    layout: Layout, model: Model, span: Span, kept: tuple[str, ...], known_at: date,
    policy: Policy, rng: np.random.Generator, smallest: int,
) -> list[pl.DataFrame]:  # fmt: skip
    begins = policy.estimate.year_begins
    keys: dict[str, pl.Expr] = {"period": first_day(pl.col("day"), span, begins)}
    keys |= {d: pl.col(d) if d in kept else pl.lit("") for d in DIMENSIONS}
    cells = gather(layout, keys)
    hidden = small_cells(cells, span, smallest, begins)
    touched = _touched(cells, model.concerns)
    together = _together(cells, begins, hidden, touched, model.concerns)
    out = []
    for start in range(0, cells.names.height, CELLS_AT_ONCE):
        part, of = _slice(cells, start), slice(start, start + CELLS_AT_ONCE)
        told = reckon(
            part, model, policy.estimate.unlike_odds, together[of], rng, smallest=smallest
        )
        masks = {q: m[of] for q, m in hidden.items()}
        weights = {c: t[of] for c, t in touched.items()}
        out += _frames(part, told, model.concerns, weights, masks, span, known_at)
    return out


def _touched(cells: Cells, concerns: tuple[Concern, ...]) -> dict[int, Array]:
    """For each concern the share of each cell's stays that it is about."""
    weight = np.abs(cells.expected)
    whole = np.maximum(np.asarray(weight.sum(axis=1)).ravel(), 1e-9)
    return {c: np.asarray(weight @ concerns[c].at).ravel() / whole for c in range(len(concerns))}


def _together(
    cells: Cells, begins: int, hidden: Mapping[Quantity, NDArray[np.bool_]],
    touched: Mapping[int, Array], concerns: tuple[Concern, ...],
) -> NDArray[np.int64]:  # fmt: skip
    """By cell a number that months, or nationalities, of a year share; its own where the cell has
    no number. Modes and classes are not alike sure, so they are left alone.
    """
    rate = Quantity.OVERSTAY_RATE
    alike = cells.names.select(
        first_day(pl.col("period"), Span.YEAR, begins), "mode", "admission_class"
    )
    shared = alike.select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy()
    _, fatal = _standing(touched, concerns, rate, cells.names.height)
    alone = np.arange(cells.names.height) + cells.names.height
    return np.where(fatal | hidden[rate], alone, shared).astype(np.int64)


def _slice(cells: Cells, start: int) -> Cells:
    of = slice(start, start + CELLS_AT_ONCE)
    return Cells(
        cells.names[of], cells.in_time[of], cells.late[of], cells.open[of], cells.changed[of],
        cells.noise[of],
    )  # fmt: skip


def _frames(
    cells: Cells, told: Mapping[Quantity, Told], concerns: tuple[Concern, ...],
    touched: Mapping[int, Array],
    hidden: Mapping[Quantity, NDArray[np.bool_]], span: Span, known_at: date,
) -> list[pl.DataFrame]:  # fmt: skip
    size = cells.names.height
    after = cells.names["period"].dt.offset_by(LENGTH[span])
    running = (after > known_at).to_numpy()
    columns: dict[str, list[NDArray[Any]]] = {n: [] for n in ("standing", "why", *_NUMBERS)}
    for quantity, number in told.items():
        code, fatal = _standing(touched, concerns, quantity, size)
        code = np.where((code == "") & running, "to_date", code)
        code = np.where(hidden[quantity], "small", code)
        none = hidden[quantity] | fatal
        fine = (code == "") | (code == "to_date")
        made = np.where(fine, Standing.MADE.value, Standing.WIDENED.value)
        columns["standing"].append(np.where(none, Standing.CANNOT.value, made))
        columns["why"].append(code)
        for name in _NUMBERS:
            found = getattr(number, name)
            columns[name].append(np.full(size, np.nan) if found is None else
                                 np.where(none, np.nan, found))  # fmt: skip
    frame = pl.concat([cells.names] * len(told)).with_columns(
        quantity=pl.Series([q.value for q in told for _ in range(size)], dtype=pl.String),
        span=pl.lit(span.value), known_at=pl.lit(known_at),
        **{n: pl.Series(np.concatenate(a)) for n, a in columns.items()},
    )  # fmt: skip
    return [ESTIMATES.conform(frame.with_columns(pl.col(_NUMBERS).fill_nan(None)))]


def _standing(
    touched: Mapping[int, Array], concerns: tuple[Concern, ...], quantity: Quantity, size: int
) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """For each cell the gravest concern that touches it, and whether it leaves no number.

    ``touched``: for each concern the share of each cell's stays that it is about.
    """
    code, fatal = np.full(size, "", dtype="<U24"), np.zeros(size, dtype=bool)
    if quantity in _RECORDED:
        return code, fatal
    for at, concern in sorted(enumerate(concerns), key=lambda c: not c[1].fatal):
        if quantity in _COUNTED and _of_exits(concern):
            continue
        code = np.where((code == "") & (touched[at] > TOUCHED), concern.code, code)
        if concern.fatal:
            fatal |= touched[at] > FATAL
    return code, fatal


def _of_exits(concern: Concern) -> bool:
    """Whether it leaves what is counted as it is. Links that nobody judged tell of no unseen exit;
    what they closed is counted all the same, though wider.
    """
    return concern.code in _OF_EXITS or (concern.fatal and concern.code == "linking_unjudged")
