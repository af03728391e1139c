"""What lists of crossings say of years, by the crossing's own mode: rows of the estimates' table.

In: LISTS, the exits seen by stratum, the day, policy, randomness. Out: ESTIMATES rows of years.

- ``departures_by_mode``: bounds alone. ``value`` is what was seen by a mode. The mode of an unseen
  exit is not observed, so it lies between that and that with every unseen exit (``exits``). How
  many are unseen follows from re-entries, as everywhere; links that were lost are counted among
  them too, so the upper bound is too high rather than too low.
- ``bookings_never_flown``: of departures (``bookings``). Assumes that border and carrier miss
  booked travellers independently of each other.
- ``arrivals_by_lists``, ``departures_by_lists``: dual-system estimates (``dual``). The interval is
  for lists that err independently of each other, which counts cannot tell; the bounds are for
  lists that do not, within ODDS_LOW and ODDS_HIGH.

A number that rests on fewer than the smallest cell is not told; nor is any of a mode that is
hidden, for what it saw could be solved from value, interval and bounds. Departures by mode are
told for years of which every month may be told (``nowcast``), or a year less its months would
show one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.bookings import held_in, never_flown
from sojourn.measure.dual import dual_system
from sojourn.measure.estimate import Estimate
from sojourn.measure.evidence import IN_TIME, LATE, Layout
from sojourn.measure.exits import Exits, bound_exit_mode
from sojourn.measure.hiding import with_smallest
from sojourn.measure.spans import LENGTH, first_day
from sojourn.policy import EstimatePolicy
from sojourn.schemas import ESTIMATES
from sojourn.vocabulary import Direction, Quantity, Span, Standing

Array = NDArray[np.float64]

UPPER = 0.975
BLIND_SHARE = 0.2  # of exits seen: with more in modes nobody returned by, unseen ones are unknown
_CELLS = ((True, True), (True, False), (False, True))  # in the border's list, in the carrier's
_BY_LISTS = {
    Direction.ARRIVAL: Quantity.ARRIVALS_BY_LISTS, Direction.DEPARTURE: Quantity.DEPARTURES_BY_LISTS
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Exits seen and linked, by stratum (arrival mode and class), and what is known of the rest."""

    exits: Exits
    number: Array


@dataclass(frozen=True)
class _Told:
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    bounds: Estimate | None = None
    standing: Standing = Standing.MADE
    why: str = ""


_SMALL = _Told(standing=Standing.CANNOT, why="small")


@dataclass(frozen=True)
class _Year:
    """LISTS of one year and direction."""

    first: date
    direction: Direction
    lists: pl.DataFrame
    running: bool
    seen: dict[str, int] = field(default_factory=dict)  # by mode, by border or carrier


def seen_by_stratum(layout: Layout, exits: Exits) -> Seen:
    """Stays with a linked departure, by stratum."""
    place = layout.rows["at"].to_numpy() // len(layout.months)
    left = (layout.rows[IN_TIME.value] + layout.rows[LATE.value]).to_numpy()
    number = np.bincount(place, weights=left, minlength=len(layout.strata))
    return Seen(exits, np.maximum(number, 0.0))


def crossed(
    lists: pl.DataFrame, seen: Seen | None, known_at: date, policy: EstimatePolicy,
    rng: np.random.Generator, smallest: int, *, judged: bool = True,
) -> pl.DataFrame:  # fmt: skip
    """ESTIMATES rows of every year that LISTS hold, up to ``known_at``. ``judged``: whether anybody
    looked how sure linking is, re-entries among it.
    """
    unseen = _unseen_each(seen, policy.draws, rng)
    if not judged:
        unseen = _Told(standing=Standing.CANNOT, why="linking_unjudged")
    rows: list[dict[str, object]] = []
    for year in _years(lists, known_at, policy.year_begins):
        hidden = _hidden_modes(year, smallest)
        for mode in sorted(year.lists["mode"].unique()):
            told = {}
            if mode in year.seen:
                told[_BY_LISTS[year.direction]] = (
                    _SMALL if mode in hidden else _by_lists(year, mode, smallest)
                )
            if year.direction == Direction.DEPARTURE:
                told[Quantity.BOOKINGS_NEVER_FLOWN] = (
                    _SMALL if mode in hidden else _never_flown(year, mode, smallest)
                )
                if mode in year.seen:
                    told[Quantity.DEPARTURES_BY_MODE] = _by_mode(year, mode, unseen, mode in hidden)
            rows += [_row(year, mode, q, t, known_at) for q, t in told.items()]
    return ESTIMATES.conform(pl.DataFrame(rows)) if rows else ESTIMATES.empty()


