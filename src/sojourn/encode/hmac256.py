"""HMAC-SHA-256 over many messages at once, compiled (RFC 2104 over FIPS 180-4).

In: a buffer of messages with offsets, and a key's two prepared states. Out: digests.
``prepare`` runs a known answer against the standard library each time a key is set up and
refuses to go on if they differ. The standard library does one key in about 1.8 microseconds;
a record needs a dozen (ADR 0003).
"""

from __future__ import annotations

import hmac

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.encode.lanes import (
    BLOCK,
    INITIAL,
    LANES,
    MOST_BYTES,
    Lanes,
    load_lane,
    new_lanes,
    next_state,
    run_lanes,
)
from sojourn.errors import SetupError


@lean
def compress(
    state: NDArray[np.uint32], buffer: NDArray[np.uint8], at: int, w: NDArray[np.uint32]
) -> None:
    """One block of ``buffer`` from ``at`` into ``state``, in place; ``w``: scratch."""
    for i in range(16):
        j = at + 4 * i
        w[i] = (
            (np.uint32(buffer[j]) << np.uint32(24))
            | (np.uint32(buffer[j + 1]) << np.uint32(16))
            | (np.uint32(buffer[j + 2]) << np.uint32(8))
            | np.uint32(buffer[j + 3])
        )
    next_state(state, w)


@lean
def finish(
    state: NDArray[np.uint32], message: NDArray[np.uint8], length: int, w: NDArray[np.uint32]
) -> None:
    """Take in a whole message after one earlier block, padding it in place (80 bytes of room)."""
    message[length] = 0x80
    end = length + 1
    while end % BLOCK != BLOCK - 8:
        message[end] = 0
        end += 1
    bits = (BLOCK + length) * 8
    for i in range(8):
        message[end + i] = np.uint8((bits >> (8 * (7 - i))) & 0xFF)
    for at in range(0, end + 8, BLOCK):
        compress(state, message, at, w)


@lean
def hmac_state(
    inner: NDArray[np.uint32],
    outer: NDArray[np.uint32],
    message: NDArray[np.uint8],
    length: int,
    state: NDArray[np.uint32],
    w: NDArray[np.uint32],
    scratch: NDArray[np.uint8],
) -> None:
    """The HMAC's eight words in ``state``. ``message`` and ``scratch`` are overwritten."""
    for i in range(8):
        state[i] = inner[i]
    finish(state, message, length, w)
    for i in range(8):
        for j in range(4):
            scratch[4 * i + j] = np.uint8((state[i] >> np.uint32(24 - 8 * j)) & np.uint32(0xFF))
    for i in range(8):
        state[i] = outer[i]
    finish(state, scratch, 32, w)


@nb.njit(cache=True, nogil=True, parallel=True)
def hmac_many(
    offsets: NDArray[np.int64],
    messages: NDArray[np.uint8],
    inner: NDArray[np.uint32],
    outer: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """Words of HMAC(key, message i) into ``out[i]`` (n, 8) for every message of the buffer."""
    count = offsets.size - 1
    step = 1024
    for chunk in nb.prange((count + step - 1) // step):
        # A call and nothing else: numba 0.68 loses stores to arrays in a parallel loop's own body.
        start, stop = chunk * step, min(count, (chunk + 1) * step)
        _hmac_chunk(start, stop, offsets, messages, inner, outer, out)


@nb.njit(cache=True, nogil=True)
def _hmac_chunk(
    start: int, stop: int, offsets: NDArray[np.int64], messages: NDArray[np.uint8],
    inner: NDArray[np.uint32], outer: NDArray[np.uint32], out: NDArray[np.uint32],
) -> None:  # fmt: skip
    longest = 0
    for i in range(start, stop):
        longest = max(longest, offsets[i + 1] - offsets[i])
    message = np.empty(longest + 2 * BLOCK, np.uint8)
    scratch = np.empty(2 * BLOCK, np.uint8)
    w = np.empty(16, np.uint32)
    lanes = new_lanes()
    waiting = np.empty(LANES, np.int64)
    filled = 0
    for i in range(start, stop):
        length = offsets[i + 1] - offsets[i]
        message[:length] = messages[offsets[i] : offsets[i + 1]]
        if length > MOST_BYTES:
            hmac_state(inner, outer, message, length, out[i], w, scratch)
            continue
        load_lane(lanes, filled, message, length, inner, outer)
        waiting[filled] = i
        filled += 1
        if filled == LANES:
            _unload(lanes, waiting, filled, out)
            filled = 0
    _unload(lanes, waiting, filled, out)


@lean
def _unload(lanes: Lanes, waiting: NDArray[np.int64], filled: int, out: NDArray[np.uint32]) -> None:
    run_lanes(lanes)
    for lane in range(filled):
        for word in range(8):
            out[waiting[lane], word] = lanes.digest[word, lane]


def prepare(secret: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The states after the padded key's blocks: (inner, outer), 8 words each.

    ``secret`` must be at most 64 bytes (ours are 32). Raises SetupError if this machine's
    compiled code does not agree with the standard library.
    """
    padded = np.zeros(BLOCK, np.uint8)
    padded[: len(secret)] = np.frombuffer(secret, np.uint8)
    inner, outer = INITIAL.copy(), INITIAL.copy()
    w = np.empty(16, np.uint32)
    compress(inner, padded ^ np.uint8(0x36), 0, w)
    compress(outer, padded ^ np.uint8(0x5C), 0, w)
    _check_known_answer(secret, inner, outer)
    return inner, outer


def _check_known_answer(
    secret: bytes, inner: NDArray[np.uint32], outer: NDArray[np.uint32]
) -> None:
    known = b"Sojourn: known answer"
    message = np.zeros(3 * BLOCK, np.uint8)
    message[: len(known)] = np.frombuffer(known, np.uint8)
    state = np.empty(8, np.uint32)
    hmac_state(
        inner, outer, message, len(known), state, np.empty(16, np.uint32),
        np.empty(2 * BLOCK, np.uint8),
    )  # fmt: skip
    words = np.empty((1, 8), np.uint32)
    # As hmac_many does for each share of the work: to wake all cores for one message takes longer
    # than to encode a record.
    _hmac_chunk(
        0, 1, np.array([0, len(known)], np.int64), np.frombuffer(known, np.uint8), inner, outer,
        words,
    )  # fmt: skip
    expected = hmac.digest(secret, known, "sha256")
    if any(found.astype(">u4").tobytes() != expected for found in (state, words[0])):
        raise SetupError(
            "the compiled HMAC-SHA-256 does not agree with the standard library on this machine: "
            "nothing was encoded. Clear numba's cache; if it stays, report it."
        )
