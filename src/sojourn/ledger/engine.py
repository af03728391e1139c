"""Connections: SQLite and PostgreSQL behind one face, and the schema brought up to date.

In: an address (``sqlite:///...`` or ``postgresql+psycopg://...``). Out: an engine. Python's own
SQLite is the only SQLite library in the process. Raises LedgerError that says what to do.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from sojourn.errors import LedgerError

BUSY_MS = 30_000
Row = Sequence[Any]


def open_engine(url: str) -> Engine:
    """An engine whose transactions begin at once (SQLite) and whose file is private.

    Makes a SQLite file that is not there yet. Raises LedgerError where the address is none.
    """
    file = _sqlite_file(url)
    if file is not None:
        return _open_sqlite(url, file)
    with _spelled(url):
        return create_engine(url, pool_pre_ping=True)


def check_begun(url: str) -> None:
    """Raise LedgerError where no ledger is at an address; nothing is made or changed there.

    A ledger is what ``migrate`` has given a version, whichever; it may hold nothing.
    """
    file = _sqlite_file(url)
    if file is None or file.is_file():
        with _spelled(url):
            engine = create_engine(url)  # bare: open_engine's would turn any SQLite file to WAL
        try:
            with engine.connect() as connection:
                if _version(connection) is not None:
                    return
        except DBAPIError as error:
            raise _unopened(url, error) from None
        finally:
            engine.dispose()
    raise LedgerError(
        f"{redact(url)}: expected a ledger, found none. See that --home and --database are "
        "right, or begin one with sojourn load"
    )


def redact(url: str) -> str:
    """The address without a password."""
    return re.sub(r"://([^:/@]+):[^@]*@", r"://\1:***@", url)


@contextmanager
def _spelled(url: str) -> Iterator[None]:
    """What SQLAlchemy says of an address, or of its driver, becomes a LedgerError."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise LedgerError(
            f"{redact(url)}: expected sqlite:///path or postgresql+psycopg://user@host/name"
        ) from None


def _sqlite_file(url: str) -> Path | None:
    """Where an address of SQLite has its file; None of others. Raises LedgerError without one."""
    with _spelled(url):
        parts = make_url(url)
        if parts.get_backend_name() != "sqlite":
            return None
        if not parts.database or parts.host:
            raise ArgumentError
        return Path(parts.database)


def _version(connection: Connection) -> str | None:
    """Of the ledger's schema; None where there is no ledger."""
    context = MigrationContext.configure(connection, opts={"version_table": "ledger_version"})
    return context.get_current_revision()


def _unopened(url: str, error: DBAPIError) -> LedgerError:
    return LedgerError(
        f"{redact(url)}: expected a ledger, found what cannot be opened "
        f"({type(error.orig).__name__}). Is the server running, is the address right?"
    )


def _open_sqlite(url: str, path: Path) -> Engine:
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
            found = _version(connection)
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
        raise _unopened(str(engine.url), error) from None


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
