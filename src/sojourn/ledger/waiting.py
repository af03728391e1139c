"""Status changes that wait for their stay: told before its arrival's record, or of nobody here.

In: STATUS_ENCODINGS. Out: rows of ``waiting_changes`` and WAITING_CHANGES. What waits holds match
keys and no name. It goes when its stay is found, and at its own horizon at the latest: it is of a
stay that was under way on its day, so it need not outlive a stay that was permitted until then.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import projection
from sojourn.ledger.engine import fetch, insert_rows, run, run_many
from sojourn.ledger.rows import from_rows, pack_keys, to_rows, unpack_keys
from sojourn.policy import LedgerPolicy
from sojourn.schemas import EVENTS, WAITING_CHANGES

COLUMNS = (
    "status_ref", "source", "kind", "effective_date", "recorded_at", "nationality", "sex",
    "new_class", "new_authorised_until", "key_epoch", "dies_on",
)  # fmt: skip
TOLD = ("crossing_ref", "local_date", "admission_class", "authorised_until", "status_kind",
        "other_ref")  # fmt: skip
NEVER_FOUND = "status_without_stay"  # for source_quality: waited until its horizon


def dies_on(policy: LedgerPolicy) -> pl.Expr:
    """The first day on which a change of STATUS_ENCODINGS may not wait any more."""
    return pl.col("effective_date").dt.offset_by(f"{policy.horizon_months}mo")


def hold(connection: Connection, changes: pl.DataFrame, policy: LedgerPolicy) -> None:
    """Keep STATUS_ENCODINGS; what waited under the same reference goes."""
    if not changes.height:
        return
    let_go(connection, changes["status_ref"])
    rows = to_rows(changes.with_columns(dies_on=dies_on(policy)), COLUMNS)
    keyed = [(*row, keys) for row, keys in zip(rows, pack_keys(changes), strict=True)]
    insert_rows(connection, "waiting_changes", (*COLUMNS, "keys"), keyed)


def let_go(connection: Connection, refs: pl.Series) -> None:
    """They have found their stay."""
    rows = [(ref,) for ref in refs.to_list()]
    run_many(connection, "DELETE FROM waiting_changes WHERE status_ref = ?", rows)


def read_waiting(connection: Connection) -> pl.DataFrame:
    """WAITING_CHANGES, all."""
    names = ", ".join(COLUMNS)
    rows = fetch(connection, f"SELECT {names}, keys FROM waiting_changes ORDER BY status_ref")
    plain = [tuple(row) for row in rows]
    frame = from_rows(plain, COLUMNS, WAITING_CHANGES, and_blobs=True)
    return WAITING_CHANGES.conform(frame.with_columns(*unpack_keys([row[-1] for row in plain])))


def read_told(connection: Connection, refs: pl.Series) -> pl.DataFrame:
    """TOLD columns of EVENTS: of those of ``refs`` that have a stay, what was told last.

    A change of an arrival that was withdrawn has none any more: told again, it finds one or waits.
    """
    projection.mark(connection, refs.to_list())
    names = ", ".join(f"s.{n}" for n in TOLD)
    rows = fetch(
        connection,
        f"SELECT {names} FROM asked a CROSS JOIN statuses s WHERE s.other_ref = a.ref "
        "AND EXISTS (SELECT 1 FROM reports r WHERE r.crossing_ref = s.crossing_ref) "
        "ORDER BY s.sequence",
    )
    told = from_rows(rows, TOLD, EVENTS)
    return told.unique("other_ref", keep="last", maintain_order=True)


def first_to_go(connection: Connection) -> date | None:
    """The earliest horizon of what waits; None: nothing waits."""
    ((days,),) = fetch(connection, "SELECT MIN(dies_on) FROM waiting_changes")
    return None if days is None else date(1970, 1, 1) + timedelta(days=days)


def expire(connection: Connection, today: date) -> int:
    """Let go of what waited until its horizon, counted for its source; returns how many."""
    days = (today - date(1970, 1, 1)).days
    found = fetch(
        connection,
        "SELECT source, COUNT(*) FROM waiting_changes WHERE dies_on <= ? GROUP BY source",
        (days,),
    )
    run_many(
        connection,
        "INSERT INTO source_quality (source, issue, records) VALUES (?, ?, ?) ON CONFLICT "
        "(source, issue) DO UPDATE SET records = source_quality.records + excluded.records",
        [(source, NEVER_FOUND, records) for source, records in found],
    )
    run(connection, "DELETE FROM waiting_changes WHERE dies_on <= ?", (days,))
    return sum(int(records) for _, records in found)
