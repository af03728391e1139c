"""Late departures to come: of a month in which nobody has left late yet, some may."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sojourn.measure.development import Development
from sojourn.measure.evidence import CHANGED, EXPECTED, IN_TIME, LATE, OPEN, Cells, Layout
from sojourn.measure.leaving_late import late_to_come
from sojourn.measure.remaining import Split, with_more_late

MONTHS = tuple(date(2024 + m // 12, m % 12 + 1, 1) for m in range(24))
STRATA = ("air/VISIT", "air/STUDY", "land/VISIT")


def _layout(late: np.ndarray, expected: np.ndarray) -> Layout:
    """Strata x months of whole counts, as an office's table lays them out."""
    zero = np.zeros(late.size)
    rows = pl.DataFrame({
        "at": np.arange(late.size), LATE.value: late.ravel().astype(float),
        IN_TIME.value: (expected - late).ravel().astype(float),
        OPEN.value: zero, CHANGED.value: zero,
    })  # fmt: skip
    assert set(rows.columns) >= {o.value for o in EXPECTED}
    return Layout(STRATA, MONTHS, rows)


def _grown(share: np.ndarray) -> Development:
    each = np.tile(share, (len(STRATA), 1))
    return Development(each, np.zeros(each.shape), 1.0, np.zeros(len(share), dtype=bool))


def test_of_a_month_without_late_departures_some_are_to_come() -> None:
    """200 offices, simulated stay by stay: what came later is held 19 times in 20."""
    rng = np.random.default_rng(20)
    rates = np.array([0.004, 0.012, 0.003])
    ages = np.arange(len(MONTHS))[::-1] * 30.0 + 20
    share = 1 - np.exp(-ages / 40)
    held, none, said, came = [], [], 0.0, 0.0
    for _ in range(200):
        expected = rng.poisson([[400], [120], [60]], (3, 24))
        ever = rng.binomial(expected, rates[:, None])
        so_far = rng.binomial(ever, share)
        drawn = late_to_come(
            _layout(so_far, expected), _grown(share), np.tile(share, 3)[:, None].repeat(400, 1), rng
        )
        youngest = (drawn.reshape(3, 24, 400)[:, -1] * expected[:, -1, None]).sum(axis=0)
        more = rng.poisson(youngest)
        later = int((ever - so_far)[:, -1].sum())
        low, high = np.quantile(more, (0.025, 0.975))
        held.append(low <= later <= high)
        if so_far[:, -1].sum() == 0:
            none.append(later <= high)
            assert high >= 1
        said, came = said + youngest.mean(), came + later
    assert np.mean(held) >= 0.93
    assert len(none) > 30
    assert np.mean(none) >= 0.9
    assert said == pytest.approx(came, rel=0.15)


def test_one_late_by_luck_does_not_make_ten() -> None:
    expected, late = np.full((3, 24), 300), np.ones((3, 24))
    share = np.where(np.arange(24) < 23, 1.0, 0.1)
    once = late.copy()
    once[0, 23] = 3
    ordinary, lucky = (
        late_to_come(
            _layout(counts, expected), _grown(share), np.tile(share, 3)[:, None].repeat(4_000, 1),
            np.random.default_rng(21),
        ).reshape(3, 24, -1)[0, 23].mean() * 300
        for counts in (late, once)
    )  # fmt: skip
    assert ordinary < lucky < 3 * ordinary
    assert lucky < 3  # nine times as many as are in would be 27


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_what_is_complete_has_none_to_come_and_noise_makes_none_negative(
    seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    late, expected = rng.integers(-3, 6, (3, 24)), rng.integers(-5, 40, (3, 24))
    by_age = np.append(np.ones(23), share)
    drawn = late_to_come(
        _layout(late, expected), _grown(by_age), np.tile(by_age, 3)[:, None].repeat(50, 1), rng
    ).reshape(3, 24, 50)
    assert (drawn[:, :23] == 0).all()
    assert (drawn >= 0).all()
    assert np.isfinite(drawn).all()


def test_who_leaves_late_is_no_longer_here_and_parts_still_sum() -> None:
    rng = np.random.default_rng(22)
    matrix = sparse.csr_matrix
    stays, nobody = np.array([[400.0, 60.0], [0.0, 5.0]]), np.zeros((2, 2))
    cells = Cells(
        pl.DataFrame({"period": MONTHS[:2]}), matrix(stays), matrix(nobody), matrix(nobody),
        matrix(nobody), np.zeros((2, 4)),
    )  # fmt: skip
    parts = (stays.sum(axis=1, keepdims=True) * np.array([1.0, 0.8, 0.0, 0.05, 0.1, 0.0, 0.05])).T
    before = Split(*(np.tile(p[:, None], (1, 2_000)) for p in parts))
    more, odds = np.array([[0.004], [0.02]]).repeat(2_000, 1), np.array([[0.5], [0.1]])
    after = with_more_late(before, cells, more, odds, rng)
    come = after.late - before.late
    assert (come == come.round()).all()
    assert come.mean(axis=1) == pytest.approx([2.8, 0.1], abs=0.15)
    assert after.still_here + after.late + after.unrecorded == pytest.approx(
        before.still_here + before.late + before.unrecorded
    )
    unseen = after.late_unrecorded - before.late_unrecorded
    assert unseen[0].sum() / come[0].sum() == pytest.approx((1.6 * 0.5 + 1.2 * 0.1) / 2.8)
    assert (unseen[come == 0] == 0).all()
