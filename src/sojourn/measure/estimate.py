"""Formulas with intervals, from counts alone: what linking missed, what it made up.

In: numbers. Out: ``Estimate``s. Intervals are 95% and of sampling alone: what an assumption could
be wrong by is said by bounds, apart. Nothing here knows a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.96


@dataclass(frozen=True)
class Estimate:
    """A number with the interval that holds it 19 times in 20, or the bounds of its model."""

    value: float
    lower: float
    upper: float

    @property
    def spread(self) -> float:
        """The standard error, by the upper end: the lower may be cut at nought."""
        return (self.upper - self.value) / Z95

    def scaled(self, factor: float) -> Estimate:
        return Estimate(self.value * factor, self.lower * factor, self.upper * factor)


def around(
    value: float, variance: float, *, least: float = 0.0, most: float = float("inf")
) -> Estimate:
    """A normal 95% interval, cut to what is possible."""
    reach = Z95 * sqrt(max(variance, 0.0))
    return Estimate(value, max(least, value - reach), min(most, value + reach))


def share_of(counted: float, asked: float) -> Estimate:
    """A share with Wilson's interval (Wilson 1927), which holds at none and at all; 0 to 1."""
    if asked <= 0:
        return Estimate(0.0, 0.0, 1.0)
    share, spread = counted / asked, Z95**2 / asked
    middle = (share + spread / 2) / (1 + spread)
    reach = Z95 * sqrt(share * (1 - share) / asked + spread / (4 * asked)) / (1 + spread)
    # Rounding must not put a share of none or of all outside.
    lower, upper = max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))
    return Estimate(share, lower, upper)


def pulled(counted: float, asked: float, whole: float, strength: float) -> float:
    """A cell's share, pulled towards the whole's as if ``strength`` more had been asked."""
    return (counted + strength * whole) / (asked + strength) if asked + strength else whole


def missed_by_both(both: float, first_only: float, second_only: float) -> Estimate:
    """How many neither of two sources found (Lincoln 1930, Petersen 1896; variance: Sekar and
    Deming 1949). Assumes that the sources err independently of each other.
    """
    if both <= 0:
        return Estimate(0.0, 0.0, float("inf"))
    missed = first_only * second_only / both
    first, second = both + first_only, both + second_only
    # Half a pair more on each side: an error that was never met is not thereby impossible.
    spread = (first_only + 0.5) * (second_only + 0.5)
    return around(missed, first * second * spread / both**3)


def partnerless(asked: float, linked: float, sensitivity: float, chance: float) -> float:
    """Of ``asked`` crossings, how many have no recorded partner; never less than none.

    Solves ``linked = sensitivity * (asked - n) + chance * n`` for n.
    """
    if sensitivity <= chance:
        return 0.0
    return max(0.0, (sensitivity * asked - linked) / (sensitivity - chance))


def with_odds(share: float, ratio: float) -> float:
    """The share whose odds are ``ratio`` times those of ``share``."""
    if share >= 1.0:
        return 1.0
    odds = share / (1 - share) * ratio
    return odds / (1 + odds)
