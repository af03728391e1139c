"""How a month's count grows after the month is over: read off its vintages.

In: VINTAGES, the months and strata of the question. Out: ``Development``: by stratum and month,
the share of the count that is in by now, with its error.

The same reverse-time hazard as of single records (``delays``), with a month's age for the delay:
of what months held at age a, the share that came since the age before, among months that old.
Departures happen before the last permitted day and become known after it, so that only what was
late by more than that shows here; no distribution of stays has to be guessed. Strata are pulled
towards the whole. Growth that scatters between months more than chance makes the error wider
(Mack 1993). Assumes that months grow alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from sojourn.measure.spans import month_end
from sojourn.vocabulary import Outcome

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PULL = 2_000.0  # stays: as many as the whole's hazard counts for in a stratum
LEAST_SHARE = 0.05
OLD_DAYS = 62


@dataclass(frozen=True)
class Development:
    """Strata x months. ``share``: of what will once be recorded; ``log_error``: of its logarithm.

    ``unknown``: months so young that none before them has been watched from that age on.
    """

    share: Array
    log_error: Array
    dispersion: float
    unknown: Flags  # by month


def with_new(vintages: pl.DataFrame) -> pl.DataFrame:
    """VINTAGES, oldest first, with what each row adds to the same cell's row before (``new``)."""
    cell = ("period", "nationality", "mode", "admission_class", "outcome")
    return vintages.sort("known_at").with_columns(
        new=pl.col("value").diff().over(cell).fill_null(pl.col("value"))
    )


def develop(
    vintages: pl.DataFrame,
    outcome: Outcome,
    strata: Sequence[str],
    months: Sequence[date],
    known_at: date,
) -> Development:
    """``months``: first days of months that are over, oldest first; ``strata``: mode/class."""
    ages = np.array([(known_at - month_end(m)).days for m in reversed(months)])
    grown, start = _grown(vintages, outcome, strata, months, known_at, ages)
    new, held, watched, apart, spare = _watched(grown, start, ages)
    old = np.append([False], ages[:-1] >= OLD_DAYS) & watched
    whole = np.maximum(held.sum(axis=0), 1.0)
    rate = new.sum(axis=0) / whole
    # Old months grow little, each age of theirs is seen in few, and the older they are the less
    # they grow: the likeliest hazards that never rise. Strata differ in all of it alike.
    rate[old] = _falling(rate[old], whole[old])
    rate = np.clip(rate, 0.0, 0.95)
    new[:, old] = rate[old] * _ratio(new[:, old], held[:, old] * rate[old]) * held[:, old]
    hazard = np.where(watched, (new + PULL * rate) / (held + PULL), 0.0).clip(0.0, 0.95)
    seen = np.where(old, whole[old].sum(), whole)
    told = np.maximum(held + seen * PULL / (seen + PULL), 5.0)
    # Growth that was never met is not thereby impossible.
    floor = np.maximum(hazard, np.minimum(0.25 / seen, 0.5))
    error = np.where(watched, floor / (1 - floor) / told, 0.0)
    dispersion = max(1.0, apart / spare) if spare >= 3 else 2.0
    beyond = np.cumprod((1 - hazard)[:, ::-1], axis=1)[:, ::-1]
    share = np.append(beyond[:, 1:], np.ones((len(strata), 1)), axis=1)
    doubt = _beyond(np.where(old, 0.0, error)) + _beyond(np.where(old, np.sqrt(error), 0.0)) ** 2
    gaps = ~watched
    gaps[0] = False
    unknown = np.append(gaps[::-1].cumsum()[::-1][1:] > 0, [False])
    return Development(
        np.maximum(share, LEAST_SHARE)[:, ::-1],
        np.sqrt(doubt * dispersion)[:, ::-1],
        dispersion,
        unknown[::-1],
    )


def _falling(rate: Array, weight: Array) -> Array:
    """The closest that never rises (pool adjacent violators: Ayer et al. 1955)."""
    if len(rate) < 2:
        return rate
    return np.asarray(isotonic_regression(rate, weights=weight, increasing=False).x)


def _ratio(came: Array, expected: Array) -> Array:
    """By stratum (x 1): what came for each that was expected."""
    sums = expected.sum(axis=1)
    told = np.divide(came.sum(axis=1), sums, out=np.ones(len(sums)), where=sums > 0)
    return np.asarray(told[:, None])


def _watched(
    grown: Array, start: NDArray[np.int64], ages: NDArray[np.int64]
) -> tuple[Array, Array, Flags, float, int]:
    """(what came at each age, what was held by then, of months that were watched: strata x ages;
    whether any was; how far months scatter about the common growth: chi-squared, its degrees).
    """
    count = len(ages)
    new, held = np.zeros((grown.shape[0], count)), np.zeros((grown.shape[0], count))
    watched = np.zeros(count, dtype=bool)
    apart, spare = 0.0, 0
    upto = grown.cumsum(axis=2)
    for at in range(1, count):
        # The month of index i from the youngest has been seen at ages up to i.
        usable = (np.arange(count) >= at) & (start <= ages[at - 1])
        if not usable.any():
            continue
        watched[at] = True
        new[:, at], held[:, at] = (a[:, usable, at].sum(axis=1) for a in (grown, upto))
        by_month = grown[:, usable, at].sum(axis=0)
        expected = upto[:, usable, at].sum(axis=0) * by_month.sum() / max(held[:, at].sum(), 1.0)
        big = expected > 1
        apart += float(((by_month - expected)[big] ** 2 / expected[big]).sum())
        spare += max(int(big.sum()) - 1, 0)
    return new, held, watched, apart, spare


def _beyond(by_age: Array) -> Array:
    """What lies beyond each age: strata x ages, summed over the ages after it."""
    sums = by_age[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.append(sums[:, 1:], np.zeros((by_age.shape[0], 1)), axis=1)


def _grown(
    vintages: pl.DataFrame,
    outcome: Outcome,
    strata: Sequence[str],
    months: Sequence[date],
    known_at: date,
    ages: NDArray[np.int64],
) -> tuple[Array, NDArray[np.int64]]:
    """(strata x months from the youngest x ages: what came by that age since the age before;
    from which age on each month was watched).
    """
    place = {name: at for at, name in enumerate(strata)}
    when = {month: at for at, month in enumerate(reversed(months))}
    out = np.zeros((len(strata), len(months), len(ages)))
    held = vintages.filter(pl.col("known_at") <= known_at)
    first = held["known_at"].min()
    ends = [month_end(m) for m in reversed(months)]
    start = np.array([(first - e).days if isinstance(first, date) else 10**6 for e in ends])
    asked = (pl.col("outcome") == outcome.value) & pl.col("period").is_in(list(months))
    steps = (
        with_new(held.filter(asked))
        .with_columns(
            name=pl.concat_str("mode", "admission_class", separator="/"),
            age=(pl.col("known_at") - pl.col("period").dt.month_end()).dt.total_days(),
        )
        .filter(pl.col("name").is_in(list(place)))
        .group_by("age", "period", "name")
        .agg(pl.col("new").sum())
    )  # fmt: skip
    if steps.height:
        of = steps["name"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
        at = steps["period"].replace_strict(when, return_dtype=pl.Int64).to_numpy()
        by = np.searchsorted(ages, steps["age"].to_numpy(), side="left")
        np.add.at(out, (of, at, np.minimum(by, len(ages) - 1)), steps["new"].to_numpy())
    return out, start
