"""Intervals of what is computed hold at least as often as they say, on simulated noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sojourn.release import reach_of
from sojourn.release.noise import variance_of
from sojourn.release.tree import Family, settle

RUNS = 40_000
# Of a share of 0.95 in as many runs, less is chance once in a million.
LEAST = 0.95 - 5 * math.sqrt(0.95 * 0.05 / RUNS)


def noise(scale: float, rng: np.random.Generator, count: int = RUNS) -> np.ndarray:
    """Discrete Laplace as the difference of two geometrics: seeded, for simulation alone."""
    chance = 1 - math.exp(-1 / scale)
    return (rng.geometric(chance, count) - rng.geometric(chance, count)).astype(float)


# A total of three parts, each of two: scales by level, increments of each.
@pytest.mark.parametrize("scales", [(20.0, 7.0, 3.0), (5.0, 5.0, 5.0), (2.0, 9.0, 30.0)])
@pytest.mark.parametrize("increments", [1, 3])
def test_settled_numbers_lie_in_their_intervals(
    scales: tuple[float, float, float], increments: int
) -> None:
    rng = np.random.default_rng(3)
    levels = [0, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    truth = np.array([21, 9, 7, 5, 4, 5, 3, 4, 2, 3], float)
    drawn = [sum(noise(scales[n], rng) for _ in range(increments)) for n in levels]
    variances = np.array([increments * variance_of(scales[n]) for n in levels])
    families = [Family.of([(0, [1, 2, 3])]), Family.of([(1, [4, 5]), (2, [6, 7]), (3, [8, 9])])]
    found = settle(
        truth[:, None] + np.stack(drawn), np.repeat(variances[:, None], RUNS, axis=1), families
    )
    for at, level in enumerate(levels):
        reach = reach_of([scales[level]] * increments)
        assert (np.abs(found[at] - truth[at]) <= reach).mean() >= LEAST


@pytest.mark.parametrize("months", [1, 2, 5, 12])
@pytest.mark.parametrize("scale", [2.0, 40.0])
def test_a_years_interval_from_those_of_its_months_holds(months: int, scale: float) -> None:
    rng = np.random.default_rng(4)
    total = sum(noise(scale, rng) for _ in range(months))
    reach = math.sqrt(months * reach_of([scale]) ** 2)
    assert (np.abs(total) <= reach).mean() >= LEAST


def test_what_is_left_over_lies_in_the_interval_of_its_four_counts() -> None:
    """No departure recorded: one count less three others."""
    rng = np.random.default_rng(5)
    left = noise(13.0, rng) - noise(13.0, rng) - noise(13.0, rng) - noise(13.0, rng)
    reach = reach_of([13.0] * 4)
    held = (np.abs(left) <= reach).mean()
    assert LEAST <= held <= 0.96
