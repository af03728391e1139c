"""The benchmark beside peers is fair: one assignment for all, and FEBRL mapped as it is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[3]))  # benchmarks are not installed

from benchmarks.peers.assign import (
    Pairs,
    Setting,
    assign,
    best_by_oracle,
    judge,
    read_pairs,
    utilities,
)
from benchmarks.peers.febrl import map_febrl

from sojourn.schemas import CROSSINGS, TRUTH, check_table

START = datetime(2025, 1, 1, tzinfo=UTC)


def pairs_of(rows: list[tuple[int, int, float, float]]) -> Pairs:
    """(arrival, departure, weight, gap in days); departures leave in the order of their rows."""
    arrival, departure, weight, gap = (np.array(c) for c in zip(*rows, strict=True))
    return Pairs(
        arrival.astype(np.int64), departure.astype(np.int64), weight.astype(float),
        gap.astype(float), departure.astype(float), np.zeros(len(rows), dtype=bool),
    )  # fmt: skip


def taken_pairs(pairs: Pairs, setting: Setting) -> set[tuple[int, int]]:
    taken = assign(pairs, setting)
    return set(zip(pairs.arrival[taken].tolist(), pairs.departure[taken].tolist(), strict=True))


def greedy_slowly(pairs: Pairs, setting: Setting) -> set[tuple[int, int]]:
    """Take the best pair that is left, strike out whoever it used, again."""
    worth = utilities(pairs, setting)
    left = {
        (-float(worth[i]), float(pairs.gap_days[i]), int(pairs.arrival[i]), int(pairs.departure[i]))
        for i in range(worth.size)
        if worth[i] >= setting.threshold
    }
    found = set()
    while left:
        _, _, arrival, departure = min(left)
        found.add((arrival, departure))
        left = {p for p in left if p[2] != arrival and p[3] != departure}
    return found


@st.composite
def some_pairs(draw: st.DrawFn) -> Pairs:
    cells = draw(
        st.dictionaries(
            st.tuples(st.integers(0, 5), st.integers(6, 11)),
            st.tuples(st.sampled_from([-3.0, 0.0, 2.0, 9.0]), st.sampled_from([0.5, 3.0, 90.0])),
            min_size=1,
        )
    )
    return pairs_of([(a, d, w, g) for (a, d), (w, g) in cells.items()])


@given(some_pairs(), st.sampled_from([0.0, 0.5, 3.0]), st.sampled_from([-99.0, 0.0, 5.0]))
def test_the_fast_assignment_takes_what_the_slow_greedy_takes(
    pairs: Pairs, gap_cost: float, threshold: float
) -> None:
    setting = Setting("w", gap_cost=gap_cost, threshold=threshold)
    assert taken_pairs(pairs, setting) == greedy_slowly(pairs, setting)


@given(some_pairs(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_in_which_a_peer_gives_its_pairs_does_not_matter(
    pairs: Pairs, random: object, in_time_order: bool
) -> None:
    order = list(range(pairs.weight.size))
    random.shuffle(order)  # type: ignore[attr-defined]
    columns = ("arrival", "departure", "weight", "gap_days", "left_at", "true")
    shuffled = Pairs(*(getattr(pairs, c)[order] for c in columns))
    setting = Setting("w", gap_cost=0.5, in_time_order=in_time_order)
    assert taken_pairs(shuffled, setting) == taken_pairs(pairs, setting)


def test_of_two_equal_pairs_the_shorter_stay_is_taken() -> None:
    pairs = pairs_of([(0, 2, 5.0, 300.0), (1, 2, 5.0, 4.0)])
    assert taken_pairs(pairs, Setting("w")) == {(1, 2)}


def test_a_long_gap_costs_a_heavier_pair_its_departure() -> None:
    pairs = pairs_of([(0, 2, 5.5, 300.0), (1, 2, 5.0, 4.0)])
    assert taken_pairs(pairs, Setting("w")) == {(0, 2)}
    assert taken_pairs(pairs, Setting("w", gap_cost=4.5)) == {(1, 2)}


def test_in_the_order_of_time_the_first_departure_chooses_first() -> None:
    pairs = pairs_of([(0, 2, 5.0, 3.0), (0, 3, 9.0, 8.0)])
    assert taken_pairs(pairs, Setting("w")) == {(0, 3)}
    assert taken_pairs(pairs, Setting("w", in_time_order=True)) == {(0, 2)}


def test_a_pair_under_the_floor_is_never_taken() -> None:
    pairs = pairs_of([(0, 4, -8.0, 1.0), (1, 5, 1.0, 1.0), (2, 6, 2.0, 1.0), (3, 7, 3.0, 1.0)])
    assert (0, 4) not in taken_pairs(pairs, Setting("w", floor=0.3))
    assert (3, 7) in taken_pairs(pairs, Setting("w", floor=0.3))


def border() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two arrivals, two departures, in this order; the first of each belong together."""
    crossings = pl.DataFrame(
        {
            "crossing_id": ["a1", "a2", "d1", "d2"],
            "event_time": [START, START + timedelta(days=9), START + timedelta(days=5),
                           START + timedelta(days=12)],
        }
    )  # fmt: skip
    return crossings, pl.DataFrame({"arrival_id": ["a1", "a2"], "departure_id": ["d1", "d2"]})


