"""What a count stands for, by stratum and month: all that is known of errors, put together.

In: ``Evidence``, ``Layout``, the day, policy, randomness. Out: ``Model``: factors as values, as
draws for the truth, as draws for the final vintage, and ``Concern``s: where a number cannot be
made, or only a wide one. Each error has its own module: exits not seen (``exits``, ``unlike``),
links missed and false (``mislinked``), reports to come and who will yet leave late (``coming``,
``leaving_late``), revisions of what was expected (``revisions``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.arrived import came_in, ended_before, told_by_now
from sojourn.measure.coming import (
    MONTH_DAYS,
    YOUNG_DAYS,
    Growth,
    Heard,
    ToCome,
    hear,
    late_share,
    owed,
    reports_to_come,
)
from sojourn.measure.corrected import Timed, timed_errors
from sojourn.measure.evidence import EXPECTED, Evidence, Layout
from sojourn.measure.exits import Exits, seen_exits, spread_shares
from sojourn.measure.leaving_late import MoreLate, late_to_come
from sojourn.measure.lengths import by_length
from sojourn.measure.mislinked import Links, mislinked
from sojourn.measure.remaining import Factors
from sojourn.measure.revisions import past_revisions
from sojourn.measure.taken_over import SILENT_SHARE
from sojourn.measure.unlike import FURTHER, Trend, return_trend
from sojourn.policy import EstimatePolicy

Array = NDArray[np.float64]

JUMPED_DAYS = 60  # after a jump, months younger than this cannot be completed
# Of false links that close a stay, those before its traveller's next arrival: 0.65 in 40 countries
# of sojourn.simulate.small, each of 100,000 stays and more.
BEFORE_NEXT = 0.65
ALL_BUT_FEW = 0.99  # of departures: once so many are in, re-entries tell how many never will be
SLACK = 2.0  # ... and twice as long, for delays that grow are seen late
MOST_ASIDE = 1.25
LONGER = 0.1  # of the way to those who never return, for whoever returns in the year to come


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
class Sizes:
    """The number expected as it will be said, for each that is expected now, by at."""

    value: Array
    draws: Array


@dataclass(frozen=True)
class Model:
    value: Factors
    truth: Factors
    later: Factors
    more_late: MoreLate
    exits: Exits
    trend: Trend
    dispersion: float  # of reports to come
    concerns: tuple[Concern, ...]


def build_model(
    evidence: Evidence, layout: Layout, known_at: date, policy: EstimatePolicy,
    rng: np.random.Generator,
) -> Model:  # fmt: skip
    """Every factor of every stratum and month."""
    draws, trend = policy.draws, return_trend(evidence.linkage)
    timed = timed_errors(evidence.linkage)
    heard = hear(evidence.reporting, known_at, policy.retired_sources)
    exits = _exits(evidence, layout, known_at, heard, timed, policy)
    come = reports_to_come(evidence, layout, known_at, heard, draws, rng)
    size = _sizes(evidence, layout, known_at, policy, rng)
    odds = _odds(evidence, layout, exits, trend, policy, rng)
    links = mislinked(timed, layout, odds.value, draws, rng)
    value = _factors(come.value, links.value, odds.value, size.value)
    truth = _factors(come.truth, links.truth, odds.truth, size.draws)
    later = _factors(come.later, links.later, odds.later, size.draws)
    share = late_share(evidence, layout, known_at, draws, rng)
    more_late = late_to_come(layout, share, later.odds_late, rng)
    concerns = _concerns(evidence, layout, known_at, exits, trend, heard, come, bool(timed))
    return Model(value, truth, later, more_late, exits, trend, come.dispersion, concerns)


def _factors(grow: Growth, links: Links, odds: Array, size: Array) -> Factors:
    return Factors(
        grow.in_time, grow.late, grow.changed, links.false_in, links.false_late, odds,
        (1 + odds) * links.ratio - 1, size,
    )  # fmt: skip


def _exits(
    evidence: Evidence, layout: Layout, known_at: date, heard: Heard,
    timed: Mapping[str, Timed], policy: EstimatePolicy,
) -> Exits:  # fmt: skip
    falsely = BEFORE_NEXT * min(sum(t.false_each for t in timed.values()), 0.5)
    telling = _telling(evidence.linkage, layout, heard, known_at)
    found = seen_exits(telling, layout.strata, policy.least_reentries, falsely, evidence.linkage)
    return by_length(found, telling)


def _telling(linkage: pl.DataFrame, layout: Layout, heard: Heard, known_at: date) -> pl.DataFrame:
    """LINKAGE_QUALITY with those re-entries alone whose departures are in, if they ever will be."""
    trouble, told = heard.trouble, heard.told
    since = [s.since for s in trouble.silent if s.share >= SILENT_SHARE]
    if since:
        linkage = ended_before(linkage, layout, min(since))
    days = 0
    if told is not None:
        days = round(told.days_until(ALL_BUT_FEW) * max(trouble.slower, SLACK))
    if heard.watched < MONTH_DAYS:
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


def _sizes(
    evidence: Evidence, layout: Layout, known_at: date, policy: EstimatePolicy,
    rng: np.random.Generator,
) -> Sizes:  # fmt: skip
    """Past revisions of the number expected (extensions and arrivals that become known late)."""
    ages, draws = [int(a) for a in layout.ages(known_at)], policy.draws
    found = past_revisions(evidence.vintages, EXPECTED, ages, known_at, policy.settled_days)
    value = np.array([np.exp(r.mean) if r.known else 1.0 for r in found])
    drawn = np.stack([r.draws(rng, draws) for r in found]) if found else np.ones((0, draws))
    strata = len(layout.strata)
    return Sizes(np.tile(value, strata)[:, None], np.tile(drawn, (strata, 1)))


def _unlike(trend: Trend, draws: int, rng: np.random.Generator) -> Array:
    """Between no difference and as much more than the trend's as that may be too flat; ones where
    none is clear.
    """
    return trend.further(rng.uniform(-0.1, FURTHER, (1, draws)))


def _concerns(
    evidence: Evidence, layout: Layout, known_at: date, exits: Exits, trend: Trend, heard: Heard,
    come: ToCome, tried: bool,
) -> tuple[Concern, ...]:  # fmt: skip
    """In order of weight: the first that touches a cell is told."""
    count, ages, trouble = len(layout.months), layout.ages(known_at), heard.trouble
    everywhere = np.ones(layout.size)

    def by_stratum(flags: NDArray[np.bool_]) -> Array:
        return np.repeat(flags.astype(np.float64), count)

    def by_month(flags: NDArray[np.bool_]) -> Array:
        return layout.spread(flags.astype(np.float64))

    lost = owed(layout, trouble)
    found = [
        Concern("linking_unjudged", True, everywhere * (not evidence.judged)),
        Concern("no_reentries", True, by_stratum(exits.blind)),
        Concern("source_silent", True, (lost >= SILENT_SHARE).astype(np.float64)),
        Concern("source_silent", False, (lost > 0).astype(np.float64)),
        Concern("no_delays", True, by_month(come.untimed)),
    ]
    if trouble.jumped:
        young = by_month(ages < JUMPED_DAYS)
        found += [
            Concern("clock_jumped", trouble.jumped_share >= SILENT_SHARE, young),
            Concern("clock_jumped", False, everywhere),
        ]
    if not tried:
        found.append(Concern("linking_unjudged", False, everywhere))
    if trend.clear:
        found.append(Concern("returning_unlike", False, everywhere))
    found += [
        Concern("few_reentries", False, by_stratum(exits.borrowed)),
        Concern("short_history", False, by_month(come.unknown)),
    ]
    if trouble.changed:
        found.append(Concern("delays_changed", False, by_month(ages < YOUNG_DAYS)))
    if exits.drift.clear:
        found.append(Concern("coverage_drifts", False, everywhere))
    found.append(Concern("months_scatter", False, by_stratum(exits.scatter > 0)))
    return tuple(c for c in found if c.at.any())
