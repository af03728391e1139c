"""Stays without departure and late departures, put right for what linking missed or made up.

In: LINKAGE_QUALITY and what was observed of stays whose permitted period is over. Out:
``Corrected``. What no record ever told (departures not recorded) is another matter: coverage.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import polars as pl

from sojourn.measure.estimate import Z95, Estimate
from sojourn.measure.linkage import (
    IN_TIME,
    LATE,
    LinkageQuality,
    Tally,
    judge_linkage,
    missed_of,
    tallies,
)
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group


@dataclass(frozen=True)
class Ended:
    """Stays whose permitted period is over, by what their links say."""

    stays: int
    late: int
    no_departure: int


@dataclass(frozen=True)
class Corrected:
    """Estimates of what perfect linking of the same records would say."""

    late: Estimate
    no_departure: Estimate
    late_or_open: Estimate


def correct_ended(counts: pl.DataFrame, observed: Ended) -> Corrected | None:
    """Observed, less the links missed, plus the false links, apart for late and in time.

    A missed link made an open stay of one that ended; a false one closed a stay that its own
    records leave open. None where nothing was counted.
    """
    quality = judge_linkage(counts)
    if quality is None:
        return None
    timed = {t.group_name: t for t in tallies(counts, Group.TIMING)}
    parts = {name: _parts(timed, name, quality, counts) for name in (IN_TIME, LATE)}
    in_time, late = parts[IN_TIME], parts[LATE]
    return Corrected(
        _shifted(observed.late, -late.hidden, late.variance),
        _shifted(
            observed.no_departure, in_time.hidden + late.hidden, in_time.variance + late.variance
        ),
        _shifted(observed.late + observed.no_departure, in_time.hidden, in_time.variance),
    )


@dataclass(frozen=True)
class Timed:
    """Of stays that ended in time, or late: what linking did to them."""

    sensitivity: Estimate  # from nought: nothing says how many neither kind of key finds
    false_each: float  # false links of that timing, for each ended stay without a link
    false_error: float  # of the rate: how many fall into a cell is chance beside


def timed_errors(counts: pl.DataFrame) -> dict[str, Timed]:
    """By IN_TIME and LATE. A false link can only close a stay that was open: so it is told for
    each ended stay that has no link, wherever that stay is counted. Empty: nothing was counted,
    or no link was ever tried out.
    """
    quality, whole = judge_linkage(counts), tallies(counts, Group.ALL)
    if quality is None or not whole or not whole[0].of(What.ARRIVALS_WITHHELD):
        return {}
    open_ = whole[0].of(What.ARRIVALS_ENDED) - whole[0].of(What.ARRIVALS_ENDED_LINKED)
    timed = {t.group_name: t for t in tallies(counts, Group.TIMING)}
    out = {}
    for name in (IN_TIME, LATE):
        if name not in timed or open_ <= 0:
            continue
        mine = timed[name]
        parts = _parts(timed, name, quality, counts)
        found = mine.of(What.FOUND_BY_DOCUMENTS) + mine.of(What.FOUND_BY_NAMES)
        right = max(found - mine.of(What.FOUND_BY_BOTH) - parts.false, 0.0)
        reach = Z95 * sqrt(parts.missed_variance)
        share, low, high = (
            right / (right + max(parts.missed + m, 0.0)) if right else least
            for m, least in ((0.0, 0.0), (reach, 0.0), (-reach, 1.0))
        )
        if not mine.of(What.FOUND_BY_BOTH):
            low = 0.0
        out[name] = Timed(
            Estimate(share, low, high), parts.false / open_, sqrt(parts.rate_variance) / open_
        )
    return out


@dataclass(frozen=True)
class _Parts:
    """Of stays that ended in time, or late: links missed, false links, and their variances."""

    missed: float
    missed_variance: float
    false: float
    rate_variance: float  # of ``false``, chance of the number itself (Poisson) apart

    @property
    def hidden(self) -> float:
        """Stays that false links closed, less those that missed links left open."""
        return self.false - self.missed

    @property
    def variance(self) -> float:
        return self.missed_variance + self.rate_variance + self.false


def _shifted(observed: int, shift: float, variance: float) -> Estimate:
    value, reach = observed + shift, Z95 * sqrt(variance)
    return Estimate(max(0.0, value), max(0.0, value - reach), max(0.0, value + reach))


def _parts(
    timed: dict[str, Tally], name: str, quality: LinkageQuality, counts: pl.DataFrame
) -> _Parts:
    mine = timed.get(name)
    if mine is None:
        return _Parts(0.0, 0.0, 0.0, 0.0)
    missed = missed_of(mine, counts)
    false, variance = 0.0, 0.0
    for estimate, what in (
        (quality.false_without_arrival, What.ARRIVALS_WITHHELD_LINKED),
        (quality.false_without_departure, What.DEPARTURES_WITHHELD_TAKEN),
    ):
        share, doubt = _share(mine, timed, what)
        false += share * estimate.value
        variance += share**2 * max(_variance(estimate) - estimate.value, 0.0)
        variance += doubt * estimate.value**2
    return _Parts(missed.value, _variance(missed), false, variance)


def _variance(estimate: Estimate) -> float:
    return estimate.spread**2 if estimate.upper < float("inf") else 0.0


def _share(mine: Tally, timed: dict[str, Tally], what: What) -> tuple[float, float]:
    """Of false links in trials, those of this timing, half where there are none; and the
    variance, for they are few.
    """
    every = sum(t.of(what) for t in timed.values())
    smooth = (mine.of(what) + 0.5) / (every + 1)
    return (mine.of(what) / every if every else 0.5), smooth * (1 - smooth) / (every + 1)
