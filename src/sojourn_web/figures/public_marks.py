"""What tells a database's releases from another's that go by the same names.

In: the statistics database. Out: a mark for each vintage, of all that was released through it: the
rows of the log, to the microsecond, and the noise of the first numbers that were drawn. After a
restore or a new demo the names of releases are the same and the marks are not, so nothing that was
kept under a mark (answers, ETags, files, what is on the shelf) is told of the new figures.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from sojourn.release import nodes, published
from sojourn.release.published import Release
from sojourn_web.figures.statistics import open_statistics

FRESH = 5.0  # seconds for which marks are not asked for again
Marks = Mapping[str, str]  # by vintage, an ISO day


@dataclass(frozen=True)
class Seen:
    """Marks, and by what to know at a glance that they hold still."""

    asked_at: float
    marks: Marks
    place: nodes.Place | None = None
    stamp: nodes.Stamp | None = None


_NEVER = Seen(-math.inf, {})
_kept: WeakKeyDictionary[Engine, Seen] = WeakKeyDictionary()
_lock = Lock()


def marks_of(releases: Sequence[Release], first_numbers: bytes) -> dict[str, str]:
    """The marks of these releases, in any order."""
    told = hashlib.sha256(first_numbers)
    out = {}
    ordered = sorted(releases, key=lambda r: (r.vintage, r.released_at, r.release_id))
    for vintage, group in groupby(ordered, key=lambda r: r.vintage):
        for release in group:
            told.update(repr(release).encode())
        out[vintage.isoformat()] = told.copy().hexdigest()[:32]
    return out


def read_marks(connection: Connection) -> Marks:
    return _see(connection)[1].marks


def read_marked(connection: Connection) -> tuple[Sequence[Release], Marks]:
    """All releases, newest first, and their marks."""
    releases, seen = _see(connection)
    return releases, seen.marks


def mark_at(url: str, vintage: str, *, anew: bool = False) -> str:
    """The mark of a vintage; '' where none of that day was released. It may be FRESH seconds old:
    who brings an ETag back is answered before the database is asked. ``anew``: it is asked."""
    if len(vintage) != len("2026-10-31"):
        return ""
    engine, now = open_statistics(url), time.monotonic()
    with _lock:
        seen = _kept.get(engine, _NEVER)
    if anew or vintage not in seen.marks or now - seen.asked_at >= FRESH:
        try:
            with engine.connect() as connection:
                seen = _look(connection)
        except DBAPIError:  # no ledger, or one that has released nothing
            seen = Seen(now, {})
            with _lock:
                _kept[engine] = seen
    return seen.marks.get(vintage, "")


def holds(connection: Connection, mark: str) -> bool:
    """Whether what was asked on this connection just now is of that mark: the database may have
    been replaced since the mark was asked for, and nothing of it is kept under another's."""
    with _lock:
        seen = _kept.get(connection.engine, _NEVER)
    place = seen.place if mark in seen.marks.values() else None
    if place is not None and nodes.read_stamp(connection, place) == seen.stamp:
        return True
    return mark in _look(connection).marks.values()


def forget() -> None:
    """Ask the database again, whatever was kept."""
    with _lock:
        _kept.clear()


def _look(connection: Connection) -> Seen:
    """Ask, and keep what was seen."""
    _, seen = _see(connection)
    with _lock:
        _kept[connection.engine] = seen
    return seen


def _see(connection: Connection) -> tuple[Sequence[Release], Seen]:
    now, place = time.monotonic(), nodes.find_first_place(connection)
    # The stamp before the log: where both are not of one moment, the stamp does not hold.
    stamp = nodes.read_stamp(connection, place)
    releases = published.read_releases(connection)
    return releases, Seen(now, marks_of(releases, stamp.numbers), place, stamp)
