"""Cells and factors into quantities with their intervals and bounds. Nothing is hidden here.

In: ``Cells``, ``Model``. Out: for each Quantity a ``Told`` (arrays by cell). Confidence intervals
are of what is true of these stays; ``later`` holds what the same procedure will say once the
vintage is final, when more have returned and reports are in. Bounds hold whatever those who never
return do, within policy's odds.

A cell whose estimate lies below nought is told as nought. What that adds is taken from the other
months or nationalities beside it, each in proportion, so that they sum to their year: cutting each
alone would raise all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from sojourn.measure.bounded import (
    ENDS,
    interval,
    interval_above,
    interval_from_nought,
    interval_later,
    lower_when_told,
    scored,
    whole_ends,
)
from sojourn.measure.estimate import Z95
from sojourn.measure.evidence import Cells
from sojourn.measure.factors import Model
from sojourn.measure.remaining import (
    Luck,
    Pending,
    Split,
    pending_of,
    split,
    with_chance,
    with_more_late,
)
from sojourn.vocabulary import Quantity as Of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Room:
    """By cell: how much lower an estimate could have come out, and it would still be told."""

    open: Array  # stays without a departure
    naive: Array  # these and late ones


@dataclass(frozen=True)
class Reckoned:
    """What the quantities are told from, by cell."""

    cells: Cells
    model: Model
    rough: Split  # as the formulas say, uncut
    value: Split  # none below nought
    truth: Split  # draws of what may be true of these stays
    here: tuple[Array, Array]  # ends of those still here
    room: Room
    unlike: float  # how many times as often those may be unseen who never return


@dataclass(frozen=True)
class Told:
    value: Array
    lower: Array
    upper: Array
    later_lower: Array | None = None
    later_upper: Array | None = None
    bound_lower: Array | None = None
    bound_upper: Array | None = None


def reckon(
    cells: Cells, model: Model, unlike: float, together: NDArray[np.int64],
    rng: np.random.Generator, *, smallest: int = 0,
) -> dict[Of, Told]:  # fmt: skip
    """Every quantity of every cell. Parts of a cell sum to what was expected.

    ``together``: by cell; cells of one number sum to what they sum to before they are cut.
    ``smallest``: what rests on fewer recorded stays will be hidden (``hiding.small_cells``); lower
    ends of what is told allow for that.
    """
    rough = _single(split(cells, model.value))
    luck, pending = _luck_of(cells, model), _pending(cells, model)
    drawn = with_chance(
        split(cells, model.truth), luck, _falsely(cells, model, pending), cells.noise, rng
    )
    truth = _scored(drawn, rough, luck)
    nothing = np.zeros(cells.names.height)
    later = with_chance(
        _split_later(cells, model, rng), None, _pending_later(pending), cells.noise * 0.0, rng
    )
    sums = _sums(together)
    here = interval_from_nought(truth.still_here, rough.still_here)
    value, later = _cut(rough, sums, here[0]), _cut(later, sums, nothing)
    room = _room(cells, smallest, luck)
    told = _quantities(
        Reckoned(cells, model, rough, value, truth, here, room, model.trend.bound(unlike))
    )
    possible = truth.still_here >= 0
    draws = {q: of(later) for q, of in _LATER.items()}
    draws[Of.NO_DEPARTURE_RECORDED] = _without_departure(cells, model, later)
    ends = {
        q: interval_later(draws[q], t.value, possible)
        if q in _CUT else interval(draws[q], t.value)
        for q, t in told.items()
    }  # fmt: skip
    for q in _NEARLY_SURE:
        ends[q] = _around_whole(*ends[q], cells.exact)
    return {q: replace(t, later_lower=ends[q][0], later_upper=ends[q][1]) for q, t in told.items()}


def _pending(cells: Cells, model: Model) -> tuple[Pending, Pending, Pending]:
    """Of T', L' and C': reports to come."""
    return (
        pending_of(cells.in_time, model.value.grow_in[:, 0], model.dispersion),
        pending_of(cells.late, model.value.grow_late[:, 0], 1.0),
        pending_of(cells.changed, model.value.grow_changed[:, 0], 1.0),
    )


