"""Candidate pairs of a whole set at once: keys sorted into groups, each report asks backwards.

In: the slots of an index in time order and their keys. Out: the same pairs that asking the index
one by one gives (``index.propose``), several times faster: a key's entries lie side by side, so
that asking costs one jump in memory and not one per entry. Keys are uniform (they are HMACs), so
that counting their first bits sorts them nearly.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.index import NEAR, Found, Window, compared, new_found, pattern_between
from sojourn.link.keyroom import (
    COARSER_OF,
    EPOCH_BIT,
    KIND_MASK,
    Keys,
    count_shared,
    is_left_out,
    shares_coarser,
)
from sojourn.link.patterns import KINDS
from sojourn.link.slots import CROSSED, NONE, Slots

CHUNKS = 16  # shares of the work; more than cores, for some take longer
ROOM = 1 << 18
_KIND_AT, _FIRST_AT = 32, 40  # bits of a packed entry: slot, kind, first of its key


class Groups(NamedTuple):
    """Entries sorted by key, then time."""

    offsets: NDArray[np.int64]  # each slot's entries, as they were given
    position: NDArray[np.int32]  # where each of them went; NONE: nobody else is found by it
    packed: NDArray[np.int64]  # slot, kind, whether the first of its key
    facts: NDArray[np.int64]  # per slot: time; source, evidence and direction in one number
    left_out: int  # kinds that are only compared, as bits


def group_keys(
    offsets: NDArray[np.int64], keys: Keys, slots: Slots, count: int, left_out: int
) -> Groups:
    """Sort the entries of slots 0 to ``count``, which must be in time order.

    Keys of kinds ``left_out`` are no entries.
    """
    bits = max(4, int(keys.key.size // 8).bit_length())
    order, beside = _sorted_by_key(offsets, keys.key, keys.kind, left_out, bits)
    position, packed = _packed(order, beside, keys.key.size)
    facts = np.empty((count, 2), np.int64)
    facts[:, 0] = slots.time[:count]
    facts[:, 1] = (
        (slots.source[:count].astype(np.int64) << 8)
        | (slots.evidence[:count].astype(np.int64) << 1)
        | slots.direction[:count]
    )
    return Groups(offsets, position, packed, facts, left_out)


def propose_all(
    groups: Groups, slots: Slots, keys: Keys, window: Window, wanted: NDArray[np.bool_]
) -> tuple[list[Found], list[Found], int]:
    """Links and merges as parts, in a fixed order, and how many lookups were cut short.

    Links of patterns that are not ``wanted`` are left out.
    """
    count = groups.facts.shape[0]
    edges = np.linspace(0, count, CHUNKS + 1).astype(np.int64)

    def ask(number: int) -> tuple[list[Found], list[Found], int]:
        start, stop = int(edges[number]), int(edges[number + 1])
        return _propose_chunk(groups, slots, keys, window, wanted, start, stop)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        parts = list(pool.map(ask, range(CHUNKS)))
    links = [found for part in parts for found in part[0]]
    merges = [found for part in parts for found in part[1]]
    return links, merges, sum(part[2] for part in parts)


def _propose_chunk(
    groups: Groups,
    slots: Slots,
    keys: Keys,
    window: Window,
    wanted: NDArray[np.bool_],
    start: int,
    stop: int,
) -> tuple[list[Found], list[Found], int]:
    links: list[Found] = []
    merges: list[Found] = []
    mark = np.full(groups.facts.shape[0], NONE, np.int32)
    near, agree = np.empty(NEAR, np.int32), np.empty((NEAR, 2 * KINDS), np.uint8)
    cut = 0
    while start < stop:
        found_links, found_merges = new_found(ROOM), new_found(ROOM)
        start, n_links, n_merges, short = _propose(
            groups, slots, keys, COARSER_OF, window, wanted, start, stop, mark, near, agree,
            found_links, found_merges,
        )  # fmt: skip
        links.append(_first(found_links, n_links))
        merges.append(_first(found_merges, n_merges))
        cut += short
    return links, merges, cut


def _first(found: Found, count: int) -> Found:
    return Found(found.one[:count].copy(), found.other[:count].copy(), found.pattern[:count].copy())


def _sorted_by_key(
    offsets: NDArray[np.int64], keys: NDArray[np.uint64], kinds: NDArray[np.uint8], left_out: int,
    bits: int,
) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:  # fmt: skip
    """Entries by key, equal keys in the order in which they come: a counting sort, then small
    insertions. Out: their positions among the keys; their keys, each beside its slot and kind,
    so that whoever goes through them jumps nowhere. Keys of either first bit are one core's.
    """
    starts = np.zeros((1 << bits) + 1, np.int64)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda bit: _count(keys, kinds, left_out, bits, bit, starts), (0, 1)))
        np.cumsum(starts, out=starts)
        at = starts[:-1].copy()
        order = np.empty(int(starts[-1]), np.int32)
        beside = np.empty((order.size, 2), np.uint64)
        list(
            pool.map(
                lambda bit: _place(
                    offsets, keys, kinds, left_out, bits, bit, starts, at, order, beside
                ),
                (0, 1),
            )
        )
    return order, beside


@lean
def _count(
    keys: NDArray[np.uint64], kinds: NDArray[np.uint8], left_out: int, bits: int, bit: int,
    starts: NDArray[np.int64],
) -> None:  # fmt: skip
    """Entries a bucket, noted one place on; of the keys whose first bit is ``bit``."""
    shift, first = np.uint64(64 - bits), np.uint64(63)
    for i in range(keys.size):
        if np.int64(keys[i] >> first) == bit and not is_left_out(kinds[i], left_out):
            starts[np.int64(keys[i] >> shift) + 1] += 1


@lean
def _place(
    offsets: NDArray[np.int64], keys: NDArray[np.uint64], kinds: NDArray[np.uint8], left_out: int,
    bits: int, bit: int, starts: NDArray[np.int64], at: NDArray[np.int64],
    order: NDArray[np.int32], beside: NDArray[np.uint64],
) -> None:  # fmt: skip
    """Put the entries of one first bit where they belong, and sort their buckets."""
    shift, first = np.uint64(64 - bits), np.uint64(63)
    for slot in range(offsets.size - 1):
        for i in range(offsets[slot], offsets[slot + 1]):
            if np.int64(keys[i] >> first) != bit or is_left_out(kinds[i], left_out):
                continue
            bucket = np.int64(keys[i] >> shift)
            p = at[bucket]
            at[bucket] += 1
            order[p] = i
            beside[p, 0] = keys[i]
            beside[p, 1] = np.uint64(slot | (np.int64(kinds[i]) << _KIND_AT))
    half = (starts.size - 1) >> 1
    _sort_buckets(bit * half, (bit + 1) * half, starts, order, beside)


@lean
def _sort_buckets(
    begin: int, end: int, starts: NDArray[np.int64], order: NDArray[np.int32],
    beside: NDArray[np.uint64],
) -> None:  # fmt: skip
    for b in range(begin, end):
        for i in range(starts[b] + 1, starts[b + 1]):
            moving, key, fact = order[i], beside[i, 0], beside[i, 1]
            j = i - 1
            while j >= starts[b] and beside[j, 0] > key:
                order[j + 1] = order[j]
                beside[j + 1, 0], beside[j + 1, 1] = beside[j, 0], beside[j, 1]
                j -= 1
            order[j + 1] = moving
            beside[j + 1, 0], beside[j + 1, 1] = key, fact


@nb.njit(cache=True, nogil=True)
def _packed(
    order: NDArray[np.int32], beside: NDArray[np.uint64], keys: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    position = np.full(keys, NONE, np.int32)
    packed = np.empty(order.size, np.int64)
    for p in range(order.size):
        first = p == 0 or beside[p - 1, 0] != beside[p, 0]
        last = p == order.size - 1 or beside[p + 1, 0] != beside[p, 0]
        if not (first and last):
            position[order[p]] = p
        packed[p] = np.int64(beside[p, 1]) | (np.int64(first) << _FIRST_AT)
    return position, packed


@lean
def _merges(one: int, other: int) -> bool:
    """Of two reports' packed facts: two lists' reports of one direction, not both by booths."""
    both_crossed = ((one >> 1) & 3) == CROSSED and ((other >> 1) & 3) == CROSSED
    return (one >> 8) != (other >> 8) and not both_crossed


@lean
def _note(
    entry: int, found: int, mark: NDArray[np.int32], near: NDArray[np.int32],
    agree: NDArray[np.uint8],
) -> int:  # fmt: skip
    """Count one key that agrees with the entry's slot; returns how many slots were found."""
    other = entry & 0xFFFFFFFF
    at = mark[other]
    if at == NONE:
        at = found
        mark[other] = at
        near[at] = other
        for k in range(2 * KINDS):
            agree[at, k] = 0
        found += 1
    raw = (entry >> _KIND_AT) & 0xFF
    kind = raw & KIND_MASK
    if raw & EPOCH_BIT:
        kind += KINDS
    agree[at, kind] += 1
    return found


