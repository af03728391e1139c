"""Visits of the person to their own case: begun with reference and code, over after a while.

In: an actor who has just entered, or a cookie's secret. Out: the secret, or the actor. A visit is
no change of the case: it writes no audit row. Twelve hours at most, thirty minutes without a page.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import AccessCode, Person, Visit
from sojourn_web.cases.services.room import Room, service, take
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import Who

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
MINUTE = timedelta(minutes=1)


@service
def begin_visit(room: Room, actor: Actor) -> str:
    """The secret for the cookie; only its digest is kept. ``actor``: from ``opening.enter``."""
    if actor.case_id is None or actor.person_id is None:
        raise RefusedError("Expected somebody who has entered with reference and code.")
    case = take(room, actor, actor.case_id, Action.SEE)
    code = AccessCode.objects.filter(person_id=actor.person_id, revoked_at=None).first()
    if code is None:
        raise RefusedError("This code has ended: your counsellor can give you a new one.")
    secret = secrets.token_urlsafe(32)
    Visit.objects.create(
        made_at=room.now, case=case, key_id=case.key_id, person_id=actor.person_id, code=code,
        digest=_digest(secret), seen_at=room.now, made_by=actor.label,
    )  # fmt: skip
    return secret


def find_visitor(room: Room, secret: str) -> Actor | None:
    """Who is signed in by this cookie now; None where nobody is any more."""
    found = (
        Visit.objects.filter(
            digest=_digest(secret), ended_at=None, seen_at__gt=room.now - IDLE,
            made_at__gt=room.now - LONGEST, code__revoked_at=None, case__erased_at=None,
        ).first()
        if secret
        else None
    )  # fmt: skip
    if found is None:
        return None
    if found.seen_at < room.now - MINUTE:
        found.seen_at = room.now
        found.save(update_fields=["seen_at"])
    return Actor(Who.APPLICANT, case_id=found.case_id, person_id=found.person_id)


def end_visit(secret: str, now: datetime) -> None:
    """Signed out, or left in a hurry, at ``now`` (UTC). Twice is once. No key is needed: it works
    while the key store does not."""
    for visit in Visit.objects.filter(digest=_digest(secret), ended_at=None):
        visit.ended_at = now
        visit.save(update_fields=["ended_at"])


@service
def choose_language(room: Room, actor: Actor, language: str) -> None:
    """The person's own language from now on, for pages and letters. Not an audited change."""
    if actor.person_id is None or actor.case_id is None:
        return
    for person in Person.objects.filter(pk=actor.person_id, case_id=actor.case_id):
        if person.language != language:
            person.language = language
            person.save(update_fields=["language"])


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
