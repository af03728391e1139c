"""The family of somebody who asks: children are written down, adults say yes for themselves.

In: an applicant and what they tell of a child; or a reference and an invitation's code. Out: a
child in the plan, with a task for the counsellor; an invitation's code; an adult who has joined.
Nobody is added as an adult without their own yes, and who invited them is not told what they said.
Raises RefusedError, with what to do instead, where a child would travel alone, where the one who
adds is a child, and where the journey is booked already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from sojourn_web.cases.dates import PartialDate, read_birth_date
from sojourn_web.cases.errors import ConflictError, NotVisibleError, RefusedError
from sojourn_web.cases.models import AccessCode, Case, Invitation, Person
from sojourn_web.cases.references import derive_code, digest_code, read_reference
from sojourn_web.cases.services.answers import save_answer
from sojourn_web.cases.services.facts import OPEN, takes_people
from sojourn_web.cases.services.opening import (
    WRONG_CODE,
    NewPerson,
    add_person,
    change_person,
    find_by_code,
    keep_code,
    make_person,
)
from sojourn_web.cases.services.particulars import mark_of
from sojourn_web.cases.services.room import Done, Room, once, record, service, take, today_in
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import VISITOR, Action, Actor, people_for
from sojourn_web.cases.vocabulary import Belongs, PersonKind, Who

GOOD_FOR = timedelta(days=14)
TWO_CLICKS = timedelta(minutes=2)
MOST = 20  # people of one plan, as other systems may send; more than that a counsellor adds
ADDED = "a child was added by the person: ask who decides for it, and what is best for it"
JOINED = "another adult joined the plan: speak with them alone, without the others"
ALONE = ("A child is not added here to travel alone. Ask to be called: a counsellor looks for a "
         "guardian first, and for what is best for the child.")  # fmt: skip
YOUNG = ("You are under 18, by the date that you wrote. Ask to be called: you get a guardian who "
         "speaks for you and your family.")  # fmt: skip
GROWN = ("By this date they are an adult. Adults decide for themselves: make an invitation for "
         "them.")  # fmt: skip
CLOSED = "Nobody can be added now. Ask to be called: your counsellor plans it anew with everybody."
LEFT = "You have left the family's plan. We tell nobody."
OVER = ("It has ended", "Make an invitation")  # of an old form that is sent again
NO_NAME = "Write a name, as far as it is known."


@dataclass(frozen=True)
class Child:
    """A child of the plan as their page shows it. ``mark``: of what it showed."""

    id: UUID
    names: str
    birth_date: str
    mark: str


@dataclass(frozen=True)
class Joined:
    """Who said yes, and the code by which they come back; shown this once."""

    actor: Actor
    reference: str
    code: str


def children_of(room: Room, actor: Actor, case: Case) -> tuple[Child, ...]:
    """``case``: from a query of ``visible_to``."""
    rows = people_for(actor, case).filter(kind=PersonKind.CHILD)
    return tuple(_child(room, p) for p in rows)


def _child(room: Room, person: Person) -> Child:
    names, born = person.names.show(room.keys), person.birth_date.show(room.keys)
    return Child(person.pk, names, born, mark_of(f"{names}|{born}"))


@service
def add_child(
    room: Room, actor: Actor, case_id: UUID, new: NewPerson, *, belongs: Belongs, key: str
) -> Done:
    """A child of the person who asks, who travels with them; safeguards are asked anew."""
    case = take(room, actor, case_id, Action.ANSWER)
    _may_add(actor, case)
    if belongs is Belongs.NOBODY:
        raise RefusedError(ALONE)
    _read_child(room, case, new)
    child = replace(new, kind=PersonKind.CHILD, travels_alone=False)
    done = add_person(room, actor, case_id, child, key=key)
    if done.row_id is not None and not done.repeated:
        save_answer(room, actor, case_id, done.row_id, "family", "belongs", belongs.value,
                    based_on=0, key=key)  # fmt: skip
        add_task(room, actor, case, ADDED)
    return done


@service
def change_child(
    room: Room, actor: Actor, case_id: UUID, child_id: UUID, new: NewPerson, *, seen: str
) -> Done:
    """Name and birth date put right; the rest stays as it is. ``seen``: the mark that was shown."""
    case = take(room, actor, case_id, Action.ANSWER)
    _may_change(actor, case)
    rows = people_for(actor, case).filter(kind=PersonKind.CHILD, pk=child_id)
    person = rows.first()
    if person is None:
        raise NotVisibleError
    born = _read_child(room, case, new, person.birth_date.open(room.keys))
    names = " ".join(new.names.split())
    if (names, str(born)) == (person.names.open(room.keys), person.birth_date.open(room.keys)):
        return Done(case.pk, case.reference, case.state, case.version, person.pk, repeated=True)
    if seen != _child(room, person).mark:
        raise ConflictError
    kept = {n: getattr(person, n).open(room.keys)
            for n in ("names_latin", "nationality", "contact")}  # fmt: skip
    return change_person(room, actor, case_id, child_id, replace(
        new, kind=PersonKind.CHILD, language=person.language, travels_alone=person.unaccompanied,
        **kept,
    ))  # fmt: skip


def _read_child(room: Room, case: Case, new: NewPerson, stands: str = "") -> PartialDate:
    """The child's birth date; ``stands``: what is written already: it needs no confirming, and
    who has turned 18 since can still have a name put right."""
    if not new.names.strip():
        raise RefusedError(NO_NAME)
    today = today_in(case.office, room.now)
    confirmed = new.confirmed_date or bool(stands and new.birth_date == stands)
    born = read_birth_date(new.birth_date, today, confirmed=confirmed)
    if born.is_child_on(today) is False and str(born) != stands:
        raise RefusedError(GROWN)
    return born


def _may_change(actor: Actor, case: Case) -> Person:
    """Whoever asks, where they may say something of the family's children."""
    if actor.who is not Who.APPLICANT or actor.person_id is None:
        raise NotVisibleError
    mine = people_for(actor, case).filter(pk=actor.person_id).first()
    if mine is None:
        raise NotVisibleError
    if State(case.state) not in OPEN:
        raise RefusedError(CLOSED)
    if mine.left_plan_at is not None:
        raise RefusedError(LEFT)
    if mine.is_child:
        raise RefusedError(YOUNG)
    return mine


