"""Which nodes hold the published figures that are asked for, and which of their cells.

In: a SQLAlchemy connection to the statistics database, ``Wanted``, a day. Out: ``Head`` (a node
without its numbers) and nodes with the places of their cells. A figure as of a day is the one of
the newest vintage up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, column, select, table, true

from sojourn.policy import RELEASE_DIMENSIONS
from sojourn.release import nodes

NODES = table("figure_nodes", *(column(name) for name in nodes.COLUMNS))
PERIOD = ("release_table", "span", "period")


@dataclass(frozen=True)
class Wanted:
    """Which figures; None: any. '' in a dimension is the total over it."""

    release_table: str | None = None
    span: str | None = None
    period: date | None = None
    nationality: str | None = None
    mode: str | None = None
    admission_class: str | None = None
    quantity: str | None = None
    vintage: date | None = None


@dataclass(frozen=True)
class Head:
    """A node without its numbers."""

    release_table: str
    span: str
    period: str
    quantity: str
    vintage: str
    method: str
    cells: str
    size: int


Picks = list[tuple[Head, nodes.Places | None]]


def read_heads(connection: Connection, where: ColumnElement[bool]) -> list[Head]:
    """In the order of tables, spans and periods; of each quantity the newest vintage first."""
    names = [f.name for f in fields(Head)]
    rows = connection.execute(select(*(NODES.c[n] for n in names)).where(where)).all()
    found = [Head(*row) for row in rows]
    found.sort(key=lambda h: (h.vintage, h.method), reverse=True)
    found.sort(key=lambda h: (h.release_table, h.span, h.period, h.quantity))
    return found


def by_period(heads: Iterable[Head]) -> Iterator[list[Head]]:
    """Heads of one period of one table each."""
    for _, group in groupby(heads, key=lambda h: (h.release_table, h.span, h.period)):
        yield list(group)


def pick_newest(
    connection: Connection, group: Sequence[Head], wanted: Wanted, as_of: date | None
) -> Picks:
    """Which nodes, and which of their cells (None: those that match): with ``as_of`` the newest
    of each cell."""
    if as_of is None:
        return [(head, None) for head in group]
    out: Picks = []
    for _, run in groupby(group, key=lambda h: h.quantity):
        first, *others = run
        out.append((first, None))
        # Usually all vintages have the same cells, and the newest is all there is to tell.
        if all(h.cells == first.cells and h.vintage != first.vintage for h in others):
            continue
        seen = set(nodes.cells_of(connection, first.cells).places)
        for head in others:
            own = nodes.cells_of(connection, head.cells)
            further = np.array([p for w, p in own.places.items() if w not in seen], np.int64)
            matching = own.matching(words_of(wanted))
            kept = further if matching is None else np.intersect1d(further, matching)
            if kept.size:
                out.append((head, kept))
            seen |= own.places.keys()
    if wanted.vintage is not None:
        out = [(h, p) for h, p in out if h.vintage == wanted.vintage.isoformat()]
    return out


def read_picked(
    connection: Connection, group: Sequence[Head], wanted: Wanted, as_of: date | None, *,
    least: tuple[str, ...] | None = None, most: int | None = None,
) -> list[tuple[nodes.Node, nodes.Places | None]]:  # fmt: skip
    """Nodes of one period with the places that are asked for; at most ``most`` cells of each,
    from ``least`` on in the order of the key."""
    picks = {(h.quantity, h.vintage, h.method): p
             for h, p in pick_newest(connection, group, wanted, as_of)}  # fmt: skip
    if not picks:
        return []
    here = [NODES.c[n] == getattr(group[0], n) for n in PERIOD]
    for at, name in enumerate(("quantity", "vintage")):
        if len(only := {key[at] for key in picks}) == 1:
            here.append(NODES.c[name] == only.pop())
    asked = select(*(NODES.c[n] for n in nodes.COLUMNS)).where(*here)
    out = []
    for row in connection.execute(asked).all():
        key = (row.quantity, row.vintage, row.method)
        if key not in picks:
            continue
        node = nodes.build_node(connection, row)
        places = picks[key]
        if places is None:
            places = node.cells.matching(words_of(wanted))
        if most is not None:
            places = node.cells.run(places, least, most)
        out.append((node, places))
    return out


def words_of(wanted: Wanted) -> dict[str, str | None]:
    return {n: getattr(wanted, n) for n in RELEASE_DIMENSIONS}


def matches_nodes(wanted: Wanted, as_of: date | None) -> ColumnElement[bool]:
    """Of nodes; their cells are looked at later."""
    said = {
        "release_table": wanted.release_table, "span": wanted.span, "quantity": wanted.quantity,
        "period": wanted.period and wanted.period.isoformat(),
        "vintage": wanted.vintage.isoformat() if wanted.vintage and not as_of else None,
    }  # fmt: skip
    here = [NODES.c[name] == value for name, value in said.items() if value is not None]
    if as_of is not None:
        here.append(NODES.c.vintage <= as_of.isoformat())
    return and_(true(), *here)  # nothing asked for: everything matches
