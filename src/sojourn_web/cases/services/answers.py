"""The applicant's form, question by question. No answer is ever written over.

In: a value and the version it was based on. Out: ``Saved``. Where somebody else has answered in
the meantime, both versions are kept, the older stays current, and both are shown until somebody
who may see them chooses one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import Answer, Case, Person
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
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Action, Actor, people_for
from sojourn_web.cases.vocabulary import PersonKind

LONGEST = 20_000
OVER = frozenset({State.CLOSED, State.WITHDRAWN})


@dataclass(frozen=True)
class Saved:
    """``version``: what the next save is based on. ``conflict_with``: the version that was
    current and not seen by this writer; then ``version`` is kept beside it, not current."""

    version: int
    conflict_with: int | None
    repeated: bool


@dataclass(frozen=True)
class Version:
    """An opened answer. ``by``: the actor who wrote it."""

    question: str
    version: int
    value: str
    by: str
    is_current: bool
    conflict_with: int | None


@service
def save_answer(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, section: str, question: str,
    value: str, *, based_on: int, key: str,
) -> Saved:  # fmt: skip
    """``based_on``: the version that was shown, 0 where there was none."""
    case = take(room, actor, case_id, Action.ANSWER)
    person = _own_person(actor, case, person_id)
    if State(case.state) in OVER:
        raise RefusedError("This case has ended: come back to it first.")
    if len(value) > LONGEST:
        raise RefusedError(f"Expected {LONGEST:,} letters at most: say the rest in a file.")

    def make(row_id: UUID) -> Answer:
        rows = Answer.objects.filter(person=person, section=section, question=question)
        last = rows.order_by("-version").first()
        current = rows.filter(is_current=True).first()
        clash = current is not None and current.version != based_on
        same = clash and current is not None and current.value.open(room.keys) == value
        row = Answer(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, section=section, question=question, is_current=not clash or same,
            version=last.version + 1 if last else 1,
            conflicts_with=current if clash and not same else None,
        )  # fmt: skip
        row.seal(room.keys, value=value)
        if current is not None and row.is_current:
            current.is_current = False
            current.save()
        row.save(force_insert=True)
        what = "answered" if row.is_current else "answered beside another"
        columns = f"{section}.{question}"
        record(room, actor, case, what, columns=columns, private_to=_private(actor, person))
        return row

    row, repeated = once(room, actor, "save_answer", key, Answer, make)
    clashing = row.conflicts_with
    return Saved(row.version, clashing.version if clashing else None, repeated)


@service
def settle_conflict(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, section: str, question: str,
    version: int,
) -> Done:  # fmt: skip
    """``version`` is the one that counts from now; the others stay as they were written."""
    case = take(room, actor, case_id, Action.ANSWER)
    person = _own_person(actor, case, person_id)
    rows = list(Answer.objects.filter(person=person, section=section, question=question))
    chosen = next((r for r in rows if r.version == version), None)
    if chosen is None:
        raise NotVisibleError
    for row in rows:
        row.is_current = row is chosen
        row.settled_at = row.settled_at or room.now
        row.save()
    columns = f"{section}.{question}"
    private = _private(actor, person)
    record(room, actor, case, "chose an answer", columns=columns, private_to=private)
    return done(case, chosen)


def read_answers(
    room: Room, actor: Actor, case: Case, person_id: UUID, section: str
) -> tuple[Version, ...]:
    """Current answers of a section and those that wait beside them. ``case``: from a service
    or a query of ``visible_to``; the caller notes the access."""
    if not people_for(actor, case).filter(pk=person_id).exists():
        raise NotVisibleError
    rows = Answer.objects.filter(case=case, person_id=person_id, section=section)
    return tuple(
        Version(r.question, r.version, r.value.show(room.keys), r.made_by, r.is_current,
                r.conflicts_with.version if r.conflicts_with else None)
        for r in rows.select_related("conflicts_with").order_by("question", "version")
        if r.is_current or (r.conflicts_with_id and r.settled_at is None)
    )  # fmt: skip


def _private(actor: Actor, person: Person) -> UUID | None:
    """Who alone reads it in the log: of a child the adult who answers, all where staff do."""
    return actor.person_id if person.kind == PersonKind.CHILD else person.pk


def _own_person(actor: Actor, case: Case, person_id: UUID) -> Person:
    person = person_of(case, person_id)
    if not people_for(actor, case).filter(pk=person.pk).exists():
        raise NotAllowedError("each adult answers for themselves")
    return person
