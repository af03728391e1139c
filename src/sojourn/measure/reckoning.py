"""Cells and factors into quantities with their intervals and bounds. Nothing is hidden here.

In: ``Cells``, ``Model``. Out: for each Quantity a ``Told`` (arrays by cell). Confidence intervals
are of what is true of these stays; ``later`` holds what the same procedure will say once the
vintage is final, when more have returned and reports are in. Bounds hold whatever those who never
return do, within policy's odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.bounded import ENDS, interval, interval_from_nought
from sojourn.measure.evidence import Cells
from sojourn.measure.factors import Model
from sojourn.measure.remaining import Split, split, with_chance
from sojourn.vocabulary import Quantity as Of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    value: Array
    lower: Array
    upper: Array
    later_lower: Array
    later_upper: Array
    bound_lower: Array | None = None
    bound_upper: Array | None = None


def reckon(cells: Cells, model: Model, unlike: float, rng: np.random.Generator) -> dict[Of, Told]:
    """Every quantity of every cell. Parts of a cell sum to what was expected."""
    rough = _single(split(cells, model.value))
    chance = _chance_of(cells, model)
    pending = np.maximum(np.asarray(cells.in_time @ model.pending), 0.0)
    truth = with_chance(
        split(cells, model.truth), chance, np.maximum(rough.unrecorded, 0.0), pending,
        cells.noise, rng,
    )  # fmt: skip
    nothing = np.zeros(len(pending))
    later = with_chance(
        split(cells, model.later), nothing, nothing, pending, cells.noise * 0.0, rng
    )
    value, later = _cut(rough), _cut(later)
    bound = model.trend.bound(unlike)
    return _quantities(cells, model, rough, value, truth, later, bound)


def _single(found: Split) -> Split:
    return Split(*(getattr(found, f)[:, 0] for f in Split.__dataclass_fields__))


def _cut(found: Split) -> Split:
    """Nobody is still here less than nought times: what is missing is taken from the unseen."""
    over = np.minimum(found.still_here, 0.0)
    unseen = np.maximum(found.unrecorded + over, 0.0)
    part = np.divide(
        unseen, found.unrecorded, out=np.zeros_like(unseen), where=found.unrecorded > 0
    )
    late = np.maximum(found.late, 0.0)
    left = found.expected - found.in_time - late - found.changed - unseen
    return Split(
        found.expected, found.in_time, late, found.changed, unseen,
        np.maximum(found.late_unrecorded * part, 0.0), np.maximum(left, 0.0),
    )  # fmt: skip


def _chance_of(cells: Cells, model: Model) -> Array:
    """Variance of the unseen given the odds: n (1 - c) / c^2, less what those who returned tell.

    All re-entries together are known to have left, and how many of them unseen; of a cell that
    holds a part of them, a part is known (see docs/explanation/how-honest.md).
    """
    odds, grow = model.value.odds_in, model.value.grow_in
    strata = len(model.exits.strata)
    seen = (cells.in_time + cells.late).multiply((odds * (1 + odds) * grow)[:, 0])
    months = odds.shape[0] // max(strata, 1)
    fold = np.repeat(np.eye(strata), months, axis=0)
    by_stratum, expected = np.asarray(seen @ fold), np.asarray(cells.expected @ fold)
    returned, known = model.exits.returned, np.maximum(model.exits.reentries, 1.0)
    part = np.clip(expected * returned / known, 0.0, 1.0)
    return np.asarray(np.maximum((by_stratum * (1 - returned * part)).sum(axis=1), 0.0))


def _quantities(
    cells: Cells,
    model: Model,
    rough: Split,
    value: Split,
    truth: Split,
    later: Split,
    bound: float,
) -> dict[Of, Told]:
    exact = cells.noise.sum(axis=1) == 0
    size = np.maximum(value.expected, 1e-9)
    recorded = {
        q: np.asarray(m.sum(axis=1)).ravel()
        for q, m in (("late", cells.late), ("open", cells.open), ("all", cells.expected))
    }
    out = {
        Of.EXPECTED_DEPARTURES: _plain(value.expected, truth.expected, later.expected, exact),
        Of.DEPARTED_IN_TIME: _plain(value.in_time, truth.in_time, later.in_time, exact),
        Of.DEPARTED_LATE: _plain(value.late, truth.late, later.late, exact),
        Of.STATUS_CHANGED: _plain(value.changed, truth.changed, later.changed, exact),
    }
    open_noise = 1.96 * np.sqrt(cells.noise[:, 2])
    final_open = later.unrecorded + later.still_here
    low, high = _ends(final_open, recorded["open"])
    out[Of.NO_DEPARTURE_RECORDED] = Told(
        recorded["open"], recorded["open"] - open_noise, recorded["open"] + open_noise, low, high
    )
    naive = recorded["late"] + recorded["open"]
    naive_noise = 1.96 * np.sqrt(cells.noise[:, 1] + cells.noise[:, 2])
    all_ = np.maximum(recorded["all"], 1e-9)
    low, high = _ends((later.late + final_open) / np.maximum(later.expected, 1e-9), naive / all_)
    out[Of.RECORDED_RATE] = Told(
        naive / all_, (naive - naive_noise) / all_, (naive + naive_noise) / all_, low, high
    )
    _modelled(out, cells, model, rough, value, truth, later, bound, exact, size)
    return out


def _modelled(
    out: dict[Of, Told], cells: Cells, model: Model, rough: Split, value: Split, truth: Split,
    later: Split, bound: float, exact: NDArray[np.bool_], size: Array,
) -> None:  # fmt: skip
    """What no record says: left unrecorded, probably still here, the rate."""
    low, high = interval_from_nought(truth.unrecorded, rough.unrecorded)
    later_low, later_high = _ends(later.unrecorded, value.unrecorded)
    others = _others(cells, model, rough)
    most = np.maximum(value.unrecorded + value.still_here, 0.0)
    out[Of.LEFT_UNRECORDED] = Told(
        value.unrecorded, *_whole(low, np.maximum(high, value.unrecorded), exact),
        later_low, later_high,
        np.maximum(np.minimum(low, value.unrecorded) - others * (1 - 1 / bound), 0.0),
        np.maximum(most, high),
    )  # fmt: skip
    low, high = interval_from_nought(truth.still_here, rough.still_here)
    later_low, later_high = _ends(later.still_here, value.still_here)
    more = others * (1 - 1 / bound)
    out[Of.PROBABLY_STILL_HERE] = Told(
        value.still_here, *_whole(np.minimum(low, value.still_here), high, exact),
        later_low, later_high, np.zeros(len(size)), np.minimum(high + more, np.maximum(most, high)),
    )  # fmt: skip
    low, high = interval(truth.overstays, rough.overstays)
    left_late = np.quantile(truth.late + truth.late_unrecorded, ENDS, axis=1)
    base = rough.late + rough.late_unrecorded
    _, held = interval_from_nought(truth.overstays - base[:, None], rough.overstays - base)
    low = np.minimum(np.maximum(low, np.maximum(left_late[0], 0.0)), value.overstays)
    low = np.maximum(low, 0.0)
    high = np.maximum(np.maximum(high, left_late[1]), np.maximum(held + base, value.overstays))
    low, high = _whole(low, high, exact)
    later_low, later_high = _ends(later.rate, value.rate)
    # As if everybody without a record had left, and in time.
    least = np.minimum(np.maximum(np.quantile(truth.late, ENDS[0], axis=1), 0.0), low)
    out[Of.OVERSTAY_RATE] = Told(
        value.rate, low / size, np.minimum(high / size, 1.0), later_low, later_high,
        least / size, np.minimum((high + more) / size, 1.0),
    )  # fmt: skip


def _others(cells: Cells, model: Model, rough: Split) -> Array:
    """Of the unseen, those whose traveller never returned: by what bounds may move."""
    months = model.value.odds_in.shape[0] // max(len(model.exits.strata), 1)
    never = np.repeat(1 - model.exits.returned, months)[:, None]
    factor = model.value.grow_in * model.value.odds_in * never
    return np.asarray(np.maximum(((cells.in_time + cells.late) @ factor)[:, 0], 0.0))


def _plain(value: Array, truth: Array, later: Array, exact: NDArray[np.bool_]) -> Told:
    low, high = interval(truth, value)
    low, high = (np.where(exact, np.maximum(a, 0.0), a) for a in (low, high))
    return Told(value, *_whole(low, high, exact), *_ends(later, value))


def _ends(draws: Array, value: Array) -> tuple[Array, Array]:
    return interval(draws, value)


def _whole(low: Array, high: Array, exact: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Stays are whole: ends are widened to the next number, unless counts are noisy."""
    down, up = np.floor(low + 1e-9), np.ceil(high - 1e-9)
    return np.where(exact, np.minimum(down, low), low), np.where(exact, np.maximum(up, high), high)
