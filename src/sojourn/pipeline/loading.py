"""Files in bulk: read or encoded, part by part, resumable.

Each part is a batch of its own, under a digest made of the file's and its number, so a load
that was cut short goes on where it stopped and one that is run again changes nothing. An edge's
decoys (``NAME.decoys.parquet``) are asked for and counted, right after the file they lie beside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sojourn.ledger import Receipt
from sojourn.pipeline.edge_files import (
    PART_ROWS,
    decoy_parts,
    encoded_parts,
    in_turn,
    is_encoded,
    meant_as_decoys,
    refuse_decoys,
)
from sojourn.pipeline.intake import (
    Asked,
    Delivered,
    Desk,
    Intake,
    encode_readings,
    encoded_intake,
)
from sojourn.pipeline.office import Office
from sojourn.read import Mapping, file_digest, read_file


@dataclass(frozen=True)
class Loaded:
    """What a load did: parts committed now, parts that were there already, records, rejects.

    ``decoys``: how many were asked for now, as ``records`` none of them.
    """

    parts: int
    already: int
    records: int
    rejects: int
    decoys: int = 0


def part_digest(digest: str, number: int) -> str:
    return hashlib.sha256(f"{digest}/{number}".encode()).hexdigest()


def load_files(
    office: Office,
    files: Sequence[Path],
    *,
    source: str | None = None,
    mapping: Mapping | None = None,
    as_recorded: bool = True,
    progress: Callable[[Receipt], None] = lambda _: None,
) -> Loaded:
    """Take files of crossings, status changes or encodings into the ledger.

    History: events are dated by what the records say (``as_recorded``), so that what was known
    on a past day can be asked for.
    """
    loaded = Loaded(0, 0, 0, 0)
    with Desk(office) as desk:
        for path in in_turn(files):
            if meant_as_decoys(path):
                for asked in read_decoys(path, source=source):
                    receipt = desk.ask(asked)
                    loaded = _with(loaded, receipt, 0 if receipt.already else asked.decoys.height)
                continue
            for part in read_parts(office, path, source=source, mapping=mapping):
                receipt = desk.take(encode_parts([part], office)[0], as_recorded=as_recorded)
                progress(receipt)
                loaded = _with(loaded, receipt, 0)
    return loaded


def _with(loaded: Loaded, receipt: Receipt, decoys: int) -> Loaded:
    return Loaded(
        loaded.parts + (not receipt.already),
        loaded.already + receipt.already,
        loaded.records + receipt.records,
        loaded.rejects + receipt.rejects,
        loaded.decoys + decoys,
    )


def read_decoys(path: Path, *, source: str | None) -> Iterator[Asked]:
    """Read one file of decoys part by part. Raises ReadError where it holds anything else."""
    digest = file_digest(path)
    for number, part in enumerate(decoy_parts(path)):
        yield Asked(part_digest(digest, number), source or path.stem, part)


def read_parts(
    office: Office, path: Path, *, source: str | None, mapping: Mapping | None = None
) -> Iterator[Delivered | Intake]:
    """Read one file part by part; what an edge has encoded is an intake already.

    Raises ReadError where it holds decoys, whatever it is called.
    """
    refuse_decoys(path)
    digest = file_digest(path)
    name = source or path.stem
    if is_encoded(path):
        for number, part in enumerate(encoded_parts(path)):
            status = part if "status_ref" in part.columns else None
            yield encoded_intake(
                part_digest(digest, number), name, None if status is not None else part, status
            )
        return
    readings = read_file(
        path, office.policy.read, source=source, now=office.clock(), mapping=mapping,
        chunk_rows=PART_ROWS,
    )  # fmt: skip
    for number, reading in enumerate(readings):
        yield Delivered(part_digest(digest, number), name, reading)


def encode_parts(parts: Sequence[Delivered | Intake], office: Office) -> list[Intake]:
    """Parts, encoded together, in their order."""
    plain = [p for p in parts if isinstance(p, Delivered)]
    encoded = iter(encode_readings(plain, office) if plain else ())
    return [next(encoded) if isinstance(p, Delivered) else p for p in parts]
