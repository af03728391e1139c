"""Files in bulk: read or encoded, part by part, resumable.

Each part is a batch of its own, under a digest made of the file's and its number, so a load
that was cut short goes on where it stopped and one that is run again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sojourn.errors import ReadError
from sojourn.ledger import Receipt
from sojourn.pipeline.intake import Delivered, Desk, Intake, encode_readings, encoded_intake
from sojourn.pipeline.office import Office
from sojourn.read import Mapping, file_digest, read_file
from sojourn.schemas import ENCODINGS, STATUS_ENCODINGS

PART_ROWS = 100_000


@dataclass(frozen=True)
class Loaded:
    """What a load did: parts committed now, parts that were there already, records, rejects."""

    parts: int
    already: int
    records: int
    rejects: int


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
        for path in files:
            for part in read_parts(office, path, source=source, mapping=mapping):
                receipt = desk.take(encode_parts([part], office)[0], as_recorded=as_recorded)
                progress(receipt)
                loaded = Loaded(
                    loaded.parts + (not receipt.already),
                    loaded.already + receipt.already,
                    loaded.records + receipt.records,
                    loaded.rejects + receipt.rejects,
                )
    return loaded


def read_parts(
    office: Office, path: Path, *, source: str | None, mapping: Mapping | None = None
) -> Iterator[Delivered | Intake]:
    """Read one file part by part; what an edge has encoded is an intake already."""
    digest = file_digest(path)
    name = source or path.stem
    if is_encoded(path):
        for number, part in enumerate(_encoded_parts(path)):
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


def is_encoded(path: Path) -> bool:
    """Whether a file holds encodings: Parquet with their columns, whatever it is called."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return False
        columns = set(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError):
        return False
    return "match_keys" in columns and bool({"crossing_ref", "status_ref"} & columns)


def _encoded_parts(path: Path) -> Iterator[pl.DataFrame]:
    scanned = pl.scan_parquet(path)
    table = STATUS_ENCODINGS if "status_ref" in scanned.collect_schema() else ENCODINGS
    rows = scanned.select(pl.len()).collect().item()
    for start in range(0, rows, PART_ROWS):
        part = table.conform(scanned.slice(start, PART_ROWS).collect())
        _check_keys(part)
        yield part


def _check_keys(part: pl.DataFrame) -> None:
    """Raise ReadError unless each match key has its kind: compiled code trusts it."""
    keys, kinds = pl.col("match_keys"), pl.col("key_kinds")
    uneven = keys.list.len() != kinds.list.len()
    holes = [lists.list.eval(pl.element().is_null()).list.any() for lists in (keys, kinds)]
    if part.select(pl.any_horizontal(uneven, *holes).any()).item():
        raise ReadError(
            "encodings: expected a kind for each match key and no nulls among them; "
            "make the file again with 'sojourn encode'"
        )
