"""Another counsellor, another office: hand-over at the end of a shift, transfer with consent."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    Case,
    Consent,
    HandOver,
    Person,
    StaffProfile,
    Task,
    Transfer,
)
from sojourn_web.cases.services.consents import holds_consent
from sojourn_web.cases.services.moving import ENDED
from sojourn_web.cases.services.opening import index_person
from sojourn_web.cases.services.room import (
    Done,
    Room,
    done,
    must_say,
    once,
    record,
    service,
    take,
)
from sojourn_web.cases.visibility import (
    COUNSELLING,
    Action,
    Actor,
    incoming_transfers,
    visible_to,
)
from sojourn_web.cases.vocabulary import Purpose, TransferState, Who


@service
def assign(room: Room, actor: Actor, case_id: UUID, user_id: int) -> Done:
    """Who counsels the case: a counsellor or supervisor of its office."""
    case = take(room, actor, case_id, Action.SHARE)
    _colleague(actor, user_id)
    _give(room, actor, case, user_id, "assigned")
    return done(case)


@service
def hand_over(
    room: Room, actor: Actor, to_user_id: int, *, key: str, case_ids: Sequence[UUID] = ()
) -> int:
    """One's own open cases (all, or those named) to a colleague of the office. How many went."""
    if actor.user_id is None or actor.office_id is None or actor.who not in COUNSELLING:
        raise NotAllowedError("a counsellor hands over their own cases")
    _colleague(actor, to_user_id)
    giver, office_id = actor.user_id, actor.office_id

    def make(row_id: UUID) -> HandOver:
        own = visible_to(actor, room.now).filter(
            counsellor_id=giver, office_id=office_id, ended_at=None
        )
        chosen = [c for c in own.values_list("pk", flat=True) if not case_ids or c in case_ids]
        for case_id in chosen:
            case = take(room, actor, case_id, Action.SHARE)
            _give(room, actor, case, to_user_id, "handed over")
        return HandOver.objects.create(
            id=row_id, made_at=room.now, office_id=office_id, from_user_id=giver,
            to_user_id=to_user_id, cases=len(chosen),
        )  # fmt: skip

    row, _ = once(room, actor, "hand_over", key, HandOver, make)
    return row.cases


@service
def request_transfer(
    room: Room, actor: Actor, case_id: UUID, to_office_id: UUID, *, reason: str, key: str
) -> Done:
    """Ask another office to take the case over. Needs every adult's consent to it."""
    case = take(room, actor, case_id, Action.SHARE)
    if case.office_id == to_office_id:
        raise RefusedError("The case is in this office already: assign a colleague instead.")
    if not holds_consent(case, Purpose.TRANSFER):
        raise RefusedError("Another office takes over with consent alone: ask every adult.")
    why = must_say(reason, "a reason")

    def make(row_id: UUID) -> Transfer:
        if Transfer.objects.filter(case=case, state=TransferState.ASKED).exists():
            raise RefusedError("Another office is asked already: take that request back first.")
        row = Transfer(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            from_office_id=case.office_id, to_office_id=to_office_id,
        )  # fmt: skip
        row.seal(room.keys, reason=why)
        row.save(force_insert=True)
        record(room, actor, case, "asked for a transfer", reason=why)
        return row

    row, repeated = once(room, actor, "request_transfer", key, Transfer, make)
    return done(case, row, repeated=repeated)


@service
def answer_transfer(room: Room, actor: Actor, transfer_id: UUID, *, accept: bool) -> Done:
    """By the office that was asked. From then on it sees the case, and the old one does not. The
    consent was to this one: for a further office everybody is asked again. Twice is once."""
    row = incoming_transfers(actor).filter(pk=transfer_id).select_for_update(of=("self",)).first()
    if row is None:
        return _answered(actor, transfer_id, accept)
    case = Case.objects.select_for_update(of=("self",)).select_related("office").get(pk=row.case_id)
    if accept and not holds_consent(case, Purpose.TRANSFER):
        raise RefusedError("The consent to this transfer was withdrawn: it cannot be accepted.")
    row.state = TransferState.ACCEPTED if accept else TransferState.DECLINED
    row.answered_at = room.now
    row.save()
    if accept:
        case.office = row.to_office
        case.counsellor_id = actor.user_id if actor.who is Who.COUNSELLOR else None
        _pass_tasks(case)
        _use_up_consent(room, case)
        for person in Person.objects.filter(case=case):
            index_person(room, case, person)
    record(room, actor, case, f"transfer {row.state}", columns="office" if accept else "")
    return done(case, row)


@service
def revoke_transfer(room: Room, actor: Actor, case_id: UUID, transfer_id: UUID) -> Done:
    """Taken back before it was answered."""
    case = take(room, actor, case_id, Action.SHARE)
    row = Transfer.objects.filter(case=case, pk=transfer_id).first()
    if row is None:
        raise NotVisibleError
    if row.state == TransferState.REVOKED:
        return done(case, row, repeated=True)
    if row.state != TransferState.ASKED:
        raise RefusedError("That office has answered already: look at the case again.")
    row.state, row.answered_at = TransferState.REVOKED, room.now
    row.save()
    record(room, actor, case, "transfer revoked")
    return done(case, row)


def _answered(actor: Actor, transfer_id: UUID, accept: bool) -> Done:
    """A second click, by the office that answered. Raises NotVisibleError for anybody else."""
    state = TransferState.ACCEPTED if accept else TransferState.DECLINED
    row = Transfer.objects.select_related("case").filter(pk=transfer_id, state=state).first()
    if row is None or actor.who not in COUNSELLING or row.to_office_id != actor.office_id:
        raise NotVisibleError
    return done(row.case, row, repeated=True)


def _colleague(actor: Actor, user_id: int) -> None:
    if actor.office_id is None or not StaffProfile.objects.filter(
        user_id=user_id, office_id=actor.office_id, left_at=None,
        role__in=[w.value for w in COUNSELLING],
    ).exists():  # fmt: skip
        raise RefusedError("Expected a counsellor of this office who works here now.")


def _give(room: Room, actor: Actor, case: Case, user_id: int, what: str) -> None:
    if case.state in ENDED and case.ended_at is not None:
        raise RefusedError("This case has ended: nobody needs to take it over.")
    case.counsellor_id = user_id
    _pass_tasks(case)
    record(room, actor, case, what, columns="counsellor")


def _use_up_consent(room: Room, case: Case) -> None:
    given = Consent.objects.filter(case=case, purpose=Purpose.TRANSFER, withdrawn_at=None)
    for consent in given:
        consent.withdrawn_at = room.now
        consent.save()


def _pass_tasks(case: Case) -> None:
    for task in Task.objects.filter(case=case, done_at=None):
        task.for_user_id = case.counsellor_id
        task.save()