def _split_later(cells: Cells, model: Model, rng: np.random.Generator) -> Split:
    drawn = split(cells, model.later)
    return with_more_late(drawn, cells, model.more_late, rng)


def _pending_later(
    pending: tuple[Pending, Pending, Pending],
) -> tuple[Pending, Pending, Pending]:
    """The same of what will be said: late reports are among those who will yet leave late."""
    in_time, late, changed = pending
    nothing = np.zeros_like(late.mean)
    return in_time, Pending(nothing, nothing), changed


def _falsely(
    cells: Cells, model: Model, pending: tuple[Pending, Pending, Pending]
) -> tuple[Pending, Pending, Pending]:
    """With the scatter of false links; later none of them moves."""
    in_time, late, changed = pending
    return (
        in_time.less(cells.open, model.value.false_in),
        late.less(cells.open, model.value.false_late), changed,
    )  # fmt: skip


def _single(found: Split) -> Split:
    return Split(*(getattr(found, f)[:, 0] for f in Split.__dataclass_fields__))


def _sums(together: NDArray[np.int64]) -> sparse.csr_matrix:
    """Cells x numbers: which cells are summed."""
    names, place = np.unique(together, return_inverse=True)
    cells = np.arange(len(together))
    shape = (len(together), len(names))
    return sparse.csr_matrix((np.ones(len(together)), (cells, place)), shape=shape)


def _cut(found: Split, sums: sparse.csr_matrix, least: Array) -> Split:
    """Nobody is still here less than nought times: what is missing is taken from the cells that
    are summed with it, none below ``least``, and then from the unseen.
    """
    shape = found.still_here.shape
    each = found.still_here.reshape(shape[0], -1)
    floor = least[:, None]
    above = np.maximum(each, 0.0)
    want, have = np.maximum(sums.T @ each, 0.0), sums.T @ above
    part = np.divide(want, have, out=np.ones_like(have), where=have > 0)
    here = np.maximum(above * (sums @ part), np.minimum(floor, above)).reshape(shape)
    unseen = np.maximum(found.unrecorded + found.still_here - here, 0.0)
    kept = np.divide(
        unseen, found.unrecorded, out=np.zeros_like(unseen), where=found.unrecorded > 0
    )
    late = np.maximum(found.late, 0.0)
    left = found.expected - found.in_time - late - found.changed - unseen
    return Split(
        found.expected, found.in_time, late, found.changed, unseen,
        np.maximum(found.late_unrecorded * np.minimum(kept, 1.0), 0.0), np.maximum(left, 0.0),
    )  # fmt: skip


def _scored(drawn: Split, rough: Split, luck: Luck) -> Split:
    """Whoever is then not still here has left unseen, late as often as the others unseen."""
    here = scored(drawn.still_here, rough.still_here, luck.odds)
    left = drawn.still_here - here
    return replace(
        drawn, still_here=here, unrecorded=drawn.unrecorded + left,
        late_unrecorded=drawn.late_unrecorded + left * rough.late_part[:, None],
    )  # fmt: skip


def _luck_of(cells: Cells, model: Model) -> Luck:
    """The unseen of each cell are negative binomial, given the odds; but those whose traveller
    returned left for certain.

    All re-entries together are known to have left, and how many of them unseen; of a cell that
    holds a part of them, a part is known (see docs/explanation/how-honest.md).
    """
    odds, grow = model.value.odds_in, model.value.grow_in
    strata = len(model.exits.strata)
    unseen = (cells.in_time + cells.late).multiply((odds * grow)[:, 0]).tocsr()
    months = odds.shape[0] // max(strata, 1)
    fold = np.repeat(np.eye(strata), months, axis=0)
    by_stratum, expected = np.asarray(unseen @ fold), np.asarray(cells.expected @ fold)
    returned, known = model.exits.returned, np.maximum(model.exits.reentries, 1.0)
    part = np.clip(expected * returned / known, 0.0, 1.0)
    sure = np.asarray((by_stratum * returned * part).sum(axis=1))
    return Luck(sure, 1 + _mean_odds(unseen, odds), _mean_odds(cells.open, odds))


