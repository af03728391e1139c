"""Whether a source that stopped was taken over by a new one: renamed, split, or put together.

In: departures (or arrivals) of REPORTING by source and event day; who stopped, and on which day
they told last. Out: what share each told when it stopped, and who was taken over.

Taken over is who stopped while a new source began that tells as much: in each month from the stop
on, old and new together, and afterwards the new alone, within ``LIKE`` of what was told before,
and short of it by no more than would matter (``SILENT_SHARE``) or than is chance. What was told
before is moved with the sources that did neither stop nor begin, so that season and growth pass
for neither. Sources that stopped together are held against the new ones together. Whole months
are compared, for old days are kept by month alone, and of those only which have settled. Where it
is not clear, nobody took over: a source that told of travellers already may have more of them for
many reasons.
Assumes that no source begins by chance in the month in which one as large stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import sqrt

import polars as pl

from sojourn.measure.spans import month_end

SILENT_SHARE = 0.05  # of departures: a silent source with more leaves no number
BEFORE, AFTER = 3, 2  # months before the stop's, and after it
LIKE = 1.25
NEW = 0.05  # of a new source's records: from before, told late
SETTLED = 28  # days after its end a month is held against others
CHANCE = 2.0  # standard errors of what was to be expected
ENOUGH = 0.1  # of what stopped: others with less do not tell the season


@dataclass(frozen=True)
class Monthly:
    """Records of one direction by source and month of the event."""

    records: pl.DataFrame  # source, month, records

    @classmethod
    def of(cls, gone: pl.DataFrame) -> Monthly:
        by = gone.group_by("source", month=pl.col("event_day").dt.month_start())
        return cls(by.agg(pl.col("records").sum()))

    @cached_property
    def sources(self) -> frozenset[str]:
        return frozenset(self.records["source"].to_list())

    def told(self, sources: frozenset[str], first: date, last: date) -> float:
        """In months from ``first`` to ``last``, both included."""
        mine = self.records.filter(
            pl.col("source").is_in(list(sources)) & pl.col("month").is_between(first, last)
        )
        return float(mine["records"].sum() or 0)

    def begun_since(self, month: date) -> frozenset[str]:
        """Sources that told next to nothing of what was before."""
        early = pl.col("records").filter(pl.col("month") < month).sum()
        by_source = self.records.group_by("source").agg(new=early <= NEW * pl.col("records").sum())
        return frozenset(by_source.filter("new")["source"].to_list())


def share_at_stop(monthly: Monthly, source: str, last: date) -> float:
    """Of all that was told in the months before a source told ``last``."""
    month = last.replace(day=1)
    span = _later(month, -BEFORE), _later(month, -1)
    alone = frozenset({source})
    if not monthly.told(alone, *span):
        span = month, month  # it began then
    return monthly.told(alone, *span) / max(monthly.told(monthly.sources, *span), 1.0)


def taken_over(monthly: Monthly, stopped: Mapping[str, date], known_at: date) -> frozenset[str]:
    """Of ``stopped`` (source: the last event day it told of) those that a new source took over."""
    return frozenset(
        source for source, last in stopped.items()
        if _was_taken_over(monthly, last.replace(day=1), stopped, known_at)
    )  # fmt: skip


def _was_taken_over(
    monthly: Monthly, month: date, stopped: Mapping[str, date], known_at: date
) -> bool:
    """Whether those that stopped in ``month``, or in one beside it, were."""
    near = _later(month, -1), _later(month, 1)
    together = {
        s: d.replace(day=1) for s, d in stopped.items() if near[0] <= d <= month_end(near[1])
    }
    first, last = min(together.values()), max(together.values())
    before = _later(first, -BEFORE), _later(first, -1)
    old = frozenset(together)
    new = monthly.begun_since(before[1]) - old
    others = monthly.sources - new - old
    months = [m for m in _months(first, _later(last, AFTER)) if _settled(m, known_at)]
    after = [m for m in months if m > last]
    if not (new and after and monthly.told(old, before[0], before[0])):
        return False
    stood, beside = monthly.told(old, *before), monthly.told(others, *before)
    each_day, steady = stood / _days(*before), beside / _days(*before)

    def expected(month: date) -> float:
        if steady < ENOUGH * each_day:
            return each_day * _days(month, month)
        return each_day * monthly.told(others, month, month) / steady

    alone = sum(monthly.told(new, m, m) for m in after)
    wanted = sum(expected(m) for m in after)
    around = sum(monthly.told(others, m, m) for m in after)
    chance = CHANCE * wanted * sqrt(sum(1 / max(n, 1.0) for n in (stood, beside, around)))
    missing = (wanted - alone - chance) / max(wanted + around, 1.0)
    return (
        all(monthly.told(old | new, m, m) >= expected(m) / LIKE for m in months)
        and wanted / LIKE <= alone <= wanted * LIKE
        and missing < SILENT_SHARE
    )


def _settled(month: date, known_at: date) -> bool:
    return month_end(month) + timedelta(days=SETTLED) <= known_at


def _later(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _months(first: date, last: date) -> list[date]:
    out = [first]
    while out[-1] < last:
        out.append(_later(out[-1], 1))
    return out


def _days(first: date, last: date) -> int:
    return (month_end(last) - first).days + 1
