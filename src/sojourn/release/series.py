"""What has been drawn of a table so far: running sums of its increments, by period and event.

In: draws. Out: ``Series``. A node that was spent on and has no draw was lost in a crash; its
period has no number for that event ever after. The same goes for a table that policy got when a
period had been drawn for others before: the first increments are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from sojourn.policy import RELEASE_DIMENSIONS
from sojourn.release import store
from sojourn.release.cells import ReleaseTable, frame_of
from sojourn.release.checks import EVENTS
from sojourn.release.noise import reach_of, variance_of
from sojourn.vocabulary import Span


@dataclass
class Vintage:
    """A period's counts as they stand: all increments up to a recorded day."""

    counts: NDArray[np.int64]  # by event and cell
    scales: list[list[float]] = field(default_factory=lambda: [[] for _ in EVENTS])
    lost: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(len(EVENTS), np.bool_))

    def variance(self, event: int) -> float:
        """Of the noise in a count."""
        return sum(variance_of(s) for s in self.scales[event])

    def reach(self, *events: int) -> int:
        """Half of the 95% interval of these events' counts, added or subtracted."""
        return reach_of([s for e in events for s in self.scales[e]])


@dataclass(frozen=True)
class Series:
    """One table's counts of one span."""

    table: ReleaseTable
    span: Span
    vintages: dict[date, Vintage]

    def has(self, periods: Iterable[date]) -> bool:
        return all(p in self.vintages for p in periods)


_NODES = """
SELECT s.period, s.event, s.scale, r.note, d.cells, d.counts FROM spends s
JOIN releases r ON r.release_id = s.release_id
LEFT JOIN draws d ON d.release_table = s.release_table AND d.span = s.span
  AND d.period = s.period AND d.recorded = s.recorded AND d.event = s.event
WHERE s.method = 'laplace' AND s.release_table = :name AND s.span = :span
  AND s.period >= :first AND s.period <= :last AND s.recorded <= :through
"""

# How many increments a period has, whatever table they were drawn for.
_TIMES = """
SELECT period, COUNT(DISTINCT recorded) FROM spends WHERE method = 'laplace' AND span = :span
AND period >= :first AND period <= :last AND recorded <= :through GROUP BY period
"""


def read_series(
    engine: Engine, table: ReleaseTable, span: Span, periods: Iterable[date], through: date
) -> Series:
    """All increments recorded through ``through`` of these periods, summed."""
    wanted = sorted(periods)
    if not wanted:
        return Series(table, span, {})
    rows = store.read(
        engine, _NODES, name=table.name, span=span.value, first=wanted[0].isoformat(),
        last=wanted[-1].isoformat(), through=through.isoformat(),
    )  # fmt: skip
    held, places, lists = set(wanted), {e: n for n, e in enumerate(EVENTS)}, Lists(engine, table)
    out: dict[date, Vintage] = {}
    for period_text, event, scale, _, cells, counts in rows:
        period = date.fromisoformat(period_text)
        if period not in held:
            continue
        vintage = out.setdefault(
            period, Vintage(np.zeros((len(EVENTS), table.cells.height), np.int64))
        )
        at = places[event]
        vintage.scales[at].append(scale)
        if counts is None:
            vintage.lost[at] = True
        else:
            vintage.counts[at] += lists.aligned(cells, np.frombuffer(counts, "<i8"))
    drawn = store.read(
        engine, _TIMES, span=span.value, first=wanted[0].isoformat(), last=wanted[-1].isoformat(),
        through=through.isoformat(),
    )  # fmt: skip
    for period_text, times in drawn:
        held_now = out.get(date.fromisoformat(period_text))
        if held_now is not None and len(held_now.scales[0]) < times:
            held_now.lost[:] = True
    return Series(table, span, out)


class Lists:
    """Numbers that were drawn under other code lists, put where the present ones want them.

    A cell that is on the present list alone counts nothing then; one that is not on it is left
    out.
    """

    def __init__(self, engine: Engine, table: ReleaseTable) -> None:
        self._engine, self._table, self._now = engine, table, table.digest
        self._known: dict[str, NDArray[np.int64]] = {}

    def aligned(self, digest: str, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        if digest == self._now:
            return counts
        if digest not in self._known:
            self._known[digest] = self._places(digest)
        places = self._known[digest]
        out = np.zeros(self._table.cells.height, np.int64)
        out[places[places >= 0]] = counts[places >= 0]
        return out

    def _places(self, digest: str) -> NDArray[np.int64]:
        words = store.read(
            self._engine, "SELECT words FROM cell_lists WHERE cells = :cells", cells=digest
        )[0][0]
        found = frame_of(str(words)).join(
            self._table.cells, on=RELEASE_DIMENSIONS, how="left", maintain_order="left"
        )
        return found["cell"].fill_null(-1).to_numpy().astype(np.int64)
