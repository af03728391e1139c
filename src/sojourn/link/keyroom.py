"""The match keys of each slot, side by side: nine bytes a key.

In: keys and kinds of records. Out: where each slot's keys begin. A block that is given back waits
for the next record of as many keys; when the room is used up and a good part of it lies idle, the
blocks are moved together, otherwise the room grows by a small step. What two records share is
counted here, kind by kind and epoch by epoch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.errors import LinkageError
from sojourn.link.patterns import KINDS
from sojourn.schemas import COARSER

NONE = -1
EPOCH_BIT = 0x80
KIND_MASK = 0x7F
MOST_KEYS = 255  # of one record
MOST_ROOM = (1 << 31) - 1
IDLE = 16  # one part in so many lying idle is worth moving everything together
STEP = 32  # otherwise the room grows by one part in so many: in place, so that it costs little
_END, _IDLE = 0, 1
# The coarser kind of each kind; its own number where there is none.
COARSER_OF = np.arange(KINDS, dtype=np.int64)
for _finer, _coarser in COARSER.items():
    COARSER_OF[_finer] = _coarser
FINER = sum(1 << int(kind) for kind in COARSER)


class Keys(NamedTuple):
    """Blocks of keys; slot s has ``key[at[s] : at[s] + held[s]]``."""

    key: NDArray[np.uint64]
    kind: NDArray[np.uint8]  # KeyKind, the parity of its epoch in the top bit
    at: NDArray[np.int32]
    held: NDArray[np.uint8]


class KeyRoom:
    """Blocks of keys, given out and taken back. ``at`` and ``held`` belong to the slots."""

    def __init__(self, at: NDArray[np.int32], held: NDArray[np.uint8], room: int) -> None:
        self.keys = Keys(np.zeros(room, np.uint64), np.zeros(room, np.uint8), at, held)
        self._free = np.full(MOST_KEYS + 1, NONE, np.int64)
        self._counts = np.zeros(2, np.int64)

    @classmethod
    def around(
        cls, at: NDArray[np.int32], held: NDArray[np.uint8], offsets: NDArray[np.int64],
        keys: NDArray[np.uint64], kinds: NDArray[np.uint8],
    ) -> KeyRoom:  # fmt: skip
        """A full room of keys that lie side by side already, from slot 0 on."""
        made = cls(at, held, 0)
        if offsets[-1] > MOST_ROOM:
            raise LinkageError("more match keys than one index can hold: partition the load")
        at[: offsets.size - 1] = offsets[:-1]
        held[: offsets.size - 1] = np.diff(offsets)
        made.keys = Keys(keys, kinds, at, held)
        return made

    @property
    def bytes_used(self) -> int:
        return self.keys.key.nbytes + self.keys.kind.nbytes + self._free.nbytes

    def put(
        self, slots: NDArray[np.int32], offsets: NDArray[np.int64], keys: NDArray[np.uint64],
        kinds: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        """Take the records' keys in, which ``kinds_left_out`` has looked at."""
        needed = int(offsets[-1])
        if self._counts[_END] + needed > self.keys.key.size:
            self._make_room(needed)
        _store(slots, offsets, keys, kinds, self.keys, self._free, self._counts)

    def drop(self, slots: NDArray[np.int32]) -> None:
        """The slots' blocks may be used again."""
        _release(slots, self.keys, self._free, self._counts)

    def _make_room(self, needed: int) -> None:
        size = self.keys.key.size
        if self._counts[_IDLE] >= max(needed, size // IDLE):
            self._move_together()
            return
        room = max(size + size // STEP, int(self._counts[_END]) + needed)
        if room > MOST_ROOM:
            raise LinkageError("more match keys than one index can hold: partition the load")
        # In place: the system moves whole pages, and never are two copies held.
        self.keys.key.resize(room, refcheck=False)
        self.keys.kind.resize(room, refcheck=False)

    def _move_together(self) -> None:
        """Close the gaps, block by block from the front."""
        used = np.flatnonzero(self.keys.held).astype(np.int32)
        in_turn = used[np.argsort(self.keys.at[used])]
        self._counts[_END] = _shift(in_turn, self.keys)
        self._counts[_IDLE] = 0
        self._free[:] = NONE


@lean
def _store(
    slots: NDArray[np.int32], offsets: NDArray[np.int64], keys: NDArray[np.uint64],
    kinds: NDArray[np.uint8], into: Keys, free: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    for i in range(slots.size):
        count = offsets[i + 1] - offsets[i]
        start = free[count]
        if count == 0:
            start = 0
        elif start != NONE:
            free[count] = np.int64(into.key[start])
            counts[_IDLE] -= count
        else:
            start = counts[_END]
            counts[_END] += count
        into.at[slots[i]], into.held[slots[i]] = start, count
        for k in range(count):
            into.key[start + k] = keys[offsets[i] + k]
            into.kind[start + k] = kinds[offsets[i] + k]


@lean
def _release(
    slots: NDArray[np.int32], keys: Keys, free: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    """An idle block's first place tells the next idle block of its size; no key stays."""
    for i in range(slots.size):
        start, count = np.int64(keys.at[slots[i]]), np.int64(keys.held[slots[i]])
        keys.held[slots[i]] = 0
        if count > 0:
            for k in range(count):
                keys.key[start + k] = 0
            keys.key[start] = np.uint64(free[count])
            free[count] = start
            counts[_IDLE] += count


@lean
def _shift(in_turn: NDArray[np.int32], keys: Keys) -> int:
    end = 0
    for slot in in_turn:
        start = np.int64(keys.at[slot])
        for k in range(keys.held[slot]):
            keys.key[end + k] = keys.key[start + k]
            keys.kind[end + k] = keys.kind[start + k]
        keys.at[slot] = end
        end += keys.held[slot]
    for k in range(end, keys.key.size):
        keys.key[k] = 0
    return end


@lean
def holds(slot: int, key: np.uint64, keys: Keys) -> bool:
    i = np.int64(keys.at[slot])
    end = i + keys.held[slot]
    while i < end and keys.key[i] != key:
        i += 1
    return bool(i < end)


@lean
def is_left_out(kind: int, left_out: int) -> bool:
    """Is this kind (with or without its epoch's bit) only compared, never searched by?"""
    return (left_out >> (kind & KIND_MASK)) & 1 == 1


@lean
def count_shared(
    a: int, b: int, among: int, keys: Keys, counts: NDArray[np.uint8], row: int
) -> None:
    """Add the keys that two slots share to ``counts[row]``: by kind, then by kind of odd epochs.

    ``among``: bits of the kinds that are counted.
    """
    count_between(
        int(keys.at[a]), int(keys.held[a]), int(keys.at[b]), int(keys.held[b]), among, keys,
        counts, row,
    )  # fmt: skip


@lean
def count_between(
    a_start: int, a_held: int, b_start: int, b_held: int, among: int, keys: Keys,
    counts: NDArray[np.uint8], row: int,
) -> None:  # fmt: skip
    """As ``count_shared``, of two blocks."""
    for i in range(a_start, a_start + a_held):
        raw = np.int64(keys.kind[i])
        kind = raw & KIND_MASK
        if (among >> kind) & 1 == 0:
            continue
        for j in range(b_start, b_start + b_held):
            if keys.key[j] == keys.key[i] and keys.kind[j] == raw:
                counts[row, kind + KINDS if raw & EPOCH_BIT else kind] += 1


@lean
def shares_coarser(
    left_out: int, counts: NDArray[np.uint8], row: int, coarser: NDArray[np.int64]
) -> int:
    """Of the kinds that are left out of a search, those whose coarser kind agrees."""
    out = 0
    for kind in range(KINDS):
        if (left_out >> kind) & 1:
            rough = coarser[kind]
            if counts[row, rough] or counts[row, KINDS + rough]:
                out |= 1 << kind
    return out


@lean
def not_implied(
    offsets: NDArray[np.int64], kinds: NDArray[np.uint8], coarser: NDArray[np.int64]
) -> int:
    """Kinds that some record has without their coarser kind of the same epoch, as bits.

    -1 where a kind is none that is known, -2 where a record has more than MOST_KEYS keys.
    """
    out = 0
    for i in range(offsets.size - 1):
        if offsets[i + 1] - offsets[i] > MOST_KEYS:
            return -2
        even, odd = 0, 0
        for k in range(offsets[i], offsets[i + 1]):
            kind = int(kinds[k]) & KIND_MASK
            if kind >= KINDS:
                return -1
            if kinds[k] & EPOCH_BIT:
                odd |= 1 << kind
            else:
                even |= 1 << kind
        for kind in range(KINDS):
            rough = 1 << int(coarser[kind])
            if (even >> kind) & 1 and even & rough == 0:
                out |= 1 << kind
            if (odd >> kind) & 1 and odd & rough == 0:
                out |= 1 << kind
    return out


def kinds_left_out(offsets: NDArray[np.int64], kinds: NDArray[np.uint8], so_far: int) -> int:
    """Of the kinds ``so_far`` left out of the search, those that these records allow as well.

    A finer kind may be left out as long as every record that has it has its coarser kind too:
    where a policy enables both. Raises LinkageError where a kind is not one of KeyKind, or where
    a record has more than MOST_KEYS keys.
    """
    bare = int(not_implied(offsets, kinds, COARSER_OF))
    if bare == -2:
        raise LinkageError(f"match_keys: expected at most {MOST_KEYS} keys in a record")
    if bare < 0:
        raise LinkageError("key_kinds: expected the kinds of key that this Sojourn knows")
    return so_far & ~bare
