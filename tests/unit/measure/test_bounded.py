"""Intervals of what is never below nought, few stays, and cells that are told for their size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.measure.bounded import (
    interval_above,
    interval_from_nought,
    interval_later,
    lower_when_told,
    scored,
    whole_ends,
)
from sojourn.measure.remaining import Luck, Pending, Split, with_chance


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.5, 3.0, 6.0])
def test_intervals_near_nought_hold_19_times_in_20(truth: float) -> None:
    rng = np.random.default_rng(2)
    value = truth + rng.standard_normal(4_000)
    draws = value[:, None] + rng.standard_normal((4_000, 400))
    low, high = interval_from_nought(draws, value)
    assert (low >= 0).all()
    assert (high > 0.1).all()
    held = ((low <= truth) & (truth <= high)).mean()
    assert 0.935 <= held <= 0.98


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.5, 3.0])
def test_what_is_known_to_be_more_than_nought_has_its_nought_there(truth: float) -> None:
    """Forty left late for certain; who is still here beside them is not sure."""
    rng, known = np.random.default_rng(3), np.full(4_000, 40.0)
    value = known + truth + rng.standard_normal(4_000)
    draws = value[:, None] + rng.standard_normal((4_000, 400))
    low, high = interval_above(draws, value, known)
    assert (low >= 40.0).all()
    held = ((low <= 40.0 + truth) & (40.0 + truth <= high)).mean()
    assert 0.935 <= held <= 0.965


def test_what_will_be_said_later_is_held_19_times_in_20_and_not_always() -> None:
    """Said later: the truth within half an error of today, and no less than nought."""
    held = [_held_later(truth) for truth in (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)]
    assert 0.945 <= np.mean(held) <= 0.96
    # Three errors from nought the end goes over from one side to two, as with any such rule.
    assert min(held) >= 0.92
    assert max(held) <= 0.98


def _held_later(truth: float) -> float:
    rng = np.random.default_rng(11)
    value = truth + rng.standard_normal(8_000)
    final = np.maximum(truth + rng.normal(0, 0.5, 8_000), 0.0)
    true = value[:, None] + rng.standard_normal((8_000, 400))
    draws = np.maximum(true + rng.normal(0, 0.5, true.shape), 0.0)
    low, high = interval_later(draws, np.maximum(value, 0.0), true >= 0)
    return float(((low <= final) & (final <= high)).mean())


def test_what_draws_at_nought_leave_below_is_left_above() -> None:
    rng = np.random.default_rng(12)
    plain = rng.normal(100.0, 1.0, (3, 1_000))
    low, high = interval_later(plain, np.full(3, 100.0), np.full(plain.shape, True))
    outside = (plain < low[:, None]) | (plain > high[:, None])
    assert outside.mean(axis=1).max() <= 0.05
    assert (plain > high[:, None]).mean(axis=1) == pytest.approx(0.025, abs=0.0011)
    piled = np.maximum(plain - 100.0, 0.0)
    low, high = interval_later(piled, np.zeros(3), np.full(plain.shape, True))
    assert (low == 0).all()
    assert (piled > high[:, None]).mean(axis=1) == pytest.approx(0.05, abs=0.0011)
    true = plain > 100.0
    _, higher = interval_later(piled, np.zeros(3), true)
    assert (higher >= high).all()
    for row in range(3):
        assert (piled[row][true[row]] > higher[row]).mean() == pytest.approx(0.05, abs=0.0025)
    none = np.zeros(plain.shape, dtype=bool)
    assert (interval_later(piled, np.zeros(3), none)[1] == high).all()


@pytest.mark.parametrize(("here", "unseen"), [(0, 6), (1, 6), (2, 3), (4, 3), (4, 12), (8, 6)])
def test_cells_told_for_being_large_enough_promise_no_more_than_others(
    here: int, unseen: int
) -> None:
    """Ten and more are told: nobody is still here, so it was bad luck with the unseen."""
    rng = np.random.default_rng(4)
    recorded = here + rng.poisson(unseen, 300_000)
    recorded = recorded[recorded >= 10][:3_000]
    draws = recorded[:, None] - rng.poisson(unseen, (len(recorded), 400))
    alone, _ = interval_from_nought(draws, recorded - float(unseen))
    low = lower_when_told(draws, alone, recorded - 10.0)
    assert (low <= alone).all()
    assert 0.01 <= (np.ceil(low - 1e-9) > here).mean() <= 0.07
    assert (low[recorded == 10] == 0).all()
    assert (low[recorded >= 10 + 2 * unseen] == alone[recorded >= 10 + 2 * unseen]).all()
    if (here, unseen) == (0, 6):
        assert (np.rint(alone) > here).mean() > 0.4
    always = lower_when_told(draws, alone, np.full(len(recorded), np.inf))
    assert (always == alone).all()


@pytest.mark.parametrize(("coverage", "stays"), [(0.65, 4), (0.65, 10), (0.5, 6), (0.65, 60)])
def test_of_few_stays_few_without_departure_are_no_proof(coverage: float, stays: int) -> None:
    """Everybody has left. Who were seen are then the fewer the more were not."""
    rng, odds = np.random.default_rng(5), 1 / coverage - 1
    seen = rng.binomial(stays, coverage, 4_000)
    value = stays - seen / coverage
    drawn = rng.negative_binomial(np.maximum(seen, 1e-6)[:, None], coverage, (4_000, 400))
    draws = (stays - seen)[:, None] - drawn
    each = np.full(4_000, odds)
    plain, _ = interval_from_nought(draws, value)
    low, high = interval_from_nought(scored(draws, value, each), value)
    assert (high == interval_from_nought(draws, value)[1]).all()
    assert (np.ceil(low - 1e-9) > 0).mean() <= 0.065
    if stays <= 10:
        assert (np.ceil(plain - 1e-9) > 0).mean() > 0.06


@pytest.mark.parametrize(
    ("coverage", "left", "here"), [(0.96, 25, 5), (0.9, 27, 3), (0.65, 16, 4), (0.65, 50, 10)]
)
def test_of_few_stays_the_upper_end_holds_too(coverage: float, left: int, here: int) -> None:
    rng, odds = np.random.default_rng(7), 1 / coverage - 1
    seen = rng.binomial(left, coverage, 4_000)
    value = left + here - seen / coverage
    drawn = rng.negative_binomial(np.maximum(seen, 1e-6)[:, None], coverage, (4_000, 400))
    draws = (left + here - seen)[:, None] - drawn.astype(np.float64)
    low, high = interval_from_nought(scored(draws, value, np.full(4_000, odds)), value)
    low, high = whole_ends(low, high, np.maximum(value, 0.0), np.full(4_000, True))
    assert (high < here).mean() <= 0.05
    assert (low > here).mean() <= 0.05


@given(st.floats(0.0, 2.0), st.integers(0, 2**32 - 1))
def test_scored_draws_keep_their_order_and_their_side(each: float, seed: int) -> None:
    draws = np.random.default_rng(seed).normal(3.0, 2.0, (3, 200))
    draws[0, 0] = 1e9
    value = np.array([3.0, 2.0, 10.0])
    made = scored(draws, value, np.full(3, each))
    assert (np.diff(np.take_along_axis(made, draws.argsort(axis=1), axis=1), axis=1) >= -1e-6).all()
    assert ((made - value[:, None]) * (draws - value[:, None]) >= 0).all()
    assert (made <= draws + 1e-6 * np.abs(draws)).all()
    assert made[draws > value[:, None]] == pytest.approx(draws[draws > value[:, None]])
    same = scored(draws, value, np.zeros(3))
    assert same == pytest.approx(draws)


def test_where_nobody_was_unseen_some_may_have_been() -> None:
    """None of 200 re-entries was unseen; of 200 others (reference: stay by stay) some were."""
    rng, draws = np.random.default_rng(6), 20_000
    odds = 1 / rng.beta(200.5, 0.5, draws) - 1
    zero = np.zeros((1, draws))
    before = Split(zero + 205, zero + 200, zero, zero, 200 * odds[None, :], zero, zero)
    none = np.zeros((1, 4))
    nothing = Luck(np.zeros(1), np.ones(1), np.zeros(1))
    unseen = with_chance(before, nothing, _nothing_to_come(), none, rng).unrecorded[0]
    reference = rng.negative_binomial(200, 1 / (1 + odds))
    for share in (0.5, 0.9, 0.975):
        assert np.quantile(unseen, share) == pytest.approx(np.quantile(reference, share), abs=0.6)
    assert np.quantile(unseen, 0.975) >= 2.5
    left = with_chance(before, None, _nothing_to_come(), none, rng).unrecorded[0]
    assert left == pytest.approx(before.unrecorded[0])


def _nothing_to_come() -> tuple[Pending, ...]:
    return (Pending(np.zeros(1), np.zeros(1)),) * 3


@given(st.floats(0, 30), st.floats(0, 30), st.floats(0, 1))
def test_whole_ends_hold_the_same_whole_numbers(one: float, other: float, part: float) -> None:
    low, high = min(one, other), max(one, other)
    value = low + part * (high - low)
    down, up = whole_ends(*(np.array([x]) for x in (low, high, value)), np.array([True]))
    assert down[0] <= value + 1e-6
    assert up[0] >= value - 1e-6
    inside = {n for n in range(32) if low - 1e-9 <= n <= high + 1e-9}
    told = {n for n in range(32) if down[0] <= n <= up[0]}
    assert inside <= told
    assert all(abs(n - value) <= 1 or low - 0.1 <= n <= high + 0.1 for n in told - inside)
