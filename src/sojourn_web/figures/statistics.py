"""Read-only questions to the statistics database: totals, cells, freshness, quality.

In: the address. Out: frozen rows. Only tables without anybody in them are asked; the ledger's own
tables are the ledger's. A database that is not there yet answers as an empty one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

TOTALS = (
    "arrivals", "departures", "departures_linked", "expected_departures",
    "departed_in_time", "departed_late",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    name: str
    last_event_time: datetime | None
    last_batch_at: datetime
    batches: int
    records: int
    rejects: int
    delay_seconds: float | None


@dataclass(frozen=True)
class Quality:
    source: str
    issue: str
    records: int


@dataclass(frozen=True)
class Cell:
    """``value`` None: hidden, for it is small or would give a small one away."""

    period: str
    nationality: str
    mode: str
    admission_class: str
    outcome: str
    value: int | None
    known_at: str


@dataclass(frozen=True)
class Told:
    """The newest word of the outbox: totals by day."""

    number: int
    kind: str
    totals: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Estimated:
    """One row of ESTIMATES; ``period`` and ``known_at`` in ISO. No ``value``: ``why`` says why."""

    span: str
    period: str
    nationality: str
    mode: str
    admission_class: str
    quantity: str
    value: float | None
    lower: float | None
    upper: float | None
    later_lower: float | None
    later_upper: float | None
    bound_lower: float | None
    bound_upper: float | None
    standing: str
    why: str
    known_at: str


@lru_cache(maxsize=4)
def open_statistics(url: str) -> Engine:
    """An engine that can only read."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        engine = create_engine(
            f"sqlite:///file:{path}?mode=ro&uri=true", connect_args={"check_same_thread": False}
        )
        _follow(engine, path)
        return engine
    # No transactions: each would be two messages more, and no question here needs one.
    return create_engine(
        url, pool_pre_ping=True, isolation_level="AUTOCOMMIT",
        connect_args={"options": "-c default_transaction_read_only=on"},
    )  # fmt: skip


def _follow(engine: Engine, path: str) -> None:
    """No connection outlives its file: one that was replaced (a restore) would be read for ever.
    A look at the file's number takes microseconds, opening it anew for each question far more."""

    place = Path(path)

    def number() -> tuple[int, int] | None:
        try:
            found = place.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def before(dialect: object, record: Any, *given: object) -> None:
        record.info["file"] = number()  # before it is opened: at worst it is opened once more

    def lent(connection: object, record: Any, proxy: object) -> None:
        if record.info.get("file") != number():
            raise InvalidatePoolError("the statistics database was replaced")

    event.listen(engine, "do_connect", before)
    event.listen(engine, "checkout", lent)


def _ask(url: str, sql: str, **values: object) -> Sequence[Any]:
    try:
        with open_statistics(url).connect() as connection:
            return connection.execute(text(sql), values).fetchall()
    except DBAPIError:
        # No ledger yet: there is nothing to show, and the page says so.
        return []


def read_totals(url: str, since: date) -> dict[str, dict[str, int]]:
    """Live totals by day (ISO) and name, from ``since`` on."""
    rows = _ask(
        url, "SELECT day, name, value FROM live_totals WHERE day >= :since ORDER BY day, name",
        since=since.isoformat(),
    )  # fmt: skip
    out: dict[str, dict[str, int]] = {}
    for day, name, value in rows:
        out.setdefault(day, {})[name] = int(value)
    return out


def read_sources(url: str) -> list[Source]:
    rows = _ask(
        url,
        "SELECT source, last_event_time, last_batch_at, batches, records, rejects, "
        "delay_median_seconds FROM source_state ORDER BY source",
    )
    return [
        Source(n, _moment(e), _moment(b) or datetime.now(UTC), batches, records, rejects, delay)
        for n, e, b, batches, records, rejects, delay in rows
    ]


def read_quality(url: str) -> list[Quality]:
    rows = _ask(url, "SELECT source, issue, records FROM source_quality ORDER BY source, issue")
    return [Quality(*row) for row in rows]


def read_linkage(url: str) -> list[tuple[str, str, str, str, int]]:
    """Counts of linkage quality: period, group_kind, group_name, what, value."""
    rows = _ask(url, "SELECT period, group_kind, group_name, what, value FROM linkage_quality")
    return [(period, kind, name, what, int(value)) for period, kind, name, what, value in rows]


def read_periods(url: str, span: str) -> list[str]:
    """First days of the periods that have cells, newest first."""
    rows = _ask(
        url, "SELECT DISTINCT period FROM measures WHERE span = :span ORDER BY period DESC",
        span=span,
    )  # fmt: skip
    return [row[0] for row in rows]


BREAKDOWNS = {
    "nationality": "nationality <> '' AND mode = '' AND admission_class = ''",
    "mode": "nationality = '' AND mode <> '' AND admission_class = ''",
    "admission_class": "nationality = '' AND mode = '' AND admission_class <> ''",
    "total": "nationality = '' AND mode = '' AND admission_class = ''",
}


def read_cells(url: str, span: str, period: str, breakdown: str) -> list[Cell]:
    """Cells of one period, by one dimension or in total."""
    rows = _ask(
        url,
        "SELECT period, nationality, mode, admission_class, outcome, value, known_at FROM measures "
        f"WHERE span = :span AND period = :period AND {BREAKDOWNS[breakdown]}",
        span=span, period=period,
    )  # fmt: skip
    return [Cell(*row) for row in rows]


_ESTIMATED = ", ".join(f.name for f in fields(Estimated))


def newest_estimates(url: str) -> str:
    """The day as of which estimates were last made; '' before the first."""
    rows = _ask(url, "SELECT MAX(known_at) FROM estimates")
    return str(rows[0][0] or "") if rows else ""


def read_estimates(
    url: str, known_at: str, breakdown: str, span: str = "", period: str = ""
) -> list[Estimated]:
    """Estimates as of one day, by one dimension or in total; of one span or period if asked."""
    rows = _ask(
        url,
        f"SELECT {_ESTIMATED} FROM estimates WHERE known_at = :known_at "
        f"AND {BREAKDOWNS[breakdown]} AND (:span = '' OR span = :span) "
        "AND (:period = '' OR period = :period) ORDER BY span, period, quantity",
        known_at=known_at, span=span, period=period,
    )  # fmt: skip
    return [Estimated(*row) for row in rows]


def read_revisions(url: str, quantity: str) -> list[Estimated]:
    """One quantity of the totals at each day that is kept, oldest first."""
    rows = _ask(
        url,
        f"SELECT {_ESTIMATED} FROM estimates WHERE quantity = :quantity AND span <> 'day' "
        f"AND {BREAKDOWNS['total']} ORDER BY span, period, known_at",
        quantity=quantity,
    )  # fmt: skip
    return [Estimated(*row) for row in rows]


def estimated_at(url: str) -> datetime | None:
    """When estimates were last made; None where the outbox no longer says."""
    rows = _ask(url, "SELECT MAX(created_at) FROM outbox WHERE kind = 'estimates'")
    return _moment(rows[0][0]) if rows else None


def newest_word(url: str) -> int:
    """The outbox's last number; 0 where nothing was said yet."""
    rows = _ask(url, "SELECT MAX(id) FROM outbox")
    return int(rows[0][0] or 0) if rows else 0


def read_words(url: str, after: int) -> list[Told]:
    rows = _ask(
        url, "SELECT id, kind, payload FROM outbox WHERE id > :after ORDER BY id", after=after
    )
    return [Told(int(n), kind, json.loads(payload)["totals"]) for n, kind, payload in rows]


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)
