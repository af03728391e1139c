"""Noise as promised: its distribution, its size, the privacy loss that can be seen in it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta, chi2

from lib.releasing import small_policy
from sojourn.policy import ReleasePolicy, load_policy
from sojourn.release import expected_noise, reach_of
from sojourn.release.mechanisms import LaplaceNoise
from sojourn.release.noise import scale_of, share_of_budget, variance_of
from sojourn.vocabulary import Span

# OpenDP takes no seed: a test of chance fails by chance once in ten million runs.
FALSE_ALARM = 1e-7


def drawn(scale: float, count: int, value: int = 0) -> np.ndarray:
    return LaplaceNoise.of_scale(scale).add(np.full(count, value, np.int64))


@pytest.mark.parametrize("scale", [0.75, 13.34375])
def test_draws_follow_the_discrete_laplace_distribution(scale: float) -> None:
    found = drawn(scale, 60_000)
    ratio = math.exp(-1 / scale)
    edge = 1
    while 60_000 * (1 - ratio) / (1 + ratio) * ratio ** (edge + 1) > 20:
        edge += 1
    inside = np.arange(-edge, edge + 1)
    weights = (1 - ratio) / (1 + ratio) * ratio ** np.abs(inside)
    expected = 60_000 * np.concatenate([[0.0], weights, [0.0]])
    expected[[0, -1]] = (60_000 - expected.sum()) / 2
    counted = np.bincount(np.clip(found, -edge - 1, edge + 1) + edge + 1, minlength=2 * edge + 3)
    statistic = ((counted - expected) ** 2 / expected).sum()
    assert statistic < chi2.isf(FALSE_ALARM, counted.size - 1)


def test_draws_are_independent_of_each_other_and_of_the_count() -> None:
    one, two = drawn(8.0, 20_000), drawn(8.0, 20_000, value=1_000_000) - 1_000_000
    spread = math.sqrt(variance_of(8.0))
    for found in (one, two):
        assert abs(found.mean()) < 5.5 * spread / math.sqrt(20_000)
    assert abs(np.corrcoef(one, two)[0, 1]) < 5.5 / math.sqrt(20_000)
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 5.5 / math.sqrt(20_000)


@pytest.mark.parametrize("policy", [load_policy().release, small_policy(max_contributions=16)])
def test_noise_is_within_a_tenth_of_what_the_table_says(policy: ReleasePolicy) -> None:
    for row in expected_noise(policy):
        found = drawn(row.scale, 20_000).std()
        assert found == pytest.approx(row.sd, rel=0.1)
        formula = math.sqrt(2) * row.contributions / row.epsilon
        assert row.sd == pytest.approx(formula, rel=0.1)


def test_a_unit_of_one_crossing_has_the_noise_that_was_computed_before() -> None:
    """Day deviations of 3.9, 7.8 and 23.6 for tables at .6, .3 and .1, days at .6."""
    policy = replace(small_policy(), max_contributions=1)
    days = {r.release_table: r.sd for r in expected_noise(policy) if r.span == Span.DAY}
    assert days["nationality_mode_class"] == pytest.approx(3.9, abs=0.1)
    assert days["nationality"] == pytest.approx(7.8, abs=0.1)
    assert days["total"] == pytest.approx(23.6, abs=0.1)


@pytest.mark.parametrize("contributions", [1, 3, 8, 12, 1000])
@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 3.0])
def test_no_lane_ever_costs_more_than_its_share(contributions: int, epsilon: float) -> None:
    policy = small_policy(max_contributions=contributions, epsilon_per_year=epsilon)
    for table in policy.tables:
        for span in (Span.DAY, Span.MONTH):
            unit = LaplaceNoise.of_scale(scale_of(policy, table, span)).loss(1)
            assert Fraction(unit) * contributions <= share_of_budget(policy, table, span)


def test_opendp_vouches_for_the_loss_that_is_booked() -> None:
    noise = LaplaceNoise.of_scale(44.453125)
    assert noise.loss(8) == pytest.approx(8 / 44.453125)
    assert noise.loss(8) >= 8 / 44.453125
    assert noise.loss(1) * 8 >= noise.loss(8) * (1 - 1e-12)


def test_the_loss_seen_on_neighbouring_data_stays_under_the_one_claimed() -> None:
    """A stay changes eight cells by one. The best guess from the noisy cells whether it is there
    (the likelihood ratio) is right no oftener than the loss allows, and nearly as often: the
    lower bound of the loss is under what is claimed, and over two fifths of it: its mean is 1.11
    with these runs, its standard deviation 0.056, so five and a half of these below."""
    touched, claimed, runs = 8, 2.0, 20_000
    scale = touched / claimed
    without = drawn(scale, runs * touched).reshape(runs, touched)
    present = drawn(scale, runs * touched, value=1).reshape(runs, touched)

    def ratio(cells: np.ndarray) -> np.ndarray:
        return ((np.abs(cells) - np.abs(cells - 1)) / scale).sum(axis=1)

    seen = []
    for edge in (0.0, 0.5, 1.0, 1.5):
        yes, no = int((ratio(present) >= edge).sum()), int((ratio(without) >= edge).sum())
        least = beta.ppf(FALSE_ALARM / 8, yes, runs - yes + 1)
        most = beta.ppf(1 - FALSE_ALARM / 8, no + 1, runs - no)
        seen.append(math.log(least / most))
    assert max(seen) <= claimed
    assert max(seen) >= 0.4 * claimed


@pytest.mark.parametrize("scales", [[0.5], [13.3], [200.0], [3.0, 3.0, 9.0], [20.0] * 12])
def test_intervals_are_the_exact_quantiles_of_sums(scales: list[float]) -> None:
    """Against a slow convolution of the weights themselves."""
    weights = np.ones(1)
    for scale in scales:
        ratio = math.exp(-1 / scale)
        side = np.arange(-int(40 * scale) - 1, int(40 * scale) + 2)
        weights = np.convolve(weights, (1 - ratio) / (1 + ratio) * ratio ** np.abs(side))
    middle = weights.size // 2
    reach = reach_of(scales)
    inside = weights[middle - reach : middle + reach + 1].sum()
    assert inside >= 0.95 - 1e-9
    if reach:
        assert weights[middle - reach + 1 : middle + reach].sum() < 0.95
