"""Tables to rows and back, and match keys to bytes and back: no loop per key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from sojourn.schemas import ENCODINGS, Table

KEY_BYTES = 9  # a u64 and a u8


def to_rows(frame: pl.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows as the drivers want them: integers for times and dates, text for closed words."""
    return frame.select(_stored(frame.schema[name], name) for name in columns).rows()


def _stored(dtype: pl.DataType, name: str) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Enum):
        return column.cast(pl.String)
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return column.to_physical()
    return column


def from_rows(
    rows: Sequence[Any], columns: Sequence[str], table: Table, *, and_blobs: bool = False
) -> pl.DataFrame:
    """The other way: stored rows with ``columns``, typed as ``table`` says; others as they are.

    ``and_blobs``: the rows are plain tuples that end in one more value, which is left out.
    """
    types = dict(table.schema)
    raw = {name: _raw(types.get(name, pl.Binary())) for name in columns}
    if and_blobs:
        turned = list(zip(*rows, strict=True)) or [()] * (len(columns) + 1)
        series = [
            pl.Series(name, values, dtype=dtype, strict=False)
            for (name, dtype), values in zip(raw.items(), turned[:-1], strict=True)
        ]
        frame = pl.DataFrame(series)
    else:
        frame = pl.DataFrame([tuple(r) for r in rows], schema=raw, orient="row")
    return frame.with_columns(pl.col(n).cast(types[n]) for n in columns if n in types)


def _raw(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType | type[pl.DataType]:
    if isinstance(dtype, pl.Enum):
        return pl.String
    if isinstance(dtype, pl.Datetime):
        return pl.Int64
    return pl.Int32 if dtype == pl.Date else dtype


def pack_keys(encodings: pl.DataFrame) -> list[bytes]:
    """One blob a report: its keys (u64, little-endian), then their kinds (u8)."""
    offsets, keys = _parts(encodings["match_keys"])
    _, kinds = _parts(encodings["key_kinds"])
    raw_keys = keys.astype("<u8").tobytes()
    raw_kinds = kinds.astype("u1").tobytes()
    edges = offsets.tolist()
    return [raw_keys[8 * a : 8 * b] + raw_kinds[a:b] for a, b in pairwise(edges)]


def unpack_keys(blobs: Sequence[bytes]) -> list[pl.Series]:
    """The columns key_kinds and match_keys of many blobs."""
    sizes = np.fromiter((len(b) for b in blobs), np.int64, len(blobs)) // KEY_BYTES
    data = np.frombuffer(b"".join(blobs), np.uint8)
    starts = np.concatenate([[0], np.cumsum(sizes * KEY_BYTES)])[:-1]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    at_key = np.repeat(starts, sizes) + 8 * within
    at_kind = np.repeat(starts + 8 * sizes, sizes) + within
    keys = np.zeros(offsets[-1], np.uint64)
    for byte in range(8):
        keys |= data[at_key + byte].astype(np.uint64) << np.uint64(8 * byte)
    return [
        _lists("key_kinds", offsets, data[at_kind] if data.size else np.empty(0, np.uint8)),
        _lists("match_keys", offsets, keys),
    ]


def _parts(column: pl.Series) -> tuple[Any, Any]:
    array = column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    offsets = np.asarray(array.offsets).astype(np.int64)  # type: ignore[attr-defined]
    return offsets - offsets[0], np.asarray(array.flatten())  # type: ignore[attr-defined]


def _lists(name: str, offsets: Any, values: Any) -> pl.Series:
    dtype = ENCODINGS.schema[name]
    array = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values))
    return pl.Series(name, array).cast(dtype)
