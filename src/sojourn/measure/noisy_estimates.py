"""Overstays for the public: estimates from what was released, each with an interval.

In: ``Released`` (noisy counts and noisy re-entries, nothing else), the day, policy, randomness.
Out: a frame of cells and quantities, by month and year: in total, by mode, by class, by
nationality. The same input and generator give the same frame.

With E stays whose permission ended, T left in time, L left late, C of another status, and o unseen
exits for each that is seen, by stratum (arrival mode and class):

    left unrecorded     o (T + L)
    probably still here E - C - (T + L)(1 + o)
    overstay rate       (E - C - T (1 + o)) / E

all completed for late records. Intervals hold the noise of every number, what re-entries leave
unsure of o, growth still to come, and chance: which stays of these were the unseen. Nothing is
clamped before it is told; ends near nought follow ``bounded``. Where noise would make the interval
of the rate wider than MOST_WIDE, whatever the value, the cell has no number and says ``too_noisy``.

Not in the interval: travellers who never return and leave unseen more often than others. Of false
links nothing is released. They close stays, so that some of the unseen look seen: FALSE_LINKS
widens *left unrecorded* for that. In the rate it cancels: such a stay is not counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.bounded import ENDS, interval_from_nought
from sojourn.measure.estimate import Z95
from sojourn.measure.noisy import (
    CHANGED,
    ENDED,
    EVENTS,
    IN_TIME,
    LATE,
    Released,
    Sums,
    sums_of,
    sums_of_each,
)
from sojourn.measure.noisy_exits import NoisyOdds, noisy_odds
from sojourn.measure.noisy_growth import Growth, growth_of
from sojourn.policy import EstimatePolicy
from sojourn.vocabulary import Quantity, Span

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_WIDE = 0.10  # of a rate's interval: wider ones say nothing
LEAST_CLEAR = 4.0  # standard deviations: a cell's expected departures must stand out of the noise
FATAL = 0.2  # of a cell's stays without re-entries: then it has no estimate
FALSE_LINKS = 0.015  # of the unseen, by trial on countries with a few false links in a thousand
REENTRY_MONTHS = 24  # re-entries so far back tell of today's coverage
MADE, TOO_NOISY, NO_REENTRIES, TOO_YOUNG, LOST = (
    "", "too_noisy", "no_reentries", "too_young", "lost",
)  # fmt: skip
SCHEMA = pl.Schema(
    {"span": pl.String, "period": pl.Date, "nationality": pl.String, "mode": pl.String,
     "admission_class": pl.String, "quantity": pl.String, "value": pl.Float64,
     "lower": pl.Float64, "upper": pl.Float64, "why": pl.String}
)  # fmt: skip
TOLD = (
    Quantity.EXPECTED_DEPARTURES, Quantity.DEPARTED_IN_TIME, Quantity.DEPARTED_LATE,
    Quantity.STATUS_CHANGED, Quantity.NO_DEPARTURE_RECORDED, Quantity.LEFT_UNRECORDED,
    Quantity.PROBABLY_STILL_HERE, Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE,
)  # fmt: skip
_COUNTS = {
    Quantity.EXPECTED_DEPARTURES: ENDED, Quantity.DEPARTED_IN_TIME: IN_TIME,
    Quantity.DEPARTED_LATE: LATE, Quantity.STATUS_CHANGED: CHANGED,
}  # fmt: skip
Range = tuple[float, float, float]  # value, lower, upper


@dataclass(frozen=True)
class _Cell:
    """Some strata over some months; ``groups``: by age, the sums of the months of that age."""

    span: Span
    period: date
    names: tuple[str, str, str]
    months: int
    groups: tuple[tuple[int, Sums], ...]
    chosen: Flags  # strata


def estimate_released(
    released: Released, wanted: Sequence[date], policy: EstimatePolicy, rng: np.random.Generator
) -> pl.DataFrame:
    """SCHEMA: months among ``wanted``, and the years they lie in, as far as those are told.

    ``why``: empty where a number could be made; then the reason.
    """
    growth = growth_of(released.steps)
    odds = _odds(released, policy.least_reentries)
    grown = growth.draws(rng, policy.draws)
    rows = []
    for span, period, months in _periods(released, growth, wanted):
        if reason := _reason(released, growth, months):
            rows += [(span.value, period, "", "", "", q.value, None, None, None, reason)
                     for q in TOLD]  # fmt: skip
            continue
        for cell in _cells(released, span, period, months):
            told, why = _tell(cell, released, odds, growth, grown, policy.draws, rng)
            rows += [
                (span.value, period, *cell.names, q.value, *told.get(q, (None,) * 3),
                 "" if q in told else why)
                for q in TOLD
            ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(pl.col("value", "lower", "upper").round(6))


def months_told(released: Released) -> frozenset[date]:
    """Months of which numbers can be told, if only of some cells: those that a year is made of."""
    growth = growth_of(released.steps)
    return frozenset(
        month for n, month in enumerate(released.months) if not _reason(released, growth, [n])
    )


def _odds(released: Released, least: int) -> NoisyOdds:
    """Of all months together; strata that stand out of the noise say which re-entries to take."""
    every = [m for m in range(len(released.months)) if not _lost(released, m)]
    ones = np.ones((len(every), len(EVENTS)))
    sums = sums_of(released, every, ones)
    mode = np.array([released.modes.index(m) for m, _ in released.strata], np.int64)
    one = np.zeros(len(mode), bool)
    one[:1] = True
    noise = np.sqrt(max(sums.variance(ENDED, one), 1e-9)) if every else np.inf
    held = sums.value[ENDED] > LEAST_CLEAR * noise
    leavers = sums.value[IN_TIME] + sums.value[LATE]
    from_ = max(len(released.reentries.months) - REENTRY_MONTHS, 0)
    of = released.reentries
    recent = type(of)(of.months[from_:], of.seen[from_:], of.not_seen[from_:], of.variance[from_:])
    return noisy_odds(recent, mode, leavers, held, least, float(len(every)))


def _lost(released: Released, month: int) -> bool:
    return not bool(np.isfinite(released.cell_variance[month]).all())


def _reason(released: Released, growth: Growth, months: Sequence[int]) -> str:
    if not released.reentries.months:
        return NO_REENTRIES
    if any(_lost(released, m) for m in months):
        return LOST
    return "" if all(growth.is_known(int(released.age[m])) for m in months) else TOO_YOUNG


def _periods(
    released: Released, growth: Growth, wanted: Sequence[date]
) -> Iterator[tuple[Span, date, list[int]]]:
    """Months; and years, of the months without a gap that can be told, from the first on."""
    at = {month: n for n, month in enumerate(released.months)}
    for month in sorted(m for m in set(wanted) if m in at):
        yield Span.MONTH, month, [at[month]]
    for year in sorted({m.year for m in wanted}):
        run: list[int] = []
        for month in (date(year, n, 1) for n in range(1, 13)):
            told = month in at and not _reason(released, growth, [at[month]])
            if told:
                run.append(at[month])
            elif run:
                break
        if run:
            yield Span.YEAR, date(year, 1, 1), run


def _cells(
    released: Released, span: Span, period: date, months: Sequence[int]
) -> Iterator[_Cell]:  # fmt: skip
    ages = sorted({int(released.age[m]) for m in months})
    of = {age: [m for m in months if int(released.age[m]) == age] for age in ages}
    ones = {age: np.ones((len(of[age]), len(EVENTS))) for age in ages}
    whole = tuple((age, sums_of(released, of[age], ones[age])) for age in ages)
    every = np.ones(len(released.strata), bool)
    yield _Cell(span, period, ("", "", ""), len(months), whole, every)
    for dimension in (0, 1):
        for name in dict.fromkeys(s[dimension] for s in released.strata):
            chosen = np.array([s[dimension] == name for s in released.strata])
            names = ("", name, "") if dimension == 0 else ("", "", name)
            yield _Cell(span, period, names, len(months), whole, chosen)
    if released.nationalities == ("",):
        return
    each = {age: sums_of_each(released, of[age], ones[age]) for age in ages}
    for place, nationality in enumerate(released.nationalities):
        mine = tuple((age, each[age][place]) for age in ages)
        yield _Cell(span, period, (nationality, "", ""), len(months), mine, every)


def _tell(
    cell: _Cell, released: Released, odds: NoisyOdds, growth: Growth, grown: Array, draws: int,
    rng: np.random.Generator,
) -> tuple[dict[Quantity, Range], str]:  # fmt: skip
    """What can be told of a cell, and why the rest cannot."""
    value, sd = _plain(cell, growth)
    told = {q: (value[e], *_reach(value[e], sd[e])) for q, e in _COUNTS.items()}
    open_ = value[ENDED] - value[IN_TIME] - value[LATE] - value[CHANGED]
    every = float(np.sqrt(sum(s**2 for s in sd)))
    told[Quantity.NO_DEPARTURE_RECORDED] = (open_, *_reach(open_, every))
    size = value[ENDED]
    if size <= LEAST_CLEAR * sd[ENDED] or size < 1:
        return told, TOO_NOISY
    naive = (size - value[IN_TIME] - value[CHANGED]) / size
    spread = float(np.hypot(np.hypot(sd[ENDED] * (1 - naive), sd[IN_TIME]), sd[CHANGED])) / size
    if 2 * Z95 * spread > MOST_WIDE:
        return told, TOO_NOISY
    told[Quantity.RECORDED_RATE] = (
        min(max(naive, 0.0), 1.0), max(min(naive, 1.0) - Z95 * spread, 0.0),
        min(max(naive, 0.0) + Z95 * spread, 1.0),
    )  # fmt: skip
    chosen = cell.chosen
    in_time = _by_stratum(cell, growth, IN_TIME)[chosen]
    late = _by_stratum(cell, growth, LATE)[chosen]
    weight = np.maximum(in_time, 0.0)
    if weight.sum() <= 0 or weight[odds.blind[chosen]].sum() > FATAL * weight.sum():
        return told, NO_REENTRIES
    drawn = _drawn(cell, grown, rng, draws)
    shares = odds.draws(rng, draws, cell.months)[chosen]
    unseen = odds.value[chosen]
    chance = _chance(cell, odds, in_time, late, unseen, released)
    lucky = rng.standard_normal((2, draws)) * np.sqrt(chance)[:, None]
    unseen_in, unseen_late = float(unseen @ in_time), float(unseen @ late)
    hidden = FALSE_LINKS * (unseen_in + unseen_late) * rng.standard_normal(draws)
    unseen_draws = (shares * (drawn[IN_TIME] + drawn[LATE])).sum(axis=0) + lucky.sum(axis=0)
    over = value[ENDED] - value[CHANGED] - value[IN_TIME] - unseen_in
    ended, changed = (drawn[e].sum(axis=0) for e in (ENDED, CHANGED))
    over_draws = (
        ended - changed - drawn[IN_TIME].sum(axis=0) - (shares * drawn[IN_TIME]).sum(axis=0)
        - lucky[0]
    )  # fmt: skip
    left_late = (drawn[LATE] * (1 + shares)).sum(axis=0) + lucky[1]
    here, here_draws = over - value[LATE] - unseen_late, over_draws - left_late
    rate = over_draws / np.maximum(ended, 1.0)
    if 2 * Z95 * float(rate.std()) > MOST_WIDE:
        return told, TOO_NOISY
    told[Quantity.PROBABLY_STILL_HERE] = _from_nought(here, here_draws)
    # Nobody is still here less than nought times: what is missing is taken from the unseen.
    left = _from_nought(unseen_in + unseen_late, unseen_draws + hidden)
    less = max(left[0] + min(here, 0.0), 0.0)
    told[Quantity.LEFT_UNRECORDED] = (less, min(left[1], less), max(left[2], less))
    found, low, high = _from_nought(over / size, rate)
    told[Quantity.OVERSTAY_RATE] = (min(found, 1.0), min(low, 1.0), min(high, 1.0))
    return told, MADE


def _plain(cell: _Cell, growth: Growth) -> tuple[list[float], list[float]]:
    """By event: the sum over the cell, completed, and its error."""
    value, sd = [], []
    for event in range(len(EVENTS)):
        total, variance = 0.0, 0.0
        for age, sums in cell.groups:
            factor = float(growth.factor(age)[event])
            mine = float(sums.value[event][cell.chosen].sum()) * factor
            total += mine
            variance += sums.variance(event, cell.chosen) * factor**2
            variance += (mine * _log_error(growth, age, event)) ** 2
        value.append(total)
        sd.append(float(np.sqrt(variance)))
    return value, sd


def _log_error(growth: Growth, age: int, event: int) -> float:
    steps = growth.error[age:, event] / (1.0 + growth.step[age:, event])
    return float(np.sqrt((steps**2).sum()))


def _reach(value: float, sd: float) -> tuple[float, float]:
    return value - Z95 * sd, value + Z95 * sd


def _by_stratum(cell: _Cell, growth: Growth, event: int) -> Array:
    parts = [sums.value[event] * growth.factor(age)[event] for age, sums in cell.groups]
    return np.asarray(sum(parts, np.zeros_like(parts[0])))


def _drawn(cell: _Cell, grown: Array, rng: np.random.Generator, draws: int) -> list[Array]:
    """By event: the cell's strata x draws."""
    out = []
    for event in range(len(EVENTS)):
        parts = [
            sums.draws(event, rng, draws)[cell.chosen] * grown[age, event]
            for age, sums in cell.groups
        ]
        out.append(np.asarray(sum(parts, np.zeros_like(parts[0]))))
    return out


def _chance(
    cell: _Cell, odds: NoisyOdds, in_time: Array, late: Array, unseen: Array, released: Released
) -> Array:
    """Variances of unseen exits in time and late, given the odds (negative binomial), less what
    those who returned tell: of a cell that holds a part of all, a part is known.
    """
    part = min(cell.months / max(len(released.reentries.months), 1), 1.0)
    left = (1.0 - odds.returned[cell.chosen] * part) * unseen * (1 + unseen)
    return np.array([max(float((left * n).sum()), 0.0) for n in (in_time, late)])


def _from_nought(value: float, draws: Array) -> Range:
    """Cut at nought when it is told, and not before."""
    low, high = interval_from_nought(draws[None, :], np.array([value]))
    told = max(value, 0.0)
    return told, min(float(low[0]), told), max(float(high[0]), told)


__all__ = ["ENDS", "SCHEMA", "TOLD", "estimate_released", "months_told"]
