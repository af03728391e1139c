"""The compiled twin of ``sojourn.encode.matchkeys``: whole columns of records at once.

In: names and documents as byte buffers with offsets, date parts, sex, prepared key states.
Out: for each record how many match keys, their kinds and 64-bit values. What a match key is
belongs to matchkeys.py; every rule here mirrors one there, and tests hold the two together.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.encode.hmac256 import hmac_state
from sojourn.encode.matchkeys import DOCUMENT_LETTERS, NAMES_SEX_TOKENS, PARTICLES, SKELETON_LETTERS
from sojourn.schemas import KeyKind

NAME_LETTERS = 120  # longer names are cut here, in both twins' input
MAX_TOKENS = NAME_LETTERS + 2
MESSAGE_BYTES = 2 * NAME_LETTERS + 4 * 64
TOKENS_KEYED = 6  # policy.encode.max_name_tokens may not exceed this
KEYS_ROOM = 3 + 2 * TOKENS_KEYED + TOKENS_KEYED * (TOKENS_KEYED - 1)
DOCUMENT_ROOM = 40
STEP = 256

_DOC, _OCR = int(KeyKind.DOCUMENT), int(KeyKind.DOCUMENT_OCR)
_NAME, _SOUND = int(KeyKind.NAME_DATE), int(KeyKind.SOUND_DATE)
_PAIR_YEAR, _PAIR_DAY = int(KeyKind.PAIR_YEAR), int(KeyKind.PAIR_DAY)
_NAMES_SEX = int(KeyKind.NAMES_SEX)
_BLANK, _BAR = ord(" "), ord("|")
_OCR_FROM = np.frombuffer(b"OQILSBZG", np.uint8)
_OCR_TO = np.frombuffer(b"00115826", np.uint8)
_WIDEST = max(len(p) for p in PARTICLES)
_PARTICLES = np.zeros((len(PARTICLES), _WIDEST), np.uint8)
for _row, _word in enumerate(sorted(PARTICLES)):
    _PARTICLES[_row, : len(_word)] = np.frombuffer(_word.encode(), np.uint8)

A, C, D, E, F, H, I, J = (ord(c) for c in "ACDEFHIJ")  # noqa: E741
K, O, P, Q, S, T, U, V = (ord(c) for c in "KOPQSTUV")  # noqa: E741
W, X, Y, Z = (ord(c) for c in "WXYZ")


@nb.njit(cache=True, nogil=True)
def _same(a: NDArray[np.uint8], a0: int, an: int, b: NDArray[np.uint8], b0: int, bn: int) -> bool:
    if an != bn:
        return False
    for i in range(an):
        if a[a0 + i] != b[b0 + i]:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _before(a: NDArray[np.uint8], a0: int, an: int, b: NDArray[np.uint8], b0: int, bn: int) -> bool:
    for i in range(min(an, bn)):
        if a[a0 + i] != b[b0 + i]:
            return bool(a[a0 + i] < b[b0 + i])
    return an < bn


@nb.njit(cache=True, nogil=True)
def _particle(buf: NDArray[np.uint8], at: int, length: int) -> bool:
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


@nb.njit(cache=True, nogil=True)
def _split(
    buf: NDArray[np.uint8], start: int, stop: int, at: NDArray[np.int32], size: NDArray[np.int32]
) -> int:
    count, i = 0, start
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


@nb.njit(cache=True, nogil=True)
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


@nb.njit(cache=True, nogil=True)
def _skeleton(
    buf: NDArray[np.uint8], start: int, stop: int, out: NDArray[np.uint8], at: int
) -> int:
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


@nb.njit(cache=True, nogil=True)
def _digits(message: NDArray[np.uint8], at: int, value: int, width: int) -> int:
    for i in range(width):
        message[at + width - 1 - i] = ord("0") + value % 10
        value //= 10
    return at + width


@nb.njit(cache=True, nogil=True)
def _copy(
    message: NDArray[np.uint8], at: int, buf: NDArray[np.uint8], start: int, length: int
) -> int:
    for i in range(length):
        message[at + i] = buf[start + i]
    return at + length


class Secrets(NamedTuple):
    """Prepared key states by kind: ``inner`` and ``outer`` (8 kinds, 8 words); who is in use."""

    inner: NDArray[np.uint32]
    outer: NDArray[np.uint32]
    enabled: NDArray[np.bool_]


class Columns(NamedTuple):
    """The records: byte buffers with offsets (n+1), date parts (0: unknown), sex (0: unknown)."""

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
    message: NDArray[np.uint8]
    state: NDArray[np.uint32]
    w: NDArray[np.uint32]
    scratch: NDArray[np.uint8]


@nb.njit(cache=True, nogil=True, parallel=True)
def match_keys(records: Columns, secrets: Secrets, max_tokens: int, made: Made) -> None:
    """Fill ``made`` for every record, chunk by chunk on all cores."""
    n = records.year.size
    for chunk in nb.prange((n + STEP - 1) // STEP):
        bench = Bench(
            np.empty(2 * NAME_LETTERS + 8, np.uint8),
            np.empty(MAX_TOKENS, np.int32),
            np.empty(MAX_TOKENS, np.int32),
            np.empty(MAX_TOKENS, np.int32),
            np.empty(MAX_TOKENS, np.int32),
            np.empty(TOKENS_KEYED * SKELETON_LETTERS, np.uint8),
            np.empty(TOKENS_KEYED, np.int32),
            np.empty(MESSAGE_BYTES, np.uint8),
            np.empty(8, np.uint32),
            np.empty(64, np.uint32),
            np.empty(128, np.uint8),
        )
        for r in range(chunk * STEP, min(n, (chunk + 1) * STEP)):
            made.counts[r] = 0
            _documents(r, records, secrets, bench, made)
            everything = _take_tokens(r, records, bench)
            tokens = min(everything, max_tokens)
            skeletons = _take_skeletons(bench, tokens)
            _dated(r, tokens, skeletons, records, secrets, bench, made)
            _pairs(r, skeletons, records, secrets, bench, made)
            _names_sex(r, everything, records, secrets, bench, made)


@nb.njit(cache=True, nogil=True)
def _emit(kind: int, end: int, r: int, secrets: Secrets, bench: Bench, made: Made) -> None:
    """Key ``message[:end]`` under the kind's secret and note it for record ``r``."""
    hmac_state(
        secrets.inner[kind], secrets.outer[kind], bench.message, end, bench.state, bench.w,
        bench.scratch,
    )  # fmt: skip
    got = made.counts[r]
    made.kinds[r, got] = kind
    made.keys[r, got] = (np.uint64(bench.state[0]) << np.uint64(32)) | np.uint64(bench.state[1])
    made.counts[r] = got + 1


