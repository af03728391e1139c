"""Figures from what was drawn: noisy counts as they are, and consistent numbers computed of them.

In: draws. Out: the figures of one release, as nodes. Nothing here sees an exact count, so nothing
here costs privacy, and all of it may be done again. Two kinds:

- a ``StayEvent``: the running sum of a period's increments, as drawn (method ``laplace``);
- a ``Quantity``: the same counts with their parts summing to their wholes (``tree``), and what
  follows from them: no departure recorded, years (method ``computed``). Their intervals are those
  of the counts they come from: least squares only makes noise smaller, so they hold at least so
  often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from sojourn.policy import ReleasePolicy
from sojourn.release import store
from sojourn.release.again import ONCE
from sojourn.release.calendar import days_of, first_day
from sojourn.release.cells import ReleaseTable
from sojourn.release.checks import EVENTS
from sojourn.release.nodes import Cells, Node
from sojourn.release.noise import LEVEL, share_of_budget
from sojourn.release.series import Series, Vintage, read_series
from sojourn.release.tree import UNKNOWN_VARIANCE, Family, settle
from sojourn.vocabulary import Quantity, Span, StayEvent

Numbers = NDArray[np.float64]
_AT = {event: n for n, event in enumerate(EVENTS)}
_ENDED = tuple(
    _AT[e.value]
    for e in (StayEvent.PERMISSION_ENDED, StayEvent.LEFT_IN_TIME, StayEvent.LEFT_LATE,
              StayEvent.STATUS_CHANGED)
)  # fmt: skip
# Of which events each is made, and with which sign. ``status_changed`` is published as it was
# drawn: its name is taken.
COMPUTED: dict[Quantity, tuple[tuple[int, int], ...]] = {
    Quantity.ARRIVALS: ((_AT[StayEvent.ARRIVED.value], 1),),
    Quantity.DEPARTURES: ((_AT[StayEvent.DEPARTED.value], 1),),
    Quantity.EXPECTED_DEPARTURES: ((_ENDED[0], 1),),
    Quantity.DEPARTED_IN_TIME: ((_ENDED[1], 1),),
    Quantity.DEPARTED_LATE: ((_ENDED[2], 1),),
    Quantity.NO_DEPARTURE_RECORDED: tuple(zip(_ENDED, (1, -1, -1, -1), strict=True)),
}
_QUANTITIES = tuple(q.value for q in COMPUTED)


@dataclass(frozen=True)
class Settled:
    """A period's consistent numbers of one table."""

    table: ReleaseTable
    span: Span
    period: date
    values: Numbers  # by event and cell
    vintage: Vintage


def assemble(
    engine: Engine, tables: Sequence[ReleaseTable], policy: ReleasePolicy, through: date,
    release_id: str,
) -> tuple[list[Node], tuple[Settled, ...]]:  # fmt: skip
    """Figures of one release but for years; and the consistent numbers of what it drew."""
    drawn = store.read(
        engine, "SELECT DISTINCT span, period FROM spends WHERE release_id = :id AND "
        "recorded <> :once", id=release_id, once=ONCE,
    )  # fmt: skip
    due = {
        span: sorted(date.fromisoformat(p) for s, p in drawn if s == span.value) for span in Span
    }
    around = {d for m in due[Span.MONTH] for d in days_of(m)}
    wanted = {Span.DAY: {*due[Span.DAY], *around}, Span.MONTH: set(due[Span.MONTH])}
    series = [
        read_series(engine, table, span, wanted[span], through)
        for table in tables
        for span in table.spans
    ]
    cells = {t.name: Cells(t.digest, t.cells.drop("cell")) for t in tables}
    nodes = []
    for one in series:
        share = float(share_of_budget(policy, one.table.name, one.span))
        make = _Maker(one.table.name, one.span, through, release_id, cells[one.table.name], share)
        nodes += [
            make.raw(period, n, one.vintages[period])
            for period in due[one.span] if period in one.vintages
            for n in range(len(EVENTS))
        ]  # fmt: skip
    settled = tuple(_settle_all(series, due))
    for done in settled:
        make = _Maker(done.table.name, done.span, through, release_id, cells[done.table.name], 0.0)
        nodes += [make.computed(done, quantity) for quantity in COMPUTED]
    return nodes, settled


