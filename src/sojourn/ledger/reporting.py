"""The reporting triangle: how late each source tells of crossings, counted.

In: REPORTS around a change. Out: rows of ``reporting`` and REPORTING. A delay runs from the
event's local day to the day (UTC) on which the ledger learned it as more than a booking; a report
that is corrected keeps the day on which it was first told, one that is withdrawn is taken out.
Days are kept one by one for KEPT_DAYS; older ones are summed under the first of their month.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.differences import add_up, difference, fetch_columns
from sojourn.ledger.engine import run
from sojourn.ledger.notes import note_day, noted_day
from sojourn.schemas import REPORTING

KEPT_DAYS = 500
LONGEST_DELAY = 400  # later than that is counted as that
SUMMED_BEFORE = "reporting_summed_before"
_STORED = pl.Schema(
    {
        "source": pl.String, "direction": pl.String, "event_day": pl.Int32,
        "delay_days": pl.Int32, "records": pl.Int64,
    }
)  # fmt: skip


def count_reporting(reports: pl.DataFrame, summed_before: date | None = None) -> pl.DataFrame:
    """REPORTS into how many each source told so late; event days before ``summed_before`` (the
    first of a month) under the first of their month."""
    day = pl.col("local_date")
    event_day = day
    if summed_before is not None:
        event_day = pl.when(day < summed_before).then(day.dt.month_start()).otherwise(day)
    delay = (pl.col("learned_on") - day).dt.total_days().clip(0, LONGEST_DELAY)
    return (
        reports.filter(pl.col("learned_on").is_not_null())
        .group_by(
            "source",
            "direction",
            event_day.alias("event_day"),
            delay.cast(pl.Int32).alias("delay_days"),
        )
        .agg(pl.len().cast(pl.Int64).alias("records"))
    )


def shift_reporting(connection: Connection, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Add what changed, ``before`` and ``after`` being REPORTS."""
    limit = noted_day(connection, SUMMED_BEFORE)
    counted = count_reporting(before, limit), count_reporting(after, limit)
    add_up(connection, "reporting", difference(*counted))


def sum_old_days(connection: Connection, today: date) -> None:
    """Sum days that are no longer kept one by one. Never goes back, whatever the clock says."""
    limit = (today - timedelta(days=KEPT_DAYS)).replace(day=1)
    before = noted_day(connection, SUMMED_BEFORE)
    if before is not None and limit <= before:
        return
    old = _read(connection).filter(pl.col("event_day") < limit)
    *key, _ = old.columns
    summed = (
        old.with_columns(pl.col("event_day").dt.month_start())
        .group_by(key)
        .agg(pl.col("records").sum())
        .filter(pl.col("records") != 0)
    )
    since_1970 = (limit - date(1970, 1, 1)).days
    run(connection, "DELETE FROM reporting WHERE event_day < ?", (since_1970,))
    add_up(connection, "reporting", summed.sort(key))
    note_day(connection, SUMMED_BEFORE, limit)


def read_reporting(connection: Connection) -> pl.DataFrame:
    """REPORTING as kept."""
    return REPORTING.conform(_read(connection).filter(pl.col("records") != 0))


def _read(connection: Connection) -> pl.DataFrame:
    names = ", ".join(_STORED)
    found = fetch_columns(connection, f"SELECT {names} FROM reporting ORDER BY {names}", _STORED)
    return found.with_columns(pl.col("event_day").cast(pl.Date))
