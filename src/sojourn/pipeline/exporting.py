"""Published figures as files in a folder: what is released is read and written, nothing else.

In: an office, a folder, a vintage, formats. Out: files and what they hold. No noise is drawn and no
budget spent: whatever is in the release tables is public already. Raises UsageError for a vintage
that was never released, LedgerError before the first release, SchemaError where a code is outside
its list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import polars as pl
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sojourn.errors import LedgerError, SetupError, UsageError
from sojourn.ledger.engine import open_engine
from sojourn.pipeline.office import Office
from sojourn.release import published
from sojourn.release.formats import (
    CodeLists,
    Publication,
    build_code_lists,
    publication_of,
    save_parquet,
    stream_csvw,
    stream_data,
    write_structures,
    write_structures_ml,
)
from sojourn.release.picking import Wanted


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
    left_out: tuple[str, ...]  # what this machine cannot write, and why


def export(
    office: Office, folder: Path, formats: tuple[Format, ...], *,
    vintage: date | None = None, history: bool = False,
) -> Exported:  # fmt: skip
    """Write figures as of ``vintage`` (default: the newest); with ``history`` all before it too.

    Piece by piece: figures are never in memory all at once. All files are there or none.
    """
    engine = open_engine(office.statistics_url)
    publication = publication_of(office.policy.read.reporting_country, policy=office.policy.release)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            day, made = _find_vintage(connection, vintage)
            lists = build_code_lists(*published.read_lists(connection, day))
            figures = _Figures(connection, day, history=history)
            written, left_out = _write_all(folder, formats, figures, lists, publication, made)
    except DBAPIError:
        raise LedgerError(NOTHING) from None
    finally:
        engine.dispose()
    return Exported(day, figures.count, written, left_out)


@dataclass
class _Figures:
    """Published figures, read again for each file, a part at a time."""

    connection: Connection
    day: date
    history: bool
    count: int = 0

    def read(self) -> Iterator[pl.DataFrame]:
        self.count = 0
        as_of = None if self.history else self.day
        for part in published.iter_figures(self.connection, Wanted(), as_of=as_of):
            kept = part.filter(pl.col("vintage") <= self.day)
            self.count += kept.height
            yield kept

    def vintages(self) -> list[date]:
        as_of = None if self.history else self.day
        found = published.read_vintages(self.connection, Wanted(), as_of=as_of)
        return [v for v in found if v <= self.day]


def _find_vintage(connection: Connection, vintage: date | None) -> tuple[date, datetime]:
    releases = published.read_releases(connection)
    if not releases:
        raise LedgerError(NOTHING)
    known = sorted({r.vintage for r in releases})
    day = vintage or known[-1]
    if day not in known:
        told = ", ".join(str(v) for v in known[-12:])
        raise UsageError(f"--vintage: expected a released one ({told}), found {day}")
    return day, max(r.released_at for r in releases if r.vintage == day)


def _write_all(
    folder: Path, formats: tuple[Format, ...], figures: _Figures, lists: CodeLists,
    publication: Publication, made: datetime,
) -> tuple[tuple[Path, ...], tuple[str, ...]]:  # fmt: skip
    waiting: list[tuple[Path, Path]] = []
    left_out = []
    try:
        if Format.SDMX in formats:
            left_out += _write_structures(folder, waiting, lists, publication, made)
            data = stream_data(figures.read(), lists, publication)
            _put(folder / "sdmx/figures.csv", (text.encode() for text in data), waiting)
        if Format.CSV in formats:
            for name, pieces in stream_csvw(figures.read(), lists, publication):
                _put(folder / "csvw" / name, pieces, waiting)
        if Format.PARQUET in formats:
            part = _part(folder / "figures.parquet", waiting)
            save_parquet(figures.read, lists, publication, figures.vintages(), part)
    except BaseException:
        for part, _ in waiting:
            part.unlink(missing_ok=True)
        raise
    return tuple(part.replace(path) for part, path in waiting), tuple(left_out)


def _write_structures(
    folder: Path, waiting: list[tuple[Path, Path]], lists: CodeLists, publication: Publication,
    made: datetime,
) -> list[str]:  # fmt: skip
    text = write_structures(lists, publication, made)
    _put(folder / "sdmx/structures.json", [text.encode()], waiting)
    try:
        text = write_structures_ml(lists, publication, made)
    except SetupError as refusal:
        return [f"structures.xml: {refusal}"]
    _put(folder / "sdmx/structures.xml", [text.encode()], waiting)
    return []


def _put(path: Path, pieces: Iterable[bytes], waiting: list[tuple[Path, Path]]) -> None:
    with _part(path, waiting).open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _part(path: Path, waiting: list[tuple[Path, Path]]) -> Path:
    """Where a file is written until all are whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    waiting.append((part, path))
    return part
