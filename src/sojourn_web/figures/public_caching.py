"""What never changes may be kept for ever: ETags, 304s, and a small store of ready answers.

A figure at a vintage is drawn once and stored: its answer is the same bytes for all time. So it is
built once in a process and given again from memory, without a question to the database.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_MINUTE = "public, max-age=60"
KEPT = 4096  # answers
LARGEST = 65_536  # bytes of an answer that is kept
View = Callable[..., HttpResponse]


class Answers:
    """The answers asked for last, up to ``size`` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, tuple[str, bytes, str]] = OrderedDict()
        self._lock = Lock()

    def find(self, address: str) -> tuple[str, bytes, str] | None:
        with self._lock:
            found = self._kept.get(address)
            if found is not None:
                self._kept.move_to_end(address)
            return found

    def keep(self, address: str, answer: tuple[str, bytes, str]) -> None:
        with self._lock:
            self._kept[address] = answer
            self._kept.move_to_end(address)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)


answers = Answers(KEPT)


def matches(request: HttpRequest, etag: str) -> bool:
    """Whether the asker has these bytes already (RFC 9110, If-None-Match)."""
    held = request.headers.get("If-None-Match", "")
    return held == etag or "*" in held or etag in [
        h.strip().removeprefix("W/") for h in held.split(",")
    ]  # fmt: skip


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def with_etag(view: View) -> View:
    """ETag and 304; where the answer says that it is immutable, it is kept and given again."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        address = f"{settings.STATISTICS_URL} {request.get_full_path()}"
        found = answers.find(address)
        if found is not None:
            return _answer(request, *found, FOR_EVER)
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            response["Access-Control-Allow-Origin"] = "*"
            return response
        control = response.get("Cache-Control", FOR_A_MINUTE)
        kept = (etag_of(response.content), response.content, response["Content-Type"])
        if control == FOR_EVER and len(response.content) <= LARGEST:
            answers.keep(address, kept)
        return _answer(request, *kept, control)

    return answered


def _answer(request: HttpRequest, etag: str, body: bytes, kind: str, control: str) -> HttpResponse:
    if matches(request, etag):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type=kind)
    response["ETag"] = etag
    response["Cache-Control"] = control
    response["Access-Control-Allow-Origin"] = "*"
    return response
