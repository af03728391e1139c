"""The administrator's accounts: who has which role in which office. No case is seen or touched.

In: an administrator and an account's number. Out: a place, or its end, and an event for the
auditor. Accounts of the statistics side are not here: nobody holds roles of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import AccountEvent, Office, StaffProfile
from sojourn_web.cases.services.room import Room, must_say, service
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import STAFF, Who
from sojourn_web.cases.wordings import end_place, place_account

WITH_OFFICE = frozenset({Who.COUNSELLOR, Who.SUPERVISOR, Who.MEDICAL})


@dataclass(frozen=True)
class AccountLine:
    user_id: int
    name: str
    role: str
    office: str
    office_id: UUID | None
    since: datetime
    left_at: datetime | None
    own: bool


@dataclass(frozen=True)
class AccountChange:
    at: datetime
    by: str
    user_id: int
    what: str


def list_accounts(actor: Actor) -> tuple[AccountLine, ...]:
    """Everybody with a place in voluntary return, by name; those who left last."""
    _administrator(actor)
    rows = StaffProfile.objects.select_related("office").order_by("name", "user_id")
    lines = [
        AccountLine(p.user_id, p.name, p.role, p.office.name if p.office else "", p.office_id,
                    p.made_at, p.left_at, p.user_id == actor.user_id)
        for p in rows
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda line: line.left_at is not None))


def account_of(actor: Actor, user_id: int) -> AccountLine:
    found = next((a for a in list_accounts(actor) if a.user_id == user_id), None)
    if found is None:
        raise NotVisibleError
    return found


def offices() -> list[Office]:
    return list(Office.objects.order_by("name"))


@service
def place(room: Room, actor: Actor, user_id: int, name: str, role: Who, office: str) -> None:
    """Give an account its role and office. ``office``: its name; "" for roles without one.

    Nobody places themselves: an administrator who wants to see cases asks another one.
    """
    _administrator(actor)
    if user_id == actor.user_id:
        raise NotAllowedError("nobody changes their own role: another administrator does")
    if role not in STAFF:
        raise RefusedError("Expected a role of staff.")
    if role in WITH_OFFICE and not office.strip():
        raise RefusedError("This role works in an office: choose one.")
    shown = must_say(name, "the name that people of a case read")
    place_account(user_id, shown, role, office.strip() if role in WITH_OFFICE else "", room.now)
    _tell(room, actor, user_id, f"given: {role}" + (f", {office}" if role in WITH_OFFICE else ""))


@service
def end(room: Room, actor: Actor, user_id: int) -> None:
    """Somebody has left: from now on their account sees no case. Twice is once."""
    account = account_of(actor, user_id)
    if account.own:
        raise NotAllowedError("nobody changes their own role: another administrator does")
    if account.left_at is None:
        end_place(user_id, room.now)
        _tell(room, actor, user_id, "place ended")


def account_changes(actor: Actor, most: int = 100) -> tuple[AccountChange, ...]:
    """Newest first, for the auditor and the administrator."""
    if actor.who not in (Who.AUDITOR, Who.ADMINISTRATOR):
        raise NotAllowedError("expected the auditor or the administrator")
    rows = AccountEvent.objects.order_by("-made_at")[:most]
    return tuple(AccountChange(r.made_at, r.actor, r.user_id, r.what) for r in rows)


def _administrator(actor: Actor) -> None:
    if actor.who is not Who.ADMINISTRATOR:
        raise NotAllowedError("expected the administrator")


def _tell(room: Room, actor: Actor, user_id: int, what: str) -> None:
    AccountEvent.objects.create(made_at=room.now, actor=actor.label, user_id=user_id, what=what)
