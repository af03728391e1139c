"""Where spends, draws and figures are kept, and what each crossing has added to counts.

In: an engine on the statistics database (SQLite or PostgreSQL), whose schema the ledger's
migration 0004 makes. Out: rows. Times are microseconds since 1970 (UTC); what pages read has ISO
dates as text. ``spends`` has one row for each node that was ever drawn: its primary key is what
makes a second draw impossible. ``draws`` holds a node's noisy numbers, one after the other in the
order of the table's cells; nothing exact is in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.exc import IntegrityError

from sojourn.release.budget import Spent
from sojourn.release.contributions import STATE

metadata = MetaData()
LAPLACE, CELL_KEY, COMPUTED, LOST = "laplace", "cell_key", "computed", "lost"
ESTIMATED = "estimated"

releases = Table(
    "releases",
    metadata,
    Column("release_id", Text, primary_key=True),
    Column("released_at", BigInteger, nullable=False),
    Column("vintage", String(10), nullable=False),  # the last recorded day in it
    Column("policy_digest", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("epsilon", Float, nullable=False),  # what it added to a stay's loss
    Column("asked_by", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("note", Text, nullable=False),  # begun, made, or lost
    Column("run", Text, nullable=False),
)

spends = Table(
    "spends",
    metadata,
    Column("release_table", Text, primary_key=True),
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("recorded", String(10), primary_key=True),  # the release's last recorded day
    Column("event", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("dimensions", Text, nullable=False),  # of the table, then
    Column("budget_year", Integer, nullable=False),
    Column("epsilon", Float, nullable=False),  # what it added to the year's loss: sums add up
    Column("unit_loss", Float, nullable=False),  # of one contribution
    Column("contributions", Integer, nullable=False),  # of a stay, at most
    Column("scale", Float, nullable=False),
    Column("spent_at", BigInteger, nullable=False),
    Column("release_id", Text, nullable=False),
)
Index("spends_release_id", spends.c.release_id)

draws = Table(
    "draws",
    metadata,
    Column("release_table", Text, primary_key=True),
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("recorded", String(10), primary_key=True),
    Column("event", Text, primary_key=True),
    Column("cells", String(16), nullable=False),  # digest of the table's cells
    Column("counts", LargeBinary, nullable=False),  # int64, little-endian, one for each cell
)

cell_lists = Table(
    "cell_lists",
    metadata,
    Column("cells", String(16), primary_key=True),
    Column("words", Text, nullable=False),  # a cell a line: nationality, mode, class
)

# FIGURES, packed: ``sojourn.release.nodes``.
figure_nodes = Table(
    "figure_nodes",
    metadata,
    Column("release_table", Text, primary_key=True),
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("quantity", Text, primary_key=True),
    Column("vintage", String(10), primary_key=True),
    Column("method", Text, primary_key=True),
    Column("level", Float, nullable=False),
    Column("epsilon", Float, nullable=False),
    Column("release_id", Text, nullable=False),
    Column("cells", String(16), nullable=False),  # digest of its cells
    Column("size", Integer, nullable=False),  # how many
    Column("reach", Float),  # of the interval, where it is the same for all
    Column("noise_sd", Float),  # likewise
    Column("numbers", LargeBinary, nullable=False),  # float64, little-endian, a row a cell
)

# Pseudonymous: gone with the stay at its horizon (``sojourn.ledger.horizon``).
contributed = Table(
    "contributed",
    metadata,
    Column("crossing_ref", LargeBinary, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("event", Text),
    Column("day", Integer),
    Column("nationality", Text),
    Column("mode", Text),
    Column("admission_class", Text),
    Column("corrections", Integer, nullable=False),
    Column("dies_on", Integer, nullable=False),
)
Index("contributed_dies_on", contributed.c.dies_on)

# Changes that wait for their period's next draw. Exact, confidential, gone when it is drawn.
waiting = Table(
    "waiting",
    metadata,
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("nationality", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("admission_class", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)


def lock(connection: Connection) -> None:
    """Keep other releases out until this transaction ends. SQLite's has begun as a writer's."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE spends IN SHARE ROW EXCLUSIVE MODE"))


