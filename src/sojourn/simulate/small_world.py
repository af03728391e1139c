"""What a small simulated country is like, for calibration: every knob, and how they are drawn.

In: randomness. Out: ``SmallWorld``. Coverage, delays, sizes and rates vary from country to country
as widely as the published ones do; FY2024 overstay rates of classes (US Entry/Exit Overstay
Report) are the middle of theirs. A ``Kind`` breaks one assumption of the estimator each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MODES = ("air", "land", "sea")
CLASSES = ("VISIT", "STUDY", "WORK", "TRANSIT")
PERMITTED = np.array([90, 180, 270, 3])
MEDIAN_DAYS = np.array([10.0, 90.0, 80.0, 0.6])
NATIONS = 6
SMALL, LARGE = (4_000, 60_000), (100_000, 300_000)  # stays in two and a half years


class Kind(StrEnum):
    """Which assumption is broken."""

    PLAIN = "plain"  # none
    STRAIGHT = "straight"  # none; 5% of air, 40% of land exits unrecorded; large, to see bias
    UNLIKE = "unlike"  # who never returns leaves unseen more often, the more the later he returns
    DRIFT = "drift"  # coverage falls over the years
    STOPS = "stops"  # a source stops
    DELAYS = "delays"  # reports take four times as long of late
    DEPENDENT = "dependent"  # documents and names fail together; late leavers' more often
    BUSES = "buses"  # land exits are recorded bus by bus


@dataclass(frozen=True)
class SmallWorld:
    """Rates by mode and class (arrays 3 x 4) unless said otherwise."""

    kind: Kind
    stays: int  # arrivals in all
    days: int  # on which they arrive
    start: date
    mix: Array  # shares of stays
    coverage: Array  # of exits
    never_left: Array
    left_late: Array
    returns: Array  # share of leavers who come again
    changed: float
    late_days: float  # mean days late, of those who leave late
    delay_days: Array  # by mode: mean
    sensitivity: tuple[float, float]  # by documents, by names
    orphans: float  # departures without a recorded arrival, for each other one
    false_chance: float  # of a link of one of these


def draw_world(kind: Kind, rng: np.random.Generator) -> SmallWorld:
    """A country of a kind."""
    modes = rng.dirichlet(np.array([7.0, 3.0, 1.5]) * 2)
    classes = rng.dirichlet(np.array([12.0, 2.5, 2.0, 1.5]) * 2)
    air, land, sea = rng.uniform(0.90, 0.985), rng.uniform(0.5, 0.8), rng.uniform(0.80, 0.97)
    by_mode = np.array([air, land, sea])
    odds = (by_mode / (1 - by_mode))[:, None] * np.exp(rng.normal(0.0, 0.25, (3, 4)))
    coverage = odds / (1 + odds)
    if kind is Kind.STRAIGHT:
        coverage = np.repeat(np.array([0.95, 0.60, 0.95])[:, None], 4, axis=1)
    overstay = np.array([0.011, 0.026, 0.017, 0.002]) * np.exp(rng.normal(0.0, 0.4))
    late_share = rng.uniform(0.1, 0.4)
    wide = np.ones((3, 1))
    return SmallWorld(
        kind=kind,
        stays=int(np.exp(rng.uniform(*np.log(LARGE if kind is Kind.STRAIGHT else SMALL)))),
        days=912,
        start=date(2023, 1, 1),
        mix=modes[:, None] * classes[None, :],
        coverage=coverage,
        never_left=wide * (overstay * (1 - late_share))[None, :],
        left_late=wide * (overstay * late_share)[None, :],
        returns=np.clip(rng.uniform(0.2, 0.55) + rng.normal(0.0, 0.05, (3, 4)), 0.1, 0.7),
        changed=float(rng.uniform(0.002, 0.02)),
        late_days=float(rng.uniform(15.0, 60.0)),
        delay_days=rng.uniform(0.3, 8.0, 3),
        sensitivity=(float(rng.uniform(0.93, 0.99)), float(rng.uniform(0.90, 0.98))),
        orphans=float(rng.uniform(0.0, 0.04)),
        false_chance=float(rng.uniform(0.0, 0.15)),
    )
