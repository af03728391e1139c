"""Batches and rejects, for operators: times and counts, never what was in a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sojourn_web.figures.statistics import open_statistics

PAGE = 50


@dataclass(frozen=True)
class BatchRow:
    source: str
    committed_at: datetime
    seconds: float
    records: int
    rejects: int
    digest: str


@dataclass(frozen=True)
class RejectRow:
    file_digest: str
    position: str
    reason: str
    expected: str
    source: str


@dataclass(frozen=True)
class Page:
    rows: tuple[object, ...]
    number: int
    last: int


def read_batches(url: str, page: int) -> Page:
    """Newest first."""
    rows, number, last = _page(
        url, "batches", page,
        "SELECT source, committed_at, received_at, records, rejects, digest FROM batches "
        "ORDER BY batch_id DESC LIMIT :size OFFSET :skip",
    )  # fmt: skip
    made = tuple(
        BatchRow(s, datetime.fromtimestamp(c / 1e6, UTC), (c - r) / 1e6, records, rejects, digest)
        for s, c, r, records, rejects, digest in rows
    )
    return Page(made, number, last)


def read_rejects(url: str, page: int) -> Page:
    """Newest first."""
    rows, number, last = _page(
        url, "rejects", page,
        "SELECT r.file_digest, r.position, r.reason, r.expected, b.source FROM rejects r "
        "JOIN batches b ON b.batch_id = r.batch_id ORDER BY r.sequence DESC "
        "LIMIT :size OFFSET :skip",
    )  # fmt: skip
    return Page(tuple(RejectRow(*row) for row in rows), number, last)


def _page(url: str, table: str, page: int, sql: str) -> tuple[list[Any], int, int]:
    try:
        with open_statistics(url).connect() as connection:
            count = connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            last = max(1, -(-int(count) // PAGE))
            number = min(max(1, page), last)
            values = {"size": PAGE, "skip": (number - 1) * PAGE}
            return list(connection.execute(text(sql), values).fetchall()), number, last
    except DBAPIError:
        return [], 1, 1  # no ledger yet
