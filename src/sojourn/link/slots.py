"""A row for each report that is held: its attributes, whom it stands with, what it looks for.

In: reports' attributes, by slot. Out: slots given out and taken back, slots found by reference,
and how many stays are open, kept up to date as things change. 61 bytes a slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.keyroom import EPOCH_BIT, KIND_MASK
from sojourn.link.patterns import MOST
from sojourn.link.reports import Reports
from sojourn.link.table import Table, at_home, crowd_of, delete, home_of, insert, run_of
from sojourn.schemas import KeyKind

NONE = -1
BOARDED, CROSSED = 1, 2  # evidence: see Slots
FREE, CLOSED, OPEN = 0, 1, 2  # a slot's state: unused; has its partner; looks for one
COUNTED, ASKED = 1, 2  # marks: is among the open stays; is of the batch at hand
_DOCUMENT, _NAME = int(KeyKind.DOCUMENT), int(KeyKind.NAME_DATE)
STEP = 32  # slots grow by one part in so many: in place, so that it costs little
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio (Knuth, 6.4)


class Slots(NamedTuple):
    """Column per attribute of a report; rows are slots."""

    state: NDArray[np.uint8]
    direction: NDArray[np.uint8]  # 0 arrival, 1 departure
    evidence: NDArray[np.uint8]  # 0 booked, 1 boarded, 2 crossed
    time: NDArray[np.int64]  # event time, microseconds
    recorded: NDArray[np.int64]
    source: NDArray[np.int32]
    nationality: NDArray[np.uint16]  # 0 unknown
    sex: NDArray[np.uint8]  # 0 unknown
    curve: NDArray[np.int16]  # which stay-length curve (weights)
    has_document: NDArray[np.bool_]
    tokens: NDArray[np.uint8]  # dated name tokens
    ref_high: NDArray[np.uint64]
    ref_low: NDArray[np.uint64]
    standing: NDArray[np.int32]  # the slot that stands for this crossing
    ring: NDArray[np.int32]  # the crossing's reports, in a circle; of free slots: the next free
    strength: NDArray[np.uint8]  # of the standing slot: the crossing's strongest evidence
    marks: NDArray[np.uint8]
    at: NDArray[np.int32]  # where the slot's keys begin
    held: NDArray[np.uint8]  # and how many they are


_TYPES = (
    np.uint8, np.uint8, np.uint8, np.int64, np.int64, np.int32, np.uint16, np.uint8, np.int16,
    np.bool_, np.uint8, np.uint64, np.uint64, np.int32, np.int32, np.uint8, np.uint8, np.int32,
    np.uint8,
)  # fmt: skip


def new_slots(room: int) -> Slots:
    made: Iterator[NDArray[Any]] = (np.zeros(room, kind) for kind in _TYPES)
    return Slots(*made)


def grow_slots(slots: Slots, room: int) -> None:
    """In place: the system moves whole pages, and never are two copies held."""
    column: NDArray[Any]
    for column in slots:
        column.resize(room, refcheck=False)


def slots_around(reports: Reports) -> Slots:
    """Slots 0, 1, 2 of these reports, each open and standing for itself. Columns that say what was
    reported are theirs and no copies; nothing writes to them."""
    count = reports.count
    alone = np.arange(count, dtype=np.int32)
    marked = new_slots(count)
    slots = marked._replace(
        direction=reports.direction, evidence=reports.evidence, time=reports.time,
        recorded=reports.recorded, source=reports.source, nationality=reports.nationality,
        sex=reports.sex, curve=reports.curve, ref_high=reports.ref_high, ref_low=reports.ref_low,
        standing=alone, ring=alone.copy(), strength=reports.evidence.copy(),
    )  # fmt: skip
    slots.state[:] = OPEN
    _describe_all(slots, reports.offsets, reports.kinds)
    return slots


@lean
def _describe_all(to: Slots, offsets: NDArray[np.int64], kinds: NDArray[np.uint8]) -> None:
    for s in range(offsets.size - 1):
        _describe(s, to, offsets[s], offsets[s + 1], kinds)


@lean
def fill(
    slots: NDArray[np.int32], to: Slots, ref_high: NDArray[np.uint64],
    ref_low: NDArray[np.uint64], direction: NDArray[np.uint8], evidence: NDArray[np.uint8],
    time: NDArray[np.int64], recorded: NDArray[np.int64], source: NDArray[np.int32],
    nationality: NDArray[np.uint16], sex: NDArray[np.uint8], curve: NDArray[np.int16],
    offsets: NDArray[np.int64], kinds: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Reports' attributes into slots, each open and standing for itself."""
    for i in range(slots.size):
        s = slots[i]
        to.state[s], to.marks[s] = OPEN, 0
        to.direction[s] = direction[i]
        to.evidence[s] = to.strength[s] = evidence[i]
        to.time[s], to.recorded[s] = time[i], recorded[i]
        to.source[s], to.nationality[s] = source[i], nationality[i]
        to.sex[s], to.curve[s] = sex[i], curve[i]
        to.ref_high[s], to.ref_low[s] = ref_high[i], ref_low[i]
        to.standing[s] = to.ring[s] = s
        _describe(s, to, offsets[i], offsets[i + 1], kinds)


