"""Of stays whose permission has ended, those that will yet be recorded as having left late.

In: ``Layout`` (counts by stratum and month), how months' late departures grow (``Development``).
Out: by stratum and month, late departures to come for each stay expected, as draws.

What is to come hangs on how many were expected to leave, not on how many have left late so far
(Bornhuetter & Ferguson 1972): of none so far, some may come, and after one by luck not ten. Each
month's rate is a gamma's, told by its own late departures and pulled to its stratum's, as that is
to the whole country's. Assumes that late departures grow alike in all months.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.development import Development
from sojourn.measure.evidence import EXPECTED, LATE, Layout

Array = NDArray[np.float64]

STRATUM = 2.0  # late departures: for so many the whole country's rate counts in a stratum
MONTH = 4.0  # ... and the stratum's in a month
LEAST = 0.5  # late departures: where none was ever seen, the rate is not nought


def late_to_come(
    layout: Layout, grown: Development, share: Array, rng: np.random.Generator
) -> Array:
    """By at x draws. ``share``: draws of the share of late departures that is in, of the same
    shape; ``grown`` has it as a value. Noisy counts below nought count as nought.
    """
    strata, count = len(layout.strata), len(layout.months)
    late, expected = _by_month(layout, [LATE.value]), _by_month(layout, [o.value for o in EXPECTED])
    watched = np.maximum(expected, 0.0) * grown.share  # stays that were given time to leave late
    late = np.maximum(late, 0.0)
    whole = (late.sum() + LEAST) / max(float(watched.sum()), 1.0)
    shape = (strata, share.shape[1])
    mine = rng.gamma(
        np.broadcast_to((late.sum(axis=1) + STRATUM)[:, None], shape),
        1 / (watched.sum(axis=1) + STRATUM / whole)[:, None],
    )
    mine = np.repeat(np.maximum(mine, 1e-12), count, axis=0)
    each = rng.gamma(
        np.broadcast_to((late.reshape(-1) + MONTH)[:, None], share.shape),
        1 / (watched.reshape(-1)[:, None] + MONTH / mine),
    )
    return np.asarray(each * (1 - share))


def _by_month(layout: Layout, columns: list[str]) -> Array:
    """Sums of ``columns``, strata x months."""
    counts = layout.rows.select(columns).to_numpy().sum(axis=1)
    summed = np.bincount(layout.rows["at"].to_numpy(), weights=counts, minlength=layout.size)
    return np.asarray(summed.reshape(len(layout.strata), len(layout.months)))
