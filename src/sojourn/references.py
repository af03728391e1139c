"""References of 16 bytes: a column of them, and the same as two columns of numbers.

In: a Binary column, or two arrays of 64 bits. Out: the other. The numbers sort like the bytes.
Columns are made and read as buffers: a Python object for each of a million rows takes a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sojourn.errors import LinkageError

REF_BYTES = 16
_WORD = np.dtype(">u8")
_WRONG = "crossing_ref: expected 16 bytes in every row"


def join_refs(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pl.Series:
    """A Binary column of the first and the last 8 bytes of each reference."""
    raw: Any = np.stack([high, low], axis=1).astype(_WORD)
    ends: Any = np.arange(high.size + 1, dtype=np.int64) * REF_BYTES
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(raw)]
    return pl.Series(pa.LargeBinaryArray.from_buffers(pa.large_binary(), high.size, buffers))


def ref_parts(refs: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The inverse. Raises LinkageError where a row has not 16 bytes."""
    if not len(refs):
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    array = refs.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if array.type != pa.large_binary() or array.null_count:
        raise LinkageError(_WRONG)
    buffers: list[Any] = array.buffers()
    ends = np.frombuffer(buffers[1], np.int64)[array.offset : array.offset + len(array) + 1]
    if (np.diff(ends) != REF_BYTES).any():
        raise LinkageError(_WRONG)
    return halves(memoryview(buffers[2])[ends[0] : ends[-1]], len(refs))


def halves(raw: bytes | memoryview, count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """References one after the other as numbers."""
    if len(raw) != REF_BYTES * count:
        raise LinkageError(_WRONG)
    words = np.frombuffer(raw, _WORD).astype(np.uint64).reshape(-1, 2)
    return np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])
