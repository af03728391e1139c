"""A small country at the level of stays, fast, whose truth is known: for calibrating estimates.

In: a ``SmallWorld``, randomness. Out: ``SmallCountry``: arrays with an element a stay, days counted
from the start. No names, no keys, no linking: link errors are drawn. What counts it yields on a
day, and the truth, is ``small_counts``'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.simulate.small_world import (
    CLASSES,
    MEDIAN_DAYS,
    MODES,
    NATIONS,
    PERMITTED,
    Kind,
    SmallWorld,
)

Days = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = 10**6
BUS = 40
DRIFT_ODDS = 1.2  # log odds of coverage lost from the first day to the last
STOP_DAY = 430
SLOW_FROM, SLOW_TIMES = 400, 4.0
UNLIKE_SLOPE = 0.45  # log odds of being seen, lost with each e-fold of days until the return
NEVER_RETURNS = 730.0  # days: where who never returns stands on that line


@dataclass(frozen=True)
class SmallCountry:
    """Stays, one an element. ``seen``: recorded and rightly linked, once it is reported."""

    world: SmallWorld
    nation: Days
    mode: Days
    kind: Days  # class of admission
    arrived: Days
    until: Days
    left: Days  # NEVER: still here
    again: Days  # arrives again; NEVER: not
    changed: Days  # known to be of another status from then on; NEVER: not
    recorded: Flags
    seen: Flags
    by_documents: Flags
    by_names: Flags
    reported: Days  # when the departure is known
    false_on: Days  # a false link closes it with a departure on this day; NEVER: none
    orphans: int

    @property
    def late(self) -> Flags:
        return self.left > self.until


def build_small(world: SmallWorld, rng: np.random.Generator) -> SmallCountry:
    """Draw every stay. The same world and generator give the same country."""
    count = world.stays
    cell = rng.choice(world.mix.size, count, p=world.mix.ravel())
    mode, kind = cell // len(CLASSES), cell % len(CLASSES)
    arrived = np.sort(rng.integers(0, world.days, count))
    until = arrived + PERMITTED[kind]
    left, changed = _leaving(world, mode, kind, arrived, until, rng)
    again = _returning(world, mode, kind, left, changed, rng)
    recorded = _recorded(world, mode, kind, arrived, left, again, rng)
    documents, names = _linked(world, left > until, rng)
    delay = rng.exponential(world.delay_days[mode])
    if world.kind is Kind.DELAYS:
        delay = np.where(left >= SLOW_FROM, delay * SLOW_TIMES, delay)
    reported = np.where(recorded, left + np.floor(delay).astype(np.int64), NEVER)
    seen = recorded & (documents | names)
    seen &= changed == NEVER
    false_on, orphans = _false(world, arrived, seen, changed, recorded, rng)
    return SmallCountry(
        world, rng.choice(NATIONS, count, p=np.array([0.4, 0.25, 0.15, 0.1, 0.07, 0.03])), mode,
        kind, arrived, until, left, again, changed, recorded, seen, documents, names, reported,
        false_on, orphans,
    )  # fmt: skip


def _leaving(
    world: SmallWorld, mode: Days, kind: Days, arrived: Days, until: Days,
    rng: np.random.Generator,
) -> tuple[Days, Days]:  # fmt: skip
    count = len(mode)
    length = MEDIAN_DAYS[kind] * np.exp(rng.normal(0.0, 0.8, count))
    left = arrived + np.minimum(np.floor(length).astype(np.int64), PERMITTED[kind])
    fate = rng.random(count)
    never, late = world.never_left[mode, kind], world.left_late[mode, kind]
    tardy = until + 1 + np.floor(rng.exponential(world.late_days, count)).astype(np.int64)
    left = np.where(fate < never, NEVER, np.where(fate < never + late, tardy, left))
    # Another status: known some days after it began, near the last permitted day.
    turns = rng.random(count) < world.changed
    known = until - rng.integers(0, 15, count)
    known = known + np.floor(rng.exponential(10.0, count)).astype(np.int64)
    changed = np.where(turns, np.maximum(known, arrived), NEVER)
    return np.where(turns, NEVER, left), changed


def _returning(
    world: SmallWorld, mode: Days, kind: Days, left: Days, changed: Days,
    rng: np.random.Generator,
) -> Days:  # fmt: skip
    count = len(mode)
    comes = (rng.random(count) < world.returns[mode, kind]) & (left < NEVER) & (changed == NEVER)
    gap = 1 + np.floor(np.exp(rng.normal(np.log(45.0), 1.0, count))).astype(np.int64)
    return np.asarray(np.where(comes, left + gap, NEVER))


def _recorded(
    world: SmallWorld, mode: Days, kind: Days, arrived: Days, left: Days, again: Days,
    rng: np.random.Generator,
) -> Flags:  # fmt: skip
    chance = world.coverage[mode, kind]
    odds = np.log(chance / (1 - chance))
    if world.kind is Kind.DRIFT:
        odds = odds - DRIFT_ODDS * np.clip(left / world.days, 0.0, 1.0)
    if world.kind is Kind.UNLIKE:
        away = np.where(again < NEVER, np.minimum(again - arrived, NEVER_RETURNS), NEVER_RETURNS)
        odds = odds - UNLIKE_SLOPE * (np.log(np.maximum(away, 1)) - np.log(45.0))
    chance = 1 / (1 + np.exp(-odds))
    luck = rng.random(len(mode))
    if world.kind is Kind.BUSES:
        # Of one day's land exits, forty together are in one list.
        land = np.flatnonzero(mode == MODES.index("land"))
        order = land[np.argsort(left[land], kind="stable")]
        bus = np.arange(len(order)) // BUS
        luck[order] = rng.random(int(bus.max()) + 1 if len(bus) else 1)[bus]
    gone = (left < NEVER) & (luck < chance)
    if world.kind is Kind.STOPS:
        gone &= ~((mode == MODES.index("land")) & (left >= STOP_DAY))
    return np.asarray(gone)


def _linked(world: SmallWorld, late: Flags, rng: np.random.Generator) -> tuple[Flags, Flags]:
    count = len(late)
    by_documents, by_names = world.sensitivity
    first, second = rng.random(count), rng.random(count)
    if world.kind is Kind.DEPENDENT:
        same = rng.random(count) < 0.5
        second = np.where(same, first, second)
        first = np.where(late, first * 0.98 + 0.02, first)
    return first < by_documents, second < by_names


def _false(
    world: SmallWorld, arrived: Days, seen: Flags, changed: Days, recorded: Flags,
    rng: np.random.Generator,
) -> tuple[Days, int]:  # fmt: skip
    """Departures without an arrival of their own close stays that are open."""
    out = np.full(len(seen), NEVER)
    orphans = int(rng.poisson(world.orphans * recorded.sum()))
    wrong = int(rng.binomial(orphans, world.false_chance))
    open_ = np.flatnonzero(~seen & (changed == NEVER))
    taken = rng.choice(open_, min(wrong, len(open_)), replace=False)
    out[taken] = arrived[taken] + np.floor(rng.exponential(60.0, len(taken))).astype(np.int64)
    return out, orphans


def known_by(country: SmallCountry, day: int) -> Flags:
    """Stays that a departure closes, rightly or not, as known at the end of ``day``."""
    return np.asarray((country.seen & (country.reported <= day)) | (country.false_on <= day))
