"""When closed crossings may go: slots in, those whose time has come out, oldest first.

Closed crossings wait by the hour of their time, so that letting the old ones go costs what goes
and one hour's worth, not a pass over everything. Whoever was opened again meanwhile, or whose
slot is another's by now, is sorted out by whoever asks.
"""

from __future__ import annotations

import heapq
from array import array

import numpy as np
from numpy.typing import NDArray

HOUR = 3_600_000_000


class Leaving:
    """Slots of closed crossings by the hour of their time (microseconds)."""

    def __init__(self) -> None:
        self._hours: list[int] = []  # a heap
        self._slots: dict[int, array[int]] = {}

    @property
    def bytes_used(self) -> int:
        return sum(held.itemsize * len(held) for held in self._slots.values())

    def expect(self, slots: NDArray[np.int32], time: NDArray[np.int64]) -> None:
        """These crossings are closed; ``time`` is theirs, by position."""
        for slot, hour in zip(slots.tolist(), (time // HOUR).tolist(), strict=True):
            if hour not in self._slots:
                self._slots[hour] = array("i")
                heapq.heappush(self._hours, hour)
            self._slots[hour].append(slot)

    def due(self, limit: int) -> NDArray[np.int32]:
        """Slots whose time may lie before ``limit``; those of the hour of ``limit`` stay as well.

        A slot may come more than once.
        """
        out: list[array[int]] = []
        while self._hours and self._hours[0] < limit // HOUR:
            out.append(self._slots.pop(heapq.heappop(self._hours)))
        if limit // HOUR in self._slots:
            out.append(self._slots[limit // HOUR])
        return np.array([s for part in out for s in part], np.int32)
