"""What estimates are made from, and how it is laid out for reckoning.

In: five tables of counts. Out: ``Evidence``; ``Layout``: strata, months that are over, and rows of
COUNTS with a column for each outcome. Nothing here is about a stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from sojourn.doors import check_table, doors_checked
from sojourn.measure.spans import month_end
from sojourn.schemas import COUNTS, LINKAGE_QUALITY, LISTS, REPORTING, VINTAGES
from sojourn.vocabulary import LinkageCount, Outcome

Array = NDArray[np.float64]

IN_TIME, LATE, OPEN, CHANGED = (
    Outcome.DEPARTED_IN_TIME, Outcome.DEPARTED_LATE, Outcome.NO_DEPARTURE_RECORDED,
    Outcome.STATUS_CHANGED,
)  # fmt: skip
EXPECTED = (IN_TIME, LATE, OPEN, CHANGED)


@dataclass(frozen=True)
class Evidence:
    """Counts alone: COUNTS as known on the day of the question, and what says how sure they are."""

    counts: pl.DataFrame  # COUNTS
    vintages: pl.DataFrame  # VINTAGES
    reporting: pl.DataFrame  # REPORTING
    lists: pl.DataFrame  # LISTS
    linkage: pl.DataFrame  # LINKAGE_QUALITY

    @property
    def judged(self) -> bool:
        """Whether anybody looked how sure linking is. Before, decoys alone are counted."""
        looked = (LinkageCount.ARRIVALS.value, LinkageCount.REENTRIES.value)
        return self.linkage.filter(pl.col("what").is_in(looked)).height > 0

    def check(self) -> None:
        """Raise SchemaError where a table is not what schemas.py says, if doors are checked."""
        if doors_checked():
            for frame, table in (
                (self.counts, COUNTS), (self.vintages, VINTAGES), (self.reporting, REPORTING),
                (self.lists, LISTS), (self.linkage, LINKAGE_QUALITY),
            ):  # fmt: skip
                check_table(frame, table)


@dataclass(frozen=True)
class Layout:
    """Rows of stays whose month is over; ``at`` is stratum x months + month."""

    strata: tuple[str, ...]  # mode/class
    months: tuple[date, ...]  # first days, oldest first
    rows: pl.DataFrame  # day, month, nationality, mode, admission_class, at, outcomes, variances

    @property
    def size(self) -> int:
        return len(self.strata) * len(self.months)

    def ages(self, known_at: date) -> NDArray[np.int64]:
        """Days since each month's end."""
        return np.array([(known_at - month_end(m)).days for m in self.months])

    def spread(self, by_month: Array) -> Array:
        """Something of months, as something of strata and months."""
        return np.tile(by_month, len(self.strata))


def lay_out(counts: pl.DataFrame, known_at: date) -> Layout:
    """COUNTS of stays that were expected to leave, in months that ended before ``known_at``."""
    over = counts.filter(
        pl.col("outcome").is_in([o.value for o in EXPECTED])
        & (pl.col("counts_on").dt.month_end() < known_at)
    ).with_columns(
        month=pl.col("counts_on").dt.truncate("1mo"),
        stratum=pl.concat_str("mode", "admission_class", separator="/"),
    )
    rows = over.group_by(
        pl.col("counts_on").alias("day"), "month", "nationality", "mode", "admission_class",
        "stratum",
    ).agg(
        *(_of(o, "value").alias(o.value) for o in EXPECTED),
        *(_of(o, "noise_variance").alias(f"noise_{o.value}") for o in EXPECTED),
    )  # fmt: skip
    strata = tuple(rows["stratum"].unique().sort().to_list())
    months = tuple(rows["month"].unique().sort().to_list())
    placed = (
        rows.join(_places("stratum", strata), on="stratum")
        .join(_places("month", months), on="month")
        .with_columns(at=pl.col("place") * len(months) + pl.col("place_right"))
        .drop("place", "place_right")
    )
    return Layout(strata, months, placed.sort("day", "nationality", "stratum"))


def _places(name: str, values: Sequence[str] | Sequence[date]) -> pl.DataFrame:
    dtype = pl.Date if name == "month" else pl.String
    named = pl.DataFrame({name: pl.Series(list(values), dtype=dtype)})
    return named.with_row_index("place").cast({"place": pl.Int64})


def _of(outcome: Outcome, what: str) -> pl.Expr:
    return pl.col(what).filter(pl.col("outcome") == outcome.value).sum()


@dataclass(frozen=True)
class Cells:
    """Some cells of one kind, and what of each stratum and month lies in them (cells x at)."""

    names: pl.DataFrame  # one row a cell
    in_time: sparse.csr_matrix
    late: sparse.csr_matrix
    open: sparse.csr_matrix
    changed: sparse.csr_matrix
    noise: Array  # cells x 4: variances of the four, in the order of EXPECTED

    @cached_property
    def expected(self) -> sparse.csr_matrix:
        return self.in_time + self.late + self.open + self.changed

    @cached_property
    def exact(self) -> NDArray[np.bool_]:
        """By cell: whether its counts are without noise."""
        return np.asarray(self.noise.sum(axis=1) == 0)


def gather(layout: Layout, keys: dict[str, pl.Expr]) -> Cells:
    """Rows into cells that are named by ``keys``."""
    keyed = layout.rows.with_columns(**keys)
    names = keyed.select(list(keys)).unique().sort(list(keys))
    placed = keyed.join(names.with_row_index("cell"), on=list(keys), how="left")
    cell, at = placed["cell"].to_numpy(), placed["at"].to_numpy()
    shape = (names.height, layout.size)
    made = [
        sparse.csr_matrix((placed[o.value].to_numpy(), (cell, at)), shape=shape) for o in EXPECTED
    ]
    noise = np.zeros((names.height, len(EXPECTED)))
    for column, o in enumerate(EXPECTED):
        np.add.at(noise[:, column], cell, placed[f"noise_{o.value}"].to_numpy())
    return Cells(names, made[0], made[1], made[2], made[3], noise)
