"""Reports in memory: who shares a match key with whom.

In: slots whose keys are in the table. Out: candidate pairs with their patterns. A slot is a row
of ``slots``; its keys are in a ``keyroom``, and the ``table`` says which slots may hold a key.
Only reports that may still find a partner are kept; slots of the others are used again. Finer
kinds of key are in no table (vocabulary.COARSER): whoever shares one is found by the coarser
kind, and what two reports share is counted when they have met. One writer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.keyroom import Keys, count_shared, holds, is_left_out
from sojourn.link.patterns import KINDS, pattern_of, trait_of
from sojourn.link.slots import ASKED, CROSSED, NONE, OPEN, SPREAD, Slots
from sojourn.link.table import Table, at_home, crowd_of, delete, home_of, insert, run_of

NEAR = 4096  # so many candidates of one report at most
EVERY_KIND = (1 << KINDS) - 1
_SEEN = 2 * NEAR


class Window(NamedTuple):
    """What makes a pair a candidate: times in microseconds, and how many per key."""

    stay: int
    merge: int
    per_key: int


class Found(NamedTuple):
    """Candidate pairs: slots and pattern."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    pattern: NDArray[np.uint32]


class Bench(NamedTuple):
    """Room for the candidates of one report; none of it grows with the index."""

    near: NDArray[np.int32]  # who was met, each once
    seen: NDArray[np.int32]  # a small table of who is in ``near``
    place: NDArray[np.int32]  # and where in it each of them is
    kin: NDArray[np.int32]  # who shares the key at hand, the nearest in time first
    gaps: NDArray[np.int64]
    counts: NDArray[np.uint8]  # (1, 2 KINDS): keys in common


def new_bench(per_key: int) -> Bench:
    most = max(1, min(per_key, NEAR))
    return Bench(
        np.zeros(NEAR, np.int32), np.full(_SEEN, NONE, np.int32), np.zeros(NEAR, np.int32),
        np.zeros(most, np.int32), np.zeros(most, np.int64), np.zeros((1, 2 * KINDS), np.uint8),
    )  # fmt: skip


def new_found(room: int) -> Found:
    return Found(np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.uint32))


@lean
def put(slots: NDArray[np.int32], start: int, keys: Keys, table: Table, left_out: int) -> int:
    """Put the slots' keys into the table, from ``slots[start]`` on; returns where it stopped:

    at the end, or where the crowd may not have room for a slot's keys.
    """
    for i in range(start, slots.size):
        slot = slots[i]
        first = np.int64(keys.at[slot])
        last = first + keys.held[slot]
        if table.key.size - table.counts[1] < last - first:
            return i
        for k in range(first, last):
            if not is_left_out(keys.kind[k], left_out):
                insert(table, keys.key[k], slot)
    return slots.size


@lean
def count_entries(slots: NDArray[np.int32], keys: Keys, left_out: int) -> int:
    """How many entries ``put`` makes of these slots."""
    entries = 0
    for i in range(slots.size):
        first = np.int64(keys.at[slots[i]])
        for k in range(first, first + keys.held[slots[i]]):
            entries += not is_left_out(keys.kind[k], left_out)
    return entries


@lean
def take(slots: NDArray[np.int32], keys: Keys, table: Table, left_out: int) -> None:
    """Take the slots' keys out of the table."""
    for i in range(slots.size):
        first = np.int64(keys.at[slots[i]])
        for k in range(first, first + keys.held[slots[i]]):
            if not is_left_out(keys.kind[k], left_out):
                delete(table, keys.key[k], slots[i])


@lean
def _admits(a: int, b: int, slots: Slots, window: Window) -> int:
    """1: may be one stay; 2: may be two reports of one crossing; 0: neither."""
    gap = slots.time[b] - slots.time[a]
    if slots.direction[a] == slots.direction[b]:
        # Two booths never record one crossing; a booth and a carrier do, and two carriers.
        both_crossed = slots.evidence[a] == CROSSED and slots.evidence[b] == CROSSED
        if abs(gap) > window.merge or slots.source[a] == slots.source[b] or both_crossed:
            return 0
        return 2
    if slots.direction[a] == 1:
        gap = -gap
    if gap < 0 or gap > window.stay:
        return 0
    if slots.state[slots.standing[a]] != OPEN or slots.state[slots.standing[b]] != OPEN:
        return 0
    return 1


@lean
def _keep_nearest(slot: int, other: int, met: int, slots: Slots, per_key: int, bench: Bench) -> int:
    """Sort ``other`` in among the nearest that share the key at hand; returns how many share it."""
    kin, gaps = bench.kin, bench.gaps
    gap = abs(slots.time[other] - slots.time[slot])
    last = min(met, per_key, kin.size)
    i = last - 1
    while i >= 0 and gaps[i] >= gap:
        if kin[i] == other:
            return met  # two of its keys have one home
        i -= 1
    i = last - 1
    if last == min(per_key, kin.size):
        if last == 0 or not _nearer(gap, other, gaps[i], kin[i], slots):
            return met + 1
        i -= 1
    while i >= 0 and _nearer(gap, other, gaps[i], kin[i], slots):
        kin[i + 1], gaps[i + 1] = kin[i], gaps[i]
        i -= 1
    kin[i + 1], gaps[i + 1] = other, gap
    return met + 1


