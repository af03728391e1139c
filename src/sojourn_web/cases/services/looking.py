"""Looking is an event: who opened what, when and why, for the person to read.

In: an actor and what they want to see. Out: opened values in frozen results, after the event was
written in the same transaction. ``what_is_held`` gives a person everything held on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models import (
    AccessEvent,
    Attachment,
    AuditEvent,
    Case,
    CaseRow,
    Complaint,
    FollowUp,
    Grant,
    HandOverNote,
    Note,
    Person,
    Screening,
    case_tables,
)
from sojourn_web.cases.references import read_reference
from sojourn_web.cases.services.room import Room, must_say, note_access, record, service, take
from sojourn_web.cases.visibility import (
    COUNSELLING,
    Action,
    Actor,
    is_at_home,
    is_out,
    people_for,
    times_out,
    visible_log,
)
from sojourn_web.cases.vocabulary import Who

GRANT = timedelta(hours=3)
PAGE, ELSEWHERE = "the case's page", "opened from another office"
LETTER = "made a letter"
Times = tuple[tuple[datetime, datetime | None], ...]
# Sealed columns that no page opens by itself: table and column.
SENSITIVE: dict[tuple[str, str], type[CaseRow]] = {
    ("screening", "answers"): Screening,
    ("screening", "support"): Screening,
    ("note", "text"): Note,
}


@dataclass(frozen=True)
class PersonView:
    """``left_plan``: for staff; an applicant sees it of themselves alone."""

    id: UUID
    kind: str
    names: str
    names_latin: str
    birth_date: str
    nationality: str
    contact: str
    language: str
    is_child: bool
    travels_alone: bool
    left_plan: bool


@dataclass(frozen=True)
class CaseView:
    id: UUID
    reference: str
    state: str
    version: int
    office: str
    language: str
    opened_at: datetime
    people: tuple[PersonView, ...]


@dataclass(frozen=True)
class LogLine:
    at: datetime
    who: str
    what: str
    reason: str


@dataclass(frozen=True)
class HeldValue:
    """One thing held on a person: table, when, columns in clear and opened."""

    table: str
    at: datetime
    values: tuple[tuple[str, str], ...]


@service
def look(room: Room, actor: Actor, case_id: UUID, what: str = PAGE) -> CaseView:
    """Open a case's people for a page, and write that it was opened."""
    case = take(room, actor, case_id, Action.SEE)
    return show(room, actor, case, people_for(actor, case), what)


def show(room: Room, actor: Actor, case: Case, people: Iterable[Person], what: str) -> CaseView:
    """Within a service: of a case that is taken, ``people`` (from ``people_for``) opened, noted."""
    if actor.who is not Who.APPLICANT:
        note_access(room, actor, case, what, _grant_reason(room, actor, case))
    return CaseView(
        case.pk, case.reference, case.state, case.version, case.office.name, case.language,
        case.made_at, tuple(_view(room, p) for p in people),
    )  # fmt: skip


def _view(room: Room, person: Person) -> PersonView:
    return PersonView(
        id=person.pk, kind=person.kind, names=person.names.show(room.keys),
        names_latin=person.names_latin.show(room.keys),
        birth_date=person.birth_date.show(room.keys),
        nationality=person.nationality.show(room.keys), contact=person.contact.show(room.keys),
        language=person.language, is_child=bool(person.is_child),
        travels_alone=person.unaccompanied, left_plan=person.left_plan_at is not None,
    )  # fmt: skip


def _grant_reason(room: Room, actor: Actor, case: Case) -> str:
    if actor.user_id is None or actor.holds_grants is False or is_at_home(actor, case):
        return ""
    grant = Grant.objects.filter(case=case, user_id=actor.user_id, ends_at__gt=room.now).first()
    return grant.reason.open(room.keys) if grant else ""


@service
def open_sensitive(
    room: Room, actor: Actor, case_id: UUID, table: str, row_id: UUID, column: str, *, reason: str
) -> str:
    """A sensitive value, opened with a reason that the person can read."""
    case = take(room, actor, case_id, Action.SENSITIVE)
    model = SENSITIVE.get((table, column))
    row = model._default_manager.filter(case=case, pk=row_id).first() if model else None
    if row is None:
        raise NotVisibleError
    about: UUID | None = getattr(row, "person_id", None)
    if actor.who is Who.APPLICANT:
        if about != actor.person_id:
            raise NotVisibleError
    else:
        if actor.who is Who.MEDICAL and model is not Screening:
            raise NotAllowedError("the medical service opens screenings alone")
        note_access(room, actor, case, f"{table}: {column}", must_say(reason, "a reason"), about)
    opened: str = getattr(row, column).open(room.keys)
    return opened


