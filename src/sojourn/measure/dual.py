"""How many crossed, where two lists might each have held them: dual-system estimates and bounds.

In: LISTS, or counts of a two-by-two table. Out: ``Dual``. The border's list (evidence crossed) and
the carriers' (boarded) are set beside each other; how many neither holds follows where each misses
whom it misses regardless of the other (Lincoln 1930; Chapman 1951; variance: Seber 1982).

Where independence cannot be known, and it cannot where one feed fills both lists, there is no
point but a range: the odds ratio of being in both is taken to lie within given ends. Ratio 1 is
independence; above it lists hold the same people, and the estimate at 1 is too low. Assumes a
closed population, links without error (``correct_ended`` is for these) and no false entries
(``bookings`` trims them).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from sojourn.measure.estimate import Estimate, around
from sojourn.vocabulary import Direction

LEAST_BOTH = 7  # under it the estimate is not to be trusted (Robson & Regier 1964)
ODDS_LOW, ODDS_HIGH = 0.5, 3.0


@dataclass(frozen=True)
class Dual:
    """``independent``: None where too few are in both lists. ``bounds``: of any ratio allowed."""

    both: int
    first_only: int
    second_only: int
    independent: Estimate | None
    bounds: Estimate


def dual_system(
    both: int, first_only: int, second_only: int, *,
    odds_low: float = ODDS_LOW, odds_high: float = ODDS_HIGH,
) -> Dual:  # fmt: skip
    """Chapman's estimate with its 95% interval, and the range over odds ratios."""
    seen = both + first_only + second_only
    ends = [ratio * first_only * second_only for ratio in (odds_low, odds_high)]
    if not both:
        upper = float("inf") if first_only and second_only else float(seen)
        return Dual(both, first_only, second_only, None, Estimate(float(seen), float(seen), upper))
    first, second = both + first_only, both + second_only
    value = (first + 1) * (second + 1) / (both + 1) - 1
    variance = float((first + 1) * (second + 1) * first_only * second_only)
    variance /= (both + 1) ** 2 * (both + 2)
    point = around(value, variance, least=float(seen))
    slack = (point.upper - point.value) / max(value - seen, 1e-9)
    low, high = (seen + e / both for e in ends)
    wide = Estimate(
        value, max(float(seen), low - slack * (low - seen)), high + slack * (high - seen)
    )
    return Dual(both, first_only, second_only, point if both >= LEAST_BOTH else None, wide)


def missed_share(found: Dual) -> Estimate | None:
    """Share of crossings that neither list holds; None where it cannot be told."""
    if found.independent is None:
        return None
    seen = found.both + found.first_only + found.second_only
    e = found.independent
    ends = (1 - seen / n if n > 0 else 0.0 for n in (e.value, e.lower, e.upper))
    return Estimate(*(max(0.0, share) for share in ends))


def from_lists(
    lists: pl.DataFrame, direction: Direction, mode: str, since: date, until: date
) -> Dual:
    """The border's list and the carriers' of months ``since`` to before ``until``."""
    held = lists.filter(
        (pl.col("direction") == direction.value) & (pl.col("mode") == mode)
        & (pl.col("period") >= since) & (pl.col("period") < until)
    )  # fmt: skip

    def number(*, border: bool, carrier: bool) -> int:
        of = held.filter((pl.col("in_border") == border) & (pl.col("in_carrier") == carrier))
        return int(of["value"].sum() or 0)

    return dual_system(
        number(border=True, carrier=True), number(border=True, carrier=False),
        number(border=False, carrier=True),
    )  # fmt: skip
