"""Parts that sum to their wholes: least squares over tables and calendar. Spends nothing.

In: noisy numbers with the variance of their noise, and which sum to which. Out: the numbers
nearest to them, weighted by certainty, of which parts do sum to wholes: the best linear unbiased
estimate (Hay, Rastogi, Miklau and Suciu 2010, for trees; here for days in months *and*
nationalities in totals at once). Any number found so has at most the variance of the one that
went in. Nothing is clamped: a negative part keeps its sum right.

Each family of sums is met exactly by sharing out what is missing by variance; meeting them in
turn converges to all at once (von Neumann 1949: the families are subspaces).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
TOLERANCE = 1e-6  # of a count
MOST_TURNS = 2_000
UNKNOWN_VARIANCE = 1e12  # of a number that was lost: it takes what its sums say


@dataclass(frozen=True)
class Family:
    """Sums that share no number among them: wholes, and the parts of each."""

    wholes: Places  # where each whole is
    parts: Places  # where the parts are, those of one whole together, in the order of wholes
    starts: Places  # where in ``parts`` each whole's begin

    @classmethod
    def of(cls, sums: Sequence[tuple[int, Sequence[int]]]) -> Family:
        """From (whole, its parts) pairs; those without parts are left out."""
        kept = [(whole, parts) for whole, parts in sums if len(parts)]
        sizes = np.array([len(parts) for _, parts in kept], np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        flat = [p for _, parts in kept for p in parts]
        return cls(np.array([w for w, _ in kept], np.int64), np.array(flat, np.int64), starts)

    @classmethod
    def joined(cls, families: Sequence[Family]) -> Family:
        """One family of several that share no number either."""
        before = np.cumsum([0, *(f.parts.size for f in families)])[:-1]
        return cls(
            np.concatenate([f.wholes for f in families]),
            np.concatenate([f.parts for f in families]),
            np.concatenate([f.starts + n for f, n in zip(families, before, strict=True)]),
        )

    @property
    def sizes(self) -> Places:
        ends = np.concatenate([self.starts[1:], [self.parts.size]])
        return (ends - self.starts).astype(np.int64)


def settle(values: Numbers, variances: Numbers, families: Sequence[Family]) -> Numbers:
    """Numbers that meet every family of sums, to within TOLERANCE.

    ``values``, ``variances``: numbers by rows; further axes are settled side by side.
    """
    out = values.astype(np.float64)
    used = [f for f in families if f.wholes.size]
    shares = [_shares(f, variances) for f in used]
    for _ in range(MOST_TURNS):
        missing = 0.0
        for family, (whole_share, part_share) in zip(used, shares, strict=True):
            gap = out[family.wholes] - np.add.reduceat(out[family.parts], family.starts, axis=0)
            missing = max(missing, float(np.abs(gap).max(initial=0.0)))
            out[family.wholes] -= gap * whole_share
            out[family.parts] += np.repeat(gap, family.sizes, axis=0) * part_share
        if missing < TOLERANCE or len(used) < 2:
            break
    return out


def _shares(family: Family, variances: Numbers) -> tuple[Numbers, Numbers]:
    """What each number of a sum takes of what is missing."""
    whole, parts = variances[family.wholes], variances[family.parts]
    all_of_it = whole + np.add.reduceat(parts, family.starts, axis=0)
    return whole / all_of_it, parts / np.repeat(all_of_it, family.sizes, axis=0)


def shown(value: float, noise_sd: float | None) -> int:
    """A number for display alone: not under none, and rounded to what the noise leaves sure.

    To the largest of 1, 5, 10, 50, ... that is half of the noise's deviation at most. Never before
    a sum: sums of what is shown would be biased.
    """
    step = 1
    for candidate in (5 * 10**k if half else 10**k for k in range(12) for half in (0, 1)):
        if noise_sd is not None and candidate <= noise_sd / 2.0:
            step = candidate
    return max(0, step * math.floor(value / step + 0.5))
