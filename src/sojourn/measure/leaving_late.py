"""Of stays whose permission has ended, those that will yet be recorded as having left late.

In: ``Layout`` (counts by stratum and month), draws of the share of late departures that is in.
Out: ``MoreLate``: late departures to come for each stay expected.

What is to come hangs on how many were expected to leave, and little on how many of the month have
left late so far (Bornhuetter & Ferguson 1972): of none so far, some may come, and after one by
luck not ten. Each month's rate is a gamma's, told by its own late departures and pulled to its
stratum's, as that is to the whole country's; a nationality's is so many times as high. Counts tell
the less the noisier they are. Assumes that late departures grow alike in all months.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.evidence import EXPECTED, LATE, Layout

Array = NDArray[np.float64]

STRATUM = 2.0  # late departures: for so many the whole country's rate counts in a stratum
MONTH = 4.0  # ... the stratum's in a month
NATIONALITY = 2.0  # ... and what all nationalities' rates would make of it in a nationality
LEAST = 0.5  # late departures: where none was ever seen, the rate is not nought
# Where nobody watched months grow: how many days late leavers are late on the mean, between.
DAYS_LATE = (10.0, 90.0)


@dataclass(frozen=True)
class MoreLate:
    each: Array  # at x draws: for each stay expected
    unseen: Array  # ... and of these, who leaves unseen beside them
    times: Mapping[str, Array]  # by nationality: so many times as many (draws)

    def of(self, nationality: str) -> Array | float:
        return self.times.get(nationality, 1.0)


def untold_share(ages: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Array:
    """Months x draws: what is in of late departures, from each month's age alone (days)."""
    low, high = np.log(DAYS_LATE)
    mean = np.exp(rng.uniform(low, high, (1, draws)))
    # Permissions end all over a month, on the mean half of one before its end.
    return np.asarray(1 - np.exp(-(ages[:, None] + 15.0) / mean))


def late_to_come(layout: Layout, share: Array, odds: Array, rng: np.random.Generator) -> MoreLate:
    """``share``: of late departures, what is in; ``odds``: unseen for each seen; at x draws."""
    late, expected = _counts(layout, [LATE.value]), _counts(layout, [o.value for o in EXPECTED])
    noise = _counts(layout, [f"noise_{LATE.value}"])
    watched = np.maximum(expected, 0.0) * share.mean(axis=1)  # given time to leave late
    each = _rates(late, watched, noise, len(layout.strata), share.shape[1], rng)
    told = each.mean(axis=1) * share.mean(axis=1)
    each = each * (1 - share)
    return MoreLate(each, each * odds, _times(layout, told, share.shape[1], rng))


def _rates(
    late: Array, watched: Array, noise: Array, strata: int, draws: int, rng: np.random.Generator
) -> Array:
    """Late departures for each stay that had the time, at x draws."""
    whole = (max(float(late.sum()), 0.0) + LEAST) / max(float(watched.sum()), 1.0)
    mine = _gamma(
        STRATUM, np.full((strata, 1), whole), _by_stratum(late, strata),
        _by_stratum(watched, strata), _by_stratum(noise, strata), draws, rng,
    )  # fmt: skip
    mine = np.repeat(mine, len(late) // max(strata, 1), axis=0)
    return _gamma(MONTH, mine, late, watched, noise, draws, rng)


def _gamma(
    strength: float, rate: Array, late: Array, watched: Array, noise: Array, draws: int,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Rates pulled to ``rate`` (rows x 1, or x draws) by ``strength`` late departures."""
    usual = watched * rate.mean(axis=1)
    trust = (usual + 1e-9) / (usual + 1e-9 + noise)
    shape = np.maximum(strength + trust * late, LEAST)[:, None]
    base = strength / np.maximum(rate, 1e-12) + (trust * watched)[:, None]
    return np.asarray(rng.gamma(np.broadcast_to(shape, (len(late), draws))) / base)


def _by_stratum(counts: Array, strata: int) -> Array:
    return np.asarray(counts.reshape(strata, -1).sum(axis=1))


def _times(layout: Layout, told: Array, draws: int, rng: np.random.Generator) -> dict[str, Array]:
    """``told``: by at, late departures so far for each stay expected."""
    every = pl.sum_horizontal(o.value for o in EXPECTED)
    summed = (
        layout.rows.with_columns(usual=every * told[layout.rows["at"].to_numpy()])
        .group_by("nationality")
        .agg(pl.col("usual", LATE.value, f"noise_{LATE.value}").sum())
        .sort("nationality")
    )
    usual = np.maximum(summed["usual"].to_numpy(), 0.0)
    one = np.ones((summed.height, 1))
    late, noise = (summed[n].to_numpy() for n in (LATE.value, f"noise_{LATE.value}"))
    drawn = _gamma(NATIONALITY, one, late, usual, noise, draws, rng)
    return dict(zip(summed["nationality"].to_list(), drawn, strict=True))


def _counts(layout: Layout, columns: list[str]) -> Array:
    """Sums of ``columns`` by at."""
    counts = layout.rows.select(columns).to_numpy().sum(axis=1)
    at = layout.rows["at"].to_numpy()
    return np.bincount(at, weights=counts, minlength=layout.size).astype(np.float64)
