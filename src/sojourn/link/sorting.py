"""Many match keys put into order, so that equal ones lie side by side.

In: the keys of slots, side by side. Out: ``Sorted``. Keys are uniform (they are HMACs): their first
bits part them into heaps that fit a core's cache, and each heap is sorted there. So nothing jumps
about in memory, which took most of the time when buckets were filled at once. Whatever the keys
are, the order is right; of keys that are not uniform it takes longer.

Of slots that do not ask, most keys are nobody's who asks: a bit for each key of those who ask (by
its first bits, so that some others pass as well) leaves them out before anything is sorted.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.keyroom import is_left_out

NONE = -1
KIND_AT, FIRST_AT, LEAVES_AT = 32, 40, 41  # bits of an entry: slot, kind, first of its key, leaves
HEAP = 1 << 14  # entries of a heap, about
MOST_HEAP_BITS, MOST_BUCKET_BITS = 11, 16
SPARSE_BITS, MOST_SIEVE_BITS = 4, 31  # a sieve has 16 bits a key: one stranger in 17 passes


class Sorted(NamedTuple):
    """Entries by key, equal keys by slot."""

    position: NDArray[np.int32]  # where each key of those who ask went; NONE: nobody else has it
    packed: NDArray[np.int64]  # slot, kind, whether the first of its key, whether a departure


class _Entries(NamedTuple):
    key: NDArray[np.uint64]
    packed: NDArray[np.int64]
    origin: NDArray[np.int32]  # its place among the keys of those who ask; NONE: not theirs


class _Sieve(NamedTuple):
    """Which keys may be somebody's who asks."""

    bit: NDArray[np.uint64]
    bits: int  # of a key that choose its bit; 0: everybody's keys pass
    first: int  # from here on they are theirs


