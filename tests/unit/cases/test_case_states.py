"""The table of states: what must hold of it whoever reads or changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_web.cases.drawing import states_page
from sojourn_web.cases.guards import CaseFacts, PersonFacts
from sojourn_web.cases.states import (
    BEFORE_DEPARTURE,
    MEANING,
    TRANSITIONS,
    Move,
    State,
    choices,
    find_transition,
    why_not,
)
from sojourn_web.cases.vocabulary import Check, Stage, Who

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
dates = st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31))
people = st.builds(
    PersonFacts, is_child=st.booleans(), unaccompanied=st.booleans(), named=st.booleans(),
    consents=st.frozensets(st.sampled_from(Stage)), screened_until=dates, fit_until=dates,
    held_by_health=st.booleans(), document_until=dates, guardian=st.booleans(),
    best_interests=st.booleans(), reception=st.booleans(),
)  # fmt: skip
moments = st.none() | st.datetimes(
    NOW.replace(tzinfo=None, day=1), NOW.replace(tzinfo=None, month=4), timezones=st.just(UTC)
)
facts = st.builds(
    CaseFacts, now=st.just(NOW), today=st.just(NOW.date()),
    people=st.lists(people, max_size=3).map(tuple), has_counsellor=st.booleans(),
    checks_missing=st.frozensets(st.sampled_from(Check)),
    needs_advice=st.frozensets(st.sampled_from(Check)), referred=st.booleans(),
    appeal_open=st.booleans(), appeal_upheld=st.booleans(), travel_date=dates,
    leaves_at=moments, proof=st.booleans(), arrival=st.booleans(),
    plan_or_declined=st.booleans(), outcome_told=st.booleans(), was_not_departed=st.booleans(),
)  # fmt: skip


@given(facts, st.sampled_from((*BEFORE_DEPARTURE, State.STOPPED)),
       st.sampled_from((Who.APPLICANT, Who.COUNSELLOR, Who.SUPERVISOR)))  # fmt: skip
def test_withdrawing_is_open_whatever_is_known(known: CaseFacts, state: State, who: Who) -> None:
    leave = find_transition(Move.WITHDRAW)
    assert why_not(leave, state, who, known) == ()
    assert not leave.reason


@given(facts, st.sampled_from(State), st.sampled_from(Who))
def test_no_way_into_travel_or_out_of_it_without_current_consent(
    known: CaseFacts, state: State, who: Who
) -> None:
    for choice in choices(state, who, known):
        if not choice.is_open:
            continue
        asked = [p for p in known.people if not p.is_child or p.unaccompanied]
        if choice.transition.goal is State.TRAVEL and choice.transition.move is not (
            Move.UNDO_DEPARTURE  # they had left; the mistake is taken back
        ):
            assert asked
            assert all({Stage.APPLICATION, Stage.BOOKING} <= p.consents for p in asked)
            assert not known.checks_missing
            assert not known.needs_advice
            assert not known.referred
        if choice.transition.move is Move.CONFIRM_DEPARTURE:
            assert asked
            assert all(p.consents == frozenset(Stage) for p in asked)
            assert known.proof


@given(facts, st.sampled_from(State), st.sampled_from(Who))
def test_a_child_alone_goes_nowhere_without_all_three(
    known: CaseFacts, state: State, who: Who
) -> None:
    goals = (State.CONSENT, State.DOCUMENTS, State.TRAVEL, State.DEPARTED)
    backwards = (Move.UNDO_DEPARTURE, Move.UNDO_ARRIVAL, Move.CONSENT_WITHDRAWN, Move.NOT_DEPARTED)
    for choice in choices(state, who, known):
        if choice.is_open and choice.transition.goal in goals and (
            choice.transition.move not in backwards
        ):  # fmt: skip
            alone = [p for p in known.people if p.is_child and p.unaccompanied]
            assert all(p.guardian and p.best_interests and p.reception for p in alone)


def test_every_state_is_reached_and_left_and_every_move_taken_back() -> None:
    reached = {t.goal for t in TRANSITIONS} | {State.ENQUIRY}
    left = {s for t in TRANSITIONS for s in t.sources}
    assert reached == left == set(State) == set(MEANING)
    moves = {t.move for t in TRANSITIONS}
    assert moves == set(Move)
    for transition in TRANSITIONS:
        assert transition.reversible_by, transition.move
        for back in map(find_transition, transition.reversible_by):
            assert transition.goal in back.sources


def test_closed_buttons_say_why_and_open_ones_need_no_excuse() -> None:
    bare = CaseFacts(now=NOW, today=NOW.date())
    for state in State:
        for choice in choices(state, Who.COUNSELLOR, bare):
            assert choice.is_open == (not choice.why_not)
            assert all(reason.endswith(".") for reason in choice.why_not)


def ready() -> CaseFacts:
    day = date(2026, 3, 20)
    person = PersonFacts(
        consents=frozenset({Stage.APPLICATION, Stage.BOOKING}), screened_until=day, fit_until=day,
        document_until=day,
    )  # fmt: skip
    return CaseFacts(
        now=NOW, today=NOW.date(), people=(person,), has_counsellor=True,
        checks_missing=frozenset(), travel_date=day,
        leaves_at=datetime(2026, 3, 20, 12, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize("column", ["screened_until", "fit_until", "document_until"])
def test_what_ends_the_day_before_leaving_closes_the_booking(column: str) -> None:
    known = ready()
    book = find_transition(Move.BOOK)
    assert why_not(book, State.DOCUMENTS, Who.COUNSELLOR, known) == ()
    short = replace(known.people[0], **{column: date(2026, 3, 19)})
    late = replace(known, people=(short,))
    assert len(why_not(book, State.DOCUMENTS, Who.COUNSELLOR, late)) == 1
    past = replace(known, today=NOW.date() + timedelta(days=60))
    assert any("past" in r for r in why_not(book, State.DOCUMENTS, Who.COUNSELLOR, past))


def test_the_drawing_shows_every_state_and_move() -> None:
    page = states_page()
    assert all(f"`{s}`" in page for s in State)
    assert all(f"`{m}`" in page for m in Move)
