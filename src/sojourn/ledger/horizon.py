"""The end of every row: one horizon for all stays alike, matched or not.

In: stays and a day. Out: cells. A stay's horizon is counted from the end of its authorised
period (without one: from the arrival, plus the open-ended period of policy; a departure without
arrival: from the departure; a stay that a death or naturalisation ended: from the day under
which it counts). Past it, its events, reports, keys, links and status changes are deleted in
chunks, each one transaction with the cells that they become, so that a kill leaves nothing half
done; then the file is rewritten, so that no bytes stay behind. Status changes that found no stay
have a horizon of their own (``waiting``).
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, Engine

from sojourn.errors import LedgerError
from sojourn.ledger import projection, vintages, waiting
from sojourn.ledger.counts import DIMENSIONS, UNKNOWN, Outcomes, shift_states
from sojourn.ledger.differences import add_up, with_stays
from sojourn.ledger.engine import fetch, run
from sojourn.ledger.notes import note_day
from sojourn.ledger.statuses import ENDS
from sojourn.ledger.turns import leave_mark
from sojourn.policy import LedgerPolicy
from sojourn.schemas import CLOSED_CELLS, Span, StayLimit

STAYS_AT_ONCE = 5_000
NOTE_SUFFIX = ".note.json"


@dataclass(frozen=True)
class Purged:
    stays: int
    rows: int  # reports deleted
    cells: int
    waited: int = 0  # status changes that waited for a stay until their own horizon
    rewritten: bool = True  # no deleted bytes are left in the database's own files


@dataclass(frozen=True)
class BackupNote:
    """Kept beside a backup: what it holds must be gone from ``destroy_by`` on."""

    created_at: str
    destroy_by: str | None  # None: holds no stay, and no status change that waits for one


def horizon_of(policy: LedgerPolicy) -> pl.Expr:
    """The first day on which a stay of STAYS must be gone."""
    dated = (pl.col("stay_limit") == StayLimit.DATED) & pl.col("authorised_until").is_not_null()
    ended = pl.col("status_kind").cast(pl.String).is_in(ENDS).fill_null(value=False)
    base = (
        pl.when(pl.col("arrival_ref").is_null()).then(pl.col("departure_date"))
        .when(dated | ended).then(pl.col("authorised_until"))
        .otherwise(pl.col("arrival_date").dt.offset_by(f"{policy.open_ended_months}mo"))
    )  # fmt: skip
    return base.dt.offset_by(f"{policy.horizon_months}mo")


def purge(
    engine: Engine,
    stays: Callable[[], pl.DataFrame],
    policy: LedgerPolicy,
    today: date,
    outcomes: Outcomes,
) -> Purged:
    """Fold and destroy. Idempotent; a purge that was cut short goes on at the next."""
    due = stays().filter(horizon_of(policy) <= today)
    rows, cells = 0, 0
    for start in range(0, due.height, STAYS_AT_ONCE):
        part = due.slice(start, STAYS_AT_ONCE)
        counted = _count_cells(outcomes(part, today))
        refs = pl.concat([part["arrival_ref"], part["departure_ref"]]).drop_nulls().to_list()
        with engine.begin() as connection:
            leave_mark(connection)  # first: whoever writes takes it first, so nobody waits in turn
            rows += _destroy_counted(connection, refs, outcomes)
            add_up(connection, "closed_cells", counted)
        cells += counted.height
    with engine.begin() as connection:
        leave_mark(connection)
        rows += _destroy_booked(connection, policy, today)
        waited = waiting.expire(connection, today)
        vintages.bring_to_months(connection, policy, today)
        note_day(connection, "purged_until", today)
        # What a crossing had added to released counts, where its reports were withdrawn.
        days = (today - date(1970, 1, 1)).days
        run(connection, "DELETE FROM contributed WHERE dies_on <= ?", (days,))
    return Purged(due.height, rows, cells, waited, _rewrite(engine))


def _count_cells(stays: pl.DataFrame) -> pl.DataFrame:
    """CLOSED_CELLS: days in total, months by all dimensions. One day's stay of one nationality,
    mode and class would still be somebody's."""
    known = stays.with_columns(pl.col(d).cast(pl.String).fill_null(UNKNOWN) for d in DIMENSIONS)
    days = known.with_columns(pl.lit("").alias(d) for d in DIMENSIONS).with_columns(
        span=pl.lit(Span.DAY.value), period="counts_on"
    )
    months = known.with_columns(
        span=pl.lit(Span.MONTH.value), period=pl.col("counts_on").dt.month_start()
    )
    return (
        pl.concat([days, months])
        .group_by("span", pl.col("period").cast(pl.String), *DIMENSIONS, "outcome")
        .agg(pl.len().cast(pl.Int64).alias("value"))
        .with_columns(pl.col("outcome").cast(pl.String))
        .select(CLOSED_CELLS.names)
        .sort(CLOSED_CELLS.key)
    )


