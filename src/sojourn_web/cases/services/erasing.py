"""Retention and erasure: due by outcome, done by two people, by destroying the case's key.

In: a case that is due, or whose person asks. Out: a tombstone. What stays: the reference, coarse
dates, the outcome, who erased, the trail without words, monthly counts. Nothing is erased by
time alone: being due is a list for people, withdrawn cases first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, RefusedError
from sojourn_web.cases.models import (
    Case,
    Document,
    ErasureRequest,
    Grant,
    RetentionRule,
    Tombstone,
    case_tables,
)
from sojourn_web.cases.services.room import Done, Room, count, done, record, service, take
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import NOWHERE, Action, Actor, visible_to
from sojourn_web.cases.vocabulary import Holder, Outcome, Who

# Days after the end. An office's choice (``RetentionRule``); these hold where it made none.
DEFAULT_DAYS: dict[str, int] = {
    Outcome.WITHDRAWN: 30,
    Outcome.STOPPED: 365,
    Outcome.HELPED_OTHERWISE: 365,
    Outcome.RETURNED: 730,
}
RULE_ASKED = "asked by the person"
RULE_SCHEDULE = "schedule"
ENDED_STATES = frozenset({State.CLOSED, State.WITHDRAWN, State.STOPPED})


@dataclass(frozen=True)
class DueCase:
    case_id: UUID
    reference: str
    outcome: str
    due_since: date


def retention_days(outcome: str) -> int:
    rule = RetentionRule.objects.filter(outcome=outcome).first()
    return rule.days if rule else DEFAULT_DAYS.get(outcome, max(DEFAULT_DAYS.values()))


def due_for_erasure(room: Room, actor: Actor) -> tuple[DueCase, ...]:
    """Ended cases of the actor's office whose time is over: withdrawn first, then the oldest."""
    found = []
    mine = visible_to(actor, room.now).filter(office_id=actor.office_id or NOWHERE)
    for outcome in ("", *Outcome):
        kept = timedelta(days=retention_days(outcome))
        for case in mine.filter(outcome=outcome, ended_at__lte=room.now - kept):
            if case.ended_at:
                due_since = (case.ended_at + kept).date()
                found.append(DueCase(case.pk, case.reference, outcome, due_since))
    return tuple(sorted(found, key=lambda d: (d.outcome != Outcome.WITHDRAWN, d.due_since)))


def _due_at(case: Case) -> datetime | None:
    if case.ended_at is None:
        return None
    return case.ended_at + timedelta(days=retention_days(case.outcome))


@service
def ask_erasure(room: Room, actor: Actor, case_id: UUID) -> Done:
    """The person asks to be forgotten, or staff say that a case is due. Erases nothing yet."""
    case = take(room, actor, case_id, Action.ASK_ERASURE)
    waiting = ErasureRequest.objects.filter(case=case, ended_at=None).first()
    if waiting is not None:
        return done(case, waiting, repeated=True)
    asked = actor.who is Who.APPLICANT
    due = _due_at(case)
    if not asked and (due is None or due > room.now):
        raise RefusedError(
            "This case is not due, and its person has not asked: the schedule holds until then."
        )
    row = ErasureRequest.objects.create(
        made_at=room.now, case=case, asked_by=actor.label,
        rule=RULE_ASKED if asked else RULE_SCHEDULE,
    )  # fmt: skip
    record(room, actor, case, "erasure asked for")
    return done(case, row)


@service
def refuse_erasure(room: Room, actor: Actor, case_id: UUID, *, reason: str) -> Done:
    """Say why it must wait; the person reads the reason and may ask again."""
    case = take(room, actor, case_id, Action.ERASE)
    row = _waiting(case)
    row.ended_at = room.now
    row.save()
    if not reason.strip():
        raise RefusedError("Expected a reason, found nothing: the person will read it.")
    record(room, actor, case, "erasure refused", reason=reason.strip())
    return done(case, row)


@service
def erase(room: Room, actor: Actor, case_id: UUID) -> Done:
    """The first call is the first person's yes; the second, by another account, erases.

    Refused while something is held, planned or not handed back: withdraw first.
    """
    case = take(room, actor, case_id, Action.ERASE)
    row = _waiting(case)
    if State(case.state) not in ENDED_STATES:
        raise RefusedError("The case has not ended: withdraw or close it first.")
    if Document.objects.filter(
        case=case, holder=Holder.OFFICE, handed_back_at=None
    ).exists():  # fmt: skip
        raise RefusedError("The office holds a document of theirs: hand it back first.")
    if row.rule == RULE_SCHEDULE:
        due = _due_at(case)
        if due is None or due > room.now:
            raise RefusedError("This case is not due any more: it was opened again.")
    if not row.first:
        row.first = actor.label
        row.save()
        record(room, actor, case, "erasure: first yes")
        return done(case, row, remarks=("a second person must say yes",))
    if row.first == actor.label:
        raise NotAllowedError("two people erase: the second yes comes from another account")
    row.second, row.ended_at = actor.label, room.now
    row.save()
    tombstone = _bury(room, actor, case, row)
    return done(case, tombstone)


def _bury(room: Room, actor: Actor, case: Case, row: ErasureRequest) -> Tombstone:
    tombstone = Tombstone.objects.create(
        made_at=room.now, reference=case.reference, key_id=case.key_id, office_id=case.office_id,
        outcome=case.outcome, opened_month=case.made_at.date().replace(day=1), rule=row.rule,
        first=row.first, second=row.second,
    )  # fmt: skip
    count(case.office_id, room.now, "erased")
    record(room, actor, case, "erased")
    Grant.objects.filter(case=case).delete()
    for model in case_tables():
        model._default_manager.filter(case=case).delete()
    case.language, case.counsellor_id, case.erased_at = "", None, room.now
    case.save()
    # Last, and inside the transaction: if the commit fails the case is unreadable and asked
    # again; never the other way round.
    room.keys.destroy(case.key_id)
    return tombstone


def _waiting(case: Case) -> ErasureRequest:
    row = ErasureRequest.objects.select_for_update().filter(case=case, ended_at=None).first()
    if row is None:
        raise RefusedError("Nobody has asked for this erasure: ask first.")
    return row
