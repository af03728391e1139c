"""Figures from what was drawn: noisy counts as they are, and consistent numbers computed of them.

In: draws. Out: FIGURES of one release. Nothing here sees an exact count, so nothing here costs
privacy, and all of it may be done again. Two kinds of rows:

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
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Engine

from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.again import ONCE
from sojourn.release.calendar import days_of, first_day
from sojourn.release.cells import ReleaseTable
from sojourn.release.checks import EVENTS
from sojourn.release.noise import LEVEL, share_of_budget
from sojourn.release.series import Series, Vintage, read_series
from sojourn.release.tree import UNKNOWN_VARIANCE, Family, settle
from sojourn.schemas import FIGURES
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
) -> tuple[pl.DataFrame, tuple[Settled, ...]]:  # fmt: skip
    """FIGURES of one release but for years; and the consistent numbers of what it drew."""
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
    parts = [_raw(s, due[s.span], policy, through, release_id) for s in series]
    settled = _settle_all(series, due)
    parts += [_computed(run, through, release_id) for run in _runs(settled)]
    return FIGURES.conform(pl.concat([_NONE, *parts])), tuple(settled)


def _raw(
    series: Series, due: Sequence[date], policy: ReleasePolicy, through: date, release_id: str
) -> pl.DataFrame:
    """The noisy counts of the periods that were drawn now."""
    periods = [p for p in due if p in series.vintages]
    if not periods:
        return _NONE
    found = [series.vintages[p] for p in periods]
    head = [
        (p, event, None if v.lost[n] else float(v.reach(n)),
         None if v.lost[n] else math.sqrt(v.variance(n)),
         store.LOST if v.lost[n] else store.LAPLACE)
        for p, v in zip(periods, found, strict=True)
        for n, event in enumerate(EVENTS)
    ]  # fmt: skip
    share = float(share_of_budget(policy, series.table.name, series.span))
    values = np.stack([v.counts for v in found]).astype(np.float64)
    return _rows(series.table, series.span, head, values, share, through, release_id)


def _computed(run: Sequence[Settled], through: date, release_id: str) -> pl.DataFrame:
    """Quantities of one table's periods of one span."""
    head, values = [], []
    for one in run:
        for quantity, made_of in COMPUTED.items():
            events = [e for e, _ in made_of]
            lost = bool(one.vintage.lost[events].any())
            spread = math.sqrt(sum(one.vintage.variance(e) for e in events))
            head.append((one.period, quantity.value,
                         None if lost else float(one.vintage.reach(*events)),
                         None if lost else spread,
                         store.LOST if lost else store.COMPUTED))  # fmt: skip
            values.append(sum(sign * one.values[e] for e, sign in made_of))
    table, span = run[0].table, run[0].span
    return _rows(table, span, head, np.stack(values), 0.0, through, release_id)


def _rows(
    table: ReleaseTable, span: Span, head: Sequence[tuple[object, ...]], values: Numbers,
    epsilon: float, through: date, release_id: str,
) -> pl.DataFrame:  # fmt: skip
    """One row for each of ``head`` (period, quantity, reach, sd, method) and cell."""
    kinds = {"period": pl.Date, "quantity": pl.String, "reach": pl.Float64,
             "noise_sd": pl.Float64, "method": pl.String}  # fmt: skip
    heads = pl.DataFrame(head, schema=kinds, orient="row")
    frame = heads.join(table.cells.drop("cell"), how="cross").with_columns(
        pl.Series("value", values.ravel()).round(3)
    )
    value = pl.when(pl.col("reach").is_not_null()).then("value")
    return frame.with_columns(value=value).select(
        pl.lit(table.name).alias("release_table"),
        pl.lit(span.value).alias("span"),
        "period", *RELEASE_DIMENSIONS, "quantity",
        pl.lit(through).alias("vintage"),
        "value",
        (pl.col("value") - pl.col("reach")).alias("lower"),
        (pl.col("value") + pl.col("reach")).alias("upper"),
        pl.lit(LEVEL).alias("level"),
        "noise_sd",
        pl.lit(epsilon).alias("epsilon"),
        "method",
        pl.lit(release_id).alias("release_id"),
    )  # fmt: skip


_NONE = FIGURES.empty().with_columns(pl.col("span").cast(pl.String))


# -- parts and wholes --------------------------------------------------------------------------


