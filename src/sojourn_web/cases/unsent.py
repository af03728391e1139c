"""A session that ends in the middle of a form: what was typed waits, sealed, for its writer.

In: a form that comes in without a session. Out: the sign-in page; and, once the same person has
signed in, the form as it was. The words are sealed (AES-256-GCM) in the new session; the key is in
the browser's cookie alone, so that the sessions' table holds nothing that can be read. Half an
hour, once, and never for another account: each form carries a signed stamp of who opened it.
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

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url

COOKIE = "sj_unsent"
SECONDS = 1800
NONCE = 12
LARGEST = 200_000  # letters; longer ones are not kept
CASE = re.compile(r"/cases/\w{4}-\w{4}/")
View = Callable[..., HttpResponse]
signer = Signer(salt="sojourn.cases.unsent")


def stamp_of(request: HttpRequest) -> str:
    """For a hidden column of each form: who opened it."""
    return signer.sign(str(request.user.pk))


def keeps_typed(view: View) -> View:
    """Around ``needs``: a form from nobody is kept, then sign-in is asked for."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        answer = HttpResponseRedirect(
            f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': _afterwards(request)})}"
        )
        body = json.dumps({k: v for k, v in request.POST.lists() if k != "csrfmiddlewaretoken"})
        if "stamp" in request.POST and len(body) <= LARGEST:
            key, nonce = AESGCM.generate_key(256), secrets.token_bytes(NONCE)
            place = request.path.encode()
            sealed = nonce + AESGCM(key).encrypt(nonce, body.encode(), place)
            request.session["unsent"] = urlsafe_b64encode(sealed).decode()
            answer.set_cookie(
                COOKIE, urlsafe_b64encode(key).decode(), max_age=SECONDS, httponly=True,
                secure=settings.PRODUCTION, samesite="Strict", path="/cases/",
            )  # fmt: skip
        return answer

    return checked


def _afterwards(request: HttpRequest) -> str:
    """The form itself where it has words; a button alone leads back to its case's page."""
    if "stamp" in request.POST:
        return request.get_full_path()
    found = CASE.match(request.path)
    return found[0] if found else resolve_url("today")


def take_back(request: HttpRequest) -> QueryDict | None:
    """What was typed at this address before the session ended; once, for its writer alone."""
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
    try:
        owner = signer.unsign(found.get("stamp", ""))
    except BadSignature:
        return None
    return found if owner == str(request.user.pk) else None
