"""What a count stands for, by stratum and month: all that is known of errors, put together.

In: ``Evidence``, ``Layout``, the day, policy, randomness. Out: ``Model``: factors as values, as
draws for the truth, as draws for the final vintage, and ``Concern``s: where a number cannot be
made, or only a wide one. Each error has its own module: exits not seen (``exits``, ``unlike``),
links missed and false (``corrected``), reports to come (``development``, ``delays``), revisions of
what was expected (``revisions``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.arrived import came_in, ended_before, told_by_now
from sojourn.measure.corrected import Timed, timed_errors
from sojourn.measure.delays import (
    Completeness,
    Trouble,
    completeness,
    find_trouble,
    pooled,
    watched_days,
)
from sojourn.measure.development import Development, develop
from sojourn.measure.estimate import Z95, Estimate
from sojourn.measure.evidence import CHANGED, EXPECTED, IN_TIME, LATE, OPEN, Evidence, Layout
from sojourn.measure.exits import Exits, seen_exits, spread_shares
from sojourn.measure.leaving_late import late_to_come
from sojourn.measure.lengths import by_length
from sojourn.measure.linkage import DEPENDENCE
from sojourn.measure.linkage import IN_TIME as TIMELY
from sojourn.measure.linkage import LATE as TARDY
from sojourn.measure.remaining import Factors
from sojourn.measure.revisions import past_revisions
from sojourn.measure.spans import month_end
from sojourn.measure.taken_over import SILENT_SHARE
from sojourn.measure.unlike import Trend, return_trend
from sojourn.policy import EstimatePolicy
from sojourn.vocabulary import Direction

Array = NDArray[np.float64]

JUMPED_DAYS = 60  # after a jump, months younger than this cannot be completed
YOUNG_DAYS = 92
# Where nobody has watched how months grow: of departures still to be told when a month is
# YOUNG_DAYS old, as of a source that takes 26 days on the mean (exp(-92 / 26) = 0.03), which is
# slow. It falls with the square of the age, slower than that source's, for some are slower still;
# and is no more than UNWATCHED_MOST, for most departures lie long before the last permitted day.
UNWATCHED, UNWATCHED_MOST = 0.03, 0.1
MONTH_DAYS = 31  # months younger than this, and not watched for so long, cannot be completed
# Of false links that close a stay, those before its traveller's next arrival: 0.65 in 40 countries
# of sojourn.simulate.small, each of 100,000 stays and more.
BEFORE_NEXT = 0.65
ALL_BUT_FEW = 0.99  # of departures: once so many are in, re-entries tell how many never will be
SLACK = 2.0  # ... and twice as long, for delays that grow are seen late
UNCHANGED = 1.0  # delays of late may differ by so much before anybody can tell
APART = 2.0  # how alike classes are in whether a false link looks late: next to nothing is known
MOST_ASIDE = 1.25
LONGER = 0.1  # of the way to those who never return, for whoever returns in the year to come
# Trials of links are drawn anew each time: what they will say a year later errs by itself, with
# twice the data.
ANEW = 1.5**0.5
# Where nobody tried: false links as in 60 plain countries of sojourn.simulate.small, on the mean,
# and twice as unsure as these differ.
NO_GUIDE = {
    TIMELY: Timed(Estimate(1.0, 0.0, 1.0), 0.008, 0.016),
    TARDY: Timed(Estimate(1.0, 0.0, 1.0), 0.002, 0.005),
}


@dataclass(frozen=True)
class Concern:
    """Where (``at``: 0 or 1) something is amiss. ``fatal``: no number can be made there."""

    code: str
    fatal: bool
    at: Array


@dataclass(frozen=True)
class Odds:
    """Unseen exits for each that is seen, by at."""

    value: Array
    truth: Array  # draws
    later: Array  # draws of what will be estimated


@dataclass(frozen=True)
class Model:
    value: Factors
    truth: Factors
    later: Factors
    more_late: Array  # at x draws: late departures to come, for each stay expected
    exits: Exits
    trend: Trend
    dispersion: float  # of reports to come
    concerns: tuple[Concern, ...]


def build_model(
    evidence: Evidence,
    layout: Layout,
    known_at: date,
    policy: EstimatePolicy,
    rng: np.random.Generator,
) -> Model:
    """Every factor of every stratum and month."""
    draws = policy.draws
    trend = return_trend(evidence.linkage)
    timed = timed_errors(evidence.linkage)
    falsely = BEFORE_NEXT * min(sum(t.false_each for t in timed.values()), 0.5)
    trouble = find_trouble(evidence.reporting, known_at, retired=policy.retired_sources)
    told = pooled(completeness(evidence.reporting, known_at, Direction.DEPARTURE))
    watched = watched_days(evidence.reporting, known_at, Direction.DEPARTURE)
    telling = _telling(evidence.linkage, layout, trouble, told, watched, known_at)
    exits = by_length(
        seen_exits(telling, layout.strata, policy.least_reentries, falsely, evidence.linkage),
        telling,
    )
    ages = layout.ages(known_at)
    grown = _completed(evidence, layout, known_at, told, trouble)
    changed = develop(evidence.vintages, CHANGED, layout.strata, layout.months, known_at)
    in_now, changed_now = _grow(grown, draws, rng), _grow(changed, draws, rng)
    tardier = develop(evidence.vintages, LATE, layout.strata, layout.months, known_at)
    more_late = late_to_come(layout, tardier, 1 / _grow(tardier, draws, rng)[1], rng)
    late = layout.spread(np.array([1 / _recent(told, int(a) + 15) for a in ages]))[:, None]
    missing = _missing(layout, trouble)[:, None]
    in_draws = in_now[1] * (1 + missing * rng.random((1, draws)))
    unwatched = layout.spread(_unwatched(grown, ages, watched))[:, None]
    if unwatched.any():
        # In four countries of five nothing is to come, else up to so much: most delays are short.
        in_draws *= 1 + unwatched * np.maximum(5 * rng.random((1, draws)) - 4, 0.0)
    size, size_draws = _sizes(evidence, layout, ages, known_at, policy, draws, rng)
    odds = _odds(evidence, layout, exits, trend, policy, rng)
    tardy, timely = (timed.get(name, NO_GUIDE[name]) for name in (TARDY, TIMELY))
    ratio, ratio_draws = _late_ratio(tardy, timely, odds.value, draws, rng)
    false = {name: _false(t, draws, rng) for name, t in ((TIMELY, timely), (TARDY, tardy))}
    apart = _apart(layout, false[TIMELY], false[TARDY], rng)
    ones = np.ones((layout.size, 1))
    value = Factors(
        in_now[0], late, changed_now[0], ones * timely.false_each, ones * tardy.false_each,
        odds.value, (1 + odds.value) * ratio - 1, size,
    )  # fmt: skip
    truth = Factors(
        in_draws, late * np.ones((1, draws)), changed_now[1], apart[0], apart[1],
        odds.truth, (1 + odds.truth) * ratio_draws - 1, size_draws,
    )  # fmt: skip
    anew = {n: np.maximum(t.false_each + (false[n] - t.false_each) * ANEW, 0.0)
            for n, t in ((TIMELY, timely), (TARDY, tardy))}  # fmt: skip
    later = Factors(
        in_draws, ones, truth.grow_changed, ones * anew[TIMELY], ones * anew[TARDY],
        odds.later, (1 + odds.later) * ratio_draws - 1, size_draws,
    )  # fmt: skip
    untimed = grown.unknown & (np.maximum(ages, watched) < MONTH_DAYS)
    concerns = _concerns(evidence, layout, exits, trend, trouble, grown, untimed, ages, timed)
    return Model(value, truth, later, more_late, exits, trend, grown.dispersion, concerns)


def _completed(
    evidence: Evidence,
    layout: Layout,
    known_at: date,
    told: Completeness | None,
    trouble: Trouble,
) -> Development:
    """From vintages; where no month before was watched at that age, from the sources' delays."""
    grown = develop(evidence.vintages, IN_TIME, layout.strata, layout.months, known_at)
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
    share = grown.share.reshape(-1, 1)
    error = grown.log_error.reshape(-1, 1)
    # Months of one office are late together: one draw of the error for all of a stratum.
    common = np.repeat(rng.standard_normal((grown.share.shape[0], draws)),
                       grown.share.shape[1], axis=0)  # fmt: skip
    return 1 / share, 1 / np.clip(share * np.exp(error * common), 0.02, 1.0)


