"""What the edge does alone: read and encode, without a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sojourn.encode import FileKeyProvider, encodable, encode
from sojourn.pipeline.office import key_file
from sojourn.policy import Policy
from sojourn.read import Reading, load_mapping, read


def read_all(
    files: Sequence[Path], policy: Policy, *, source: str | None, mapping: Path | None
) -> Reading:
    """Every file's reading as one."""
    theirs = load_mapping(mapping) if mapping else None
    return read(files, policy.read, datetime.now(UTC), source=source, mapping=theirs)


def encode_all(
    files: Sequence[Path], home: Path, policy: Policy, *, source: str | None, mapping: Path | None
) -> pl.DataFrame:
    """ENCODINGS of every crossing in the files whose key still exists."""
    keys = FileKeyProvider(key_file(home))
    crossings = read_all(files, policy, source=source, mapping=mapping).crossings
    held = encodable(crossings["local_date"], keys, policy.encode)
    return encode(crossings.filter(held), keys, policy.encode)
