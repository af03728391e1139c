"""The compiled twin of ``sojourn.encode.matchkeys``: whole columns of records at once.

In: names and documents as byte buffers with offsets, date parts, sex, prepared key states.
Out: for each record how many match keys, their kinds and 64-bit values. What a match key is
belongs to matchkeys.py; every rule here mirrors one there, and tests hold the two together.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.encode.columns import Bench, Columns, Made, Secrets
from sojourn.encode.hmac256 import hmac_state
from sojourn.encode.lanes import LANES, MOST_BYTES, load_lane, new_lanes, run_lanes
from sojourn.encode.matchkeys import (
    DOCUMENT_LETTERS,
    NAMES_SEX_TOKENS,
    NATION_LETTERS,
    SIDE_LETTERS,
)
from sojourn.encode.sounds import SKELETON_LETTERS
from sojourn.encode.tokens import article, before, copy, digits, particle, same, skeleton, split
from sojourn.schemas import KeyKind

NAME_LETTERS = 120  # longer names are cut here, in both twins' input
MAX_TOKENS = NAME_LETTERS + 2
MESSAGE_BYTES = 2 * NAME_LETTERS + 4 * 64
TOKENS_KEYED = 6  # policy.encode.max_name_tokens may not exceed this
KEYS_ROOM = 6 + 2 * TOKENS_KEYED + TOKENS_KEYED * (TOKENS_KEYED - 1)
DOCUMENT_ROOM = 40
STEP = 256

_DOC, _OCR = int(KeyKind.DOCUMENT), int(KeyKind.DOCUMENT_OCR)
_NAME, _SOUND = int(KeyKind.NAME_DATE), int(KeyKind.SOUND_DATE)
_PAIR_YEAR, _PAIR_DAY = int(KeyKind.PAIR_YEAR), int(KeyKind.PAIR_DAY)
_NAMES_SEX = int(KeyKind.NAMES_SEX)
_SIDE, _BIRTH = int(KeyKind.SIDE_YEAR), int(KeyKind.BIRTH)
_BAR, _BLANK = ord("|"), ord(" ")
_OCR_FROM = np.frombuffer(b"OQILSBZG", np.uint8)
_OCR_TO = np.frombuffer(b"00115826", np.uint8)


@nb.njit(cache=True, nogil=True, parallel=True)
def match_keys(records: Columns, secrets: Secrets, max_tokens: int, made: Made) -> None:
    """Fill ``made`` for every record, chunk by chunk on all cores."""
    n = records.year.size
    for chunk in nb.prange((n + STEP - 1) // STEP):
        # A call and nothing else: numba 0.68 loses stores to arrays in a parallel loop's own body.
        _chunk(chunk * STEP, min(n, (chunk + 1) * STEP), records, secrets, max_tokens, made)


@lean
def pack(made: Made, size: int, kinds: NDArray[np.uint8], keys: NDArray[np.uint64]) -> None:
    """The first ``size`` records' keys side by side."""
    at = 0
    for r in range(size):
        for k in range(made.counts[r]):
            kinds[at], keys[at] = made.kinds[r, k], made.keys[r, k]
            at += 1


@nb.njit(cache=True, nogil=True)
def _chunk(
    start: int, stop: int, records: Columns, secrets: Secrets, max_tokens: int, made: Made
) -> None:
    bench = Bench(
        np.empty(2 * NAME_LETTERS + 8, np.uint8),
        np.empty(MAX_TOKENS, np.int32),
        np.empty(MAX_TOKENS, np.int32),
        np.empty(MAX_TOKENS, np.int32),
        np.empty(MAX_TOKENS, np.int32),
        np.empty(TOKENS_KEYED * SKELETON_LETTERS, np.uint8),
        np.empty(TOKENS_KEYED, np.int32),
        np.empty(NAME_LETTERS, np.uint8),
        np.empty(2 * SKELETON_LETTERS, np.uint8),
        np.empty(2, np.int32),
        np.empty(MESSAGE_BYTES, np.uint8),
        np.empty(8, np.uint32),
        np.empty(16, np.uint32),
        np.empty(128, np.uint8),
        new_lanes(),
        np.empty(LANES, np.int64),
        np.empty(LANES, np.int64),
        np.zeros(1, np.int64),
    )
    _records(start, stop, records, secrets, max_tokens, bench, made)


