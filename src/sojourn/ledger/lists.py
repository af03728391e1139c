"""Which lists hold a crossing, counted by month: a border post's, a carrier's, a booking.

In: REPORTS of whole crossings. Out: rows of ``crossing_lists`` and LISTS. Counts stay when their
crossings are past the horizon.
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.differences import add_up, difference, fetch_columns
from sojourn.schemas import LISTS, Evidence

COLUMNS = ("period", "direction", "mode", "in_border", "in_carrier", "booked", "value")
_STORED = pl.Schema(
    {
        "period": pl.Int32, "direction": pl.String, "mode": pl.String, "in_border": pl.Int8,
        "in_carrier": pl.Int8, "booked": pl.Int8, "value": pl.Int64,
    }
)  # fmt: skip


def count_lists(reports: pl.DataFrame) -> pl.DataFrame:
    """How many crossings each combination of lists holds. A crossing's day, direction and mode
    are those of its strongest evidence, as in ``fold``."""
    evidence = pl.col("evidence").cast(pl.String)
    first = (pl.col(n).first() for n in ("local_date", "direction", "mode"))
    crossings = (
        reports.with_columns(
            group=pl.coalesce("merged_into", "crossing_ref"),
            strength=pl.col("evidence").to_physical(),
        )
        .sort(
            ["group", "strength", "event_time", "crossing_ref"],
            descending=[False, True, False, False],
        )
        .group_by("group", maintain_order=True)
        .agg(
            *first,
            in_border=(evidence == Evidence.CROSSED).any(),
            in_carrier=(evidence == Evidence.BOARDED).any(),
            booked=(evidence == Evidence.BOOKED).any(),
        )
    )
    period = pl.col("local_date").dt.month_start().alias("period")
    return (
        crossings.with_columns(period)
        .group_by(COLUMNS[:-1])
        .agg(pl.len().cast(pl.Int64).alias("value"))
    )


def shift_lists(connection: Connection, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Add what changed, ``before`` and ``after`` being REPORTS."""
    add_up(connection, "crossing_lists", difference(count_lists(before), count_lists(after)))


def read_lists(connection: Connection) -> pl.DataFrame:
    """LISTS as kept."""
    names = ", ".join(COLUMNS)
    sql = f"SELECT {names} FROM crossing_lists WHERE value <> 0 ORDER BY {names}"
    found = fetch_columns(connection, sql, _STORED)
    return LISTS.conform(found)