def _destroy_counted(connection: Connection, refs: list[bytes], outcomes: Outcomes) -> int:
    """Destroy, and take out of the counts of stays what was held. How late sources tell and which
    lists hold a crossing are counts of what happened: they stay."""
    projection.mark(connection, refs)
    pointing = fetch(
        connection,
        "SELECT crossing_ref FROM reports WHERE partner_ref IN (SELECT ref FROM asked)",
    )
    asked = [*refs, *(row[0] for row in pointing)]
    before = with_stays(connection, projection.crossings_around(connection, asked))
    rows = _destroy(connection, refs)
    left = projection.together(connection, before.reports["crossing_ref"].to_list())
    shift_states(connection, before.stays, with_stays(connection, left).stays, outcomes)
    return rows


def _destroy(connection: Connection, refs: list[bytes]) -> int:
    """Delete every row about the crossings of ``refs``; returns how many reports went."""
    everyone = projection.together(connection, refs)["crossing_ref"].to_list()
    gone = list(dict.fromkeys([*refs, *everyone]))
    projection.mark(connection, gone)
    for table, column in (
        ("events", "crossing_ref"), ("events", "other_ref"), ("statuses", "crossing_ref"),
        ("match_keys", "crossing_ref"), ("reports", "crossing_ref"),
        ("contributed", "crossing_ref"),
    ):  # fmt: skip
        run(connection, f"DELETE FROM {table} WHERE {column} IN (SELECT ref FROM asked)")
    # A partner that has a later horizon keeps its row, but no way back to this one.
    run(
        connection,
        "UPDATE reports SET partner_ref = NULL WHERE partner_ref IN (SELECT ref FROM asked)",
    )
    projection.mark(connection, [])
    return len(everyone)


def _destroy_booked(connection: Connection, policy: LedgerPolicy, today: date) -> int:
    """Bookings that never became a crossing make no stay: they go by their own day."""
    epoch = date(1970, 1, 1)
    limit = pl.select(pl.lit(today).dt.offset_by(f"-{policy.horizon_months}mo")).item()
    rows = connection.exec_driver_sql(
        "SELECT crossing_ref FROM reports WHERE evidence = 'booked' AND merged_into IS NULL "
        f"AND partner_ref IS NULL AND local_date <= {(limit - epoch).days}"
    ).fetchall()
    alone = [
        ref
        for (ref,) in rows
        if (projection.together(connection, [ref])["evidence"].cast(pl.String) == "booked").all()
    ]
    return _destroy(connection, alone) if alone else 0


def _rewrite(engine: Engine) -> bool:
    """Leave no deleted bytes behind: SQLite's file and log are rewritten, PostgreSQL vacuumed.

    False where another process reads SQLite's file for so long that its log cannot be emptied.

    On PostgreSQL, deleted rows stay in the write-ahead log and in base backups until those are
    recycled: SECURITY.md says how long to keep them.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
            return not busy
        for table in ("events", "reports", "match_keys", "statuses", "contributed",
                      "waiting_changes"):  # fmt: skip
            connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
    return True


def back_up(
    engine: Engine, stays: pl.DataFrame, policy: LedgerPolicy, path: Path, now: datetime
) -> BackupNote:
    """Copy the ledger to ``path`` (mode 0600) with a note of when it must be destroyed."""
    with engine.connect() as connection:
        days = [stays.select(horizon_of(policy).min()).item(), waiting.first_to_go(connection)]
    earliest = min((day for day in days if day is not None), default=None)
    note = BackupNote(now.isoformat(), earliest.isoformat() if earliest else None)
    path.touch(mode=0o600, exist_ok=False)
    if engine.dialect.name == "sqlite":
        source = sqlite3.connect(str(engine.url.database))
        target = sqlite3.connect(path)
        try:
            source.backup(target)
        finally:
            target.close()
            source.close()
    else:
        _dump(engine, path)
    path.with_name(path.name + NOTE_SUFFIX).write_text(json.dumps(asdict(note)), "utf-8")
    return note


def _dump(engine: Engine, path: Path) -> None:
    tool = shutil.which("pg_dump")
    if tool is None:
        raise LedgerError("pg_dump is not on PATH: install PostgreSQL's client programs")
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [tool, "--format=custom", f"--file={path}", f"--dbname={address}"],
        check=False, capture_output=True,
    )  # fmt: skip
    if done.returncode:
        raise LedgerError(f"pg_dump ended with {done.returncode}: is the server's version newer?")


def destroy_expired_backups(folder: Path, today: date) -> list[Path]:
    """Destroy backups in ``folder`` that hold a row past its horizon; returns which."""
    destroyed = []
    for noted in sorted(folder.glob(f"*{NOTE_SUFFIX}")):
        note = BackupNote(**json.loads(noted.read_text("utf-8")))
        if note.destroy_by is not None and date.fromisoformat(note.destroy_by) <= today:
            backup = noted.with_name(noted.name.removesuffix(NOTE_SUFFIX))
            backup.unlink(missing_ok=True)
            noted.unlink()
            destroyed.append(backup)
    return destroyed
