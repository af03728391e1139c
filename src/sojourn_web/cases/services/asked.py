"""What another system may ask of one case: where it stands. Never who is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError
from sojourn_web.cases.models import Case, Person
from sojourn_web.cases.services.room import Room, note_access, service, take
from sojourn_web.cases.visibility import Action, Actor


@dataclass(frozen=True)
class Standing:
    """``since`` (UTC): when the case came to this state."""

    reference: str
    state: str
    since: datetime
    version: int
    outcome: str


@service
def read_standing(room: Room, actor: Actor, case_id: UUID) -> Standing:
    """The state by reference; the person reads that it was asked and by which system."""
    case = take(room, actor, case_id, Action.READ_STATE)
    note_access(room, actor, case, "where the case stands")
    return Standing(case.reference, case.state, case.state_since, case.version, case.outcome)


@service
def person_at(room: Room, actor: Actor, case_id: UUID, position: int) -> UUID:
    """The id of the person in this place, 1 the first. Raises NotVisibleError where nobody is."""
    case: Case = take(room, actor, case_id, Action.READ_STATE)
    found = Person.objects.filter(case=case, position=position - 1).first()
    if found is None:
        raise NotVisibleError
    note_access(room, actor, case, "the case, to add a document", private_to=found.pk)
    return found.pk


@service
def note_booking(room: Room, actor: Actor, case_id: UUID) -> None:
    """Another system is about to add a journey: the person reads which."""
    case = take(room, actor, case_id, Action.READ_STATE)
    note_access(room, actor, case, "the case, to add a journey")