@lean
def _look_back(
    a: int, p: int, found: int, groups: Groups, window: Window, mark: NDArray[np.int32],
    near: NDArray[np.int32], agree: NDArray[np.uint8],
) -> tuple[int, bool]:  # fmt: skip
    """Who came before ``a`` with the key at ``p``, the nearest first; whether it was cut short."""
    packed, facts = groups.packed, groups.facts
    time, mine = facts[a, 0], facts[a, 1]
    leaves = mine & 1
    farthest = window.stay if leaves else window.merge
    met = 0
    # An arrival of the very same moment may stand after its departure.
    q = p + 1
    while leaves and q < packed.size and not (packed[q] >> _FIRST_AT) & 1:
        b = packed[q] & 0xFFFFFFFF
        if facts[b, 0] != time:
            break
        if not facts[b, 1] & 1:
            if met >= window.per_key or found >= near.size:
                return found, True
            met += 1
            found = _note(packed[q], found, mark, near, agree)
        q += 1
    q = p
    while not (packed[q] >> _FIRST_AT) & 1:
        q -= 1
        b = packed[q] & 0xFFFFFFFF
        gap = time - facts[b, 0]
        if gap > farthest:
            break
        if (facts[b, 1] & 1) == leaves:
            if gap > window.merge or not _merges(mine, facts[b, 1]):
                continue
        elif not leaves:
            continue
        if met >= window.per_key or found >= near.size:
            return found, True
        met += 1
        found = _note(packed[q], found, mark, near, agree)
    return found, False


