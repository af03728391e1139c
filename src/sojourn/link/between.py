"""Who came again in between has not left with the later departure from the earlier stay.

In: candidate pairs. Out: what each pair loses to crossings of seemingly the same traveller that
lie between its ends. Of two arrivals that agree equally well with a departure the nearer one is
meant, while a namesake's arrival, which agrees less, takes next to nothing away. (An order by
nearness alone gave departures to namesakes: at a million crossings F1 was 0.9956 with it and is
0.9996 with this; at eight times the ordinary noise 0.975 and 0.976; benchmarks.)
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.index import EVERY_KIND, pattern_by_traits, traits_of
from sojourn.link.keyroom import Keys, count_between
from sojourn.link.linker import LinkIndex
from sojourn.link.patterns import KINDS
from sojourn.link.resolve import Ends, nearest_first
from sojourn.link.slots import Slots
from sojourn.link.weights import WeightTable

SURE_BITS = 30.0  # odds above are their own logarithm's loss, to float32
ENOUGH_BITS = 10.0  # of one traveller's without asking the other end as well
ASKED = 8  # how many of the nearer crossings are compared with a pair's other end
# A crossing that agrees with a traveller who is here already needs less to be theirs than one
# of two strangers: people come back. Best on training countries of every noise.
RETURN_BITS = 3.0
NOTHING_BITS = -7.0  # who agrees by so little takes under a hundredth of a bit
SURELY = 0.01  # more than rounding could take from a sum of bits
HELD_AT = 32  # bits of the place of an end's keys: where they begin, how many they are
MOST_BITS = 120.0  # nothing is worth more: no pair outweighs it


MANY = 4096  # pairs from which on it is worth a thread for each end


class Worth(NamedTuple):
    """What a pattern is worth between crossings of the same traveller: odds less the prior."""

    log2_same: NDArray[np.float32]
    prior: np.float64


def may_matter(weights: WeightTable, open_stays: float, threshold: float) -> NDArray[np.bool_]:
    """Which patterns (PATTERNS) can make a link, or take a hundredth of a bit from one, among so
    many open stays or more. The length of a stay never adds to a pair's weight.
    """
    prior = weights.prior_of(open_stays)
    links = weights.log2_odds + weights.offset - prior >= threshold
    takes = weights.log2_same + RETURN_BITS - prior >= NOTHING_BITS
    return np.asarray(links | takes)


def bits_between(
    index: LinkIndex,
    ends: Ends,
    pattern: NDArray[np.uint32],
    spare: NDArray[np.float32],
    open_stays: float,
) -> NDArray[np.float32]:
    """Log2 bits to take from each pair's weight, by position.

    ``spare``: bits that each pair weighs more than it has to. A pair with less than none loses 0
    here, and one that surely loses all of them loses at least so many: for both it changes nothing.
    Pairs come once each, sorted by departure and, of one departure, the nearest arrival first.

    A pair (arrival, departure) is impossible if an arrival of the same traveller lies between
    the two, and likewise a departure. Each such crossing that is a candidate of one of the ends
    takes ``-log2(1 - P(same traveller))``, P from what it shares with that end or with the other.
    """
    worth = Worth(index.weights.log2_same, index.weights.prior_of(open_stays))
    about = np.empty((ends.slot.size, 2), np.int64)
    _tell(ends.slot, index.slots, about)

    def lost(
        order: NDArray[np.int64], end: NDArray[np.int32], far: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        bits = np.zeros(order.size, np.float32)
        counts = np.zeros((1, 2 * KINDS), np.uint8)
        _add_nearer(
            order, end, far, ends.time, about, pattern, bits, index.room.keys, worth, counts,
            spare,
        )  # fmt: skip
        return bits

    def at_departures() -> NDArray[np.float32]:
        return lost(np.arange(ends.one.size), ends.other, ends.one)

    def at_arrivals() -> NDArray[np.float32]:
        apart = ends.time[ends.other]
        order = nearest_first(ends.one, ends.other, apart, ends.time.size)
        return lost(order, ends.one, ends.other)

    if ends.one.size < MANY:
        return at_departures() + at_arrivals()
    with ThreadPoolExecutor(1) as pool:
        departures = pool.submit(at_departures)
        return at_arrivals() + departures.result()


@lean
def _same_traveller(pattern: int, worth: Worth) -> float:
    """Log2 odds that two crossings of this pattern are of one traveller, to float32."""
    odds = np.float32(worth.log2_same[pattern] - worth.prior)
    return np.float64(np.float32(odds + np.float32(RETURN_BITS)))


@lean
def _tell(slot: NDArray[np.int32], slots: Slots, about: NDArray[np.int64]) -> None:
    """Of each end: what patterns need of it, and where its keys lie. So it is one place to look."""
    for e in range(slot.size):
        s = slot[e]
        about[e, 0] = traits_of(s, slots)
        about[e, 1] = np.int64(slots.at[s]) | (np.int64(slots.held[s]) << HELD_AT)


@lean
def _compared(
    a: int, b: int, about: NDArray[np.int64], keys: Keys, counts: NDArray[np.uint8]
) -> int:
    """As ``index.compared``, of two ends."""
    for k in range(2 * KINDS):
        counts[0, k] = 0
    one, other = about[a, 1], about[b, 1]
    count_between(
        one & 0xFFFFFFFF, one >> HELD_AT, other & 0xFFFFFFFF, other >> HELD_AT, EVERY_KIND, keys,
        counts, 0,
    )  # fmt: skip
    return int(pattern_by_traits(about[a, 0], about[b, 0], counts, 0))


@lean
def _at_least(
    start: int, stop: int, p: int, order: NDArray[np.int64], far: NDArray[np.int32],
    time: NDArray[np.int64], pattern: NDArray[np.uint32], worth: Worth,
) -> float:  # fmt: skip
    """What pair ``p`` loses at least to the nearer ones, none of them compared any further."""
    total = 0.0
    for j in range(start, stop):
        q = order[j]
        if time[far[q]] == time[far[p]]:
            break
        odds = _same_traveller(pattern[q], worth)
        if odds > NOTHING_BITS:
            total += odds if odds > SURE_BITS else np.log2(1.0 + 2.0**odds)
    return total


@lean
def _add_nearer(
    order: NDArray[np.int64], end: NDArray[np.int32], far: NDArray[np.int32],
    time: NDArray[np.int64], about: NDArray[np.int64], pattern: NDArray[np.uint32],
    bits: NDArray[np.float32], keys: Keys, worth: Worth, counts: NDArray[np.uint8],
    spare: NDArray[np.float32],
) -> None:  # fmt: skip
    """``order`` has the pairs of one ``end`` together, the nearest first."""
    start = 0
    for i in range(order.size):
        p = order[i]
        if i == 0 or end[order[i - 1]] != end[p]:
            start = i
        if spare[p] < 0:
            continue
        least = _at_least(start, i, p, order, far, time, pattern, worth)
        if least > spare[p] + SURELY:
            bits[p] = np.float32(min(least, MOST_BITS))
            continue
        total, asked = 0.0, 0
        for j in range(start, i):
            q = order[j]
            if time[far[q]] == time[far[p]]:
                break  # of the same moment: neither lies between
            odds = _same_traveller(pattern[q], worth)
            if odds < ENOUGH_BITS and asked < ASKED:
                asked += 1
                between = _compared(far[p], far[q], about, keys, counts)
                odds = max(odds, _same_traveller(between, worth))
            total += odds if odds > SURE_BITS else np.log2(1.0 + 2.0**odds)
            if total > MOST_BITS:
                break
        bits[p] = np.float32(min(total, MOST_BITS))
