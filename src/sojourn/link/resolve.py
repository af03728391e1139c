"""One departure, one arrival: locally dominant matching.

In: candidate pairs with weights. Out: which pairs stand. A pair stands when no pair that shares
an end with it comes before it in the order *heavier first, then shorter stay, then smaller
references*. Taking all such pairs, removing what they touch and repeating equals going through
the ordered list once and taking what is free; the order is total, so the result depends on
nothing else. One thing is refused on the way: a stay around another of the same traveller. Whoever
arrived twice and left twice since had a departure that nobody recorded; stays do not overlap.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

NONE = -1


@nb.njit(cache=True, nogil=True)
def _around(
    p: int, one: NDArray[np.int32], other: NDArray[np.int32], names: NDArray[np.float32],
    time: NDArray[np.int64], partner: NDArray[np.int32], starts: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> bool:  # fmt: skip
    """Does a stay that stands lie inside this pair's, of what looks like the same traveller?"""
    a, d = one[p], other[p]
    for end in (a, d):
        for i in range(starts[end], starts[end + 1]):
            q = pairs[i]
            inner_a, inner_d = one[q], other[q]
            if end == a:
                inner_a = partner[inner_d]
            else:
                inner_d = partner[inner_a]
            if inner_a == NONE or inner_d == NONE or names[q] < names[p]:
                continue
            if time[inner_a] > time[a] and time[inner_d] < time[d]:
                return True
    return False


@nb.njit(cache=True, nogil=True)
def _walk(
    order: NDArray[np.int64], one: NDArray[np.int32], other: NDArray[np.int32],
    names: NDArray[np.float32], time: NDArray[np.int64],
) -> NDArray[np.bool_]:  # fmt: skip
    starts = np.zeros(time.size + 1, np.int64)
    for p in range(one.size):
        starts[one[p] + 1] += 1
        starts[other[p] + 1] += 1
    starts = np.cumsum(starts)
    at = starts.copy()
    pairs = np.empty(2 * one.size, np.int64)
    for p in range(one.size):
        for end in (one[p], other[p]):
            pairs[at[end]] = p
            at[end] += 1
    stands = np.zeros(order.size, np.bool_)
    partner = np.full(time.size, NONE, np.int32)
    for i in range(order.size):
        p = order[i]
        if partner[one[p]] != NONE or partner[other[p]] != NONE:
            continue
        if not _around(p, one, other, names, time, partner, starts, pairs):
            partner[one[p]], partner[other[p]] = other[p], one[p]
            stands[p] = True
    return stands


def resolve_links(
    one: NDArray[np.int32], other: NDArray[np.int32], order: NDArray[np.int64],
    names: NDArray[np.float32], time: NDArray[np.int64],
) -> NDArray[np.bool_]:  # fmt: skip
    """Which pairs stand; ``one`` and ``other`` index ``time``, ``order`` is total.

    ``names`` is what a pair's pattern is worth: an end that agrees as well with an end of a stay
    that stands inside the pair's is of the same traveller, whose stays do not overlap.
    """
    return np.asarray(_walk(order, one, other, names, time))


def total_order(
    weight: NDArray[np.float32], gap: NDArray[np.int64], *refs: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Positions sorted by weight (falling), gap (rising), then references (rising)."""
    keys: list[NDArray[Any]] = [*reversed(refs), gap, -weight]
    return np.lexsort(keys)


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
