"""What an edge hands over, read back and checked: encodings, and decoys in a file of their own.

In: Parquet files. Out: ENCODINGS, STATUS_ENCODINGS or DECOYS, part by part. A file's name says what
it is meant as (``NAME.decoys.parquet``: decoys), its columns and its mark say what it is, and all
must agree: decoys never pass for records, nor records for decoys. Raises ReadError where they do
not, SchemaError where a column is not what it should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from sojourn.errors import ReadError
from sojourn.pipeline.spool import write_private
from sojourn.schemas import DECOYS, ENCODINGS, STATUS_ENCODINGS, check_table

PART_ROWS = 100_000
DECOYS_ENDING = ".decoys.parquet"
_MARK = {"sojourn.holds": "decoys"}


def decoys_beside(path: Path) -> Path:
    """Where the decoys of an encodings' file go."""
    return path.with_name(path.stem + DECOYS_ENDING)


def meant_as_decoys(path: Path) -> bool:
    return path.name.endswith(DECOYS_ENDING)


def in_turn(files: Sequence[Path]) -> list[Path]:
    """Files in their order, but decoys after the file that they lie beside, or else at the end."""
    records = [f for f in files if not meant_as_decoys(f)]
    decoys = [f for f in files if meant_as_decoys(f)]
    out: list[Path] = []
    for file in records:
        out += [file, *(d for d in decoys if d == decoys_beside(file))]
    return out + [d for d in decoys if d not in out]


def write_decoys(decoys: pl.DataFrame, path: Path) -> None:
    """DECOYS to a file of mode 0600 that says what it holds."""
    write_private(path, lambda file: decoys.write_parquet(file, metadata=_MARK))


def is_encoded(path: Path) -> bool:
    """Whether a file holds encodings: Parquet with their columns, whatever it is called."""
    columns = _columns(path)
    return "match_keys" in columns and bool({"crossing_ref", "status_ref"} & columns)


def refuse_decoys(path: Path) -> None:
    """Raise ReadError where a file that is meant as records holds decoys."""
    if _marked(path) or "decoy_ref" in _columns(path):
        raise ReadError(
            "expected records, found decoys: they are of nobody and are counted alone; "
            f"hand them over under a name that ends in {DECOYS_ENDING}"
        )


def decoy_parts(path: Path) -> Iterator[pl.DataFrame]:
    """DECOYS of a file, PART_ROWS at a time."""
    if not _marked(path) or _columns(path) != set(DECOYS.names):
        raise ReadError(
            f"expected decoys, for the name ends in {DECOYS_ENDING}, found another file; "
            "make it with 'sojourn encode', or give records a name of another ending"
        )
    for part in _parts(path, DECOYS.names):
        decoys = DECOYS.conform(part)
        check_table(decoys, DECOYS)
        _check_keys(decoys)
        yield decoys


def encoded_parts(path: Path) -> Iterator[pl.DataFrame]:
    """ENCODINGS or STATUS_ENCODINGS of a file, PART_ROWS at a time."""
    table = STATUS_ENCODINGS if "status_ref" in _columns(path) else ENCODINGS
    for part in _parts(path):
        encodings = table.conform(part)
        _check_keys(encodings)
        yield encodings


def _parts(path: Path, names: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    scanned = pl.scan_parquet(path)
    picked = scanned if names is None else scanned.select(names)
    rows = scanned.select(pl.len()).collect().item()
    for start in range(0, rows, PART_ROWS):
        yield picked.slice(start, PART_ROWS).collect()


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _columns(path: Path) -> set[str]:
    """The columns of a Parquet file; none where it is another file or cannot be read."""
    try:
        return set(pl.read_parquet_schema(path)) if _is_parquet(path) else set()
    except (pl.exceptions.PolarsError, OSError):
        return set()


def _marked(path: Path) -> bool:
    try:
        found = pl.read_parquet_metadata(path) if _is_parquet(path) else {}
    except (pl.exceptions.PolarsError, OSError):
        return False
    return all(found.get(name) == said for name, said in _MARK.items())


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
