"""Reports and their match keys in memory: who shares a key with whom.

In: encodings, batch by batch. Out: candidate pairs with their patterns. The same index serves
the bulk (everything put in, then every departure asked) and the live path (only reports that
may still find a partner are kept; slots of the others are used again).

A chained table: ``heads[key & mask]`` starts a list of entries, an entry holds key, slot, kind
and the next of its list; a slot's entries hang together by ``sibling``, so that taking a slot
out costs its keys. New entries go first: the nearest in time are met first. One writer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.patterns import KINDS, MOST, pattern_of, trait_of

NONE = -1
EPOCH_BIT = 0x80
KIND_MASK = 0x7F
CROSSED = 2  # evidence: see Slots
NEAR = 4096  # so many candidates of one report at most
FREE, CLOSED, OPEN = 0, 1, 2  # a slot's state: unused; has its partner; looks for one


class Slots(NamedTuple):
    """Column per attribute of a report; rows are slots."""

    state: NDArray[np.uint8]
    direction: NDArray[np.uint8]  # 0 arrival, 1 departure
    evidence: NDArray[np.uint8]  # 0 booked, 1 boarded, 2 crossed
    time: NDArray[np.int64]  # event time, microseconds
    recorded: NDArray[np.int64]
    source: NDArray[np.int32]
    nationality: NDArray[np.int32]  # 0 unknown
    sex: NDArray[np.uint8]  # 0 unknown
    curve: NDArray[np.int16]  # which stay-length curve (weights)
    has_document: NDArray[np.bool_]
    tokens: NDArray[np.uint8]  # dated name tokens
    ref_high: NDArray[np.uint64]
    ref_low: NDArray[np.uint64]
    standing: NDArray[np.int32]  # the slot that stands for this crossing
    ring: NDArray[np.int32]  # the crossing's reports, in a circle
    strength: NDArray[np.uint8]  # of the standing slot: the crossing's strongest evidence
    entry: NDArray[np.int32]  # first entry of the slot


class Entries(NamedTuple):
    key: NDArray[np.uint64]
    slot: NDArray[np.int32]
    next: NDArray[np.int32]
    sibling: NDArray[np.int32]
    kind: NDArray[np.uint8]


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


def new_room() -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """For the candidates of one report: their slots, the keys of each kind and epoch in common."""
    return np.empty(NEAR, np.int32), np.empty((NEAR, 2 * KINDS), np.uint8)


@lean
def put(
    slots: NDArray[np.int32], offsets: NDArray[np.int64], keys: NDArray[np.uint64],
    kinds: NDArray[np.uint8], free: NDArray[np.int32], taken: int,
    heads: NDArray[np.int32], entries: Entries, first: NDArray[np.int32],
) -> int:  # fmt: skip
    """Hang the keys of each slot in; takes entries from ``free[taken:]``; returns taken."""
    mask = np.uint64(heads.size - 1)
    for i in range(slots.size):
        slot = slots[i]
        first[slot] = NONE
        for k in range(offsets[i], offsets[i + 1]):
            e = free[taken]
            taken += 1
            bucket = np.int64(keys[k] & mask)
            entries.key[e] = keys[k]
            entries.slot[e] = slot
            entries.kind[e] = kinds[k]
            entries.next[e] = heads[bucket]
            heads[bucket] = e
            entries.sibling[e] = first[slot]
            first[slot] = e
    return taken


@lean
def take(
    slots: NDArray[np.int32], free: NDArray[np.int32], taken: int,
    heads: NDArray[np.int32], entries: Entries, first: NDArray[np.int32],
) -> int:  # fmt: skip
    """Take the keys of each slot out again; entries go back to ``free``; returns taken."""
    mask = np.uint64(heads.size - 1)
    for i in range(slots.size):
        e = first[slots[i]]
        while e != NONE:
            bucket = np.int64(entries.key[e] & mask)
            at = heads[bucket]
            if at == e:
                heads[bucket] = entries.next[e]
            else:
                while entries.next[at] != e:
                    at = entries.next[at]
                entries.next[at] = entries.next[e]
            entries.key[e] = 0
            after = entries.sibling[e]
            taken -= 1
            free[taken] = e
            e = after
        first[slots[i]] = NONE
    return taken


@lean
def rehang(heads: NDArray[np.int32], entries: Entries, used: NDArray[np.int32]) -> None:
    """Fill a larger table with the entries in use, oldest first."""
    mask = np.uint64(heads.size - 1)
    for b in range(heads.size):
        heads[b] = NONE
    for i in range(used.size):
        e = used[i]
        bucket = np.int64(entries.key[e] & mask)
        entries.next[e] = heads[bucket]
        heads[bucket] = e


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
def _gather(
    slot: int, slots: Slots, entries: Entries, heads: NDArray[np.int32], window: Window,
    mark: NDArray[np.int32], near: NDArray[np.int32], agree: NDArray[np.uint8],
) -> tuple[int, int]:  # fmt: skip
    """Who shares keys with ``slot``: slots in ``near``, counts by kind and epoch in ``agree``."""
    mask = np.uint64(heads.size - 1)
    found, dropped = 0, 0
    mine = slots.entry[slot]
    while mine != NONE:
        key = entries.key[mine]
        e = heads[np.int64(key & mask)]
        met = 0
        while e != NONE:
            other = entries.slot[e]
            if entries.key[e] == key and other != slot and _admits(slot, other, slots, window):
                met += 1
                if met > window.per_key or found >= near.size - 1:
                    dropped += met == window.per_key + 1
                else:
                    at = mark[other]
                    if at == NONE:
                        at = found
                        mark[other] = at
                        near[at] = other
                        for k in range(2 * KINDS):
                            agree[at, k] = 0
                        found += 1
                    kind = entries.kind[e] & KIND_MASK
                    if entries.kind[e] & EPOCH_BIT:
                        kind += KINDS
                    agree[at, kind] += 1
            e = entries.next[e]
        mine = entries.sibling[mine]
    for i in range(found):
        mark[near[i]] = NONE
    return found, dropped


@lean
def pattern_between(a: int, b: int, slots: Slots, counts: NDArray[np.uint8], row: int) -> int:
    """Of two slots whose keys in common are counted in ``counts[row]``."""
    # Two records may share two epochs' keys: the fuller epoch counts, not their sum.
    for kind in range(KINDS):
        counts[row, kind] = max(counts[row, kind], counts[row, KINDS + kind])
    return pattern_of(
        counts,
        row,
        slots.has_document[a] and slots.has_document[b],
        trait_of(slots.sex[a], slots.sex[b]),
        trait_of(slots.nationality[a], slots.nationality[b]),
        min(slots.tokens[a], slots.tokens[b]),
    )


@lean
def propose(
    asked: NDArray[np.int32], fresh: NDArray[np.bool_], slots: Slots, entries: Entries,
    heads: NDArray[np.int32], window: Window, start: int, mark: NDArray[np.int32],
    near: NDArray[np.int32], agree: NDArray[np.uint8], links: Found, merges: Found,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Pairs of the slots ``asked[start:]``; ``fresh`` marks all slots that are being asked.

    A pair of two asked slots is given once. Returns (next start, links, merges, dropped); stops
    early when ``links`` or ``merges`` have no room for another slot's worth.
    """
    n_links, n_merges, dropped = 0, 0, 0
    for i in range(start, asked.size):
        if links.one.size - n_links < near.size or merges.one.size - n_merges < near.size:
            return i, n_links, n_merges, dropped
        a = asked[i]
        found, left_out = _gather(a, slots, entries, heads, window, mark, near, agree)
        dropped += left_out
        for j in range(found):
            b = near[j]
            if slots.direction[a] == slots.direction[b]:
                if not fresh[b] or a < b:
                    merges.one[n_merges], merges.other[n_merges] = a, b
                    merges.pattern[n_merges] = pattern_between(a, b, slots, agree, j)
                    n_merges += 1
            elif not fresh[b] or slots.direction[a] == 1:
                arrival, departure = (b, a) if slots.direction[a] == 1 else (a, b)
                links.one[n_links], links.other[n_links] = arrival, departure
                links.pattern[n_links] = pattern_between(a, b, slots, agree, j)
                n_links += 1
    return asked.size, n_links, n_merges, dropped


@lean
def describe(
    slots: NDArray[np.int32], offsets: NDArray[np.int64], kinds: NDArray[np.uint8],
    document: NDArray[np.bool_], tokens: NDArray[np.uint8],
) -> None:  # fmt: skip
    """What the keys say of their record: has it a document, how many dated name tokens."""
    for i in range(slots.size):
        even, odd = 0, 0  # of the two epochs
        has = False
        for k in range(offsets[i], offsets[i + 1]):
            kind = kinds[k] & KIND_MASK
            if kind == 1:
                has = True
            elif kind == 3 and kinds[k] & EPOCH_BIT:
                odd += 1
            elif kind == 3:
                even += 1
        document[slots[i]] = has
        tokens[slots[i]] = min(max(even, odd), MOST + 1)
