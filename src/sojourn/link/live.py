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

from sojourn.link import slots as sl
from sojourn.link.bulk import Linked, links_table, merges_table, nearby
from sojourn.link.decide import Chosen, choose_links, merge_reports
from sojourn.link.leaving import Leaving
from sojourn.link.linker import LinkIndex
from sojourn.link.reports import Reports
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.references import join_refs
from sojourn.schemas import ENCODINGS, TIMESTAMP, Direction, Evidence, Mode, StayLimit


@dataclass(frozen=True)
class Decision:
    """What one batch changes. Slots are the index's own numbers, until it changes again."""

    linked: Linked
    fresh: NDArray[np.int32]
    chosen: Chosen


@dataclass(frozen=True)
class Answer:
    """A ``Decision`` before it is written as tables: columns of numbers alone.

    ``merged`` are the slots of ``fresh`` that do not stand for themselves.
    """

    fresh: NDArray[np.int32]
    chosen: Chosen
    merged: NDArray[np.int32]
    candidates: int
    capped: int
    without_keys: int


class LiveLinker:
    """The open stays in memory. One writer; not shared between threads."""

    def __init__(self, weights: WeightTable, policy: LinkagePolicy, policy_digest: str) -> None:
        self._policy = policy
        self._digest = policy_digest
        self._leaving = Leaving()
        self.index = LinkIndex(weights, policy)

    @property
    def bytes_used(self) -> int:
        """All that is held in memory and grows with what is held."""
        return self.index.bytes_used + self._leaving.bytes_used

    def restore(self, reports: Iterable[pl.DataFrame]) -> int:
        """Fill the index from the ledger's reports (ENCODINGS, merged_into, partner_ref).

        Merged reports follow the one that stands for them; reports with a partner are closed.
        Returns how many are held.
        """
        index = self.index
        waiting = []
        for frame in reports:
            slots = index.add_reports(index.words.read(frame), later=True)
            closed = slots[frame["partner_ref"].is_not_null().to_numpy()]
            index.slots.state[closed] = sl.CLOSED
            waiting.append((slots, frame["merged_into"]))
        # Who stands for a report may come in a later frame than the report.
        for slots, merged_into in waiting:
            held = index.slots
            self._stand_together(slots, merged_into)
            index.recount(slots)
            gone = slots[held.state[slots] == sl.CLOSED]
            self._leaving.expect(gone, held.time[gone])
        index.hang_all()
        return index.reports

    def _stand_together(self, slots: NDArray[np.int32], merged_into: pl.Series) -> None:
        held = self.index.slots
        merged = merged_into.is_not_null().to_numpy()
        if not merged.any():
            return
        into = self.index.find(merged_into.filter(pl.Series(merged)))
        for slot, stands in zip(slots[merged].tolist(), into.tolist(), strict=True):
            if stands == sl.NONE:
                # Its standing report is beyond retention: nothing can join it any more.
                held.state[slot] = sl.CLOSED
                continue
            held.standing[slot] = stands
            held.ring[slot], held.ring[stands] = held.ring[stands], slot
            held.strength[stands] = max(held.strength[stands], held.evidence[slot])

    def decide(self, encodings: pl.DataFrame) -> Decision:
        """Put new reports in and say what they change. Withdrawn reports must not be among them."""
        return self.written(self.answer(self.index.words.read(encodings)))

    def answer(self, reports: Reports) -> Answer:
        """``decide`` for reports that are columns already, before anything is written as tables.

        The lean door: no table is touched. ``reports`` come from ``index.words``.
        """
        index = self.index
        fresh = index.add_reports(reports.in_order())
        proposal = index.propose(fresh)
        if proposal.merges.one.size:
            merge_reports(index, proposal.merges, fresh, nearby(index, fresh))
        chosen = choose_links(
            index, proposal.links, max(1.0, float(index.open_stays())),
            ambiguity=self._policy.ambiguity_log2_odds,
        )  # fmt: skip
        return Answer(
            fresh,
            chosen,
            fresh[index.slots.standing[fresh] != fresh],
            proposal.links.one.size,
            proposal.capped,
            reports.without_keys,
        )

    def written(self, answer: Answer) -> Decision:
        """An answer as tables; to be asked for before the linker is changed again."""
        chosen = answer.chosen
        linked = Linked(
            links_table(self.index, chosen, self._digest),
            merges_table(self.index, answer.merged),
            answer.candidates,
            answer.capped,
            answer.without_keys,
            chosen.waiting,
        )
        return Decision(linked, answer.fresh, chosen)

    def settle(self, decision: Decision | Answer) -> None:
        """The ledger has it: the linked crossings look for nobody any more."""
        chosen = decision.chosen
        self._close(np.concatenate([chosen.arrival, chosen.departure]))

    def _close(self, slots: NDArray[np.int32]) -> None:
        if slots.size:
            held = self.index.slots
            held.state[slots] = sl.CLOSED
            self.index.recount(slots)
            self._leaving.expect(slots, held.time[slots])

    def find_stays(self, changes: pl.DataFrame) -> pl.DataFrame:
        """STATUS_ENCODINGS to (status_ref, arrival_ref): the open stay each change belongs to.

        A change is asked like a departure on its effective day; several may find one stay.
        Those that find none are left out.
        """
        likely = self.likely_stays(changes)
        return likely.unique("status_ref", keep="first", maintain_order=True).select(
            "status_ref", "arrival_ref"
        )

    def likely_stays(self, changes: pl.DataFrame, *, among: int = 0) -> pl.DataFrame:
        """Every open stay a change could be of, the likeliest first.

        status_ref, arrival_ref, weight (log2 odds), gap (microseconds since the arrival).
        ``among``: out of so many stays: the prior follows these, where more than those held.
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
            pairs.pattern, held.curve[arrival], gap, float(max(1, self.index.open_stays(), among))
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
            .unique(["status_ref", "arrival_ref"], keep="first", maintain_order=True)
        )

    def forget(self, refs: pl.Series) -> None:
        """Take reports out (corrected, withdrawn, past the horizon); unknown ones are ignored."""
        slots = self.index.find(refs)
        slots = np.unique(slots[slots != sl.NONE])
        for slot in slots.tolist():
            self._unring(slot)
        self.index.remove(slots)

    def reopen(self, refs: pl.Series) -> NDArray[np.bool_]:
        """Their partner was withdrawn: they look for one again. False where not held."""
        slots = self.index.find(refs)
        held: NDArray[np.bool_] = slots != sl.NONE
        self.index.slots.state[slots[held]] = sl.OPEN
        self.index.recount(slots[held])
        return held

    def forget_closed(self, now: datetime) -> int:
        """Let go of closed crossings older than the retention; returns how many reports."""
        kept = now - timedelta(days=self._policy.merge_retention_days)
        limit = int(kept.timestamp() * 1_000_000)
        held = self.index.slots
        due = np.unique(self._leaving.due(limit))
        # A crossing goes whole: only when its standing report is old and closed.
        gone = (held.state[due] == sl.CLOSED) & (held.standing[due] == due)
        standing = due[gone & (held.time[due] < limit)]
        slots = np.array([s for c in standing.tolist() for s in self._members(c)], np.int32)
        self.index.remove(slots)
        return slots.size

    def _members(self, slot: int) -> list[int]:
        """The reports of a crossing, this one first."""
        members = [slot]
        while (after := int(self.index.slots.ring[members[-1]])) != slot:
            members.append(after)
        return members

    def _unring(self, slot: int) -> None:
        """Take one report out of its crossing; who stands changes if it stood."""
        held = self.index.slots
        others = self._members(slot)[1:]
        if not others:
            return
        held.ring[others[-1]] = held.ring[slot]
        held.ring[slot] = slot
        stood = held.standing[slot] == slot
        held.standing[slot] = slot
        stands = others[0] if stood else int(held.standing[others[0]])
        held.standing[others] = stands
        held.strength[stands] = max(int(held.evidence[m]) for m in others)
        if stood:
            held.state[stands] = held.state[slot]
        self.index.recount(np.array(others, np.int32))
        if held.state[stands] == sl.CLOSED:
            self._close(np.array([stands], np.int32))
