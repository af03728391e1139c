"""Exits not seen, from re-entries: right where alike, pulled where few, told where unlike."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from lib.small_offices import evidence, office, world
from sojourn.measure.exits import bound_exit_mode, seen_exits, spread_shares
from sojourn.measure.unlike import FURTHER, MOST_UNLIKE, Trend, return_trend
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.simulate.small_world import Kind
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

Cells = dict[str, list[tuple[int, int]]]
Array = NDArray[np.float64]


def reentries(cells: Cells) -> pl.DataFrame:
    """By stratum: (re-entries, closed) of each month."""
    rows = [
        (date(2025, 1 + at, 1), Group.MODE_CLASS.value, name, what.value, n)
        for name, months in cells.items()
        for at, (asked, closed) in enumerate(months)
        for what, n in ((What.REENTRIES, asked), (What.REENTRIES_CLOSED, closed))
    ]
    return pl.DataFrame(rows, schema=LINKAGE_QUALITY.schema, orient="row")


def test_unseen_for_each_seen_is_open_over_closed() -> None:
    exits = seen_exits(reentries({"air/VISIT": [(1_000, 950)] * 6}), ["air/VISIT"], 30)
    assert exits.odds[0] == pytest.approx(300 / 5_700, rel=0.01)
    assert not exits.borrowed[0]
    assert not exits.blind[0]


def test_odds_are_free_of_bias_where_re_entries_are_few() -> None:
    rng, truth, found = np.random.default_rng(4), 0.9, []
    for _ in range(2_000):
        asked = [int(n) for n in rng.multinomial(60, [1 / 3] * 3)]
        cell = [(n, int(rng.binomial(n, truth))) for n in asked]
        found.append(seen_exits(reentries({"air/VISIT": cell}), ["air/VISIT"], 30).odds[0])
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx((1 - truth) / truth, abs=4 * error)


def test_draws_hold_the_truth_as_often_as_they_say() -> None:
    rng, held, trials = np.random.default_rng(5), 0, 400
    for _ in range(trials):
        truth = rng.uniform(0.6, 0.98)
        cell = [(80, int(rng.binomial(80, truth))) for _ in range(4)]
        exits = seen_exits(reentries({"land/VISIT": cell}), ["land/VISIT"], 30)
        low, high = np.quantile(exits.share_draws(rng, 400), [0.025, 0.975])
        held += low <= truth <= high
    assert held / trials > 0.92


def test_a_small_stratum_is_pulled_towards_its_mode_and_says_so() -> None:
    cells: Cells = {
        "air/VISIT": [(500, 475)] * 4, "air/STUDY": [(400, 380)] * 4, "air/CREW": [(2, 0), (1, 0)],
        "land/VISIT": [(300, 180)] * 4,
    }  # fmt: skip
    names = list(cells)
    exits = seen_exits(reentries(cells), names, 30)
    share = 1 / (1 + exits.odds)
    assert 0.6 < share[names.index("air/CREW")] < 0.94
    assert exits.borrowed.tolist() == [False, False, True, False]
    assert share[names.index("land/VISIT")] == pytest.approx(0.6, abs=0.02)


def test_a_mode_without_re_entries_is_blind() -> None:
    found = reentries({"air/VISIT": [(500, 475)] * 4})
    exits = seen_exits(found, ["air/VISIT", "sea/VISIT"], 30)
    assert exits.blind.tolist() == [False, True]
    draws = exits.share_draws(np.random.default_rng(1), 2_000)
    assert np.std(draws[1]) > 10 * np.std(draws[0])


def test_nothing_counted_at_all_is_blind() -> None:
    exits = seen_exits(LINKAGE_QUALITY.empty(), ["air/VISIT"], 30)
    assert exits.blind.all()


def test_months_that_scatter_more_than_chance_tell_less() -> None:
    steady = [(300, 270)] * 8
    lost = [(300, 290), (300, 200)] * 4
    calm = seen_exits(reentries({"land/VISIT": steady}), ["land/VISIT"], 30)
    wild = seen_exits(reentries({"land/VISIT": lost}), ["land/VISIT"], 30)
    assert calm.scatter[0] == 0.0
    assert wild.scatter[0] > 0.02
    assert wild.reentries[0] < calm.reentries[0] / 3
    rng = np.random.default_rng(1)
    share = np.full((1, 500), 0.9)
    assert np.std(spread_shares(share, wild.scatter, 3, rng)) > 0.03
    assert np.ptp(spread_shares(share, calm.scatter, 3, rng)) == 0.0


NAMES = ("air/VISIT", "air/STUDY", "air/WORK")


def anew(cells: Cells, share: Array) -> Array:
    """Slow and obvious: for each drawn truth (strata x draws) as many re-entries again, and the
    odds found once more: logarithms, against today's.
    """
    rng, names = np.random.default_rng(6), list(cells)
    today = seen_exits(reentries(cells), names, 30).odds
    out = []
    for truth in share.T:
        more = {
            n: [(2 * a, shut + int(rng.binomial(a, t))) for a, shut in cells[n]]
            for n, t in zip(names, truth, strict=True)
        }
        out.append(np.log(seen_exits(reentries(more), names, 30).odds / today))
    return np.array(out).T


def test_strata_of_a_mode_move_apart_as_they_are_estimated_anew_and_never_together() -> None:
    """What they move together is the mode's, and its walk's to say."""
    cells: Cells = {n: [(k, round(0.9 * k))] * 12 for n, k in zip(NAMES, (80, 40, 12), strict=True)}
    exits, rng = seen_exits(reentries(cells), NAMES, 30), np.random.default_rng(5)
    told = exits.reentries
    share = exits.share_draws(rng, 3_000)
    moved = np.log(exits.later_odds(share, exits.settled_months, rng) / exits.odds[:, None])
    assert told @ moved / told.sum() == pytest.approx(np.zeros(3_000), abs=0.02)
    again = anew(cells, share[:, :300])
    again -= told @ again / told.sum()
    assert moved.std(axis=1) == pytest.approx(again.std(axis=1), rel=0.35)


def test_of_a_mode_with_no_open_re_entry_one_more_may_say_all() -> None:
    cells: Cells = {"air/VISIT": [(100, 90)] * 12, "land/VISIT": [(5, 5)] * 12}
    exits, rng = seen_exits(reentries(cells), list(cells), 30), np.random.default_rng(8)
    assert not exits.blind.any()
    share = exits.share_draws(rng, 3_000)
    later = exits.later_odds(share, exits.settled_months, rng)[1]
    again = exits.odds[1] * np.exp(anew(cells, share[:, :400])[1])
    assert np.quantile(later, 0.975) == pytest.approx(np.quantile(again, 0.975), rel=0.5)
    assert np.quantile(later, 0.975) > 5 * exits.odds[1]


@pytest.mark.parametrize("name", ["land", "air"])
def test_what_will_be_said_follows_what_is_true(name: str) -> None:
    """Where a draw could not be true, its later estimate is no guide either: they hang together
    (half of the variance of the truth is learned once as many re-entries more are in).
    """
    cells: Cells = {f"{name}/VISIT": [(60, 54)] * 12, "sea/VISIT": [(60, 50)] * 12}
    exits, rng = seen_exits(reentries(cells), list(cells), 30), np.random.default_rng(9)
    share = exits.share_draws(rng, 4_000)
    truth, later = exits.drift.draw(rng, exits.level_scores(share), 12)
    true = np.log(share / (1 - share))[:, None] + truth[exits.mode]
    said = later[exits.mode]
    for stratum in range(2):
        related = np.corrcoef(true[stratum, 4], said[stratum, 4])[0, 1]
        assert 0.4 < related < 0.9
    assert abs(np.corrcoef(true[0, 4], said[1, 4])[0, 1]) < 0.1


def test_who_comes_back_later_and_leaves_less_seen_shows_as_a_trend() -> None:
    alike, _ = evidence(office(world(Kind.PLAIN)))
    unlike, _ = evidence(office(world(Kind.UNLIKE)))
    assert not return_trend(alike.linkage).clear
    trend = return_trend(unlike.linkage)
    assert trend.clear
    assert trend.shift < 0
    assert trend.odds_ratio() > 1.5
    assert trend.bound(3.0) >= 3.0


def test_by_exit_mode_there_are_bounds_alone() -> None:
    found = bound_exit_mode(800.0, 150.0)
    assert (found.value, found.lower, found.upper) == (800.0, 800.0, 950.0)


@pytest.mark.parametrize("shift", [-4.0, -1.0, -0.6, 0.6, 2.5])
def test_no_draw_of_a_trend_lies_beyond_its_bound(shift: float) -> None:
    trend = Trend(shift, abs(shift) / 4)
    drawn = trend.further(np.linspace(0.0, FURTHER, 50))
    assert (np.diff(drawn * np.sign(-shift)) >= 0).all()
    furthest = max(drawn.max(), 1 / drawn.min())
    assert trend.bound(3.0) >= furthest
    assert furthest <= MOST_UNLIKE * (1 + 1e-9)
    assert trend.odds_ratio() == pytest.approx(np.clip(np.exp(-shift), 0.1, 10.0))


def test_a_trend_that_is_not_clear_changes_nothing() -> None:
    trend = Trend(-1.0, 0.5)
    assert (trend.further(np.array([0.5, 1.8])) == 1).all()
    assert trend.bound(3.0) == 3.0
