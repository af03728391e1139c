"""Bytes into rows of text: CSV, NDJSON and Parquet, with the position of every row.

In: a file's bytes or path. Out: chunks of a table of strings with ``position``; what is no row
at all goes to the notes. A row that is too long, ragged or broken is refused alone: its
neighbours are read. Text that is not UTF-8 is read as Latin-1 and counted as a repair.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sojourn.errors import ReadError
from sojourn.read.common import Notes

POSITION = "position"
QUOTED_LINES = 50  # a quote that is not closed within so many lines is a broken row
DELIMITERS = ",;\t|"
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Limits:
    record_bytes: int
    chunk_rows: int


def decode(data: bytes, notes: Notes, source: str) -> str:
    """Text of a file: by its byte order mark, else UTF-8, else Latin-1 (counted)."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                notes.count(source, "encoding_repaired")
                return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        notes.count(source, "encoding_repaired")
        return data.decode("latin-1")


def csv_chunks(data: bytes, limits: Limits, notes: Notes, source: str) -> Iterator[pl.DataFrame]:
    """Chunks of a CSV's rows. The first row that is not empty names the columns."""
    records = _records(decode(data, notes, source), limits, notes, source)
    first = next(records, None)
    if first is None:
        raise ReadError("the file is empty: expected a header line with column names")
    delimiter = max(DELIMITERS, key=first[1].count)
    header = [name.strip() for name in _cells(first[1], delimiter)]
    if len(set(header)) != len(header):
        raise ReadError("the header names a column twice")
    rows: list[list[str]] = []
    positions: list[str] = []
    for line, text in records:
        cells = _cells(text, delimiter) if '"' in text else text.split(delimiter)
        if len(cells) != len(header):
            notes.reject(source, f"line {line}", "ragged_row", f"{len(header)} columns")
            continue
        rows.append(cells)
        positions.append(f"line {line}")
        if len(rows) >= limits.chunk_rows:
            yield _frame(header, rows, positions)
            rows, positions = [], []
    yield _frame(header, rows, positions)


def _records(text: str, limits: Limits, notes: Notes, source: str) -> Iterator[tuple[int, str]]:
    """Logical rows with the number of their first line; quoted line ends are joined."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, record = at, lines[at].removesuffix("\r")
        at += 1
        if len(record) > limits.record_bytes:
            notes.reject(
                source, f"line {start + 1}", "record_too_long",
                f"at most {limits.record_bytes} bytes",
            )  # fmt: skip
            continue
        if record.count('"') % 2:
            joined = _join_quoted(lines, start, limits)
            if joined is None:
                notes.reject(source, f"line {start + 1}", "open_quote", "a closed quotation mark")
                continue
            record, at = joined
        if record.strip():
            yield start + 1, record


def _join_quoted(lines: list[str], start: int, limits: Limits) -> tuple[str, int] | None:
    parts, quotes, size = [], 0, 0
    for at in range(start, min(start + QUOTED_LINES, len(lines))):
        parts.append(lines[at])
        quotes += lines[at].count('"')
        size += len(lines[at])
        if size > limits.record_bytes:
            return None
        if quotes % 2 == 0:
            return "\n".join(parts).removesuffix("\r"), at + 1
    return None


def _cells(record: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])


def _frame(header: list[str], rows: list[list[str]], positions: list[str]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    frame = pl.DataFrame(
        [
            pl.Series(name, column, dtype=pl.String)
            for name, column in zip(header, columns, strict=True)
        ]
    )
    return frame.with_columns(pl.Series(POSITION, positions, dtype=pl.String))


def ndjson_chunks(data: bytes, limits: Limits, notes: Notes, source: str) -> Iterator[pl.DataFrame]:
    """Chunks of NDJSON rows; a line that is no JSON object is refused alone."""
    rows: list[dict[str, str | None]] = []
    for number, line in enumerate(decode(data, notes, source).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        if len(line) > limits.record_bytes:
            notes.reject(source, where, "record_too_long", f"at most {limits.record_bytes} bytes")
            continue
        try:
            found = json.loads(line)
            if isinstance(found, dict):
                # A lone surrogate is no text: no table could hold it.
                "".join([*found, *map(str, found.values())]).encode()
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            notes.reject(source, where, "not_json", "one JSON object a line")
            continue
        rows.append({k: _text(v) for k, v in found.items()} | {POSITION: where})
        if len(rows) >= limits.chunk_rows:
            yield _from_dicts(rows)
            rows = []
    yield _from_dicts(rows)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _from_dicts(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row) | {POSITION: None}
    return pl.DataFrame(
        {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    )


def parquet_chunks(path: Path | bytes, limits: Limits, first: int = 0) -> Iterator[pl.DataFrame]:
    """Chunks of a Parquet file from the ``first`` on: times as they are, all else as text."""
    try:
        scanned = pl.scan_parquet(io.BytesIO(path) if isinstance(path, bytes) else path)
        schema = scanned.collect_schema()
        count = scanned.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError):
        raise ReadError("not a readable Parquet file: is it whole?") from None
    flat = [n for n, t in schema.items() if not t.is_nested()]
    for start in range(first * limits.chunk_rows, max(count, 1), limits.chunk_rows):
        try:
            frame = scanned.select(flat).slice(start, limits.chunk_rows).collect()
        except (pl.exceptions.PolarsError, OSError):
            raise ReadError("not a readable Parquet file: is it whole?") from None
        kept = [
            pl.col(n) if t.is_temporal() or t == pl.Boolean else pl.col(n).cast(pl.String)
            for n, t in frame.schema.items()
        ]
        rows = pl.concat_str(pl.lit("row "), pl.int_range(start + 1, start + frame.height + 1))
        yield frame.select(kept).with_columns(rows.alias(POSITION))
