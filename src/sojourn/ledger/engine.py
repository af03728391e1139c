"""Connections: SQLite and PostgreSQL behind one face, and the schema brought up to date.

In: an address (``sqlite:///...`` or ``postgresql+psycopg://...``). Out: an engine. Python's own
SQLite is the only SQLite library in the process. Raises LedgerError that says what to do.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from sojourn.errors import LedgerError

BUSY_MS = 30_000
Row = Sequence[Any]


def open_engine(url: str) -> Engine:
    """An engine whose transactions begin at once (SQLite) and whose file is private."""
    try:
        if url.startswith("sqlite"):
            return _open_sqlite(url)
        return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        raise LedgerError(
            f"{redact(url)}: expected sqlite:///path or postgresql+psycopg://user@host/name"
        ) from None


def redact(url: str) -> str:
    """The address without a password."""
    return re.sub(r"://([^:/@]+):[^@]*@", r"://\1:***@", url)


def _open_sqlite(url: str) -> Engine:
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1e3})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # SQLAlchemy begins; sqlite3 must not begin by itself.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MS}",
            "secure_delete=ON", "temp_store=MEMORY", "cache_size=-64000",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return  # a question by itself: it must not wait for, or keep out, a writer
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def migrate(engine: Engine) -> None:
    """Create or upgrade the schema; refuse one that a newer Sojourn made."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    try:
        with engine.begin() as connection:
            found = MigrationContext.configure(
                connection, opts={"version_table": "ledger_version"}
            ).get_current_revision()
            if found == head:
                return
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise LedgerError(
            f"the ledger has schema {found}, this Sojourn knows up to {head}: "
            "use the Sojourn that wrote it, or a newer one"
        ) from None
    except DBAPIError as error:
        raise LedgerError(
            f"the ledger at {redact(str(engine.url))} cannot be opened: "
            f"{type(error.orig).__name__}. Is the server running, is the address right?"
        ) from None


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Many rows at once: COPY on PostgreSQL, executemany on SQLite."""
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    run_many(connection, f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def run_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    """A statement with ``?`` marks for each row."""
    if rows:
        connection.exec_driver_sql(_marks(connection, sql), [tuple(r) for r in rows])


def fetch(connection: Connection, sql: str, values: Row = ()) -> list[Any]:
    """All rows of a query with ``?`` marks."""
    return list(connection.exec_driver_sql(_marks(connection, sql), tuple(values)).fetchall())


def run(connection: Connection, sql: str, values: Row = ()) -> None:
    connection.exec_driver_sql(_marks(connection, sql), tuple(values))


def _marks(connection: Connection, sql: str) -> str:
    return sql.replace("?", "%s") if connection.dialect.name == "postgresql" else sql
