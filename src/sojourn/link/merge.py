"""Several lists, one crossing: reports of the same crossing are brought together first.

In: pairs of reports with the same direction, from different sources, near in time, that share
match keys. Out: which reports belong together, and which of them stands for the crossing. A
source never reports one crossing twice under two ids, so a group holds each source once; and two
booths never record one crossing, so it holds one record of evidence `crossed` at most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.slots import ASKED, CROSSED

HOUR = 3_600_000_000
HOUR_BITS = 1.0  # per doubling of the hours between two reports: the nearer pair goes first


@lean
def _clash(
    a: int, b: int, source: NDArray[np.int32], evidence: NDArray[np.uint8], ring: NDArray[np.int32]
) -> bool:
    """Would a source, or a booth's record of any source, be in one group twice?"""
    x = a
    while True:
        y = b
        while True:
            if source[x] == source[y] or (evidence[x] == CROSSED and evidence[y] == CROSSED):
                return True
            y = ring[y]
            if y == b:
                break
        x = ring[x]
        if x == a:
            return False


@lean
def join_groups(
    one: NDArray[np.int32], other: NDArray[np.int32], order: NDArray[np.int64],
    source: NDArray[np.int32], evidence: NDArray[np.uint8], group: NDArray[np.int32],
    ring: NDArray[np.int32], marks: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Join the groups of each pair in ``order``, unless a source or a booth would be in one twice.

    ``group[slot]`` names the slot's group (a slot of it), ``ring`` links its members in a circle;
    both are changed in place. Groups whose name is not marked as ASKED were there before: they
    keep their name, and two of them are never joined (only a reconcile may).
    """
    for i in range(order.size):
        a, b = one[order[i]], other[order[i]]
        new_a, new_b = marks[group[a]] & ASKED, marks[group[b]] & ASKED
        if group[a] == group[b] or not (new_a or new_b):
            continue
        if _clash(a, b, source, evidence, ring):
            continue
        if not new_b:
            a, b = b, a
        y = b
        while True:
            group[y] = group[a]
            y = ring[y]
            if y == b:
                break
        ring[a], ring[b] = ring[b], ring[a]


def standing_reports(
    members: NDArray[np.int32],
    group: NDArray[np.int32],
    evidence: NDArray[np.uint8],
    recorded: NDArray[np.int64],
    ref_high: NDArray[np.uint64],
    ref_low: NDArray[np.uint64],
) -> NDArray[np.int32]:
    """For each of ``members`` the slot that stands for its group.

    The strongest evidence stands; ties: recorded first, then the smaller reference.
    """
    order = np.lexsort(
        (
            ref_low[members], ref_high[members], recorded[members],
            -evidence[members].astype(np.int16), group[members],
        )
    )  # fmt: skip
    ranked = members[order]
    names = group[ranked]
    first = np.ones(names.size, np.bool_)
    first[1:] = names[1:] != names[:-1]
    leader_at = np.maximum.accumulate(np.where(first, np.arange(names.size), 0))
    out = np.empty(members.size, np.int32)
    out[order] = ranked[leader_at]
    return out
