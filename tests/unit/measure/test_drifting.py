"""Coverage that moves: followed where it drifts, left where it is steady, wide where unseen."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from lib.small_offices import evidence, office, world
from sojourn.measure.arrived import arrival_months, came_in, ended_before, monthly, told_by_now
from sojourn.measure.drifting import SLOPE, STEPS, Drift, find_drift
from sojourn.measure.evidence import lay_out
from sojourn.simulate.small_world import Kind
from sojourn.vocabulary import LinkageCount as What

MONTHS = 16
Array = NDArray[np.float64]
ONE_MODE = np.zeros(1, dtype=np.int64)


def drift_of(asked: Array, closed: Array, share: float) -> Drift:
    return find_drift(asked[None], closed[None], np.array([share]), np.zeros(1), ONE_MODE)


def levels(draws: int) -> Array:
    return np.random.default_rng(9).standard_normal((1, draws))


def logit(share: Array) -> Array:
    return np.log(share / (1 - share))


def test_a_steady_country_is_left_alone() -> None:
    asked = np.full(MONTHS, 400.0)
    found = drift_of(asked, asked * 0.9, 0.9)
    assert not found.clear
    assert np.abs(found.value).max() < 0.01
    truth, _ = found.draw(np.random.default_rng(1), levels(800), 12)
    assert np.std(truth) < 0.06


def test_a_drift_is_followed_and_held_19_times_in_20() -> None:
    rng, held, seen = np.random.default_rng(2), 0, 0
    for _ in range(40):
        line = 0.8 - np.linspace(-0.6, 0.6, MONTHS) + rng.normal(0.0, 0.3)
        asked = np.full(MONTHS, 300.0)
        closed = rng.binomial(300, 1 / (1 + np.exp(-line))).astype(float)
        share = closed.sum() / asked.sum()
        found = drift_of(asked, closed, share)
        assert found.clear
        assert found.value[0, 0] > 0.3
        assert found.value[0, -1] < -0.3
        truth, _ = found.draw(rng, levels(400), 12)
        low, high = np.quantile(truth[0], [0.025, 0.975], axis=1)
        apart = line - logit(np.array([share]))
        held += int(((low <= apart) & (apart <= high)).sum())
        seen += MONTHS
    assert 0.92 <= held / seen <= 1.0


def test_months_without_re_entries_are_wider_the_further_off_they_are() -> None:
    rng = np.random.default_rng(3)
    asked = np.append(np.full(12, 300.0), np.zeros(4))
    closed = rng.binomial(asked.astype(int), np.linspace(0.9, 0.7, 16)).astype(float)
    found = drift_of(asked, closed, closed.sum() / asked.sum())
    truth, later = found.draw(rng, levels(2_000), 12)
    wide = truth[0].std(axis=1)
    assert wide[15] > wide[13] > wide[5]
    # Of months whose travellers are back little more is learned; the last ones may move as far
    # as they may be wrong.
    moves = later[0].std(axis=1)
    assert (moves < wide + 0.01).all()
    assert moves[5] < 0.8 * wide[5]
    assert moves[15] > 0.95 * wide[15]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_what_is_said_later_moves_as_far_as_the_walks_drawn_and_followed_anew(size: int) -> None:
    """Slow and obvious: draw a walk, draw the re-entries of a year more, and estimate again, the
    level included.
    """
    rng, ahead, step = np.random.default_rng(4), 12, STEPS[size]
    usual = np.append(np.full(12, 300.0), [200.0, 100.0, 0.0, 0.0])
    closed = np.round(usual * 0.8)
    walk = drift_of(usual, closed, 0.8).walks[size][0]
    _, said = walk.draw(rng, levels(4_000)[0], ahead)
    asked = np.append(np.full(12 + ahead, 300.0), [200.0, 100.0, 0.0, 0.0])
    level = logit(np.array([0.8]))
    when = np.arange(MONTHS + ahead) - (MONTHS - 1) / 2
    anew = []
    for _ in range(250):
        first, slope, *steps = rng.multivariate_normal(
            np.zeros(MONTHS + 1), np.linalg.inv(walk.precision)
        )
        moves = np.append([0.0, *steps], rng.standard_normal(ahead))
        at = level + walk.centre.mean() + first + step * (SLOPE * slope * when + moves.cumsum())
        share = 1 / (1 + np.exp(-at))
        more = asked - np.append(usual, np.zeros(ahead))
        all_closed = np.append(closed, np.zeros(ahead)) + rng.binomial(more.astype(int), share)
        again = np.array([all_closed.sum() / asked.sum()])
        found = drift_of(asked, all_closed, float(again[0])).walks[size][0]
        anew.append(found.centre[:MONTHS] + logit(again) - level)
    moved, expected = said.std(axis=1), np.std(anew, axis=0)
    # Where a month's travellers are back; beyond, the walk is not trusted so far.
    assert moved[:12] == pytest.approx(expected[:12], rel=0.25, abs=0.005)
    assert (moved[12:] > 0.8 * expected[12:]).all()


def test_a_short_history_learns_from_a_whole_year_to_come() -> None:
    """Four months so far: of the twelve to come each tells as much as one of them."""
    closed = np.full(4, 90.0)
    walk = drift_of(closed / 0.9, closed, 0.9).walks[0][0]
    _, later = walk.draw(np.random.default_rng(1), levels(4_000)[0], 12)
    error = 1 / np.sqrt(walk.weight.sum() + 1)
    assert later.std(axis=1) == pytest.approx(np.full(4, error * np.sqrt(12 / 16)), rel=0.1)


@pytest.mark.parametrize("name", ["VISIT", "WORK"])
def test_stays_that_must_end_in_a_month_are_found_among_arrivals(name: str) -> None:
    of = office(world(stays=30_000))
    found, day = evidence(of)
    layout = lay_out(found.counts, day)
    share = came_in(found.linkage, layout)[layout.strata.index(f"air/{name}")]
    assert share.sum(axis=1) == pytest.approx(np.ones(len(layout.months)))
    months = arrival_months(found.linkage)
    stays = of._base.filter((pl.col("mode") == "air") & (pl.col("admission_class") == name))
    for at in range(len(layout.months) - 2, len(layout.months)):
        mine = stays.filter(pl.col("period") == layout.months[at])["came"]
        true = np.mean([months.index(m) for m in mine.to_list()])
        assert share[at] @ np.arange(len(months)) == pytest.approx(true, abs=0.4)


def test_re_entries_whose_departure_may_still_be_reported_are_left_out() -> None:
    found, day = evidence(office(world(stays=20_000)))
    whole = monthly(found.linkage, What.REENTRIES, ["air/VISIT"])[0]
    months = arrival_months(found.linkage)
    kept = monthly(told_by_now(found.linkage, day, 60), What.REENTRIES, ["air/VISIT"])[0]
    young = np.array([m + timedelta(days=90) > day for m in months])
    assert kept[young].sum() == 0
    assert (kept[~young] == whole[~young]).all()
    # A source that takes a year to tell: half of all are kept.
    most = monthly(told_by_now(found.linkage, day, 400), What.REENTRIES, ["air/VISIT"])[0]
    assert most.sum() > 0.4 * whole.sum()


def test_of_a_source_that_fell_silent_stays_that_had_ended_before_are_kept() -> None:
    of = office(world(Kind.STOPS, stays=40_000))
    found, day = evidence(of, day=500)
    layout = lay_out(found.counts, day)
    silent = of.date_of(430)
    kept = ended_before(found.linkage, layout, silent)
    months = arrival_months(kept)
    for name, permitted in (("land/VISIT", 90), ("land/WORK", 270)):
        asked = monthly(kept, What.REENTRIES, [name])[0]
        last = max(m for m, n in zip(months, asked, strict=True) if n)
        until = last + timedelta(days=31 + permitted)
        assert date(2023, 12, 1) <= until <= silent + timedelta(days=31)

    def seen(of: pl.DataFrame) -> float:
        names = [s for s in layout.strata if s.startswith("land/")]
        shut, asked = (monthly(of, w, names).sum() for w in (What.REENTRIES_CLOSED, What.REENTRIES))
        return float(shut / asked)

    assert seen(kept) > seen(found.linkage) + 0.01
