"""Candidate pairs into decisions: which reports are one crossing, which crossings one stay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link import slots as sl
from sojourn.link.between import MANY, bits_between
from sojourn.link.linker import HOUR, LinkIndex, Pairs
from sojourn.link.merge import HOUR_BITS, join_groups, standing_reports
from sojourn.link.resolve import (
    Ends,
    nearest_first,
    number_ends,
    resolve_links,
    rivals,
    total_order,
)
from sojourn.link.slots import BOARDED


@dataclass(frozen=True)
class Chosen:
    """Links that stand, as slots of standing reports, with pattern and weight."""

    arrival: NDArray[np.int32]
    departure: NDArray[np.int32]
    pattern: NDArray[np.uint32]
    weight: NDArray[np.float32]
    waiting: int  # links that are too close to a rival to be made now


NO_LINKS = Chosen(
    np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint32), np.zeros(0, np.float32), 0
)


def merge_reports(index: LinkIndex, pairs: Pairs, fresh: NDArray[np.int32], near: float) -> None:
    """Bring reports of one crossing together: changes standing, ring and strength in place.

    ``fresh`` are the slots that came with this batch; ``near`` is how many reports of the same
    direction lie within the merge window of one: the prior.
    """
    if not pairs.one.size:
        return
    slots, weights = index.slots, index.weights
    bits = weights.log2_odds[pairs.pattern] - np.log2(max(near, 1.0) / weights.open_stays)
    apart = np.abs(slots.time[pairs.one] - slots.time[pairs.other])
    keep = np.flatnonzero(bits >= index.policy.threshold_log2_odds)
    one, other = pairs.one[keep], pairs.other[keep]
    nearness = bits[keep] - HOUR_BITS * np.log2(1.0 + apart[keep] / HOUR)
    order = total_order(
        nearness.astype(np.float32), apart[keep], slots.ref_high[one], slots.ref_high[other]
    )
    slots.marks[fresh] |= sl.ASKED
    join_groups(
        one, other, order, slots.source, slots.evidence, slots.standing, slots.ring, slots.marks
    )
    touched = fresh[(slots.marks[slots.standing[fresh]] & sl.ASKED) != 0]
    touched = touched[slots.ring[touched] != touched]  # who is alone stands for itself already
    slots.marks[fresh] &= ~np.uint8(sl.ASKED)
    slots.standing[touched] = standing_reports(
        touched, slots.standing, slots.evidence, slots.recorded, slots.ref_high, slots.ref_low
    )
    np.maximum.at(slots.strength, slots.standing[fresh], slots.evidence[fresh])
    index.recount(fresh)
    index.recount(slots.standing[fresh])


def choose_links(
    index: LinkIndex, pairs: Pairs, open_stays: float, *, ambiguity: float | None
) -> Chosen:
    """The links that stand among the candidate pairs.

    Reports' pairs become their crossings' pairs (the heaviest counts); crossings that have no
    evidence of boarding make no link. With ``ambiguity`` (log2 odds), a pair that leads its
    nearest rival by less waits.
    """
    if not pairs.one.size:
        return NO_LINKS
    wanted = _wanted(index, pairs, open_stays)
    if not wanted.heavy.any():
        return NO_LINKS
    if wanted.heavy.size == 1:  # nothing lies between, and nobody else wants either end
        ends = wanted.ends
        return Chosen(
            ends.slot[ends.one], ends.slot[ends.other], wanted.pattern, wanted.weight, waiting=0
        )
    spare = wanted.weight - np.float32(index.policy.threshold_log2_odds)
    lost = bits_between(index, wanted.ends, wanted.pattern, spare, open_stays)
    weight = wanted.weight - lost
    keep = np.flatnonzero(weight >= index.policy.threshold_log2_odds)
    ends, weight, pattern = wanted.ends.only(keep), weight[keep], wanted.pattern[keep]
    arrival, departure = ends.slot[ends.one], ends.slot[ends.other]
    slots = index.slots
    order = total_order(
        weight, ends.time[ends.other] - ends.time[ends.one], slots.ref_high[arrival],
        slots.ref_low[arrival], slots.ref_high[departure], slots.ref_low[departure],
    )  # fmt: skip
    names = index.weights.log2_odds[pattern]
    sure = resolve_links(ends.one, ends.other, order, names, ends.time)
    waiting = 0
    if ambiguity is not None:
        lead = weight - rivals(ends.one, ends.other, weight, sure, ends.time.size)
        waiting = int((sure & (lead < ambiguity)).sum())
        sure &= lead >= ambiguity
    return Chosen(arrival[sure], departure[sure], pattern[sure], weight[sure], waiting)


@dataclass(frozen=True)
class _Wanted:
    """Each crossings' pair once, by departure and the nearest arrival first."""

    ends: Ends
    pattern: NDArray[np.uint32]
    weight: NDArray[np.float32]
    heavy: NDArray[np.bool_]  # heavy enough, if nothing lies between


