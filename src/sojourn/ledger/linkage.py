"""Counts of linkage quality, kept: those of decoys add up, the others are made anew.

In: LINKAGE_QUALITY and a connection. Out: rows of ``linkage_quality``. Nothing of anybody.
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, run, run_many
from sojourn.ledger.rows import to_rows
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.vocabulary import LinkageCount

DECOYS = (
    LinkageCount.DECOYS, LinkageCount.DECOYS_LINKED,
    LinkageCount.FAMILY_DECOYS, LinkageCount.FAMILY_DECOYS_LINKED,
)  # fmt: skip


def add_counts(connection: Connection, counts: pl.DataFrame) -> None:
    """Add counts to those that are there."""
    dated = counts.with_columns(pl.col("period").cast(pl.String))
    run_many(
        connection,
        "INSERT INTO linkage_quality (period, group_kind, group_name, what, value) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (period, group_kind, group_name, what) "
        "DO UPDATE SET value = linkage_quality.value + excluded.value",
        to_rows(dated, LINKAGE_QUALITY.names),
    )


def replace_counts(connection: Connection, counts: pl.DataFrame) -> None:
    """Put counts in the place of all that are there but the decoys'."""
    kept = ", ".join("?" * len(DECOYS))
    run(connection, f"DELETE FROM linkage_quality WHERE what NOT IN ({kept})", DECOYS)
    add_counts(connection, counts)


def read_counts(connection: Connection) -> pl.DataFrame:
    """LINKAGE_QUALITY as kept."""
    names = ", ".join(LINKAGE_QUALITY.names)
    rows = fetch(connection, f"SELECT {names} FROM linkage_quality ORDER BY 1, 2, 3, 4")
    schema = {n: pl.Int64 if n == "value" else pl.String for n in LINKAGE_QUALITY.names}
    frame = pl.DataFrame([tuple(r) for r in rows], schema=schema, orient="row")
    return LINKAGE_QUALITY.conform(frame.with_columns(pl.col("period").str.to_date()))
