"""Candidate pairs of a whole set at once: keys sorted into groups, each report asks backwards.

In: the slots of an index in time order and their keys. Out: the same pairs that asking the index
one by one gives (``index.propose``), several times faster: a key's entries lie side by side, so
that asking costs one jump in memory and not one per entry. Slots are in time order, so that how
far back to ask is said by a slot, and times need not be looked up.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.index import (
    NEAR,
    Found,
    Window,
    compared,
    new_found,
    pattern_by_traits,
    traits_of,
)
from sojourn.link.keyroom import (
    COARSER_OF,
    EPOCH_BIT,
    KIND_MASK,
    Keys,
    count_shared,
    shares_coarser,
)
from sojourn.link.patterns import KINDS, LIMIT, RISES, reachable
from sojourn.link.prefetch import prefetch
from sojourn.link.slots import CROSSED, NONE, SPREAD, Slots
from sojourn.link.sorting import FIRST_AT, KIND_AT, LEAVES_AT, sort_keys

CHUNKS = 16  # shares of the work; more than cores, for some take longer
ROOM = 1 << 18
_SEEN_BITS = 13
_SEEN = 1 << _SEEN_BITS
AHEAD = 6  # slots: so long before they are looked at, entries are fetched into the cache


class Groups(NamedTuple):
    """Entries sorted by key, then time."""

    offsets: NDArray[np.int64]  # each slot's entries, as they were given
    position: NDArray[np.int32]  # where those from ``asked`` on went; NONE: nobody else has it
    asked: int
    packed: NDArray[np.int64]  # see sorting.Sorted
    facts: NDArray[np.int64]  # per slot: time; source, evidence and direction; what patterns need
    left_out: int  # kinds that are only compared, as bits


class Matter(NamedTuple):
    """Which links are wanted (PATTERNS), and which patterns may become one of these yet."""

    wanted: NDArray[np.bool_]
    hope: NDArray[np.uint64]  # see patterns.reachable
    rises: NDArray[np.int64]  # see patterns.RISES


class _Bench(NamedTuple):
    """Room for one report's candidates."""

    near: NDArray[np.int32]  # who was met, each once
    seen: NDArray[np.int32]  # a small table of who is in ``near``
    place: NDArray[np.int32]  # and where in it each of them is
    agree: NDArray[np.uint8]  # keys in common, by kind and epoch


class _Reach(NamedTuple):
    """Slots in whose range another may make a pair with the asking one, ends among them."""

    stay: int  # the first of its departure's window
    merge: int
    moment: int  # the last of the very same moment


def group_keys(
    offsets: NDArray[np.int64], keys: Keys, slots: Slots, count: int, left_out: int, since: int = 0
) -> Groups:
    """Sort the entries of slots 0 to ``count``, which must be in time order.

    Keys of kinds ``left_out`` are no entries. Slots before ``since`` do not ask.
    """
    position, packed = sort_keys(
        offsets, keys.key, keys.kind, slots.direction[:count], left_out, since
    )
    facts = np.empty((count, 3), np.int64)
    _tell_facts(slots, facts)
    return Groups(offsets, position, int(offsets[since]), packed, facts, left_out)


@lean
def _tell_facts(slots: Slots, facts: NDArray[np.int64]) -> None:
    for s in range(facts.shape[0]):
        facts[s, 0] = slots.time[s]
        facts[s, 1] = (
            (np.int64(slots.source[s]) << 8)
            | (np.int64(slots.evidence[s]) << 1)
            | np.int64(slots.direction[s])
        )
        facts[s, 2] = traits_of(s, slots)


