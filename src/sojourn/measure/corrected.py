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
    either = (in_time[0] + late[0], in_time[1] + late[1], in_time[2] + late[2])
    return Corrected(
        _shifted(observed.late, late[0] - late[1], late[2]),
        _shifted(observed.no_departure, either[1] - either[0], either[2]),
        _shifted(observed.late + observed.no_departure, in_time[1] - in_time[0], in_time[2]),
    )


@dataclass(frozen=True)
class Timed:
    """Of stays that ended in time, or late: what linking did to them."""

    sensitivity: Estimate
    false_each: float  # false links of that timing, for each ended stay without a link
    false_error: float


def timed_errors(counts: pl.DataFrame) -> dict[str, Timed]:
    """By IN_TIME and LATE. A false link can only close a stay that was open: so it is told for
    each ended stay that has no link, wherever that stay is counted. Empty: nothing was counted.
    """
    quality, whole = judge_linkage(counts), tallies(counts, Group.ALL)
    if quality is None or not whole:
        return {}
    open_ = whole[0].of(What.ARRIVALS_ENDED) - whole[0].of(What.ARRIVALS_ENDED_LINKED)
    timed = {t.group_name: t for t in tallies(counts, Group.TIMING)}
    out = {}
    for name in (IN_TIME, LATE):
        if name not in timed or open_ <= 0:
            continue
        mine = timed[name]
        missed, false, variance = _parts(timed, name, quality, counts)
        found = mine.of(What.FOUND_BY_DOCUMENTS) + mine.of(What.FOUND_BY_NAMES)
        right = max(found - mine.of(What.FOUND_BY_BOTH) - false, 0.0)
        reach = Z95 * sqrt(variance)
        share = right / (right + missed) if right else 0.0
        ends = [right / (right + max(m, 0.0)) if right else e for m, e in
                ((missed + reach, 0.0), (missed - reach, 1.0))]  # fmt: skip
        out[name] = Timed(Estimate(share, ends[0], ends[1]), false / open_, sqrt(variance) / open_)
    return out


def _shifted(observed: int, shift: float, variance: float) -> Estimate:
    value, reach = observed + shift, Z95 * sqrt(variance)
    return Estimate(max(0.0, value), max(0.0, value - reach), max(0.0, value + reach))


def _parts(
    timed: dict[str, Tally], name: str, quality: LinkageQuality, counts: pl.DataFrame
) -> tuple[float, float, float]:
    """Of stays that ended so: links missed, false links, and the variance of their difference."""
    mine = timed.get(name)
    if mine is None:
        return 0.0, 0.0, 0.0
    missed = missed_of(mine, counts)
    false = [
        estimate.scaled(_share(mine, timed, what))
        for estimate, what in (
            (quality.false_without_arrival, What.ARRIVALS_WITHHELD_LINKED),
            (quality.false_without_departure, What.DEPARTURES_WITHHELD_TAKEN),
        )
    ]
    spreads = [(e.upper - e.value) / Z95 for e in (missed, *false) if e.upper < float("inf")]
    return missed.value, sum(f.value for f in false), sum(s**2 for s in spreads)


def _share(mine: Tally, timed: dict[str, Tally], what: What) -> float:
    every = sum(t.of(what) for t in timed.values())
    return mine.of(what) / every if every else 0.0
