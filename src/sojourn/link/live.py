"""Batch by batch, as records land: new reports against the stays that are open.

In: new reports. Out: a ``Decision`` (merges and links to be written to the ledger), which is
``settle``d once the ledger's transaction is through; where that fails, a new linker is filled
from the ledger. What waits here, or was decided too early, the reconcile puts right: live, then
reconcile, equals bulk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.link import index as ix
from sojourn.link.bulk import Linked, links_table, merges_table, nearby
from sojourn.link.decide import Chosen, choose_links, merge_reports
from sojourn.link.linker import LinkIndex, join_refs
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import ENCODINGS, TIMESTAMP, Direction, Evidence, Mode, StayLimit


@dataclass(frozen=True)
class Decision:
    """What one batch changes. Slots are the index's own numbers."""

    linked: Linked
    fresh: NDArray[np.int32]
    chosen: Chosen


class LiveLinker:
    """The open stays in memory. One writer; not shared between threads."""

    def __init__(self, weights: WeightTable, policy: LinkagePolicy, policy_digest: str) -> None:
        self._policy = policy
        self._digest = policy_digest
        self.index = LinkIndex(weights, policy)

    def restore(self, reports: Iterable[pl.DataFrame]) -> int:
        """Fill the index from the ledger's reports (ENCODINGS, merged_into, partner_ref).

        Merged reports follow the one that stands for them; reports with a partner are closed.
        Returns how many are held.
        """
        for frame in reports:
            slots = self.index.add(frame.drop("merged_into", "partner_ref"))
            held = self.index.slots
            closed = frame["partner_ref"].is_not_null().to_numpy()
            held.state[slots[closed]] = ix.CLOSED
            self._stand_together(slots, frame["merged_into"])
        return self.index.reports

    def _stand_together(self, slots: NDArray[np.int32], merged_into: pl.Series) -> None:
        held = self.index.slots
        merged = merged_into.is_not_null().to_numpy()
        if not merged.any():
            return
        into = self.index.find(merged_into.filter(pl.Series(merged)))
        for slot, stands in zip(slots[merged].tolist(), into.tolist(), strict=True):
            if stands == ix.NONE:
                # Its standing report is beyond retention: nothing can join it any more.
                held.state[slot] = ix.CLOSED
                continue
            held.standing[slot] = stands
            held.ring[slot], held.ring[stands] = held.ring[stands], slot
            held.strength[stands] = max(held.strength[stands], held.evidence[slot])

    def decide(self, encodings: pl.DataFrame) -> Decision:
        """Put new reports in and say what they change. Withdrawn reports must not be among them."""
        ordered = encodings.sort("event_time", "crossing_ref")
        fresh = self.index.add(ordered)
        proposal = self.index.propose(fresh)
        merge_reports(self.index, proposal.merges, fresh, self._nearby(fresh))
        chosen = choose_links(
            self.index, proposal.links, max(1.0, float(self.index.open_stays())),
            ambiguity=self._policy.ambiguity_log2_odds,
        )  # fmt: skip
        linked = Linked(
            links_table(self.index, chosen, self._digest),
            merges_table(self.index, fresh),
            proposal.links.one.size,
            proposal.capped,
            int((encodings["match_keys"].list.len() == 0).sum()),
            chosen.waiting,
        )
        return Decision(linked, fresh, chosen)

    def _nearby(self, fresh: NDArray[np.int32]) -> float:
        return nearby(self.index, fresh)

    def settle(self, decision: Decision) -> None:
        """The ledger has it: the linked crossings look for nobody any more."""
        held = self.index.slots
        held.state[decision.chosen.arrival] = ix.CLOSED
        held.state[decision.chosen.departure] = ix.CLOSED

    def find_stays(self, changes: pl.DataFrame) -> pl.DataFrame:
        """STATUS_ENCODINGS to (status_ref, arrival_ref): the open stay each change belongs to.

        A change is asked like a departure on its effective day; several may find one stay.
        Those that find none are left out.
        """
        asked = changes.select(
            pl.col("status_ref").alias("crossing_ref"),
            "source", "recorded_at", "nationality", "sex", "key_epoch", "key_kinds", "match_keys",
            (pl.col("effective_date").cast(TIMESTAMP) + pl.duration(days=1)).alias("event_time"),
            direction=pl.lit(Direction.DEPARTURE.value),
            evidence=pl.lit(Evidence.CROSSED.value),
            mode=pl.lit(Mode.LAND.value),
            local_date="effective_date",
            stay_limit=pl.lit(StayLimit.UNKNOWN.value),
            withdrawn=pl.lit(value=False),
        )  # fmt: skip
        slots = self.index.add(ENCODINGS.conform(asked))
        pairs = self.index.propose(slots).links
        held, weights = self.index.slots, self.index.weights
        arrival = held.standing[pairs.one]
        gap = held.time[pairs.other] - held.time[arrival]
        weight = weights.weigh(
            pairs.pattern, held.curve[arrival], gap, max(1.0, float(self.index.open_stays()))
        )
        found = pl.DataFrame(
            {
                "status_ref": join_refs(held.ref_high[pairs.other], held.ref_low[pairs.other]),
                "arrival_ref": join_refs(held.ref_high[arrival], held.ref_low[arrival]),
                "weight": weight,
                "gap": gap,
            }
        )
        self.index.remove(slots)
        return (
            found.filter(pl.col("weight") >= self._policy.threshold_log2_odds)
            .sort(["weight", "gap", "arrival_ref"], descending=[True, False, False])
            .unique("status_ref", keep="first", maintain_order=True)
            .select("status_ref", "arrival_ref")
        )

    def forget(self, refs: pl.Series) -> None:
        """Take reports out (corrected, withdrawn, past the horizon); unknown ones are ignored."""
        slots = self.index.find(refs)
        slots = slots[slots != ix.NONE]
        for slot in slots.tolist():
            self._unring(slot)
        self.index.remove(slots)

    def reopen(self, refs: pl.Series) -> NDArray[np.bool_]:
        """Their partner was withdrawn: they look for one again. False where not held."""
        slots = self.index.find(refs)
        held: NDArray[np.bool_] = slots != ix.NONE
        self.index.slots.state[slots[held]] = ix.OPEN
        return held

    def forget_closed(self, now: datetime) -> int:
        """Let go of closed crossings older than the retention; returns how many reports."""
        limit = now - timedelta(days=self._policy.merge_retention_days)
        held = self.index.slots
        state_of_crossing = held.state[held.standing]
        old = held.time < int(limit.timestamp() * 1_000_000)
        used = held.state != ix.FREE
        # A crossing goes whole: only when its standing report is old and closed.
        gone = used & (state_of_crossing == ix.CLOSED) & old[held.standing]
        slots = np.flatnonzero(gone).astype(np.int32)
        self.index.remove(slots)
        return slots.size

    def _unring(self, slot: int) -> None:
        """Take one report out of its crossing; who stands changes if it stood."""
        held = self.index.slots
        before = slot
        members = [slot]
        while held.ring[before] != slot:
            before = int(held.ring[before])
            members.append(before)
        held.ring[before] = held.ring[slot]
        held.ring[slot] = slot
        others = [m for m in members if m != slot]
        stood = held.standing[slot] == slot
        held.standing[slot] = slot
        if others:
            stands = others[0] if stood else int(held.standing[others[0]])
            held.standing[others] = stands
            held.strength[stands] = max(int(held.evidence[m]) for m in others)
            if stood:
                held.state[stands] = held.state[slot]
