"""Figures as they are kept: a row for each node, the numbers of its cells packed.

In: FIGURES, or numbers made for all cells of a node at once. Out: rows of ``figure_nodes``; nodes
and FIGURES again. A node here is one quantity of one table, span and period at one vintage, made by
one method: what holds for all its cells (release, level, noise) stands once. A country's first
release is a million and a half figures; a row for each took most of its time.
"""

from __future__ import annotations

import math
import re
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from sojourn.policy import RELEASE_DIMENSIONS
from sojourn.release import store
from sojourn.release.cells import digest_of, frame_of, text_of
from sojourn.schemas import FIGURES

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Words = tuple[str, ...]
NUMBERS = ("value", "lower", "upper", "noise_sd")  # of a cell, where each has its own
_HEAD = ("release_table", "span", "period", "quantity", "vintage", "method")
# What all cells of a node have in common.
_COMMON = (*_HEAD, "level", "epsilon", "release_id")
COLUMNS = (*_COMMON, "cells", "size", "reach", "noise_sd", "numbers")


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells in the order of a node's numbers: nationality, mode, class of each."""

    digest: str
    frame: pl.DataFrame  # RELEASE_DIMENSIONS

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Cells:
        kept = frame.select(RELEASE_DIMENSIONS)
        return cls(digest_of(kept), kept)

    @cached_property
    def places(self) -> dict[Words, int]:
        """Where each cell's numbers are."""
        return {words: place for place, words in enumerate(self.frame.iter_rows())}

    @cached_property
    def sorted(self) -> list[tuple[Words, int]]:
        """Cells in the order of FIGURES' key."""
        return sorted(self.places.items())

    def matching(self, wanted: Mapping[str, str | None]) -> Places | None:
        """Places of the cells that have these words; None: all."""
        asked = [pl.col(n) == w for n, w in wanted.items() if w is not None]
        if not asked:
            return None
        return self.frame.select(pl.all_horizontal(asked).arg_true()).to_series().to_numpy()

    def run(self, places: Places | None, least: Words | None, most: int) -> Places:
        """Of these places (None: all) at most so many, from the cell ``least`` on in that order."""
        wanted = np.ones(len(self.sorted), np.bool_)
        if places is not None:
            wanted[:] = False
            wanted[places] = True
        start = 0 if least is None else bisect_left(self.sorted, (least, -1))
        here = (place for _, place in islice(self.sorted, start, None) if wanted[place])
        return np.array(list(islice(here, most)), np.int64)


@dataclass(frozen=True, eq=False)
class Node:
    """Figures that were made alike. ``period`` and ``vintage`` are ISO days.

    ``numbers``: a row a cell; either the value alone, its interval being ``reach`` to both sides
    and its noise ``noise_sd``, or NUMBERS. nan: there is none.
    """

    release_table: str
    span: str
    period: str
    quantity: str
    vintage: str
    method: str
    level: float
    epsilon: float
    release_id: str
    cells: Cells
    numbers: Numbers
    reach: float | None = None
    noise_sd: float | None = None

    def whole(self, places: Places | None = None) -> Numbers:
        """NUMBERS of its cells, or of those at ``places``."""
        kept = self.numbers if places is None else self.numbers[places]
        if kept.shape[1] == len(NUMBERS):
            return kept
        value = kept[:, 0]
        reach, noise_sd = _or_nan(self.reach), _or_nan(self.noise_sd)
        sd = np.where(np.isnan(value), np.nan, noise_sd)
        return np.stack([value, value - reach, value + reach, sd], axis=1)


def node_of(
    head: Sequence[str], cells: Cells, numbers: Numbers, *,
    level: float, epsilon: float, release_id: str,
) -> Node:  # fmt: skip
    """A node of NUMBERS; what is alike in all its cells is kept once."""
    value, lower, upper, noise_sd = numbers.T
    reach, sd = upper[0] - value[0], noise_sd[0]
    alike = (
        (value - reach == lower).all() and (value + reach == upper).all()
        and (noise_sd == sd).all()
    )  # fmt: skip
    table, span, period, quantity, vintage, method = head
    kept = partial(Node, table, span, period, quantity, vintage, method, level, epsilon,
                   release_id, cells)  # fmt: skip
    if not alike:
        return kept(numbers)
    return kept(value[:, None], float(reach), float(sd))