def _wanted(index: LinkIndex, pairs: Pairs, open_stays: float) -> _Wanted:
    arrival, departure, gap, curve, pattern = _crossings_of(pairs, index.slots)
    weight = index.weights.weigh(pattern, curve, gap, open_stays)
    ends = number_ends(arrival, departure, index.slots.time)
    if pattern.size > 1:
        keep = nearest_first(ends.other, ends.one, -ends.time[ends.one], ends.time.size)
        keep = keep[_heaviest(ends.one[keep], ends.other[keep], weight[keep])]
        ends, pattern, weight = ends.only(keep), pattern[keep], weight[keep]
    return _Wanted(ends, pattern, weight, weight >= index.policy.threshold_log2_odds)


def _crossings_of(pairs: Pairs, slots: sl.Slots) -> tuple[NDArray[Any], ...]:
    """Arrival, departure, time between, curve and pattern of reports' pairs that may make a stay,
    as their crossings'."""
    count = pairs.one.size
    kinds = (np.int32, np.int32, np.int64, np.int16, np.uint32)
    columns: tuple[NDArray[Any], ...] = tuple(np.empty(count, kind) for kind in kinds)

    def fit(first: int, last: int) -> int:
        return _fitting(first, last, pairs.one, pairs.other, pairs.pattern, slots, *columns)

    if count < MANY:
        fitting = fit(0, count)
    else:
        half = count // 2
        with ThreadPoolExecutor(1) as pool:
            others = pool.submit(fit, half, count)
            fitting, more = fit(0, half), others.result()
        for column in columns:
            column[fitting : fitting + more] = column[half : half + more]
        fitting += more
    return tuple(column[:fitting] for column in columns)


@lean
def _fitting(
    first: int, last: int, one: NDArray[np.int32], other: NDArray[np.int32],
    pattern: NDArray[np.uint32], slots: sl.Slots, arrival: NDArray[np.int32],
    departure: NDArray[np.int32], gap: NDArray[np.int64], curve: NDArray[np.int16],
    pattern_kept: NDArray[np.uint32],
) -> int:  # fmt: skip
    """Reports' pairs as their crossings', where these may make a stay; returns how many.

    Of pairs ``first`` to ``last``; they are put side by side from ``first`` on.
    """
    kept = first
    for p in range(first, last):
        a, d = slots.standing[one[p]], slots.standing[other[p]]
        apart = slots.time[d] - slots.time[a]
        boarded = slots.strength[a] >= BOARDED and slots.strength[d] >= BOARDED
        both_open = slots.state[a] == sl.OPEN and slots.state[d] == sl.OPEN
        if apart >= 0 and boarded and both_open:
            arrival[kept], departure[kept] = a, d
            gap[kept], curve[kept] = apart, slots.curve[a]
            pattern_kept[kept] = pattern[p]
            kept += 1
    return kept - first


def _heaviest(
    arrival: NDArray[np.int32], departure: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Positions of the heaviest of each run of pairs with one arrival and departure."""
    best = np.empty(arrival.size, np.int64)
    return best[: _mark_heaviest(arrival, departure, weight, best)]


@lean
def _mark_heaviest(
    arrival: NDArray[np.int32], departure: NDArray[np.int32], weight: NDArray[np.float32],
    best: NDArray[np.int64],
) -> int:  # fmt: skip
    runs = 0
    for p in range(arrival.size):
        same = p > 0 and arrival[p] == arrival[p - 1] and departure[p] == departure[p - 1]
        if not same:
            best[runs] = p
            runs += 1
        elif weight[p] > weight[best[runs - 1]]:
            best[runs - 1] = p
    return runs
