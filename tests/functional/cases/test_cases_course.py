"""A case from the enquiry to its end, and out of it from everywhere before departure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from lib.cast import (
    AMINA,
    CHILD,
    IBRAHIM,
    LEAVES,
    Cast,
    applicant_of,
    consent,
    key,
    open_for,
    people_of,
    plan,
    screen_everybody,
    step,
    tell_everything,
    to_consent,
    to_departed,
    to_documents,
    to_travel,
)
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    AuditEvent,
    Case,
    Consent,
    Document,
    FollowUp,
    Hold,
    Journey,
    MoneyLine,
    MonthlyCount,
    Person,
    Task,
)
from sojourn_web.cases.services import checks, consents, looking, moving, opening, travel, work
from sojourn_web.cases.services.facts import gather_facts
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    DocumentKind,
    Holder,
    MoneyKind,
    Outcome,
    PersonKind,
    ProofKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


def state_of(case: Case) -> State:
    return State(Case.objects.get(pk=case.pk).state)


def test_the_whole_course_with_every_safeguard_met(cast: Cast) -> None:
    case = open_for(cast, AMINA, CHILD)
    later = to_departed(cast, case)
    travel.confirm_arrival(
        later.room, cast.counsellor, case.pk, arrived_at=LEAVES + timedelta(hours=9),
        confirmed_by="Reception, Conakry", key=key(),
    )  # fmt: skip
    assert list(FollowUp.objects.filter(case=case).order_by("month").values_list("due_on")) == [
        (date(2026, 4, 20),), (date(2026, 6, 20),), (date(2026, 9, 20),), (date(2027, 3, 20),)
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="reintegration plan"):
        step(later, case, Move.START_FOLLOW_UP)
    work.plan_reintegration(
        later.room, cast.counsellor, case.pk, people_of(case)[0].pk, key=key(), declined=True
    )
    step(later, case, Move.START_FOLLOW_UP)
    with pytest.raises(RefusedError, match="how it ended"):
        step(later, case, Move.CLOSE)
    moving.tell_outcome(later.room, cast.counsellor, case.pk, Outcome.RETURNED)
    step(later, case, Move.CLOSE)
    assert state_of(case) is State.CLOSED
    states = AuditEvent.objects.filter(case=case).exclude(to_state="").order_by("version")
    assert [e.to_state for e in states] == [
        "application", "counselling", "safeguards", "consent", "documents", "travel", "departed",
        "arrived", "follow_up", "closed",
    ]  # fmt: skip
    assert AuditEvent.objects.filter(case=case).count() == Case.objects.get(pk=case.pk).version


ways: dict[State, Callable[[Cast, Case], None]] = {
    State.ENQUIRY: lambda cast, case: None,
    State.APPLICATION: lambda cast, case: step(cast, case, Move.APPLY),
    State.COUNSELLING: lambda cast, case: step(cast, case, Move.APPLY, Move.START_COUNSELLING),
    State.CONSENT: to_consent,
    State.DOCUMENTS: to_documents,
    State.TRAVEL: to_travel,
}


@pytest.mark.parametrize("state", ways)
def test_withdrawing_is_one_action_without_a_reason_and_releases_everything(
    cast: Cast, state: State
) -> None:
    case = open_for(cast)
    ways[state](cast, case)
    assert state_of(case) is state
    travel.hold(cast.room, cast.counsellor, case.pk, "a seat", key=key())
    travel.add_money(
        cast.room, cast.counsellor, case.pk, MoneyKind.HELD, "ticket", Decimal("240.00"), "EUR",
        key=key(),
    )  # fmt: skip
    travel.add_document(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
        number="K1230045", country="GIN", expires_on=date(2029, 1, 1), holder=Holder.OFFICE,
        key=key(),
    )  # fmt: skip
    done = moving.withdraw(cast.room, applicant_of(case), case.pk)
    assert done.state == State.WITHDRAWN
    assert done.remarks == (moving.HAND_BACK,)
    assert not Hold.objects.filter(case=case, released_at=None).exists()
    assert not MoneyLine.objects.filter(case=case, released_at=None).exists()
    assert not Consent.objects.filter(case=case, withdrawn_at=None).exists()
    assert not Journey.objects.filter(case=case, ended_at=None).exists()
    paper = Document.objects.get(case=case, holder=Holder.OFFICE)
    assert paper.hand_back_asked_at == cast.room.now
    assert Task.objects.get(case=case, what=moving.HAND_BACK).due_on == date(2026, 3, 2)
    travel.keep_document(cast.room, cast.counsellor, case.pk, paper.pk, Holder.PERSON)
    assert travel.papers_waiting(case) == []
    assert moving.withdraw(cast.room, applicant_of(case), case.pk).repeated


def test_who_comes_back_consents_to_everything_anew(cast: Cast) -> None:
    case = open_for(cast)
    to_travel(cast, case)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    moving.move(cast.room, applicant_of(case), case.pk, Move.COME_BACK)
    assert state_of(case) is State.APPLICATION
    step(cast, case, Move.START_COUNSELLING, Move.START_SAFEGUARDS, Move.ASK_CONSENT)
    with pytest.raises(RefusedError, match="consent to return is missing"):
        step(cast, case, Move.PREPARE_DOCUMENTS)


def test_an_adult_leaves_the_family_s_plan_and_the_others_are_told_nothing(cast: Cast) -> None:
    case = open_for(cast, AMINA, IBRAHIM, CHILD)
    to_travel(cast, case)
    seat = travel.hold(
        cast.room, cast.counsellor, case.pk, "a seat", key=key(), person_id=people_of(case)[0].pk
    )
    amina, ibrahim = applicant_of(case, 0), applicant_of(case, 1)
    before = moving.open_choices(cast.room, ibrahim, Case.objects.get(pk=case.pk))
    moving.withdraw(cast.room, amina, case.pk)
    assert state_of(case) is State.TRAVEL
    assert moving.open_choices(cast.room, ibrahim, Case.objects.get(pk=case.pk)) == before
    assert "leave plan" not in [line.what for line in looking.read_log(cast.room, ibrahim)]
    assert "leave plan" in [line.what for line in looking.read_log(cast.room, amina)]
    seen = looking.look(cast.room, ibrahim, case.pk).people
    assert [p.names for p in seen] == ["Ibrahim Diallo", "Fatou Diallo"]
    assert Hold.objects.get(pk=seat.row_id).released_at is not None
    assert moving.withdraw(cast.room, amina, case.pk).repeated
    # The rest may still travel; when the last adult leaves, the case is withdrawn.
    moving.withdraw(cast.room, ibrahim, case.pk)
    assert state_of(case) is State.WITHDRAWN


def test_a_child_is_not_left_to_travel_without_anybody(cast: Cast) -> None:
    child = NewPerson("Musa", birth_date="2012", kind=PersonKind.CHILD, travels_alone=True)
    case = open_for(cast, child)
    step(cast, case, Move.APPLY, Move.START_COUNSELLING)
    tell_everything(cast, case)
    step(cast, case, Move.START_SAFEGUARDS)
    screen_everybody(cast, case, ScreeningKind.VULNERABILITY, date(2026, 6, 1))
    person = people_of(case)[0]
    for name in ("guardian", "best_interests", "reception"):
        with pytest.raises(RefusedError, match="all three"):
            step(cast, case, Move.ASK_CONSENT)
        checks.safeguard_child(
            cast.room, cast.counsellor, case.pk, person.pk, **{name: "done by the youth office"}
        )
    step(cast, case, Move.ASK_CONSENT)
    given = {"declaration_id": cast.wordings[Purpose.RETURN].pk, "language": "en"}
    with pytest.raises(RefusedError, match="name the guardian"):
        consents.give_consent(
            cast.room, cast.counsellor, case.pk, person.pk, Purpose.RETURN,
            stage=Stage.APPLICATION, key=key(), **given,
        )  # fmt: skip
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, person.pk, Purpose.RETURN, stage=Stage.APPLICATION,
        guardian="Ms Ravn, guardian", key=key(), **given,
    )  # fmt: skip
    step(cast, case, Move.PREPARE_DOCUMENTS)


def test_a_child_whose_adults_have_left_needs_its_own_procedure(cast: Cast) -> None:
    case = open_for(cast, AMINA, CHILD)
    to_consent(cast, case)
    Person.objects.filter(case=case, kind=PersonKind.APPLICANT).update(left_plan_at=cast.room.now)
    with pytest.raises(RefusedError, match="without an adult"):
        step(cast, case, Move.PREPARE_DOCUMENTS)


def test_consents_are_asked_three_times_and_never_before_the_list(cast: Cast) -> None:
    case = open_for(cast)
    with pytest.raises(RefusedError, match="legal information"):
        consent(cast, case, Stage.APPLICATION)
    to_documents(cast, case)
    plan(cast, case)
    consent(cast, case, Stage.BOOKING)
    plan(cast, case, LEAVES + timedelta(days=2))  # another itinerary: asked again
    facts = gather_facts(Case.objects.get(pk=case.pk), cast.room.now)
    assert facts.people[0].consents == {Stage.APPLICATION}
    with pytest.raises(RefusedError, match="show the itinerary"):
        step(cast, case, Move.BOOK)


def test_the_last_consent_is_of_the_day(cast: Cast) -> None:
    case = open_for(cast)
    to_travel(cast, case)
    with pytest.raises(RefusedError, match="24 hours"):
        consent(cast, case, Stage.TRAVEL_DAY)
    later = cast.at(LEAVES + timedelta(days=1))
    with pytest.raises(RefusedError, match="travel day"):
        travel.confirm_departure(
            later.room, cast.counsellor, case.pk, ProofKind.RECEIPT, left_at=LEAVES, key=key()
        )
    assert state_of(case) is State.TRAVEL


def test_a_consent_is_in_a_reviewed_wording_or_through_a_named_interpreter(cast: Cast) -> None:
    case = open_for(cast, language="ti")
    to_consent(cast, case)
    person, wording = people_of(case)[0], cast.wordings[Purpose.RETURN]
    ask = {"declaration_id": wording.pk, "stage": Stage.APPLICATION}
    with pytest.raises(RefusedError, match="name the interpreter"):
        consents.give_consent(
            cast.room, cast.counsellor, case.pk, person.pk, Purpose.RETURN, language="ti",
            key=key(), **ask,
        )  # fmt: skip
    wording.state = "draft"
    wording.save()
    with pytest.raises(RefusedError, match="draft"):
        consents.give_consent(
            cast.room, cast.counsellor, case.pk, person.pk, Purpose.RETURN, language="ti",
            interpreter="Selam T.", key=key(), **ask,
        )  # fmt: skip
    wording.state = "reviewed"
    wording.save()
    done = consents.give_consent(
        cast.room, cast.counsellor, case.pk, person.pk, Purpose.RETURN, language="ti",
        interpreter="Selam T.", key=key(), **ask,
    )  # fmt: skip
    kept = Consent.objects.get(pk=done.row_id)
    assert kept.interpreted
    assert kept.interpreter.open(cast.room.keys) == "Selam T."
    with pytest.raises(NotVisibleError):  # nobody consents for somebody else
        consents.give_consent(
            cast.room, applicant_of(open_for(cast)), case.pk, person.pk, Purpose.RETURN,
            language="en", key=key(), **ask,
        )  # fmt: skip


def test_a_withdrawn_consent_takes_the_journey_back(cast: Cast) -> None:
    case = open_for(cast)
    to_travel(cast, case)
    given = Consent.objects.get(case=case, stage=Stage.BOOKING)
    done = consents.withdraw_consent(cast.room, applicant_of(case), case.pk, given.pk)
    assert done.state == State.CONSENT
    assert not Journey.objects.filter(case=case, ended_at=None).exists()


def test_not_safe_stops_the_case_and_somebody_else_decides_the_appeal(cast: Cast) -> None:
    case = open_for(cast)
    to_documents(cast, case)
    checks.refer_not_safe(cast.room, cast.supervisor, case.pk, reason="Threats at home.", key=key())
    assert state_of(case) is State.STOPPED
    # Withdrawing and coming back is no way around it.
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    moving.move(cast.room, applicant_of(case), case.pk, Move.COME_BACK)
    step(cast, case, Move.START_COUNSELLING, Move.START_SAFEGUARDS)
    with pytest.raises(RefusedError, match="not safe"):
        step(cast, case, Move.ASK_CONSENT)
    checks.appeal(cast.room, applicant_of(case), case.pk, text="It is another town.")
    with pytest.raises(NotAllowedError, match="somebody who has not stopped"):
        checks.decide_appeal(cast.room, cast.supervisor, case.pk, upheld=True, decision="Yes.")
    checks.decide_appeal(
        cast.room, cast.second_supervisor, case.pk, upheld=True, decision="Another town."
    )
    step(cast, case, Move.ASK_CONSENT)


def test_a_claim_that_is_pending_holds_the_case(cast: Cast) -> None:
    case = open_for(cast)
    step(cast, case, Move.APPLY, Move.START_COUNSELLING)
    tell_everything(cast, case)
    checks.complete_check(
        cast.room, cast.counsellor, case.pk, Check.PENDING_CLAIMS, CheckAnswer.NEEDS_ADVICE,
        language="en", key=key(),
    )  # fmt: skip
    with pytest.raises(RefusedError, match="needs advice"):
        step(cast, case, Move.START_SAFEGUARDS)


def test_fitness_is_found_by_the_medical_service_and_holds_on_the_day(cast: Cast) -> None:
    case = open_for(cast)
    to_documents(cast, case)
    person = people_of(case)[0]
    args = (case.pk, person.pk, ScreeningKind.FITNESS, ScreeningResult.CLEAR)
    with pytest.raises(NotAllowedError, match="medical"):
        checks.screen(cast.room, cast.counsellor, *args, key=key(), valid_until=date(2026, 3, 28))
    screen_everybody(cast, case, ScreeningKind.FITNESS, date(2026, 3, 19))  # the day before
    plan(cast, case)
    facts = gather_facts(Case.objects.get(pk=case.pk), cast.room.now)
    found = next(c for c in moving.open_choices(cast.room, cast.counsellor, case_now(case))
                 if c.transition.move is Move.BOOK)  # fmt: skip
    assert facts.people[0].fit_until == date(2026, 3, 19)
    assert any("Fitness" in reason for reason in found.why_not)


def case_now(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_departure_and_not_departed_are_taken_back_with_a_reason(cast: Cast) -> None:
    case = open_for(cast)
    later = to_departed(cast, case)
    counted = MonthlyCount.objects.get(what="departures confirmed")
    assert counted.count == 1
    with pytest.raises(RefusedError, match="a reason"):
        travel.undo_departure(later.room, cast.counsellor, case.pk, reason=" ")
    travel.undo_departure(later.room, cast.counsellor, case.pk, reason="Another person's receipt.")
    counted.refresh_from_db()
    assert (state_of(case), counted.count) == (State.TRAVEL, 0)
    moving.move(later.room, cast.counsellor, case.pk, Move.NOT_DEPARTED, reason="Missed it.")
    moving.move(later.room, cast.counsellor, case.pk, Move.UNDO_NOT_DEPARTED, reason="They left.")
    assert state_of(case) is State.TRAVEL


def test_a_carrier_is_asked_with_consent_alone(cast: Cast) -> None:
    case = open_for(cast)
    to_travel(cast, case)
    later = cast.at(LEAVES + timedelta(days=1))
    with pytest.raises(RefusedError, match="carrier"):
        travel.confirm_departure(
            later.room, cast.counsellor, case.pk, ProofKind.CARRIER, left_at=LEAVES, key=key()
        )


def test_the_embassy_is_asked_with_a_consent_of_its_own(cast: Cast) -> None:
    case = open_for(cast)
    to_documents(cast, case)
    person = people_of(case)[0]
    asked = {"authority": "Embassy", "country": "GIN"}
    with pytest.raises(RefusedError, match="embassy"):
        travel.request_document(cast.room, cast.counsellor, case.pk, person.pk, key=key(), **asked)
    consents.give_consent(
        cast.room, applicant_of(case), case.pk, person.pk, Purpose.EMBASSY,
        declaration_id=cast.wordings[Purpose.EMBASSY].pk, language="en", key=key(),
    )  # fmt: skip
    done = travel.request_document(
        cast.room, cast.counsellor, case.pk, person.pk, key=key(), **asked
    )
    assert done.row_id is not None
    travel.receive_document(
        cast.room, cast.counsellor, case.pk, done.row_id, number="LP-204-77",
        expires_on=date(2026, 9, 1),
    )  # fmt: skip
    facts = gather_facts(case_now(case), cast.room.now)
    assert facts.people[0].document_until == date(2026, 9, 1)


@pytest.mark.parametrize(
    "number", ["", "  ", "00000000", "--", "unknown", "N/A", "not known", "lost", "1234567"]
)
def test_blank_documents_are_refused(cast: Cast, number: str) -> None:
    case = open_for(cast)
    with pytest.raises(RefusedError, match="ask the authority"):
        travel.add_document(
            cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
            number=number, country="GIN", expires_on=date(2029, 1, 1), key=key(),
        )  # fmt: skip


def test_a_case_after_the_event_is_refused(cast: Cast) -> None:
    with pytest.raises(RefusedError, match="left already"):
        opening.open_case(
            cast.room, cast.counsellor, cast.office.pk, [AMINA], key=key(), language="en",
            left_on=date(2026, 2, 1),
        )  # fmt: skip
    assert not Case.objects.exists()
