"""Late departures to come: of a month in which nobody has left late yet, some may."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sojourn.measure.evidence import CHANGED, IN_TIME, LATE, OPEN, Cells, Layout
from sojourn.measure.leaving_late import MoreLate, late_to_come, untold_share
from sojourn.measure.remaining import Split, with_more_late

MONTHS = tuple(date(2024 + m // 12, m % 12 + 1, 1) for m in range(24))
STRATA = ("air/VISIT", "air/STUDY", "land/VISIT")
SIZE = len(STRATA) * len(MONTHS)
AGES = np.arange(len(MONTHS))[::-1] * 30.0 + 20
SHARE = 1 - np.exp(-AGES / 40)


def _layout(late: np.ndarray, expected: np.ndarray, noise: float = 0.0) -> Layout:
    """Nationalities x strata x months of counts, as an office's table lays them out."""
    parts = [
        pl.DataFrame({
            "nationality": chr(65 + n) * 3, "at": np.arange(SIZE),
            LATE.value: late[n].ravel().astype(float),
            IN_TIME.value: (expected[n] - late[n]).ravel().astype(float),
            OPEN.value: 0.0, CHANGED.value: 0.0, f"noise_{LATE.value}": noise,
        })
        for n in range(len(late))
    ]  # fmt: skip
    return Layout(STRATA, MONTHS, pl.concat(parts))


def _draws(share: np.ndarray, draws: int = 400) -> np.ndarray:
    return np.tile(share, len(STRATA))[:, None].repeat(draws, 1)


def _said(layout: Layout, share: np.ndarray, seed: int, draws: int = 400) -> MoreLate:
    odds = np.full((SIZE, draws), 0.2)
    return late_to_come(layout, _draws(share, draws), odds, np.random.default_rng(seed))


def test_of_a_month_without_late_departures_some_are_to_come() -> None:
    """200 offices, simulated stay by stay: what came later is held, in each stratum, as often as
    promised, and its mean is right where strata are unlike.
    """
    rng = np.random.default_rng(20)
    rates = np.array([0.004, 0.012, 0.001])
    held, none = [], []
    said, came = np.zeros(3), np.zeros(3)
    for office in range(200):
        expected = rng.poisson([[400], [120], [160]], (3, 24))
        ever = rng.binomial(expected, rates[:, None])
        so_far = rng.binomial(ever, SHARE)
        drawn = _said(_layout(so_far[None], expected[None]), SHARE, office)
        each = drawn.each.reshape(3, 24, -1)[:, -1] * expected[:, -1, None]
        later = (ever - so_far)[:, -1]
        high = np.quantile(rng.poisson(each), 0.975, axis=1)
        held.append(later <= high)
        none += list((later <= high)[so_far[:, -1] == 0])
        said, came = said + each.mean(axis=1), came + later
    assert (np.mean(held, axis=0) >= 0.94).all()
    assert len(none) > 100
    assert np.mean(none) >= 0.94
    assert said[:2] == pytest.approx(came[:2], rel=0.2)
    assert said[1] / 120 > 2 * said[0] / 400  # as unlike as they are
    assert said[2] < 200 * 0.5


def test_a_nationality_that_leaves_late_more_often_is_told_apart() -> None:
    rng = np.random.default_rng(23)
    expected = np.full((2, 3, 24), 200)
    ever = rng.binomial(expected, np.array([0.002, 0.02])[:, None, None])
    drawn = _said(_layout(rng.binomial(ever, SHARE), expected), SHARE, 24)
    few, many = (drawn.of(name).mean() for name in ("AAA", "BBB"))
    assert 0.1 < few < 0.45
    assert 1.5 < many < 2.1
    assert drawn.of("CCC") == 1.0


def test_a_month_tells_of_itself_but_one_late_by_luck_does_not_make_ten() -> None:
    expected, late = np.full((1, 3, 24), 300), np.ones((1, 3, 24))
    share = np.where(np.arange(24) < 23, 1.0, 0.1)
    once = late.copy()
    once[0, 0, 23] = 3
    ordinary, lucky = (
        _said(_layout(c, expected), share, 21, 4_000).each.reshape(3, 24, -1)[0, 23].mean() * 300
        for c in (late, once)
    )
    assert 1.2 * ordinary < lucky < 3 * ordinary
    assert lucky < 3  # nine times as many as are in would be 27