@dataclass(frozen=True)
class _Maker:
    """Nodes of one table and span."""

    table: str
    span: Span
    through: date
    release_id: str
    cells: Cells
    epsilon: float

    def raw(self, period: date, event: int, vintage: Vintage) -> Node:
        """A noisy count, as drawn."""
        lost = bool(vintage.lost[event])
        return self._node(
            period, EVENTS[event], vintage.counts[event].astype(np.float64),
            store.LOST if lost else store.LAPLACE, None if lost else float(vintage.reach(event)),
            None if lost else math.sqrt(vintage.variance(event)),
        )  # fmt: skip

    def computed(self, done: Settled, quantity: Quantity) -> Node:
        made_of = COMPUTED[quantity]
        events = [e for e, _ in made_of]
        lost = bool(done.vintage.lost[events].any())
        values = np.sum([sign * done.values[e] for e, sign in made_of], axis=0)
        return self._node(
            done.period, quantity.value, values, store.LOST if lost else store.COMPUTED,
            None if lost else float(done.vintage.reach(*events)),
            None if lost else math.sqrt(sum(done.vintage.variance(e) for e in events)),
        )  # fmt: skip

    def _node(
        self, period: date, quantity: str, values: Numbers, method: str, reach: float | None,
        noise_sd: float | None,
    ) -> Node:  # fmt: skip
        # Rounded for display of files alone; and none is -0.
        shown = np.full_like(values, np.nan) if reach is None else np.round(values, 3) + 0.0
        return Node(
            self.table, self.span.value, period.isoformat(), quantity, self.through.isoformat(),
            method, LEVEL, self.epsilon, self.release_id, self.cells, shown[:, None], reach,
            noise_sd,
        )  # fmt: skip


# -- parts and wholes --------------------------------------------------------------------------


def _settle_all(series: Sequence[Series], due: dict[Span, list[date]]) -> list[Settled]:
    """Months that were drawn now with all their days; other days by themselves."""
    months = set(due[Span.MONTH])
    alone = [d for d in due[Span.DAY] if first_day(Span.MONTH, d) not in months]
    out = []
    for month in sorted(months):
        out += _settle_month(series, month)
    daily = [s for s in series if s.span == Span.DAY]
    alike: dict[tuple[str, ...], list[date]] = {}
    for day in alone:
        alike.setdefault(tuple(s.table.name for s in daily if day in s.vintages), []).append(day)
    for names, days in alike.items():
        out += _settle_days([s for s in daily if s.table.name in names], days)
    return out


def _settle_days(daily: Sequence[Series], days: Sequence[date]) -> list[Settled]:
    """Days that have the same tables, side by side: one sum of cells holds for all of them."""
    starts = _starts([(s, days[0]) for s in daily])
    values = np.concatenate(
        [np.concatenate([s.vintages[d].counts for d in days]).T for s in daily], dtype=np.float64
    )
    variances = np.concatenate([np.hstack([_variances(s.vintages[d]) for d in days])
                                for s in daily])  # fmt: skip
    done = settle(values, variances, _between_tables(daily, starts))
    out, width = [], len(EVENTS)
    for s, start in zip(daily, starts.values(), strict=True):
        own = done[start : start + s.table.cells.height]
        out += [
            Settled(s.table, s.span, d, own[:, n * width : (n + 1) * width].T, s.vintages[d])
            for n, d in enumerate(days)
        ]
    return out


