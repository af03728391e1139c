"""HTTP ingest: a feed hands a file over and gets a receipt, never an outcome.

The body is written beside the inbox, then renamed into it: the watcher does the rest. A feed's
token opens this one door.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from ninja import Header, NinjaAPI, Schema, Status
from ninja.security import HttpBearer

from sojourn_web.runs.models import FeedToken, HandOver
from sojourn_web.runs.tokens import find_token

CHUNK = 1 << 20
ENDINGS = ("csv", "ndjson", "parquet", "decoys.parquet", "edi")
KEY_LONGEST = 200


class Receipt(Schema):
    """The SHA-256 of what was received. It says that the file is here, not what became of it."""

    digest: str


class Problem(Schema):
    detail: str


class FeedAuth(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> FeedToken | None:
        return find_token(token, datetime.now(UTC))


api = NinjaAPI(
    title="Sojourn ingest", version="1", urls_namespace="ingest", docs_url=None, auth=FeedAuth(),
    description="Hand records over: CSV, NDJSON, Parquet, PAXLST, or encodings made at the edge.",
)  # fmt: skip


@dataclass(frozen=True)
class Landed:
    part: Path
    digest: str


class TooLargeError(Exception):
    pass


@api.post(
    "{source}/files",
    response={202: Receipt, 400: Problem, 403: Problem, 409: Problem, 413: Problem},
    summary="Hand a file over",
)
def hand_over(
    request: HttpRequest, source: str, idempotency_key: Header[str],
    ending: str = "",
) -> Status[Receipt | Problem]:  # fmt: skip
    """The body is the file. Send the same Idempotency-Key again and nothing is taken twice."""
    token: FeedToken = request.auth  # type: ignore[attr-defined]
    if token.source != source:
        return Status(403, Problem(detail="this token is another source's"))
    if not 1 <= len(idempotency_key) <= KEY_LONGEST:
        return Status(400, Problem(detail=f"Idempotency-Key: 1 to {KEY_LONGEST} characters"))
    if ending and ending not in ENDINGS:
        return Status(400, Problem(detail=f"ending: expected one of {', '.join(ENDINGS)}"))
    folder = settings.INBOX / source
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        landed = _write(request, folder)
    except TooLargeError:
        limit = settings.INGEST_MAX_BYTES // 2**20
        return Status(413, Problem(detail=f"expected at most {limit} MiB: send it in parts"))
    return _hand_on(token, idempotency_key, landed, folder, ending)


def _write(request: HttpRequest, folder: Path) -> Landed:
    part = folder / f".{secrets.token_hex(8)}.part"
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            while chunk := request.read(CHUNK):
                size += len(chunk)
                if size > settings.INGEST_MAX_BYTES:
                    raise TooLargeError
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Landed(part, digest.hexdigest())


def _hand_on(
    token: FeedToken, key: str, landed: Landed, folder: Path, ending: str
) -> Status[Receipt | Problem]:
    """Into the inbox first, then the key is noted: a crash between loses nothing, and the
    ledger knows a digest that comes twice."""
    before = HandOver.objects.filter(token=token, key=key).first()
    if before is None:
        landed.part.replace(folder / f"{landed.digest[:16]}.{ending or 'data'}")
        try:
            with transaction.atomic():
                before = HandOver.objects.create(token=token, key=key, digest=landed.digest)
        except IntegrityError:
            before = HandOver.objects.get(token=token, key=key)
    landed.part.unlink(missing_ok=True)
    if before.digest != landed.digest:
        return Status(409, Problem(detail="this Idempotency-Key was used for another file"))
    return Status(202, Receipt(digest=landed.digest))
