"""Who may hold a number: 64-bit hashes in, the slots that were put in under them out.

Robin Hood hashing with linear probing (P. Celis, P.-A. Larson, J. I. Munro, "Robin Hood hashing",
1985): entries lie in the order of their homes, so that all of one home lie side by side. An entry
is a slot and how far it lies from its home: five bytes. It does not hold the hash; whoever asks
looks at what the slot holds. Hashes must be uniform (they are HMACs).

A hash that very many share would push its neighbours away without end: what would lie more than
``FARTHEST`` places from its home goes to the *crowd*, a chained table that is mostly empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean

NONE = -1
FARTHEST = 255
TAIL = FARTHEST + 1  # places after the last home, so that nothing has to wrap around
MOST_LOAD = 0.85
GROWTH = 1.15
FIRST_HOMES = 1024
FIRST_CROWD = 256
_IN_TABLE, _IN_CROWD, _FREE = 0, 1, 2  # of ``counts``
_HIGH = np.uint64(32)


class Table(NamedTuple):
    slot: NDArray[np.int32]
    far: NDArray[np.uint8]  # 0: empty; else 1 + how far from its home
    heads: NDArray[np.int32]  # of the crowd's chains, a power of two of them
    key: NDArray[np.uint64]
    owner: NDArray[np.int32]
    next: NDArray[np.int32]
    counts: NDArray[np.int64]  # entries in the table, in the crowd; the crowd's first free place

    @property
    def bytes_used(self) -> int:
        return sum(a.nbytes for a in self)

    @property
    def entries(self) -> int:
        return int(self.counts[_IN_TABLE])

    @property
    def room(self) -> int:
        """Entries that the table may hold before it has to grow."""
        return int(MOST_LOAD * (self.far.size - TAIL))

    @property
    def crowd_room(self) -> int:
        return self.key.size - int(self.counts[_IN_CROWD])


def new_table(entries: int) -> Table:
    """An empty table that has room for ``entries``."""
    size = max(FIRST_HOMES, int(entries / MOST_LOAD) + 1) + TAIL
    return Table(np.zeros(size, np.int32), np.zeros(size, np.uint8), *_new_crowd(FIRST_CROWD))


def grown_entries(table: Table, more: int) -> int:
    """For how many entries to make the next table: a small step, not twice the room."""
    return max(table.entries + more, int(GROWTH * table.room))


def _new_crowd(
    room: int,
) -> tuple[
    NDArray[np.int32], NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]
]:
    free = np.arange(1, room + 1, dtype=np.int32)
    free[-1] = NONE
    heads = np.full(1 << (room - 1).bit_length(), NONE, np.int32)
    counts = np.zeros(3, np.int64)
    return heads, np.zeros(room, np.uint64), np.zeros(room, np.int32), free, counts


def with_crowd_room(table: Table, more: int) -> Table:
    """The same entries, with room for ``more`` in the crowd."""
    if table.crowd_room >= more:
        return table
    held = int(table.counts[_IN_CROWD])
    bigger = Table(table.slot, table.far, *_new_crowd(max(held + more, 3 * table.key.size // 2)))
    bigger.counts[_IN_TABLE] = table.counts[_IN_TABLE]
    _move_crowd(table, bigger)
    return bigger


@lean
def _move_crowd(table: Table, bigger: Table) -> None:
    for head in table.heads:
        e = head
        while e != NONE:
            _join_crowd(bigger, table.key[e], table.owner[e])
            e = table.next[e]


@lean
def home_of(key: np.uint64, table: Table) -> int:
    """The key's upper half, scaled to the homes: rising with the key."""
    homes = np.uint64(table.far.size - TAIL)
    return int(np.int64(((key >> _HIGH) * homes) >> _HIGH))


@lean
def run_of(home: int, table: Table) -> int:
    """Where the entries of this home begin: they go on while ``at_home`` says so."""
    p = home
    while table.far[p] > p - home + 1:
        p += 1
    return p


@lean
def at_home(p: int, home: int, table: Table) -> bool:
    return bool(table.far[p] == p - home + 1)


@lean
def crowd_of(key: np.uint64, table: Table) -> int:
    """First of the chain in which the crowd's entries of this key are; NONE where there is none."""
    if table.counts[_IN_CROWD] == 0:
        return NONE
    return int(table.heads[np.int64(key & np.uint64(table.heads.size - 1))])


@lean
def insert(table: Table, key: np.uint64, slot: int) -> None:
    """Put one entry in. The caller has made room: ``room``, ``crowd_room``."""
    slots, far = table.slot, table.far
    home = home_of(key, table)
    p = run_of(home, table)
    while at_home(p, home, table):
        p += 1
    q = p
    fits = p - home < FARTHEST
    while fits and far[q] != 0:
        fits = far[q] < FARTHEST
        q += 1
    if not fits:
        _join_crowd(table, key, slot)
        return
    while q > p:
        slots[q] = slots[q - 1]
        far[q] = far[q - 1] + 1
        q -= 1
    slots[p] = slot
    far[p] = p - home + 1
    table.counts[_IN_TABLE] += 1


@lean
def _join_crowd(table: Table, key: np.uint64, slot: int) -> None:
    bucket = np.int64(key & np.uint64(table.heads.size - 1))
    e = table.counts[_FREE]
    table.counts[_FREE] = table.next[e]
    table.key[e] = key
    table.owner[e] = slot
    table.next[e] = table.heads[bucket]
    table.heads[bucket] = e
    table.counts[_IN_CROWD] += 1


@lean
def _leave_crowd(table: Table, key: np.uint64, slot: int) -> bool:
    bucket = np.int64(key & np.uint64(table.heads.size - 1))
    before, e = NONE, table.heads[bucket]
    while e != NONE:
        after = table.next[e]
        if table.key[e] == key and table.owner[e] == slot:
            if before == NONE:
                table.heads[bucket] = after
            else:
                table.next[before] = after
            table.key[e] = 0
            table.next[e] = table.counts[_FREE]
            table.counts[_FREE] = e
            table.counts[_IN_CROWD] -= 1
            return True
        before, e = e, after
    return False


@lean
def delete(table: Table, key: np.uint64, slot: int) -> bool:
    """Take one entry out; False where there is none.

    Two entries of one home and one slot are the same entry twice: it does not matter which goes,
    as long as the crowd, which tells keys apart, is asked first.
    """
    if table.counts[_IN_CROWD] > 0 and _leave_crowd(table, key, slot):
        return True
    slots, far = table.slot, table.far
    home = home_of(key, table)
    p = run_of(home, table)
    while at_home(p, home, table) and slots[p] != slot:
        p += 1
    if not at_home(p, home, table):
        return False
    while far[p + 1] > 1:
        slots[p] = slots[p + 1]
        far[p] = far[p + 1] - 1
        p += 1
    far[p] = 0
    table.counts[_IN_TABLE] -= 1
    return True
