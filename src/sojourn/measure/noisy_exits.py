"""Exits not seen, from noisy re-entries: how many there are for each that is seen.

In: ``NoisyReentries``, how many stays each stratum has. Out: ``NoisyOdds``: by stratum, the odds of
an unseen exit, and draws of them that hold the noise as well as chance.

As in ``exits``: who arrives again must have left; odds are not seen / (seen + 1); a stratum is
pulled towards its mode, the more, the less its own numbers say. Here they say less, for they are
noisy: the noise's variance is taken from how far strata lie apart, and from how far months do,
before anything is concluded from either. A mode in which noise is most of what there is is blind.

Assumes that exits of those who return are seen as often as those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.exits import LEAST_UNLIKE, MOST_UNLIKE
from sojourn.measure.noisy import NoisyReentries

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

CLEAR = 4.0  # standard deviations of noise: with fewer re-entries a mode is blind
BLIND_UNLIKE = 1.5  # variance of log odds: how unlike a blind mode may be to all
MOST_RETURNED = 0.7
CLEARLY = 2.0  # standard errors by which months must scatter more than noise and chance


@dataclass(frozen=True)
class NoisyOdds:
    """By stratum. Variances are of the odds; a mode's is common to its strata."""

    value: Array
    mode: NDArray[np.int64]
    own_noise: Array
    own_chance: Array  # of the re-entries: of those who returned it is no error
    apart: Array  # of a stratum from its mode, as far as its own numbers do not say
    pull: Array  # share of the value that is the mode's
    mode_noise: Array  # by mode
    mode_chance: Array
    monthly: Array  # by mode: of one month about all
    returned: Array  # by stratum: share of leavers who arrived again
    blind: Flags  # by stratum
    reentries: float

    def draws(self, rng: np.random.Generator, draws: int, months: float) -> Array:
        """Strata x draws, around the value, of the stays of ``months`` months.

        Who returned is known to have left: chance is in the others alone.
        """
        others = 1.0 - self.returned
        by_mode = self.mode_noise + self.mode_chance * _by_mode(others, self.mode) ** 2
        by_mode = by_mode + self.monthly / max(months, 1.0)
        common = rng.standard_normal((len(by_mode), draws)) * np.sqrt(by_mode)[:, None]
        own = self.own_noise + self.own_chance * others**2 + self.apart
        mine = rng.standard_normal((len(self.value), draws)) * np.sqrt(own)[:, None]
        return np.asarray(self.value[:, None] + mine + self.pull[:, None] * common[self.mode])


def _by_mode(by_stratum: Array, mode: NDArray[np.int64]) -> Array:
    return np.bincount(mode, weights=by_stratum) / np.maximum(np.bincount(mode), 1)


