"""Candidate pairs into decisions: which reports are one crossing, which crossings one stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.link import index as ix
from sojourn.link.between import bits_between
from sojourn.link.linker import BOARDED, HOUR, LinkIndex, Pairs
from sojourn.link.merge import HOUR_BITS, join_groups, standing_reports
from sojourn.link.resolve import nearest_first, resolve_links, rivals, total_order


@dataclass(frozen=True)
class Chosen:
    """Links that stand, as slots of standing reports, with pattern and weight."""

    arrival: NDArray[np.int32]
    departure: NDArray[np.int32]
    pattern: NDArray[np.uint32]
    weight: NDArray[np.float32]
    waiting: int  # links that are too close to a rival to be made now


def merge_reports(index: LinkIndex, pairs: Pairs, fresh: NDArray[np.int32], near: float) -> None:
    """Bring reports of one crossing together: changes standing, ring and strength in place.

    ``fresh`` are the slots that came with this batch; ``near`` is how many reports of the same
    direction lie within the merge window of one: the prior.
    """
    slots, weights = index.slots, index.weights
    bits = weights.log2_odds[pairs.pattern] - np.log2(max(near, 1.0) / weights.open_stays)
    apart = np.abs(slots.time[pairs.one] - slots.time[pairs.other])
    keep = np.flatnonzero(bits >= index.policy.threshold_log2_odds)
    one, other = pairs.one[keep], pairs.other[keep]
    nearness = bits[keep] - HOUR_BITS * np.log2(1.0 + apart[keep] / HOUR)
    order = total_order(
        nearness.astype(np.float32), apart[keep], slots.ref_high[one], slots.ref_high[other]
    )
    known = slots.state != ix.FREE
    known[fresh] = False
    join_groups(one, other, order, slots.source, slots.evidence, slots.standing, slots.ring, known)
    touched = fresh[~known[slots.standing[fresh]]]
    slots.standing[touched] = standing_reports(
        touched, slots.standing, slots.evidence, slots.recorded, slots.ref_high, slots.ref_low
    )
    np.maximum.at(slots.strength, slots.standing[fresh], slots.evidence[fresh])


def choose_links(
    index: LinkIndex, pairs: Pairs, open_stays: float, *, ambiguity: float | None
) -> Chosen:
    """The links that stand among the candidate pairs.

    Reports' pairs become their crossings' pairs (the heaviest counts); crossings that have no
    evidence of boarding make no link. With ``ambiguity`` (log2 odds), a pair that leads its
    nearest rival by less waits.
    """
    slots = index.slots
    arrival, departure = slots.standing[pairs.one], slots.standing[pairs.other]
    gap = slots.time[departure] - slots.time[arrival]
    fit = (slots.strength[arrival] >= BOARDED) & (slots.strength[departure] >= BOARDED)
    fit &= (slots.state[arrival] == ix.OPEN) & (slots.state[departure] == ix.OPEN) & (gap >= 0)
    weight = index.weights.weigh(pairs.pattern, slots.curve[arrival], gap, open_stays)
    keep = np.flatnonzero(fit)
    came = -slots.time[arrival[keep]]
    by_departure = nearest_first(departure[keep], arrival[keep], came, slots.time.size)
    keep = keep[by_departure]
    keep = keep[_heaviest(arrival[keep], departure[keep], weight[keep])]
    heavy = weight[keep] >= index.policy.threshold_log2_odds
    lost = bits_between(
        index, arrival[keep], departure[keep], pairs.pattern[keep], heavy, open_stays
    )
    held = weight[keep] - lost >= index.policy.threshold_log2_odds
    keep, wanted = keep[held], (weight[keep] - lost)[held]
    a, d = arrival[keep], departure[keep]
    order = total_order(
        wanted, gap[keep], slots.ref_high[a], slots.ref_low[a], slots.ref_high[d], slots.ref_low[d]
    )
    names = index.weights.log2_odds[pairs.pattern[keep]]
    sure = resolve_links(a, d, order, names, slots.time)
    waiting = 0
    if ambiguity is not None:
        lead = wanted - rivals(a, d, wanted, sure, slots.state.size)
        waiting = int((sure & (lead < ambiguity)).sum())
        sure &= lead >= ambiguity
    return Chosen(a[sure], d[sure], pairs.pattern[keep][sure], wanted[sure], waiting)


def _heaviest(
    arrival: NDArray[np.int32], departure: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Positions of the heaviest of each run of pairs with one arrival and departure."""
    first = np.ones(arrival.size, np.bool_)
    first[1:] = (arrival[1:] != arrival[:-1]) | (departure[1:] != departure[:-1])
    if first.all():
        return np.arange(arrival.size)
    run = np.cumsum(first) - 1
    order = np.lexsort((-weight, run))
    return order[np.flatnonzero(first)]
