"""What the person says of themselves, one column at a time, and what they ask the office for.

In: a column and a value, as the person's pages ask them. Out: ``Done``. The same value again
changes nothing: a second click is no conflict. Raises ConflictError where the column itself was
changed since it was shown; what changed elsewhere in the case is no conflict.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sojourn_web.cases.dates import read_birth_date
from sojourn_web.cases.errors import ConflictError, NotVisibleError
from sojourn_web.cases.models import Person, Task
from sojourn_web.cases.services.opening import NewPerson, change_person
from sojourn_web.cases.services.room import (
    Done,
    Room,
    done,
    once,
    person_of,
    record,
    service,
    take,
    today_in,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import PersonKind

COLUMNS = ("names", "birth_date", "nationality", "contact")


class Wish(StrEnum):
    """What a person can ask for with one button; the task says it in these words."""

    INTERPRETER = "asks for an interpreter"
    CALL = "asks to be called"


@service
def set_particular(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, column: str, value: str, *,
    seen: str, confirmed: bool = False,
) -> Done:  # fmt: skip
    """``seen``: ``mark_of`` the value that the page showed. ``confirmed``: a document shows a
    date that usually stands for "unknown"."""
    case = take(room, actor, case_id, Action.ANSWER)
    person = person_of(case, person_id)
    if column not in COLUMNS:
        raise NotVisibleError
    now = {name: getattr(person, name).open(room.keys) for name in COLUMNS}
    value = " ".join(value.split()) if column == "names" else value.strip()
    if column == "nationality":
        value = value.upper()
    if column == "birth_date":
        today = today_in(case.office, room.now)
        value = str(read_birth_date(value, today, confirmed=confirmed))
    if value == now[column]:
        return done(case, person, repeated=True)
    if seen != mark_of(now[column]):
        raise ConflictError
    new = NewPerson(
        names_latin=person.names_latin.open(room.keys), kind=PersonKind(person.kind),
        language=person.language, travels_alone=person.unaccompanied,
        # A date that stands already was confirmed when it was written.
        confirmed_date=confirmed or column != "birth_date", **{**now, column: value},
    )  # fmt: skip
    return change_person(room, actor, case_id, person_id, new)


def mark_of(value: str) -> str:
    """A short digest by which a form says which value it showed."""
    return sha256(value.encode()).hexdigest()[:16]


def open_particular(room: Room, person: Person, column: str) -> str:
    """One column of somebody from ``people_for``. Raises NotVisibleError for another column."""
    if column not in COLUMNS:
        raise NotVisibleError
    opened: str = getattr(person, column).show(room.keys)
    return opened


@service
def ask_for(room: Room, actor: Actor, case_id: UUID, wish: Wish, *, key: str, detail: str) -> Done:
    """A task for the counsellor, due today. ``detail``: sealed, such as the language."""
    case = take(room, actor, case_id, Action.ANSWER)

    def make(row_id: UUID) -> Task:
        task = add_task(room, actor, case, wish.value, detail=detail, row_id=row_id)
        record(room, actor, case, wish.value, private_to=actor.person_id)
        return task

    first = Task.objects.filter(case=case, what=wish.value, made_by=actor.label, done_at=None)
    if waiting := first.first():
        return done(case, waiting, repeated=True)
    row, repeated = once(room, actor, "ask_for", key, Task, make)
    return done(case, row, repeated=repeated)
