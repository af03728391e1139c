"""Exits that no record tells, or that linking lost: how many there are for each that is seen.

In: LINKAGE_QUALITY. Out: ``Exits``, by stratum (arrival mode and class), as numbers and as draws.

Who arrives again must have left. Of such stays, the share with a linked departure in between is
coverage times link sensitivity, the product, which is what a correction needs. For each exit that
is seen, (1 - c) / c are not: ``odds``, estimated as open / (closed + 1), which is free of bias
where closed is binomial (Chapman 1951 for the like ratio).

- Small strata are pulled towards their mode, and modes towards the whole, by an empirical-Bayes
  beta-binomial. How unlike strata of a mode are is estimated by moments (Kleinman 1973) with its
  own error added: of two or three strata that look alike one should not learn that all are.
- Months of a mode that scatter more than chance (lists that get lost) show as overdispersion
  between months that follow each other. Each month then has a share of its own, and all months
  together tell less than their number.
- Coverage that drifts is followed from month to month of arrival (``sojourn.measure.drifting``).
- Who returned is known to have left: uncertain are the others alone. ``returned`` is the share
  of ended stays that returned; estimates of a year would be a third too unsure without it.

Assumes that exits of those who return are seen as often as those of the others. Where they are
not: ``sojourn.measure.unlike``. The mode of an unseen exit is not observed: by exit mode there
are bounds only (``bound_exit_mode``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from sojourn.measure.arrived import monthly
from sojourn.measure.drifting import Drift, find_drift
from sojourn.measure.estimate import Estimate
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

HALF = 0.5  # Jeffreys
LEAST_UNLIKE = 0.04  # variance of log odds: strata of a mode are never taken to be more alike
MOST_UNLIKE = 1.5
BETWEEN = 1 / 4  # strata are never taken to be more unlike; nor modes: ...
WEAK = 1.0  # ... so many re-entries the whole's share counts for in a mode
STRENGTH_ERROR = 0.7
MOST_SCATTER = 0.5
FEW = 4.0  # open re-entries of a mode: with fewer their number is no normal matter


@dataclass(frozen=True)
class Exits:
    """Of each stratum, in the order they were asked for."""

    strata: tuple[str, ...]  # mode/class
    mode: NDArray[np.int64]  # of each stratum: its place among the modes
    reentries: Array
    closed: Array
    mode_reentries: Array  # by mode, told by strata that are not asked for as well
    mode_closed: Array
    strength: Array  # so many re-entries the mode's share counts for in a stratum
    odds: Array  # unseen for each that is seen
    returned: Array  # share of ended stays whose traveller returned, and is among ``reentries``
    scatter: Array  # overdispersion between months, 0 to 1; a mode's
    falsely: float  # share of open stays that a false link closes before the next arrival
    borrowed: Flags  # too few re-entries of its own: pulled from the mode
    blind: Flags  # the whole mode has too few
    settled_months: float  # months' worth of re-entries so far
    drift: Drift  # of modes, over the months of arrival

    def share_draws(self, rng: np.random.Generator, draws: int) -> Array:
        """Coverage times sensitivity, strata x draws. A mode's error is common to its strata."""
        opened = self.mode_reentries - self.mode_closed
        shape = (len(self.mode_reentries), draws)
        centre = rng.beta(self.mode_closed[:, None] + HALF, opened[:, None] + HALF, shape)
        pull = self._strengths(rng, draws)
        around = centre[self.mode]
        made = rng.beta(
            self.closed[:, None] + pull * around + 1e-3,
            self._open()[:, None] + pull * (1 - around) + 1e-3,
        )
        return np.clip((made - self.falsely) / (1 - self.falsely), 1e-6, 1.0)

    def _open(self) -> Array:
        return np.maximum(self.reentries - self.closed, 0.0)

    def _strengths(self, rng: np.random.Generator, draws: int) -> Array:
        """How alike strata are is known to a factor of two."""
        return np.asarray(
            self.strength[:, None] * np.exp(STRENGTH_ERROR * rng.standard_normal((1, draws)))
        )

    def later_odds(self, share: Array, months: float, rng: np.random.Generator) -> Array:
        """Odds as they will be estimated when ``months`` more of re-entries are in.

        ``share``: draws of the truth (strata x draws), which the new re-entries follow. Told is
        how strata of a mode move against each other: a drift is common to them, so new months
        tell of old ones as well. How they move together is told by ``drift``.
        """
        growth = months / self.settled_months
        # Where months scatter it is hardly known by how much, and will be said anew: a year more
        # may lie as far off as one month does (without this 85% of finals held for 93 of buses).
        after = spread_shares(share, self.scatter, 1, rng)[:, 0]
        raw = np.clip(after + (1 - after) * self.falsely, 0.0, 1.0)
        more = np.round(self.reentries * growth).astype(np.int64)[:, None]
        new = rng.binomial(more, raw).astype(np.float64)
        draws = share.shape[1]
        every, shut = (np.repeat(a[:, None], draws, axis=1)
                       for a in (self.mode_reentries, self.mode_closed))  # fmt: skip
        np.add.at(every, self.mode, np.repeat(more, draws, axis=1).astype(np.float64))
        np.add.at(shut, self.mode, new)
        centre = (shut / np.maximum(every, 1e-9))[self.mode]
        pull = self._strengths(rng, draws)
        closed = self.closed[:, None] + new + pull * centre
        total = self.reentries[:, None] + more + pull
        return self._against_mode(_odds(closed, total - closed, self.falsely))

    def _against_mode(self, later: Array) -> Array:
        """Without what strata of a mode move together (weighed by information)."""
        base = np.maximum(self.odds, 1e-6)[:, None]
        moved = np.log(np.maximum(later, 1e-6) / base)
        common = self._common(moved)
        # Of a mode of which nearly nobody was unseen one more says all: no walk moves so far.
        few = self.mode_reentries - self.mode_closed < FEW
        common[few] = 0.0
        return np.asarray(base * np.exp(moved - common[self.mode]))

    def level_scores(self, share: Array) -> Array:
        """Modes x draws: of draws of strata's shares, how far off they are together, in standard
        errors (normal scores of their ranks).
        """
        common = self._common(np.log(share / (1 - np.minimum(share, 1 - 1e-9))))
        ranks = common.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        return np.asarray(special.ndtri((ranks + 0.5) / share.shape[1]))

    def _common(self, moved: Array) -> Array:
        """Modes x draws: the mean over each mode's strata, weighed by what they tell."""
        seen = 1 / (1 + np.maximum(self.odds, 1e-6))
        told = self.reentries * seen * (1 - seen)
        together = self.mode[:, None] == np.arange(len(self.mode_reentries))
        share = self.mode_closed / self.mode_reentries
        whole = np.maximum(told @ together, self.mode_reentries * share * (1 - share))
        return np.asarray((told[:, None] * together).T @ moved / np.maximum(whole, 1e-9)[:, None])


