"""Tokens of the organisation's other systems, and what a create answered once.

In: an office's supervisor. Out: a token that is shown once and kept as a digest; it opens the
scopes that it was given, in its own office, until it is revoked. ``reply_once`` makes a create
repeatable: the same key with the same body gets the same answer, with another body a refusal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from sojourn_web.cases.errors import CaseError, NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import ApiReply, ApiToken
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.services.room import Room, must_say, service
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Who

PREFIX = "sojourn-cases-"
USED_AGAIN = timedelta(minutes=5)


class Scope(StrEnum):
    """What a token may do. There is none for reading people."""

    OPEN_ENQUIRY = "open_enquiry"
    READ_STATE = "read_state"
    ADD_DOCUMENT = "add_document"
    ADD_BOOKING = "add_booking"
    READ_COUNTS = "read_counts"


SCOPES: dict[Scope, str] = {
    Scope.OPEN_ENQUIRY: "Open an enquiry",
    Scope.READ_STATE: "Read where a case stands, by its reference",
    Scope.ADD_DOCUMENT: "Add a document and its dates",
    Scope.ADD_BOOKING: "Add a booked journey, which the person is then asked about",
    Scope.READ_COUNTS: "Read the reports' counts",
}


class KeyReusedError(CaseError):
    def __init__(self) -> None:
        super().__init__("this Idempotency-Key came with another body before: use a new key")


@dataclass(frozen=True)
class Reply:
    status: int
    answer: dict[str, Any]


@service
def make_token(room: Room, actor: Actor, name: str, scopes: frozenset[Scope]) -> str:
    """A new token for the actor's office; this is the only time that it can be seen."""
    office_id = _office_of(actor)
    shown = must_say(name, "the name of the other system")[:60]
    if not scopes:
        raise RefusedError("Expected at least one thing that it may do.")
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        made_at=room.now, office_id=office_id, name=shown, digest=digest_of(token),
        scopes=" ".join(sorted(scopes)), made_by=actor.label,
    )  # fmt: skip
    return token


@service
def revoke_token(room: Room, actor: Actor, token_id: UUID) -> None:
    """At once. Twice is once. Another office's token is not found."""
    row = ApiToken.objects.filter(pk=token_id, office_id=_office_of(actor)).first()
    if row is None:
        raise NotVisibleError
    if row.revoked_at is None:
        row.revoked_at = room.now
        row.save()


def list_tokens(actor: Actor) -> tuple[ApiToken, ...]:
    """Of the actor's office, the newest first; digests are of no use to a page."""
    return tuple(ApiToken.objects.filter(office_id=_office_of(actor)).order_by("-made_at"))


def find_token(room: Room, token: str) -> ApiToken | None:
    """The row of a token that is known and not revoked."""
    found = ApiToken.objects.filter(digest=digest_of(token), revoked_at=None).first()
    if found and (found.used_at is None or room.now - found.used_at > USED_AGAIN):
        found.used_at = room.now
        found.save(update_fields=["used_at"])
    return found


def actor_of_token(token: ApiToken) -> Actor:
    return Actor(Who.SYSTEM, office_id=token.office_id, name=token.name, token_id=token.pk)


def holds_scope(token: ApiToken, scope: Scope) -> bool:
    return scope in token.scopes.split()


@service
def reply_once(
    room: Room, token: ApiToken, key: str, place: str, body: bytes, make: Callable[[], Reply]
) -> Reply:
    """``make`` once for each key of a token, in the transaction that keeps its answer.

    Two at one moment: the second waits for the first and is given its answer. What was refused
    is not kept: it may be sent again under the same key.
    """
    if not 8 <= len(key) <= 64 or not key.isascii() or not key.isprintable():
        raise RefusedError("Idempotency-Key: expected 8 to 64 printable characters.")
    digest = hmac.digest(room.keys.index_secret(), place.encode() + b"\0" + body, "sha256").hex()
    row = ApiReply.objects.filter(token=token, key=key).first()
    if row is None:
        try:
            with transaction.atomic(using=ALIAS):
                row = ApiReply.objects.create(
                    made_at=room.now, token=token, key=key, body_digest=digest
                )
        except IntegrityError:
            row = ApiReply.objects.get(token=token, key=key)
        else:
            reply = make()
            row.status, row.answer = reply.status, json.dumps(_plain(reply.answer))
            row.save()
            return reply
    if not hmac.compare_digest(row.body_digest, digest):
        raise KeyReusedError
    return Reply(row.status, json.loads(row.answer))


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _plain(answer: Mapping[str, Any]) -> dict[str, str | int | bool | None]:
    return {k: v if isinstance(v, int | bool | None) else str(v) for k, v in answer.items()}


def _office_of(actor: Actor) -> UUID:
    """The office for which this supervisor may give tokens."""
    if actor.who is not Who.SUPERVISOR or actor.office_id is None:
        raise NotAllowedError("a supervisor gives tokens, for their own office")
    return actor.office_id
