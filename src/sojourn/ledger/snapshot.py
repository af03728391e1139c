"""The cells that pages read, written by what differs.

In: MEASURES. Out: rows of ``measures``. A ledger that stays open remembers what it wrote last and
writes only cells that are others now; another process that wrote in between is seen by the mark
that each writing leaves, and then everything is written.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import insert_rows, run, run_many
from sojourn.ledger.notes import note, noted
from sojourn.ledger.rows import to_rows
from sojourn.schemas import MEASURES

MARK = "measures_mark"
KEY = tuple(n for n in MEASURES.key if n != "known_at")


@dataclass(frozen=True)
class Written:
    """What is in the table, if ``mark`` is the one that is found there."""

    mark: str
    cells: pl.DataFrame


def nothing_written() -> Written:
    return Written("", MEASURES.empty())


def write(connection: Connection, cells: pl.DataFrame, before: Written) -> tuple[Written, int]:
    """Make the table hold ``cells``; returns what to remember, and how many rows were written."""
    known = before.cells if before.mark and noted(connection, MARK) == before.mark else None
    changed = cells.height if known is None else _write_changes(connection, cells, known)
    if known is None:
        run(connection, "DELETE FROM measures")
        insert_rows(connection, "measures", MEASURES.names, _rows(cells))
    mark = secrets.token_hex(8)
    note(connection, MARK, mark)
    return Written(mark, cells), changed


def _write_changes(connection: Connection, cells: pl.DataFrame, known: pl.DataFrame) -> int:
    fresh = cells.drop("known_at").join(
        known.drop("known_at"), on=[*KEY, "value", "hidden"], how="anti", nulls_equal=True
    )
    gone = known.select(KEY).join(cells.select(KEY), on=KEY, how="anti")
    names = MEASURES.names
    run_many(
        connection,
        f"DELETE FROM measures WHERE {' AND '.join(f'{n} = ?' for n in KEY)}",
        to_rows(gone.with_columns(pl.col("period").cast(pl.String)), KEY),
    )
    day = _day_of(cells)
    run_many(
        connection,
        f"INSERT INTO measures ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET value = excluded.value, "
        "hidden = excluded.hidden, known_at = excluded.known_at",
        _rows(fresh.with_columns(known_at=pl.lit(day, pl.Date))),
    )
    if day != _day_of(known):
        run(connection, "UPDATE measures SET known_at = ?", (str(day),))
    return fresh.height + gone.height


def _day_of(cells: pl.DataFrame) -> date | None:
    found: date | None = cells["known_at"].max()  # type: ignore[assignment]
    return found


def _rows(cells: pl.DataFrame) -> list[tuple[object, ...]]:
    dated = cells.with_columns(pl.col("period", "known_at").cast(pl.String))
    return to_rows(dated, MEASURES.names)
