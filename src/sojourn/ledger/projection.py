"""The present state of reports in the database, changed event by event in bulk.

Runs inside the transaction that appends the events. Events are taken in runs of one kind, so
that their order counts as it does in ``fold.replay``.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, insert_rows, run, run_many
from sojourn.ledger.fold import REPORTS, STATUSES
from sojourn.ledger.rows import from_rows, pack_keys, to_rows
from sojourn.ledger.tables import ATTRIBUTES
from sojourn.schemas import ENCODINGS, EVENTS, Column, EventKind, Evidence, Table

ATTRIBUTE_NAMES = tuple(name for name, _ in ATTRIBUTES)
REPORT_COLUMNS = ("crossing_ref", *ATTRIBUTE_NAMES, "merged_into", "partner_ref")
HELD_COLUMNS = (*REPORT_COLUMNS, "learned_on")
HELD = Table(
    "reports", ENCODINGS.privacy,
    (*ENCODINGS.columns, Column("learned_on", pl.Date, nullable=True)),
)  # fmt: skip
STATUS_COLUMNS = tuple(STATUSES)
_RECORDED = (EventKind.ARRIVAL_RECORDED, EventKind.DEPARTURE_RECORDED)


def apply_events(connection: Connection, events: pl.DataFrame, encodings: pl.DataFrame) -> None:
    """Change reports, match_keys and statuses as ``events`` say; keys come from ``encodings``."""
    # Arrivals and departures are written alike: a run may hold both.
    alike = {EventKind.DEPARTURE_RECORDED.value: EventKind.ARRIVAL_RECORDED.value}
    runs = events["kind"].cast(pl.String).replace(alike).rle_id()
    for part in events.with_columns(runs.alias("run")).partition_by("run", maintain_order=True):
        _apply_run(connection, EventKind(part["kind"][0]), part, encodings)


def _apply_run(
    connection: Connection, kind: EventKind, part: pl.DataFrame, encodings: pl.DataFrame
) -> None:
    refs, others = part["crossing_ref"].to_list(), part["other_ref"].to_list()
    pairs = list(zip(others, refs, strict=True))
    if kind in _RECORDED or kind == EventKind.CROSSING_CORRECTED:
        named = (
            part.select("crossing_ref", learned_on=pl.col("recorded_at").dt.date())
            .join(encodings, on="crossing_ref", how="inner", maintain_order="left")
            .with_columns(pl.when(_more_than_booked()).then("learned_on").alias("learned_on"))
        )
        _write_reports(connection, named, replace=kind == EventKind.CROSSING_CORRECTED)
    elif kind == EventKind.CROSSING_WITHDRAWN:
        run_many(connection, "DELETE FROM reports WHERE crossing_ref = ?", [(r,) for r in refs])
        run_many(connection, "DELETE FROM match_keys WHERE crossing_ref = ?", [(r,) for r in refs])
    elif kind == EventKind.REPORT_MERGED:
        run_many(connection, "UPDATE reports SET merged_into = ? WHERE crossing_ref = ?", pairs)
    elif kind == EventKind.REPORT_SEPARATED:
        single = [(r,) for r in refs]
        run_many(connection, "UPDATE reports SET merged_into = NULL WHERE crossing_ref = ?", single)
    elif kind == EventKind.LINK_ASSERTED:
        both = [*pairs, *zip(refs, others, strict=True)]
        run_many(connection, "UPDATE reports SET partner_ref = ? WHERE crossing_ref = ?", both)
    elif kind == EventKind.LINK_WITHDRAWN:
        both_ends = [(r,) for r in (*refs, *others)]
        run_many(
            connection, "UPDATE reports SET partner_ref = NULL WHERE crossing_ref = ?", both_ends
        )
    elif kind == EventKind.STATUS_CHANGED:
        insert_rows(connection, "statuses", STATUS_COLUMNS, to_rows(part, STATUS_COLUMNS))


def _more_than_booked() -> pl.Expr:
    return pl.col("evidence").cast(pl.String) != Evidence.BOOKED


def _write_reports(connection: Connection, reports: pl.DataFrame, *, replace: bool) -> None:
    """``learned_on`` is null for bookings; a correction keeps the day of the first report."""
    columns = ("crossing_ref", *ATTRIBUTE_NAMES, "learned_on")
    rows = to_rows(reports, columns)
    cohort = reports["local_date"].dt.month_start().to_physical().to_list()
    refs = reports["crossing_ref"].to_list()
    keys = list(zip(refs, cohort, pack_keys(reports), strict=True))
    if not replace:
        insert_rows(connection, "reports", columns, rows)
        insert_rows(connection, "match_keys", ("crossing_ref", "cohort", "keys"), keys)
        return
    sets = ", ".join(f"{n} = ?" for n in ATTRIBUTE_NAMES)
    learned = (
        "learned_on = CASE WHEN CAST(? AS INTEGER) IS NULL THEN NULL "
        "ELSE COALESCE(learned_on, CAST(? AS INTEGER)) END"
    )
    run_many(
        connection,
        f"UPDATE reports SET {sets}, {learned} WHERE crossing_ref = ?",
        [(*row[1:], row[-1], row[0]) for row in rows],
    )
    run_many(
        connection,
        "UPDATE match_keys SET cohort = ?, keys = ? WHERE crossing_ref = ?",
        [(c, k, r) for r, c, k in keys],
    )


def mark(connection: Connection, refs: Iterable[bytes]) -> None:
    """Fill the connection's scratch table ``asked`` with references.

    Ask ``FROM asked a CROSS JOIN t WHERE``: SQLite then begins with the few references; left
    to choose it goes through the whole of ``t``.
    """
    tail = " ON COMMIT DROP" if connection.dialect.name == "postgresql" else ""
    binary = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    run(connection, f"CREATE TEMPORARY TABLE IF NOT EXISTS asked (ref {binary} PRIMARY KEY){tail}")
    run(connection, "DELETE FROM asked")
    insert_rows(connection, "asked", ("ref",), [(r,) for r in dict.fromkeys(refs)])


def crossings_around(connection: Connection, refs: Iterable[bytes]) -> pl.DataFrame:
    """REPORTS of every crossing that ``refs`` belong to, and of those they are linked with."""
    groups = together(connection, refs)
    partners = groups["partner_ref"].drop_nulls().to_list()
    return together(connection, [*groups["crossing_ref"].to_list(), *partners])


def together(connection: Connection, refs: Iterable[bytes]) -> pl.DataFrame:
    """REPORTS of every crossing that ``refs`` belong to: those that stand and those merged."""
    mark(connection, refs)
    names = ", ".join(f"r.{n}" for n in HELD_COLUMNS)
    standing = fetch(
        connection,
        "SELECT DISTINCT COALESCE(r.merged_into, r.crossing_ref) FROM asked a "
        "CROSS JOIN reports r WHERE a.ref = r.crossing_ref",
    )
    mark(connection, (row[0] for row in standing))
    rows = fetch(
        connection,
        f"SELECT {names} FROM asked a CROSS JOIN reports r WHERE a.ref = r.crossing_ref "
        f"UNION SELECT {names} FROM asked a CROSS JOIN reports r WHERE a.ref = r.merged_into",
    )
    return as_reports(rows)


def statuses_of(connection: Connection, refs: Iterable[bytes]) -> pl.DataFrame:
    mark(connection, refs)
    names = ", ".join(f"s.{n}" for n in STATUS_COLUMNS)
    rows = fetch(
        connection,
        f"SELECT {names} FROM asked a CROSS JOIN statuses s WHERE a.ref = s.crossing_ref "
        "ORDER BY s.sequence",
    )
    return as_statuses(rows)


def as_reports(rows: list[object]) -> pl.DataFrame:
    return from_rows(rows, HELD_COLUMNS, HELD).select(list(REPORTS))


def as_statuses(rows: list[object]) -> pl.DataFrame:
    return from_rows(rows, STATUS_COLUMNS, EVENTS)
