"""One departure, one arrival: locally dominant matching.

In: candidate pairs with weights. Out: which pairs stand. A pair stands when no pair that shares
an end with it comes before it in the order *heavier first, then shorter stay, then smaller
references*. Taking all such pairs, removing what they touch and repeating equals going through
the ordered list once and taking what is free; the order is total, so the result depends on
nothing else. One thing is refused on the way: a stay around another of the same traveller. Whoever
arrived twice and left twice since had a departure that nobody recorded; stays do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean

NONE = -1
FEW = 128  # pairs that are numbered by insertion
CROWDED = 4  # of so many slots a pair or more: their own numbers do


@dataclass(frozen=True)
class Ends:
    """Pairs of crossings under numbers of their own, so that nothing is as large as the index.

    Numbers rise with the slots. ``slot`` and ``time`` are by number.
    """

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    slot: NDArray[np.int32]
    time: NDArray[np.int64]

    def only(self, pairs: NDArray[np.int64]) -> Ends:
        return Ends(self.one[pairs], self.other[pairs], self.slot, self.time)


def number_ends(one: NDArray[np.int32], other: NDArray[np.int32], time: NDArray[np.int64]) -> Ends:
    """Number the slots of pairs anew; ``time`` is by slot. Many pairs keep the slots' numbers."""
    if CROWDED * one.size > time.size:
        return Ends(one, other, np.arange(time.size, dtype=np.int32), time)
    if one.size <= FEW:
        slots = np.empty(2 * one.size, np.int32)
        fresh_one, fresh_other = np.empty_like(one), np.empty_like(other)
        count = _number_few(one, other, slots, fresh_one, fresh_other)
        return Ends(fresh_one, fresh_other, slots[:count], time[slots[:count]])
    slot, number = np.unique(np.concatenate([one, other]), return_inverse=True)
    local: NDArray[np.int32] = number.astype(np.int32)
    return Ends(local[: one.size], local[one.size :], slot, time[slot])


@lean
def _number_few(
    one: NDArray[np.int32], other: NDArray[np.int32], slots: NDArray[np.int32],
    fresh_one: NDArray[np.int32], fresh_other: NDArray[np.int32],
) -> int:  # fmt: skip
    """``slots``: each end once, sorted; then each end's place in it. Returns how many they are."""
    count = 0
    for p in range(2 * one.size):
        s = one[p] if p < one.size else other[p - one.size]
        i = count
        while i > 0 and slots[i - 1] > s:
            i -= 1
        if i > 0 and slots[i - 1] == s:
            continue
        for j in range(count, i, -1):
            slots[j] = slots[j - 1]
        slots[i] = s
        count += 1
    for p in range(one.size):
        fresh_one[p] = _place_of(one[p], slots, count)
        fresh_other[p] = _place_of(other[p], slots, count)
    return count


@lean
def _place_of(s: int, slots: NDArray[np.int32], count: int) -> int:
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if slots[middle] < s:
            low = middle + 1
        else:
            high = middle
    return low


class Hung(NamedTuple):
    """``pairs[starts[e]:starts[e + 1]]`` are the pairs of end ``e``."""

    starts: NDArray[np.int64]
    pairs: NDArray[np.int64]


@lean
def _around(
    p: int, one: NDArray[np.int32], other: NDArray[np.int32], names: NDArray[np.float32],
    time: NDArray[np.int64], partner: NDArray[np.int32], of_arrivals: Hung, of_departures: Hung,
) -> bool:  # fmt: skip
    """Does a stay that stands lie inside this pair's, of what looks like the same traveller?"""
    a, d = one[p], other[p]
    for i in range(of_arrivals.starts[a], of_arrivals.starts[a + 1]):
        q = of_arrivals.pairs[i]
        came = partner[other[q]]
        inside = came != NONE and time[came] > time[a] and time[other[q]] < time[d]
        if inside and names[q] >= names[p]:
            return True
    for i in range(of_departures.starts[d], of_departures.starts[d + 1]):
        q = of_departures.pairs[i]
        left = partner[one[q]]
        inside = left != NONE and time[left] < time[d] and time[one[q]] > time[a]
        if inside and names[q] >= names[p]:
            return True
    return False