def _may_add(actor: Actor, case: Case) -> Person:
    """Whoever asks, where they may bring somebody in."""
    mine = _may_change(actor, case)
    if not takes_people(case):
        raise RefusedError(CLOSED)
    if Person.objects.filter(case=case).count() >= MOST:
        raise RefusedError(CLOSED)
    return mine


@service
def invite_adult(room: Room, actor: Actor, case_id: UUID, *, key: str) -> str:
    """An invitation's code, for the one who asks to hand over; older ones of theirs end."""
    case = take(room, actor, case_id, Action.ANSWER)
    mine = _may_add(actor, case)
    secret = room.keys.index_secret()
    code = derive_code(secret, "invitation", str(mine.pk), key)

    def make(row_id: UUID) -> Invitation:
        for old in Invitation.objects.filter(person=mine, used_at=None):
            old.used_at = room.now
            old.save()
        record(room, actor, case, "invited another adult", private_to=mine.pk)
        return Invitation.objects.create(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=mine, digest=digest_code(secret, case.reference, code),
            ends_at=room.now + GOOD_FOR,
        )  # fmt: skip

    row, repeated = once(room, actor, "invite_adult", key, Invitation, make)
    if repeated and (row.used_at is not None or row.ends_at <= room.now):
        raise RefusedError(*OVER)
    return code


def _still_good(room: Room) -> QuerySet[Invitation]:
    return Invitation.objects.filter(ends_at__gt=room.now)


def read_invitation(room: Room, reference: str, code: str) -> None:
    """Whether these open an invitation that waits for its answer. Raises RefusedError, for one
    that was answered too, whatever the answer was: whoever made it learns nothing by trying."""
    if not _try(room, read_reference(reference), code):
        raise RefusedError(WRONG_CODE)


@service
def _try(room: Room, reference: str, code: str) -> bool:
    rows = _still_good(room).filter(used_at=None)
    return find_by_code(room, reference, code, rows) is not None


def join_plan(room: Room, reference: str, code: str, *, language: str, key: str) -> Joined:
    """The adult's own yes. They are in the plan without a name; the rest they say themselves.

    ``key``: of the form that asked. A second click has it too and is given the same code; nobody
    else is, for whoever made the invitation knows its code as well.
    """
    plain = read_reference(reference)
    found = _join(room, plain, code, language, key) if key else None
    if found is None:
        raise RefusedError(WRONG_CODE)
    return found


@service
def _join(room: Room, reference: str, code: str, language: str, key: str) -> Joined | None:
    recent: Any = Q(used_at=None) | Q(joined__isnull=False, used_at__gt=room.now - TWO_CLICKS)
    row = find_by_code(room, reference, code, _still_good(room).filter(recent))
    if row is None:
        return None
    case: Case = row.case
    secret = room.keys.index_secret()
    if row.joined is None:
        if not takes_people(case):
            raise RefusedError(CLOSED)
        new = NewPerson(kind=PersonKind.RELATIVE, language=language)
        place = Person.objects.filter(case=case).count()
        person = make_person(room, VISITOR, case, new, place)
        row.joined, row.used_at = person.pk, room.now
        row.save()
        add_task(room, VISITOR, case, JOINED)
        keep_code(room, VISITOR, case, person, derive_code(secret, "joined", str(person.pk), key))
        record(room, VISITOR, case, "joined the plan", columns="people", private_to=person.pk)
    actor = Actor(Who.APPLICANT, case_id=case.pk, person_id=row.joined)
    own = derive_code(secret, "joined", str(row.joined), key)
    kept = digest_code(secret, reference, own)
    if not AccessCode.objects.filter(digest=kept, person_id=row.joined, revoked_at=None).exists():
        return None  # another form's key, or they have a new code since
    return Joined(actor, reference, own)


def decline(room: Room, reference: str, code: str) -> None:
    """No. Nothing is kept of whoever said it, and nobody is told. Of one that was answered already
    nothing changes, and it is answered alike."""
    if not _decline(room, read_reference(reference), code):
        raise RefusedError(WRONG_CODE)


@service
def _decline(room: Room, reference: str, code: str) -> bool:
    row = find_by_code(room, reference, code, _still_good(room))
    if row is not None and row.used_at is None:
        row.used_at = room.now
        row.save()
    return row is not None