def test_pairs_that_leave_before_they_come_or_are_given_twice_do_not_count() -> None:
    crossings, truth = border()
    given_pairs = pl.DataFrame(
        {"arrival": [0, 0, 1, 1], "departure": [2, 2, 2, 3], "w": [4.0, 4.0, 9.0, 4.0]}
    )
    pairs = read_pairs(given_pairs, "w", crossings, truth)
    assert list(zip(pairs.arrival, pairs.departure, strict=True)) == [(0, 2), (1, 3)]
    assert pairs.true.all()
    assert pairs.gap_days.tolist() == [5.0, 3.0]


@given(some_pairs(), st.data())
def test_the_oracle_is_at_least_as_good_as_any_plain_threshold(
    pairs: Pairs, data: st.DataObject
) -> None:
    true = data.draw(st.lists(st.booleans(), min_size=pairs.weight.size,
                              max_size=pairs.weight.size))  # fmt: skip
    pairs = Pairs(pairs.arrival, pairs.departure, pairs.weight, pairs.gap_days, pairs.left_at,
                  np.array(true))  # fmt: skip
    best = best_by_oracle(pairs, real=max(1, sum(true)), weight="w")
    again = judge(assign(pairs, best.setting), pairs, max(1, sum(true)), best.setting)
    assert again.f1 == pytest.approx(best.f1)
    for threshold in (-99.0, 0.0, 5.0):
        plain = Setting("w", gap_cost=2.0, threshold=threshold)
        found = judge(assign(pairs, plain), pairs, max(1, sum(true)), plain)
        assert best.f1 >= found.f1 - 1e-12


def febrl(suffix: str, order: list[int], **changes: str | None) -> pl.DataFrame:
    rows = [
        {"rec_id": f"rec-{i}-{suffix}", "given_name": "mia", "surname": "o'brien",
         "postcode": "4223", "date_of_birth": "19151111", "soc_sec_id": f"53{i:05}", **changes}
        for i in order
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"surname": pl.String, "date_of_birth": pl.String})


def test_febrl_becomes_crossings_whose_truth_joins_original_and_duplicate() -> None:
    crossings, truth = map_febrl(febrl("org", [1, 2, 11]), febrl("dup-0", [11, 1, 2]))
    check_table(crossings, CROSSINGS)
    check_table(truth, TRUTH)
    assert set(truth.select(TRUTH.key).rows()) == {
        (f"rec-{i}-org", f"rec-{i}-dup-0") for i in (1, 2, 11)
    }
    assert crossings["birth_date"].unique().to_list() == ["1915-11-11"]
    assert crossings["surname"].unique().to_list() == ["O'BRIEN"]
    assert crossings["sex"].null_count() == crossings.height


def test_every_febrl_departure_comes_after_every_arrival_and_time_tells_no_pair() -> None:
    crossings, _ = map_febrl(febrl("org", [1, 2, 11]), febrl("dup-0", [11, 1, 2]))
    by_side = crossings.group_by("direction").agg(
        first=pl.col("event_time").min(), last=pl.col("event_time").max()
    )
    arrived = by_side.row(by_predicate=pl.col("direction") == "arrival", named=True)
    left = by_side.row(by_predicate=pl.col("direction") == "departure", named=True)
    assert left["first"] > arrived["last"]
    assert crossings.filter(pl.col("direction") == "departure").sort("event_time")[
        "crossing_id"
    ].to_list() == ["rec-11-dup-0", "rec-1-dup-0", "rec-2-dup-0"]


def test_what_febrl_leaves_out_or_mangles_becomes_empty_or_null() -> None:
    a = febrl("org", [1], surname=None, date_of_birth="191511")
    crossings, _ = map_febrl(a, febrl("dup-0", [1], date_of_birth=None))
    assert crossings["birth_date"].null_count() == 2
    assert crossings["surname"].to_list() == ["", "O'BRIEN"]