@lean
def _propose(
    groups: Groups, slots: Slots, keys: Keys, coarser: NDArray[np.int64], window: Window,
    wanted: NDArray[np.bool_], start: int, stop: int, mark: NDArray[np.int32],
    near: NDArray[np.int32], agree: NDArray[np.uint8], links: Found, merges: Found,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Pairs of slots ``start`` to ``stop`` with earlier ones; stops when there is no room."""
    n_links, n_merges, cut = 0, 0, 0
    for a in range(start, stop):
        if links.one.size - n_links < NEAR or merges.one.size - n_merges < NEAR:
            return a, n_links, n_merges, cut
        found, cut_before = 0, cut
        for e in range(groups.offsets[a], groups.offsets[a + 1]):
            if groups.position[e] != NONE:
                found, short = _look_back(
                    a, groups.position[e], found, groups, window, mark, near, agree
                )
                cut += short
        for j in range(found):
            b = near[j]
            mark[b] = NONE
            if cut > cut_before:
                # Where a key was cut short it was not counted for everybody who shares it.
                pattern = compared(a, b, slots, keys, agree, j)
            else:
                finer = shares_coarser(groups.left_out, agree, j, coarser)
                if finer:
                    count_shared(a, b, finer, keys, agree, j)
                pattern = pattern_between(a, b, slots, agree, j)
            if slots.direction[a] == slots.direction[b]:
                merges.one[n_merges], merges.other[n_merges] = b, a
                merges.pattern[n_merges] = pattern
                n_merges += 1
            elif wanted[pattern]:
                links.one[n_links], links.other[n_links] = b, a
                links.pattern[n_links] = pattern
                n_links += 1
    return stop, n_links, n_merges, cut