def _odds(closed: Array, opened: Array, falsely: float) -> Array:
    """Unseen for each seen, where some of the open ones were closed falsely."""
    raw = 1.0 / (1.0 + np.maximum(opened, 0.0) / (closed + 1.0))
    return np.asarray((1.0 - raw) / np.maximum(raw - falsely, 1e-3))


def spread_shares(share: Array, scatter: Array, months: int, rng: np.random.Generator) -> Array:
    """Each month's own share (strata x months x draws) around the stratum's (strata x draws).

    ``scatter``: by stratum.
    """
    wide = np.repeat(share[:, None, :], months, axis=1)
    wild = scatter > 0
    if wild.any():
        strength = (1.0 / scatter[wild] - 1.0)[:, None, None]
        mine = wide[wild]
        drawn = rng.beta(mine * strength + 1e-3, (1 - mine) * strength + 1e-3)
        wide[wild] = np.clip(drawn, 1e-4, 1.0)
    return wide


def seen_exits(
    linkage: pl.DataFrame, strata: Sequence[str], least: int, falsely: float = 0.0,
    every: pl.DataFrame | None = None,
) -> Exits:  # fmt: skip
    """What LINKAGE_QUALITY says of the exits of each of ``strata`` (mode/class).

    ``least``: re-entries below which a stratum borrows from its mode, and a mode is blind.
    ``every``: the same with re-entries that were left out of ``linkage``.
    ``falsely``: of stays that are open before the next arrival, the share a false link closes.
    """
    named = tuple(strata)
    held = linkage.filter(pl.col("group_kind") == Group.MODE_CLASS.value)
    known = tuple(dict.fromkeys((*named, *sorted(held["group_name"].unique()))))
    asked, closed = (monthly(held, w, known) for w in (What.REENTRIES, What.REENTRIES_CLOSED))
    closed = np.minimum(closed, asked)
    modes = np.array([name.split("/")[0] for name in known])
    scatter = np.zeros(len(known))
    for mode in np.unique(modes):
        scatter[modes == mode] = _scatter(asked[modes == mode], closed[modes == mode])
    total = asked.sum(axis=1)
    # Months that scatter tell less than their number.
    effect = 1.0 + scatter * np.maximum((asked**2).sum(axis=1) / np.maximum(total, 1.0) - 1.0, 0.0)
    told, shut = total / effect, closed.sum(axis=1) / effect
    pull = _pull(told, shut, modes)
    whole = total if every is None else monthly(every, What.REENTRIES, known).sum(axis=1)
    returned = _returned(held, known) * total / np.maximum(whole, 1.0)
    mine = slice(0, len(named))
    prior = (pull.closed / pull.asked)[pull.place] * pull.strength
    odds = _odds(shut + prior, told - shut + pull.strength - prior, falsely)
    share = np.clip((shut + prior) / (told + pull.strength), 1e-4, 1 - 1e-4)
    drift = find_drift(asked, closed, share, scatter, pull.place)
    raw = np.bincount(pull.place, weights=total, minlength=len(pull.asked))
    return Exits(
        named, pull.place[mine], told[mine], shut[mine], pull.asked, pull.closed,
        pull.strength[mine], odds[mine], returned[mine], scatter[mine], falsely,
        (total < least)[mine], (raw < least)[pull.place][mine], _months_in(asked.sum(axis=0)),
        drift,
    )  # fmt: skip


