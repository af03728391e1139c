"""Published figures, read: what the release tables hold, for pages, files and the API.

In: a SQLAlchemy connection to the statistics database. Out: FIGURES, and releases. Nothing is
written here and nothing drawn: a page view spends nothing. A figure as of a day is the one of
the newest vintage up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    column,
    func,
    select,
    table,
    text,
    true,
    tuple_,
)

from sojourn.schemas import FIGURES

_FIGURES = table("figures", *(column(name) for name in FIGURES.names))
_KEY = tuple(n for n in FIGURES.key if n != "vintage")
_RELEASE = ("release_id", "released_at", "vintage", "policy_digest", "method", "epsilon",
            "asked_by", "approved_by", "note", "run")  # fmt: skip
# Made once: a page or an answer for one figure asks for nothing else.
_ONE = text(
    f"SELECT {', '.join(FIGURES.names)} FROM figures WHERE "
    + " AND ".join(f"{n} = :{n}" for n in FIGURES.key)
)
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


def read_releases(connection: Connection) -> list[Release]:
    """Newest first; one that is still being made is none yet."""
    rows = connection.execute(
        select(_RELEASES)
        .where(_RELEASES.c.note.not_in(UNFINISHED))
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
    asked = _newest(wanted, as_of) if as_of else select(_FIGURES).where(_matches(wanted))
    asked = asked.order_by(*(_FIGURES.c[n] for n in FIGURES.key))
    if limit is not None:
        asked = asked.limit(limit)
    if after is not None:
        asked = asked.where(tuple_(*(_FIGURES.c[n] for n in _KEY)) > tuple_(*after))
    return build_frame(connection.execute(asked.execution_options(yield_per=PART_ROWS)))


def find_figure(connection: Connection, key: dict[str, str]) -> dict[str, Any] | None:
    """One row of FIGURES by its whole key, days as ISO text; None where there is none."""
    row = connection.execute(_ONE, key).first()
    return None if row is None else dict(row._mapping)


def count_figures(connection: Connection, wanted: Wanted, *, as_of: date, most: int) -> int | None:
    """How many match; None where more than ``most``, which are not counted."""
    asked = _newest(wanted, as_of).limit(most + 1).subquery()
    found = int(connection.execute(select(func.count()).select_from(asked)).scalar_one())
    return found if found <= most else None


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
        here = _matches(Wanted(release_table=release_table, span=span, period=periods[0]))
        rows = connection.execute(select(_FIGURES.c[name]).where(here).distinct())
        found |= {row[0] for row in rows}
    return sorted(found - {""})


def _steps(connection: Connection, name: str, above: dict[str, str]) -> list[str]:
    """Distinct values of a column of the key below given ones, by steps along the index: millions
    of figures have a handful."""
    column_ = _FIGURES.c[name]
    here = and_(true(), *(_FIGURES.c[n] == v for n, v in above.items()))
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
    sd = _FIGURES.c.noise_sd
    asked = (
        select(_FIGURES.c.release_table, _FIGURES.c.span, func.min(sd), func.max(sd), func.count())
        .where(sd.is_not(None), _FIGURES.c.vintage == vintage.isoformat())
        .group_by(_FIGURES.c.release_table, _FIGURES.c.span)
        .order_by(_FIGURES.c.release_table, _FIGURES.c.span)
    )
    return [(t, s, float(a), float(b), int(n)) for t, s, a, b, n in connection.execute(asked)]


def build_frame(rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """FIGURES from rows of the table, whose days are ISO text; a part at a time, for there may be a
    million."""
    parts = [FIGURES.empty()]
    waiting = iter(rows)
    stored = {n: pl.String if t == pl.Date else t for n, t in FIGURES.schema.items()}
    while part := list(islice(waiting, PART_ROWS)):
        columns = dict(zip(FIGURES.names, zip(*part, strict=True), strict=True))
        frame = pl.DataFrame({n: list(v) for n, v in columns.items()}, schema=stored)
        parts.append(frame.with_columns(pl.col("period", "vintage").str.to_date("%Y-%m-%d")))
    return pl.concat(parts)


def _matches(wanted: Wanted) -> ColumnElement[bool]:
    said = {f.name: getattr(wanted, f.name) for f in fields(Wanted)}
    return and_(
        true(),  # nothing asked for: everything matches
        *(
            _FIGURES.c[name] == (value.isoformat() if isinstance(value, date) else value)
            for name, value in said.items()
            if value is not None
        ),
    )


def _newest(wanted: Wanted, as_of: date) -> Select[Any]:
    """A look along the key for each row: a page of a million figures is found without them all."""
    later = _FIGURES.alias("later")
    newest = (
        select(func.max(later.c.vintage))
        .where(*(later.c[n] == _FIGURES.c[n] for n in _KEY), later.c.vintage <= as_of.isoformat())
        .correlate(_FIGURES)
        .scalar_subquery()
    )
    return select(_FIGURES).where(_matches(wanted), _FIGURES.c.vintage == newest)


def _release(row: Any) -> Release:
    kept: dict[str, Any] = {n: "" if row[n] is None else row[n] for n in _RELEASE}
    kept["released_at"] = datetime.fromtimestamp(row["released_at"] / 1e6, UTC)
    kept["vintage"] = date.fromisoformat(row["vintage"])
    return Release(**kept)
