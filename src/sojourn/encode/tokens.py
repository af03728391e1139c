"""Names as bytes: tokens, particles, sound skeletons, comparisons (compiled).

In: a buffer of A-Z and blanks with positions. Out: positions, lengths, letters written into the
caller's room. ``kernel`` puts them together; every rule mirrors one in matchkeys.py.
"""

# ruff: noqa: SIM109, SIM110  numba compiles plain loops and comparisons
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.encode.matchkeys import PARTICLES, SKELETON_LETTERS

_BLANK = ord(" ")
_WIDEST = max(len(p) for p in PARTICLES)
_PARTICLES = np.zeros((len(PARTICLES), _WIDEST), np.uint8)
for _row, _word in enumerate(sorted(PARTICLES)):
    _PARTICLES[_row, : len(_word)] = np.frombuffer(_word.encode(), np.uint8)

A, C, D, E, F, H, I, J = (ord(c) for c in "ACDEFHIJ")  # noqa: E741
K, O, P, Q, S, T, U, V = (ord(c) for c in "KOPQSTUV")  # noqa: E741
W, X, Y, Z = (ord(c) for c in "WXYZ")


@lean
def same(a: NDArray[np.uint8], a0: int, an: int, b: NDArray[np.uint8], b0: int, bn: int) -> bool:
    if an != bn:
        return False
    for i in range(an):
        if a[a0 + i] != b[b0 + i]:
            return False
    return True


@lean
def before(a: NDArray[np.uint8], a0: int, an: int, b: NDArray[np.uint8], b0: int, bn: int) -> bool:
    for i in range(min(an, bn)):
        if a[a0 + i] != b[b0 + i]:
            return bool(a[a0 + i] < b[b0 + i])
    return an < bn


@lean
def particle(buf: NDArray[np.uint8], at: int, length: int) -> bool:
    if length > _WIDEST:
        return False
    for row in range(_PARTICLES.shape[0]):
        same = True
        for i in range(_WIDEST):
            if _PARTICLES[row, i] != (buf[at + i] if i < length else 0):
                same = False
                break
        if same:
            return True
    return False


@lean
def split(
    buf: NDArray[np.uint8], start: int, stop: int, at: NDArray[np.int32], size: NDArray[np.int32],
    count: int,
) -> int:  # fmt: skip
    """Note the words of ``buf[start:stop]`` after the ``count`` noted before; the new count."""
    i = start
    while i < stop:
        while i < stop and buf[i] == _BLANK:
            i += 1
        j = i
        while j < stop and buf[j] != _BLANK:
            j += 1
        if j > i:
            at[count], size[count] = i, j - i
            count += 1
        i = j
    return count


@lean
def _fold(buf: NDArray[np.uint8], i: int, stop: int) -> tuple[int, int]:
    """The sound at ``i`` and how many letters it took (matchkeys._FOLDS, same order)."""
    c = buf[i]
    n = buf[i + 1] if i + 1 < stop else 0
    if c == S and n == C and i + 2 < stop and buf[i + 2] == H:
        return S, 3
    if n == H:
        if c == C or c == S:
            return S, 2
        if c == K:
            return H, 2
        if c == P:
            return F, 2
    if c == C and n == K:
        return K, 2
    if c == T and n == S:
        return S, 2
    if n == E:
        if c == A:
            return A, 2
        if c == O:
            return O, 2
        if c == U:
            return U, 2
    if c == O and n == U:
        return U, 2
    if (c == E and (n == E or n == I)) or (c == I and n == E):
        return I, 2
    if c == J or c == Y:
        return I, 1
    if c == W:
        return V, 1
    if c == C or c == Q:
        return K, 1
    if c == X or c == Z:
        return S, 1
    return c, 1


@lean
def skeleton(buf: NDArray[np.uint8], start: int, stop: int, out: NDArray[np.uint8], at: int) -> int:
    """Write the skeleton at ``out[at:]``; return its length."""
    size, i = 0, start
    last, first = 0, True
    while i < stop and size < SKELETON_LETTERS:
        sound, taken = _fold(buf, i, stop)
        i += taken
        dropped = sound == A or sound == E or sound == I or sound == O or sound == U or sound == H
        if first or not dropped:
            if first or sound != last:
                out[at + size] = sound
                size += 1
            last = sound
        first = False
    return size


@lean
def digits(message: NDArray[np.uint8], at: int, value: int, width: int) -> int:
    for i in range(width):
        message[at + width - 1 - i] = ord("0") + value % 10
        value //= 10
    return at + width


@lean
def copy(
    message: NDArray[np.uint8], at: int, buf: NDArray[np.uint8], start: int, length: int
) -> int:
    for i in range(length):
        message[at + i] = buf[start + i]
    return at + length
