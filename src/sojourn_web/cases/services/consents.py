"""Consents: given in a wording that was understood, withdrawn at any time, never assumed.

In: a reviewed declaration, the language it was understood in, an interpreter's name where the
two differ. Out: one record for each person, purpose and stage. Raises RefusedError with what is
missing. The records follow ISO/IEC TS 27560 in what they hold.
"""

from __future__ import annotations

from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import Case, Consent, Declaration, Hold, Journey, Person
from sojourn_web.cases.services.facts import (
    TRAVEL_DAY,
    current_journey,
    gather_facts,
    open_referral,
    people_in_plan,
    serves,
)
from sojourn_web.cases.services.moving import (
    ENDED,
    OF_THE_JOURNEY,
    TALK_IN_PRIVATE,
    ask_papers_back,
    end_journey_consents,
    take_step,
)
from sojourn_web.cases.services.room import (
    Done,
    Room,
    done,
    once,
    person_of,
    record,
    service,
    take,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.states import Move, State, find_transition
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import Purpose, Stage, Who, Wording

NAME_INTERPRETER = (
    "There is no reviewed wording in this language here: name the interpreter who read the "
    "reviewed one out."
)
NO_JOURNEY = "This is asked while a journey is prepared: now there is none to come."
WHEN: dict[Stage, tuple[State, ...]] = {
    Stage.APPLICATION: (State.CONSENT, State.DOCUMENTS, State.TRAVEL),
    Stage.BOOKING: (State.DOCUMENTS, State.TRAVEL),
    Stage.TRAVEL_DAY: (State.TRAVEL,),
}


def reviewed_wordings(purpose: Purpose, language: str = "") -> list[Declaration]:
    """The wordings in which a consent can be given now, newest first; drafts never."""
    found = Declaration.objects.filter(purpose=purpose, state=Wording.REVIEWED, retired_at=None)
    found = found.filter(language=language) if language else found
    return list(found.order_by("language", "-version"))


@service
def give_consent(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, purpose: Purpose, *,
    declaration_id: UUID, language: str, key: str, stage: Stage | None = None,
    interpreter: str = "", guardian: str = "",
) -> Done:  # fmt: skip
    """``language``: the one it was understood in; another than the wording's needs a named
    interpreter. ``guardian``: who consents for a child that travels alone."""
    case = take(room, actor, case_id, Action.CONSENT)
    person = person_of(case, person_id)
    if actor.who is Who.APPLICANT and actor.person_id != person.pk:
        raise NotAllowedError("each adult consents for themselves")
    reasons = _wording_reasons(purpose, declaration_id, language, interpreter)
    reasons += _person_reasons(person, guardian)
    journey = current_journey(case)
    if purpose is Purpose.RETURN:
        reasons += _return_reasons(room, case, stage, journey)
    elif stage is not None:
        reasons += ["Only the consent to return has stages: leave the stage out."]
    if purpose in OF_THE_JOURNEY and State(case.state) in ENDED:
        reasons += [NO_JOURNEY]
    if reasons:
        raise RefusedError(*reasons)

    def make(row_id: UUID) -> Consent:
        consent = Consent(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, purpose=purpose, stage=stage or "", declaration_id=declaration_id,
            language=language, interpreted=bool(interpreter.strip()), given_at=room.now,
            journey=journey if stage in (Stage.BOOKING, Stage.TRAVEL_DAY) else None,
        )  # fmt: skip
        consent.seal(room.keys, interpreter=interpreter.strip(), guardian=guardian.strip())
        consent.save(force_insert=True)
        what = f"consent to {purpose}" + (f", {stage}" if stage else "")
        record(room, actor, case, what, columns="consent", private_to=person.pk)
        return consent

    row, repeated = once(room, actor, "give_consent", key, Consent, make)
    return done(case, row, repeated=repeated)


def _wording_reasons(
    purpose: Purpose, declaration_id: UUID, language: str, interpreter: str
) -> list[str]:
    wording = Declaration.objects.filter(pk=declaration_id, purpose=purpose).first()
    if wording is None:
        raise NotVisibleError
    if wording.state != Wording.REVIEWED or wording.retired_at is not None:
        return ["This wording is a draft or has been retired: use a reviewed one."]
    if not language:
        return ["Say in which language it was understood."]
    if wording.language != language and not interpreter.strip():
        return [NAME_INTERPRETER]
    return []


def _person_reasons(person: Person, guardian: str) -> list[str]:
    if person.left_plan_at is not None:
        return ["This person has left the plan: ask first whether they come back."]
    if person.is_child and not person.unaccompanied:
        return ["A child with an adult in the plan does not consent: the adult does."]
    if person.is_child and not guardian.strip():
        return ["For a child that travels alone the guardian consents: name the guardian."]
    return []


def _return_reasons(
    room: Room, case: Case, stage: Stage | None, journey: Journey | None
) -> list[str]:
    if stage is None:
        return ["Say at which stage: application, booking or travel day."]
    facts = gather_facts(case, room.now)
    reasons = []
    if facts.checks_missing:
        reasons.append("No consent before the legal information: finish the list first.")
    if facts.needs_advice:
        reasons.append("A point of the list needs advice: settle it before any consent.")
    if open_referral(case) is not None:
        reasons.append("A referral says that return is not safe: the case is stopped.")
    if State(case.state) not in WHEN[stage]:
        reasons.append(f"This consent is asked in: {', '.join(WHEN[stage])}.")
    if stage is not Stage.APPLICATION and journey is None:
        reasons.append("There is no itinerary to consent to: plan the journey and show it.")
    if stage is Stage.TRAVEL_DAY and journey is not None:
        early, late = journey.leaves_at - TRAVEL_DAY, journey.leaves_at
        if not early <= room.now <= late:
            reasons.append("The last consent is asked within the 24 hours before leaving.")
    return reasons


@service
def withdraw_consent(room: Room, actor: Actor, case_id: UUID, consent_id: UUID) -> Done:
    """Without a reason, at any time. The consent to return takes the journey's holds with it:
    the only adult's case goes back to the question; in a family the others are told nothing."""
    case = take(room, actor, case_id, Action.WITHDRAW)
    consent = Consent.objects.filter(case=case, pk=consent_id).select_related("person").first()
    if consent is None:
        raise NotVisibleError
    person = consent.person
    if actor.who is Who.APPLICANT and actor.person_id != person.pk:
        raise NotVisibleError
    if consent.withdrawn_at is not None:
        return done(case, consent, repeated=True)
    consent.withdrawn_at = room.now
    consent.save()
    what = f"withdrew consent to {consent.purpose}"
    record(room, actor, case, what, columns="consent", private_to=person.pk)
    if consent.purpose == Purpose.RETURN and case.state in (State.DOCUMENTS, State.TRAVEL):
        if [p for p in people_in_plan(case) if not p.is_child and p.pk != person.pk]:
            for hold in Hold.objects.filter(case=case, person=person, released_at=None):
                hold.released_at = room.now
                hold.save()
            end_journey_consents(room, case, person)
            ask_papers_back(room, actor, case, person)
            add_task(room, actor, case, TALK_IN_PRIVATE)
        else:
            take_step(room, actor, case, find_transition(Move.CONSENT_WITHDRAWN))
    return done(case, consent)


def holds_consent(case: Case, purpose: Purpose, person: Person | None = None) -> bool:
    """Whether every adult of the plan has given this consent and not withdrawn it.

    ``person``: what is done is about them alone: their own consent, in the plan or out of it; for
    a child who is accompanied, that of every adult of the plan.
    """
    needed = {p.pk for p in people_in_plan(case) if not p.is_child or p.unaccompanied}
    if person is not None and (person.unaccompanied or not person.is_child):
        needed = {person.pk}
    journey = current_journey(case)
    rows = Consent.objects.filter(case=case, purpose=purpose).select_related("declaration")
    given = {row.person_id for row in rows if serves(row, journey)}
    return bool(needed) and needed <= given
