"""Published figures packed: a row for each node, not for each cell (``sojourn.release.nodes``).

What was published before is carried over as it stands. Written out here, as in 0004.
"""

import hashlib
import math
import struct
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NODE = ("release_table", "span", "period", "quantity", "vintage", "method")
COMMON = (*NODE, "level", "epsilon", "release_id")
CELL = ("nationality", "mode", "admission_class")
NUMBERS = ("value", "lower", "upper", "noise_sd")
SHORT = {"span": sa.String(5), "period": sa.String(10), "vintage": sa.String(10)}


def upgrade() -> None:
    op.create_table(
        "figure_nodes",
        *(sa.Column(n, SHORT.get(n, sa.Text()), primary_key=True) for n in NODE),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("epsilon", sa.Float(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("cells", sa.String(16), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("reach", sa.Float()), sa.Column("noise_sd", sa.Float()),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
    )  # fmt: skip
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Numbers hardly pack any smaller, and one cell's are read without all the others'.
        op.execute("ALTER TABLE figure_nodes ALTER COLUMN numbers SET STORAGE EXTERNAL")
    names = ", ".join((*COMMON, *CELL, *NUMBERS))
    order = ", ".join((*COMMON, *CELL))
    found = connection.execute(sa.text(f"SELECT {names} FROM figures ORDER BY {order}"))
    for common, rows in groupby(found, key=lambda r: tuple(r[: len(COMMON)])):
        _keep(connection, common, [tuple(r[len(COMMON) :]) for r in rows])
    op.drop_table("figures")


def _keep(
    connection: sa.Connection, common: tuple[Any, ...], rows: Sequence[Sequence[Any]]
) -> None:
    words = "\n".join("\t".join(r[:3]) for r in rows)
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    there = sa.text("SELECT 1 FROM cell_lists WHERE cells = :cells")
    if connection.execute(there, {"cells": digest}).first() is None:
        new = sa.text("INSERT INTO cell_lists (cells, words) VALUES (:cells, :words)")
        connection.execute(new, {"cells": digest, "words": words})
    flat = [math.nan if x is None else x for r in rows for x in r[3:]]
    packed = struct.pack(f"<{len(flat)}d", *flat)
    names = (*COMMON, "cells", "size", "numbers")
    put = sa.text(f"INSERT INTO figure_nodes ({', '.join(names)}) VALUES ({_marks(names)})")
    connection.execute(put, dict(zip(names, (*common, digest, len(rows), packed), strict=True)))


def _marks(names: Sequence[str]) -> str:
    return ", ".join(f":{n}" for n in names)


def downgrade() -> None:
    key = ("release_table", "span", "period", *CELL, "quantity", "vintage")
    op.create_table(
        "figures",
        *(sa.Column(n, SHORT.get(n, sa.Text()), primary_key=True) for n in key),
        *(sa.Column(n, sa.Float()) for n in NUMBERS[:3]),
        sa.Column("level", sa.Float(), nullable=False), sa.Column("noise_sd", sa.Float()),
        sa.Column("epsilon", sa.Float(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )  # fmt: skip
    connection = op.get_bind()
    names = (*COMMON, *CELL, *NUMBERS)
    put = sa.text(f"INSERT INTO figures ({', '.join(names)}) VALUES ({_marks(names)})")
    asked = (f"SELECT {', '.join(COMMON)}, reach, f.noise_sd, numbers, words FROM figure_nodes f "
             "JOIN cell_lists c ON c.cells = f.cells")  # fmt: skip
    for *common, reach, noise_sd, packed, words in connection.execute(sa.text(asked)).all():
        rows = []
        for cell, own in zip(
            words.split("\n"), _unpack(packed, words, reach, noise_sd), strict=True
        ):
            said = (None if x is None or math.isnan(x) else x for x in own)
            rows.append(dict(zip(names, (*common, *cell.split("\t"), *said), strict=True)))
        connection.execute(put, rows)
    op.drop_table("figure_nodes")


def _unpack(
    packed: bytes, words: str, reach: float | None, noise_sd: float | None
) -> Iterator[tuple[float | None, ...]]:
    flat = struct.unpack(f"<{len(packed) // 8}d", packed)
    width = len(flat) // (words.count("\n") + 1)
    for at in range(0, len(flat), width):
        value, *others = flat[at : at + width]
        if others:
            yield (value, *others)
        elif reach is None:
            yield value, None, None, None
        else:
            yield value, value - reach, value + reach, noise_sd
