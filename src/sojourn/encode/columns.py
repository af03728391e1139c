"""What the kernel of match keys is given, fills, and works with: columns as plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.encode.lanes import Lanes


class Secrets(NamedTuple):
    """Prepared key states: ``inner`` and ``outer`` (a row of 8 words a kind); who is in use."""

    inner: NDArray[np.uint32]
    outer: NDArray[np.uint32]
    enabled: NDArray[np.bool_]


class Columns(NamedTuple):
    """The records: byte buffers with offsets (n+1), date parts, sex, nation (0: unknown)."""

    s_off: NDArray[np.int64]
    s_buf: NDArray[np.uint8]
    g_off: NDArray[np.int64]
    g_buf: NDArray[np.uint8]
    d_off: NDArray[np.int64]
    d_buf: NDArray[np.uint8]
    year: NDArray[np.int32]
    month: NDArray[np.int32]
    day: NDArray[np.int32]
    sex: NDArray[np.uint8]
    nation: NDArray[np.uint32]  # alpha-3, its letters' codes in the lowest three bytes


class Made(NamedTuple):
    """What comes out: ``counts`` (n), ``kinds`` and ``keys`` (n, KEYS_ROOM)."""

    counts: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    keys: NDArray[np.uint64]


class Bench(NamedTuple):
    """Scratch of one thread: the names and tokens of the record at hand, and HMAC's room."""

    names: NDArray[np.uint8]
    at: NDArray[np.int32]
    size: NDArray[np.int32]
    t_at: NDArray[np.int32]
    t_size: NDArray[np.int32]
    k_buf: NDArray[np.uint8]
    k_size: NDArray[np.int32]
    joined: NDArray[np.uint8]  # a side without its blanks
    sides: NDArray[np.uint8]  # both sides' sounds, and how long they are
    side_size: NDArray[np.int32]
    message: NDArray[np.uint8]
    state: NDArray[np.uint32]
    w: NDArray[np.uint32]
    scratch: NDArray[np.uint8]
    lanes: Lanes
    row: NDArray[np.int64]  # whose key each lane is, and which of theirs
    place: NDArray[np.int64]
    filled: NDArray[np.int64]  # (1): lanes in use
