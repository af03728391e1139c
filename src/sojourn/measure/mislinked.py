"""What linking did wrong, by stratum and month: false links, and late ones missed more often.

In: what trials of links told (``corrected.Timed``, in time and late), ``Layout``, randomness. Out:
``Mislinked``. Where nobody tried links out, as in plain simulated countries, and wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.corrected import Timed
from sojourn.measure.estimate import Z95, Estimate
from sojourn.measure.evidence import OPEN, Layout
from sojourn.measure.linkage import DEPENDENCE
from sojourn.measure.linkage import IN_TIME as TIMELY
from sojourn.measure.linkage import LATE as TARDY

Array = NDArray[np.float64]

APART = 2.0  # how alike classes are in whether a false link looks late: next to nothing is known
# Trials of links are drawn anew each time: what they will say a year later errs by itself, with
# twice the data.
ANEW = 1.5**0.5
# Where nobody tried: false links as in 60 plain countries of sojourn.simulate.small, on the mean,
# and twice as unsure as these differ.
NO_GUIDE = {
    TIMELY: Timed(Estimate(1.0, 0.0, 1.0), 0.008, 0.016),
    TARDY: Timed(Estimate(1.0, 0.0, 1.0), 0.002, 0.005),
}


@dataclass(frozen=True)
class Links:
    """False ones for each stay without a departure, in time and late, by at. ``ratio``:
    sensitivity in time over sensitivity late.
    """

    false_in: Array
    false_late: Array
    ratio: Array


@dataclass(frozen=True)
class Mislinked:
    value: Links  # at x 1
    truth: Links  # at x draws
    later: Links


def mislinked(
    timed: Mapping[str, Timed], layout: Layout, odds: Array, draws: int, rng: np.random.Generator
) -> Mislinked:
    """``timed``: by IN_TIME and LATE, empty where no link was tried out; ``odds``: of an unseen
    exit, by at.
    """
    tardy, timely = (timed.get(name, NO_GUIDE[name]) for name in (TARDY, TIMELY))
    ratio, ratio_draws = _late_ratio(tardy, timely, odds, draws, rng)
    in_time, late = (_false(t, draws, rng) for t in (timely, tardy))
    ones = np.ones((layout.size, 1))
    return Mislinked(
        Links(ones * timely.false_each, ones * tardy.false_each, ones * ratio),
        Links(*_apart(layout, in_time, late, rng), ratio_draws),
        Links(ones * _anew(timely, in_time), ones * _anew(tardy, late), ratio_draws),
    )


def _anew(timed: Timed, drawn: Array) -> Array:
    return np.maximum(timed.false_each + (drawn - timed.false_each) * ANEW, 0.0)


def _late_ratio(
    tardy: Timed, timely: Timed, odds: Array, draws: int, rng: np.random.Generator
) -> tuple[float, Array]:
    """Sensitivity in time over sensitivity late: late leavers' links may be missed more often.

    Where nothing tells of either, up to DEPENDENCE times as often, were all that is unseen
    (``odds``) missed by linking.
    """
    untold = [t.sensitivity.value <= 0.05 or not t.sensitivity.lower for t in (tardy, timely)]
    if any(untold):
        return 1.0, 1 + (DEPENDENCE - 1) * odds * rng.random((1, draws))
    value = timely.sensitivity.value / tardy.sensitivity.value
    error = (tardy.sensitivity.upper - tardy.sensitivity.lower) / (2 * Z95)
    drawn = np.clip(tardy.sensitivity.value + error * rng.standard_normal((1, draws)), 0.05, 1.0)
    return value, np.asarray(timely.sensitivity.value / drawn)


def _false(timed: Timed, draws: int, rng: np.random.Generator) -> Array:
    drawn = timed.false_each + timed.false_error * rng.standard_normal((1, draws))
    return np.asarray(np.maximum(drawn, 0.0))


def _apart(
    layout: Layout, timely: Array, tardy: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """False links by stratum, in time and late. Whether one looks late hangs on how long stays of
    its class may be; the counts say it of all classes together. So each class's share is drawn,
    by whatever mode its stays came, and all shares together are as they were counted.
    """
    whole = timely + tardy
    late = np.clip(tardy / np.maximum(whole, 1e-12), 0.02, 0.98)
    strata, count = len(layout.strata), len(layout.months)
    open_ = np.bincount(
        layout.rows["at"].to_numpy() // count, weights=layout.rows[OPEN.value].to_numpy(),
        minlength=strata,
    )  # fmt: skip
    weight = np.maximum(open_, 0.0)[:, None] / max(float(np.maximum(open_, 0.0).sum()), 1.0)
    names, of_class = np.unique([s.partition("/")[2] for s in layout.strata], return_inverse=True)
    share = rng.beta(APART * late, APART * (1 - late), (len(names), whole.shape[1]))[of_class]
    share = np.clip(share - (weight * share).sum(axis=0) + late, 0.0, 1.0)
    return np.repeat(whole * (1 - share), count, axis=0), np.repeat(whole * share, count, axis=0)