def _settle_all(series: Sequence[Series], due: dict[Span, list[date]]) -> list[Settled]:
    """Months that were drawn now with all their days; other days by themselves."""
    months = set(due[Span.MONTH])
    alone = [d for d in due[Span.DAY] if first_day(Span.MONTH, d) not in months]
    out = []
    for month in sorted(months):
        out += _settle_block(series, {Span.MONTH: [month], Span.DAY: list(days_of(month))})
    if alone:
        out += _settle_block(series, {Span.DAY: alone})
    return out


def _settle_block(series: Sequence[Series], periods: dict[Span, list[date]]) -> list[Settled]:
    here = [(s, p) for s in series for p in periods.get(s.span, []) if p in s.vintages]
    if not here:
        return []
    starts, at = {}, 0
    for s, p in here:
        starts[s.table.name, s.span, p] = at
        at += s.table.cells.height
    values = np.concatenate([s.vintages[p].counts.T for s, p in here]).astype(np.float64)
    variances = np.concatenate([_variances(s.vintages[p]) for s, p in here])
    families = [*_between_tables(here, starts), _between_spans(series, periods, starts)]
    done = settle(values, variances, families)
    return [
        Settled(s.table, s.span, p, done[start : start + s.table.cells.height].T, s.vintages[p])
        for (s, p), start in zip(here, starts.values(), strict=True)
    ]


def _variances(vintage: Vintage) -> Numbers:
    """By cell and event."""
    each = [
        UNKNOWN_VARIANCE if vintage.lost[n] else vintage.variance(n) for n in range(len(EVENTS))
    ]
    return np.tile(np.array(each), (vintage.counts.shape[1], 1))


Starts = dict[tuple[str, Span, date], int]


def _between_tables(here: Sequence[tuple[Series, date]], starts: Starts) -> list[Family]:
    """One family for each pair of tables of which one has the other's dimensions and more."""
    tables = list(dict.fromkeys(s.table for s, _ in here))
    families = []
    for whole in tables:
        for part in tables:
            if not _next_finer(whole, part, tables):
                continue
            groups = _groups(whole, part)
            sums = [
                (starts[whole.name, span, period] + cell, [start + n for n in inside])
                for (name, span, period), start in starts.items()
                if name == part.name and (whole.name, span, period) in starts
                for cell, inside in groups
            ]
            families.append(Family.of(sums))
    return families


def _next_finer(whole: ReleaseTable, part: ReleaseTable, tables: Iterable[ReleaseTable]) -> bool:
    """Whether ``part`` splits ``whole`` with no table in between that splits it less."""
    small, large = set(whole.dimensions), set(part.dimensions)
    spans = set(part.spans)
    between = (set(t.dimensions) for t in tables if spans <= set(t.spans))
    return small < large and not any(small < b < large for b in between)


def _groups(whole: ReleaseTable, part: ReleaseTable) -> list[tuple[int, list[int]]]:
    """Cells of ``whole``, each with the cells of ``part`` that it is the sum of."""
    placed = whole.place(part.cells.rename({"cell": "inside"}))
    grouped = placed.group_by("cell", maintain_order=True).agg("inside")
    return [(cell, inside) for cell, inside in grouped.iter_rows()]


def _between_spans(
    series: Sequence[Series], periods: dict[Span, list[date]], starts: Starts
) -> Family:
    """Months that are the sum of their days, where every day was drawn."""
    sums = []
    by_table = {(s.table.name, s.span): s for s in series}
    for month in periods.get(Span.MONTH, []):
        days = days_of(month)
        for (name, span), monthly in by_table.items():
            daily = by_table.get((name, Span.DAY))
            if span != Span.MONTH or month not in monthly.vintages or daily is None:
                continue
            if not daily.has(days):
                continue
            whole = starts[name, Span.MONTH, month]
            first = [starts[name, Span.DAY, d] for d in days]
            sums += [(whole + c, [f + c for f in first])
                     for c in range(monthly.table.cells.height)]  # fmt: skip
    return Family.of(sums)


def _runs(settled: Sequence[Settled]) -> list[list[Settled]]:
    """Of one table and span each."""
    out: dict[tuple[str, Span], list[Settled]] = {}
    for one in settled:
        out.setdefault((one.table.name, one.span), []).append(one)
    return list(out.values())
