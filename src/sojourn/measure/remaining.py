"""No departure recorded, split into *left unrecorded* and *probably still here*: for cells only.

In: ``Cells`` of counts and ``Factors`` (what a count stands for, as a value and as draws). Out:
``Split``. With E stays expected to leave, C of another status, T and L linked in time and late:

    recorded for good   T' = (T - false) / share in by now, and L' likewise
    left unrecorded     U  = T' odds + L' odds: unseen exits for each that is seen
    probably still here H  = E - C' - T' - L' - U

Given the coverage c, U is negative binomial: exits up to the nth that is seen. Of those who
returned (``Exits.returned``) the exit is certain, so they add no chance of their own. What is
estimated is of these very stays, not of such stays in general. H is what is left over: it can
come out below nought, and is cut there only when it is told, so that sums of cells stay unbiased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.evidence import Cells
from sojourn.measure.leaving_late import MoreLate

Array = NDArray[np.float64]

LARGE = 200.0  # counts of this size scatter as a normal does
NEARLY = 1e-4


@dataclass(frozen=True)
class Factors:
    """By stratum and month (``at``), as values and as draws (at x draws).

    ``grow``: recorded for good, for each that is recorded now. ``false``: false links for each
    stay without a departure. ``odds``: unseen for each seen; ``later``: as they will be estimated.
    """

    grow_in: Array
    grow_late: Array
    grow_changed: Array
    false_in: Array
    false_late: Array
    odds_in: Array
    odds_late: Array
    size: Array  # revision of the number expected

    @property
    def draws(self) -> int:
        return int(self.odds_in.shape[1])


@dataclass(frozen=True)
class Pending:
    """Of what is still to come, by cell: its mean and variance."""

    mean: Array
    variance: Array
    false: Array | None = None  # mean number of false links among what is in

    def less(self, open_: object, false: Array) -> Pending:
        """The same, where ``false`` links for each stay without a departure are in."""
        number = np.asarray(open_ @ false)[:, 0]  # type: ignore[operator]
        return replace(self, false=np.maximum(number, 0.0))

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """How many more come than are expected, and how many fewer of those in are false (Poisson:
        they are few in a small cell).
        """
        come = _chance(self.mean[:, None], self.variance[:, None], shape, rng)
        if self.false is None:
            return come
        return come - _chance(self.false[:, None], self.false[:, None], shape, rng)


def pending_of(linked: object, grow: Array, dispersion: float) -> Pending:
    """Of a count that is in to a share of ``1 / grow``: negative binomial, given what is in.

    Half a stay more than was counted: where none is in yet, one may still come.
    """
    share = 1 / grow
    counted = np.asarray(linked.sum(axis=1)).ravel()  # type: ignore[attr-defined]
    factor = (1 - share) / share
    mean = np.asarray(linked @ factor)  # type: ignore[operator]
    half = 0.5 * np.divide(mean, counted, out=np.full(len(mean), 0.0), where=counted > 0)
    whole = np.maximum(mean + np.maximum(half, 0.0), 0.0)
    spread = np.asarray(linked @ (factor / share)) * dispersion  # type: ignore[operator]
    return Pending(whole, np.maximum(spread + half, 0.0))


@dataclass(frozen=True)
class Split:
    """Cells, or cells x draws; ``still_here`` may be below nought."""

    expected: Array
    in_time: Array
    late: Array
    changed: Array
    unrecorded: Array
    late_unrecorded: Array
    still_here: Array

    @property
    def overstays(self) -> Array:
        return self.still_here + self.late + self.late_unrecorded

    @property
    def late_part(self) -> Array:
        """Of those unseen, the share that left late. Noisy counts may be below nought."""
        return np.clip(np.divide(
            self.late_unrecorded, self.unrecorded, out=np.zeros(self.unrecorded.shape),
            where=np.abs(self.unrecorded) > 1e-9,
        ), 0.0, 1.0)  # fmt: skip

    @property
    def rate(self) -> Array:
        return np.asarray(self.overstays / np.maximum(self.expected, 1e-9))


def split(cells: Cells, factors: Factors) -> Split:
    """The formulas above; factors of one draw (at x 1) give cells x 1."""
    in_time = _right(cells.in_time, cells.open, factors.grow_in, factors.false_in)
    late = _right(cells.late, cells.open, factors.grow_late, factors.false_late)
    unseen_in = _right(
        cells.in_time, cells.open, factors.grow_in * factors.odds_in, factors.false_in
    )
    unseen_late = _right(
        cells.late, cells.open, factors.grow_late * factors.odds_late, factors.false_late
    )
    changed = np.asarray(cells.changed @ factors.grow_changed)
    expected = np.asarray(cells.expected @ factors.size)
    unseen = unseen_in + unseen_late
    return Split(
        expected, in_time, late, changed, unseen, unseen_late,
        expected - changed - in_time - late - unseen,
    )  # fmt: skip


def with_more_late(drawn: Split, cells: Cells, more: MoreLate, rng: np.random.Generator) -> Split:
    """Draws of what will be said once others have left late: whole stays, of those without a
    departure now, and with each of them as many unseen ones as are to be had.
    """
    names = cells.names["nationality"].to_list()
    times = np.vstack([np.broadcast_to(more.of(n), (1, more.each.shape[1])) for n in names])
    mean = np.maximum(np.asarray(cells.expected @ more.each), 0.0) * times
    still = np.maximum(np.asarray(cells.open.sum(axis=1)), 0.0)
    come = np.minimum(rng.poisson(mean).astype(np.float64), np.floor(still))
    kept = cells.expected.maximum(0)
    seen, unseen = (np.asarray(kept @ a) for a in (more.each, more.unseen))
    unseen = come * np.divide(unseen, seen, out=np.zeros_like(seen), where=seen > 1e-12)
    return replace(
        drawn, late=drawn.late + come, unrecorded=drawn.unrecorded + unseen,
        late_unrecorded=drawn.late_unrecorded + unseen,
        still_here=drawn.still_here - come - unseen,
    )  # fmt: skip


def _right(linked: object, open_: object, factor: Array, false: Array) -> Array:
    return np.asarray(linked @ factor - open_ @ (factor * false))  # type: ignore[operator]


@dataclass(frozen=True)
class Luck:
    """What is left to chance in U, by cell."""

    sure: Array  # of U, those known to have left unseen: no chance
    spread: Array  # variance of the others for each of them, given the odds: 1 + odds
    odds: Array  # of an unseen exit, where the stays without a departure came in


def with_chance(
    drawn: Split, luck: Luck | None, pending: Sequence[Pending], noise: Array,
    rng: np.random.Generator,
) -> Split:  # fmt: skip
    """Draws with what coverage leaves to chance, reports to come and noise of the counts.

    ``luck``: of U (None: nothing is left to chance); ``pending``: of T', L', C'; ``noise``:
    variances of the counts themselves (cells x 4). All by cell.
    """
    shape = drawn.unrecorded.shape
    unseen = drawn.unrecorded
    if luck is not None:
        unseen = unseen + _scattered(unseen, luck, rng)
    waiting = [p.draw(shape, rng) for p in pending]
    shaken = rng.standard_normal((4, *shape)) * np.sqrt(noise.T)[:, :, None]
    in_time = drawn.in_time + waiting[0] + shaken[0]
    late = drawn.late + waiting[1] + shaken[1]
    changed = drawn.changed + waiting[2] + shaken[3]
    expected = drawn.expected + shaken.sum(axis=0)
    # Noise in what is linked is noise in what is unseen beside it.
    seen = np.maximum(drawn.in_time + drawn.late, 1.0)
    more = waiting[0] + shaken[0] + waiting[1] + shaken[1]
    unseen = unseen + more * drawn.unrecorded / seen
    return Split(
        expected, in_time, late, changed, unseen, unseen * drawn.late_part,
        expected - changed - in_time - late - unseen,
    )  # fmt: skip


def _scattered(unseen: Array, luck: Luck, rng: np.random.Generator) -> Array:
    """How many more or fewer went unseen than each draw's odds say: of as many as those odds say,
    not the value's, for where none of 200 re-entries was unseen the value says that nobody is.
    Half a seen stay more than there was: where none was seen, all may have gone unseen.
    """
    mean = np.maximum(unseen - luck.sure[:, None], 0.0) + 0.5 * luck.odds[:, None]
    return _chance(mean, mean * luck.spread[:, None], unseen.shape, rng)


def _chance(
    mean: Array, variance: Array, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Draws around nought of a negative binomial's spread: by gamma and Poisson where it is
    wider than a Poisson's, by Poisson where it is one, normal where it is less or numbers are
    large.
    """
    mean, variance = np.broadcast_to(mean, shape), np.broadcast_to(variance, shape)
    out = rng.standard_normal(shape) * np.sqrt(np.maximum(variance, 0.0))
    few = (mean > 1e-6) & (mean < LARGE)
    wide = few & (variance > mean * (1 + NEARLY))
    if wide.any():
        m, v = mean[wide], variance[wide]
        out[wide] = rng.poisson(rng.gamma(m**2 / (v - m), (v - m) / m)) - m
    plain = few & (np.abs(variance - mean) <= mean * NEARLY)
    if plain.any():
        out[plain] = rng.poisson(mean[plain]) - mean[plain]
    return out