def _telling(
    linkage: pl.DataFrame, layout: Layout, trouble: Trouble, told: Completeness | None,
    watched: int, known_at: date,
) -> pl.DataFrame:  # fmt: skip
    """LINKAGE_QUALITY with those re-entries alone whose departures are in, if they ever will be."""
    since = [s.since for s in trouble.silent if s.share >= SILENT_SHARE]
    if since:
        linkage = ended_before(linkage, layout, min(since))
    days = 0
    if told is not None:
        days = round(told.days_until(ALL_BUT_FEW) * max(trouble.slower, SLACK))
    if watched < MONTH_DAYS:
        days = max(days, YOUNG_DAYS)  # longer delays than were watched are usual
    return told_by_now(linkage, known_at, days)


def _odds(
    evidence: Evidence, layout: Layout, exits: Exits, trend: Trend, policy: EstimatePolicy,
    rng: np.random.Generator,
) -> Odds:  # fmt: skip
    count, draws = len(layout.months), policy.draws
    came = came_in(evidence.linkage, layout)
    share = exits.share_draws(rng, draws)
    months_share = spread_shares(share, exits.scatter, count, rng)
    known = np.repeat(exits.returned, count)[:, None]
    others = (1 - known) * _unlike(trend, draws, rng)
    drift = _drift(came, exits, exits.level_scores(share), policy, rng)
    each = np.repeat(exits.odds, count)[:, None]
    truth = (each * known + (1 / months_share - 1).reshape(-1, draws) * others) * drift[1]
    later = exits.later_odds(share, float(policy.settled_months), rng)
    value, said = each * drift[0], np.repeat(later, count, axis=0) * drift[2]
    # Nobody knows today on which side of today's estimate a later one will lie. Where few tell,
    # the mean is one of few wild draws, and is followed so far only.
    side = value / np.maximum(said.mean(axis=1, keepdims=True), 1e-9)
    # Later those count who were longest away, as well.
    longer = trend.odds_ratio() ** rng.uniform(0.0, LONGER, (1, draws))
    return Odds(value, truth, said * np.clip(side, 1 / MOST_ASIDE, MOST_ASIDE) * longer)


