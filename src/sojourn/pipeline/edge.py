"""What the edge does alone: read and encode, without a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sojourn.encode import FileKeyProvider, encodable, encode
from sojourn.pipeline.office import key_file
from sojourn.policy import Policy
from sojourn.read import Reading, load_mapping, read


@dataclass(frozen=True)
class Encoded:
    """ENCODINGS, and what of the input is not in them or can never be linked."""

    encodings: pl.DataFrame
    rejects: int  # refused by the reader: see ``sojourn read``
    key_destroyed: int  # crossings of an epoch whose key is gone: left out
    without_keys: int  # encoded, but no match key: nobody can be found for them


def read_all(
    files: Sequence[Path], policy: Policy, *, source: str | None, mapping: Path | None
) -> Reading:
    """Every file's reading as one."""
    theirs = load_mapping(mapping) if mapping else None
    return read(files, policy.read, datetime.now(UTC), source=source, mapping=theirs)


def encode_all(
    files: Sequence[Path], home: Path, policy: Policy, *, source: str | None, mapping: Path | None
) -> Encoded:
    """Every crossing in the files whose key still exists, encoded; the others are counted."""
    keys = FileKeyProvider(key_file(home))
    reading = read_all(files, policy, source=source, mapping=mapping)
    held = encodable(reading.crossings["local_date"], keys, policy.encode)
    encodings = encode(reading.crossings.filter(held), keys, policy.encode)
    keyless = int((encodings["match_keys"].list.len() == 0).sum())
    return Encoded(encodings, reading.rejects.height, int((~held).sum()), keyless)
