"""Letters about a case that the actor sees; that one was made is an event the person reads.

In: a case, one person of it, a kind. Out: a ``Letter``, to be laid out and handed over; it is kept
nowhere. A letter names its person and the children, never another adult of the family: so it does
not tell who is still in the plan.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.letters.writing import Letter, LetterKind, Told, write_letter
from sojourn_web.cases.models import Case, Journey, Person
from sojourn_web.cases.services.facts import current_journey
from sojourn_web.cases.services.room import Room, must_say, note_access, service, take
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Action, Actor, people_for
from sojourn_web.cases.vocabulary import PersonKind, Who


@service
def make_letter(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, kind: LetterKind, *,
    language: str = "", beside: str = "en", moment: datetime | None = None, place: str = "",
) -> Letter:  # fmt: skip
    """``language``: the person's own where it is not given. ``moment`` and ``place``: of an
    appointment, with its time zone. Of oneself, or by staff of the case's office."""
    case = take(room, actor, case_id, Action.LETTER)
    person = people_for(actor, case).filter(pk=person_id).first()
    if person is None:
        raise NotVisibleError
    journey = _journey(case, person) if kind is LetterKind.ITINERARY else None
    if kind is LetterKind.APPOINTMENT:
        must_say(place, "the place of the appointment")
        if moment is None or moment.tzinfo is None or moment <= room.now:
            raise RefusedError("Expected a time to come for the appointment: look at the day.")
    if kind is LetterKind.ENDED and case.state != State.WITHDRAWN and not person.left_plan_at:
        raise RefusedError("This plan has not been ended by the person: there is nothing to say.")
    told = Told(
        kind=kind, reference=case.reference, name=person.names.show(room.keys),
        office=case.office.name, time_zone=case.office.time_zone, written_at=room.now,
        signed_by=actor.name if actor.who is not Who.APPLICANT else case.office.name,
        moment=journey.leaves_at if journey else moment, place=place.strip(),
        children=_children(room, case, person) if journey else (),
        legs=tuple(journey.itinerary.open_json(room.keys) or ()) if journey else (),
        booking=journey.booking.open(room.keys) if journey else "",
    )  # fmt: skip
    note_access(room, actor, case, f"made a letter: {kind}", private_to=person.pk)
    return write_letter(told, language or person.language or case.language or "en", beside)


def _journey(case: Case, person: Person) -> Journey:
    journey = current_journey(case)
    if journey is None or person.left_plan_at is not None:
        raise RefusedError("No journey is planned for this person: plan one first.")
    return journey


def _children(room: Room, case: Case, person: Person) -> tuple[str, ...]:
    rows = Person.objects.filter(case=case, kind=PersonKind.CHILD, left_plan_at=None)
    return tuple(p.names.show(room.keys) for p in rows.exclude(pk=person.pk) if p.named)
