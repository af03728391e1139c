"""Reports that are held from block to block, in columns whose room is used again.

In: the reports of each block; which of all of them stay. Out: everybody held, side by side as
``Reports``. Who stays is moved together where it lies: never are two copies held, and the system
need not find and clear gigabytes of fresh memory for each block.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.link.reports import Reports

# Room is made for twice what is needed: what was never written to takes no memory.
AHEAD = 2
_KEYS = ("keys", "kinds")  # side by side, as offsets tell; all other columns have a row a report


class HeldReports:
    """One writer. ``reports`` are views, good until the next ``add`` or ``keep``."""

    def __init__(self, reports: Reports) -> None:
        self._columns: dict[str, NDArray[Any]] = {
            f.name: getattr(reports, f.name) for f in fields(Reports)
        }
        self._count = reports.count

    @property
    def count(self) -> int:
        return self._count

    @property
    def reports(self) -> Reports:
        keys = int(self._columns["offsets"][self._count])
        ends = dict.fromkeys(_KEYS, keys) | {"offsets": self._count + 1}
        return Reports(**{n: c[: ends.get(n, self._count)] for n, c in self._columns.items()})

    def add(self, fresh: Reports) -> None:
        """``fresh`` comes after everybody who is held."""
        before, keys = self._count, int(self._columns["offsets"][self._count])
        begins = dict.fromkeys(_KEYS, keys) | {"offsets": before + 1}
        for name in self._columns:
            new = getattr(fresh, name)
            if name == "offsets":
                new = new[1:] + (keys - new[0])
            begin = begins.get(name, before)
            self._room(name, begin, begin + new.size)[begin : begin + new.size] = new
        self._count += fresh.count

    def _room(self, name: str, used: int, needed: int) -> NDArray[Any]:
        """The column, made anew where it is too small."""
        column = self._columns[name]
        if needed > column.size:
            self._columns[name] = np.empty(AHEAD * needed, column.dtype)
            self._columns[name][:used] = column[:used]
        return self._columns[name]

    def keep(self, stays: NDArray[np.bool_]) -> None:
        """Those that ``stays`` marks, in their order."""
        rows = np.flatnonzero(stays)
        own = {*_KEYS, "offsets"}
        for name in self._columns.keys() - own:
            column = self._columns[name]
            column[: rows.size] = column[: self._count][rows]
        _move_together(rows, *(self._columns[name] for name in ("offsets", *_KEYS)))
        self._count = rows.size


@lean
def _move_together(
    rows: NDArray[np.int64], offsets: NDArray[np.int64], keys: NDArray[np.uint64],
    kinds: NDArray[np.uint8],
) -> None:  # fmt: skip
    """The rows' keys to the front. A row comes to its own place or before it, so does its offset:
    nothing is written over before it was read."""
    at = 0
    for i in range(rows.size):
        begin, end = offsets[rows[i]], offsets[rows[i] + 1]
        offsets[i] = at
        for k in range(begin, end):
            keys[at], kinds[at] = keys[k], kinds[k]
            at += 1
    offsets[rows.size] = at
