"""What was typed into a form whose visit had ended: sealed, handed back in the page, restored.

In: a form's fields and whose they are. Out: text that only this installation can open, bound to
the person, good for two hours. Nothing of it is kept on the server.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core import signing

from sojourn_web.cases.keys import NONCE_BYTES, CaseKeys

SALT = "sojourn.return.whose"
GOOD_FOR = timedelta(hours=2)
LARGEST = 120_000


def name_owner(person_id: UUID) -> str:
    """For a form's hidden field: whose form it is, signed."""
    return signing.dumps(person_id.hex, salt=SALT)


def read_owner(text: str) -> str:
    """The person's id in hexadecimal digits; empty where the field was not written here."""
    try:
        found = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return ""
    return found if isinstance(found, str) else ""


def keep(keys: CaseKeys, owner: str, path: str, fields: dict[str, str], now: datetime) -> str:
    """Sealed text; empty where whose it is is not known or where there is too much."""
    body = json.dumps({"path": path, "fields": fields, "at": now.timestamp()}).encode()
    if not owner or len(body) > LARGEST:
        return ""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + _cipher(keys).encrypt(nonce, body, owner.encode())
    return base64.urlsafe_b64encode(sealed).decode()


def give_back(
    keys: CaseKeys, kept: str, person_id: UUID, now: datetime
) -> tuple[str, dict[str, str]] | None:
    """The form's address and fields, for this person alone; None for anything else."""
    try:
        sealed = base64.urlsafe_b64decode(kept.encode())
        body = _cipher(keys).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], person_id.hex.encode()
        )
    except (InvalidTag, ValueError):
        return None
    found = json.loads(body)
    if now.timestamp() - found["at"] > GOOD_FOR.total_seconds():
        return None
    return found["path"], found["fields"]


def _cipher(keys: CaseKeys) -> AESGCM:
    return AESGCM(sha256(b"sojourn.return.kept|" + keys.index_secret()).digest())
