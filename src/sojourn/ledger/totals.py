"""Live totals by day, kept by differences inside the batch's transaction, and told by the outbox.

In: the events of a batch and a connection. Out: rows of ``live_totals`` and one of ``outbox``,
which holds totals alone: nothing of the batch itself.
"""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.differences import add_up, difference
from sojourn.ledger.engine import fetch, run
from sojourn.ledger.fold import count_totals

OUTBOX_KEPT = 1_000
OUTBOX_DAYS = 7  # a batch tells of this many days at most, the latest ones


def shift_totals(connection: Connection, before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Add what changed to live_totals, both being STAYS; returns the days concerned."""
    changed = difference(count_totals(before), count_totals(after)).with_columns(
        pl.col("day").cast(pl.String)
    )
    add_up(connection, "live_totals", changed)
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
