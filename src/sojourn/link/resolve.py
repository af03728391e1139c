"""One departure, one arrival: locally dominant matching.

In: candidate pairs with weights. Out: which pairs stand. A pair stands when no pair that shares
an end with it comes before it in the order *heavier first, then shorter stay, then smaller
references*. Taking all such pairs, removing what they touch and repeating equals going through
the ordered list once and taking what is free; the order is total, so the result depends on
nothing else.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray


@nb.njit(cache=True, nogil=True)
def _walk(
    order: NDArray[np.int64], one: NDArray[np.int32], other: NDArray[np.int32],
    taken: NDArray[np.bool_],
) -> NDArray[np.bool_]:  # fmt: skip
    stands = np.zeros(order.size, np.bool_)
    for i in range(order.size):
        p = order[i]
        if not taken[one[p]] and not taken[other[p]]:
            taken[one[p]] = True
            taken[other[p]] = True
            stands[p] = True
    return stands


def resolve_links(
    one: NDArray[np.int32], other: NDArray[np.int32], order: NDArray[np.int64], ends: int
) -> NDArray[np.bool_]:
    """Which pairs stand; ``one`` and ``other`` are numbers below ``ends``, ``order`` is total."""
    return np.asarray(_walk(order, one, other, np.zeros(ends, np.bool_)))


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
