"""Reports to come: how far each month's counts will grow, and what silent sources owe.

In: ``Evidence``, ``Layout``, the day, randomness. Out: ``Heard``, what is known of the sources of
departures; ``ToCome``, factors by stratum and month. From vintages (``development``); where no
month was watched at that age, from how late the sources tell (``delays``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.delays import (
    Completeness,
    Trouble,
    completeness,
    find_trouble,
    pooled,
    watched_days,
)
from sojourn.measure.development import Development, develop
from sojourn.measure.evidence import CHANGED, IN_TIME, LATE, Evidence, Layout
from sojourn.measure.leaving_late import untold_share
from sojourn.measure.spans import month_end
from sojourn.vocabulary import Direction

Array = NDArray[np.float64]

YOUNG_DAYS = 92
# Where nobody has watched how months grow: of departures still to be told when a month is
# YOUNG_DAYS old, as of a source that takes 26 days on the mean (exp(-92 / 26) = 0.03), which is
# slow. It falls with the square of the age, slower than that source's, for some are slower still;
# and is no more than UNWATCHED_MOST, for most departures lie long before the last permitted day.
UNWATCHED, UNWATCHED_MOST = 0.03, 0.1
MONTH_DAYS = 31  # months younger than this, and not watched for so long, cannot be completed
UNCHANGED = 1.0  # delays of late may differ by so much before anybody can tell


@dataclass(frozen=True)
class Heard:
    """What is known of the sources of departures."""

    trouble: Trouble
    told: Completeness | None  # of all sources together; None: no report yet
    watched: int  # days


@dataclass(frozen=True)
class Growth:
    """Recorded for good, for each that is recorded now: at x 1, or at x draws."""

    in_time: Array
    late: Array
    changed: Array


@dataclass(frozen=True)
class ToCome:
    value: Growth
    truth: Growth  # draws
    later: Growth  # draws; of late departures as they are now (``leaving_late``)
    dispersion: float  # of reports to come
    unknown: NDArray[np.bool_]  # by month: none before it was watched at its age
    untimed: NDArray[np.bool_]  # by month: it cannot be completed


def hear(reporting: pl.DataFrame, known_at: date, retired: Collection[str]) -> Heard:
    """From REPORTING. ``retired``: sources of which nothing more is owed."""
    return Heard(
        find_trouble(reporting, known_at, retired=retired),
        pooled(completeness(reporting, known_at, Direction.DEPARTURE)),
        watched_days(reporting, known_at, Direction.DEPARTURE),
    )


def reports_to_come(
    evidence: Evidence, layout: Layout, known_at: date, heard: Heard, draws: int,
    rng: np.random.Generator,
) -> ToCome:  # fmt: skip
    """Factors of every stratum and month."""
    ages = layout.ages(known_at)
    grown = _completed(evidence, layout, known_at, heard)
    changed = develop(evidence.vintages, CHANGED, layout.strata, layout.months, known_at)
    in_now, changed_now = _grow(grown, draws, rng), _grow(changed, draws, rng)
    late = layout.spread(np.array([1 / _recent(heard.told, int(a) + 15) for a in ages]))
    lost = owed(layout, heard.trouble)[:, None]
    in_draws = in_now[1] * (1 + lost * rng.random((1, draws)))
    unwatched = layout.spread(_unwatched(grown, ages, heard.watched))[:, None]
    if unwatched.any():
        # In four countries of five nothing is to come, else up to so much: most delays are short.
        in_draws *= 1 + unwatched * np.maximum(5 * rng.random((1, draws)) - 4, 0.0)
    untimed = grown.unknown & (np.maximum(ages, heard.watched) < MONTH_DAYS)
    return ToCome(
        Growth(in_now[0], late[:, None], changed_now[0]),
        Growth(in_draws, late[:, None] * np.ones((1, draws)), changed_now[1]),
        # Late reports to come are of some of those who will be said to have left late.
        Growth(in_draws, np.ones((layout.size, 1)), changed_now[1]),
        grown.dispersion, grown.unknown, untimed,
    )  # fmt: skip


def late_share(
    evidence: Evidence, layout: Layout, known_at: date, draws: int, rng: np.random.Generator
) -> Array:
    """At x draws: of those who will have left late, what is in. From vintages; where no month was
    watched at that age, from its age alone.
    """
    tardier = develop(evidence.vintages, LATE, layout.strata, layout.months, known_at)
    share = _shares(tardier, draws, rng)
    if not tardier.unknown.any():
        return share
    untold = untold_share(layout.ages(known_at), draws, rng)
    untold = np.where(tardier.unknown[:, None], untold, 1.0)
    return np.minimum(share, np.tile(untold, (len(layout.strata), 1)))


def _completed(evidence: Evidence, layout: Layout, known_at: date, heard: Heard) -> Development:
    """From vintages; where no month before was watched at that age, from the sources' delays."""
    grown = develop(evidence.vintages, IN_TIME, layout.strata, layout.months, known_at)
    told, trouble = heard.told, heard.trouble
    share, error = grown.share.copy(), grown.log_error.copy()
    # Vintages of one day take the oldest month to be complete, for nothing is older.
    unknown = grown.unknown if told is not None else np.ones_like(grown.unknown)
    for at, age in enumerate(layout.ages(known_at)):
        if unknown[at]:
            # Departures lie between long before the last permitted day and the day itself.
            least = told.at(int(age)) if told is not None else 1.0
            share[:, at] = np.minimum(share[:, at], (1 + least) / 2)
            error[:, at] = np.hypot(error[:, at], (1 - least) / 2 + 0.002)
        changed = trouble.slower - 1 if trouble.changed and age < YOUNG_DAYS else 0.0
        error[:, at] = np.hypot(error[:, at], (1 - share[:, at]) * max(changed, UNCHANGED))
    return Development(share, error, grown.dispersion, unknown)


def _unwatched(grown: Development, ages: NDArray[np.int64], watched: int) -> Array:
    """By month: how many more departures may be to come than are told, where nobody watched any
    month grow, beyond the days for which the sources were.
    """
    beyond = UNWATCHED * (YOUNG_DAYS / np.maximum(np.maximum(ages, watched), 1)) ** 2
    return np.where(grown.unknown, np.minimum(beyond, UNWATCHED_MOST), 0.0)


def _grow(grown: Development, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Factors: value, draws."""
    return 1 / grown.share.reshape(-1, 1), 1 / _shares(grown, draws, rng)


def _shares(grown: Development, draws: int, rng: np.random.Generator) -> Array:
    """Draws of the share that is in."""
    error = grown.log_error.reshape(-1, 1)
    # Months of one office are late together: one draw of the error for all of a stratum.
    common = np.repeat(rng.standard_normal((grown.share.shape[0], draws)),
                       grown.share.shape[1], axis=0)  # fmt: skip
    return np.clip(grown.share.reshape(-1, 1) * np.exp(error * common), 0.02, 1.0)


def _recent(told: Completeness | None, days: int) -> float:
    return max(told.recent_mean(days), 0.05) if told is not None else 1.0


def owed(layout: Layout, trouble: Trouble) -> Array:
    """By at: the share of departures whose source was silent when the month ended."""
    lost = np.zeros(len(layout.months))
    for silent in trouble.silent:
        for at, month in enumerate(layout.months):
            if month_end(month) >= silent.since:
                lost[at] += silent.share
    return layout.spread(lost)
