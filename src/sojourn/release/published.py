"""Published figures, read: what the release tables hold, for pages, files and the API.

In: a SQLAlchemy connection to the statistics database. Out: FIGURES, and releases. Nothing is
written here and nothing drawn: a page view spends nothing. A figure as of a day is the one of
the newest vintage up to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import (
    Connection,
    and_,
    column,
    select,
    table,
    true,
    tuple_,
)
from sqlalchemy.exc import DBAPIError

from sojourn.release import nodes
from sojourn.release.picking import (
    NODES,
    PERIOD,
    Wanted,
    by_period,
    matches_nodes,
    pick_newest,
    read_heads,
    read_picked,
    words_of,
)
from sojourn.schemas import FIGURES

_KEY = tuple(n for n in FIGURES.key if n != "vintage")
_RELEASE = ("release_id", "released_at", "vintage", "policy_digest", "method", "epsilon",
            "asked_by", "approved_by", "note", "run")  # fmt: skip
# Made once: a page or an answer for one figure asks for nothing else. Of the packed numbers the
# database hands over those of one cell.
_SQLITE = (
    "SELECT method, cells, level, epsilon, reach, noise_sd, release_id, "
    "substr(numbers, 1 + :place * (length(numbers) / size), length(numbers) / size) "
    "FROM figure_nodes WHERE release_table = :release_table AND span = :span "
    "AND period = :period AND quantity = :quantity AND vintage = :vintage ORDER BY method"
)
_ONE = {"sqlite": _SQLITE, "postgresql": re.sub(r":(\w+)", r"%(\1)s", _SQLITE)}
_usual: dict[str, str] = {}  # by table the digest of the cells that were asked for last
_RELEASES = table("releases", *(column(name) for name in _RELEASE))
PART_ROWS = 50_000
# Notes of releases without figures: still being made, or lost in a crash.
UNFINISHED = ("begun", "drawn", "lost")


@dataclass(frozen=True)
class Release:
    """One row of the log. ``released_at`` is UTC; ``vintage`` the last recorded day in it."""

    release_id: str
    released_at: datetime
    vintage: date
    policy_digest: str
    method: str
    epsilon: float
    asked_by: str
    approved_by: str
    note: str
    run: str


def read_releases(connection: Connection, *, every: bool = False) -> list[Release]:
    """Newest first; one that is still being made is none yet, one that was lost none (``every``:
    those too, for who keeps the budget)."""
    rows = connection.execute(
        select(_RELEASES)
        .where(true() if every else _RELEASES.c.note.not_in(UNFINISHED))
        .order_by(_RELEASES.c.released_at.desc(), _RELEASES.c.vintage.desc())
    )
    return [_release(row._mapping) for row in rows]


def read_figures(
    connection: Connection, wanted: Wanted, *, as_of: date | None = None,
    limit: int | None = None, after: tuple[str, ...] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """FIGURES that match, in key order; with ``as_of`` of each the newest vintage up to then.

    ``after``: the key (without the vintage, in FIGURES' order) that the answer begins behind.
    """
    if limit is not None:
        return _read_page(connection, wanted, as_of, limit, after)
    return pl.concat([FIGURES.empty(), *iter_figures(connection, wanted, as_of=as_of)])


def iter_figures(
    connection: Connection, wanted: Wanted, *, as_of: date | None = None
) -> Iterator[pl.DataFrame]:
    """The same in parts that follow one another: a file of millions is written piece by piece."""
    waiting: list[tuple[nodes.Node, nodes.Places | None]] = []
    size = 0
    for group in by_period(read_heads(connection, matches_nodes(wanted, as_of))):
        kept = read_picked(connection, group, wanted, as_of)
        waiting += kept
        size += sum(n.numbers.shape[0] if p is None else p.size for n, p in kept)
        if size >= PART_ROWS:
            yield nodes.unpack(waiting).sort(FIGURES.key)
            waiting, size = [], 0
    yield nodes.unpack(waiting).sort(FIGURES.key)


def read_vintages(
    connection: Connection, wanted: Wanted, *, as_of: date | None = None
) -> list[date]:
    """Of the same figures."""
    found = {
        head.vintage
        for group in by_period(read_heads(connection, matches_nodes(wanted, as_of)))
        for head, _ in pick_newest(connection, group, wanted, as_of)
    }
    return sorted(date.fromisoformat(v) for v in found)


def _read_page(
    connection: Connection, wanted: Wanted, as_of: date | None, limit: int,
    after: tuple[str, ...] | None,
) -> pl.DataFrame:  # fmt: skip
    """A table's period after the other, and of each no more cells than the page can hold."""
    matches = matches_nodes(wanted, as_of)
    order = tuple_(*(NODES.c[n] for n in PERIOD))
    here = matches if after is None else and_(matches, order >= tuple_(*after[:3]))
    parts, found = [FIGURES.empty()], 0
    while found < limit:
        asked = select(*(NODES.c[n] for n in PERIOD)).where(here)
        place = connection.execute(asked.order_by(*(NODES.c[n] for n in PERIOD)).limit(1)).first()
        if place is None:
            break
        at_place = and_(*(NODES.c[n] == v for n, v in zip(PERIOD, place, strict=True)))
        heads = read_heads(connection, and_(matches, at_place))
        least = after[3:6] if after is not None and tuple(place) == after[:3] else None
        kept = read_picked(connection, heads, wanted, as_of, least=least, most=limit + 2)
        part = nodes.unpack(kept).sort(FIGURES.key)
        if least is not None and after is not None:
            part = part.filter(_behind(after[3:]))
        parts.append(part)
        found += part.height
        here = and_(matches, order > tuple_(*place))
    return pl.concat(parts).head(limit)


def _behind(key: tuple[str, ...]) -> pl.Expr:
    """Rows of one period whose further key is greater."""
    names = _KEY[3:]
    further = pl.lit(value=False)
    for name, value in zip(reversed(names), reversed(key), strict=True):
        further = (pl.col(name) > value) | ((pl.col(name) == value) & further)
    return further


def find_figure(connection: Connection, key: dict[str, str]) -> dict[str, Any] | None:
    """One row of FIGURES by its whole key, days as ISO text; None where there is none."""
    words = (key["nationality"], key["mode"], key["admission_class"])
    asked = {n: key[n] for n in (*PERIOD, "quantity", "vintage")}
    guess = _usual.get(key["release_table"], "")
    place = nodes.known_place(guess, words)
    for row in _ask_plainly(connection, _ONE, {**asked, "place": place or 0}):
        method, digest, level, epsilon, reach, noise_sd, release_id, numbers = row
        if digest != guess or place is None:
            _usual[key["release_table"]] = digest
            there = nodes.cells_of(connection, digest).places.get(words)
            if there is None:
                continue
            again = _ask_plainly(connection, _ONE, {**asked, "place": there})
            numbers = next(r[-1] for r in again if r[0] == method)
        value, lower, upper, sd = nodes.say_numbers(numbers, reach, noise_sd)
        return {
            **{n: key[n] for n in FIGURES.key}, "value": value, "lower": lower, "upper": upper,
            "level": level, "noise_sd": sd, "epsilon": epsilon, "method": method,
            "release_id": release_id,
        }  # fmt: skip
    return None


def _ask_plainly(
    connection: Connection, asked: dict[str, str], values: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """By the driver alone: SQLAlchemy's account of an answer takes longer than the answer."""
    try:
        cursor = connection.connection.cursor()
        cursor.execute(asked[connection.dialect.name], values)
        return cursor.fetchall()  # type: ignore[return-value]
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError("one figure", None, error) from None


def count_figures(connection: Connection, wanted: Wanted, *, as_of: date, most: int) -> int | None:
    """How many match; None where more than ``most``, which are not counted."""
    found, sizes = 0, dict[str, int]()
    for group in by_period(read_heads(connection, matches_nodes(wanted, as_of))):
        for head, places in pick_newest(connection, group, wanted, as_of):
            if places is not None:
                found += places.size
                continue
            if head.cells not in sizes:
                own = nodes.cells_of(connection, head.cells).matching(words_of(wanted))
                sizes[head.cells] = head.size if own is None else own.size
            found += sizes[head.cells]
        if found > most:
            return None
    return found


def read_shape(connection: Connection) -> list[tuple[str, str]]:
    """Which release tables are published for which spans."""
    return [
        (release_table, span)
        for release_table in _steps(connection, "release_table", {})
        for span in _steps(connection, "span", {"release_table": release_table})
    ]


def read_periods(connection: Connection, release_table: str, span: str) -> list[date]:
    """Newest first."""
    found = _steps(connection, "period", {"release_table": release_table, "span": span})
    return [date.fromisoformat(period) for period in reversed(found)]


def read_codes(connection: Connection, name: str) -> list[str]:
    """What occurs in one dimension, sorted, without the total: a table's cells are the same in all
    its periods, so one period of each is looked at."""
    found: set[str] = set()
    for release_table, span in read_shape(connection):
        periods = read_periods(connection, release_table, span)
        here = Wanted(release_table=release_table, span=span, period=periods[0])
        asked = select(NODES.c.cells).where(matches_nodes(here, None)).distinct()
        for (digest,) in connection.execute(asked).all():
            found |= set(nodes.cells_of(connection, digest).frame[name].unique())
    return sorted(found - {""})


def read_lists(connection: Connection, as_of: date) -> tuple[list[str], list[str]]:
    """Release tables and admission classes up to a vintage: no later release changes them."""
    asked = select(NODES.c.release_table, NODES.c.cells).distinct()
    rows = connection.execute(asked.where(NODES.c.vintage <= as_of.isoformat())).all()
    classes: set[str] = set()
    for digest in {digest for _, digest in rows}:
        classes |= set(nodes.cells_of(connection, digest).frame["admission_class"].unique())
    return sorted({name for name, _ in rows}), sorted(classes - {""})


def _steps(connection: Connection, name: str, above: dict[str, str]) -> list[str]:
    """Distinct values of a column of the key below given ones, by steps along the index: millions
    of figures have a handful."""
    column_ = NODES.c[name]
    here = and_(true(), *(NODES.c[n] == v for n, v in above.items()))
    found: list[str] = []
    while True:
        further = column_ > found[-1] if found else true()
        asked = select(column_).where(here, further).order_by(column_).limit(1)
        value = connection.execute(asked).scalar()
        if value is None:
            return found
        found.append(value)


def read_noise(connection: Connection, vintage: date) -> list[tuple[str, str, float, float, int]]:
    """Of noisy counts: table, span, least and greatest SD of noise, how many figures."""
    c = NODES.c
    heads = connection.execute(
        select(c.release_table, c.span, c.noise_sd, c.noise_sd, c.size)
        .where(c.vintage == vintage.isoformat(), c.noise_sd.is_not(None))
    )  # fmt: skip
    rows = [tuple(row) for row in heads]
    # Nodes whose cells have a noise of their own each.
    for node in nodes.read_nodes(
        connection, "vintage = :vintage AND noise_sd IS NULL AND method <> 'lost'",
        vintage=vintage.isoformat(),
    ):  # fmt: skip
        own = node.whole()[:, nodes.NUMBERS.index("noise_sd")]
        own = own[~np.isnan(own)]
        if own.size:
            rows.append((node.release_table, node.span, own.min(), own.max(), own.size))
    out: dict[tuple[str, str], tuple[float, float, int]] = {}
    for table_, span, least, greatest, size in rows:
        low, high, count = out.get((table_, span), (math.inf, 0.0, 0))
        out[table_, span] = (min(low, least), max(high, greatest), count + int(size))
    return [(t, s, float(a), float(b), n) for (t, s), (a, b, n) in sorted(out.items())]


def _release(row: Any) -> Release:
    kept: dict[str, Any] = {n: "" if row[n] is None else row[n] for n in _RELEASE}
    kept["released_at"] = datetime.fromtimestamp(row["released_at"] / 1e6, UTC)
    kept["vintage"] = date.fromisoformat(row["vintage"])
    return Release(**kept)
