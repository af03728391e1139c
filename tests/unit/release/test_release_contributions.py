"""What one stay may change: against a slow and obvious reference, and by cases."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lib.releasing import lists_of, small_policy
from sojourn.release import contribute, empty_state, place_stays
from sojourn.release.contributions import CELL, PLACES, STATE
from sojourn.schemas import STAYS, Outcome, enum_of

POLICY = small_policy()
DAY = date(2026, 1, 10)
DIES = date(2028, 1, 1)

Standing = dict[tuple[bytes, int], tuple[str, date, str, str, str]]


def places_of(standing: Standing) -> pl.DataFrame:
    rows = [(*key, *cell, DIES) for key, cell in standing.items()]
    return pl.DataFrame(rows, schema={**PLACES, "dies_on": pl.Date}, orient="row")


def updated(state: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """The state after a release, as the store keeps it."""
    kept = state.join(fresh, on=["crossing_ref", "place"], how="anti")
    return pl.concat([kept, fresh]).select(list(STATE))


class Slow:
    """The rules again, one place at a time."""

    def __init__(self, corrections: int) -> None:
        self.most = 2 * corrections
        self.held: dict[tuple[bytes, int], tuple[str, date, str, str, str] | None] = {}
        self.spent: Counter[bytes] = Counter()

    def step(self, standing: Standing) -> Counter[tuple[str, date, str, str, str]]:
        changes: Counter[tuple[str, date, str, str, str]] = Counter()
        blocked: Counter[bytes] = Counter()
        for key in sorted({*self.held, *standing}):
            now = standing.get(key)
            if key not in self.held:
                self.held[key] = now
                changes[now] += 1  # type: ignore[index]
                continue
            before = self.held[key]
            if before == now:
                continue
            cost = (before is not None) + (now is not None)
            # What was asked for and not done still stands in the way of what comes after it.
            blocked[key[0]] += cost
            if blocked[key[0]] > self.most - self.start[key[0]]:
                continue
            self.spent[key[0]] += cost
            self.held[key] = now
            if before is not None:
                changes[before] -= 1
            if now is not None:
                changes[now] += 1
        return Counter({k: v for k, v in changes.items() if v})

    def begin(self) -> None:
        self.start = Counter(self.spent)


cells = st.tuples(
    st.sampled_from(["arrived", "left_late"]),
    st.sampled_from([DAY, DAY + timedelta(days=1)]),
    st.sampled_from(["FRA", "UTO"]),
    st.just("air"),
    st.just("VISIT"),
)
standings = st.dictionaries(
    st.tuples(st.sampled_from([b"a", b"b"]), st.sampled_from([1, 2, 3])), cells
)


@given(st.lists(standings, max_size=6), st.integers(0, 2))
def test_changes_are_those_of_the_slow_reference(turns: list[Standing], corrections: int) -> None:
    policy = small_policy(max_corrections=corrections, max_contributions=4 + 4 * corrections)
    state, slow = empty_state(), Slow(corrections)
    for standing in turns:
        done = contribute(places_of(standing), state, policy)
        slow.begin()
        expected = slow.step(standing)
        found = {tuple(r[n] for n in CELL): r["count"] for r in done.changes.to_dicts()}
        assert found == dict(expected)
        state = updated(state, done.state)


@given(st.lists(standings, max_size=8))
def test_no_stay_ever_changes_more_than_its_bound(turns: list[Standing]) -> None:
    """Counted as the proof counts: all changes of one arrival, with nobody else there."""
    state, changed = empty_state(), 0
    for standing in turns:
        own = {k: v for k, v in standing.items() if k[0] == b"a"}
        done = contribute(places_of(own), state, POLICY)
        changed += int(done.changes["count"].abs().sum())
        state = updated(state, done.state)
    assert changed <= 3 + 2 * POLICY.max_corrections <= POLICY.max_contributions


@given(st.lists(standings, max_size=6))
def test_leaving_one_out_changes_nothing_for_the_others(turns: list[Standing]) -> None:
    """Neighbouring data differ by the one's own changes alone: nobody else's bound moves."""
    both, alone = empty_state(), empty_state()
    for standing in turns:
        rest = {k: v for k, v in standing.items() if k[0] == b"b"}
        one = contribute(places_of(standing), both, POLICY)
        other = contribute(places_of(rest), alone, POLICY)
        both, alone = updated(both, one.state), updated(alone, other.state)
        assert both.filter(pl.col("crossing_ref") == b"b").sort("place").equals(alone.sort("place"))


def test_a_place_that_comes_twice_is_taken_once() -> None:
    twice = pl.concat([places_of({(b"a", 1): ("arrived", DAY, "FRA", "air", "VISIT")})] * 3)
    assert contribute(twice, empty_state(), POLICY).changes["count"].to_list() == [1]


def test_what_goes_beyond_the_bound_is_counted() -> None:
    state = empty_state()
    dropped = []
    for turn in range(4):
        day = DAY + timedelta(days=turn)
        done = contribute(
            places_of({(b"a", 1): ("arrived", day, "FRA", "air", "VISIT")}), state, POLICY
        )
        dropped.append(done.dropped)
        state = updated(state, done.state)
    assert dropped == [0, 0, 2, 2]
    assert state["day"].to_list() == [DAY + timedelta(days=1)]


def stay(**values: object) -> pl.DataFrame:
    row: dict[str, object] = dict.fromkeys(STAYS.names)
    row |= {
        "arrival_ref": b"a" * 16, "arrival_date": date(2026, 1, 1), "nationality": "FRA",
        "mode": "air", "admission_class": "VISIT", "authorised_until": date(2026, 1, 31),
        "stay_limit": "dated", "arrival_lists": 1, "departure_lists": 0,
        "outcome": "no_departure_recorded",
    }  # fmt: skip
    words = {"nationality": pl.String, "admission_class": pl.String}
    frame = pl.DataFrame([row | values], schema_overrides=words)
    outcome = frame["outcome"].cast(enum_of(Outcome))
    return STAYS.conform(frame).with_columns(outcome)


def placed(through: date, **values: object) -> set[tuple[str, date, str, str, str]]:
    found = place_stays(stay(**values), through, lists_of(POLICY), pl.lit(DIES))
    return {tuple(r[n] for n in CELL) for r in found.to_dicts()}  # type: ignore[misc]


def test_events_stand_on_their_days_and_wait_until_they_are_over() -> None:
    cell = ("FRA", "air", "VISIT")
    assert placed(date(2026, 1, 31)) == {("arrived", date(2026, 1, 1), *cell)}
    over = {
        ("arrived", date(2026, 1, 1), *cell),
        ("permission_ended", date(2026, 1, 31), *cell),
    }
    assert placed(date(2026, 2, 1)) == over
    left = placed(
        date(2026, 2, 9), departure_ref=b"d" * 16, departure_date=date(2026, 2, 5),
        departure_mode="sea", outcome="departed_late",
    )  # fmt: skip
    assert left == over | {
        ("left_late", date(2026, 1, 31), *cell),
        ("departed", date(2026, 2, 5), "FRA", "sea", "VISIT"),
    }


def test_words_on_no_list_are_other_and_unsaid_ones_unknown() -> None:
    assert placed(date(2026, 1, 2), nationality="DEU", admission_class="SPY") == {
        ("arrived", date(2026, 1, 1), "other", "air", "other")
    }
    assert placed(date(2026, 1, 2), nationality=None, admission_class=None) == {
        ("arrived", date(2026, 1, 1), "unknown", "air", "unknown")
    }


def test_a_stay_without_a_dated_limit_ends_nowhere() -> None:
    found = placed(date(2026, 5, 1), stay_limit="unknown", authorised_until=None,
                   outcome="status_changed")  # fmt: skip
    assert {event for event, *_ in found} == {"arrived"}