def _months_in(by_month: Array) -> float:
    """Months' worth of re-entries: those of late have mostly not returned yet."""
    active = by_month[by_month > 0]
    if len(active) < 4:
        return max(float(len(active)), 1.0)
    usual = float(np.mean(active[: -(len(active) // 3)]))
    return float(np.clip(active.sum() / usual, 1.0, len(active)))


def _scatter(asked: Array, closed: Array) -> float:
    """Overdispersion of months, pooled over a mode's strata: intraclass correlation by moments, of
    months that follow each other (von Neumann 1941), which a slow drift leaves alone.
    """
    whole = asked.sum(axis=1)
    fit = (closed.sum(axis=1) + HALF) / (whole + 2 * HALF)
    usable = asked >= 5
    pairs = usable[:, 1:] & usable[:, :-1]
    # Strata of whom next to nobody is unseen say little, and say it wildly.
    heavy = (whole * np.minimum(fit, 1 - fit) >= 5) & (pairs.sum(axis=1) >= 2)
    pairs &= heavy[:, None]
    if not pairs.any():
        return 0.0
    each = 1.0 / np.maximum(asked, 1.0)
    chance = (each[:, 1:] + each[:, :-1])[pairs]
    apart = np.diff(closed * each, axis=1) ** 2 / (fit * (1 - fit))[:, None]
    excess = float((apart[pairs] / chance - 1.0).sum())
    # Of scatter that chance could make, nothing is learned.
    if excess <= 2 * np.sqrt(3 * len(chance)):
        return 0.0
    return float(np.clip(excess / (2 / chance - 1.0).sum(), 0.0, MOST_SCATTER))


@dataclass(frozen=True)
class _Pull:
    place: NDArray[np.int64]  # of each stratum: its mode's
    asked: Array  # by mode, as many as the whole lends it included
    closed: Array
    strength: Array  # by stratum


def _pull(told: Array, shut: Array, modes: NDArray[np.str_]) -> _Pull:
    """Modes towards the whole, weakly; how strongly strata are pulled towards their mode."""
    names, place = np.unique(modes, return_inverse=True)
    whole = (shut.sum() + HALF) / (told.sum() + 2 * HALF)
    asked = np.bincount(place, weights=told, minlength=len(names)) + WEAK
    closed = np.bincount(place, weights=shut, minlength=len(names)) + float(WEAK * whole)
    shares = closed / asked
    doubt = np.maximum(shares * (1 - shares), 1e-4)
    apart, spare, room = 0.0, 0, 0.0
    for mode in range(len(names)):
        used = told[(place == mode) & (told > 0)]
        if len(used) < 2:
            continue
        rates = shut[(place == mode) & (told > 0)] / used
        apart += float((used * (rates - shares[mode]) ** 2).sum() / doubt[mode])
        spare += len(used) - 1
        # Strata scatter alike on the scale of log odds: so more, as a share, where half is seen.
        mine = float(used.sum() - (used**2).sum() / used.sum()) - (len(used) - 1)
        room += max(mine, 0.0) * float(doubt[mode])
    unlike = MOST_UNLIKE if spare == 0 else (apart - spare + np.sqrt(2 * spare)) / max(room, 1e-3)
    between = np.minimum(min(max(float(unlike), LEAST_UNLIKE), MOST_UNLIKE) * doubt, BETWEEN)
    strength = (1.0 / between - 1.0)[place]
    return _Pull(place.astype(np.int64), np.asarray(asked), np.asarray(closed), strength)


def _returned(held: pl.DataFrame, strata: Sequence[str]) -> Array:
    again, ended = (
        monthly(held, w, strata).sum(axis=1)
        for w in (What.ARRIVALS_RETURNED_ENDED, What.ARRIVALS_ENDED)
    )
    return np.asarray(np.clip(again / np.maximum(ended, 1.0), 0.0, 0.95))


def bound_exit_mode(seen: float, unseen: float) -> Estimate:
    """Exits by one mode: at least those seen, at most these and every unseen exit.

    The mode of an unseen exit is not observed, so there is no point between: ``value`` is what
    was seen. Assumes nothing (Manski 1990).
    """
    return Estimate(seen, seen, seen + max(unseen, 0.0))