def _drift(
    came: Array, exits: Exits, level: Array, policy: EstimatePolicy, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Odds of each stratum and month against its stratum's: value, draws of what is true and of
    what will be said, the move of the mode's level included. ``came``: strata x months x months
    of arrival; ``level``: modes x draws.
    """
    size = came.shape[0] * came.shape[1]
    drawn = exits.drift.draw(rng, level, policy.settled_months)
    parts = (exits.drift.value[:, :, None], *drawn)
    value, truth, later = (np.exp(-(came @ p[exits.mode])).reshape(size, -1) for p in parts)
    return value, truth, later


def _recent(told: Completeness | None, days: int) -> float:
    return max(told.recent_mean(days), 0.05) if told is not None else 1.0


def _missing(layout: Layout, trouble: Trouble) -> Array:
    """By at: the share of departures whose source was silent when the month ended."""
    lost = np.zeros(len(layout.months))
    for silent in trouble.silent:
        for at, month in enumerate(layout.months):
            if month_end(month) >= silent.since:
                lost[at] += silent.share
    return layout.spread(lost)


def _sizes(
    evidence: Evidence,
    layout: Layout,
    ages: NDArray[np.int64],
    known_at: date,
    policy: EstimatePolicy,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Past revisions of the number expected (extensions and arrivals that become known late)."""
    found = past_revisions(
        evidence.vintages, EXPECTED, [int(a) for a in ages], known_at, policy.settled_days
    )
    value = np.array([np.exp(r.mean) if r.known else 1.0 for r in found])
    drawn = np.stack([r.draws(rng, draws) for r in found]) if found else np.ones((0, draws))
    strata = len(layout.strata)
    return np.tile(value, strata)[:, None], np.tile(drawn, (strata, 1))


def _unlike(trend: Trend, draws: int, rng: np.random.Generator) -> Array:
    """Between no difference and somewhat more than the trend's; ones where none is clear."""
    return np.asarray(trend.odds_ratio() ** rng.uniform(-0.1, 1.3, (1, draws)))


def _late_ratio(
    tardy: Timed, timely: Timed, odds: Array, draws: int, rng: np.random.Generator
) -> tuple[float, Array]:
    """Sensitivity in time over sensitivity late: late leavers' links may be missed more often.

    Where nothing tells of either, up to DEPENDENCE times as often, were all that is unseen
    (``odds``) missed by linking.
    """
    untold = [t.sensitivity.value <= 0.05 or not t.sensitivity.lower for t in (tardy, timely)]
    if any(untold):
        return 1.0, 1 + (DEPENDENCE - 1) * odds * rng.random((1, draws))
    value = timely.sensitivity.value / tardy.sensitivity.value
    error = (tardy.sensitivity.upper - tardy.sensitivity.lower) / (2 * Z95)
    drawn = np.clip(tardy.sensitivity.value + error * rng.standard_normal((1, draws)), 0.05, 1.0)
    return value, np.asarray(timely.sensitivity.value / drawn)


def _false(timed: Timed, draws: int, rng: np.random.Generator) -> Array:
    drawn = timed.false_each + timed.false_error * rng.standard_normal((1, draws))
    return np.asarray(np.maximum(drawn, 0.0))


def _apart(
    layout: Layout, timely: Array, tardy: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """False links by stratum, in time and late. Whether one looks late hangs on how long stays of
    its class may be; the counts say it of all classes together. So each class's share is drawn,
    by whatever mode its stays came, and all shares together are as they were counted.
    """
    whole = timely + tardy
    late = np.clip(tardy / np.maximum(whole, 1e-12), 0.02, 0.98)
    strata, count = len(layout.strata), len(layout.months)
    open_ = np.bincount(
        layout.rows["at"].to_numpy() // count, weights=layout.rows[OPEN.value].to_numpy(),
        minlength=strata,
    )  # fmt: skip
    weight = np.maximum(open_, 0.0)[:, None] / max(float(np.maximum(open_, 0.0).sum()), 1.0)
    names, of_class = np.unique([s.partition("/")[2] for s in layout.strata], return_inverse=True)
    drawn = rng.beta(APART * late, APART * (1 - late), (len(names), timely.shape[1]))[of_class]
    drawn = np.clip(drawn - (weight * drawn).sum(axis=0) + late, 0.0, 1.0)
    return np.repeat(whole * (1 - drawn), count, axis=0), np.repeat(whole * drawn, count, axis=0)


def _concerns(
    evidence: Evidence,
    layout: Layout,
    exits: Exits,
    trend: Trend,
    trouble: Trouble,
    grown: Development,
    untimed: NDArray[np.bool_],
    ages: NDArray[np.int64],
    timed: dict[str, Timed],
) -> tuple[Concern, ...]:
    """In order of weight: the first that touches a cell is told."""
    count = len(layout.months)
    everywhere = np.ones(layout.size)

    def by_stratum(flags: NDArray[np.bool_]) -> Array:
        return np.repeat(flags.astype(np.float64), count)

    def by_month(flags: NDArray[np.bool_]) -> Array:
        return layout.spread(flags.astype(np.float64))

    lost = _missing(layout, trouble)
    found = [
        Concern("linking_unjudged", True, everywhere * (not evidence.judged)),
        Concern("no_reentries", True, by_stratum(exits.blind)),
        Concern("source_silent", True, (lost >= SILENT_SHARE).astype(np.float64)),
        Concern("source_silent", False, (lost > 0).astype(np.float64)),
        Concern("no_delays", True, by_month(untimed)),
    ]
    if trouble.jumped:
        young = by_month(ages < JUMPED_DAYS)
        found += [
            Concern("clock_jumped", trouble.jumped_share >= SILENT_SHARE, young),
            Concern("clock_jumped", False, everywhere),
        ]
    if not timed:
        found.append(Concern("linking_unjudged", False, everywhere))
    if trend.clear:
        found.append(Concern("returning_unlike", False, everywhere))
    found += [
        Concern("few_reentries", False, by_stratum(exits.borrowed)),
        Concern("short_history", False, by_month(grown.unknown)),
    ]
    if trouble.changed:
        found.append(Concern("delays_changed", False, by_month(ages < YOUNG_DAYS)))
    if exits.drift.clear:
        found.append(Concern("coverage_drifts", False, everywhere))
    found.append(Concern("months_scatter", False, by_stratum(exits.scatter > 0)))
    return tuple(c for c in found if c.at.any())
