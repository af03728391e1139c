"""Coverage that drifts: by mode, how far each month of arrival lies from all months together.

In: re-entries and those closed (strata x months of arrival), each stratum's share. Out: ``Drift``:
how far a mode's log odds of a seen exit lie from its own mean, as a value and as draws; and what
will be said of them later, the mean's own move included.

A walk about a line over the months, common to the strata of a mode (local level with a fixed
slope, Harvey 1989). How large its steps are, and the line with them, is not known: a grid of sizes,
each weighed by how well re-entries of all modes bear it out (Laplace's approximation: Tierney &
Kadane 1986). *No steps* is one of them. So a drift that is clear is followed; one that is not yet
to be seen widens the interval; and a country that is steady pays little. Months in which nobody
has returned yet are reached by line and walk alone, and are the wider the further off they lie.

What will be said of a month later moves as far as re-entries to come can tell, and no further:
where coverage is steady all of them tell of every month, and the whole level moves; where it walks
little more is learned of months whose travellers are back. Of the last months the model alone
would say how much, and it is not trusted so far: they may move as far as they may be wrong.

Assumes that coverage moves slowly, by modes, not by classes apart; whole lists that get lost are
``exits``' scatter. Large steps are unlikely from the first (``PRIOR``, set by calibration).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import expit, log_expit

Array = NDArray[np.float64]

STEPS = (0.0, 0.02, 0.04, 0.08, 0.16)  # standard deviation of a month's step, in log odds
PRIOR = (0.35, 0.2, 0.25, 0.12, 0.08)
SLOPE = 1.0  # of a line that steps are about: standard deviation, in steps
LEVEL = 1.0  # of a mode, about its strata's shares: standard deviation, in log odds
ROUNDS = 12
USUAL = 0.75  # quantile of months' information: what a month tells once its travellers are back
SURE = 0.75  # of the weight on steps above nought: then a drift is told


@dataclass(frozen=True)
class Walk:
    """A mode's walk, given the size of its steps: normal about ``centre``."""

    centre: Array  # months
    basis: Array  # of the walk: months x innovations
    precision: Array  # of the innovations
    weight: Array  # information by month
    evidence: float  # logarithm of the marginal likelihood
    step: float

    def draw(self, rng: np.random.Generator, level: Array, ahead: int) -> tuple[Array, Array]:
        """Months x draws: the truth, less its level, whose error is the strata's own; and what
        will be said once ``ahead`` more months of re-entries are in, its level included.

        ``level``: of the same draws, how far the mode's level is off, in standard errors.
        """
        draws = len(level)
        root = linalg.cholesky(self.precision, lower=False)
        moves = linalg.solve_triangular(root, rng.standard_normal((len(root), draws)))
        moves = self._with_level(moves, level)
        apart = self.basis @ moves
        learned = self.basis @ self._learned(moves, ahead, rng)
        trust = self._told()[:, None]
        later = self.centre[:, None] + trust * learned + (1 - trust) * apart
        return self._level_taken(apart), later

    def _with_level(self, moves: Array, level: Array) -> Array:
        """The same moves, but that their level is the one which was drawn already."""
        whole = self._held() @ self.basis
        along = linalg.solve(self.precision, whole, assume_a="pos")
        size = np.sqrt(max(float(whole @ along), 1e-30))
        return np.asarray(moves + (along / size)[:, None] * (level - whole @ moves / size))

    def _told(self) -> Array:
        """By month, how much of what it will tell is told: the share of the usual information,
        to the fourth power (set by calibration). Where little is, the model alone would say what
        can be learned.
        """
        usual = float(np.quantile(self.weight, USUAL))
        return np.asarray(np.clip(self.weight / max(usual, 1e-9), 0.0, 1.0) ** 4)

    def _held(self) -> Array:
        """The part of each month in the level."""
        held = self.weight if self.weight.sum() > 0 else np.ones(len(self.weight))
        return np.asarray(held / held.sum())

    def _level_taken(self, apart: Array) -> Array:
        return np.asarray(self.centre[:, None] + apart - self._held() @ apart)

    def _learned(self, moves: Array, ahead: int, rng: np.random.Generator) -> Array:
        """The posterior mean of the innovations (all x draws) once more is in, where ``moves``
        are true: the last months will be as well known as those so many months before are now.
        """
        months, draws = len(self.weight), moves.shape[1]
        basis = _basis(months, months + ahead, self.step)
        now, later = (np.pad(self.weight, pad) for pad in ((0, ahead), (ahead, 0)))
        # A history shorter than what is to come: months between are as those before.
        later[months:ahead] = np.quantile(self.weight, USUAL)
        more = np.sqrt(np.maximum(later - now, 0.0))[:, None]
        true = np.vstack([moves, rng.standard_normal((ahead, draws))])
        told = basis.T @ (more * (more * (basis @ true) + rng.standard_normal((len(now), draws))))
        precision = linalg.block_diag(self.precision, np.eye(ahead))
        precision += basis.T @ (more**2 * basis)
        return np.asarray(linalg.solve(precision, told, assume_a="pos")[: len(moves)])