def propose_all(
    groups: Groups, slots: Slots, keys: Keys, window: Window, wanted: NDArray[np.bool_],
    since: int = 0,
) -> tuple[list[Found], list[Found], int]:  # fmt: skip
    """Links and merges as parts, in a fixed order, and how many lookups were cut short.

    Links of patterns that are not ``wanted`` are left out. Slots before ``since`` do not ask.
    """
    edges = np.linspace(since, groups.facts.shape[0], CHUNKS + 1).astype(np.int64)
    matter = Matter(wanted, reachable(wanted), RISES)

    def ask(number: int) -> tuple[list[Found], list[Found], int]:
        start, stop = int(edges[number]), int(edges[number + 1])
        return _propose_chunk(groups, slots, keys, window, matter, start, stop)

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
    matter: Matter,
    start: int,
    stop: int,
) -> tuple[list[Found], list[Found], int]:
    links: list[Found] = []
    merges: list[Found] = []
    bench = _Bench(
        np.empty(NEAR, np.int32), np.full(_SEEN, NONE, np.int32), np.empty(NEAR, np.int32),
        np.empty((NEAR, 2 * KINDS), np.uint8),
    )  # fmt: skip
    cut = 0
    while start < stop:
        found_links, found_merges = new_found(ROOM), new_found(ROOM)
        start, n_links, n_merges, short = _propose(
            groups, slots, keys, COARSER_OF, window, matter, start, stop, bench, found_links,
            found_merges,
        )  # fmt: skip
        links.append(_first(found_links, n_links))
        merges.append(_first(found_merges, n_merges))
        cut += short
    return links, merges, cut


def _first(found: Found, count: int) -> Found:
    return Found(found.one[:count].copy(), found.other[:count].copy(), found.pattern[:count].copy())


@lean
def _merges(one: int, other: int) -> bool:
    """Of two reports' packed facts: two lists' reports of one direction, not both by booths."""
    both_crossed = ((one >> 1) & 3) == CROSSED and ((other >> 1) & 3) == CROSSED
    return (one >> 8) != (other >> 8) and not both_crossed


@lean
def _fetch_facts(facts: NDArray[np.int64], slot: int) -> None:
    prefetch(facts, slot * facts.shape[1])  # type: ignore[call-arg]  # numba gives the first


@lean
def _note(entry: int, found: int, facts: NDArray[np.int64], bench: _Bench) -> int:
    """Count one key that agrees with the entry's slot; returns how many slots were found.

    What is known of a slot that was not found before is looked at soon: it is fetched meanwhile.
    """
    other = np.int32(entry & 0xFFFFFFFF)
    spot = np.int64((np.uint64(other) * SPREAD) >> np.uint64(64 - _SEEN_BITS))
    while bench.seen[spot] != NONE and bench.near[bench.seen[spot]] != other:
        spot = (spot + 1) & (_SEEN - 1)
    at = bench.seen[spot]
    if at == NONE:
        at = found
        bench.seen[spot], bench.place[at], bench.near[at] = at, spot, other
        _fetch_facts(facts, int(other))
        for k in range(2 * KINDS):
            bench.agree[at, k] = 0
        found += 1
    raw = (entry >> KIND_AT) & 0xFF
    kind = raw & KIND_MASK
    if raw & EPOCH_BIT:
        kind += KINDS
    bench.agree[at, kind] += 1
    return found


@lean
def _look_back(
    a: int, p: int, found: int, groups: Groups, reach: _Reach, per_key: int, bench: _Bench
) -> tuple[int, bool]:  # fmt: skip
    """Who came before ``a`` with the key at ``p``, the nearest first; whether it was cut short."""
    packed, facts = groups.packed, groups.facts
    mine = facts[a, 1]
    leaves = mine & 1
    farthest = reach.stay if leaves else reach.merge
    met = 0
    # An arrival of the very same moment may stand after its departure.
    q = p + 1
    while leaves and q < packed.size and not (packed[q] >> FIRST_AT) & 1:
        if packed[q] & 0xFFFFFFFF > reach.moment:
            break
        if not (packed[q] >> LEAVES_AT) & 1:
            if met >= per_key or found >= NEAR:
                return found, True
            met += 1
            found = _note(packed[q], found, facts, bench)
        q += 1
    q = p
    while not (packed[q] >> FIRST_AT) & 1:
        q -= 1
        b = packed[q] & 0xFFFFFFFF
        if b < farthest:
            break
        if (packed[q] >> LEAVES_AT) & 1 == leaves:
            if b < reach.merge or not _merges(mine, facts[b, 1]):
                continue
        elif not leaves:
            continue
        if met >= per_key or found >= NEAR:
            return found, True
        met += 1
        found = _note(packed[q], found, facts, bench)
    return found, False