def _settle_month(series: Sequence[Series], month: date) -> list[Settled]:
    periods = {Span.MONTH: [month], Span.DAY: list(days_of(month))}
    here = [(s, p) for s in series for p in periods.get(s.span, []) if p in s.vintages]
    if not here:
        return []
    starts = _starts(here)
    values = np.concatenate([s.vintages[p].counts.T for s, p in here]).astype(np.float64)
    variances = np.concatenate([_variances(s.vintages[p]) for s, p in here])
    families = [*_between_tables(series, starts), _between_spans(series, month, starts)]
    done = settle(values, variances, families)
    return [
        Settled(s.table, s.span, p, done[start : start + s.table.cells.height].T, s.vintages[p])
        for (s, p), start in zip(here, starts.values(), strict=True)
    ]


Starts = dict[tuple[str, Span, date], int]


def _starts(here: Sequence[tuple[Series, date]]) -> Starts:
    """Where the numbers of each period begin."""
    starts, at = {}, 0
    for s, p in here:
        starts[s.table.name, s.span, p] = at
        at += s.table.cells.height
    return starts


def _variances(vintage: Vintage) -> Numbers:
    """By cell and event."""
    each = [
        UNKNOWN_VARIANCE if vintage.lost[n] else vintage.variance(n) for n in range(len(EVENTS))
    ]
    return np.tile(np.array(each), (vintage.counts.shape[1], 1))


def _between_tables(series: Sequence[Series], starts: Starts) -> list[Family]:
    """One family for each pair of tables of which one has the other's dimensions and more."""
    tables = list(dict.fromkeys(s.table for s in series if _is_in(s.table.name, starts)))
    families = []
    for whole in tables:
        for part in tables:
            if not _next_finer(whole, part, tables):
                continue
            found = [
                (starts[whole.name, span, period], start)
                for (name, span, period), start in starts.items()
                if name == part.name and (whole.name, span, period) in starts
            ]
            if found:
                families.append(_sums(whole, part, found))
    return families


def _is_in(table: str, starts: Starts) -> bool:
    return any(name == table for name, *_ in starts)


def _sums(whole: ReleaseTable, part: ReleaseTable, found: Sequence[tuple[int, int]]) -> Family:
    """Cells of ``whole``, each with the cells of ``part`` that it is the sum of, in each period:
    ``found`` says where the two tables' numbers begin."""
    above = whole.place(part.cells.rename({"cell": "inside"}))["cell"].to_numpy()
    inside = np.argsort(above, kind="stable")
    wholes, first = np.unique(above[inside], return_index=True)
    return Family(
        np.concatenate([at + wholes for at, _ in found]),
        np.concatenate([at + inside for _, at in found]),
        np.concatenate([first + n * inside.size for n in range(len(found))]),
    )


def _next_finer(whole: ReleaseTable, part: ReleaseTable, tables: Iterable[ReleaseTable]) -> bool:
    """Whether ``part`` splits ``whole`` with no table in between that splits it less."""
    small, large = set(whole.dimensions), set(part.dimensions)
    spans = set(part.spans)
    between = (set(t.dimensions) for t in tables if spans <= set(t.spans))
    return small < large and not any(small < b < large for b in between)


def _between_spans(series: Sequence[Series], month: date, starts: Starts) -> Family:
    """A month that is the sum of its days, where every day was drawn."""
    days = days_of(month)
    daily = {s.table.name: s for s in series if s.span == Span.DAY}
    sums = []
    for s in series:
        name = s.table.name
        if s.span != Span.MONTH or month not in s.vintages or name not in daily:
            continue
        if not daily[name].has(days):
            continue
        cells = np.arange(s.table.cells.height)
        first = np.array([starts[name, Span.DAY, d] for d in days])
        sums.append(Family(starts[name, Span.MONTH, month] + cells,
                           (cells[:, None] + first).ravel(), cells * len(days)))  # fmt: skip
    return Family.joined(sums) if sums else Family.of([])
