"""What the cases' pages show, as frozen dataclasses, and what every view starts with.

In: a request. Out: the actor, or the refusal as a page: 404 for what is not visible, 403 for what
is not allowed, 409 with the reasons for what a safeguard refuses, 503 while keys do not open.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from sojourn_web.accounts.roles import signed_in
from sojourn_web.cases.errors import (
    CaseKeyError,
    ConflictError,
    KeyMissingError,
    NoSecondFactorError,
    NotAllowedError,
    NotVisibleError,
    RefusedError,
)
from sojourn_web.cases.references import read_reference
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.unsent import own_form, show_again, words_of
from sojourn_web.cases.visibility import Actor, actor_of, gone_from, visible_to

View = Callable[..., HttpResponse]
PAGE = 50
MINE, NOBODY = "mine", "nobody"
# Each: what is the matter, and what to do where the form itself cannot be shown.
KEYS_AWAY = ("The keys of cases cannot be reached just now. Nothing is lost: try again in a few "
             "minutes.", "Go back in your browser: what you typed is still there.")  # fmt: skip
KEY_MISSING = ("The key of this case is not there, though nobody has erased the case. Tell whoever "
               "runs this site that the keys may come from an older backup. Nothing was changed.",
               "Go back in your browser: what you typed is still there.")  # fmt: skip
SECOND_FACTOR = ("Cases are opened with a second factor alone: add an authenticator app here, then "
                 "come back.")  # fmt: skip
log = logging.getLogger("sojourn.cases")


@dataclass(frozen=True)
class CaseLine:
    """A case in a list: nothing that names anybody."""

    reference: str
    state: str
    since: datetime
    language: str
    whose: str


@dataclass(frozen=True)
class CasePage:
    lines: tuple[CaseLine, ...]
    number: int
    last: int


def answers_refusals(view: View) -> View:
    """Errors of the services as pages; nothing typed is quoted."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotVisibleError:
            raise Http404 from None
        except NoSecondFactorError:
            messages.info(request, SECOND_FACTOR)
            return redirect("mfa_activate_totp")
        except NotAllowedError as refusal:
            raise PermissionDenied(str(refusal)) from None
        except RefusedError as refusal:
            return _refuse(request, refusal.reasons, kwargs.get("reference"))
        except ConflictError as refusal:
            return _refuse(request, (str(refusal),), kwargs.get("reference"))
        except CaseKeyError as trouble:
            log.error("the keys of cases cannot be opened: %s", trouble)
            return _keys_away(request, trouble)

    return checked


def _refuse(request: HttpRequest, reasons: tuple[str, ...], reference: str | None) -> HttpResponse:
    """Why, and what was written: a browser that goes back may show an empty form."""
    typed = own_form(request)
    context = {
        "reasons": reasons,
        "reference": reference,
        "words": words_of(typed) if typed else (),
    }
    return render(request, "cases/refused.html", context, status=409)


def _keys_away(request: HttpRequest, trouble: CaseKeyError) -> HttpResponse:
    missing = isinstance(trouble, KeyMissingError)
    if typed := own_form(request):
        return show_again(request, typed, 503, (KEY_MISSING if missing else KEYS_AWAY)[0])
    told = " ".join(KEY_MISSING if missing else KEYS_AWAY)
    return render(request, "cases/refused.html", {"reasons": (told,)}, status=503)


def staff(request: HttpRequest) -> Actor:
    """The member of staff who asks. Raises NotAllowedError for accounts without a place here,
    NoSecondFactorError where the installation asks for a second factor and there is none."""
    user = signed_in(request)
    if settings.CASES_MFA and not is_mfa_enabled(user):
        raise NoSecondFactorError
    return actor_of(user)


def find_case(room: Room, actor: Actor, reference: str) -> UUID:
    """The id of a visible case. Raises NotVisibleError, for what is no reference at all too."""
    try:
        plain = read_reference(reference)
    except RefusedError:
        raise NotVisibleError from None
    found = visible_to(actor, room.now).filter(reference=plain).values_list("pk", flat=True).first()
    if found is None:
        raise NotVisibleError
    return found


def read_number(text: str) -> int | None:
    """A whole number of nine digits at most, as an address or a form gives it; None for others."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def list_cases(room: Room, actor: Actor, number: int, state: str = "", whose: str = "") -> CasePage:
    """Newest change first, ``PAGE`` at a time. ``whose``: ``mine`` or ``nobody``, else all."""
    found = visible_to(actor, room.now)
    if whose in (MINE, NOBODY):  # nobody's: whose counsellor has left, too
        nobody = Q(counsellor_id=None) | Q(counsellor_id__in=gone_from(actor))
        found = found.filter(Q(counsellor_id=actor.user_id) if whose == MINE else nobody)
    if state in State._value2member_map_:
        found = found.filter(state=state)
    total = found.count()
    last = max(1, -(-total // PAGE))
    number = min(max(1, number), last)
    rows = found.order_by("-state_since", "pk").values_list(
        "reference", "state", "state_since", "language", "counsellor_id"
    )[(number - 1) * PAGE : number * PAGE]
    lines = tuple(
        CaseLine(reference, at, since, language, _whose(actor, who))
        for reference, at, since, language, who in rows
    )
    return CasePage(lines, number, last)


def _whose(actor: Actor, counsellor_id: int | None) -> str:
    if counsellor_id is None:
        return "nobody yet"
    return "you" if counsellor_id == actor.user_id else "a colleague"
