"""Estimates as they were made, kept: the newest whole, older ones without nationalities.

In: ESTIMATES of one day. Out: rows of ``estimates``. An older day keeps totals, modes and classes:
enough to say how a figure was revised.
"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, insert_rows, run
from sojourn.ledger.rows import to_rows
from sojourn.schemas import ESTIMATES

TEXTS = tuple(n for n, t in ESTIMATES.schema.items() if t != pl.Float64)


def replace_day(connection: Connection, made: pl.DataFrame, known_at: date) -> None:
    """Put ESTIMATES in the place of what was made earlier on that day."""
    run(connection, "DELETE FROM estimates WHERE known_at = ?", (known_at.isoformat(),))
    run(connection, "DELETE FROM estimates WHERE nationality <> '' OR span = 'day'")
    dated = made.with_columns(pl.col("period", "known_at").cast(pl.String))
    insert_rows(connection, "estimates", ESTIMATES.names, to_rows(dated, ESTIMATES.names))


def read_estimates(connection: Connection) -> pl.DataFrame:
    """ESTIMATES of every day that is kept."""
    names = ", ".join(ESTIMATES.names)
    rows = fetch(connection, f"SELECT {names} FROM estimates")
    schema = {n: pl.String if n in TEXTS else pl.Float64 for n in ESTIMATES.names}
    frame = pl.DataFrame([tuple(r) for r in rows], schema=schema, orient="row")
    dated = frame.with_columns(pl.col("period", "known_at").str.to_date())
    return ESTIMATES.conform(dated).sort(ESTIMATES.key)
