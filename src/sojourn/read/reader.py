"""Which format a file has, and the way from there to a ``Reading``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from sojourn.errors import ReadError
from sojourn.policy import ReadPolicy
from sojourn.read.common import Notes, Reading, build_reading, file_digest
from sojourn.read.mapping import Mapping, apply_mapping
from sojourn.read.paxlst import looks_like_paxlst, read_paxlst
from sojourn.read.raw import Limits, csv_chunks, ndjson_chunks, parquet_chunks
from sojourn.read.tabular import check_crossings, check_status_changes, is_status_table
from sojourn.read.zones import fill_from_zones
from sojourn.schemas import SOURCE_QUALITY

CHUNK_ROWS = 200_000
HEAD = 4096
NO_COLUMNS = (
    "expected the columns of crossings (crossing_id, direction, event_time, mode, ...) or of "
    "status changes (status_id, kind, effective_date, ...), or PAXLST; a mapping file can name "
    "yours: see docs/reference/mapping.md"
)


def read_file(
    path: Path,
    policy: ReadPolicy,
    *,
    source: str | None,
    now: datetime,
    mapping: Mapping | None = None,
    chunk_rows: int = CHUNK_ROWS,
    first: int = 0,
    digest: str | None = None,
) -> Iterator[Reading]:
    """A file, part by part. Format by content, then by ending.

    ``source``: the feed where the file does not name one. ``first``: the number of the part to
    begin with, for Parquet alone. ``digest``: the file's, where it is known already. Raises
    ReadError where it is no file of ours at all; single bad records become rejects.
    """
    digest = digest or file_digest(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    limits = Limits(policy.max_record_bytes, chunk_rows)
    feed = source or path.stem
    if head.startswith(b"PAR1"):
        notes = Notes(digest)
        chunks = parquet_chunks(path, limits, first)
        yield from _tabular(chunks, notes, policy, feed, now, mapping)
        return
    data = path.read_bytes()
    yield from _read(data, path.name, digest, policy, source, feed, now, mapping, limits)


def read(
    paths: Sequence[Path], policy: ReadPolicy, now: datetime, *, source: str | None = None,
    mapping: Mapping | None = None,
) -> Reading:  # fmt: skip
    """Several files, whole, as one reading. Large ones are read in chunks by ``read_file``."""
    parts = [
        part
        for path in paths
        for part in read_file(path, policy, source=source, now=now, mapping=mapping)
    ]
    return Reading(
        pl.concat([p.crossings for p in parts]),
        pl.concat([p.status_changes for p in parts]),
        pl.concat([p.rejects for p in parts]),
        pl.concat([p.quality for p in parts])
        .group_by("source", "issue", maintain_order=True)
        .agg(pl.col("records").sum())
        .select(SOURCE_QUALITY.names),
    )


def read_bytes(
    data: bytes,
    file_name: str,
    policy: ReadPolicy,
    *,
    source: str | None,
    now: datetime,
    mapping: Mapping | None = None,
) -> Reading:
    """The same for bytes at hand, in one piece."""
    digest = hashlib.sha256(data).hexdigest()
    limits = Limits(policy.max_record_bytes, 1 << 40)
    feed = source or Path(file_name).stem
    parts = list(_read(data, file_name, digest, policy, source, feed, now, mapping, limits))
    if len(parts) == 1:
        return parts[0]
    return Reading(
        *(pl.concat([getattr(p, n) for p in parts]) for n in Reading.__dataclass_fields__)
    )


def _read(
    data: bytes, name: str, digest: str, policy: ReadPolicy, source: str | None, feed: str,
    now: datetime, mapping: Mapping | None, limits: Limits,
) -> Iterator[Reading]:  # fmt: skip
    notes = Notes(digest)
    if not data.strip():
        raise ReadError(f"file {digest[:12]} is empty: {NO_COLUMNS}")
    if data.startswith(b"PAR1"):
        yield from _tabular(parquet_chunks(data, limits), notes, policy, feed, now, mapping)
    elif looks_like_paxlst(data[:HEAD]):
        yield read_paxlst(data, digest, policy, source=source, now=now)
    elif data[:HEAD].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t").startswith(b"{"):
        chunks = ndjson_chunks(data, limits, notes, feed)
        yield from _tabular(chunks, notes, policy, feed, now, mapping)
    else:
        chunks = csv_chunks(data, limits, notes, feed)
        yield from _tabular(chunks, notes, policy, feed, now, mapping)


def _tabular(
    chunks: Iterator[pl.DataFrame], notes: Notes, policy: ReadPolicy, feed: str, now: datetime,
    mapping: Mapping | None,
) -> Iterator[Reading]:  # fmt: skip
    for number, chunk in enumerate(chunks):
        if number and not chunk.height and not notes.rejects:
            continue
        rows = apply_mapping(chunk, mapping) if mapping else chunk
        rows = fill_from_zones(rows, notes, feed, now)
        if is_status_table(rows.columns):
            changes = check_status_changes(rows, notes, source=feed)
            yield build_reading(notes, status_changes=changes)
        elif "crossing_id" in rows.columns or (mapping and rows.height):
            crossings = check_crossings(rows, policy, notes, source=feed, now=now)
            yield build_reading(notes, crossings)
        elif rows.height or number == 0:
            if not rows.height and notes.rejects:
                yield build_reading(notes)
            else:
                raise ReadError(f"file {notes.digest[:12]}: {NO_COLUMNS}")
        notes = Notes(notes.digest)
