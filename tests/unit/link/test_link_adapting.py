"""A table fitted to the noise of the records at hand, without truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import LinkageError
from sojourn.link import fit_levels, load_weights
from sojourn.link.patterns import COARSE, PATTERNS, coarse_patterns

TABLE = load_weights()
EVERY = np.arange(PATTERNS)
FIRST_OF = np.zeros(COARSE, np.int64)
FIRST_OF[coarse_patterns(EVERY[::-1])] = EVERY[::-1]


def links_of(shares: tuple[float, ...], count: int, seed: int) -> np.ndarray:
    """Patterns of links of a border with these shares of the table's levels."""
    assert TABLE.levels is not None
    looks = np.asarray(shares) @ TABLE.levels.seen.astype(np.float64)
    drawn = np.random.default_rng(seed).choice(COARSE, count, p=looks / looks.sum())
    return FIRST_OF[drawn]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 1_000))
def test_the_share_of_noisy_records_is_found_again(clear: float, seed: int) -> None:
    fitted = fit_levels(links_of((clear, 1 - clear), 40_000, seed), TABLE)
    assert fitted.levels is not None
    assert fitted.levels.shares[0] == pytest.approx(clear, abs=0.03)
    assert sum(fitted.levels.shares) == pytest.approx(1.0)


def test_few_links_and_links_like_the_tables_own_leave_it_as_it_is() -> None:
    assert TABLE.levels is not None
    assert fit_levels(links_of((1.0, 0.0), 999, 1), TABLE) is TABLE
    assert fit_levels(links_of(TABLE.levels.shares, 5_000, 1), TABLE) is TABLE
    assert fit_levels(np.zeros(0, np.uint32), TABLE) is TABLE


def test_odds_lie_between_those_of_the_levels() -> None:
    assert TABLE.levels is not None
    halves = TABLE.with_shares((0.5, 0.5)).log2_odds
    low, high = TABLE.levels.log2_odds.min(axis=0), TABLE.levels.log2_odds.max(axis=0)
    assert (halves >= low - 1e-3).all()
    assert (halves <= high + 1e-3).all()
    assert np.allclose(TABLE.with_shares((1.0, 0.0)).log2_odds, TABLE.levels.log2_odds[0])


def test_a_table_without_levels_is_not_adapted() -> None:
    flat = replace(TABLE, levels=None)
    assert fit_levels(links_of((1.0, 0.0), 5_000, 1), flat) is flat
    with pytest.raises(LinkageError, match="sojourn train"):
        flat.with_shares((0.5, 0.5))


def test_a_coarse_pattern_is_one_pattern_of_its_own_kind() -> None:
    assert coarse_patterns(EVERY).max() == COARSE - 1
    assert (coarse_patterns(FIRST_OF) == np.arange(COARSE)).all()
