"""Reports in, crossings and stays out: the index, the weights and the resolving together.

``LinkIndex`` holds reports that may still find a partner. ``propose_*`` ask it, ``decide`` turns
candidate pairs into merges and links. The bulk (``link``) and the live path (``live``) use the
same parts; what differs is who is asked and who is already settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sojourn.errors import LinkageError
from sojourn.link import index as ix
from sojourn.link.grouped import group_keys, propose_all
from sojourn.link.weights import MICROSECONDS_A_DAY, WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import Direction, Evidence

HOUR = 3_600_000_000
_EVIDENCE = [e.value for e in Evidence]
BOARDED = _EVIDENCE.index(Evidence.BOARDED)
PAIRS_AT_ONCE = 1 << 20
MOST_SLOTS = 1 << 31


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs as slots, with their patterns. For links: arrival, departure."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    pattern: NDArray[np.uint32]


@dataclass(frozen=True)
class Proposal:
    links: Pairs
    merges: Pairs
    capped: int  # lookups of a key that candidates_per_key cut short


class FlatKeys(NamedTuple):
    """Keys of slots 0 to n side by side; empty where an index hangs its keys in a table."""

    offsets: NDArray[np.int64]
    keys: NDArray[np.uint64]
    kinds: NDArray[np.uint8]


NO_KEYS = FlatKeys(np.zeros(1, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.uint8))


class Vocabulary:
    """Words to small numbers, stable over batches; null is 0."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def codes(self, words: pl.Series) -> NDArray[np.int32]:
        text = words.cast(pl.String)
        for word in text.unique().drop_nulls().sort():
            self._codes.setdefault(word, len(self._codes) + 1)
        if not self._codes:
            return np.zeros(len(text), np.int32)
        coded = text.replace_strict(self._codes, default=0, return_dtype=pl.Int32)
        return coded.fill_null(0).to_numpy().astype(np.int32)


