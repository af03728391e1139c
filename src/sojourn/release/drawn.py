"""What was drawn, as arrays: noisy numbers alone, for whoever estimates from them.

In: draws. Out: ``Drawn``: months of each table, as they stand at a vintage, with the variance of
their noise; what each draw added to everything; re-entries. Only ``spends``, ``draws``,
``releases`` and ``cell_lists`` are read: nothing exact is in any of them, so all that is made of
this costs nothing and may be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from sojourn.release import store
from sojourn.release.again import Reentered, read_reentries
from sojourn.release.cells import ReleaseTable, reentry_table
from sojourn.release.checks import EVENTS
from sojourn.release.noise import variance_of
from sojourn.release.series import Lists
from sojourn.vocabulary import Span

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """What one draw added to all cells of a table together, by event (EVENTS); nan: lost."""

    period: date
    recorded: date
    added: Numbers
    variance: Numbers  # of the sum


@dataclass(frozen=True)
class DrawnTable:
    """Months x EVENTS x cells; where a draw was lost or is not there, the variance is infinite."""

    table: ReleaseTable
    counts: Numbers
    variance: Numbers  # months x EVENTS: of one cell
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Drawn:
    through: date
    months: tuple[date, ...]
    tables: tuple[DrawnTable, ...]
    reentries: Reentered


_NODES = """
SELECT s.period, s.recorded, s.event, s.scale, d.cells, d.counts FROM spends s
LEFT JOIN draws d ON d.release_table = s.release_table AND d.span = s.span
  AND d.period = s.period AND d.recorded = s.recorded AND d.event = s.event
WHERE s.method = 'laplace' AND s.release_table = :name AND s.span = 'month'
  AND s.period >= :first AND s.recorded <= :through ORDER BY s.period, s.recorded
"""


def read_drawn(
    engine: Engine, tables: Sequence[ReleaseTable], first: date, through: date
) -> Drawn:  # fmt: skip
    """Months from ``first`` on, as known through ``through``."""
    monthly = [t for t in tables if Span.MONTH in t.spans]
    rows = {
        t.name: store.read(engine, _NODES, name=t.name, first=first.isoformat(),
                           through=through.isoformat())
        for t in monthly
    }  # fmt: skip
    months = sorted({date.fromisoformat(r[0]) for found in rows.values() for r in found})
    times = {m: max(_times(found, m) for found in rows.values()) for m in months}
    again = read_reentries(engine, reentry_table(tables[0].lists), through)
    made = tuple(_table(engine, t, rows[t.name], times) for t in monthly)
    return Drawn(through, tuple(months), made, again)


def _times(rows: Sequence[tuple[object, ...]], month: date) -> int:
    return len({r[1] for r in rows if r[0] == month.isoformat()})


def _table(
    engine: Engine, table: ReleaseTable, rows: Sequence[tuple[object, ...]],
    times: dict[date, int],
) -> DrawnTable:  # fmt: skip
    months, size = list(times), table.cells.height
    which = {event: n for n, event in enumerate(EVENTS)}
    counts = np.zeros((len(months), len(EVENTS), size))
    variance = np.zeros((len(months), len(EVENTS)))
    drawn = np.zeros((len(months), len(EVENTS)), np.int64)
    lists = Lists(engine, table)
    steps: dict[tuple[str, str], Step] = {}
    for period, recorded, event, scale, cells, numbers in rows:
        key = str(period), str(recorded)
        month, spread = date.fromisoformat(key[0]), variance_of(float(str(scale)))
        step = steps.setdefault(key, Step(month, date.fromisoformat(key[1]), *_nothing()))
        at, place = months.index(month), which[str(event)]
        drawn[at, place] += 1
        variance[at, place] += spread
        step.variance[place] = spread * size
        if isinstance(numbers, bytes | memoryview):
            mine = lists.aligned(str(cells), np.frombuffer(numbers, "<i8"))
            counts[at, place] += mine
            step.added[place] = float(mine.sum())
        else:
            variance[at, place] = np.inf
    # A table that joined later lacks the first draws: what it has is no running sum.
    late = drawn < np.array([times[m] for m in months])[:, None]
    variance = np.where(late, np.inf, variance)
    return DrawnTable(table, counts, variance, tuple(steps.values()))


def _nothing() -> tuple[Numbers, Numbers]:
    return np.full(len(EVENTS), np.nan), np.full(len(EVENTS), np.inf)
