"""Any course of a case: whatever is clicked by whom in whatever order, the safeguards hold.

A state machine of the services. What it checks is read from the tables, never asked of the guards:
they are the thing under test.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lib.cast import AMINA, CHILD, IBRAHIM, NOW, Cast, applicant_of, key, open_for, people_of
from lib.desk import trail_is_whole
from lib.visitor import desk_of
from sojourn_web.cases.demo_steps import COURSE, Wish, bring_to
from sojourn_web.cases.errors import CaseError
from sojourn_web.cases.models import (
    Case,
    ChecklistItem,
    ChildSafeguard,
    Consent,
    Document,
    Hold,
    Journey,
    MoneyLine,
    Person,
    Screening,
)
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.scanning import NoScanner
from sojourn_web.cases.services import checks, consents, keeping, looking, moving, travel
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import BEFORE_DEPARTURE, Move, State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    DocumentKind,
    Holder,
    MoneyKind,
    ProofKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
DAY = timedelta(days=1)
PLACES = st.integers(0, 2)  # of a person in the plan; one that there is not does nothing
LATE = (State.CONSENT, State.DOCUMENTS, State.TRAVEL)
FREE = [m for m in Move if m not in (Move.WITHDRAW, Move.STOP)]


class Course(RuleBasedStateMachine):
    """One case. ``cast`` is set by the test, which has a database."""

    cast: Cast

    @initialize(family=st.sampled_from((True, True, False)), child=st.booleans(),
                state=st.sampled_from((*COURSE, *LATE, *LATE)))  # fmt: skip
    def begin(self, family: bool, child: bool, state: State) -> None:
        self.now: datetime = NOW
        people = [AMINA, *([IBRAHIM] if family else []), *([CHILD] if child else [])]
        self.pk = open_for(self.cast, *people).pk
        leaves = NOW + 5 * DAY
        bring_to(self.room, desk_of(self.cast), self.pk, Wish(state, leaves))
        if state is State.DEPARTED:
            self.now = leaves + DAY
        self.before = self.state

    @property
    def room(self) -> Room:
        return Room(self.cast.room.keys, self.now)

    @property
    def case(self) -> Case:
        return Case.objects.get(pk=self.pk)

    @property
    def state(self) -> State:
        return State(self.case.state)

    def person(self, place: int) -> Person | None:
        found = people_of(self.case)
        return found[place] if place < len(found) else None

    def actor(self, place: int) -> Actor:
        """Staff, or one of the people."""
        person = self.person(place)
        return self.cast.counsellor if person is None else applicant_of(self.case, place)

    def does(self, service: Callable[..., Any], *args: Any, **more: Any) -> bool:
        """Whether it was done. A refusal changes nothing; what else is raised fails the test."""
        self.before = self.state
        with suppress(CaseError):
            service(self.room, *args, **more)
            return True
        return False

    @rule(hours=st.sampled_from((1, 5, 20, 30, 24 * 40)))
    def time_passes(self, hours: int) -> None:
        """Nothing is decided by silence, and nothing by the schedule."""
        self.now += timedelta(hours=hours)
        self.before = self.state
        keeping.tick(self.room, NoScanner())
        assert self.state == self.before

    @rule(name=st.sampled_from(FREE), who=st.integers(0, 3))
    def moves(self, name: Move, who: int) -> None:
        actor = self.cast.supervisor if who == 3 else self.actor(who)
        self.does(moving.move, actor, self.pk, name, reason="It was so.")

    @rule(check=st.sampled_from(Check), answer=st.sampled_from(CheckAnswer))
    def talks(self, check: Check, answer: CheckAnswer) -> None:
        self.does(checks.complete_check, self.cast.counsellor, self.pk, check, answer,
                  language="en", key=key())  # fmt: skip

    @rule(place=PLACES, kind=st.sampled_from(ScreeningKind), found=st.sampled_from(ScreeningResult),
          medical=st.booleans(), days=st.integers(0, 200))  # fmt: skip
    def screens(
        self, place: int, kind: ScreeningKind, found: ScreeningResult, medical: bool, days: int
    ) -> None:
        if person := self.person(place):
            actor = self.cast.medical if medical else self.cast.counsellor
            until = (self.now + days * DAY).date()
            self.does(checks.screen, actor, self.pk, person.pk, kind, found, key=key(),
                      valid_until=until, support="a wheelchair")  # fmt: skip

    @rule(place=PLACES, stage=st.sampled_from((None, *Stage)), purpose=st.sampled_from(Purpose))
    def consents(self, place: int, stage: Stage | None, purpose: Purpose) -> None:
        if person := self.person(place):
            self.does(
                consents.give_consent, self.actor(place), self.pk, person.pk, purpose,
                declaration_id=self.cast.wordings[purpose].pk, language="en", key=key(),
                stage=stage, guardian="Her aunt",
            )  # fmt: skip

    @rule(place=PLACES, purpose=st.sampled_from(Purpose))
    def takes_it_back(self, place: int, purpose: Purpose) -> None:
        person = self.person(place)
        rows = Consent.objects.filter(person=person, purpose=purpose, withdrawn_at=None)
        if person and (given := rows.first()):
            assert self.does(consents.withdraw_consent, self.actor(place), self.pk, given.pk)

    @rule(place=PLACES)
    def leaves_or_withdraws(self, place: int) -> None:
        person = self.person(place)
        if person is None or not person.is_child:
            self.does(moving.withdraw, self.actor(place), self.pk)

    @rule(place=PLACES)
    def rejoins(self, place: int) -> None:
        if (person := self.person(place)) and not person.is_child:
            self.does(moving.rejoin_plan, self.actor(place), self.pk, person.pk)

    @rule(held=st.booleans())
    def is_not_safe(self, held: bool) -> None:
        if held:
            self.holds(0)
        self.does(checks.refer_not_safe, self.cast.counsellor, self.pk, reason="War.", key=key())

    @precondition(lambda self: self.state is State.STOPPED)
    @rule(upheld=st.booleans())
    def appeals(self, upheld: bool) -> None:
        if self.does(checks.appeal, self.actor(0), self.pk, text="Look again."):
            self.does(checks.decide_appeal, self.cast.supervisor, self.pk, upheld=upheld,
                      decision="We looked.")  # fmt: skip

    @rule(place=PLACES, alone=st.booleans(), said=st.sampled_from(("guardian", "reception")))
    def guards_a_child(self, place: int, alone: bool, said: str) -> None:
        person = self.person(place)
        if person and person.is_child:
            self.does(checks.travels_alone, self.cast.counsellor, self.pk, person.pk, alone=alone)
            self.does(checks.safeguard_child, self.cast.counsellor, self.pk, person.pk,
                      **{said: "Aunt Mariam"})  # fmt: skip

    @rule(days=st.integers(1, 6))
    def plans(self, days: int) -> None:
        self.does(travel.plan_journey, self.cast.counsellor, self.pk, legs=[{"service": "SN 241"}],
                  leaves_at=self.now + days * DAY, country="GIN", key=key())  # fmt: skip

    @rule(place=PLACES)
    def holds(self, place: int) -> None:
        person = self.person(place)
        self.does(travel.hold, self.cast.counsellor, self.pk, "a seat", key=key(),
                  person_id=person.pk if person else None)  # fmt: skip
        self.does(travel.add_money, self.cast.counsellor, self.pk, MoneyKind.HELD, "taxi",
                  Decimal(20), "EUR", key=key())  # fmt: skip

    @rule(place=PLACES, holder=st.sampled_from((Holder.PERSON, Holder.OFFICE)))
    def has_a_passport(self, place: int, holder: Holder) -> None:
        if person := self.person(place):
            self.does(
                travel.add_document, self.cast.counsellor, self.pk, person.pk,
                DocumentKind.PASSPORT, number="O1234567", country="GIN",
                expires_on=(self.now + 900 * DAY).date(), key=key(), holder=holder,
            )  # fmt: skip

    @rule(place=PLACES, yes_of=PLACES, leaves=st.booleans())
    def asks_the_embassy(self, place: int, yes_of: int, leaves: bool) -> None:
        self.consents(yes_of, None, Purpose.EMBASSY)
        if leaves:
            self.leaves_or_withdraws(place)
        person = self.person(place)
        if person is None or not self.does(
            travel.request_document, self.cast.counsellor, self.pk, person.pk,
            authority="Embassy", country="GIN", key=key(),
        ):  # fmt: skip
            return
        assert self.state in BEFORE_DEPARTURE
        about = [person] if person.unaccompanied or not person.is_child else self.adults()
        assert about
        for each in about:
            yes = Consent.objects.filter(person=each, purpose=Purpose.EMBASSY, withdrawn_at=None)
            assert yes.exists()

    @precondition(lambda self: self.state is State.DOCUMENTS)
    @rule(lacks=st.sampled_from(("nothing", "consent", "screening", "check")), who=PLACES)
    def is_prepared_and_booked(self, lacks: str, who: int) -> None:
        """All that a journey needs, or all but one thing."""
        for place, person in enumerate(people_of(self.case)):
            self.has_a_passport(place, Holder.PERSON)
            for kind in ScreeningKind:
                held = lacks == "screening" and place == who
                found = ScreeningResult.NOT_NOW if held else ScreeningResult.CLEAR
                self.screens(place, kind, found, True, 29)
            if not person.is_child:
                self.consents(place, Stage.APPLICATION, Purpose.RETURN)
        self.talks(Check.RE_ENTRY_BANS, CheckAnswer.NEEDS_ADVICE if lacks == "check"
                   else CheckAnswer.NOTHING_PENDING)  # fmt: skip
        self.plans(5)
        for place, _ in enumerate(people_of(self.case)):
            if lacks != "consent" or place != who:
                self.consents(place, Stage.BOOKING, Purpose.RETURN)
        self.does(moving.move, self.cast.counsellor, self.pk, Move.BOOK)

    @precondition(lambda self: self.state is State.TRAVEL)
    @rule(but=st.integers(0, 9), early=st.sampled_from((4, 4, 30)),
          proof=st.sampled_from((ProofKind.RECEIPT, *ProofKind)))  # fmt: skip
    def the_day_comes(self, but: int, early: int, proof: ProofKind) -> None:
        """Everybody says yes on the day (but one, or too early), then a departure is told."""
        journey = Journey.objects.filter(case_id=self.pk, ended_at=None).first()
        if journey is None or journey.leaves_at - timedelta(hours=early) < self.now:
            return
        self.now = journey.leaves_at - timedelta(hours=early)
        for place, _ in enumerate(people_of(self.case)):
            if place != but:
                self.consents(place, Stage.TRAVEL_DAY, Purpose.RETURN)
        self.now = journey.leaves_at + DAY
        self.does(travel.confirm_departure, self.cast.counsellor, self.pk, proof,
                  left_at=journey.leaves_at, key=key())  # fmt: skip

    @precondition(lambda self: self.state is State.DEPARTED)
    @rule()
    def did_not_depart_after_all(self) -> None:
        self.does(travel.undo_departure, self.cast.counsellor, self.pk, reason="A mistake.")

    def adults(self) -> list[Person]:
        return [p for p in people_of(self.case) if p.left_plan_at is None and not p.is_child]

    @invariant()
    def nobody_travels_without_what_protects_them(self) -> None:
        came = self.state in (State.TRAVEL, State.DEPARTED) and self.before in BEFORE_DEPARTURE
        if not came or self.before == self.state:
            return
        journey = Journey.objects.get(case_id=self.pk, ended_at=None)
        in_plan = [p for p in people_of(self.case) if p.left_plan_at is None]
        deciding = [p for p in in_plan if p.unaccompanied or not p.is_child]
        assert deciding
        stages = {Stage.APPLICATION: None, Stage.BOOKING: journey}
        if self.state is State.DEPARTED:
            stages[Stage.TRAVEL_DAY] = journey
        for person in deciding:
            for stage, shown in stages.items():
                given = Consent.objects.filter(person=person, purpose=Purpose.RETURN, stage=stage)
                # Who takes it back after they have left did leave with it.
                ends = given.filter(withdrawn_at=None) | (
                    given.filter(withdrawn_at__gt=journey.leaves_at)
                    if self.state is State.DEPARTED else given.none()
                )  # fmt: skip
                assert (ends.filter(journey=shown) if shown else ends).exists(), stage
        if self.state is State.DEPARTED:
            day = Consent.objects.filter(journey=journey, stage=Stage.TRAVEL_DAY).latest("given_at")
            assert journey.leaves_at - DAY <= day.given_at <= journey.leaves_at
            return
        told = ChecklistItem.objects.filter(case_id=self.pk, replaced_at=None)
        assert {t.check_kind for t in told} == set(Check)
        assert CheckAnswer.NEEDS_ADVICE not in {t.answer for t in told}
        held = Screening.objects.filter(person__in=in_plan, replaced_at=None)
        assert not held.filter(result=ScreeningResult.NOT_NOW).exists()
        for child in [p for p in in_plan if p.is_child and p.unaccompanied]:
            safe = ChildSafeguard.objects.get(person=child)
            assert all((safe.guardian_at, safe.best_interests_at, safe.reception_at))

    @invariant()
    def an_end_lets_everything_go(self) -> None:
        if self.state not in (State.WITHDRAWN, State.STOPPED):
            return
        assert not Hold.objects.filter(case_id=self.pk, released_at=None).exists()
        money = MoneyLine.objects.filter(case_id=self.pk, kind=MoneyKind.HELD, released_at=None)
        assert not money.exists()
        assert not Journey.objects.filter(case_id=self.pk, ended_at=None).exists()
        kept = Document.objects.filter(case_id=self.pk, holder=Holder.OFFICE, handed_back_at=None)
        assert not kept.filter(hand_back_asked_at=None).exists()
        if self.state is State.WITHDRAWN and self.before is not State.WITHDRAWN:
            assert not Consent.objects.filter(case_id=self.pk, withdrawn_at=None).exists()

    @invariant()
    def who_has_left_is_out_of_everything_and_nobody_is_told(self) -> None:
        people = people_of(self.case)
        for place, person in enumerate(people):
            if person.left_plan_at is None:
                continue
            assert not Consent.objects.filter(person=person, withdrawn_at=None).exists()
            assert not Hold.objects.filter(person=person, released_at=None).exists()
            for other in range(len(people)):
                actor = applicant_of(self.case, other)
                if other != place and not people[other].is_child:
                    log = looking.read_log(self.room, actor)
                    assert "leave plan" not in [x.what for x in log if x.who != actor.label]

    @invariant()
    def withdrawing_is_one_action_from_every_state_before_departure(self) -> None:
        if self.state not in BEFORE_DEPARTURE:
            return
        with transaction.atomic(using=ALIAS):
            moving.withdraw(self.room, self.cast.counsellor, self.pk)
            assert self.state is State.WITHDRAWN
            transaction.set_rollback(True, using=ALIAS)

    @invariant()
    def every_change_has_its_row(self) -> None:
        assert trail_is_whole(self.case)


def test_the_safeguards_hold_on_any_course(cast: Cast) -> None:
    Course.cast = cast
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Course,
        settings=settings(
            max_examples=30, stateful_step_count=15, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
