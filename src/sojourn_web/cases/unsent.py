"""A form whose session or page ended before it came: what was typed waits for its writer.

In: a form that comes in without a session. Out: the sign-in page; and, once the same person has
signed in, the form as it was. The words are sealed (AES-256-GCM) in the new session; the key is in
the browser's cookie alone, so that the sessions' table holds nothing that can be read. Half an
hour, once, and never for another account: each form carries a signed stamp of who opened it.

Pages with a form of their own take their words back (``take_back``); those whose forms go to other
addresses are told by a hidden ``page`` where they stand, and show them by ``gives_back``.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url

COOKIE = "sj_unsent"
GIVEN = "sojourn.unsent"  # in META: a form whose page was too old; no header has this name
SENT_TO = "sent_to"  # the form's own address, beside what was typed
SECONDS = 1800
NONCE = 12
LARGEST = 200_000  # letters; longer ones are not kept
CASE = re.compile(r"/cases/\w{4}-\w{4}/")
PAGE = re.compile(r"/cases/[\w/-]*")
NOT_TYPED = frozenset({"key", "version", "row", "before", "seen", "person", "page", "stamp",
                       "shown"})  # fmt: skip
View = Callable[..., HttpResponse]
signer = Signer(salt="sojourn.cases.unsent")


def stamp_of(request: HttpRequest) -> str:
    """For a hidden column of each form: who opened it."""
    return signer.sign(str(request.user.pk))


def is_own(request: HttpRequest, typed: QueryDict) -> bool:
    """Whether who asks now is who opened the form."""
    return _opened_by(typed) == str(request.user.pk)


def _opened_by(typed: QueryDict) -> str | None:
    """The account of the form's stamp; None where the stamp was not written here."""
    try:
        return signer.unsign(typed.get("stamp", ""))
    except BadSignature:
        return None


def keeps_typed(view: View) -> View:
    """Around ``needs``: a form from nobody is kept, then sign-in is asked for."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return ask_to_sign_in(request)

    return checked


def gives_back(view: View) -> View:
    """For a page whose forms go elsewhere: shows first what was kept of one of them."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        kept = take_back(request) if request.method == "GET" else None
        return view(request, *args, **kwargs) if kept is None else show_again(request, kept)

    return checked


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; afterwards the form as it was."""
    if is_hint(request):
        return no_hint(request)
    query = urlencode({"next": page_of(request)})
    return keep_and_go(request, f"{resolve_url(settings.LOGIN_URL)}?{query}")


def keep_and_go(request: HttpRequest, goal: str) -> HttpResponse:
    """Leads to ``goal`` after what was typed is kept. A part of a page (htmx) leads there too."""
    answer: HttpResponse = HttpResponseRedirect(goal)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(headers={"HX-Redirect": goal})
    body = json.dumps(dict(typed_in(request).lists()))
    if _opened_by(request.POST) is not None and len(body) <= LARGEST:
        key, nonce = AESGCM.generate_key(256), secrets.token_bytes(NONCE)
        place = page_of(request).partition("?")[0]
        sealed = nonce + AESGCM(key).encrypt(nonce, body.encode(), place.encode())
        request.session["unsent"] = urlsafe_b64encode(sealed).decode()
        answer.set_cookie(
            COOKIE, urlsafe_b64encode(key).decode(), max_age=SECONDS, httponly=True,
            secure=settings.PRODUCTION, samesite="Strict", path="/cases/",
        )  # fmt: skip
    return answer


def is_hint(request: HttpRequest) -> bool:
    """Whether a form is only looked at while somebody types in it: nobody has sent it."""
    return bool(request.headers.get("HX-Request")) and request.path == resolve_url("case-hints")


def no_hint(request: HttpRequest) -> HttpResponse:
    """Said beside the form, which stays as it is: the button keeps what was typed."""
    return render(request, "cases/counsellor/_hints.html", {"ended": True})


def typed_in(request: HttpRequest) -> QueryDict:
    """The form that came in, with its own address and without its token."""
    found = request.POST.copy()
    found.pop("csrfmiddlewaretoken", None)
    found[SENT_TO] = request.get_full_path()
    return found


def page_of(request: HttpRequest) -> str:
    """The page on which the form stands; a button alone leads back to its case's page."""
    page = str(request.POST.get("page", ""))
    if request.path == resolve_url("case-hints"):
        return resolve_url("new-case")
    if "stamp" in request.POST:
        return page if PAGE.fullmatch(page) else request.get_full_path()
    found = CASE.match(request.path)
    return found[0] if found else resolve_url("today")


def take_back(request: HttpRequest) -> QueryDict | None:
    """What was typed at this address before the session ended; once, for its writer alone."""
    given = request.META.pop(GIVEN, None)
    if isinstance(given, QueryDict):
        return given
    kept, key = request.session.get("unsent"), request.COOKIES.get(COOKIE)
    if not kept or not key:
        return None
    try:
        sealed = urlsafe_b64decode(kept)
        aead = AESGCM(urlsafe_b64decode(key))
        body = aead.decrypt(sealed[:NONCE], sealed[NONCE:], request.path.encode())
    except (InvalidTag, ValueError):
        return None  # of another form: it waits for that one
    del request.session["unsent"]
    found = QueryDict(mutable=True)
    for name, values in json.loads(body).items():
        found.setlist(name, values)
    return found if is_own(request, found) else None


def show_again(
    request: HttpRequest, typed: QueryDict, status: int = 200, notice: str = ""
) -> HttpResponse:
    """A form of any kind, as it came: its words to read, and a button that sends it once more.

    ``typed``: from ``typed_in`` or ``take_back``, so that its address is one of ours. ``notice``:
    why it was not sent, where that is not the sign-in.
    """
    fields = _fields(typed)
    page = str(typed.get("page", ""))
    context = {
        "to": typed[SENT_TO], "fields": fields, "stamp": stamp_of(request),
        "words": words_of(typed), "notice": notice,
        "back": page if PAGE.fullmatch(page) else page_of(request),
    }  # fmt: skip
    return render(request, "cases/again.html", context, status=status)


def own_form(request: HttpRequest) -> QueryDict | None:
    """The form that came in, where it is one of ours and who asks has opened it."""
    typed = typed_in(request)
    return typed if request.method == "POST" and is_own(request, typed) else None


def words_of(typed: QueryDict) -> list[tuple[str, str]]:
    """What somebody wrote or chose in a form, with a name to read; no ids."""
    return [(n.replace("_", " ").capitalize(), v) for n, v in _fields(typed) if _is_typed(n, v)]


def _fields(typed: QueryDict) -> list[tuple[str, str]]:
    return [
        (n, str(v)) for n, values in typed.lists() for v in values if n not in (SENT_TO, "stamp")
    ]


def _is_typed(name: str, value: object) -> bool:
    if name in NOT_TYPED or not str(value).strip():
        return False
    try:
        UUID(str(value))
    except ValueError:
        return True
    return False
