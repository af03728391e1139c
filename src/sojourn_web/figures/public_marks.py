"""What tells a database's releases from another's that go by the same names.

In: the statistics database. Out: a mark for each vintage, of all that was released through it: the
rows of the log, to the microsecond, and the noise of the first numbers that were published. After a
restore or a new demo the names of releases are the same and the marks are not, so nothing that was
kept under a mark (answers, ETags, files, what is on the shelf) is told of the new figures.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
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
_kept: WeakKeyDictionary[Engine, tuple[float, Marks]] = WeakKeyDictionary()
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


def read_marks(connection: Connection) -> dict[str, str]:
    releases = published.read_releases(connection)
    return marks_of(releases, nodes.read_first_numbers(connection)) if releases else {}


def mark_at(url: str, vintage: str) -> str:
    """The mark of a vintage; '' where none of that day was released. It may be FRESH seconds old:
    who brings an ETag back is answered before the database is asked."""
    if len(vintage) != len("2026-10-31"):
        return ""
    engine, now = open_statistics(url), time.monotonic()
    with _lock:
        asked_at, marks = _kept.get(engine, (-FRESH, {}))
    if vintage not in marks or now - asked_at >= FRESH:
        marks = _ask(engine)
        with _lock:
            _kept[engine] = now, marks
    return marks.get(vintage, "")


def forget() -> None:
    """Ask the database again, whatever was kept."""
    with _lock:
        _kept.clear()


def _ask(engine: Engine) -> Marks:
    try:
        with engine.connect() as connection:
            return read_marks(connection)
    except DBAPIError:
        return {}  # no ledger, or one that has released nothing
