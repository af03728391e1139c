"""What never changes may be kept for ever: ETags, 304s, and a small store of ready answers.

A figure at a vintage is drawn once and stored: its answer is the same bytes for all time. So it is
built once in a process and given again from memory, without a question to the database. Its ETag is
made of its address under the site's key: nobody but the site can have issued it, and it is issued
only with an answer that never changes. Who brings it back is answered before anything is asked.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from sojourn.schemas import FIGURES

FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_MINUTE = "public, max-age=60"
KEPT = 4096  # answers
LARGEST = 65_536  # bytes of an answer that is kept
View = Callable[..., HttpResponse]
_FORM = hashlib.sha256(" ".join((*FIGURES.names, "page")).encode()).hexdigest()[:8]


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

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


answers = Answers(KEPT)


def matches(request: HttpRequest, etag: str) -> bool:
    """Whether the asker has these bytes already (RFC 9110, If-None-Match)."""
    held = request.META.get("HTTP_IF_NONE_MATCH", "")
    if not held:
        return False
    return held == etag or "*" in held or etag in [
        h.strip().removeprefix("W/") for h in held.split(",")
    ]  # fmt: skip


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_for_ever(address: str) -> str:
    """Of an answer that never changes. Another form of figures gives other tags."""
    made = hashlib.blake2b(f"{_FORM} {address}".encode(), digest_size=16,
                           key=settings.SECRET_KEY.encode()[:64])  # fmt: skip
    return f'"{made.hexdigest()}"'


def with_etag(view: View) -> View:
    """ETag and 304; where the answer says that it is immutable, it is kept and given again."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        address = f"{settings.STATISTICS_URL} {request.get_full_path()}"
        held = request.META.get("HTTP_IF_NONE_MATCH")
        if held and (etag := etag_for_ever(address)) in held:
            return HttpResponse(status=304, headers=_headers(etag, FOR_EVER))
        found = answers.find(address)
        if found is not None:
            etag, body, kind = found
            if matches(request, etag):
                return HttpResponse(status=304, headers=_headers(etag, FOR_EVER))
            return HttpResponse(body, content_type=kind, headers=_headers(etag, FOR_EVER))
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            response["Access-Control-Allow-Origin"] = "*"
            return response
        control = response.get("Cache-Control", FOR_A_MINUTE)
        for_ever = control == FOR_EVER
        etag = etag_for_ever(address) if for_ever else etag_of(response.content)
        kept = (etag, response.content, response["Content-Type"])
        if for_ever and len(response.content) <= LARGEST:
            answers.keep(address, kept)
        if matches(request, etag):
            return HttpResponse(status=304, headers=_headers(etag, control))
        for name, value in _headers(etag, control).items():
            response[name] = value
        return response

    return answered


def _headers(etag: str, control: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": control, "Access-Control-Allow-Origin": "*"}