def sort_keys(
    offsets: NDArray[np.int64], keys: NDArray[np.uint64], kinds: NDArray[np.uint8],
    leaves: NDArray[np.uint8], left_out: int, since: int = 0,
) -> Sorted:  # fmt: skip
    """Sort the keys of all slots; ``leaves`` is each slot's direction.

    Slots ask from ``since`` on: ``position`` is of their keys, and keys that none of them has are
    no entries, or few are. Nor are keys of kinds ``left_out``.
    """
    sieve = _sieve(keys, int(offsets[since]))
    bits = min(MOST_HEAP_BITS, max(1, int(keys.size // HEAP).bit_length()))
    cores = len(os.sched_getaffinity(0))
    # Each core's share are slots that follow each other, so that equal keys stay in their order.
    edges = np.searchsorted(offsets, np.linspace(0, keys.size, cores + 1).astype(np.int64))
    edges[0], edges[-1] = 0, offsets.size - 1
    counts = np.zeros((cores, 1 << bits), np.int64)
    position = np.full(keys.size - sieve.first, NONE, np.int32)
    with ThreadPoolExecutor(cores) as pool:

        def count(core: int) -> None:
            first, last = int(offsets[edges[core]]), int(offsets[edges[core + 1]])
            _count(keys, kinds, left_out, sieve, bits, first, last, counts[core])

        list(pool.map(count, range(cores)))
        ends = np.cumsum(counts.T.ravel()).reshape(-1, cores)
        at = np.ascontiguousarray((ends - counts.T).T)
        starts = np.concatenate([[0], ends[:, -1]]).astype(np.int64)
        size = int(starts[-1])
        entries = _Entries(np.empty(size, np.uint64), np.empty(size, np.int64),
                           np.empty(size, np.int32))  # fmt: skip

        def place(core: int) -> None:
            _place(
                offsets, keys, kinds, leaves, left_out, sieve, bits, int(edges[core]),
                int(edges[core + 1]), at[core], entries,
            )  # fmt: skip

        list(pool.map(place, range(cores)))
        most = int(np.diff(starts).max(initial=0))
        shares = np.searchsorted(starts, np.linspace(0, size, cores + 1).astype(np.int64))
        shares[0], shares[-1] = 0, starts.size - 1

        def settle(core: int) -> None:
            room = _Entries(np.empty(most, np.uint64), np.empty(most, np.int64),
                            np.empty(most, np.int32))  # fmt: skip
            bucket = np.zeros((1 << MOST_BUCKET_BITS) + 1, np.int64)
            _settle(
                int(shares[core]), int(shares[core + 1]), starts, bits, entries, room, bucket,
                position,
            )  # fmt: skip

        list(pool.map(settle, range(cores)))
    return Sorted(position, entries.packed)


def _sieve(keys: NDArray[np.uint64], first: int) -> _Sieve:
    """Of the keys from ``first`` on. Where these are most, nothing is gained by one."""
    asked = keys.size - first
    if first <= asked:
        return _Sieve(np.zeros(1, np.uint64), 0, first)
    bits = min(MOST_SIEVE_BITS, max(6, asked.bit_length() + SPARSE_BITS))
    sieve = _Sieve(np.zeros(1 << (bits - 6), np.uint64), bits, first)
    _mark(keys, sieve)
    return sieve


@lean
def _mark(keys: NDArray[np.uint64], sieve: _Sieve) -> None:
    shift = np.uint64(64 - sieve.bits)
    for i in range(sieve.first, keys.size):
        at = keys[i] >> shift
        sieve.bit[np.int64(at >> np.uint64(6))] |= np.uint64(1) << (at & np.uint64(63))


@lean
def _passes(i: int, key: np.uint64, sieve: _Sieve) -> bool:
    if sieve.bits == 0 or i >= sieve.first:
        return True
    at = key >> np.uint64(64 - sieve.bits)
    word = sieve.bit[np.int64(at >> np.uint64(6))]
    return bool((word >> (at & np.uint64(63))) & np.uint64(1))


@lean
def _count(
    keys: NDArray[np.uint64], kinds: NDArray[np.uint8], left_out: int, sieve: _Sieve, bits: int,
    first: int, last: int, counts: NDArray[np.int64],
) -> None:  # fmt: skip
    shift = np.uint64(64 - bits)
    for i in range(first, last):
        if not is_left_out(kinds[i], left_out) and _passes(i, keys[i], sieve):
            counts[np.int64(keys[i] >> shift)] += 1


@lean
def _place(
    offsets: NDArray[np.int64], keys: NDArray[np.uint64], kinds: NDArray[np.uint8],
    leaves: NDArray[np.uint8], left_out: int, sieve: _Sieve, bits: int, first: int, last: int,
    at: NDArray[np.int64], entries: _Entries,
) -> None:  # fmt: skip
    """Put the entries of slots ``first`` to ``last`` on their heaps."""
    shift = np.uint64(64 - bits)
    for slot in range(first, last):
        fact = np.int64(slot) | (np.int64(leaves[slot]) << LEAVES_AT)
        for i in range(offsets[slot], offsets[slot + 1]):
            if is_left_out(kinds[i], left_out) or not _passes(i, keys[i], sieve):
                continue
            heap = np.int64(keys[i] >> shift)
            p = int(at[heap])
            at[heap] += 1
            entries.key[p] = keys[i]
            entries.packed[p] = fact | (np.int64(kinds[i]) << KIND_AT)
            entries.origin[p] = i - sieve.first if i >= sieve.first else NONE


@lean
def _settle(
    begin: int, end: int, starts: NDArray[np.int64], bits: int, entries: _Entries, room: _Entries,
    bucket: NDArray[np.int64], position: NDArray[np.int32],
) -> None:  # fmt: skip
    """Sort heaps ``begin`` to ``end``, mark the first of each key, tell each key its place."""
    for heap in range(begin, end):
        low, high = int(starts[heap]), int(starts[heap + 1])
        fine = 1
        while fine < MOST_BUCKET_BITS and (np.int64(4) << fine) < high - low:
            fine += 1
        _into_buckets(low, high, bits, fine, entries, room, bucket)
        _insert(low, high, entries)
        for p in range(low, high):
            first = p == low or entries.key[p - 1] != entries.key[p]
            last = p == high - 1 or entries.key[p + 1] != entries.key[p]
            if first:
                entries.packed[p] |= np.int64(1) << FIRST_AT
            if entries.origin[p] != NONE and not (first and last):
                position[entries.origin[p]] = p


@lean
def _into_buckets(
    low: int, high: int, bits: int, fine: int, entries: _Entries, room: _Entries,
    bucket: NDArray[np.int64],
) -> None:  # fmt: skip
    """Sort a heap by its keys' next bits, ``fine`` of them; the order of equals is kept."""
    left, shift = np.uint64(bits), np.uint64(64 - fine)
    for b in range((1 << fine) + 1):
        bucket[b] = 0
    for p in range(low, high):
        room.key[p - low], room.packed[p - low] = entries.key[p], entries.packed[p]
        room.origin[p - low] = entries.origin[p]
        bucket[np.int64((entries.key[p] << left) >> shift) + 1] += 1
    for b in range(1 << fine):
        bucket[b + 1] += bucket[b]
    for i in range(high - low):
        into = np.int64((room.key[i] << left) >> shift)
        to = low + bucket[into]
        bucket[into] += 1
        entries.key[to], entries.packed[to] = room.key[i], room.packed[i]
        entries.origin[to] = room.origin[i]


@lean
def _insert(low: int, high: int, entries: _Entries) -> None:
    """Put nearly sorted entries in order; the order of equals is kept."""
    key, packed, origin = entries
    for i in range(low + 1, high):
        moving, fact, place = key[i], packed[i], origin[i]
        j = i - 1
        while j >= low and key[j] > moving:
            key[j + 1], packed[j + 1], origin[j + 1] = key[j], packed[j], origin[j]
            j -= 1
        key[j + 1], packed[j + 1], origin[j + 1] = moving, fact, place