@lean
def _records(
    start: int, stop: int, records: Columns, secrets: Secrets, max_tokens: int, bench: Bench,
    made: Made,
) -> None:  # fmt: skip
    for r in range(start, stop):
        made.counts[r] = 0
        _documents(r, records, secrets, bench, made)
        everything = _take_tokens(r, records, bench)
        tokens = min(everything, max_tokens)
        skeletons = _take_skeletons(bench, tokens)
        _dated(r, tokens, skeletons, records, secrets, bench, made)
        _pairs(r, skeletons, records, secrets, bench, made)
        _names_sex(r, everything, records, secrets, bench, made)
        _sides(r, records, secrets, bench, made)
        _birth(r, records, secrets, bench, made)
    _unload(bench, made)


@lean
def _emit(kind: int, end: int, r: int, secrets: Secrets, bench: Bench, made: Made) -> None:
    """Key ``message[:end]`` under the kind's secret and note it for record ``r``."""
    got = made.counts[r]
    made.kinds[r, got] = kind
    made.counts[r] = got + 1
    if end > MOST_BYTES:
        hmac_state(
            secrets.inner[kind], secrets.outer[kind], bench.message, end, bench.state, bench.w,
            bench.scratch,
        )  # fmt: skip
        made.keys[r, got] = _joined(bench.state[0], bench.state[1])
        return
    lane = bench.filled[0]
    load_lane(bench.lanes, lane, bench.message, end, secrets.inner[kind], secrets.outer[kind])
    bench.row[lane], bench.place[lane] = r, got
    bench.filled[0] = lane + 1
    if lane + 1 == LANES:
        _unload(bench, made)


@lean
def _joined(high: np.uint32, low: np.uint32) -> np.uint64:
    return (np.uint64(high) << np.uint64(32)) | np.uint64(low)


@lean
def _unload(bench: Bench, made: Made) -> None:
    """Work the lanes in use and note their keys."""
    run_lanes(bench.lanes)
    digest = bench.lanes.digest
    for lane in range(bench.filled[0]):
        key = _joined(digest[0, lane], digest[1, lane])
        made.keys[bench.row[lane], bench.place[lane]] = key
    bench.filled[0] = 0


@lean
def _documents(r: int, records: Columns, secrets: Secrets, bench: Bench, made: Made) -> None:
    start, length = records.d_off[r], records.d_off[r + 1] - records.d_off[r]
    if length < DOCUMENT_LETTERS:
        return
    if secrets.enabled[_DOC]:
        copy(bench.message, 0, records.d_buf, start, length)
        _emit(_DOC, length, r, secrets, bench, made)
    if secrets.enabled[_OCR]:
        copy(bench.message, 0, records.d_buf, start, length)
        for i in range(length):
            for c in range(_OCR_FROM.size):
                if bench.message[i] == _OCR_FROM[c]:
                    bench.message[i] = _OCR_TO[c]
                    break
        _emit(_OCR, length, r, secrets, bench, made)


@lean
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
            end = copy(bench.message, 0, bench.names, bench.t_at[t], bench.t_size[t])
            end = _date(bench.message, end, y, m, d)
            _emit(_NAME, end, r, secrets, bench, made)
    if secrets.enabled[_SOUND]:
        for t in range(skeletons):
            end = copy(bench.message, 0, bench.k_buf, t * SKELETON_LETTERS, bench.k_size[t])
            end = _date(bench.message, end, y, min(m, d), max(m, d))
            _emit(_SOUND, end, r, secrets, bench, made)