def _mean_odds(weights: sparse.csr_matrix, odds: Array) -> Array:
    """By cell. Noisy counts below nought weigh nothing: a mean lies among what it is of."""
    kept = weights.maximum(0)
    whole = np.asarray(kept.sum(axis=1)).ravel()
    weighed = np.asarray(kept @ odds)[:, 0]
    return np.asarray(np.divide(weighed, whole, out=np.zeros(len(whole)), where=whole > 0))


def _room(cells: Cells, smallest: int, luck: Luck) -> Room:
    """One stay less without a departure is one more that was seen to leave, and with it go the
    odds of another that was not. Infinite where nothing is hidden.
    """
    if smallest <= 0:
        always = np.full(cells.names.height, np.inf)
        return Room(always, always)
    open_, late = (np.asarray(m.sum(axis=1)).ravel() for m in (cells.open, cells.late))
    each = 1 + luck.odds
    return Room((open_ - smallest) * each, (open_ + late - smallest) * each)


def _quantities(of: Reckoned) -> dict[Of, Told]:
    cells, value, truth = of.cells, of.value, of.truth
    late, open_, every = (
        np.asarray(m.sum(axis=1)).ravel() for m in (cells.late, cells.open, cells.expected)
    )
    every = np.maximum(every, 1e-9)
    noise = Z95 * np.sqrt(cells.noise)
    naive_noise = np.hypot(noise[:, 1], noise[:, 2])
    out = {
        Of.EXPECTED_DEPARTURES: _plain(value.expected, truth.expected, cells.exact),
        Of.DEPARTED_IN_TIME: _plain(value.in_time, truth.in_time, cells.exact),
        Of.DEPARTED_LATE: _plain(value.late, truth.late, cells.exact),
        Of.STATUS_CHANGED: _plain(value.changed, truth.changed, cells.exact),
        Of.NO_DEPARTURE_RECORDED: Told(open_, open_ - noise[:, 2], open_ + noise[:, 2]),
        Of.RECORDED_RATE: Told(
            (late + open_) / every, (late + open_ - naive_noise) / every,
            (late + open_ + naive_noise) / every,
        ),
    }  # fmt: skip
    return out | _modelled(of)


def _modelled(of: Reckoned) -> dict[Of, Told]:
    """What no record says: left unrecorded, probably still here, the rate."""
    rough, value, truth, exact = of.rough, of.value, of.truth, of.cells.exact
    size = np.maximum(value.expected, 1e-9)
    more = _others(of.cells, of.model) * (1 - 1 / of.unlike)
    here_low, here_high = of.here
    least_here = lower_when_told(truth.still_here, here_low, of.room.open)
    low, high = interval_from_nought(truth.unrecorded, rough.unrecorded)
    # No more than all without a departure.
    high = np.minimum(high, (truth.unrecorded + truth.still_here).max(axis=1))
    high += here_low - least_here  # who is not here has left
    low, high = np.minimum(low, value.unrecorded), np.maximum(high, value.unrecorded)
    most = np.maximum(value.unrecorded + value.still_here, high)
    unrecorded = Told(
        value.unrecorded, *whole_ends(low, high, value.unrecorded, exact),
        bound_lower=np.maximum(low - more, 0.0), bound_upper=most,
    )  # fmt: skip
    most = np.maximum(value.unrecorded + value.still_here, here_high)
    still_here = Told(
        value.still_here,
        *whole_ends(np.minimum(least_here, value.still_here), here_high, value.still_here, exact),
        bound_lower=np.zeros(len(size)), bound_upper=np.minimum(here_high + more, most),
    )  # fmt: skip
    low, high, least = _overstays(of)
    low, high = whole_ends(low, high, value.overstays, exact)
    rate = Told(
        # Noisy counts may hold more overstays than stays.
        np.minimum(value.rate, 1.0), np.minimum(low / size, 1.0), np.minimum(high / size, 1.0),
        bound_lower=np.minimum(least, low) / size,
        bound_upper=np.minimum((high + more) / size, 1.0),
    )  # fmt: skip
    return {
        Of.LEFT_UNRECORDED: _outside(unrecorded), Of.PROBABLY_STILL_HERE: _outside(still_here),
        Of.OVERSTAY_RATE: _outside(rate),
    }  # fmt: skip


