"""What the edge does alone: read and encode, without a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sojourn.encode import FileKeyProvider, encodable
from sojourn.pipeline.edge_files import PART_ROWS
from sojourn.pipeline.loading import part_digest
from sojourn.pipeline.office import key_file
from sojourn.pipeline.probing import encode_with_decoys
from sojourn.policy import Policy
from sojourn.read import Reading, file_digest, load_mapping, read, read_file
from sojourn.schemas import DECOYS, ENCODINGS


@dataclass(frozen=True)
class Encoded:
    """ENCODINGS, and what of the input is not in them or can never be linked."""

    encodings: pl.DataFrame
    decoys: pl.DataFrame  # DECOYS: those that the centre would make, had it the plain files
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
    """Every crossing in the files whose key still exists, encoded; the others are counted.

    Decoys are made part by part under the digests that a load of the plain files has.
    """
    keys = FileKeyProvider(key_file(home))
    theirs = load_mapping(mapping) if mapping else None
    now = datetime.now(UTC)
    encodings, decoys = [ENCODINGS.empty()], [DECOYS.empty()]
    rejects = destroyed = 0
    for path in files:
        digest = file_digest(path)
        readings = read_file(
            path, policy.read, source=source, now=now, mapping=theirs, chunk_rows=PART_ROWS,
            digest=digest,
        )  # fmt: skip
        for number, reading in enumerate(readings):
            held = encodable(reading.crossings["local_date"], keys, policy.encode)
            real = reading.crossings.filter(held)
            part, nobody = encode_with_decoys(
                real, part_digest(digest, number), keys, policy.encode
            )
            encodings.append(part)
            decoys.append(nobody)
            rejects += reading.rejects.height
            destroyed += int((~held).sum())
    made = pl.concat(encodings)
    keyless = int((made["match_keys"].list.len() == 0).sum())
    return Encoded(made, pl.concat(decoys).sort("decoy_ref"), rejects, destroyed, keyless)