@lean
def _nearer(gap: int, other: int, held_gap: int, held: int, slots: Slots) -> bool:
    """Ties go to the greater reference, as they do in bulk."""
    if gap != held_gap:
        return gap < held_gap
    if slots.ref_high[other] != slots.ref_high[held]:
        return bool(slots.ref_high[other] > slots.ref_high[held])
    return bool(slots.ref_low[other] > slots.ref_low[held])


@lean
def _note(other: int, found: int, bench: Bench) -> int:
    """Put ``other`` among those who were met, once; returns how many they are."""
    at = np.int64((np.uint64(other) * SPREAD) >> np.uint64(64 - 13))
    while bench.seen[at] != NONE:
        if bench.near[bench.seen[at]] == other:
            return found
        at = (at + 1) & (_SEEN - 1)
    bench.seen[at] = found
    bench.place[found] = at
    bench.near[found] = other
    return found + 1


@lean
def _gather(
    slot: int, slots: Slots, keys: Keys, table: Table, window: Window, left_out: int, bench: Bench
) -> tuple[int, int]:
    """Who shares keys with ``slot``, into ``near``: how many, and how many keys were cut short."""
    found, cut = 0, 0
    first = np.int64(keys.at[slot])
    for k in range(first, first + keys.held[slot]):
        if is_left_out(keys.kind[k], left_out):
            continue
        key = keys.key[k]
        met = 0
        home = home_of(key, table)
        p = run_of(home, table)
        while at_home(p, home, table):
            other = table.slot[p]
            if other != slot and holds(other, key, keys) and _admits(slot, other, slots, window):
                met = _keep_nearest(slot, other, met, slots, window.per_key, bench)
            p += 1
        e = crowd_of(key, table)
        while e != NONE:
            other = table.owner[e]
            if table.key[e] == key and other != slot and _admits(slot, other, slots, window):
                met = _keep_nearest(slot, other, met, slots, window.per_key, bench)
            e = table.next[e]
        short = met > window.per_key
        for i in range(min(met, window.per_key, bench.kin.size)):
            if found >= bench.near.size - 1:
                short = True
                break
            found = _note(bench.kin[i], found, bench)
        cut += short
    for i in range(found):
        bench.seen[bench.place[i]] = NONE
    return found, cut


@lean
def pattern_between(a: int, b: int, slots: Slots, counts: NDArray[np.uint8], row: int) -> int:
    """Of two slots whose keys in common are counted in ``counts[row]``."""
    return int(pattern_by_traits(traits_of(a, slots), traits_of(b, slots), counts, row))


@lean
def traits_of(slot: int, slots: Slots) -> int:
    """What a pattern needs to know of a slot besides its keys, in one number."""
    return int(
        (np.int64(slots.nationality[slot]) << 24)
        | (np.int64(slots.sex[slot]) << 16)
        | (np.int64(slots.has_document[slot]) << 8)
        | np.int64(slots.tokens[slot])
    )


@lean
def pattern_by_traits(one: int, other: int, counts: NDArray[np.uint8], row: int) -> int:
    """As ``pattern_between``, of two slots' ``traits_of``."""
    # Two records may share two epochs' keys: the fuller epoch counts, not their sum.
    for kind in range(KINDS):
        counts[row, kind] = max(counts[row, kind], counts[row, KINDS + kind])
    return pattern_of(
        counts,
        row,
        (one >> 8) & (other >> 8) & 1 == 1,
        trait_of((one >> 16) & 0xFF, (other >> 16) & 0xFF),
        trait_of(one >> 24, other >> 24),
        min(one & 0xFF, other & 0xFF),
    )


@lean
def compared(a: int, b: int, slots: Slots, keys: Keys, counts: NDArray[np.uint8], row: int) -> int:
    """The pattern of two slots, all their keys compared; ``counts[row]`` is room for it."""
    for k in range(2 * KINDS):
        counts[row, k] = 0
    count_shared(a, b, EVERY_KIND, keys, counts, row)
    return pattern_between(a, b, slots, counts, row)


@lean
def propose(
    asked: NDArray[np.int32], slots: Slots, keys: Keys, table: Table, window: Window,
    left_out: int, start: int, bench: Bench, links: Found, merges: Found,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Pairs of the slots ``asked[start:]``.

    A pair of two asked slots is given once. Returns (next start, links, merges, keys cut short);
    stops early when ``links`` or ``merges`` have no room for another slot's worth.
    """
    n_links, n_merges, cut = 0, 0, 0
    near = bench.near
    for i in range(asked.size):
        slots.marks[asked[i]] |= ASKED
    for i in range(start, asked.size):
        if links.one.size - n_links < near.size or merges.one.size - n_merges < near.size:
            return i, n_links, n_merges, cut
        a = asked[i]
        found, short = _gather(a, slots, keys, table, window, left_out, bench)
        cut += short
        for j in range(found):
            b = near[j]
            fresh = slots.marks[b] & ASKED
            if slots.direction[a] == slots.direction[b]:
                if not fresh or a < b:
                    merges.one[n_merges], merges.other[n_merges] = a, b
                    merges.pattern[n_merges] = compared(a, b, slots, keys, bench.counts, 0)
                    n_merges += 1
            elif not fresh or slots.direction[a] == 1:
                arrival, departure = (b, a) if slots.direction[a] == 1 else (a, b)
                links.one[n_links], links.other[n_links] = arrival, departure
                links.pattern[n_links] = compared(a, b, slots, keys, bench.counts, 0)
                n_links += 1
    for i in range(asked.size):
        slots.marks[asked[i]] &= ~ASKED
    return asked.size, n_links, n_merges, cut