@lean
def _first_since(time: int, at: int, groups: Groups) -> int:
    """The first slot from ``at`` on that is not before ``time``."""
    while groups.facts[at, 0] < time:
        at += 1
    return at


@lean
def _begin_at(time: int, groups: Groups) -> int:
    """As ``_first_since``, from nowhere."""
    low, high = 0, groups.facts.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if groups.facts[middle, 0] < time:
            low = middle + 1
        else:
            high = middle
    return low


@lean
def _ask(
    a: int, groups: Groups, keys: Keys, rises: NDArray[np.int64], reach: _Reach, per_key: int,
    bench: _Bench,
) -> tuple[int, int, int]:  # fmt: skip
    """Whom ``a`` meets: how many, how many of its keys were cut short, and what may rise by these.

    Where a key was cut short it was not counted for everybody who shares it.
    """
    found, cut, may_rise = 0, 0, 0
    for e in range(groups.offsets[a], groups.offsets[a + 1]):
        place = groups.position[e - groups.asked]
        if place != NONE:
            found, short = _look_back(a, place, found, groups, reach, per_key, bench)
            if short:
                cut += 1
                may_rise |= rises[keys.kind[e] & KIND_MASK]
    for j in range(found):
        bench.seen[bench.place[j]] = NONE
    return found, cut, may_rise


@lean
def _may_matter(pattern: int, may_rise: int, matter: Matter) -> bool:
    if may_rise >= LIMIT:
        return True
    return bool((matter.hope[pattern] >> np.uint64(may_rise)) & np.uint64(1))


@lean
def _fetch_ahead(a: int, groups: Groups) -> None:
    for e in range(groups.offsets[a], groups.offsets[a + 1]):
        place = groups.position[e - groups.asked]
        if place > 0:
            prefetch(groups.packed, place - 1)  # type: ignore[call-arg]  # numba gives the first


@lean
def _propose(
    groups: Groups, slots: Slots, keys: Keys, coarser: NDArray[np.int64], window: Window,
    matter: Matter, start: int, stop: int, bench: _Bench, links: Found, merges: Found,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Pairs of slots ``start`` to ``stop`` with earlier ones; stops when there is no room."""
    n_links, n_merges, cut = 0, 0, 0
    facts, agree = groups.facts, bench.agree
    stay_from = _begin_at(facts[start, 0] - window.stay, groups)
    merge_from = _begin_at(facts[start, 0] - window.merge, groups)
    moment = start
    for a in range(start, stop):
        if links.one.size - n_links < NEAR or merges.one.size - n_merges < NEAR:
            return a, n_links, n_merges, cut
        if a + AHEAD < stop:
            _fetch_ahead(a + AHEAD, groups)
        time = facts[a, 0]
        stay_from = _first_since(time - window.stay, stay_from, groups)
        merge_from = _first_since(time - window.merge, merge_from, groups)
        moment = max(moment, a)
        while moment + 1 < facts.shape[0] and facts[moment + 1, 0] == time:
            moment += 1
        reach = _Reach(stay_from, merge_from, moment)
        found, short, may_rise = _ask(a, groups, keys, matter.rises, reach, window.per_key, bench)
        cut += short
        for j in range(found):
            b = bench.near[j]
            same_way = (facts[a, 1] ^ facts[b, 1]) & 1 == 0
            pattern = pattern_by_traits(facts[a, 2], facts[b, 2], agree, j)
            if not same_way and not _may_matter(pattern, may_rise, matter):
                continue
            if short:
                pattern = compared(a, b, slots, keys, agree, j)
            else:
                finer = shares_coarser(groups.left_out, agree, j, coarser)
                if finer:
                    count_shared(a, b, finer, keys, agree, j)
                    pattern = pattern_by_traits(facts[a, 2], facts[b, 2], agree, j)
            if same_way:
                merges.one[n_merges], merges.other[n_merges] = b, a
                merges.pattern[n_merges] = pattern
                n_merges += 1
            elif matter.wanted[pattern]:
                links.one[n_links], links.other[n_links] = b, a
                links.pattern[n_links] = pattern
                n_links += 1
    return stop, n_links, n_merges, cut
