"""More reports than memory holds: blocks in time order, each linked in bulk with what is left.

In: ENCODINGS block by block, every block later than the one before. Out: ``Settled``, the links
and merges that no later block can change. What may still find a partner is carried on: open
arrivals, and everything of the last days of a block, which is decided again with the next. So
memory follows the number of open stays and the size of a block, not the length of history.

Where it can differ from linking everything at once: a crossing is settled some days after the
last report that was seen, while the bulk waits for all there will ever be. On simulated countries
the two agree in all but a few links of ten thousand (tests/unit/link/test_link_blocks.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LinkageError
from sojourn.link.between import SURE_BITS
from sojourn.link.bulk import Linked, links_table, mean_open_stays, merges_table, nearby
from sojourn.link.decide import Chosen, choose_links, merge_reports
from sojourn.link.linker import LinkIndex, Proposal
from sojourn.link.slots import NONE
from sojourn.link.weights import MICROSECONDS_A_DAY, WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import ENCODINGS

SETTLE_DAYS = 10  # departures wait so long for a rival; F1 is level from a week on (benchmarks)
ORDER = ("event_time", "crossing_ref")


@dataclass(frozen=True)
class Settled:
    """What no later block changes, and how many reports are carried on to the next."""

    linked: Linked
    carried: int
    open_stays: float  # mean over the block: what the threshold follows


class BlockLinker:
    """Links a long history. One writer. To go on after a stop, keep ``carried`` and ``until``."""

    def __init__(
        self,
        weights: WeightTable,
        policy: LinkagePolicy,
        policy_digest: str,
        *,
        settle_days: int = SETTLE_DAYS,
        carried: pl.DataFrame | None = None,
        until: datetime | None = None,
    ) -> None:
        self._weights, self._policy, self._digest = weights, policy, policy_digest
        self._settle = timedelta(days=settle_days)
        self.carried = ENCODINGS.empty() if carried is None else carried
        self.until = until

    def take(self, block: pl.DataFrame, *, last: bool = False) -> Settled:
        """Link one block (ENCODINGS). ``last``: none follows, everything is settled.

        Raises LinkageError where a report is earlier than the end of the block before.
        """
        fresh = block.filter(~pl.col("withdrawn")).sort(ORDER)
        self._check_order(fresh)
        # Both are in order, and nobody of the first is later than the second.
        reports = pl.concat([self.carried, fresh])
        index = LinkIndex(self._weights, self._policy, room=max(1024, reports.height), keys=0)
        proposal = index.add_at_once(index.words.read(reports))
        slots = np.arange(reports.height, dtype=np.int32)
        merge_reports(index, proposal.merges, slots, nearby(index, slots))
        open_stays = mean_open_stays(index, slots)
        chosen = choose_links(index, proposal.links, open_stays, ambiguity=None)
        limit = self._limit(last=last)
        final = index.slots.time[chosen.departure] < limit
        gone = self._gone(index, slots, chosen, proposal, final, limit, open_stays)
        linked = self._linked(index, slots[gone], chosen, proposal, final, fresh)
        self.carried = reports.filter(pl.Series(~gone))
        return Settled(linked, self.carried.height, open_stays)

    def _check_order(self, fresh: pl.DataFrame) -> None:
        if not fresh.height:
            return
        first, last = fresh["event_time"][0], fresh["event_time"][-1]
        if self.until is not None and first < self.until:
            raise LinkageError(
                "blocks must come in time order: this one begins before the last one ended; "
                "sort the history by event_time"
            )
        self.until = last

    def _limit(self, *, last: bool) -> int:
        """Departures before it (microseconds) are settled."""
        if last or self.until is None:
            return int(np.iinfo(np.int64).max)
        return int((self.until - self._settle).timestamp() * 1_000_000)

    def _gone(
        self, index: LinkIndex, slots: NDArray[np.int32], chosen: Chosen, proposal: Proposal,
        final: NDArray[np.bool_], limit: int, open_stays: float,
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Which reports need not be carried on: all reports of a crossing or none."""
        held = index.slots
        arrives = held.direction[slots] == 0
        oldest = limit - self._policy.max_stay_days * MICROSECONDS_A_DAY
        gone = np.where(arrives, held.time[slots] < oldest, held.time[slots] < limit)
        linked = np.concatenate([chosen.arrival, chosen.departure])
        gone[linked] = np.concatenate([final, final])
        gone[_came_again(index, chosen, proposal, final, open_stays)] = True
        if limit == np.iinfo(np.int64).max:
            gone[:] = True
        crossings: NDArray[np.bool_] = gone[held.standing[slots]]
        return crossings

    def _linked(
        self, index: LinkIndex, gone: NDArray[np.int32], chosen: Chosen, proposal: Proposal,
        final: NDArray[np.bool_], fresh: pl.DataFrame,
    ) -> Linked:  # fmt: skip
        settled = Chosen(
            chosen.arrival[final], chosen.departure[final], chosen.pattern[final],
            chosen.weight[final], 0,
        )  # fmt: skip
        return Linked(
            links_table(index, settled, self._digest),
            merges_table(index, gone),
            proposal.links.one.size,
            proposal.capped,
            int((fresh["match_keys"].list.len() == 0).sum()),
            0,
        )


def _came_again(
    index: LinkIndex, chosen: Chosen, proposal: Proposal, final: NDArray[np.bool_],
    open_stays: float,
) -> NDArray[np.int32]:  # fmt: skip
    """Arrivals whose traveller has surely come and left again since: nobody closes them now.

    Each is an earlier arrival that agrees with a settled departure as surely as one traveller
    does with himself. Carried on, it would take a later departure whose own arrival is missing.
    """
    held = index.slots
    came = np.full(held.time.size, NONE, np.int32)
    came[chosen.departure[final]] = chosen.arrival[final]
    pairs = proposal.links
    earlier, departure = held.standing[pairs.one], held.standing[pairs.other]
    arrival = came[departure]
    known = np.flatnonzero(arrival != NONE)
    known = known[held.time[earlier[known]] < held.time[arrival[known]]]
    sure = index.weights.same_traveller(pairs.pattern[known], open_stays) >= SURE_BITS / 2
    return np.unique(earlier[known[sure]]).astype(np.int32)