def pack(figures: pl.DataFrame) -> list[Node]:
    """FIGURES as nodes."""
    plain = figures.with_columns(pl.col("span", "period", "vintage").cast(pl.String))
    out, known = [], dict[str, Cells]()
    for common, part in plain.partition_by(_COMMON, as_dict=True, maintain_order=True).items():
        ordered = part.sort(RELEASE_DIMENSIONS)
        cells = Cells.of(ordered)
        cells = known.setdefault(cells.digest, cells)
        numbers = ordered.select(pl.col(NUMBERS).fill_null(np.nan)).to_numpy()
        *head, level, epsilon, release_id = common
        out.append(node_of(head, cells, numbers, level=level, epsilon=epsilon,
                           release_id=release_id))  # fmt: skip
    return out


def unpack(nodes: Iterable[tuple[Node, Places | None]]) -> pl.DataFrame:
    """FIGURES of nodes, each whole or of the cells at these places; in the nodes' order."""
    heads, frames, numbers, sizes = [], [], [], []
    for node, places in nodes:
        whole = node.whole(places)
        if not whole.size:
            continue
        heads.append(tuple(getattr(node, n) for n in _COMMON))
        frames.append(node.cells.frame if places is None else node.cells.frame[places])
        numbers.append(whole)
        sizes.append(whole.shape[0])
    if not heads:
        return FIGURES.empty()
    kinds = dict.fromkeys(_COMMON, pl.String) | {"level": pl.Float64, "epsilon": pl.Float64}
    common = pl.DataFrame(heads, schema=kinds, orient="row").with_columns(
        pl.col("period", "vintage").str.to_date("%Y-%m-%d")
    )
    stacked = np.concatenate(numbers)
    return FIGURES.conform(
        pl.concat(
            [
                common[np.repeat(np.arange(len(sizes)), sizes)],
                pl.concat(frames),
                pl.DataFrame({n: stacked[:, at] for at, n in enumerate(NUMBERS)}).fill_nan(None),
            ],
            how="horizontal",
        )
    )


# -- kept and read -----------------------------------------------------------------------------


def write(connection: Connection, nodes: Sequence[Node]) -> int:
    """Put nodes in; returns how many figures they hold."""
    for cells in {n.cells.digest: n.cells for n in nodes}.values():
        note_cells(connection, cells.digest, cells.frame)
    rows = [
        (*(getattr(n, c) for c in _COMMON), n.cells.digest, n.numbers.shape[0], n.reach,
         n.noise_sd, np.ascontiguousarray(n.numbers, "<f8").tobytes())
        for n in nodes
    ]  # fmt: skip
    store.write(connection, store.figure_nodes, store.rows_of(store.figure_nodes, rows))
    return sum(n.numbers.shape[0] for n in nodes)


def write_figures(connection: Connection, figures: pl.DataFrame) -> int:
    """Put FIGURES in; returns how many."""
    return write(connection, pack(figures))


def read_nodes(connection: Connection, where: str = "1 = 1", **values: Any) -> list[Node]:
    """Nodes that a condition on their common columns holds for, in no order."""
    rows = store.ask(
        connection, f"SELECT {', '.join(COLUMNS)} FROM figure_nodes WHERE {where}", **values
    )
    return [build_node(connection, row) for row in rows]


def build_node(connection: Connection, row: Sequence[Any]) -> Node:
    """A row of COLUMNS as a node."""
    table, span, period, quantity, vintage, method, level, epsilon, release_id, *own = row
    digest, size, reach, noise_sd, numbers = own
    packed = np.frombuffer(numbers, "<f8").reshape(size, -1)
    return Node(table, span, period, quantity, vintage, method, level, epsilon, release_id,
                cells_of(connection, digest), packed, reach, noise_sd)  # fmt: skip


