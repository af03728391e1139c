"""Consistent tables: against the textbook's formula, dense and slow."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.releasing import small_policy
from sojourn.release import shown
from sojourn.release.calendar import days_of, due_periods, first_day, is_open
from sojourn.release.tree import Family, settle
from sojourn.vocabulary import Span


def slow_settle(values: np.ndarray, variances: np.ndarray, sums: list[tuple[int, list[int]]]):
    """x - V A' (A V A')^-1 A x: least squares under linear constraints, by pseudo-inverse."""
    system = np.zeros((len(sums), values.size))
    for row, (whole, parts) in enumerate(sums):
        system[row, whole] = 1
        system[row, parts] = -1
    spread = np.diag(variances)
    middle = np.linalg.pinv(system @ spread @ system.T)
    return values - spread @ system.T @ middle @ system @ values


# A month of two days, by total, two nations, and two classes of each: 0 1-2 3-6 | 7 8-9 | 10 11-12
TABLES = [(0, [1, 2]), (7, [8, 9]), (10, [11, 12])]
FINER = [(1, [3, 4]), (2, [5, 6])]
CALENDAR = [(0, [7, 10]), (1, [8, 11]), (2, [9, 12])]


@given(st.integers(0, 10_000))
def test_numbers_are_those_of_dense_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, variances = rng.normal(0, 50, 13), rng.uniform(1, 400, 13)
    families = [Family.of(TABLES), Family.of(FINER), Family.of(CALENDAR)]
    found = settle(values, variances, families)
    assert found == pytest.approx(slow_settle(values, variances, TABLES + FINER + CALENDAR),
                                  abs=1e-4)  # fmt: skip
    for whole, parts in TABLES + FINER + CALENDAR:
        assert found[whole] == pytest.approx(found[parts].sum(), abs=1e-5)


def test_settling_adds_no_bias_and_never_makes_noise_larger() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([10, 6, 4, 2, 4, 1, 3, 3, 2, 1, 7, 4, 3], float)
    variances = np.array([900] + [100] * 2 + [9] * 4 + [400, 50, 50] * 2, float)
    noisy = truth[:, None] + rng.laplace(0, np.sqrt(variances / 2)[:, None], (13, 20_000))
    families = [Family.of(TABLES), Family.of(FINER), Family.of(CALENDAR)]
    found = settle(noisy, np.repeat(variances[:, None], 20_000, axis=1), families)
    errors = found - truth[:, None]
    assert np.abs(errors.mean(axis=1)).max() < 0.5
    assert (errors.var(axis=1) <= variances * 1.05).all()
    assert errors[0].var() < 0.2 * variances[0]


def test_a_lost_number_takes_what_its_sums_say() -> None:
    values, variances = np.array([0.0, 30.0, 12.0]), np.array([1e12, 4.0, 4.0])
    assert settle(values, variances, [Family.of([(0, [1, 2])])])[0] == pytest.approx(42, abs=1e-3)


def test_what_is_shown_is_never_under_none_and_never_finer_than_its_noise() -> None:
    assert shown(-40.0, 20.0) == 0
    assert shown(1_234.0, 23.0) == 1_230
    assert shown(1_234.0, 188.0) == 1_250
    assert shown(7.4, None) == 7


@given(st.lists(st.integers(1, 9), min_size=1, max_size=80), st.sampled_from(list(Span)[:2]))
def test_each_period_is_drawn_on_schedule_whatever_days_releases_are_made_on(
    gaps: list[int], span: Span
) -> None:
    """Never twice in one release, at most once for each of its ages, last when it closes."""
    policy = small_policy()
    ages = policy.day_ages if span == Span.DAY else policy.month_ages
    last, draws = date(2026, 1, 5), {}
    first = date(2026, 1, 5)
    for gap in gaps:
        through = date.fromordinal(last.toordinal() + gap)
        for period in due_periods(policy, span, last, through):
            assert span.last_day(period) <= through
            draws[period] = draws.get(period, 0) + 1
            assert is_open(policy, span, period, last)
        last = through
    assert all(n <= len(ages) for n in draws.values())
    for period, count in draws.items():
        if span.last_day(period) > first and not is_open(policy, span, period, last):
            assert count >= 1
    assert first_day(Span.MONTH, last).day == 1
    assert (
        len(days_of(first_day(Span.MONTH, last)))
        == Span.MONTH.last_day(first_day(Span.MONTH, last)).day
    )


def test_the_first_release_draws_each_period_of_its_reach_once() -> None:
    policy = small_policy(first_days=3, first_months=2)
    through = date(2026, 3, 1)
    assert due_periods(policy, Span.DAY, None, through) == (
        date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1),
    )  # fmt: skip
    assert due_periods(policy, Span.MONTH, None, through) == (date(2026, 1, 1), date(2026, 2, 1))