@lean
def _hang(end: NDArray[np.int32], starts: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
    """``pairs[starts[e]:starts[e + 1]]``: the pairs of each end. ``starts`` comes as zeros."""
    for p in range(end.size):
        starts[end[p] + 1] += 1
    for e in range(1, starts.size):
        starts[e] += starts[e - 1]
    # Filled from behind, so that each start comes to stand one place too late.
    for p in range(end.size - 1, -1, -1):
        starts[end[p] + 1] -= 1
        pairs[starts[end[p] + 1]] = p
    for e in range(starts.size - 1):
        starts[e] = starts[e + 1]
    starts[starts.size - 1] = pairs.size


@lean
def _sort_each(
    starts: NDArray[np.int64], pairs: NDArray[np.int64], apart: NDArray[np.int64],
    far: NDArray[np.int32],
) -> None:  # fmt: skip
    """Sort each end's pairs by how far apart, then by the far end. Few of them: insertions."""
    for e in range(starts.size - 1):
        for i in range(starts[e] + 1, starts[e + 1]):
            moving = pairs[i]
            j = i - 1
            while j >= starts[e] and (
                apart[pairs[j]] > apart[moving]
                or (apart[pairs[j]] == apart[moving] and far[pairs[j]] > far[moving])
            ):
                pairs[j + 1] = pairs[j]
                j -= 1
            pairs[j + 1] = moving


def hang(end: NDArray[np.int32], ends: int) -> Hung:
    """The pairs of each end under ``ends``, in the order in which they came."""
    hung = Hung(np.zeros(ends + 1, np.int64), np.empty(end.size, np.int64))
    _hang(end, hung.starts, hung.pairs)
    return hung


def nearest_first(
    end: NDArray[np.int32], far: NDArray[np.int32], apart: NDArray[np.int64], ends: int
) -> NDArray[np.int64]:
    """Positions of pairs sorted by ``end`` (under ``ends``), then ``apart``, then ``far``."""
    hung = hang(end, ends)
    _sort_each(hung.starts, hung.pairs, apart, far)
    return hung.pairs


@lean
def _walk(
    order: NDArray[np.int64], one: NDArray[np.int32], other: NDArray[np.int32],
    names: NDArray[np.float32], time: NDArray[np.int64], of_arrivals: Hung, of_departures: Hung,
    partner: NDArray[np.int32], stands: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Mark who ``stands``; ``partner`` comes as NONE everywhere."""
    for i in range(order.size):
        p = order[i]
        if partner[one[p]] != NONE or partner[other[p]] != NONE:
            continue
        if not _around(p, one, other, names, time, partner, of_arrivals, of_departures):
            partner[one[p]], partner[other[p]] = other[p], one[p]
            stands[p] = True


def resolve_links(
    one: NDArray[np.int32], other: NDArray[np.int32], order: NDArray[np.int64],
    names: NDArray[np.float32], time: NDArray[np.int64],
) -> NDArray[np.bool_]:  # fmt: skip
    """Which pairs stand; ``one`` and ``other`` index ``time``, ``order`` is total.

    ``names`` is what a pair's pattern is worth: an end that agrees as well with an end of a stay
    that stands inside the pair's is of the same traveller, whose stays do not overlap.
    """
    of_arrivals, of_departures = hang(one, time.size), hang(other, time.size)
    partner = np.full(time.size, NONE, np.int32)
    stands = np.zeros(order.size, np.bool_)
    _walk(order, one, other, names, time, of_arrivals, of_departures, partner, stands)
    return stands


def total_order(
    weight: NDArray[np.float32], gap: NDArray[np.int64], *refs: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Positions sorted by weight (falling), gap (rising), then references (rising)."""
    order = np.argsort(-weight, kind="stable")
    heavy = weight[order]
    tied = np.zeros(order.size, np.bool_)
    tied[1:] = heavy[1:] == heavy[:-1]
    tied[:-1] |= tied[1:]
    at = np.flatnonzero(tied)  # most weights are nobody else's
    if at.size:
        among = order[at]
        keys: list[NDArray[Any]] = [*(r[among] for r in reversed(refs)), gap[among], -heavy[at]]
        order[at] = among[np.lexsort(keys)]
    return order


@nb.njit(cache=True, nogil=True)
def rivals(
    one: NDArray[np.int32], other: NDArray[np.int32], weight: NDArray[np.float32],
    stands: NDArray[np.bool_], ends: int,
) -> NDArray[np.float32]:  # fmt: skip
    """For each standing pair the weight of the heaviest pair that wanted one of its ends."""
    best = np.full(ends, -np.inf, np.float32)
    for p in range(one.size):
        if not stands[p]:
            best[one[p]] = max(best[one[p]], weight[p])
            best[other[p]] = max(best[other[p]], weight[p])
    out = np.full(one.size, -np.inf, np.float32)
    for p in range(one.size):
        if stands[p]:
            out[p] = max(best[one[p]], best[other[p]])
    return out
