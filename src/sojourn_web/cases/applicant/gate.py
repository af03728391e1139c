"""What every page of the person starts with: the language, the visit, and refusals as pages.

In: a request. Out: the view's page, or the sign-in with what was typed kept in it. Wrong codes and
references that nobody has are answered alike and after the same time.

Only of a page that was opened, and could not be made, it is said that nothing is lost. A form of
their own comes back with its words, to be sent once more; of any other it is said that it may not
be saved.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache

from sojourn_web.cases.applicant.keeping import keep, name_owner, read_owner
from sojourn_web.cases.applicant.languages import (
    all_languages,
    current_language,
    find_language,
    prefer,
    words,
)
from sojourn_web.cases.errors import (
    CaseKeyError,
    ConflictError,
    KeyMissingError,
    NotAllowedError,
    NotVisibleError,
    RefusedError,
)
from sojourn_web.cases.models import Case, Person
from sojourn_web.cases.services import visiting
from sojourn_web.cases.services.moving import WITHDRAWABLE
from sojourn_web.cases.services.room import Room, room_now
from sojourn_web.cases.visibility import Actor, people_for, visible_to

COOKIE, LANGUAGE_COOKIE = "sojourn_return", "sojourn_return_language"
PATH = "/return/"
RESTORED = "sojourn.restored"  # in META: the fields of a form that was kept; no header has it
HIDES = "sojourn.hides"  # in META: the browser does not say where the form comes from
SAME_TIME = 0.35  # seconds until a wrong code is answered, whatever was wrong
TRIES, WINDOW = 30, 600  # from one address in ten minutes: many people may share one
NOT_KEPT = frozenset({"csrfmiddlewaretoken", "owner", "code", "kept"})
CHANGED = words("This was changed since the page was shown. Look at both, then save again.")
TOO_MANY = words("Too many tries from this place. Wait ten minutes, then try again.")
KEYS_AWAY = words("We cannot open your case just now. Nothing is lost. Try again in a few minutes.")
CANNOT = words("We cannot open your case just now.")
KEY_MISSING = words(
    "We cannot open your case: its key is not here. Waiting does not help. Please tell the office."
)
HERE = words("What you wrote is here and is not saved. Send it again later, or copy it.")
NOT_SAVED = words("What you sent may not be saved. Go back, look, and send it again later.")
# What a form holds beside what was typed or chosen in it.
NOT_TYPED = frozenset({"key", "owner", "seen", "stage", "declaration", "consent", "wish", "move"})
log = logging.getLogger("sojourn.cases")


@dataclass(frozen=True)
class Wrong:
    """What is said of a form, and the id of the field that it is about; empty for none."""

    text: str
    place: str = "value"


@dataclass(frozen=True)
class Asked:
    """A request of somebody who is signed in. ``typed``: what was sent, or what was kept of a
    form whose visit had ended."""

    request: HttpRequest
    room: Room
    actor: Actor
    case: Case
    person: Person
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> bool:
        return self.request.method == "POST" and not self.typed.get("restored")

    def page(self, name: str, status: int = 200, **context: Any) -> HttpResponse:
        known = {
            "case": self.case, "person": self.person, "owner": name_owner(self.person.pk),
            "key": self.typed.get("key") or uuid4().hex, "signed_in": True,
            "restored": bool(self.typed.get("restored")),
            "can_withdraw": self.case.state in WITHDRAWABLE and self.person.left_plan_at is None,
        }  # fmt: skip
        return show(self.request, name, status, **{**known, **context})


Page = Callable[..., HttpResponse]


def show(request: HttpRequest, name: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the language of the moment."""
    here = {"language": current_language(), "languages": all_languages(), "key": uuid4().hex,
            "hides_origin": HIDES in request.META, "sound": name}  # fmt: skip
    if errors := context.get("errors"):
        context["errors"] = tuple(e if isinstance(e, Wrong) else Wrong(e) for e in errors)
    # Where a field has words of its own beside it: only then does it point to them.
    context["wrong"] = {e.place for e in context.get("errors", ())}
    answer = render(request, f"cases/applicant/{name}.html", {**here, **context}, status=status)
    answer["Content-Language"] = current_language().code
    return answer