@service
def break_glass(room: Room, actor: Actor, reference: str, *, reason: str) -> Grant:
    """See one case that is not one's own, for three hours; the person reads who and why.

    By the whole reference alone: there is no search over what one may not see. The same reason
    again, while it is open, is a second click.
    """
    if actor.who not in COUNSELLING or actor.user_id is None:
        raise NotAllowedError("expected a counsellor or a supervisor")
    why = must_say(reason, "why it cannot wait for the case's own office")
    if len(why) < 10:
        raise RefusedError("Expected a reason that the person understands: one whole sentence.")
    case = (
        Case.objects.select_for_update()
        .filter(reference=read_reference(reference), erased_at=None)
        .first()
    )
    if case is None:
        raise NotVisibleError
    if is_at_home(actor, case):
        raise RefusedError("This case is open to you without it: find it among your cases.")
    for held in Grant.objects.filter(case=case, user_id=actor.user_id, ends_at__gt=room.now):
        if held.reason.open(room.keys) == why:
            return held
    grant = Grant(
        made_at=room.now, case=case, key_id=case.key_id, user_id=actor.user_id,
        ends_at=room.now + GRANT,
    )  # fmt: skip
    grant.seal(room.keys, reason=why)
    grant.save()
    note_access(room, actor, case, ELSEWHERE, why)
    record(room, actor, case, "break glass", reason=why)
    return grant


@service
def what_is_held(room: Room, actor: Actor) -> tuple[HeldValue, ...]:
    """Everything that is held on the applicant who asks, opened: for their page and their export.

    Other adults of the family are not in it. Where there are any, notes and files of the whole
    case, and what was said at a follow-up, are not either, for they may speak of the others: a
    counsellor goes through those. Who has left the plan is told what is held on themselves, and of
    the children what was there when they left: the journey of the others is not theirs, nor what
    was planned for all while they were out of the plan, once they are back.
    """
    if actor.who is not Who.APPLICANT or actor.case_id is None:
        raise NotAllowedError("each person exports their own record; nobody exports others'")
    case = take(room, actor, actor.case_id, Action.SEE)
    people = list(people_for(actor, case))
    mine = [p.pk for p in people]
    alone = not Person.objects.filter(case=case).exclude(pk__in=mine).exists()
    left = next((p.left_plan_at for p in people if p.pk == actor.person_id), None)
    out = times_out(actor)
    names = {str(p.pk): p.names.show(room.keys) or p.kind for p in people}
    found = [_held(room, p, names) for p in people]
    for model in case_tables():
        if model.__name__ in NOT_TOLD:
            continue
        rows: QuerySet[Any] = model._default_manager.filter(case=case)
        if any(f.name == "person" for f in model._meta.fields):
            about: Any = Q(person_id__in=mine)
            if left is not None:
                about &= Q(person_id=actor.person_id) | Q(made_at__lte=left)
            shared = left is None and (alone or model not in (Note, Attachment, Complaint))
            rows = rows.filter(about | Q(person__isnull=True) if shared else about)
        elif left is not None or (model in (Note, HandOverNote, FollowUp) and not alone):
            continue
        found += [
            _held(room, row, names)
            for row in rows
            if getattr(row, "person_id", None) or not is_out(row.made_at, out)
        ]
    return tuple(sorted(found, key=lambda h: (h.table, h.at)))


# Digests and office work that say nothing of the person; Person is told first.
NOT_TOLD = frozenset({"BlindIndex", "AccessCode", "Task", "Person", "Visit", "Invitation"})
HIDDEN = frozenset({"id", "key_id", "case", "made_by", "content", "counsellor_id"})


def _held(room: Room, row: CaseRow, names: dict[str, str]) -> HeldValue:
    values = []
    for column in row._meta.fields:
        if column.name in HIDDEN:
            continue
        value = getattr(row, column.attname)
        text = value.show(room.keys) if isinstance(column, SealedField) else str(value)
        if column.name == "person":  # whom it is about, by name
            text = names.get(text, text)
        if text not in ("", "None"):
            values.append((str(column.verbose_name), text))
    return HeldValue(str(row._meta.verbose_name), row.made_at, tuple(values))


def read_log(room: Room, actor: Actor, most: int = 200) -> tuple[LogLine, ...]:
    """Changes and looks, newest first. Reasons are opened for the person alone: the auditor
    sees that there was one."""
    changes, looks = visible_log(actor)
    events: list[AuditEvent | AccessEvent] = [*changes[:most], *looks[:most]]
    events.sort(key=lambda e: e.made_at, reverse=True)
    own, out = actor.who is Who.APPLICANT, times_out(actor)
    return tuple(
        LogLine(e.made_at, e.name or e.actor if own else e.actor, _what(e, out),
                _why(room, e, out) if own else "given" if e.reason else "")
        for e in events[:most]
    )  # fmt: skip


def _why(room: Room, event: AuditEvent | AccessEvent, out: Times) -> str:
    """A reason for what was done while they were out may speak of the others. Two are told to
    everybody: why the glass was broken, and why their own record is not erased."""
    told = event.what in ("break glass", ELSEWHERE, "erasure refused")
    return event.reason.show(room.keys) if told or not _is_of_others(event, out) else ""


def _is_of_others(event: AuditEvent | AccessEvent, out: Times) -> bool:
    return event.private_to is None and is_out(event.made_at, out)


def _what(event: AuditEvent | AccessEvent, out: Times) -> str:
    """While they were out, the page that was opened would tell what goes on with the others."""
    if isinstance(event, AuditEvent):
        return event.what.replace("_", " ")
    if event.what == ELSEWHERE or event.what.startswith(LETTER):
        return event.what
    return f"opened {PAGE if _is_of_others(event, out) else event.what}"
