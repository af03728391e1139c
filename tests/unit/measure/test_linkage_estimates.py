"""Each formula gives back what its own model was made of; what is small is hidden."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.measure import Ended, correct_ended, judge_groups, judge_linkage, worst_gaps
from sojourn.measure.corrected import timed_errors
from sojourn.measure.estimate import (
    missed_by_both,
    partnerless,
    pulled,
    share_of,
    with_odds,
)
from sojourn.measure.remaining import Pending
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

shares = st.floats(0.01, 0.99)


def counts(values: dict[What, int], kind: Group = Group.ALL, name: str = "") -> pl.DataFrame:
    rows = [(date(2025, 1, 1), kind.value, name, w.value, n) for w, n in values.items()]
    return pl.DataFrame(rows, schema=LINKAGE_QUALITY.schema, orient="row")


def country(
    departures: int = 10_000, linked: int = 9_500, chance: float = 0.1, taken: float = 0.0
) -> dict[What, int]:
    return {
        What.DEPARTURES: departures,
        What.DEPARTURES_LINKED: linked,
        What.ARRIVALS: departures,
        What.ARRIVALS_LINKED: linked,
        What.FOUND_BY_DOCUMENTS: linked,
        What.FOUND_BY_NAMES: linked,
        What.FOUND_BY_BOTH: linked,
        What.ARRIVALS_WITHHELD: 100_000,
        What.ARRIVALS_WITHHELD_LINKED: int(100_000 * chance),
        What.DEPARTURES_WITHHELD: 100_000,
        What.DEPARTURES_WITHHELD_TAKEN: int(100_000 * taken),
        What.REENTRIES: 1_000,
        What.REENTRIES_CLOSED: 900,
    }


def everywhere(values: dict[What, int]) -> pl.DataFrame:
    """The same country in total, in its one mode and its one class."""
    cells = ((Group.ALL, ""), (Group.MODE, "air"), (Group.MODE_CLASS, "air/VISIT"))
    return pl.concat([counts(values, kind, name) for kind, name in cells])


@given(
    recorded=st.integers(0, 10**6), partnerless_ones=st.integers(0, 10**5),
    sensitivity=st.floats(0.6, 1.0), chance=st.floats(0.0, 0.5),
)  # fmt: skip
def test_departures_without_arrival_are_found_again(
    recorded: int, partnerless_ones: int, sensitivity: float, chance: float
) -> None:
    linked = sensitivity * recorded + chance * partnerless_ones
    found = partnerless(recorded + partnerless_ones, linked, sensitivity, chance)
    assert found == pytest.approx(partnerless_ones, rel=1e-6, abs=1e-3)


@given(pairs=st.integers(1_000, 10**7), first=shares, second=shares)
def test_two_independent_sources_say_how_many_neither_found(
    pairs: int, first: float, second: float
) -> None:
    both = pairs * first * second
    missed = missed_by_both(both, pairs * first - both, pairs * second - both)
    truly = pairs * (1 - first) * (1 - second)
    assert missed.value == pytest.approx(truly, rel=1e-6)
    assert missed.lower <= truly <= missed.upper


@given(counted=st.integers(0, 1_000), more=st.integers(0, 1_000))
def test_an_interval_of_a_share_holds_the_share(counted: int, more: int) -> None:
    found = share_of(counted, counted + more)
    assert 0.0 <= found.lower <= found.value <= found.upper <= 1.0
    if counted + more:
        assert found.upper > found.lower


@given(share=shares, ratio=st.floats(0.1, 10.0))
def test_odds_are_turned_and_turned_back(share: float, ratio: float) -> None:
    assert with_odds(with_odds(share, ratio), 1 / ratio) == pytest.approx(share)


@given(counted=st.integers(0, 50), more=st.integers(0, 50), whole=shares)
def test_a_small_cell_lies_between_its_own_share_and_the_wholes(
    counted: int, more: int, whole: float
) -> None:
    own = counted / (counted + more) if counted + more else whole
    assert min(own, whole) - 1e-9 <= pulled(counted, counted + more, whole, 20.0)
    assert pulled(counted, counted + more, whole, 20.0) <= max(own, whole) + 1e-9


def test_false_links_are_a_chance_times_a_number() -> None:
    # 10,000 departures, links as if all recorded pairs were found and a tenth of 500 others.
    found = judge_linkage(everywhere(country(linked=9_550)))
    assert found is not None
    assert found.without_arrival == pytest.approx(500, rel=0.001)
    assert found.false_links.value == pytest.approx(50, rel=0.001)
    assert found.false_links.lower < 50 < found.false_links.upper


def test_arrivals_whose_departure_was_not_seen_take_departures_of_others() -> None:
    found = judge_linkage(everywhere(country(linked=10_000, chance=0.0, taken=0.01)))
    assert found is not None
    unseen = 10_000 * (1 - 0.9) / 0.9
    assert found.false_links.value == pytest.approx(0.01 * unseen, rel=0.01)


def test_coverage_weighs_cells_by_stays_not_by_how_often_people_come() -> None:
    def cell(linked: int, seen: int, asked: int) -> dict[What, int]:
        return country(linked, linked) | {What.REENTRIES: asked, What.REENTRIES_CLOSED: seen}

    air, land = cell(9_000, 9_000, 10_000), cell(1_000, 50_000, 100_000)
    whole = {w: air[w] + land[w] for w in air}
    parts = [
        counts(whole), counts(whole, Group.MODE, "all"),
        counts(air, Group.MODE_CLASS, "air/VISIT"), counts(land, Group.MODE_CLASS, "land/WORK"),
    ]  # fmt: skip
    found = judge_linkage(pl.concat(parts))
    assert found is not None
    assert found.coverage.value == pytest.approx(10_000 / (9_000 / 0.9 + 1_000 / 0.5), rel=0.01)


def test_nothing_counted_is_nothing_said() -> None:
    assert judge_linkage(LINKAGE_QUALITY.empty()) is None
    assert judge_groups(LINKAGE_QUALITY.empty(), Group.SEX) == ()
    assert correct_ended(LINKAGE_QUALITY.empty(), Ended(10, 1, 1)) is None


def test_small_groups_are_hidden_and_a_lone_one_not_alone() -> None:
    sizes = {"AAA": 5_000, "BBB": 400, "CCC": 99}
    parts = [counts(country())] + [
        counts(country(n, n), Group.NATIONALITY, name) for name, n in sizes.items()
    ]
    shown = judge_groups(pl.concat(parts), Group.NATIONALITY)
    assert [q.group_name for q in shown] == ["AAA"]
    two = pl.concat([*parts, counts(country(7, 7), Group.NATIONALITY, "DDD")])
    assert [q.group_name for q in judge_groups(two, Group.NATIONALITY)] == ["AAA", "BBB"]


def test_a_group_that_linking_serves_worse_is_named() -> None:
    def group(name: str, documents: int, names: int, both: int) -> pl.DataFrame:
        kinds = {What.FOUND_BY_DOCUMENTS: documents, What.FOUND_BY_NAMES: names,
                 What.FOUND_BY_BOTH: both}  # fmt: skip
        return counts(country() | kinds, Group.SCRIPT, name)

    parts = [
        counts(country()),
        group("Latn", 9_400, 9_450, 9_350), group("Arab", 7_000, 8_500, 6_000),
    ]  # fmt: skip
    (gap,) = worst_gaps(judge_groups(pl.concat(parts), Group.SCRIPT))
    assert gap.group_name == "Arab"
    assert gap.beyond_chance
    assert gap.sensitivity < gap.elsewhere


def test_equal_groups_have_no_gap_beyond_chance() -> None:
    parts = [counts(country())] + [counts(country(), Group.SEX, name) for name in "FM"]
    (gap,) = worst_gaps(judge_groups(pl.concat(parts), Group.SEX))
    assert not gap.beyond_chance


def test_a_false_link_in_time_hides_an_open_stay_and_is_put_back() -> None:
    values = country(linked=9_550)
    timed = [
        counts({What.ARRIVALS_WITHHELD_LINKED: 6_000}, Group.TIMING, "in time"),
        counts({What.ARRIVALS_WITHHELD_LINKED: 4_000}, Group.TIMING, "late"),
    ]
    found = correct_ended(pl.concat([everywhere(values), *timed]), Ended(9_000, 100, 300))
    assert found is not None
    assert found.no_departure.value == pytest.approx(350, rel=0.01)
    assert found.late.value == pytest.approx(80, rel=0.01)
    assert found.late_or_open.value == pytest.approx(430, rel=0.01)


@pytest.mark.parametrize("late", [0, 1, 4])
def test_how_few_false_links_told_when_they_fall_is_part_of_the_error(late: int) -> None:
    """Ten false links in a thousand trials: those of either timing are as unsure as counts of
    their own (a split Poisson), none of them included.
    """
    values = country(linked=9_550) | {
        What.ARRIVALS_WITHHELD: 1_000, What.ARRIVALS_WITHHELD_LINKED: 10,
        What.ARRIVALS_ENDED: 9_900, What.ARRIVALS_ENDED_LINKED: 9_400,
    }  # fmt: skip
    timed = [
        counts({What.ARRIVALS_WITHHELD_LINKED: n}, Group.TIMING, name)
        for name, n in (("in time", 10 - late), ("late", late))
    ]
    found = timed_errors(pl.concat([everywhere(values), *timed]))
    each = sum(t.false_each for t in found.values()) / 10
    for name, of in (("in time", 10 - late), ("late", late)):
        assert found[name].false_each == pytest.approx(of * each)
        assert found[name].false_error == pytest.approx(each * np.sqrt(max(of, 0.5)), rel=0.3)


def test_how_many_late_links_are_missed_is_as_sure_as_their_own_counts_say() -> None:
    """95 by documents, 94 by names, 90 by both: next to none is missed, whatever false links do."""
    values = country(linked=9_550) | {
        What.ARRIVALS_ENDED: 9_900, What.ARRIVALS_ENDED_LINKED: 9_400,
    }  # fmt: skip
    late = {
        What.ARRIVALS_WITHHELD_LINKED: 3_000, What.FOUND_BY_DOCUMENTS: 950,
        What.FOUND_BY_NAMES: 940, What.FOUND_BY_BOTH: 900,
    }  # fmt: skip
    in_time = late | {What.ARRIVALS_WITHHELD_LINKED: 7_000}
    timed = [counts(late, Group.TIMING, "late"), counts(in_time, Group.TIMING, "in time")]
    found = timed_errors(pl.concat([everywhere(values), *timed]))["late"].sensitivity
    assert found.lower < found.value
    own = 950 * 940 / 900  # pairs there are (Lincoln-Petersen); their variance, Chapman's
    spread = np.sqrt(own * (950 - 900) * (940 - 900) / 900**2)
    assert found.value - found.lower == pytest.approx(1.96 * spread / own, rel=0.25)


def test_what_a_few_trials_never_met_is_not_thereby_impossible() -> None:
    """No false link in 30 trials leaves up to 3 of 30 possible (the rule of three)."""
    few = country(linked=9_550, chance=0.0) | {
        What.ARRIVALS_WITHHELD: 30, What.ARRIVALS_ENDED: 9_900, What.ARRIVALS_ENDED_LINKED: 9_400,
    }  # fmt: skip
    many = few | {What.ARRIVALS_WITHHELD: 100_000}
    timed = [
        counts({What.ARRIVALS_WITHHELD_LINKED: 0}, Group.TIMING, n) for n in ("in time", "late")
    ]
    unsure, sure = (timed_errors(pl.concat([everywhere(v), *timed])) for v in (few, many))
    for name in ("in time", "late"):
        assert unsure[name].false_each == sure[name].false_each == 0
        assert unsure[name].false_error > 100 * sure[name].false_error


def test_where_documents_and_names_never_find_the_same_late_link_nothing_tells_how_many_miss() -> (
    None
):
    values = country(linked=9_550) | {
        What.ARRIVALS_ENDED: 9_900, What.ARRIVALS_ENDED_LINKED: 9_400,
    }  # fmt: skip
    late = {What.FOUND_BY_DOCUMENTS: 3, What.FOUND_BY_NAMES: 2, What.FOUND_BY_BOTH: 0}
    in_time = {What.FOUND_BY_DOCUMENTS: 950, What.FOUND_BY_NAMES: 940, What.FOUND_BY_BOTH: 900}
    timed = [counts(late, Group.TIMING, "late"), counts(in_time, Group.TIMING, "in time")]
    found = timed_errors(pl.concat([everywhere(values), *timed]))
    assert (found["late"].sensitivity.lower, found["late"].sensitivity.upper) == (0.0, 1.0)
    assert found["in time"].sensitivity.lower > 0.98


def test_false_links_may_be_fewer_than_expected_as_well_as_more() -> None:
    """Next to nothing to come, four false links among what is in: chance of those alone."""
    open_ = np.array([[400.0]])
    pending = Pending(np.array([0.05]), np.array([0.06])).less(open_, np.array([[0.01]]))
    drawn = pending.draw((1, 20_000), np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(0.0, abs=0.1)
    assert drawn.std() == pytest.approx(np.sqrt(4.06), rel=0.05)
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert -4.5 < low < -2.5
    assert 2.5 < high < 4.5