def noisy_odds(
    reentries: NoisyReentries, mode: NDArray[np.int64], leavers: Array, held: Flags, least: int,
    months: float,
) -> NoisyOdds:  # fmt: skip
    """``mode``: of each stratum; ``leavers``: recorded exits in ``months`` months, by stratum;
    ``held``: strata that hold clearly more stays than noise: of others re-entries are noise alone;
    ``least``: re-entries without which a mode is blind.
    """
    size = int(mode.max()) + 1
    spread = float(reentries.variance.sum())
    used = held | ~(np.bincount(mode, weights=held, minlength=size) > 0)[mode]
    seen, missed = reentries.seen.sum(axis=0), reentries.not_seen.sum(axis=0)
    count = np.bincount(mode, weights=used, minlength=size)
    closed: Array = np.bincount(mode, weights=seen * used, minlength=size).astype(np.float64)
    opened: Array = np.bincount(mode, weights=missed * used, minlength=size).astype(np.float64)
    noise = spread * count
    blind = (closed + opened < least) | (closed < CLEAR * np.sqrt(noise))
    by_mode = np.where(blind, 0.0, opened / np.maximum(closed + 1.0, 1.0))
    whole = float(opened[~blind].sum() / (closed[~blind].sum() + 1.0)) if (~blind).any() else 0.0
    by_mode = np.maximum(np.where(blind, whole, by_mode), 0.0)
    base = np.maximum(by_mode, 1e-3)
    safe = np.maximum(closed, 1.0)
    mode_noise = np.where(blind, BLIND_UNLIKE * base**2, noise * (1 + base**2) / safe**2)
    mode_chance = np.where(blind, 0.0, base * (1 + base) / safe)
    wild, monthly = _scatter(reentries, mode, used, base, blind)
    # A stratum's own numbers, where they are more than noise.
    told = used & ~blind[mode] & (seen > CLEAR * np.sqrt(spread))
    mine = np.where(told, missed / np.maximum(seen + 1.0, 1.0), 0.0)
    level, bottom = base[mode], np.maximum(seen, 1.0)
    own_noise = wild * spread * (1 + level**2) / bottom**2
    own_chance = wild * level * (1 + level) / bottom
    tau = _unlike(mine, level, own_noise + own_chance, told, blind) * level**2
    weight = np.where(told, tau / (tau + own_noise + own_chance), 0.0)
    return NoisyOdds(
        np.maximum(weight * mine + (1 - weight) * by_mode[mode], 0.0), mode,
        weight**2 * own_noise, weight**2 * own_chance, (1 - weight) ** 2 * tau, 1 - weight,
        wild * mode_noise, wild * mode_chance, monthly,
        _returned(reentries, mode, leavers, closed + opened, by_mode, months), blind[mode],
        float((closed + opened).sum()),
    )  # fmt: skip


def _scatter(
    reentries: NoisyReentries, mode: NDArray[np.int64], used: Flags, base: Array, blind: Flags
) -> tuple[float, Array]:
    """(by how much months scatter more than noise and chance; variance of one month's odds)."""
    size, apart, spare = len(base), 0.0, 0
    usual = np.zeros(size)
    for at in range(size):
        if blind[at]:
            continue
        mine = used & (mode == at)
        seen = reentries.seen[:, mine].sum(axis=1)
        gap = reentries.not_seen[:, mine].sum(axis=1) - base[at] * seen
        noise = reentries.variance * mine.sum() * (1 + base[at] ** 2)
        expected = noise + base[at] * (1 + base[at]) * np.maximum(seen, 0.0)
        apart += float((gap**2 / np.maximum(expected, 1e-9)).sum())
        spare += len(gap) - 1
        mean = max(float(seen.mean()), 1.0) if len(gap) else 1.0
        usual[at] = float(expected.mean()) / mean**2 if len(gap) else 0.0
    if spare < 3 or apart < spare + CLEARLY * np.sqrt(2.0 * spare):
        return 1.0, np.zeros(size)
    wild = apart / spare
    return wild, (wild - 1.0) * usual


def _unlike(mine: Array, level: Array, error: Array, told: Flags, blind: Flags) -> float:
    """Variance of log odds between strata of a mode, by moments, with its own error added."""
    spare = int(told.sum()) - int((~blind).sum())
    if spare < 1:
        return MOST_UNLIKE / 4
    apart = float(((mine - level) ** 2 / error)[told].sum())
    room = float((level**2 / error)[told].sum())
    found = (apart - spare + np.sqrt(2.0 * spare)) / max(room, 1e-9)
    return float(np.clip(found, LEAST_UNLIKE, MOST_UNLIKE))


def _returned(
    reentries: NoisyReentries, mode: NDArray[np.int64], leavers: Array, again: Array,
    by_mode: Array, months: float,
) -> Array:  # fmt: skip
    """Share of leavers who arrived again, by mode: as many re-arrive in a month as will of it."""
    recorded = np.bincount(mode, weights=np.maximum(leavers, 0.0), minlength=len(by_mode))
    left: Array = recorded * (1 + by_mode) / max(months, 1.0)
    came = again / max(len(reentries.months), 1)
    share = np.divide(came, left, out=np.zeros_like(left), where=left > 0)
    return np.asarray(np.clip(share, 0.0, MOST_RETURNED)[mode])