def _years(lists: pl.DataFrame, known_at: date, begins: int) -> Iterator[_Year]:
    begun = lists.filter(pl.col("period") <= known_at).with_columns(
        year=first_day(pl.col("period"), Span.YEAR, begins)
    )
    for (year, direction), part in sorted(
        begun.with_columns(pl.col("direction").cast(pl.String))
        .partition_by("year", "direction", as_dict=True).items()
    ):  # fmt: skip
        if not isinstance(year, date):
            continue
        after = pl.select(pl.lit(year).dt.offset_by(LENGTH[Span.YEAR])).item()
        crossings = part.filter(pl.col("in_border") | pl.col("in_carrier"))
        by_mode = crossings.group_by("mode").agg(pl.col("value").sum()).sort("mode")
        yield _Year(
            year, Direction(direction), part.drop("year"), after > known_at, dict(by_mode.rows())
        )


def _hidden_modes(year: _Year, smallest: int) -> set[str]:
    """Modes of which a month is small, or is hidden beside the one that is."""
    crossings = year.lists.filter(pl.col("in_border") | pl.col("in_carrier"))
    monthly = crossings.group_by("period", "mode").agg(pl.col("value").sum())
    out: set[str] = set()
    for part in monthly.sort("period", "mode").partition_by("period", maintain_order=True):
        out |= with_smallest(dict(part.select("mode", "value").rows()), smallest)
    return out | with_smallest(year.seen, smallest)


def _unseen_each(seen: Seen | None, draws: int, rng: np.random.Generator) -> _Told:
    """For each exit that is seen, so many are not, in all modes together; ``upper`` counts."""
    nobody = _Told(standing=Standing.CANNOT, why="no_reentries")
    if seen is None or not seen.number.sum():
        return nobody
    weight = seen.number / seen.number.sum()
    if weight[seen.exits.blind].sum() > BLIND_SHARE:
        return nobody
    value = float(weight @ seen.exits.odds)
    drawn = weight @ (1.0 / seen.exits.share_draws(rng, draws) - 1.0)
    upper = max(value, float(np.quantile(drawn, UPPER)))
    few = bool(weight[seen.exits.borrowed].sum() > BLIND_SHARE)
    if few:
        return _Told(value, upper=upper, standing=Standing.WIDENED, why="few_reentries")
    return _Told(value, upper=upper)


def _by_mode(year: _Year, mode: str, unseen: _Told, hidden: bool) -> _Told:
    if hidden:
        return _SMALL
    seen = float(year.seen[mode])
    if unseen.upper is None:
        return _Told(standing=unseen.standing, why=unseen.why)
    bounds = bound_exit_mode(seen, unseen.upper * sum(year.seen.values()))
    return _Told(seen, bounds=bounds, standing=unseen.standing, why=unseen.why)


def _never_flown(year: _Year, mode: str, smallest: int) -> _Told:
    held = held_in(year.lists, Direction.DEPARTURE, mode)
    booked = held.of(booked=True)
    if not booked:
        why = "no_bookings"
        return _Told(standing=Standing.CANNOT, why=why)
    alone = held.of(border=False, carrier=False, booked=True)
    parts = [held.of(border=b, carrier=c, booked=True) for b, c in _CELLS]
    # What no booking is in, and what neither list saw, say nothing of a few by being nothing.
    if any(0 < n < smallest for n in (*parts, alone)):
        return _SMALL
    found = never_flown(held)
    if found is None:
        why = "one_list" if _one_alone(*parts) else "few_in_both"
        return _Told(standing=Standing.CANNOT, why=why)
    number = found.never_flown
    return _Told(number.value, number.lower, number.upper)


def _by_lists(year: _Year, mode: str, smallest: int) -> _Told:
    held = held_in(year.lists, year.direction, mode)
    both, first, second = (held.of(border=b, carrier=c) for b, c in _CELLS)
    if any(0 < n < smallest for n in (both, first, second)):
        return _SMALL
    found = dual_system(both, first, second)
    if found.independent is None:
        why = "one_list" if _one_alone(both, first, second) else "few_in_both"
        return _Told(standing=Standing.CANNOT, why=why)
    point = found.independent
    return _Told(point.value, point.lower, point.upper, found.bounds)


def _one_alone(both: int, first_only: int, second_only: int) -> bool:
    """Whether one list holds nobody; else next to nobody is in both."""
    return not both and not (first_only and second_only)


def _row(
    year: _Year, mode: str, quantity: Quantity, told: _Told, known_at: date
) -> dict[str, object]:
    why = told.why or ("to_date" if year.running else "")
    ends = (None, None) if told.bounds is None else (told.bounds.lower, told.bounds.upper)
    return {
        "span": Span.YEAR.value, "period": year.first, "nationality": "", "mode": mode,
        "admission_class": "", "quantity": quantity.value, "value": told.value,
        "lower": told.lower, "upper": told.upper, "later_lower": None, "later_upper": None,
        "bound_lower": ends[0], "bound_upper": ends[1], "standing": told.standing.value,
        "why": why, "known_at": known_at,
    }  # fmt: skip
