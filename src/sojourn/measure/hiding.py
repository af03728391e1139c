"""Which estimates are not told, because few stays lie under them.

In: numbers recorded in each cell. Out: for each quantity, a mask of cells. A quantity whose base
in the records is under policy's smallest cell is hidden. Late and no departure recorded are
hidden together where either is small, for their sum shows in the recorded rate; so are in time
and status changed.
Where one cell alone is hidden, among the parts of a total or among the months of a year (the
days of a month), the smallest other goes with it: the total less its parts would give it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.evidence import CHANGED, IN_TIME, LATE, OPEN, Cells
from sojourn.measure.spans import first_day
from sojourn.vocabulary import Quantity as Of
from sojourn.vocabulary import Span

DIMENSIONS = ("nationality", "mode", "admission_class")
_WITHIN = {Span.DAY: Span.MONTH, Span.MONTH: Span.YEAR}  # whose sum could give one part away

Mask = NDArray[np.bool_]
Array = NDArray[np.float64]


def small_cells(cells: Cells, span: Span, smallest: int, year_begins: int = 1) -> Mapping[Of, Mask]:
    """By quantity: where nothing is told."""
    number = {
        o: np.asarray(m.sum(axis=1)).ravel()
        for o, m in (
            (IN_TIME, cells.in_time), (LATE, cells.late), (OPEN, cells.open),
            (CHANGED, cells.changed),
        )
    }  # fmt: skip
    sisters = [_numbered(cells.names, pl.col("period"))]
    told = [d for d in DIMENSIONS if (cells.names[d] != "").any()]
    if len(told) > 1:  # each row and each column of a table has a total of its own
        sisters += [_numbered(cells.names, pl.col("period"), pl.col(d)) for d in told]
    if span in _WITHIN:
        longer = first_day(pl.col("period"), _WITHIN[span], year_begins)
        sisters.append(_numbered(cells.names, longer, *(pl.col(d) for d in DIMENSIONS)))
    few = {o: n < smallest for o, n in number.items()}
    unsettled = few[LATE] | few[OPEN]
    settled = few[IN_TIME] | few[CHANGED]
    naive, rest = number[LATE] + number[OPEN], number[IN_TIME] + number[CHANGED]
    every = naive + rest
    # Expected less the two that are told would be the sum of the two that are not.
    settled, unsettled = settled | (naive < smallest), unsettled | (rest < smallest)
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
    return {q: _with_sisters(mask, size, sisters) for q, (mask, size) in hidden.items()}


def with_smallest(numbers: Mapping[str, int], smallest: int) -> set[str]:
    """Of parts that sum to a total: those under ``smallest``, and where one is alone the next."""
    small = {name for name, number in numbers.items() if number < smallest}
    if len(small) == 1 and len(numbers) > 1:
        small.add(min((n for n in numbers if n not in small), key=lambda n: numbers[n]))
    return small


def _numbered(names: pl.DataFrame, *keys: pl.Expr) -> NDArray[np.int64]:
    """A number for each group of cells that share ``keys``."""
    ranked = names.select(pl.struct(*(k.alias(str(i)) for i, k in enumerate(keys))).rank("dense"))
    return np.asarray(ranked.to_series().cast(pl.Int64).to_numpy())


def _with_sisters(mask: Mask, size: Array, sisters: Sequence[NDArray[np.int64]]) -> Mask:
    """Hide more until no cell is hidden alone in any of its groups."""
    out = mask.copy()
    while True:
        before = int(out.sum())
        for groups in sisters:
            out = _with_sister(out, size, groups)
        if int(out.sum()) == before:
            return out


def _with_sister(mask: Mask, size: Array, groups: NDArray[np.int64]) -> Mask:
    out = mask.copy()
    cells, lone = np.bincount(groups), np.bincount(groups, weights=mask)
    for group in np.flatnonzero((lone == 1) & (cells > 1)):
        shown = np.flatnonzero((groups == group) & ~mask)
        out[shown[np.argmin(size[shown])]] = True
    return out
