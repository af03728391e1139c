"""Names as bytes: tokens, particles, sound skeletons, comparisons (compiled).

In: a buffer of A-Z and blanks with positions. Out: positions, lengths, letters written into the
caller's room. ``kernel`` puts them together; every rule mirrors one in sounds.py.
"""

# ruff: noqa: SIM109, SIM110  numba compiles plain loops and comparisons
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.encode.sounds import BARE_LETTERS, JOINED, PARTICLES, SKELETON_LETTERS

_BLANK = ord(" ")


def _rows(words: Sequence[str]) -> NDArray[np.uint8]:
    """Words as rows of bytes, filled with noughts."""
    table = np.zeros((len(words), max(map(len, words))), np.uint8)
    for row, word in enumerate(words):
        table[row, : len(word)] = np.frombuffer(word.encode(), np.uint8)
    return table


_PARTICLES = _rows(sorted(PARTICLES))
_WIDEST = _PARTICLES.shape[1]
_JOINED = _rows(JOINED)

A, B, C, D, E, F, G, H, I, J, K, L, M = (ord(c) for c in "ABCDEFGHIJKLM")  # noqa: E741
N, O, P, Q, R, S, T, U, V, W, X, Y, Z = (ord(c) for c in "NOPQRSTUVWXYZ")  # noqa: E741


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
def _vowel(c: int) -> bool:
    return c == A or c == E or c == I or c == O or c == U


@lean
def _sun(c: int) -> bool:
    return c == D or c == N or c == R or c == S or c == T or c == Z


@lean
def article(buf: NDArray[np.uint8], at: int, length: int) -> int:
    """How many letters of the token are a joined article (sounds.article)."""
    if length <= BARE_LETTERS:
        return 0
    size = _article(buf, at, length)
    if size == 0 or length - size < BARE_LETTERS:
        return 0
    first = 0
    for i in range(at + size, at + length):
        c = buf[i]
        if _vowel(c) or c == H or c == W or c == Y:
            continue
        if first == 0:
            first = c
        elif c != first:
            return size
    return 0


@lean
def _article(buf: NDArray[np.uint8], at: int, length: int) -> int:
    """Of a token of five letters or more."""
    a, b, c = buf[at], buf[at + 1], buf[at + 2]
    if (a == A or a == E) and b == B and c == D:
        return _servant(buf, at, length)
    if (a == A or a == E) and b == L:
        if _vowel(c):
            return 2 if a == A and length >= 7 and (c == A or c == O or c == U) else 0
        return 0 if c == L else 2
    if a == E:
        return 2 if b == c and _sun(b) else 0
    if a != V and a != D:
        return 0
    for row in range(_JOINED.shape[0]):
        size = 0
        while size < _JOINED.shape[1] and _JOINED[row, size] != 0:
            if size >= length or _JOINED[row, size] != buf[at + size]:
                size = -1
                break
            size += 1
        if size > 0:
            return 0 if size < length and _vowel(buf[at + size]) else size
    return 0


@lean
def _servant(buf: NDArray[np.uint8], at: int, length: int) -> int:
    i, stop = at + 3, at + length
    while i < stop and _vowel(buf[i]):
        i += 1
    if i < stop:
        if buf[i] == L:
            return i + 1 - at
        if i > at + 3 and i + 1 < stop and buf[i] == buf[i + 1] and _sun(buf[i]):
            return i + 1 - at
    return 0


@lean
def _fold(buf: NDArray[np.uint8], i: int, start: int, stop: int) -> tuple[int, int]:
    """The sound at ``i`` (0: none) and how many letters it took (sounds.sound_at)."""
    c = buf[i]
    n = buf[i + 1] if i + 1 < stop else 0
    m = buf[i + 2] if i + 2 < stop else 0
    if c == V or c == W:
        if i > start and not _vowel(n) and n != Y:
            return (U if (c == W and n != 0) or not _vowel(buf[i - 1]) else V), 1
        return V, 1
    if c == J or c == Y:
        return I, 1
    if c == C or c == S or c == T or c == D:
        return _hissed(buf, i, start, stop)
    if _vowel(c):
        if c == O and n == U and i == start and _vowel(m):
            return V, 2
        if (n == E and (c == A or c == O or c == U)) or (c == O and n == U):
            return (U if n == U else c), 2
        if (c == E and (n == E or n == I)) or (c == I and n == E):
            return I, 2
        return c, 1
    if c == K:
        return (S, 2) if n == S else (H, 2) if n == H else (K, 1)
    if c == H:
        return S if n == S else H, 2 if n == S else 1
    if c == P and n == H:
        return F, 2
    if c == G and n == N:
        return N, 2
    if i == start and ((c == M and n == P) or (c == N and n == T) or (c == G and n == K)):
        return (B if c == M else D if c == N else G), 2
    if c == X:
        return _escaped(n, m, i + 3 >= stop)
    if c == Q:
        return K, 1
    return (S if c == Z else c), 1


@lean
def _hissed(buf: NDArray[np.uint8], i: int, start: int, stop: int) -> tuple[int, int]:
    """What begins with C, D, S, T."""
    c = buf[i]
    n = buf[i + 1] if i + 1 < stop else 0
    m = buf[i + 2] if i + 2 < stop else 0
    if c == C:
        if n == E or n == I or n == Y:
            return S, 1
        if n == H or n == Z or n == S:
            return S, 2
        return K, 2 if n == K else 1
    if c == S:
        return S, 3 if n == C and m == H else 2 if n == H else 1
    if c == T:
        if n == C and m == H:
            return S, 3
        if n == S:
            long = m == C and i + 3 < stop and buf[i + 3] == H
            return S, 4 if long else 2
        return (S, 2) if n == Z else (T, 1)
    if n == S and m == C and i + 3 < stop and buf[i + 3] == H:
        return S, 4
    if n == J:
        return I, 2
    return (I, 3) if i == start and n == Z and m == H else (D, 1)


@lean
def _escaped(n: int, m: int, last: bool) -> tuple[int, int]:
    """What begins with X, followed by ``n`` and ``m``; ``last``: nothing comes after ``m``."""
    if n == D and m == Z:
        return D, 3
    if n == J or n == C:
        return S, 2
    if n == A and (m == A or m == E or (last and (m == H or m == Y))):
        return A, 3
    return (S if n == 0 or _vowel(n) else 0), 1


@lean
def skeleton(buf: NDArray[np.uint8], start: int, stop: int, out: NDArray[np.uint8], at: int) -> int:
    """Write the skeleton at ``out[at:]``; return its length (sounds.skeleton_of)."""
    size, i, last = 0, start, 0
    while i < stop and size < SKELETON_LETTERS:
        sound, taken = _fold(buf, i, start, stop)
        i += taken
        if sound == 0 or sound == last:
            continue
        if size > 0 and (_vowel(sound) or sound == H):
            continue
        out[at + size] = sound
        size += 1
        last = sound
    if size > 0:
        out[at] = _first(out[at])
    return size


@lean
def _first(c: int) -> int:
    if c == B:
        return P
    if c == D:
        return T
    if c == G:
        return K
    return A if _vowel(c) else c


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
