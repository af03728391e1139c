"""Tables of closed periods for the second method: tallies before it, figures after it.

In: records of one period, one for each count that a stay adds. Out: counts and sums of record
keys by event and cell; FIGURES. Record keys are made of references while their stays are held,
and kept nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.policy import ReleasePolicy
from sojourn.release import store
from sojourn.release.cells import ReleaseTable
from sojourn.release.checks import EVENTS
from sojourn.schemas import FIGURES
from sojourn.vocabulary import Span

Counts = NDArray[np.int64]


def tally(
    table: ReleaseTable, records: pl.DataFrame, key_of: Callable[[bytes], int]
) -> tuple[Counts, Counts]:
    """Counts and sums of record keys, by event and cell."""
    placed = table.place(records)
    shape = (len(EVENTS), table.cells.height)
    events = {event: n for n, event in enumerate(EVENTS)}
    where = (
        placed["event"].replace_strict(events, return_dtype=pl.Int64).to_numpy(),
        placed["cell"].to_numpy(),
    )
    counts, keys = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(counts, where, 1)
    np.add.at(keys, where, np.array([key_of(r) for r in placed["crossing_ref"]], np.int64))
    return counts, keys


def as_figures(
    made: Counts, table: ReleaseTable, span: Span, period: date, vintage: date, release_id: str,
    policy: ReleasePolicy,
) -> pl.DataFrame:  # fmt: skip
    """FIGURES of counts by event and cell; -1 is a cell under the threshold.

    The change of a cell is bounded, so its interval always holds: level 1.
    """
    reach, least = policy.cell_key_reach, policy.cell_key_threshold
    spread = math.sqrt(sum(x * x for x in range(-reach, reach + 1)) / (2 * reach + 1))
    heads = pl.DataFrame({"quantity": EVENTS})
    frame = heads.join(table.cells.drop("cell"), how="cross").with_columns(
        pl.Series("made", made.ravel())
    )
    small = pl.col("made") < 0
    frame = frame.with_columns(
        release_table=pl.lit(table.name), span=pl.lit(span.value), period=pl.lit(period),
        vintage=pl.lit(vintage), value=pl.when(~small).then("made").cast(pl.Float64),
        lower=pl.when(small).then(0.0).otherwise(pl.col("made") - float(reach)),
        upper=pl.when(small).then(float(least + reach - 1)).otherwise(pl.col("made") + reach),
        level=pl.lit(1.0), noise_sd=pl.when(~small).then(pl.lit(spread)), epsilon=pl.lit(0.0),
        method=pl.lit(store.CELL_KEY), release_id=pl.lit(release_id),
    )  # fmt: skip
    return FIGURES.conform(frame)