def _overstays(of: Reckoned) -> tuple[Array, Array, Array]:
    """Ends of late and still here together; and what is late whatever is unrecorded.

    Neither part is ever below nought. So together they are never fewer than those surely late:
    the lower end of these, less as many false links as chance may have brought, for each of them
    may look late.
    """
    rough, value, truth = of.rough, of.value, of.truth
    false = np.asarray(of.cells.open @ of.model.value.false_in)[:, 0]
    worst = stats.poisson.ppf(ENDS[1], np.maximum(false, 1e-9))
    late = np.quantile(truth.late + truth.late_unrecorded, ENDS, axis=1)
    base = rough.late + rough.late_unrecorded
    surely = np.clip(late[0] - worst, 0.0, np.maximum(base, 0.0))
    low, _ = interval_above(truth.overstays, rough.overstays, surely)
    _, high = interval_above(truth.overstays, rough.overstays, base)
    low = np.maximum(np.minimum(low, value.overstays), 0.0)
    low = np.maximum(lower_when_told(truth.overstays, low, of.room.naive), np.minimum(low, surely))
    high = np.max([high, late[1], value.overstays], axis=0)
    # As if everybody without a record had left, and in time.
    least = np.maximum(np.quantile(truth.late, ENDS[0], axis=1) - worst, 0.0)
    return low, high, least


def _others(cells: Cells, model: Model) -> Array:
    """Of the unseen, those whose traveller never returned: by what bounds may move."""
    months = model.value.odds_in.shape[0] // max(len(model.exits.strata), 1)
    never = np.repeat(1 - model.exits.returned, months)[:, None]
    factor = model.value.grow_in * model.value.odds_in * never
    return np.asarray(np.maximum(((cells.in_time + cells.late) @ factor)[:, 0], 0.0))


def _outside(told: Told) -> Told:
    """Bounds hold the interval, whole stays included."""
    if told.bound_lower is None or told.bound_upper is None:
        return told
    return replace(
        told, bound_lower=np.minimum(told.bound_lower, told.lower),
        bound_upper=np.maximum(told.bound_upper, told.upper),
    )  # fmt: skip


def _plain(value: Array, truth: Array, exact: NDArray[np.bool_]) -> Told:
    low, high = interval(truth, value)
    low, high = (np.where(exact, np.maximum(a, 0.0), a) for a in (low, high))
    return Told(value, *whole_ends(low, high, value, exact))


def _without_departure(cells: Cells, model: Model, later: Split) -> Array:
    """Draws of what will be recorded: false links are no departures missing, they are recorded."""
    factors = model.later
    false = factors.grow_in * factors.false_in + factors.grow_late * factors.false_late
    left = later.unrecorded + later.still_here - np.asarray(cells.open @ false)
    return np.asarray(np.maximum(left, 0.0))


def _around_whole(low: Array, high: Array, exact: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Counts that are all but known: an interval of a part of a stay is told as a whole one."""
    return np.where(exact, np.floor(low), low), np.where(exact, np.ceil(high), high)


_CUT = (Of.PROBABLY_STILL_HERE, Of.OVERSTAY_RATE)
_NEARLY_SURE = (
    Of.DEPARTED_IN_TIME, Of.DEPARTED_LATE, Of.NO_DEPARTURE_RECORDED, Of.LEFT_UNRECORDED
)  # fmt: skip
_LATER: Mapping[Of, Callable[[Split], Array]] = {
    Of.EXPECTED_DEPARTURES: lambda s: s.expected,
    Of.DEPARTED_IN_TIME: lambda s: s.in_time,
    Of.DEPARTED_LATE: lambda s: s.late,
    Of.STATUS_CHANGED: lambda s: s.changed,
    Of.LEFT_UNRECORDED: lambda s: s.unrecorded,
    Of.PROBABLY_STILL_HERE: lambda s: s.still_here,
    Of.OVERSTAY_RATE: lambda s: np.minimum(s.rate, 1.0),
    Of.RECORDED_RATE: lambda s: np.minimum(
        (s.late + s.unrecorded + s.still_here) / np.maximum(s.expected, 1e-9), 1.0
    ),
}
