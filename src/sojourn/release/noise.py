"""How large the noise is, exactly: scales, deviations, quantiles. Nothing is drawn here.

In: the policy's ``[release]``. Out: numbers of stays' events. The noise is the discrete Laplace
distribution, P(x) = tanh(1/2b) exp(-|x|/b) on the integers (Ghosh, Roughgarden and Sundararajan,
2012), b its scale. Budgets are exact fractions and scales are rounded up, so that what is spent
never comes to more than what was given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sojourn.policy import ReleasePolicy
from sojourn.release.calendar import ages_of
from sojourn.release.cells import REENTRIES
from sojourn.vocabulary import Span

LEVEL = 0.95
GRAIN = 64  # scales are multiples of 1/64: exact in binary, so no rounding inside the sampler
_TAIL = 1e-15  # mass of a distribution that its array leaves out


@dataclass(frozen=True)
class ExpectedNoise:
    """What a table's counts of one span have in them."""

    release_table: str
    span: Span
    contributions: int  # how many counts a stay may change in its life
    epsilon: float  # a stay's privacy loss through this table and span
    scale: float  # of one draw
    sd: float  # of one draw
    increments: int  # draws in a final vintage
    final_sd: float  # of a final vintage


def share_of_budget(policy: ReleasePolicy, table: str, span: Span) -> Fraction:
    """The privacy loss that policy gives to a table's counts of one span, exactly.

    A table that has some of the spans alone shares out all it has among those.
    """
    if table == REENTRIES:
        return Fraction(str(policy.epsilon_per_year)) * Fraction(str(policy.reentry_share))
    place = policy.tables.index(table)
    own = policy.table_spans[place].split()
    shares = dict(zip(policy.spans, (Fraction(str(s)) for s in policy.span_shares), strict=True))
    whole = Fraction(str(policy.epsilon_per_year)) * Fraction(str(policy.table_shares[place]))
    if len(own) == len(policy.spans):
        return whole * shares[span.value]
    return whole * shares[span.value] / sum(shares[s] for s in own)


def bound_of(policy: ReleasePolicy, table: str) -> int:
    """How many counts of a table a stay may change in its life."""
    return policy.reentry_contributions if table == REENTRIES else policy.max_contributions


def scale_of(policy: ReleasePolicy, table: str, span: Span) -> float:
    """Contributions over loss, rounded up to a grain: never less noise than was promised."""
    share, bound = share_of_budget(policy, table, span), bound_of(policy, table)
    scale = math.ceil(bound / share * GRAIN) / GRAIN
    # 1/scale may have no exact float: its rounding up, too, stays within the share.
    while bound * Fraction(_rounded_up(1.0 / scale)) > share:
        scale += 1.0 / GRAIN
    return scale


def _rounded_up(loss: float) -> float:
    return math.nextafter(math.nextafter(loss, math.inf), math.inf)


def variance_of(scale: float) -> float:
    """Of one draw: 2p/(1-p)^2 with p = exp(-1/scale)."""
    ratio = math.exp(-1.0 / scale)
    return 2.0 * ratio / (1.0 - ratio) ** 2


def expected_noise(policy: ReleasePolicy) -> tuple[ExpectedNoise, ...]:
    """One row for each table and span of the policy, and one for re-entries."""
    lanes = [
        (table, Span(word), len(ages_of(policy, Span(word))))
        for table, own in zip(policy.tables, policy.table_spans, strict=True)
        for word in own.split()
    ]
    if policy.reentry_share:
        lanes.append((REENTRIES, Span.MONTH, 1))
    rows = []
    for table, span, draws in lanes:
        scale, share = scale_of(policy, table, span), share_of_budget(policy, table, span)
        sd = math.sqrt(variance_of(scale))
        rows.append(ExpectedNoise(table, span, bound_of(policy, table), float(share), scale, sd,
                                  draws, sd * math.sqrt(draws)))  # fmt: skip
    return tuple(rows)


def reach_of(scales: Sequence[float], level: float = LEVEL) -> int:
    """The least r with P(|sum of one draw at each scale| <= r) >= ``level``; exact.

    Draws are independent and symmetric, so that the reach of a difference is that of a sum.
    """
    return _reach(tuple(sorted(scales)), level)


@lru_cache(maxsize=4096)
def _reach(scales: tuple[float, ...], level: float) -> int:
    if not scales:
        return 0
    spread = math.sqrt(sum(variance_of(s) for s in scales))
    # Sums that are nearly normal need no convolution of hundreds of thousands of terms.
    if len(scales) > 64:
        return math.ceil(NormalDist().inv_cdf((1.0 + level) / 2.0) * spread)
    weights = _sum_weights(scales)
    middle = weights.size // 2
    held = weights[middle] + 2.0 * np.concatenate([[0.0], np.cumsum(weights[middle + 1 :])])
    return int(np.searchsorted(held, level - 1e-12))


def _sum_weights(scales: tuple[float, ...]) -> NDArray[np.float64]:
    """P(sum = x) for x from -n to n, by Fourier transform over an array wide enough for tails."""
    widest = max(scales)
    reach = math.ceil(widest * (math.log(2.0 * len(scales) / _TAIL) + 2.0 * len(scales)))
    size = 1 << (2 * reach + 1).bit_length()
    angles = 2.0 * np.pi * np.fft.rfftfreq(size)
    product = np.ones(angles.size)
    for scale in scales:
        ratio = math.exp(-1.0 / scale)
        # The characteristic function of the discrete Laplace distribution.
        product *= (1.0 - ratio) ** 2 / (1.0 - 2.0 * ratio * np.cos(angles) + ratio**2)
    weights = np.fft.irfft(product, size)
    return np.concatenate([weights[-reach:], weights[: reach + 1]])
