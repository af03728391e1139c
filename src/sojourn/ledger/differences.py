"""Counts kept by differences: what is around a change, counted before and after, and added up.

In: a connection inside the transaction that makes the change. Out: rows of counts. So a count is
always what counting everything anew would give, at the price of the change alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import projection
from sojourn.ledger.engine import run_many
from sojourn.ledger.fold import build_stays
from sojourn.ledger.rows import to_rows


@dataclass(frozen=True)
class Around:
    """Every report of the crossings that a change touches, and of those they are linked with."""

    reports: pl.DataFrame
    stays: pl.DataFrame


def look_around(connection: Connection, refs: list[bytes]) -> Around:
    return with_stays(connection, projection.crossings_around(connection, refs))


def with_stays(connection: Connection, reports: pl.DataFrame) -> Around:
    """``reports``: REPORTS, whole crossings."""
    statuses = projection.statuses_of(connection, reports["crossing_ref"].to_list())
    return Around(reports, build_stays(reports, statuses))


def difference(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Two counts of the same columns, the last of which is the number, into what changed."""
    *key, number = after.columns
    return (
        pl.concat([before.with_columns(-pl.col(number)), after])
        .group_by(key)
        .agg(pl.col(number).sum())
        .filter(pl.col(number) != 0)
        .sort(key)
    )


def add_up(connection: Connection, table: str, counts: pl.DataFrame) -> None:
    """Add counts to those in ``table``, which has the same columns and all but the last as key."""
    *key, number = counts.columns
    keys, columns = ", ".join(key), ", ".join(counts.columns)
    marks = ", ".join("?" * len(counts.columns))
    run_many(
        connection,
        f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({keys}) "
        f"DO UPDATE SET {number} = {table}.{number} + excluded.{number}",
        to_rows(counts, counts.columns),
    )


def fetch_columns(connection: Connection, sql: str, stored: pl.Schema) -> pl.DataFrame:
    """A query's rows as a table of the types in which they are stored.

    Column by column, from the driver's own tuples: half a million rows are read while people wait.
    """
    result = connection.exec_driver_sql(sql)
    rows = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    if not rows:
        return pl.DataFrame(schema=stored)
    turned = zip(*rows, strict=True)
    return pl.DataFrame(
        [pl.Series(n, v, dtype=t) for (n, t), v in zip(stored.items(), turned, strict=True)]
    )