@lean
def _pairs(
    r: int, skeletons: int, records: Columns, secrets: Secrets, bench: Bench, made: Made
) -> None:
    """Pairs of sounds with the year, then with the day."""
    y, m, d = records.year[r], records.month[r], records.day[r]
    if y > 0 and secrets.enabled[_PAIR_YEAR]:
        for p in range(skeletons):
            for q in range(p + 1, skeletons):
                end = digits(bench.message, _pair(bench, p, q), y, 4)
                _emit(_PAIR_YEAR, end, r, secrets, bench, made)
    if m > 0 and d > 0 and secrets.enabled[_PAIR_DAY]:
        for p in range(skeletons):
            for q in range(p + 1, skeletons):
                end = digits(bench.message, _pair(bench, p, q), min(m, d), 2)
                end = digits(bench.message, end, max(m, d), 2)
                _emit(_PAIR_DAY, end, r, secrets, bench, made)


@lean
def _names_sex(
    r: int, everything: int, records: Columns, secrets: Secrets, bench: Bench, made: Made
) -> None:
    if not secrets.enabled[_NAMES_SEX] or everything < NAMES_SEX_TOKENS or records.sex[r] == 0:
        return
    end = _sorted_names(bench, everything)
    bench.message[end] = records.sex[r]
    _emit(_NAMES_SEX, end + 1, r, secrets, bench, made)


@lean
def _sides(r: int, records: Columns, secrets: Secrets, bench: Bench, made: Made) -> None:
    """The start of one side's sound, the first of the other's, year and sex."""
    y, sex, sides, size = records.year[r], records.sex[r], bench.sides, bench.side_size
    if y == 0 or not secrets.enabled[_SIDE]:
        return
    _take_side(0, records.s_off[r], records.s_off[r + 1], records.s_buf, bench)
    _take_side(1, records.g_off[r], records.g_off[r + 1], records.g_buf, bench)
    for own in range(2):
        if size[own] == 0 or (own == 1 and _sides_alike(bench)):
            continue
        other = 1 - own
        end = min(size[own], SIDE_LETTERS)
        end = copy(bench.message, 0, sides, own * SKELETON_LETTERS, end)
        bench.message[end] = _BAR
        end = copy(bench.message, end + 1, sides, other * SKELETON_LETTERS, min(size[other], 1))
        bench.message[end] = _BAR
        end = digits(bench.message, end + 1, y, 4)
        if sex != 0:
            bench.message[end] = sex
            end += 1
        _emit(_SIDE, end, r, secrets, bench, made)


@lean
def _take_side(side: int, start: int, stop: int, buf: NDArray[np.uint8], bench: Bench) -> None:
    """The sound of a field as one word."""
    length = 0
    for i in range(start, stop):
        if buf[i] != _BLANK:
            bench.joined[length] = buf[i]
            length += 1
    bench.side_size[side] = skeleton(bench.joined, 0, length, bench.sides, side * SKELETON_LETTERS)


@lean
def _sides_alike(bench: Bench) -> bool:
    """Would both ways round give one message?"""
    a, b = min(bench.side_size[0], SIDE_LETTERS), min(bench.side_size[1], SIDE_LETTERS)
    return same(bench.sides, 0, a, bench.sides, SKELETON_LETTERS, b)


@lean
def _birth(r: int, records: Columns, secrets: Secrets, bench: Bench, made: Made) -> None:
    y, m, d = records.year[r], records.month[r], records.day[r]
    nation, sex = records.nation[r], records.sex[r]
    known = y > 0 and m > 0 and d > 0 and sex != 0 and nation != 0
    if not known or (m == 1 and d == 1) or not secrets.enabled[_BIRTH]:
        return
    end = digits(bench.message, 0, y, 4)
    end = digits(bench.message, digits(bench.message, end, min(m, d), 2), max(m, d), 2)
    bench.message[end] = sex
    bench.message[end + 1] = _BAR
    end += 2
    for i in range(NATION_LETTERS):
        letter = (nation >> np.uint32(8 * (NATION_LETTERS - 1 - i))) & np.uint32(0xFF)
        if letter != 0:
            bench.message[end] = letter
            end += 1
    _emit(_BIRTH, end, r, secrets, bench, made)