@nb.njit(cache=True, nogil=True)
def _documents(r: int, records: Columns, secrets: Secrets, bench: Bench, made: Made) -> None:
    start, length = records.d_off[r], records.d_off[r + 1] - records.d_off[r]
    if length < DOCUMENT_LETTERS:
        return
    if secrets.enabled[_DOC]:
        _copy(bench.message, 0, records.d_buf, start, length)
        _emit(_DOC, length, r, secrets, bench, made)
    if secrets.enabled[_OCR]:
        _copy(bench.message, 0, records.d_buf, start, length)
        for i in range(length):
            for c in range(_OCR_FROM.size):
                if bench.message[i] == _OCR_FROM[c]:
                    bench.message[i] = _OCR_TO[c]
                    break
        _emit(_OCR, length, r, secrets, bench, made)


@nb.njit(cache=True, nogil=True)
def _dated(
    r: int, tokens: int, skeletons: int, records: Columns, secrets: Secrets, bench: Bench,
    made: Made,
) -> None:  # fmt: skip
    """Names and sounds with the full date."""
    y, m, d = records.year[r], records.month[r], records.day[r]
    if y == 0 or m == 0 or d == 0:
        return
    if secrets.enabled[_NAME]:
        for t in range(tokens):
            end = _copy(bench.message, 0, bench.names, bench.t_at[t], bench.t_size[t])
            end = _date(bench.message, end, y, m, d)
            _emit(_NAME, end, r, secrets, bench, made)
    if secrets.enabled[_SOUND]:
        for t in range(skeletons):
            end = _copy(bench.message, 0, bench.k_buf, t * SKELETON_LETTERS, bench.k_size[t])
            end = _date(bench.message, end, y, min(m, d), max(m, d))
            _emit(_SOUND, end, r, secrets, bench, made)


@nb.njit(cache=True, nogil=True)
def _pairs(
    r: int, skeletons: int, records: Columns, secrets: Secrets, bench: Bench, made: Made
) -> None:
    """Pairs of sounds with the year, then with the day."""
    y, m, d = records.year[r], records.month[r], records.day[r]
    if y > 0 and secrets.enabled[_PAIR_YEAR]:
        for p in range(skeletons):
            for q in range(p + 1, skeletons):
                end = _digits(bench.message, _pair(bench, p, q), y, 4)
                _emit(_PAIR_YEAR, end, r, secrets, bench, made)
    if m > 0 and d > 0 and secrets.enabled[_PAIR_DAY]:
        for p in range(skeletons):
            for q in range(p + 1, skeletons):
                end = _digits(bench.message, _pair(bench, p, q), min(m, d), 2)
                end = _digits(bench.message, end, max(m, d), 2)
                _emit(_PAIR_DAY, end, r, secrets, bench, made)


