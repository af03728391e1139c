"""HMAC-SHA-256 over many messages at once, compiled (RFC 2104 over FIPS 180-4).

In: a buffer of messages with offsets, and a key's two prepared states. Out: digests.
``prepare`` runs a known answer against the standard library each time a key is set up and
refuses to go on if they differ. The standard library does one key in about 1.8 microseconds;
a record needs a dozen (ADR 0003).
"""

from __future__ import annotations

import hmac
import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.errors import SetupError

BLOCK = 64
_MASK = (1 << 32) - 1


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_bits(prime: int, root: int) -> int:
    """First 32 bits of the fractional part of a prime's square or cube root (FIPS 180-4, 4.2.2)."""
    if root == 2:
        return math.isqrt(prime << 64) & _MASK
    scaled = prime << 96
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= scaled else (low, middle - 1)
    return low & _MASK


_INITIAL = np.array([_root_bits(p, 2) for p in _primes(8)], dtype=np.uint32)
_ROUNDS = np.array([_root_bits(p, 3) for p in _primes(64)], dtype=np.uint32)


@nb.njit(inline="always")
def _rotate(x: np.uint32, n: int) -> np.uint32:
    return np.uint32((x >> np.uint32(n)) | (x << np.uint32(32 - n)))


@nb.njit(cache=True, nogil=True)
def compress(
    state: NDArray[np.uint32], buffer: NDArray[np.uint8], at: int, w: NDArray[np.uint32]
) -> None:
    """One SHA-256 block of ``buffer`` from ``at`` into ``state``, in place; ``w`` is scratch."""
    for i in range(16):
        j = at + 4 * i
        w[i] = (
            (np.uint32(buffer[j]) << np.uint32(24))
            | (np.uint32(buffer[j + 1]) << np.uint32(16))
            | (np.uint32(buffer[j + 2]) << np.uint32(8))
            | np.uint32(buffer[j + 3])
        )
    for i in range(16, 64):
        x, y = w[i - 15], w[i - 2]
        s0 = _rotate(x, 7) ^ _rotate(x, 18) ^ np.uint32(x >> np.uint32(3))
        s1 = _rotate(y, 17) ^ _rotate(y, 19) ^ np.uint32(y >> np.uint32(10))
        w[i] = np.uint32(w[i - 16] + s0 + w[i - 7] + s1)
    a, b, c, d = state[0], state[1], state[2], state[3]
    e, f, g, h = state[4], state[5], state[6], state[7]
    for i in range(64):
        s1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
        t1 = np.uint32(h + s1 + ((e & f) ^ (~e & g)) + _ROUNDS[i] + w[i])
        s0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
        t2 = np.uint32(s0 + ((a & b) ^ (a & c) ^ (b & c)))
        h, g, f, e = g, f, e, np.uint32(d + t1)
        d, c, b, a = c, b, a, np.uint32(t1 + t2)
    state[0] = np.uint32(state[0] + a)
    state[1] = np.uint32(state[1] + b)
    state[2] = np.uint32(state[2] + c)
    state[3] = np.uint32(state[3] + d)
    state[4] = np.uint32(state[4] + e)
    state[5] = np.uint32(state[5] + f)
    state[6] = np.uint32(state[6] + g)
    state[7] = np.uint32(state[7] + h)


@nb.njit(cache=True, nogil=True)
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


@nb.njit(cache=True, nogil=True)
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
    state[:] = inner
    finish(state, message, length, w)
    for i in range(8):
        for j in range(4):
            scratch[4 * i + j] = np.uint8((state[i] >> np.uint32(24 - 8 * j)) & np.uint32(0xFF))
    state[:] = outer
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
        start, stop = chunk * step, min(count, (chunk + 1) * step)
        longest = 0
        for i in range(start, stop):
            longest = max(longest, offsets[i + 1] - offsets[i])
        message = np.empty(longest + 2 * BLOCK, np.uint8)
        scratch = np.empty(2 * BLOCK, np.uint8)
        w = np.empty(64, np.uint32)
        for i in range(start, stop):
            length = offsets[i + 1] - offsets[i]
            message[:length] = messages[offsets[i] : offsets[i + 1]]
            hmac_state(inner, outer, message, length, out[i], w, scratch)


def prepare(secret: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The states after the padded key's blocks: (inner, outer), 8 words each.

    ``secret`` must be at most 64 bytes (ours are 32). Raises SetupError if this machine's
    compiled code does not agree with the standard library.
    """
    padded = np.zeros(BLOCK, np.uint8)
    padded[: len(secret)] = np.frombuffer(secret, np.uint8)
    inner, outer = _INITIAL.copy(), _INITIAL.copy()
    w = np.empty(64, np.uint32)
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
        inner, outer, message, len(known), state, np.empty(64, np.uint32),
        np.empty(2 * BLOCK, np.uint8),
    )  # fmt: skip
    if state.astype(">u4").tobytes() != hmac.digest(secret, known, "sha256"):
        raise SetupError(
            "the compiled HMAC-SHA-256 does not agree with the standard library on this machine: "
            "nothing was encoded. Clear numba's cache; if it stays, report it."
        )