@lean
def _date(message: NDArray[np.uint8], at: int, y: int, m: int, d: int) -> int:
    message[at] = _BAR
    return digits(message, digits(message, digits(message, at + 1, y, 4), m, 2), d, 2)


@lean
def _take_tokens(r: int, records: Columns, bench: Bench) -> int:
    """sounds.tokens_of: positions into ``names`` of the tokens, in turn, told apart."""
    names, at, size = bench.names, bench.at, bench.size
    s0, s1 = records.s_off[r], records.s_off[r + 1]
    g0, g1 = records.g_off[r], records.g_off[r + 1]
    end = copy(names, 0, records.s_buf, s0, s1 - s0)
    surnames = split(names, 0, end, at, size, 0)
    stop = copy(names, end, records.g_buf, g0, g1 - g0)
    total = split(names, end, stop, at, size, surnames)
    telling = False
    for t in range(total):
        alone = (surnames if t < surnames else total - surnames) == 1
        if size[t] > 1 and (alone or not particle(names, at[t], size[t])):
            telling = True
    count = 0
    for turn in range(max(surnames, total - surnames)):
        for side in range(2):
            t = turn if side == 0 else surnames + turn
            own = surnames if side == 0 else total - surnames
            if turn >= own:
                continue
            dull = size[t] == 1 or (own > 1 and particle(names, at[t], size[t]))
            if telling and dull:
                continue
            cut = article(names, at[t], size[t])
            if _fresh(bench, at[t] + cut, size[t] - cut, count):
                bench.t_at[count], bench.t_size[count] = at[t] + cut, size[t] - cut
                count += 1
    return count


@lean
def _fresh(bench: Bench, at: int, size: int, count: int) -> bool:
    for other in range(count):
        if same(bench.names, bench.t_at[other], bench.t_size[other], bench.names, at, size):
            return False
    return True


@lean
def _take_skeletons(bench: Bench, tokens: int) -> int:
    k_buf, k_size = bench.k_buf, bench.k_size
    count = 0
    for t in range(tokens):
        here = count * SKELETON_LETTERS
        start = bench.t_at[t]
        k_size[count] = skeleton(bench.names, start, start + bench.t_size[t], k_buf, here)
        seen = False
        for other in range(count):
            if same(k_buf, other * SKELETON_LETTERS, k_size[other], k_buf, here, k_size[count]):
                seen = True
        if not seen:
            count += 1
    return count


@lean
def _pair(bench: Bench, p: int, q: int) -> int:
    """Write two skeletons in order, each followed by a bar; return the end."""
    k_buf, k_size, message = bench.k_buf, bench.k_size, bench.message
    p0, q0 = p * SKELETON_LETTERS, q * SKELETON_LETTERS
    if before(k_buf, q0, k_size[q], k_buf, p0, k_size[p]):
        p, q, p0, q0 = q, p, q0, p0
    end = copy(message, 0, k_buf, p0, k_size[p])
    message[end] = _BAR
    end = copy(message, end + 1, k_buf, q0, k_size[q])
    message[end] = _BAR
    return end + 1


@lean
def _sorted_names(bench: Bench, count: int) -> int:
    """All tokens in order, each followed by a bar. Sorts the positions in place (few)."""
    names, t_at, t_size, message = bench.names, bench.t_at, bench.t_size, bench.message
    for i in range(1, count):
        a, s, j = t_at[i], t_size[i], i - 1
        while j >= 0 and before(names, a, s, names, t_at[j], t_size[j]):
            t_at[j + 1], t_size[j + 1] = t_at[j], t_size[j]
            j -= 1
        t_at[j + 1], t_size[j + 1] = a, s
    end = 0
    for t in range(count):
        end = copy(message, end, names, t_at[t], t_size[t])
        message[end] = _BAR
        end += 1
    return end