def spoken(view: Page) -> Page:
    """The page in the asked language, else the chosen one, else the browser's; never cached."""

    @never_cache
    @wraps(view)
    def in_language(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = find_language(request.GET.get("lang", ""))
        kept = find_language(request.COOKIES.get(LANGUAGE_COOKIE, ""))
        chosen = asked or kept or prefer(request.headers.get("Accept-Language", ""))
        with translation.override(chosen.code):
            answer = _with_refusals(view, request, *args, **kwargs)
        if asked:
            keep_language(answer, chosen.code)
        return answer

    return in_language


def _with_refusals(view: Page, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except NotVisibleError:
        return show(request, "not_found", 404)
    except RefusedError as refusal:
        return show(request, "refused", 409, reasons=refusal.reasons)
    except (NotAllowedError, ConflictError) as refusal:
        return show(request, "refused", 409, reasons=(str(refusal),))
    except CaseKeyError as trouble:
        return _keys_away(request, trouble)


def _keys_away(request: HttpRequest, trouble: CaseKeyError) -> HttpResponse:
    """The keys cannot be reached, or a case's own is not there."""
    log.error("the keys of cases cannot be opened: %s", trouble)
    return not_now(request, 503, KEY_MISSING if isinstance(trouble, KeyMissingError) else "")


def not_now(request: HttpRequest, status: int, why: str = "") -> HttpResponse:
    """``why``: what is the matter, where more is known than that it is not possible now."""
    typed = request.META.get(RESTORED) or request.POST
    if request.method != "POST" and not typed:
        return show(request, "refused", status, reasons=(why or KEYS_AWAY,))
    fields = _own_fields(request, typed)
    said = [value for name, value in fields if name not in NOT_TYPED and value.strip()]
    reasons = (why or CANNOT, HERE if said else NOT_SAVED)
    return show(request, "refused", status, reasons=reasons, said=said,
                fields=fields if said else (), to=request.get_full_path())  # fmt: skip


def _own_fields(request: HttpRequest, typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """A form's fields where its signed owner is who asks now; nothing for anybody else."""
    restored = RESTORED in request.META  # its owner was looked at already
    if not restored and not _is_theirs(request):
        return []
    left_out = NOT_KEPT - {"owner"} | {"restored"}
    return [(name, str(value)) for name, value in typed.items() if name not in left_out]


def _is_theirs(request: HttpRequest) -> bool:
    owner = read_owner(request.POST.get("owner", ""))
    if not owner:
        return False
    try:
        actor = visiting.find_visitor(room_now(), request.COOKIES.get(COOKIE, ""))
    except (CaseKeyError, DatabaseError):
        return False
    return actor is not None and actor.person_id is not None and actor.person_id.hex == owner


def mine(view: Callable[..., HttpResponse]) -> Page:
    """For somebody who is signed in: the view gets ``Asked``. Others are asked for their code."""

    @spoken
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        room = room_now()
        actor = visiting.find_visitor(room, request.COOKIES.get(COOKIE, ""))
        if actor is None or _is_anothers(request, actor):
            return ask_again(request, room)
        if chosen := find_language(request.GET.get("lang", "")):
            visiting.choose_language(room, actor, chosen.code)
        typed = request.META.get(RESTORED) or {
            k: v for k, v in request.POST.items() if k != "restored"
        }
        return view(asked_by(request, room, actor, typed), *args, **kwargs)

    return checked


def _is_anothers(request: HttpRequest, actor: Actor) -> bool:
    """A form that one person opened, sent after another has signed in on the same telephone."""
    owner = read_owner(request.POST.get("owner", ""))
    return bool(owner) and actor.person_id is not None and owner != actor.person_id.hex


def asked_by(request: HttpRequest, room: Room, actor: Actor, typed: Mapping[str, str]) -> Asked:
    if actor.case_id is None or actor.person_id is None:
        raise NotVisibleError
    case = visible_to(actor, room.now).select_related("office").filter(pk=actor.case_id).first()
    person = people_for(actor, case).filter(pk=actor.person_id).first() if case else None
    if case is None or person is None:
        raise NotVisibleError
    return Asked(request, room, actor, case, person, typed)


def ask_again(request: HttpRequest, room: Room) -> HttpResponse:
    """The sign-in. What was sent comes back after it, for the same person alone."""
    if request.method != "POST":
        return redirect("return-enter")
    fields = {k: str(v) for k, v in request.POST.items() if k not in NOT_KEPT}
    owner = read_owner(request.POST.get("owner", ""))
    kept = keep(room.keys, owner, request.path, fields, room.now)
    return show(request, "enter", 403, kept=kept, ended=True)


def keep_language(answer: HttpResponse, code: str) -> None:
    """For this browser's next pages; nothing for a language that there is not."""
    if find_language(code):
        answer.set_cookie(LANGUAGE_COOKIE, code, path=PATH, httponly=True, samesite="Lax",
                          secure=settings.PRODUCTION)  # fmt: skip


def sign_in(answer: HttpResponse, secret: str) -> HttpResponse:
    """The visit's cookie: until the browser closes, for these pages alone."""
    answer.set_cookie(COOKIE, secret, path=PATH, httponly=True, samesite="Strict",
                      secure=settings.PRODUCTION)  # fmt: skip
    return answer


def may_try(request: HttpRequest) -> bool:
    """Whether this address has tries left. The address is kept as a keyed digest, in memory."""
    seen = salted_hmac("sojourn.return.tries", request.META.get("REMOTE_ADDR", "")).hexdigest()
    cache.add(f"return-tries-{seen}", 0, WINDOW)
    try:
        return cache.incr(f"return-tries-{seen}") <= TRIES
    except ValueError:  # it ended between the two lines
        return True


def too_many(answer: HttpResponse) -> HttpResponse:
    """With the seconds after which a program may try again."""
    answer["Retry-After"] = str(WINDOW)
    return answer


def wait_until(started: float) -> None:
    """Until ``SAME_TIME`` after ``started`` (monotonic seconds)."""
    time.sleep(max(0.0, started + SAME_TIME - time.monotonic()))
