"""Published figures as files in a folder: what is released is read and written, nothing else.

In: an office, a folder, a vintage, formats. Out: files and what they hold. No noise is drawn and no
budget spent: whatever is in the release tables is public already. Raises UsageError for a vintage
that was never released, LedgerError before the first release, SchemaError where a code is outside
its list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import polars as pl
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sojourn.errors import LedgerError, UsageError
from sojourn.ledger.engine import open_engine
from sojourn.pipeline.office import Office
from sojourn.release import published
from sojourn.release.formats import (
    CodeLists,
    Publication,
    build_code_lists,
    publication_of,
    write_csvw,
    write_data,
    write_parquet,
    write_structures,
)


class Format(StrEnum):
    SDMX = "sdmx"
    CSV = "csv"
    PARQUET = "parquet"


NOTHING = "nothing has been released yet: expected a release (sojourn release)"


@dataclass(frozen=True)
class Exported:
    vintage: date
    figures: int
    files: tuple[Path, ...]


def export(
    office: Office, folder: Path, formats: tuple[Format, ...], *,
    vintage: date | None = None, history: bool = False,
) -> Exported:  # fmt: skip
    """Write figures as of ``vintage`` (default: the newest); with ``history`` all before it too."""
    engine = open_engine(office.statistics_url)
    try:
        with engine.connect() as connection:
            day, made, figures = _read(connection, vintage, history)
            lists = build_code_lists(
                [release_table for release_table, _ in published.read_shape(connection)],
                published.read_codes(connection, "admission_class"),
            )
    except DBAPIError:
        raise LedgerError(NOTHING) from None
    finally:
        engine.dispose()
    publication = publication_of(office.policy.read.reporting_country)
    written = []
    for wanted in formats:
        for name, data in _write(wanted, figures, lists, publication, made).items():
            written.append(_put(folder / name, data))
    return Exported(day, figures.height, tuple(written))


def _read(
    connection: Connection, vintage: date | None, history: bool
) -> tuple[date, datetime, pl.DataFrame]:
    releases = published.read_releases(connection)
    if not releases:
        raise LedgerError(NOTHING)
    known = sorted({r.vintage for r in releases})
    day = vintage or known[-1]
    if day not in known:
        told = ", ".join(str(v) for v in known[-12:])
        raise UsageError(f"--vintage: expected a released one ({told}), found {day}")
    made = max(r.released_at for r in releases if r.vintage == day)
    figures = published.read_figures(connection, published.Wanted(), as_of=None if history else day)
    return day, made, figures.filter(pl.col("vintage") <= day)


def _write(
    wanted: Format, figures: pl.DataFrame, lists: CodeLists, publication: Publication,
    made: datetime,
) -> dict[str, bytes]:  # fmt: skip
    if wanted == Format.SDMX:
        return {
            "sdmx/structures.json": write_structures(lists, publication, made).encode(),
            "sdmx/figures.csv": write_data(figures, lists, publication).encode(),
        }
    if wanted == Format.CSV:
        files = write_csvw(figures, lists, publication)
        return {f"csvw/{name}": data for name, data in files.items()}
    return {"figures.parquet": write_parquet(figures, lists, publication)}


def _put(path: Path, data: bytes) -> Path:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    return part.replace(path)
