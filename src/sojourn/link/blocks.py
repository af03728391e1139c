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

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LinkageError
from sojourn.link.between import may_matter
from sojourn.link.bulk import Linked, links_table, mean_open_stays, merges_table, nearby
from sojourn.link.decide import Chosen, choose_links, merge_reports
from sojourn.link.holding import HeldReports
from sojourn.link.linker import NO_PAIRS, LinkIndex, Pairs, Proposal
from sojourn.link.reports import Reports, Words
from sojourn.link.slots import NONE
from sojourn.link.weights import MICROSECONDS_A_DAY, WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import ENCODINGS

# Departures wait so long for a rival. Two million crossings, linked week by week: F1 0.9992 with
# one day, 0.9992 with three, 0.9993 with ten and with everything at once.
SETTLE_DAYS = 3
MANY = 1_000_000  # reports of a first block from which on strangers are worth leaving out
_ALL = int(np.iinfo(np.int64).max)  # no time is later
# Odds that an earlier arrival is of a settled stay's traveller: 256 to 1. The table says 21 bits at
# most, among as many open stays as in training, and 12 among five million.
CAME_AGAIN_BITS = 8.0


@dataclass(frozen=True)
class Settled:
    """What no later block changes, and how many reports are carried on to the next."""

    linked: Linked
    carried: int
    open_stays: float  # mean over the block: what the threshold follows


@dataclass(frozen=True)
class Carried:
    """What is handed on from block to block: reports in time order, the words they know, and the
    time of the last report seen (microseconds since 1970, UTC; None before the first)."""

    reports: Reports
    links: Pairs  # candidates among them, by their places; found once, weighed in each block
    merges: Pairs
    words: tuple[tuple[str, ...], ...]  # sources, nationalities, sexes, by their numbers
    until: int | None
    open_stays: float  # mean over the last block; 0 before the first

    @classmethod
    def nothing(cls, weights: WeightTable) -> Carried:
        nobody = Words(weights).read(ENCODINGS.empty())
        return cls(nobody, NO_PAIRS, NO_PAIRS, ((), (), ()), None, 0.0)

    def write(self, path: Path) -> None:
        """As npy arrays one after the other: pseudonymous, mode 0600."""
        facts = {"words": self.words, "until": self.until, "open_stays": self.open_stays}
        said = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        columns = [getattr(part, f.name) for part in self._parts for f in fields(part)]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for array in (said, *columns):
                np.save(file, array, allow_pickle=False)

    @classmethod
    def read(cls, path: Path) -> Carried:
        with path.open("rb") as file:

            def take() -> NDArray[Any]:
                return cast(NDArray[Any], np.load(file, allow_pickle=False))

            said = json.loads(take().tobytes())
            reports = Reports(*(take() for _ in fields(Reports)))
            links, merges = (Pairs(*(take() for _ in fields(Pairs))) for _ in range(2))
        words = tuple(tuple(w) for w in said["words"])
        return cls(reports, links, merges, words, said["until"], said["open_stays"])

    @property
    def _parts(self) -> tuple[Reports, Pairs, Pairs]:
        return self.reports, self.links, self.merges


