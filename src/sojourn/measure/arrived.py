"""Stays are counted by the month in which they must end, re-entries by that of the arrival.

In: LINKAGE_QUALITY, ``Layout``. Out: of the stays of each stratum and month, in which months they
arrived; and re-entries without those that would mislead.

Stays of a stratum end in the order in which they began: the first thousand that had to leave are
the first thousand that came. So a month's stays are found again among the arrivals that ended,
whatever the permitted length is. Assumes that stays of a stratum are permitted about as long as
each other; where they are not, months are blurred into their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.evidence import EXPECTED, Layout
from sojourn.measure.spans import month_end
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_KEPT = 0.5  # of re-entries: no more than the others are left out as too young
OVER = 0.9  # of a month's arrivals that ended: then all did
_REENTRIES = (What.REENTRIES.value, What.REENTRIES_CLOSED.value)


def arrival_months(linkage: pl.DataFrame) -> list[date]:
    """Months of which LINKAGE_QUALITY tells by stratum, oldest first."""
    return _by_stratum(linkage)["period"].unique().sort().to_list()


def monthly(linkage: pl.DataFrame, what: What, strata: Sequence[str]) -> Array:
    """Counts, strata x months of the arrival."""
    months = arrival_months(linkage)
    out = np.zeros((len(strata), max(len(months), 1)))
    place = {name: at for at, name in enumerate(strata)}
    when = {month: at for at, month in enumerate(months)}
    counted = _by_stratum(linkage).filter(pl.col("what") == what.value)
    for name, month, value in counted.select("group_name", "period", "value").rows():
        if name in place:
            out[place[name], when[month]] += value
    return out


def _by_stratum(linkage: pl.DataFrame) -> pl.DataFrame:
    return linkage.filter(pl.col("group_kind") == Group.MODE_CLASS.value)


def came_in(linkage: pl.DataFrame, layout: Layout) -> Array:
    """Strata x months of ``layout`` x months of arrival: shares of a month's stays."""
    ended = monthly(linkage, What.ARRIVALS_ENDED, layout.strata)
    began, over = _upto(ended), _upto(_expected(layout))
    # Where linking was judged on fewer stays than are counted, shares are matched.
    scale = np.minimum(began[:, -1:] / np.maximum(over[:, -1:], 1e-9), 1.0)
    over = (over * scale)[:, :, None]
    first = np.maximum(over[:, :-1], began[:, None, :-1])
    last = np.minimum(over[:, 1:], began[:, None, 1:])
    shared = np.maximum(last - first, 0.0)
    whole = shared.sum(axis=2, keepdims=True)
    anywhere = 1.0 / ended.shape[1]
    return np.asarray(np.where(whole > 1e-9, shared / np.maximum(whole, 1e-9), anywhere))


def _upto(counts: Array) -> Array:
    """Cumulated, from nought."""
    return np.pad(np.maximum(counts, 0.0).cumsum(axis=1), ((0, 0), (1, 0)))


def _expected(layout: Layout) -> Array:
    stays = layout.rows.select(pl.sum_horizontal(o.value for o in EXPECTED)).to_series().to_numpy()
    by_at = np.bincount(layout.rows["at"].to_numpy(), weights=stays, minlength=layout.size)
    return np.asarray(by_at.reshape(len(layout.strata), -1))


def told_by_now(linkage: pl.DataFrame, known_at: date, days: int) -> pl.DataFrame:
    """Without re-entries of the arrivals of the last ``days``: some of their departures are still
    to be reported, and would look as if nobody had seen them. Half of all are kept at least.
    """
    months = arrival_months(linkage)
    asked = _by_stratum(linkage).filter(pl.col("what") == What.REENTRIES.value)
    whole = int(asked["value"].sum() or 0)
    for month in reversed(months):
        if month_end(month) + timedelta(days=days) <= known_at:
            break
        if int(asked.filter(pl.col("period") < month)["value"].sum() or 0) < LEAST_KEPT * whole:
            break
        linkage = _none_of(linkage, _reentry() & (pl.col("period") >= month))
    return linkage


def ended_before(linkage: pl.DataFrame, layout: Layout, silent: date) -> pl.DataFrame:
    """Without re-entries whose stay may have ended when a large source was ``silent``: they say
    how little is seen without it, not how much was seen before.
    """
    ended, came = (monthly(linkage, w, layout.strata) for w in (What.ARRIVALS_ENDED, What.ARRIVALS))
    before = np.array([month_end(m) < silent for m in layout.months])
    reach = (_expected(layout) * before).sum(axis=1, keepdims=True)
    over = (ended.cumsum(axis=1) <= reach) & (ended >= OVER * came) & (came > 0)
    months = arrival_months(linkage)
    kept = [
        (name, months[at])
        for place, name in enumerate(layout.strata)
        for at in np.flatnonzero(over[place])
    ]
    named = pl.DataFrame(
        [(*key, True) for key in kept], orient="row",
        schema={"stratum": pl.String, "period": pl.Date, "kept": pl.Boolean},
    )  # fmt: skip
    marked = linkage.with_columns(stratum=_stratum()).join(
        named, on=["stratum", "period"], how="left", maintain_order="left"
    )
    return _none_of(marked, _reentry() & pl.col("kept").is_null()).drop("stratum", "kept")


def _none_of(linkage: pl.DataFrame, rows: pl.Expr) -> pl.DataFrame:
    """Nought in ``rows``: left out, they would take a month with them of which nothing else tells,
    and with it its place.
    """
    return linkage.with_columns(value=pl.when(rows).then(0).otherwise(pl.col("value")))


def _reentry() -> pl.Expr:
    """A count of re-entries by stratum, or by stratum and permitted days."""
    kind = pl.col("group_kind").cast(pl.String)
    kinds = (Group.MODE_CLASS.value, Group.MODE_CLASS_DAYS.value)
    return kind.is_in(kinds) & pl.col("what").cast(pl.String).is_in(_REENTRIES)


def _stratum() -> pl.Expr:
    """The stratum of a group: where it is one of permitted days, without them."""
    days = pl.col("group_kind").cast(pl.String) == Group.MODE_CLASS_DAYS.value
    name = pl.col("group_name")
    return pl.when(days).then(name.str.replace(r"/[^/]*$", "")).otherwise(name)
