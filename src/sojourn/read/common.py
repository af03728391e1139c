"""What reading gives, and the books it keeps: rejects with positions, repairs by source.

In: nothing. Out: ``Reading``, ``Notes`` and ``file_digest``. A reject names the file's digest,
the position, a short code and what was expected; never a value of the record.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sojourn.errors import ReadError
from sojourn.schemas import CROSSINGS, REJECTS, SOURCE_QUALITY, STATUS_CHANGES

READ, REJECTED = "read", "rejected"


@dataclass(frozen=True)
class Reading:
    """What one file, or a part of one, gave."""

    crossings: pl.DataFrame  # CROSSINGS
    status_changes: pl.DataFrame  # STATUS_CHANGES
    rejects: pl.DataFrame  # REJECTS
    quality: pl.DataFrame  # SOURCE_QUALITY


@dataclass
class Notes:
    """Collects rejects and counts while a file is read."""

    digest: str
    rejects: list[tuple[str, str, str, str]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def reject(self, source: str, position: str, reason: str, expected: str) -> None:
        self.rejects.append((self.digest, position, reason, expected))
        self.counts[source, REJECTED] += 1

    def count(self, source: str, issue: str, records: int = 1) -> None:
        if records:
            self.counts[source, issue] += records

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """REJECTS and SOURCE_QUALITY."""
        rejects = pl.DataFrame(self.rejects, schema=REJECTS.schema, orient="row")
        rows = [(s, i, n) for (s, i), n in sorted(self.counts.items())]
        return rejects, pl.DataFrame(rows, schema=SOURCE_QUALITY.schema, orient="row")


def build_reading(
    notes: Notes,
    crossings: pl.DataFrame | None = None,
    status_changes: pl.DataFrame | None = None,
) -> Reading:
    rejects, quality = notes.tables()
    return Reading(
        CROSSINGS.empty() if crossings is None else crossings,
        STATUS_CHANGES.empty() if status_changes is None else status_changes,
        rejects,
        quality,
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ReadError(f"{path.name}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()