@nb.njit(cache=True, nogil=True)
def _names_sex(
    r: int, everything: int, records: Columns, secrets: Secrets, bench: Bench, made: Made
) -> None:
    # Kept out of the parallel loop: numba 0.68 stored a zero for the sex when it was inside.
    if not secrets.enabled[_NAMES_SEX] or everything < NAMES_SEX_TOKENS or records.sex[r] == 0:
        return
    end = _sorted_names(bench, everything)
    bench.message[end] = records.sex[r]
    _emit(_NAMES_SEX, end + 1, r, secrets, bench, made)


@nb.njit(cache=True, nogil=True)
def _date(message: NDArray[np.uint8], at: int, y: int, m: int, d: int) -> int:
    message[at] = _BAR
    return _digits(message, _digits(message, _digits(message, at + 1, y, 4), m, 2), d, 2)


@nb.njit(cache=True, nogil=True)
def _take_tokens(r: int, records: Columns, bench: Bench) -> int:
    """matchkeys.tokens_of: positions into ``names`` of the tokens, in turn, told apart."""
    names, at, size = bench.names, bench.at, bench.size
    s0, s1 = records.s_off[r], records.s_off[r + 1]
    g0, g1 = records.g_off[r], records.g_off[r + 1]
    end = _copy(names, 0, records.s_buf, s0, s1 - s0)
    surnames = _split(names, 0, end, at, size)
    stop = _copy(names, end, records.g_buf, g0, g1 - g0)
    total = surnames + _split(names, end, stop, at[surnames:], size[surnames:])
    telling = False
    for t in range(total):
        if size[t] > 1 and not _particle(names, at[t], size[t]):
            telling = True
    count = 0
    for turn in range(max(surnames, total - surnames)):
        for side in range(2):
            t = turn if side == 0 else surnames + turn
            if t >= (surnames if side == 0 else total):
                continue
            if telling and (size[t] == 1 or _particle(names, at[t], size[t])):
                continue
            if _fresh(bench, at[t], size[t], count):
                bench.t_at[count], bench.t_size[count] = at[t], size[t]
                count += 1
    return count


@nb.njit(cache=True, nogil=True)
def _fresh(bench: Bench, at: int, size: int, count: int) -> bool:
    for other in range(count):
        if _same(bench.names, bench.t_at[other], bench.t_size[other], bench.names, at, size):
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _take_skeletons(bench: Bench, tokens: int) -> int:
    k_buf, k_size = bench.k_buf, bench.k_size
    count = 0
    for t in range(tokens):
        here = count * SKELETON_LETTERS
        start = bench.t_at[t]
        k_size[count] = _skeleton(bench.names, start, start + bench.t_size[t], k_buf, here)
        seen = False
        for other in range(count):
            if _same(k_buf, other * SKELETON_LETTERS, k_size[other], k_buf, here, k_size[count]):
                seen = True
        if not seen:
            count += 1
    return count


@nb.njit(cache=True, nogil=True)
def _pair(bench: Bench, p: int, q: int) -> int:
    """Write two skeletons in order, each followed by a bar; return the end."""
    k_buf, k_size, message = bench.k_buf, bench.k_size, bench.message
    p0, q0 = p * SKELETON_LETTERS, q * SKELETON_LETTERS
    if _before(k_buf, q0, k_size[q], k_buf, p0, k_size[p]):
        p, q, p0, q0 = q, p, q0, p0
    end = _copy(message, 0, k_buf, p0, k_size[p])
    message[end] = _BAR
    end = _copy(message, end + 1, k_buf, q0, k_size[q])
    message[end] = _BAR
    return end + 1


@nb.njit(cache=True, nogil=True)
def _sorted_names(bench: Bench, count: int) -> int:
    """All tokens in order, each followed by a bar. Sorts the positions in place (few)."""
    names, t_at, t_size, message = bench.names, bench.t_at, bench.t_size, bench.message
    for i in range(1, count):
        a, s, j = t_at[i], t_size[i], i - 1
        while j >= 0 and _before(names, a, s, names, t_at[j], t_size[j]):
            t_at[j + 1], t_size[j + 1] = t_at[j], t_size[j]
            j -= 1
        t_at[j + 1], t_size[j + 1] = a, s
    end = 0
    for t in range(count):
        end = _copy(message, end, names, t_at[t], t_size[t])
        message[end] = _BAR
        end += 1
    return end
