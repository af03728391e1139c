"""What never changes may be kept for ever: ETags, 304s, and a small store of ready answers.

A figure at a vintage is drawn once and stored: its answer is the same bytes for all time. So it is
built once in a process and given again from memory, without a question to the database. Its ETag is
made of its address and the mark of the releases it comes from (``public_marks``), under the site's
key: nobody but the site can have issued it, and it is issued only with an answer that never
changes. Who brings it back is answered before anything is asked. Another database's releases have
other marks, so that what was kept of the one is never told of the other.
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
from sojourn_web.figures.public_marks import mark_at

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
    return held == etag or held.strip() == "*" or etag in [
        h.strip().removeprefix("W/") for h in held.split(",")
    ]  # fmt: skip


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_for_ever(address: str, mark: str) -> str:
    """Of an answer that never changes, at an address without its host. ``mark``: of the releases
    that it is made of (``public_marks``). Another form of figures gives other tags."""
    made = hashlib.blake2b(f"{_FORM} {mark} {address}".encode(), digest_size=16,
                           key=settings.SECRET_KEY.encode()[:64])  # fmt: skip
    return f'"{made.hexdigest()}"'


def find_kept(request: HttpRequest, address: str, mark: str) -> HttpResponse | None:
    """A 304 for who brings the tag back, or the answer that is kept: nothing is asked for it."""
    held = request.META.get("HTTP_IF_NONE_MATCH")
    if held and (etag := etag_for_ever(address, mark)) in held:
        return not_modified(etag, FOR_EVER)
    found = answers.find(f"{mark} {address}")
    if found is None:
        return None
    etag, body, kind = found
    if held and matches(request, etag):
        return not_modified(etag, FOR_EVER)
    return HttpResponse(body, content_type=kind, headers=_headers(etag, FOR_EVER))


def keep_for_ever(
    request: HttpRequest, response: HttpResponse, address: str, mark: str
) -> HttpResponse:
    """An answer that never changes, made just now: kept, and given with its tag or as a 304."""
    etag = etag_for_ever(address, mark)
    if len(response.content) <= LARGEST:
        answers.keep(f"{mark} {address}", (etag, response.content, response["Content-Type"]))
    return _tagged(request, response, etag, FOR_EVER)


def with_etag(view: View) -> View:
    """ETag and 304; where the answer says that it is immutable, it is kept and given again."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        address, vintage = request.get_full_path(), request.GET.get("vintage", "")
        mark = mark_at(settings.STATISTICS_URL, vintage) if vintage else ""
        if mark and (kept := find_kept(request, address, mark)):
            return kept
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            response["Access-Control-Allow-Origin"] = "*"
            return response
        control = response.get("Cache-Control", FOR_A_MINUTE)
        if control == FOR_EVER:
            if mark and mark_at(settings.STATISTICS_URL, vintage, anew=True) == mark:
                return keep_for_ever(request, response, address, mark)
            control = FOR_A_MINUTE  # the database was replaced meanwhile: whose answer is it?
        return _tagged(request, response, etag_of(response.content), control)

    return answered


def not_modified(etag: str, control: str) -> HttpResponse:
    return HttpResponse(status=304, headers=_headers(etag, control))


def _tagged(request: HttpRequest, response: HttpResponse, etag: str, control: str) -> HttpResponse:
    if matches(request, etag):
        return not_modified(etag, control)
    for name, value in _headers(etag, control).items():
        response[name] = value
    return response


def _headers(etag: str, control: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": control, "Access-Control-Allow-Origin": "*"}
