"""One seat, one bed, one held sum let go by itself; withdrawing lets all of them go."""

from __future__ import annotations

from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.models import Hold, MoneyLine
from sojourn_web.cases.services.room import Done, Room, done, record, service, take
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import MoneyKind


@service
def release_hold(room: Room, actor: Actor, case_id: UUID, hold_id: UUID) -> Done:
    """No longer kept free; twice is once."""
    case = take(room, actor, case_id, Action.PLAN)
    row = Hold.objects.filter(case=case, pk=hold_id).first()
    if row is None:
        raise NotVisibleError
    if row.released_at is not None:
        return done(case, row, repeated=True)
    row.released_at = room.now
    row.save()
    record(room, actor, case, "let a hold go", columns="hold", private_to=row.person_id)
    return done(case, row)


@service
def release_money(room: Room, actor: Actor, case_id: UUID, money_id: UUID) -> Done:
    """A held sum is free again. What was paid is put right by another line."""
    case = take(room, actor, case_id, Action.MONEY)
    row = MoneyLine.objects.filter(case=case, pk=money_id).first()
    if row is None:
        raise NotVisibleError
    if row.kind != MoneyKind.HELD:
        raise RefusedError("A payment is never changed: add another line that puts it right.")
    if row.released_at is not None:
        return done(case, row, repeated=True)
    row.released_at = room.now
    row.save()
    record(room, actor, case, "let held money go", columns="money")
    return done(case, row)