@lean
def _describe(s: int, to: Slots, first: int, last: int, kinds: NDArray[np.uint8]) -> None:
    """What the keys say of their record: has it a document, how many dated name tokens."""
    even, odd = 0, 0  # of the two epochs
    has = False
    for k in range(first, last):
        kind = kinds[k] & KIND_MASK
        if kind == _DOCUMENT:
            has = True
        elif kind == _NAME and kinds[k] & EPOCH_BIT:
            odd += 1
        elif kind == _NAME:
            even += 1
    to.has_document[s] = has
    to.tokens[s] = min(max(even, odd), MOST + 1)


@lean
def claim(out: NDArray[np.int32], ring: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Slots for as many reports as ``out`` holds: those given back first, then unused ones.

    ``counts``: slots in use, slots ever used, the first that was given back.
    """
    for i in range(out.size):
        slot = counts[2]
        if slot != NONE:
            counts[2] = ring[slot]
        else:
            slot = counts[1]
            counts[1] += 1
        out[i] = slot
    counts[0] += out.size


@lean
def give_back(
    slots: NDArray[np.int32], state: NDArray[np.uint8], ring: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> None:  # fmt: skip
    for i in range(slots.size):
        state[slots[i]] = FREE
        ring[slots[i]] = counts[2]
        counts[2] = slots[i]
    counts[0] -= slots.size


@lean
def recount(
    touched: NDArray[np.int32], state: NDArray[np.uint8], direction: NDArray[np.uint8],
    standing: NDArray[np.int32], strength: NDArray[np.uint8], marks: NDArray[np.uint8],
) -> int:  # fmt: skip
    """Mark which of the touched slots are open stays; returns by how many there are more now."""
    more = 0
    for i in range(touched.size):
        s = touched[i]
        wanted = (
            state[s] == OPEN and direction[s] == 0 and standing[s] == s and strength[s] >= BOARDED
        )
        if wanted != ((marks[s] & COUNTED) != 0):
            marks[s] ^= COUNTED
            more += 1 if wanted else -1
    return more


@lean
def ref_hash(high: np.uint64, low: np.uint64) -> np.uint64:
    """References are HMACs; mixed all the same, for a source may have others."""
    mixed = (high ^ (low * SPREAD)) * SPREAD
    return (mixed ^ (mixed >> np.uint64(29))) * SPREAD


@lean
def put_refs(slots: NDArray[np.int32], start: int, held: Slots, table: Table) -> int:
    """As ``put``, for references."""
    for i in range(start, slots.size):
        if table.key.size - table.counts[1] < 1:
            return i
        slot = slots[i]
        insert(table, ref_hash(held.ref_high[slot], held.ref_low[slot]), slot)
    return slots.size


@lean
def take_refs(slots: NDArray[np.int32], held: Slots, table: Table) -> None:
    for i in range(slots.size):
        slot = slots[i]
        delete(table, ref_hash(held.ref_high[slot], held.ref_low[slot]), slot)


@lean
def find_refs(
    high: NDArray[np.uint64], low: NDArray[np.uint64], held: Slots, table: Table,
    out: NDArray[np.int32],
) -> None:  # fmt: skip
    """The slot of each reference, NONE where it is not held."""
    for i in range(high.size):
        out[i] = NONE
        key = ref_hash(high[i], low[i])
        home = home_of(key, table)
        p = run_of(home, table)
        while at_home(p, home, table):
            slot = table.slot[p]
            if held.ref_high[slot] == high[i] and held.ref_low[slot] == low[i]:
                out[i] = slot
            p += 1
        e = crowd_of(key, table)
        while e != NONE:
            slot = table.owner[e]
            if held.ref_high[slot] == high[i] and held.ref_low[slot] == low[i]:
                out[i] = slot
            e = table.next[e]
