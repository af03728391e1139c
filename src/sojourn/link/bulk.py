"""Everything at once: a whole set of encodings into merges and links.

The reference for the live path: after a reconcile, the ledger says what this says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.link.decide import Chosen, choose_links, merge_reports
from sojourn.link.linker import HOUR, LinkIndex
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.references import join_refs
from sojourn.schemas import ENCODINGS, LINKS, MERGES, check_table, doors_checked


@dataclass(frozen=True)
class Linked:
    """What linking found: LINKS, MERGES, and how the candidates fared."""

    links: pl.DataFrame
    merges: pl.DataFrame
    candidates: int
    capped: int  # lookups of a key that candidates_per_key cut short
    without_keys: int  # reports that have no usable key: nobody can be found for them
    waiting: int  # live only: links too close to a rival


def link(
    encodings: pl.DataFrame, weights: WeightTable, policy: LinkagePolicy, policy_digest: str
) -> Linked:
    """ENCODINGS to LINKS and MERGES. Withdrawn reports take no part. Order does not matter."""
    if doors_checked():
        check_table(encodings, ENCODINGS)
    reports = encodings.filter(~pl.col("withdrawn"))
    index = LinkIndex(weights, policy, room=0)
    proposal = index.add_at_once(index.words.read(reports.sort("event_time", "crossing_ref")))
    slots = np.arange(reports.height, dtype=np.int32)
    merge_reports(index, proposal.merges, slots, nearby(index, slots))
    chosen = choose_links(index, proposal.links, mean_open_stays(index, slots), ambiguity=None)
    return Linked(
        links_table(index, chosen, policy_digest),
        merges_table(index, slots),
        proposal.links.one.size,
        proposal.capped,
        int((reports["match_keys"].list.len() == 0).sum()),
        0,
    )


def links_table(index: LinkIndex, chosen: Chosen, policy_digest: str) -> pl.DataFrame:
    slots = index.slots
    if not chosen.weight.size:
        return LINKS.empty()
    digest = pl.Series([policy_digest]).new_from_index(0, chosen.weight.size)
    return pl.DataFrame(
        {
            "arrival_ref": join_refs(slots.ref_high[chosen.arrival], slots.ref_low[chosen.arrival]),
            "departure_ref": join_refs(
                slots.ref_high[chosen.departure], slots.ref_low[chosen.departure]
            ),
            "pattern": chosen.pattern,
            "match_weight": chosen.weight,
            "match_probability": (1.0 / (1.0 + np.exp2(-chosen.weight))).astype(np.float32),
            "policy_digest": digest,
        }
    )


def merges_table(index: LinkIndex, slots: NDArray[np.int32]) -> pl.DataFrame:
    """Who of ``slots`` does not stand for itself, and who stands for it."""
    held = index.slots
    merged = slots[held.standing[slots] != slots]
    if not merged.size:
        return MERGES.empty()
    by = held.standing[merged]
    return pl.DataFrame(
        {
            "report_ref": join_refs(held.ref_high[merged], held.ref_low[merged]),
            "crossing_ref": join_refs(held.ref_high[by], held.ref_low[by]),
        }
    )


def mean_open_stays(index: LinkIndex, slots: NDArray[np.int32]) -> float:
    """How many stays are open on average over the span of the departures.

    Arrivals so far less departures so far, counted up from its lowest point so that departures
    of arrivals before the data do not make it negative.
    """
    held = index.slots
    standing = slots[held.standing[slots] == slots]
    order = standing[np.argsort(held.time[standing], kind="stable")]
    steps = np.where(held.direction[order] == 0, 1, -1)
    if not steps.size:
        return 1.0
    level = np.cumsum(steps)
    level = level - min(int(level.min()), 0)
    leaving = steps == -1
    return float(max(1.0, level[leaving].mean() if leaving.any() else 1.0))


def nearby(index: LinkIndex, slots: NDArray[np.int32]) -> float:
    """Reports of one direction within the merge window of a report, on average."""
    if not slots.size:
        return 1.0
    times = index.slots.time[slots]
    span = max(int(times.max() - times.min()), HOUR)
    share = min(1.0, 2 * index.policy.merge_hours * HOUR / span)
    return max(1.0, slots.size / 2 * share)
