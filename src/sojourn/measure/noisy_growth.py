"""How counts of a month grow from one draw to the next, from released increments alone.

In: ``Steps``: what each draw of each month added, noisy. Out: ``Growth``: by age and event, what a
count stands for once late records are in, as a value and as draws.

Vintages are running sums of increments, so the growth of past months is public. Months are pooled,
weighed by what they held; each grows a little differently, which is added to the error once for
the mean and once for the month it is used on. What no month has been watched through is unknown:
a month that is so young has no estimate. After the last draw nothing more is expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.noisy import EVENTS, Steps

Array = NDArray[np.float64]

LEAST_APART = 0.001  # months' growth is never taken to be more alike (standard deviation)
USUAL_APART = 0.25  # ... of few months: as a share of the growth


@dataclass(frozen=True)
class Growth:
    """``step``: from each age to the next (ages - 1 x EVENTS), its error, whether it is known."""

    step: Array
    error: Array
    known: NDArray[np.bool_]  # ages - 1

    def is_known(self, age: int) -> bool:
        return bool(self.known[age:].all())

    def factor(self, age: int) -> Array:
        """By event: for each that is in by ``age``, how many there will be."""
        return np.asarray(np.prod(1.0 + self.step[age:], axis=0))

    def draws(self, rng: np.random.Generator, draws: int) -> Array:
        """Ages x EVENTS x draws, around the factors; ages share the errors of later steps."""
        noise = rng.standard_normal((*self.step.shape, draws)) * self.error[:, :, None]
        grown = np.maximum(1.0 + self.step[:, :, None] + noise, 0.05)
        later = np.cumprod(grown[::-1], axis=0)[::-1]
        return np.concatenate([later, np.ones((1, len(EVENTS), draws))])


def growth_of(steps: Steps) -> Growth:
    """Pooled over months."""
    ages = steps.added.shape[1]
    there = np.asarray(np.isfinite(steps.added).all(axis=2))  # months x ages
    added = np.where(there[:, :, None], steps.added, 0.0)
    spread = np.where(there[:, :, None], steps.variance, 0.0)
    upto, upto_spread = added.cumsum(axis=1), spread.cumsum(axis=1)
    begun = there.cumsum(axis=1) > 0
    step, error = np.zeros((ages - 1, len(EVENTS))), np.zeros((ages - 1, len(EVENTS)))
    known = np.zeros(ages - 1, dtype=bool)
    for age in range(1, ages):
        # A month first drawn at this age has no step to it.
        months = there[:, age] & begun[:, age - 1]
        base = upto[months, age - 1].sum(axis=0)
        if not months.any() or not (base[0] > 0):
            continue
        known[age - 1] = True
        for event in range(len(EVENTS)):
            step[age - 1, event], error[age - 1, event] = _step(
                added[months, age, event], spread[months, age, event],
                upto[months, age - 1, event], upto_spread[months, age - 1, event],
            )  # fmt: skip
    return Growth(step, error, known)


def _step(new: Array, noise: Array, held: Array, held_noise: Array) -> tuple[float, float]:
    """(growth, its error for a month to come) of one event, over months."""
    base, count = float(held.sum()), len(new)
    if base <= 3.0 * float(np.sqrt(held_noise.sum())):
        # Next to none of this event: what comes in is noise of the next draw, told by itself.
        return 0.0, 0.0
    rate = float(new.sum()) / base
    variance = float(noise.sum() + rate**2 * held_noise.sum()) / base**2
    chance = max(float(new.sum()), 1.0) / base**2
    apart = (USUAL_APART * rate) ** 2
    if count >= 4:
        # How far months lie apart, beyond noise and chance; never less than a little.
        gap = (new - rate * held) ** 2 - noise - rate**2 * held_noise - np.maximum(new, 0.0)
        apart = float(gap.sum()) / max(float((held**2).sum()), 1e-9)
    apart = max(apart, LEAST_APART**2)
    return rate, float(np.sqrt(variance + chance + apart * (1.0 + 1.0 / count)))
