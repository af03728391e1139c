"""What every service is given, how it takes a case, and how it writes the trail.

In: a ``Room`` (keys and clock) and an ``Actor``. Out: the case, locked for this transaction, after
visibility and permission were asked; an audit row in the same transaction as the change.

Every service is decorated with ``service``: one transaction, all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import IntegrityError, models, transaction

from sojourn_web.cases.errors import (
    ConflictError,
    NotAllowedError,
    NotVisibleError,
    RefusedError,
)
from sojourn_web.cases.keys import CaseKeys, case_keys
from sojourn_web.cases.models import (
    AccessEvent,
    AuditEvent,
    Case,
    MonthlyCount,
    Office,
    OnceKey,
    Person,
)
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.visibility import Action, Actor, may, visible_to

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Room:
    """The keys and the moment (UTC) of one piece of work."""

    keys: CaseKeys
    now: datetime


@dataclass(frozen=True)
class Done:
    """What a service did. ``row_id``: the row it made. ``repeated``: an earlier click made it.

    ``remarks``: what the page should say, such as a passport that must be handed back.
    """

    case_id: UUID
    reference: str
    state: str
    version: int
    row_id: UUID | None = None
    repeated: bool = False
    remarks: tuple[str, ...] = ()


def room_now() -> Room:
    """For views and commands."""
    return Room(case_keys(), datetime.now(UTC))


def service(work: Callable[P, T]) -> Callable[P, T]:
    """One transaction on the cases' database around ``work``."""
    return transaction.atomic(using=ALIAS)(work)


def today_in(office: Office, now: datetime) -> date:
    """The office's day at ``now``."""
    return now.astimezone(ZoneInfo(office.time_zone)).date()


def take(
    room: Room, actor: Actor, case_id: UUID, action: Action, version: int | None = None
) -> Case:
    """The case, locked. Raises NotVisibleError, NotAllowedError, or ConflictError where
    ``version`` is given and is no longer the case's."""
    visible = visible_to(actor, room.now).filter(pk=case_id).values("pk")
    found = (
        Case.objects.select_for_update(of=("self",))
        .select_related("office")
        .filter(pk__in=visible)
        .first()
    )
    if found is None:
        raise NotVisibleError
    if not may(actor, action, found):
        raise NotAllowedError(f"{actor.who.value}: this role may not do that with this case")
    if version is not None and version != found.version:
        raise ConflictError
    return found


def person_of(case: Case, person_id: UUID) -> Person:
    """Somebody of this case. Raises NotVisibleError for a forged id."""
    found = Person.objects.filter(case=case, pk=person_id).first()
    if found is None:
        raise NotVisibleError
    return found


def record(
    room: Room, actor: Actor, case: Case, what: str, *, from_state: str = "",
    columns: str = "", reason: str = "", private_to: UUID | None = None,
) -> AuditEvent:  # fmt: skip
    """Save the case with a new version, and the audit row of the change that was made."""
    case.version += 1
    case.save()
    event = AuditEvent(
        made_at=room.now, case=case, key_id=case.key_id, actor=actor.label, name=actor.name,
        what=what, from_state=from_state, to_state=case.state if from_state else "",
        columns=columns, version=case.version, private_to=private_to,
    )  # fmt: skip
    event.seal(room.keys, reason=reason)
    event.save()
    return event


def note_access(
    room: Room, actor: Actor, case: Case, what: str, reason: str = "",
    private_to: UUID | None = None,
) -> None:  # fmt: skip
    """Somebody opened something of the case: the person can read who, when and why."""
    event = AccessEvent(
        made_at=room.now, case=case, key_id=case.key_id, actor=actor.label, name=actor.name,
        what=what, private_to=private_to,
    )  # fmt: skip
    event.seal(room.keys, reason=reason)
    event.save()


def count(office_id: UUID, now: datetime, what: str, step: int = 1) -> None:
    """Raise (or take back) a monthly count that outlives the case."""
    month = now.date().replace(day=1)
    row, _ = MonthlyCount.objects.select_for_update().get_or_create(
        office_id=office_id, month=month, what=what
    )
    row.count = models.F("count") + step
    row.save(update_fields=["count"])


def once(
    room: Room, actor: Actor, name: str, key: str, model: type[M], make: Callable[[UUID], M]
) -> tuple[M, bool]:
    """The row that ``make`` makes under a new id, once for each key; True where it was there.

    Two clicks at one moment: the second waits for the first and is given its row.
    """
    if not key or len(key) > 64 or not key.isprintable():
        raise RefusedError("This form has no key of its own: load the page again.")
    keyed = {"actor": actor.label, "service": name, "key": key}
    found = OnceKey.objects.filter(**keyed).first()
    if found is None:
        result = uuid4()
        try:
            with transaction.atomic(using=ALIAS):
                OnceKey.objects.create(made_at=room.now, result=result, **keyed)
        except IntegrityError:
            found = OnceKey.objects.get(**keyed)
        else:
            return make(result), False
    return model._default_manager.get(pk=found.result), True


def note_done(room: Room, actor: Actor, name: str, key: str, result: UUID) -> None:
    """Within a service: the form ``key`` did its work, for whatever refuses its second click.
    ``result``: a mark of what it was sent with the last time."""
    OnceKey.objects.update_or_create(
        actor=actor.label, service=name, key=key,
        defaults={"made_at": room.now, "result": result},
    )  # fmt: skip


def was_done(actor: Actor, name: str, key: str, result: UUID | None = None) -> bool:
    """Whether this very form of the actor did its work before."""
    if not key or len(key) > 64 or not key.isprintable():
        return False
    found = OnceKey.objects.filter(actor=actor.label, service=name, key=key)
    return (found.filter(result=result) if result else found).exists()


def done(
    case: Case, row: models.Model | None = None, *, repeated: bool = False,
    remarks: tuple[str, ...] = (),
) -> Done:  # fmt: skip
    """The frozen result of a service."""
    row_id: UUID | None = row.pk if row is not None else None
    return Done(case.pk, case.reference, case.state, case.version, row_id, repeated, remarks)


def must_say(text: str, what: str) -> str:
    """``text`` without blanks around it. Raises RefusedError where nothing is left."""
    plain = text.replace("\0", "").strip()  # a sign that no database takes and nobody types
    if not plain:
        raise RefusedError(f"Expected {what}, found nothing: write one sentence.")
    return plain
