"""Reports held and asked: the slots, their keys and the tables that find them, as one.

``LinkIndex`` holds reports that may still find a partner and proposes candidate pairs; ``decide``
turns these into merges and links. The bulk (``link``) and the live path (``live``) use the same
parts; what differs is who is asked and who is already settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LinkageError
from sojourn.link import index as ix
from sojourn.link import slots as sl
from sojourn.link.grouped import group_keys, propose_all
from sojourn.link.keyroom import FINER, MOST_KEYS, KeyRoom, kinds_left_out
from sojourn.link.patterns import PATTERNS
from sojourn.link.reports import Reports, Words
from sojourn.link.table import grown_entries, new_table, with_crowd_room
from sojourn.link.weights import MICROSECONDS_A_DAY, WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.references import ref_parts

HOUR = 3_600_000_000
FEW = 64  # so few reports' pairs are noted in room that is kept
PAIRS_AT_ONCE = 1 << 20
MOST_SLOTS = 1 << 30
SPARE = 32  # of a table that is filled at once, one part in so many: the next report fits


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs as slots, with their patterns. For links: arrival, departure."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    pattern: NDArray[np.uint32]

    def only(self, pairs: NDArray[np.bool_]) -> Pairs:
        return Pairs(self.one[pairs], self.other[pairs], self.pattern[pairs])

    def and_then(self, others: Pairs) -> Pairs:
        if not self.one.size:
            return others
        return _pairs([(p.one, p.other, p.pattern) for p in (self, others)])


NO_PAIRS = Pairs(*ix.new_found(0))


@dataclass(frozen=True)
class Proposal:
    links: Pairs
    merges: Pairs
    capped: int  # lookups of a key that candidates_per_key cut short


class LinkIndex:
    """Reports and keys in memory. Slots and rooms of keys are used again after ``remove``."""

    def __init__(
        self, weights: WeightTable, policy: LinkagePolicy, *, room: int = 1024, keys: int = 12
    ) -> None:
        self.weights = weights
        self.policy = policy
        self.window = ix.Window(
            policy.max_stay_days * MICROSECONDS_A_DAY,
            policy.merge_hours * HOUR,
            policy.candidates_per_key,
        )
        self.words = Words(weights)
        self.slots = sl.new_slots(room)
        self.room = KeyRoom(self.slots.at, self.slots.held, room * keys)
        self.table, self._refs = new_table(room * keys), new_table(room)
        self._counts = np.array([0, 0, sl.NONE], np.int64)  # see slots.claim
        self._open_stays = 0
        self._left_out = FINER
        self._bench = ix.new_bench(policy.candidates_per_key)
        self._found = ix.new_found(2 * ix.NEAR), ix.new_found(2 * ix.NEAR)

    @property
    def reports(self) -> int:
        return int(self._counts[0])

    @property
    def bytes_used(self) -> int:
        """All that is held in memory: slots, keys, tables, and the room for asking."""
        arrays = (*self.slots, *self._bench, *self._found[0], *self._found[1])
        held = self.room.bytes_used + self.table.bytes_used + self._refs.bytes_used
        return held + sum(a.nbytes for a in arrays)

    def open_stays(self) -> int:
        """Arrivals that look for a departure: what the prior follows."""
        return self._open_stays

    def add(self, encodings: pl.DataFrame) -> NDArray[np.int32]:
        """Put ENCODINGS in, each standing for itself and open; returns their slots."""
        return self.add_reports(self.words.read(encodings))

    def add_reports(self, reports: Reports, *, later: bool = False) -> NDArray[np.int32]:
        """As ``add``. ``later``: they are not found by their keys before ``hang_all``."""
        left_out = kinds_left_out(reports.offsets, reports.kinds, self._left_out)
        slots = self._claim(reports.count)
        self.room.put(slots, reports.offsets, reports.keys, reports.kinds)
        self._fill(slots, reports)
        self._hang_refs(slots)
        if later:
            self._left_out = left_out
        elif left_out != self._left_out:
            self._left_out = left_out
            self.hang_all()
        else:
            self._hang_keys(slots, int(reports.offsets[-1]))
        self.recount(slots)
        return slots

    def hang_all(self) -> None:
        """Make the table of keys anew, little larger than it has to be."""
        used = self._used()
        entries = ix.count_entries(used, self.room.keys, self._left_out)
        self.table = new_table(0)  # the old one goes first: never are two held
        self.table = new_table(entries + entries // SPARE)
        self._put_keys(used)

    def _hang_keys(self, slots: NDArray[np.int32], most: int) -> None:
        """Put the slots' keys, ``most`` of them, into the table."""
        if self.table.entries + most > self.table.room:
            entries = grown_entries(self.table, most)
            self.table = new_table(0)
            self.table = new_table(entries)
            slots = self._used()
        self._put_keys(slots)

    def _put_keys(self, slots: NDArray[np.int32]) -> None:
        keys, done = self.room.keys, 0
        while (done := ix.put(slots, done, keys, self.table, self._left_out)) < slots.size:
            self.table = with_crowd_room(self.table, 2 * MOST_KEYS)

    def _hang_refs(self, slots: NDArray[np.int32]) -> None:
        if self._refs.entries + slots.size > self._refs.room:
            self._refs = new_table(grown_entries(self._refs, slots.size))
            slots = self._used()
        done = 0
        while (done := sl.put_refs(slots, done, self.slots, self._refs)) < slots.size:
            self._refs = with_crowd_room(self._refs, 2 * MOST_KEYS)

    def _used(self) -> NDArray[np.int32]:
        return np.flatnonzero(self.slots.state != sl.FREE).astype(np.int32)

    def _claim(self, count: int) -> NDArray[np.int32]:
        needed = self.reports + count
        if needed > self.slots.state.size:
            room = max(needed, self.slots.state.size + self.slots.state.size // sl.STEP)
            if room >= MOST_SLOTS:
                raise LinkageError("more open reports than one index can hold: partition the load")
            sl.grow_slots(self.slots, room)
        slots = np.empty(count, np.int32)
        sl.claim(slots, self.slots.ring, self._counts)
        return slots

    def _fill(self, slots: NDArray[np.int32], reports: Reports) -> None:
        sl.fill(
            slots, self.slots, reports.ref_high, reports.ref_low, reports.direction,
            reports.evidence, reports.time, reports.recorded, reports.source, reports.nationality,
            reports.sex, reports.curve, reports.offsets, reports.kinds,
        )  # fmt: skip

    def remove(self, slots: NDArray[np.int32]) -> None:
        """Take reports out; whoever stood with them must be taken out in the same call."""
        if not slots.size:
            return
        held = self.slots
        ix.take(slots, self.room.keys, self.table, self._left_out)
        sl.take_refs(slots, held, self._refs)
        self.room.drop(slots)
        held.state[slots] = sl.FREE
        self.recount(slots)
        sl.give_back(slots, held.state, held.ring, self._counts)

    def recount(self, touched: NDArray[np.int32]) -> None:
        """Call after anything changed of these slots that makes an open stay."""
        held = self.slots
        self._open_stays += int(
            sl.recount(
                touched, held.state, held.direction, held.standing, held.strength, held.marks
            )
        )

    def find(self, refs: pl.Series) -> NDArray[np.int32]:
        """Slots of references, NONE where not held."""
        high, low = ref_parts(refs)
        out = np.empty(high.size, np.int32)
        sl.find_refs(high, low, self.slots, self._refs, out)
        return out

    def add_at_once(
        self, reports: Reports, wanted: NDArray[np.bool_] | None = None, *, since: int = 0
    ) -> Proposal:
        """Put a whole set, in time order, into an empty index and give all its candidate pairs.

        ``wanted`` (PATTERNS) leaves out links of some patterns; by default none is left out.
        ``since``: pairs are given whose later report is this one or one after it.

        Its keys are grouped for this once: nobody can be asked about afterwards. The index works
        on the columns of ``reports`` themselves.
        """
        left_out = kinds_left_out(reports.offsets, reports.kinds, self._left_out)
        held = self.slots = sl.slots_around(reports)
        self._counts[:2] = reports.count
        self.room = KeyRoom.around(held.at, held.held, reports.offsets, reports.keys, reports.kinds)
        groups = group_keys(reports.offsets, self.room.keys, held, reports.count, left_out, since)
        if wanted is None:
            wanted = np.ones(PATTERNS, np.bool_)
        links, merges, cut = propose_all(groups, held, self.room.keys, self.window, wanted, since)
        return Proposal(_pairs(links), _pairs(merges), cut)

    def propose(self, asked: NDArray[np.int32]) -> Proposal:
        """Candidate pairs of ``asked`` with everything held that is open."""
        links, merges, capped, start = [], [], 0, 0
        found_links, found_merges = self._found
        if asked.size > FEW:
            room = max(2 * ix.NEAR, min(PAIRS_AT_ONCE, FEW * asked.size))
            found_links, found_merges = ix.new_found(room), ix.new_found(room)
        while start < asked.size:
            start, n_links, n_merges, cut = ix.propose(
                asked, self.slots, self.room.keys, self.table, self.window, self._left_out, start,
                self._bench, found_links, found_merges,
            )  # fmt: skip
            links.append(tuple(part[:n_links].copy() for part in found_links))
            merges.append(tuple(part[:n_merges].copy() for part in found_merges))
            capped += cut
        return Proposal(_pairs(links), _pairs(merges), capped)


def _pairs(parts: Sequence[tuple[NDArray[Any], ...]]) -> Pairs:
    if len(parts) == 1:
        return Pairs(*parts[0])
    if not parts:
        return Pairs(*ix.new_found(0))
    return Pairs(*(np.concatenate([p[i] for p in parts]) for i in range(3)))