def list_parts(column: pl.Series) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Offsets (n+1) and values of a list column, without a Python loop."""
    array = column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if not isinstance(array, pa.LargeListArray):
        raise LinkageError(f"expected a list column, found {column.dtype}")
    offsets = np.asarray(array.offsets).astype(np.int64)
    return offsets - offsets[0], np.asarray(array.flatten())


def ref_parts(refs: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """References of 16 bytes as two numbers that sort like the bytes."""
    raw = b"".join(refs.to_list())
    if len(raw) != 16 * len(refs):
        raise LinkageError("crossing_ref: expected 16 bytes in every row")
    words = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)
    return np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])


def join_refs(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pl.Series:
    raw = np.stack([high, low], axis=1).astype(">u8").tobytes()
    return pl.Series([raw[i : i + 16] for i in range(0, len(raw), 16)], dtype=pl.Binary)


class LinkIndex:
    """Reports and keys in memory. Slots and entries are used again after ``remove``."""

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
        self._sources, self._nationalities, self._sexes = Vocabulary(), Vocabulary(), Vocabulary()
        self._reset(room, room * keys)

    def _reset(self, room: int, entries: int) -> None:
        self.slots = _new_slots(room)
        self._free_slots = np.arange(room, dtype=np.int32)
        self._slots_taken = 0
        self.entries = _new_entries(entries)
        self._free_entries = np.arange(entries, dtype=np.int32)
        self._entries_taken = 0
        self.heads = np.full(_power_above(entries), ix.NONE, np.int32)
        self._mark = np.full(room, ix.NONE, np.int32)
        self.flat = NO_KEYS

    @property
    def reports(self) -> int:
        return self._slots_taken

    @property
    def bytes_used(self) -> int:
        arrays = (*self.slots, *self.entries, self._free_slots, self._free_entries, self.heads)
        return sum(a.nbytes for a in (*arrays, self._mark))

    def open_stays(self) -> int:
        """Arrivals that look for a departure: what the prior follows."""
        slots = self.slots
        standing = slots.standing == np.arange(slots.standing.size)
        wanted = (slots.state == ix.OPEN) & (slots.direction == 0) & standing
        return int((wanted & (slots.strength >= BOARDED)).sum())

    def add(self, encodings: pl.DataFrame) -> NDArray[np.int32]:
        """Put reports in, each standing for itself and open; returns their slots."""
        offsets, keys = list_parts(encodings["match_keys"])
        _, kinds = list_parts(encodings["key_kinds"])
        count = encodings.height
        self._make_room(count, int(offsets[-1]))
        taken = self._slots_taken
        slots = self._free_slots[taken : taken + count].copy()
        self._slots_taken += count
        self._fill(slots, encodings)
        ix.describe(slots, offsets, kinds, self.slots.has_document, self.slots.tokens)
        self._entries_taken = ix.put(
            slots, offsets, keys, kinds, self._free_entries, self._entries_taken,
            self.heads, self.entries, self.slots.entry,
        )  # fmt: skip
        return slots

    def _fill(self, slots: NDArray[np.int32], encodings: pl.DataFrame) -> None:
        to = self.slots
        to.state[slots] = ix.OPEN
        to.direction[slots] = (encodings["direction"] == Direction.DEPARTURE).to_numpy()
        evidence = encodings["evidence"].to_physical().to_numpy()
        to.evidence[slots] = evidence
        to.strength[slots] = evidence
        to.time[slots] = encodings["event_time"].to_physical().to_numpy()
        to.recorded[slots] = encodings["recorded_at"].to_physical().to_numpy()
        to.source[slots] = self._sources.codes(encodings["source"])
        to.nationality[slots] = self._nationalities.codes(encodings["nationality"])
        to.sex[slots] = self._sexes.codes(encodings["sex"])
        classes = encodings["admission_class"]
        curves = {c: self.weights.curve_of(c) for c in classes.unique().drop_nulls()}
        if curves:
            coded = classes.replace_strict(curves, default=0, return_dtype=pl.Int16).fill_null(0)
            to.curve[slots] = coded.to_numpy()
        else:
            to.curve[slots] = 0
        to.ref_high[slots], to.ref_low[slots] = ref_parts(encodings["crossing_ref"])
        to.standing[slots] = slots
        to.ring[slots] = slots

    def remove(self, slots: NDArray[np.int32]) -> None:
        """Take reports out; whoever stood with them must be taken out in the same call."""
        if not slots.size:
            return
        self._entries_taken = ix.take(
            slots, self._free_entries, self._entries_taken, self.heads, self.entries,
            self.slots.entry,
        )  # fmt: skip
        self.slots.state[slots] = ix.FREE
        self._slots_taken -= slots.size
        self._free_slots[self._slots_taken : self._slots_taken + slots.size] = slots

    def find(self, refs: pl.Series) -> NDArray[np.int32]:
        """Slots of references, NONE where not held. Costs a pass over the slots."""
        used = np.flatnonzero(self.slots.state != ix.FREE).astype(np.int32)
        high, low = ref_parts(refs)
        held = pl.DataFrame(
            {"h": self.slots.ref_high[used], "l": self.slots.ref_low[used], "slot": used}
        )
        asked = pl.DataFrame({"h": high, "l": low})
        joined = asked.join(held, on=["h", "l"], how="left", maintain_order="left")
        return joined["slot"].fill_null(ix.NONE).to_numpy().astype(np.int32)

    def add_at_once(self, encodings: pl.DataFrame) -> Proposal:
        """Put a whole set, in time order, into an empty index and give all its candidate pairs.

        Its keys are grouped for this once: nobody can be asked about afterwards.
        """
        offsets, keys = list_parts(encodings["match_keys"])
        _, kinds = list_parts(encodings["key_kinds"])
        count = encodings.height
        self._make_room(count, 0)
        slots = np.arange(count, dtype=np.int32)
        self._slots_taken = count
        self._fill(slots, encodings)
        self.slots.entry[slots] = ix.NONE
        ix.describe(slots, offsets, kinds, self.slots.has_document, self.slots.tokens)
        self.flat = FlatKeys(offsets, keys, kinds)
        groups = group_keys(offsets, keys, kinds, self.slots, count)
        links, merges, cut = propose_all(groups, self.slots, self.window)
        return Proposal(_pairs(links), _pairs(merges), cut)

    def propose(self, asked: NDArray[np.int32]) -> Proposal:
        """Candidate pairs of ``asked`` with everything held that is open."""
        fresh = np.zeros(self.slots.state.size, np.bool_)
        fresh[asked] = True
        links, merges, capped, start = [], [], 0, 0
        room = max(2 * ix.NEAR, min(PAIRS_AT_ONCE, 64 * asked.size))
        near, agree = ix.new_room()
        while start < asked.size:
            found_links, found_merges = _new_found(room), _new_found(room)
            start, n_links, n_merges, dropped = ix.propose(
                asked, fresh, self.slots, self.entries, self.heads, self.window, start,
                self._mark, near, agree, found_links, found_merges,
            )  # fmt: skip
            links.append(tuple(part[:n_links].copy() for part in found_links))
            merges.append(tuple(part[:n_merges].copy() for part in found_merges))
            capped += dropped
        return Proposal(_pairs(links), _pairs(merges), capped)

    def _make_room(self, slots: int, entries: int) -> None:
        while self._slots_taken + slots > self._free_slots.size:
            self._grow_slots(max(2 * self._free_slots.size, self._slots_taken + slots))
        if self._entries_taken + entries > self._free_entries.size:
            wanted = max(int(1.5 * self._free_entries.size), self._entries_taken + entries)
            self._grow_entries(wanted)

    def _grow_slots(self, room: int) -> None:
        if room >= MOST_SLOTS:
            raise LinkageError("more open reports than one index can hold: partition the load")
        old = self._free_slots.size
        bigger = _new_slots(room)
        for to, have in zip(_arrays(bigger), _arrays(self.slots), strict=True):
            to[:old] = have
        self.slots = bigger
        self._free_slots = np.concatenate([self._free_slots, np.arange(old, room, dtype=np.int32)])
        self._mark = np.full(room, ix.NONE, np.int32)

    def _grow_entries(self, room: int) -> None:
        old = self._free_entries.size
        bigger = _new_entries(room)
        for to, have in zip(_arrays(bigger), _arrays(self.entries), strict=True):
            to[:old] = have
        used = np.ones(old, np.bool_)
        used[self._free_entries[self._entries_taken :]] = False
        self._free_entries = np.concatenate(
            [self._free_entries, np.arange(old, room, dtype=np.int32)]
        )
        self.entries = bigger
        if _power_above(room) > self.heads.size:
            self.heads = np.full(_power_above(room), ix.NONE, np.int32)
            ix.rehang(self.heads, self.entries, np.flatnonzero(used).astype(np.int32))


def _arrays(columns: Iterable[Any]) -> list[NDArray[Any]]:
    return list(columns)


def _new_slots(room: int) -> ix.Slots:
    kinds = (
        np.uint8, np.uint8, np.uint8, np.int64, np.int64, np.int32, np.int32, np.uint8, np.int16,
        np.bool_, np.uint8, np.uint64, np.uint64, np.int32, np.int32, np.uint8, np.int32,
    )  # fmt: skip
    made: Iterator[NDArray[Any]] = (np.zeros(room, kind) for kind in kinds)
    return ix.Slots(*made)


def _new_entries(room: int) -> ix.Entries:
    kinds = (np.uint64, np.int32, np.int32, np.int32, np.uint8)
    made: Iterator[NDArray[Any]] = (np.zeros(room, kind) for kind in kinds)
    return ix.Entries(*made)


def _new_found(room: int) -> ix.Found:
    return ix.Found(np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.uint32))


def _pairs(parts: Sequence[tuple[NDArray[Any], ...]]) -> Pairs:
    if not parts:
        return Pairs(*_new_found(0))
    return Pairs(*(np.concatenate([p[i] for p in parts]) for i in range(3)))


def _power_above(count: int) -> int:
    return 1 << max(10, (count - 1).bit_length())