def write(connection: Connection, table: Table, frame: pl.DataFrame) -> None:
    """Many rows at once: COPY on PostgreSQL, executemany on SQLite."""
    if not frame.height:
        return
    names = ", ".join(frame.columns)
    if connection.dialect.name == "postgresql":
        try:
            _copy(connection, f"COPY {table.name} ({names}) FROM STDIN", frame)
        except connection.dialect.loaded_dbapi.IntegrityError:
            # The driver's own, which SQLAlchemy did not see; its words would quote values.
            cause = RuntimeError("a key is there already")
            raise IntegrityError(f"COPY {table.name}", None, cause) from None
        return
    marks = ", ".join("?" * frame.width)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", frame.rows())


def _copy(connection: Connection, statement: str, frame: pl.DataFrame) -> None:
    cursor = connection.connection.cursor()
    if any(kind == pl.Binary for kind in frame.dtypes):
        with cursor.copy(statement) as copy:
            for row in frame.iter_rows():
                copy.write_row(row)
        return
    with cursor.copy(f"{statement} (FORMAT csv)") as copy:
        copy.write(_as_csv(frame))


def _as_csv(frame: pl.DataFrame) -> bytes:
    """Words are quoted, so that '' is not taken for null."""
    out = io.BytesIO()
    frame.write_csv(out, include_header=False, quote_style="non_numeric", null_value="")
    return out.getvalue()


def ask(connection: Connection, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of a query with named marks."""
    return [tuple(row) for row in connection.execute(text(statement), values).fetchall()]


def read(engine: Engine, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """The same, by itself: it keeps no writer out."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return ask(connection, statement, **values)


def spent_by(connection: Connection) -> tuple[Spent, ...]:
    """By year, table and span, the largest that was drawn under differential privacy."""
    rows = ask(
        connection,
        "SELECT budget_year, release_table, span, MAX(unit_loss), MAX(contributions) FROM spends "
        "WHERE method = 'laplace' GROUP BY budget_year, release_table, span "
        "ORDER BY budget_year, release_table, span",
    )
    return tuple(Spent(*row) for row in rows)


def read_spent(engine: Engine) -> tuple[Spent, ...]:
    """The same, for plans."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return spent_by(connection)


def read_state(engine: Engine) -> pl.DataFrame:
    """STATE: what each crossing has added so far."""
    names = ", ".join(STATE)
    rows = read(engine, f"SELECT {names} FROM contributed")
    stored = pl.Schema({n: pl.Int32 if t == pl.Date else t for n, t in STATE.items()})
    return pl.DataFrame(rows, schema=stored, orient="row").cast(STATE)


def write_state(connection: Connection, state: pl.DataFrame) -> None:
    """Put rows of STATE in the place of those with the same key."""
    if not state.height:
        return
    plain = state.with_columns(pl.col("day", "dies_on").to_physical())
    keys = plain.select("crossing_ref", "place").rows()
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    connection.exec_driver_sql(
        f"DELETE FROM contributed WHERE crossing_ref = {mark} AND place = {mark}", keys
    )
    write(connection, contributed, plain)


def rows_of(table: Table, rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Rows of a table, typed, for ``write``."""
    kinds: dict[str, Any] = {}
    for column in table.columns:
        kinds[column.name] = _KINDS[type(column.type)]
    return pl.DataFrame([tuple(r) for r in rows], schema=kinds, orient="row")


_KINDS: dict[type, Any] = {
    Text: pl.String, String: pl.String, BigInteger: pl.Int64, Integer: pl.Int64,
    SmallInteger: pl.Int64, Float: pl.Float64, LargeBinary: pl.Binary,
}  # fmt: skip
