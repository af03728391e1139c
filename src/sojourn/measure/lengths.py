"""Exits not seen where how long a stay may be decides: those who return stay otherwise.

In: ``Exits`` by arrival mode and class, LINKAGE_QUALITY. Out: ``Exits``, put right where the counts
say so clearly. Within a mode and class, short permissions may return more often than long ones,
and their exits be seen more often: then re-entries show the coverage of a mix that is not that of
the stays whose permission ended. Both are counted by bands of *permitted* days. (The length that
a stay had is not known of an open one, which is what the estimate is about.)

Of each stratum, the odds of an unseen exit are taken by band, and weighted by the exits seen of
stays that ended, not by those of stays that returned: post-stratification (Holt & Smith 1979).
The ratio to the odds of all bands together is used where it is CLEAR standard errors from 1: of a
difference that chance could make nothing is learned, and no error is added. Assumes that within a
band those who return are like the others; where not: ``unlike``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.exits import Exits
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

Array = NDArray[np.float64]

CLEAR = 2.6
LEAST_BAND = 20  # re-entries; bands with fewer are one band
_COUNTED = (What.REENTRIES, What.REENTRIES_CLOSED, What.ARRIVALS_ENDED_LINKED)


@dataclass(frozen=True)
class Ratio:
    """By how much the odds of an unseen exit are off, and the standard error of its logarithm."""

    value: float
    log_error: float

    @property
    def clear(self) -> bool:
        return abs(float(np.log(self.value))) > CLEAR * self.log_error


def by_length(exits: Exits, linkage: pl.DataFrame) -> Exits:
    """``exits`` with strata of which the permitted length clearly decides put right."""
    ratios = length_ratios(linkage)
    value, error = np.ones(len(exits.strata)), np.zeros(len(exits.strata))
    for at, name in enumerate(exits.strata):
        if name in ratios and ratios[name].clear:
            value[at], error[at] = ratios[name].value, ratios[name].log_error
    off = value != 1.0
    if not off.any():
        return exits
    told, closed = _told_anew(exits.reentries, exits.closed, value, error)
    every, shut = exits.mode_reentries.copy(), exits.mode_closed.copy()
    np.add.at(every, exits.mode, np.where(off, told - exits.reentries, 0.0))
    np.add.at(shut, exits.mode, np.where(off, closed - exits.closed, 0.0))
    return replace(
        exits, reentries=np.where(off, told, exits.reentries),
        closed=np.where(off, closed, exits.closed), mode_reentries=every, mode_closed=shut,
        odds=exits.odds * value,
    )  # fmt: skip


def _told_anew(told: Array, closed: Array, ratio: Array, error: Array) -> tuple[Array, Array]:
    """As many re-entries as would tell the odds put right, as surely as they are known."""
    share = np.clip(closed / np.maximum(told, 1e-9), 1e-6, 1 - 1e-6)
    odds = (1 - share) / share * ratio
    after = 1 / (1 + odds)
    doubt = 1 / np.maximum(told * share * (1 - share), 1e-9) + error**2
    worth = np.minimum(told, 1 / (doubt * after * (1 - after)))
    return worth, worth * after


def length_ratios(linkage: pl.DataFrame) -> dict[str, Ratio]:
    """By stratum (mode/class) with two bands of permitted days or more, and unseen exits."""
    held = linkage.filter(
        (pl.col("group_kind") == Group.MODE_CLASS_DAYS.value)
        & pl.col("what").is_in([w.value for w in _COUNTED])
    )
    if not held.height:
        return {}
    summed = held.group_by("group_name").agg(
        pl.col("value").filter(pl.col("what") == w.value).sum().alias(w.value) for w in _COUNTED
    )
    named = summed.with_columns(stratum=pl.col("group_name").str.replace(r"/[^/]*$", ""))
    out = {}
    for (stratum,), part in named.partition_by("stratum", as_dict=True).items():
        counts = part.sort("group_name").select(w.value for w in _COUNTED).to_numpy()
        found = _ratio(counts.astype(np.float64))
        if found is not None:
            out[str(stratum)] = found
    return out


def _ratio(bands: Array) -> Ratio | None:
    """``bands``: re-entries, those closed, exits seen of ended stays; a row for each band."""
    few = bands[:, 0] < LEAST_BAND
    if few.any():
        bands = np.vstack([bands[~few], bands[few].sum(axis=0)])
    bands = bands[bands[:, 0] > 0]
    asked, ended = bands[:, 0], bands[:, 2]
    closed = np.minimum(bands[:, 1], asked)
    if len(bands) < 2 or not ended.sum() or not closed.sum() or closed.sum() >= asked.sum():
        return None
    odds = (asked - closed) / (closed + 1)
    weight, returned = ended / ended.sum(), closed / closed.sum()
    pooled = float((asked - closed).sum() / (closed.sum() + 1))
    value = float(weight @ odds) / pooled
    if value <= 0:
        return None
    # Half a re-entry more: of a band none of whose exits was unseen, one may be the next time.
    rough = (asked - closed + 0.5) / (closed + 1)
    variance = rough * (1 + rough) ** 2 / asked
    pull = (weight - value * returned) / pooled
    error = float(np.sqrt((pull**2 * variance).sum())) / value
    return Ratio(value, error)