def test_where_nobody_ever_left_late_next_to_nothing_is_to_come_and_not_nothing() -> None:
    expected = np.full((1, 3, 24), 50)
    drawn = _said(_layout(np.zeros((1, 3, 24)), expected), SHARE, 25, 4_000)
    youngest = (drawn.each.reshape(3, 24, -1)[:, -1] * 50).sum(axis=0)
    assert 0.005 < youngest.mean() < 0.1
    empty = _said(_layout(np.zeros((1, 3, 24)), np.zeros((1, 3, 24))), SHARE, 26)
    assert np.isfinite(empty.each).all()


def test_noise_of_counts_does_not_turn_into_late_leavers() -> None:
    """Released counts: their noise is ten times as large as they. No more are said on the mean."""
    rng = np.random.default_rng(27)
    late, expected = rng.poisson(0.5, (1, 3, 24)), np.full((1, 3, 24), 100)
    plain = _said(_layout(late, expected), SHARE, 28).each.mean()
    noisy = [
        _said(_layout(late + rng.normal(0, 5, late.shape), expected, 25.0), SHARE, n).each.mean()
        for n in range(60)
    ]
    assert plain / 2 < np.mean(noisy) < 2 * plain


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_what_is_complete_has_none_to_come_and_noise_makes_none_negative(
    seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    late, expected = rng.integers(-3, 6, (2, 3, 24)), rng.integers(-5, 40, (2, 3, 24))
    by_age = np.append(np.ones(23), share)
    drawn = _said(_layout(late, expected, 4.0), by_age, seed % 1000, 50)
    each = drawn.each.reshape(3, 24, 50)
    assert (each[:, :23] == 0).all()
    assert (each >= 0).all()
    assert np.isfinite(each).all()
    assert all((np.asarray(t) >= 0).all() for t in drawn.times.values())


def test_what_nobody_watched_is_told_by_its_age_and_told_wider() -> None:
    share = untold_share(np.array([5, 40, 400]), 2_000, np.random.default_rng(29))
    assert (np.diff(share, axis=0) >= 0).all()
    assert np.quantile(share[0], 0.05) < 0.3
    assert np.quantile(share[0], 0.95) > 0.7
    assert share[2].min() > 0.98


def test_who_leaves_late_is_no_longer_here_and_parts_still_sum() -> None:
    rng = np.random.default_rng(22)
    after, before = _one_more_late(rng, 60.0)
    come = after.late - before.late
    assert (come == come.round()).all()
    assert come.mean(axis=1) == pytest.approx([2.8, 0.3], abs=0.15)
    assert after.still_here + after.late + after.unrecorded == pytest.approx(
        before.still_here + before.late + before.unrecorded
    )
    unseen = after.late_unrecorded - before.late_unrecorded
    assert unseen[0].sum() / come[0].sum() == pytest.approx((1.6 * 0.5 + 1.2 * 0.1) / 2.8)
    assert (unseen[come == 0] == 0).all()


def test_nobody_leaves_late_who_has_a_departure_already() -> None:
    after, before = _one_more_late(np.random.default_rng(30), 1.0)
    assert (after.late - before.late).max() == 1
    after, before = _one_more_late(np.random.default_rng(31), 0.0)
    assert after.late == pytest.approx(before.late)


def _one_more_late(rng: np.random.Generator, still: float) -> tuple[Split, Split]:
    """Two cells, of nationalities of which the second leaves late three times as often."""
    matrix = sparse.csr_matrix
    stays, nobody = np.array([[400.0, 60.0], [0.0, 5.0]]), np.zeros((2, 2))
    open_ = np.array([[still, 0.0], [0.0, still]])
    cells = Cells(
        pl.DataFrame({"nationality": ["AAA", "BBB"]}), matrix(stays - open_), matrix(nobody),
        matrix(open_), matrix(nobody), np.zeros((2, 4)),
    )  # fmt: skip
    parts = (stays.sum(axis=1, keepdims=True) * np.array([1.0, 0.8, 0.0, 0.05, 0.1, 0.0, 0.05])).T
    before = Split(*(np.tile(p[:, None], (1, 2_000)) for p in parts))
    more, odds = np.array([[0.004], [0.02]]).repeat(2_000, 1), np.array([[0.5], [0.1]])
    times = {"BBB": np.full(2_000, 3.0)}
    return with_more_late(before, cells, MoreLate(more, more * odds, times), rng), before