def read_figures(engine: Engine, where: str = "1 = 1", **values: Any) -> pl.DataFrame:
    """FIGURES that a condition in SQL on its columns holds for, in the order of its key."""
    own = re.search(rf"\b({'|'.join((*RELEASE_DIMENSIONS, *NUMBERS))})\b", where)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        found = read_nodes(connection) if own else read_nodes(connection, where, **values)
        figures = unpack((node, None) for node in found)
    if own:
        said = re.sub(r":(\w+)", lambda m: _quoted(values[m[1]]), where)
        plain = figures.with_columns(pl.col("span", "period", "vintage").cast(pl.String))
        figures = figures.filter(plain.select(pl.sql_expr(said)).to_series())
    return figures.sort(FIGURES.key)


_FIRST_PLACE = """
SELECT release_table, span, period, vintage, release_id FROM figure_nodes
WHERE method = 'laplace' AND (vintage, release_id) = (
  SELECT vintage, release_id FROM releases
  WHERE method = 'laplace' AND note NOT IN ('begun', 'drawn', 'lost')
  ORDER BY released_at, release_id LIMIT 1)
ORDER BY release_table, span, period LIMIT 1
"""
_AT_PLACE = """
SELECT numbers, (SELECT COUNT(*) FROM releases WHERE note NOT IN ('begun', 'drawn', 'lost')),
  (SELECT MAX(released_at) FROM releases WHERE note NOT IN ('begun', 'drawn', 'lost'))
FROM figure_nodes WHERE release_table = :release_table AND span = :span AND period = :period
AND vintage = :vintage AND release_id = :release_id AND method = 'laplace'
ORDER BY quantity LIMIT 9
"""
Place = Mapping[str, str]  # of nodes: table, span, period, vintage, release


def find_first_place(connection: Connection) -> Place | None:
    """Where the first release that drew noise has its first numbers: no later one changes it."""
    for row in store.ask(connection, _FIRST_PLACE):
        return dict(
            zip(("release_table", "span", "period", "vintage", "release_id"), row, strict=True)
        )
    return None


@dataclass(frozen=True)
class Stamp:
    """What tells a database's releases at a glance: noise as it was drawn at one place, how many
    releases there are, when the newest was made (microseconds)."""

    numbers: bytes = b""
    releases: int = 0
    newest: int = 0


def read_stamp(connection: Connection, place: Place | None) -> Stamp:
    """In one question; empty where there is no such place."""
    rows = store.ask(connection, _AT_PLACE, **place) if place else []
    if not rows:
        return Stamp()
    return Stamp(b"".join(bytes(row[0]) for row in rows), int(rows[0][1]), int(rows[0][2]))


_known: dict[str, Cells] = {}  # a digest says all of the cells, in any database
_MOST_KNOWN = 256


def cells_of(connection: Connection, digest: str) -> Cells:
    """The cells of a digest that some node has."""
    known = _known.get(digest)  # another thread may clear the rest meanwhile
    if known is None:
        found = store.ask(
            connection, "SELECT words FROM cell_lists WHERE cells = :cells", cells=digest
        )
        known = Cells(digest, frame_of(str(found[0][0])))
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[digest] = known
    return known


def known_place(digest: str, words: Words) -> int | None:
    """Where a cell is in a list that has been asked for before."""
    known = _known.get(digest)
    return None if known is None else known.places.get(words)


def say_numbers(
    packed: bytes, reach: float | None, noise_sd: float | None
) -> tuple[float | None, ...]:
    """NUMBERS of one cell, from its piece of a node's."""
    value, *others = struct.unpack(f"<{len(packed) // 8}d", packed)
    if others:
        return tuple(None if math.isnan(x) else x for x in (value, *others))
    if reach is None or math.isnan(value):
        return None, None, None, None
    return value, value - reach, value + reach, noise_sd


def note_cells(connection: Connection, digest: str, frame: pl.DataFrame) -> None:
    """Keep what the cells of a digest are, once."""
    if store.ask(connection, "SELECT 1 FROM cell_lists WHERE cells = :cells", cells=digest):
        return
    rows = [(digest, text_of(frame))]
    store.write(connection, store.cell_lists, store.rows_of(store.cell_lists, rows))


def _or_nan(number: float | None) -> float:
    return np.nan if number is None else number


def _quoted(value: object) -> str:
    if isinstance(value, int | float):
        return str(value)
    return "'{}'".format(str(value).replace("'", "''"))