def _basis(months: int, upto: int, step: float) -> Array:
    """A level, a line and a walk over the first ``months`` and those after, ``upto`` in all."""
    when = np.arange(upto) - (months - 1) / 2
    return np.column_stack([np.ones(upto), SLOPE * step * when, step * np.tri(upto)[:, 1:]])


@dataclass(frozen=True)
class Drift:
    """Of each mode, for each size of step."""

    walks: tuple[tuple[Walk, ...], ...]  # sizes x modes
    weights: Array  # of the sizes

    @property
    def clear(self) -> bool:
        return bool(1 - self.weights[0] > SURE)

    @property
    def value(self) -> Array:
        """Modes x months: log odds of a seen exit, less the mode's own."""
        each = np.array([[walk.centre for walk in size] for size in self.walks])
        return np.asarray(np.tensordot(self.weights, each, axes=1))

    def draw(self, rng: np.random.Generator, level: Array, ahead: int) -> tuple[Array, Array]:
        """Modes x months x draws: a size of steps each, and a walk; what is true, its mode's level
        taken, and what will be said once ``ahead`` more months of re-entries are in, with it.

        ``level``: modes x draws, how far each mode's level is off, in standard errors.
        """
        draws = level.shape[1]
        of = np.searchsorted(self.weights.cumsum(), (np.arange(draws) + rng.random()) / draws)
        of = np.minimum(of, len(self.walks) - 1)
        shape = (len(self.walks[0]), len(self.walks[0][0].centre), draws)
        truth, later = np.zeros(shape), np.zeros(shape)
        for size in np.unique(of):
            mine = of == size
            for mode, walk in enumerate(self.walks[size]):
                drawn = walk.draw(rng, level[mode, mine], ahead)
                truth[mode][:, mine], later[mode][:, mine] = drawn
        return truth, later


def find_drift(
    asked: Array, closed: Array, share: Array, scatter: Array, modes: NDArray[np.int64]
) -> Drift:
    """``asked``, ``closed``: re-entries, strata x months of arrival; the others by stratum.

    ``scatter``: overdispersion, by which a month tells less than its number; ``modes``: the place
    of each stratum's mode among the modes.
    """
    level = np.log(share / (1 - share))
    effect = 1.0 + scatter[:, None] * np.maximum(asked - 1.0, 0.0)
    count = int(modes.max()) + 1
    sizes = tuple(
        tuple(
            _walk(asked[modes == m], closed[modes == m], level[modes == m], effect[modes == m], s)
            for m in range(count)
        )
        for s in STEPS
    )
    steady = [walk.centre for walk in sizes[0]]
    sizes = tuple(
        tuple(_less(walk, level) for walk, level in zip(size, steady, strict=True))
        for size in sizes
    )
    told = np.array([sum(walk.evidence for walk in size) for size in sizes])
    weights = np.array(PRIOR) * np.exp(told - told.max())
    return Drift(sizes, weights / weights.sum())


def _less(walk: Walk, level: Array) -> Walk:
    return replace(walk, centre=walk.centre - level)


def _walk(asked: Array, closed: Array, level: Array, effect: Array, step: float) -> Walk:
    """The posterior mode by Newton's method, and the curvature there."""
    months = asked.shape[1]
    basis = _basis(months, months, step)
    prior = np.ones(months + 1)
    prior[0] = 1 / LEVEL**2
    found = np.zeros(months + 1)
    for _ in range(ROUNDS):
        seen = expit(level[:, None] + basis @ found)
        weight = (asked * seen * (1 - seen) / effect).sum(axis=0)
        precision = basis.T @ (weight[:, None] * basis) + np.diag(prior)
        slope = basis.T @ ((closed - asked * seen) / effect).sum(axis=0) - prior * found
        move = linalg.solve(precision, slope, assume_a="pos")
        reach = float(np.abs(basis @ move).max())
        found = found + move / max(reach, 1.0)
        if reach < 1e-4:
            break
    odds = level[:, None] + basis @ found
    fits = (closed * log_expit(odds) + (asked - closed) * log_expit(-odds)) / effect
    volume = 2 * np.log(np.diag(linalg.cholesky(precision))).sum()
    evidence = float(fits.sum() - 0.5 * (prior * found**2).sum() - 0.5 * volume)
    return Walk(basis @ found, basis, precision, weight, evidence, step)
