"""Live totals by day, kept by differences inside the batch's transaction, and told by the outbox.

In: the events of a batch and a connection. Out: rows of ``live_totals`` and one of ``outbox``,
which holds totals alone: nothing of the batch itself.
"""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import projection
from sojourn.ledger.engine import fetch, run, run_many
from sojourn.ledger.fold import build_stays, count_totals

OUTBOX_KEPT = 1_000
OUTBOX_DAYS = 7  # a batch tells of this many days at most, the latest ones


def totals_around(connection: Connection, refs: list[bytes]) -> pl.DataFrame:
    reports = projection.crossings_around(connection, refs)
    statuses = projection.statuses_of(connection, reports["crossing_ref"].to_list())
    return count_totals(build_stays(reports, statuses))


def shift_totals(connection: Connection, before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Add what changed to live_totals; returns the days concerned."""
    changed = (
        pl.concat([before.with_columns(-pl.col("value")), after])
        .group_by("day", "name")
        .agg(pl.col("value").sum())
        .filter(pl.col("value") != 0)
        .with_columns(pl.col("day").cast(pl.String))
        .sort("day", "name")
    )
    run_many(
        connection,
        "INSERT INTO live_totals (day, name, value) VALUES (?, ?, ?) ON CONFLICT (day, name) "
        "DO UPDATE SET value = live_totals.value + excluded.value",
        changed.rows(),
    )
    return changed["day"].unique().sort().to_list()


def tell(connection: Connection, days: list[str], now: datetime) -> None:
    """One outbox row: the totals of the latest days that changed. Nothing of the batch itself."""
    told: dict[str, dict[str, int]] = {}
    for day in days[-OUTBOX_DAYS:]:
        rows = fetch(connection, "SELECT name, value FROM live_totals WHERE day = ?", (day,))
        told[day] = {name: value for name, value in rows}  # noqa: C416
    put_outbox(connection, "totals", told, now)


def put_outbox(
    connection: Connection, kind: str, told: dict[str, dict[str, int]], now: datetime
) -> None:
    payload = json.dumps({"totals": told, "at": now.isoformat()})
    added = fetch(
        connection,
        "INSERT INTO outbox (created_at, kind, payload) VALUES (?, ?, ?) RETURNING id",
        (int(now.timestamp() * 1_000_000), kind, payload),
    )[0][0]
    run(connection, "DELETE FROM outbox WHERE id <= ?", (added - OUTBOX_KEPT,))
