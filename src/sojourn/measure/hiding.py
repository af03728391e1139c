"""Which estimates are not told, because few stays lie under them.

In: numbers recorded in each cell. Out: for each quantity, a mask of cells. A quantity whose base
in the records is under policy's smallest cell is hidden. Late and no departure recorded are
hidden together where either is small, for their sum shows in the recorded rate; so are in time
and status changed.
Where in a breakdown one cell alone is hidden, the smallest other goes with it: the total less its
parts would give it away.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.evidence import CHANGED, IN_TIME, LATE, OPEN, Cells
from sojourn.vocabulary import Quantity as Of

Mask = NDArray[np.bool_]
Array = NDArray[np.float64]


def small_cells(cells: Cells, periods: pl.Series, smallest: int) -> Mapping[Of, Mask]:
    """By quantity: where nothing is told. ``periods``: of each cell; sisters share one."""
    number = {
        o: np.asarray(m.sum(axis=1)).ravel()
        for o, m in (
            (IN_TIME, cells.in_time), (LATE, cells.late), (OPEN, cells.open),
            (CHANGED, cells.changed),
        )
    }  # fmt: skip
    groups = periods.rank("dense").cast(pl.Int64).to_numpy()
    few = {o: n < smallest for o, n in number.items()}
    unsettled = few[LATE] | few[OPEN]
    settled = few[IN_TIME] | few[CHANGED]
    naive, rest = number[LATE] + number[OPEN], number[IN_TIME] + number[CHANGED]
    every = naive + rest
    hidden = {
        Of.NO_DEPARTURE_RECORDED: (unsettled, number[OPEN]),
        Of.DEPARTED_LATE: (unsettled, number[OPEN]),
        Of.LEFT_UNRECORDED: (unsettled, number[OPEN]),
        Of.PROBABLY_STILL_HERE: (unsettled, number[OPEN]),
        Of.DEPARTED_IN_TIME: (settled, rest),
        Of.STATUS_CHANGED: (settled, rest),
        Of.RECORDED_RATE: ((naive < smallest) | (rest < smallest), naive),
        Of.OVERSTAY_RATE: ((naive < smallest) | (rest < smallest), naive),
        Of.EXPECTED_DEPARTURES: (every < smallest, every),
    }
    return {q: _with_sister(mask, size, groups) for q, (mask, size) in hidden.items()}


def _with_sister(mask: Mask, size: Array, groups: NDArray[np.int64]) -> Mask:
    out = mask.copy()
    for group in np.unique(groups):
        of = np.flatnonzero(groups == group)
        if len(of) > 1 and mask[of].sum() == 1:
            shown = of[~mask[of]]
            out[shown[np.argmin(size[shown])]] = True
    return out