class BlockLinker:
    """Links a long history. One writer. To go on after a stop, keep ``carried``."""

    def __init__(
        self,
        weights: WeightTable,
        policy: LinkagePolicy,
        policy_digest: str,
        *,
        settle_days: int = SETTLE_DAYS,
        carried: Carried | None = None,
    ) -> None:
        self._weights, self._policy, self._digest = weights, policy, policy_digest
        self._settle = settle_days * MICROSECONDS_A_DAY
        self._words = Words(weights)
        held = carried or Carried.nothing(weights)
        kept = (self._words.sources, self._words.nationalities, self._words.sexes)
        for vocabulary, words in zip(kept, held.words, strict=True):
            for word in words:
                vocabulary.code(word)
        self._held, self._until = HeldReports(held.reports), held.until
        self._links, self._merges = held.links, held.merges
        self._open_stays = held.open_stays

    @property
    def carried(self) -> Carried:
        """What is handed on, as it lies here: good until the next ``take``."""
        kept = (self._words.sources, self._words.nationalities, self._words.sexes)
        words = tuple(v.known for v in kept)
        return Carried(
            self._held.reports, self._links, self._merges, words, self._until, self._open_stays
        )

    def read(self, block: Iterable[pl.DataFrame]) -> Reports:
        """One block (ENCODINGS, in pieces) as ``take`` works on it. May run while another block is
        taken: it holds a piece at a time, and twice what it gives."""
        pieces = [
            self._words.read(p.filter(~pl.col("withdrawn")) if p["withdrawn"].any() else p)
            for p in block
        ]
        joined = Reports.joined(pieces or [self._words.read(ENCODINGS.empty())])
        pieces.clear()
        return joined.in_order()

    def take(self, block: pl.DataFrame | Reports, *, last: bool = False) -> Settled:
        """Link one block, ENCODINGS or what ``read`` made of them.

        ``last``: none follows, everything is settled. Raises LinkageError where a report is earlier
        than the end of the block before; the linker is of no more use then.
        """
        fresh = self.read([block]) if isinstance(block, pl.DataFrame) else block
        del block
        self._check_order(fresh)
        known, carried, without_keys = (
            self._known_before(fresh),
            self._held.count,
            fresh.without_keys,
        )
        # Both are in order, and nobody of the first is later than the second.
        self._held.add(fresh)
        del fresh  # the block is what bounds memory: what it was made of goes
        reports = self._held.reports
        index = LinkIndex(self._weights, self._policy, room=0)
        # Among millions most pairs that share a key are strangers who could never be linked.
        few = self._open_stays / 2 or _few_at_first(reports)
        wanted = may_matter(self._weights, few, self._policy.threshold_log2_odds)
        proposal = self._with_carried(
            index.add_at_once(reports, wanted, since=known), known, wanted
        )
        slots = np.arange(reports.count, dtype=np.int32)
        # Who was carried on is spread over years: how crowded it is, the block itself says.
        near = nearby(index, slots[carried:])
        merge_reports(index, proposal.merges, slots, near)
        open_stays = self._open_stays = mean_open_stays(index, slots)
        chosen = choose_links(index, proposal.links, open_stays, ambiguity=None)
        limit = _ALL if last or self._until is None else self._until - self._settle
        final = index.slots.time[chosen.departure] < limit
        gone = self._gone(index, slots, chosen, proposal, final, limit, open_stays)
        linked = self._linked(index, slots[gone], chosen, proposal, final, without_keys)
        del index, chosen, reports  # they lie where those who stay are moved to
        self._keep(proposal, ~gone)
        return Settled(linked, self._held.count, open_stays)

    def _known_before(self, fresh: Reports) -> int:
        """How many of the carried reports need not ask again: who they could meet came before.

        Who is of the same moment as the first of the block has not met it yet.
        """
        if not fresh.count:
            return self._held.count
        return int(np.searchsorted(self._held.reports.time, fresh.time[0]))

    def _with_carried(self, fresh: Proposal, known: int, wanted: NDArray[np.bool_]) -> Proposal:
        """The carried pairs, then the block's: as if everybody had asked."""
        links = _asked_before(self._links, known)
        links = links.only(wanted[links.pattern])
        merges = _asked_before(self._merges, known)
        return Proposal(links.and_then(fresh.links), merges.and_then(fresh.merges), fresh.capped)

    def _keep(self, proposal: Proposal, stays: NDArray[np.bool_]) -> None:
        """Carry on the reports that stay, and the pairs that both ends of stay."""
        number = (np.cumsum(stays) - 1).astype(np.int32)
        self._links, self._merges = (
            Pairs(number[pairs.one], number[pairs.other], pairs.pattern)
            for pairs in (
                pairs.only(stays[pairs.one] & stays[pairs.other])
                for pairs in (proposal.links, proposal.merges)
            )
        )
        self._held.keep(stays)

    def _check_order(self, fresh: Reports) -> None:
        if not fresh.count:
            return
        if self._until is not None and fresh.time[0] < self._until:
            raise LinkageError(
                "blocks must come in time order: this one begins before the last one ended; "
                "sort the history by event_time"
            )
        self._until = int(fresh.time[-1])

    def _gone(
        self, index: LinkIndex, slots: NDArray[np.int32], chosen: Chosen, proposal: Proposal,
        final: NDArray[np.bool_], limit: int, open_stays: float,
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Which reports need not be carried on: all reports of a crossing or none."""
        held = index.slots
        time = held.time[: slots.size]
        if limit == _ALL:
            return np.ones(slots.size, np.bool_)
        arrives = held.direction[: slots.size] == 0
        oldest = limit - self._policy.max_stay_days * MICROSECONDS_A_DAY
        gone = np.where(arrives, time < oldest, time < limit)
        linked = np.concatenate([chosen.arrival, chosen.departure])
        gone[linked] = np.concatenate([final, final])
        gone[_came_again(index, chosen, proposal, final, open_stays)] = True
        crossings: NDArray[np.bool_] = gone[held.standing[: slots.size]]
        return crossings

    def _linked(
        self, index: LinkIndex, gone: NDArray[np.int32], chosen: Chosen, proposal: Proposal,
        final: NDArray[np.bool_], without_keys: int,
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
            without_keys,
            0,
        )


def _few_at_first(reports: Reports) -> float:
    """Open stays of a first block, at the least: an eighth of where its arrivals and departures
    seem to leave it, for a crossing may be on several lists. 1 for a small block."""
    leaves = reports.direction == 1
    if reports.count < MANY or not leaves.any():
        return 1.0
    level = np.cumsum(np.where(leaves, -1, 1))
    level -= min(int(level.min()), 0)
    return max(1.0, float(level[leaves].mean()) / 8)


def _asked_before(pairs: Pairs, known: int) -> Pairs:
    """Pairs whose later report is one of the first ``known``."""
    return pairs.only(np.maximum(pairs.one, pairs.other) < known)


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
    sure = index.weights.same_traveller(pairs.pattern[known], open_stays) >= CAME_AGAIN_BITS
    return np.unique(earlier[known[sure]]).astype(np.int32)
