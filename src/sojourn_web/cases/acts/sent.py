"""What a form was sent with, and what it had shown: as marks.

In: a form's cleaned columns, or the values of a row. Out: a mark to compare with another one. The
mark of what was typed stays with the form's key, so it is keyed by the case's own key: once a case
is erased nobody can try words against it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings

from sojourn_web.cases.errors import CaseKeyError
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.visibility import Actor, visible_to

NOT_WORDS = frozenset({"key", "version", "shown"})
OTHER_WORDS = (
    "This form was sent before with other words, and did its work then. What is in it now is not "
    "saved yet: look at the case, or save again to send it as well."
)


def mark_sent(room: Room, actor: Actor, case_id: UUID, typed: Mapping[str, Any]) -> UUID:
    """The same for two clicks on one form alone; of a case that is not visible it means nothing."""
    words = _plain({n: v for n, v in typed.items() if n not in NOT_WORDS})
    found = visible_to(actor, room.now).filter(pk=case_id).values_list("key_id", flat=True).first()
    try:
        secret = room.keys.data_key(found) if found else b"-"
    except CaseKeyError:  # what works without the case's key writes no words
        secret = settings.SECRET_KEY.encode()
    return UUID(bytes=hmac.digest(secret, f"sent|{case_id}|{words}".encode(), "sha256")[:16])


def mark_shown(values: Mapping[str, Any]) -> str:
    """For a hidden column beside these very values: what stood in the row when it was shown."""
    return sha256(_plain(values).encode()).hexdigest()[:32]


def _plain(values: Mapping[str, Any]) -> str:
    return json.dumps({name: str(value) for name, value in values.items()}, sort_keys=True)
