"""Pages without a visit: what this is, beginning, coming back, leaving."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from sojourn_web.cases.applicant.gate import (
    COOKIE,
    LANGUAGE_COOKIE,
    PATH,
    RESTORED,
    TOO_MANY,
    Wrong,
    asked_by,
    keep_language,
    may_try,
    show,
    sign_in,
    spoken,
    too_many,
    wait_until,
)
from sojourn_web.cases.applicant.keeping import give_back
from sojourn_web.cases.applicant.languages import current_language, words
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import Office
from sojourn_web.cases.services import opening, visiting
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Room, room_now
from sojourn_web.cases.visibility import VISITOR, visible_to

SHOWN_AGAIN = timedelta(minutes=2)
NO_OFFICE = words("Choose an office.")
NOBODY_HERE = words("No office takes part yet. Please come back later.")
# As the services say them, for the catalogues.
TOLD = (
    words("Reference and code do not belong together: look at both again. After five wrong codes "
      "there is a pause of 15 minutes; your counsellor can give you a new code."),
    words("This is no reference: expected eight letters and digits such as K7WX-2MDQ. Look for one "
      "that is mistaken or two that are exchanged."),
)  # fmt: skip


@spoken
def landing(request: HttpRequest) -> HttpResponse:
    """What this is, and what it is not."""
    return show(request, "landing")


@spoken
def begin(request: HttpRequest) -> HttpResponse:
    """A new enquiry: the reference and the code are shown this once."""
    offices = list(Office.objects.order_by("name"))
    if not offices:
        return show(request, "refused", 409, reasons=(NOBODY_HERE,))
    if request.method != "POST":
        return show(request, "begin", offices=offices)
    if not may_try(request):
        return too_many(show(request, "refused", 429, reasons=(TOO_MANY,)))
    chosen = offices[0] if len(offices) == 1 else _office(offices, request.POST.get("office", ""))
    if chosen is None:
        return show(request, "begin", 409, offices=offices,
                    errors=(Wrong(NO_OFFICE, "office-1"),))  # fmt: skip
    room, language = room_now(), current_language().code
    opened = opening.open_case(
        room, VISITOR, chosen.pk, [NewPerson(language=language)], language=language,
        key=request.POST.get("key", ""),
    )  # fmt: skip
    actor = opening.enter(room, opened.done.reference, opened.code)
    if visible_to(actor, room.now).filter(made_at__lt=room.now - SHOWN_AGAIN).exists():
        return redirect("return-enter")  # no double click: "back" on somebody's telephone
    answer = show(request, "code", reference=opened.done.reference, code=opened.code)
    return sign_in(answer, visiting.begin_visit(room, actor))


def _office(offices: list[Office], chosen: str) -> Office | None:
    try:
        wanted = UUID(chosen)
    except ValueError:
        return None
    return next((o for o in offices if o.pk == wanted), None)


@spoken
def enter(request: HttpRequest) -> HttpResponse:
    """Back to one's own case, by reference and code; and to the form that was being filled."""
    if request.method != "POST":
        return show(request, "enter")
    started = time.monotonic()
    reference, kept = request.POST.get("reference", ""), request.POST.get("kept", "")
    again = {"reference": reference, "kept": kept}
    if not may_try(request):
        return too_many(show(request, "enter", 429, errors=(TOO_MANY,), **again))
    room = room_now()
    try:
        actor = opening.enter(room, reference, request.POST.get("code", ""))
    except RefusedError as refusal:
        wait_until(started)
        return show(request, "enter", 403, errors=refusal.reasons, **again)
    secret = visiting.begin_visit(room, actor)
    answer = sign_in(_go_on(request, room, secret, kept, actor.person_id), secret)
    if LANGUAGE_COOKIE not in request.COOKIES:  # another telephone: their language comes along
        keep_language(answer, asked_by(request, room, actor, {}).person.language)
    return answer


def _go_on(
    request: HttpRequest, room: Room, secret: str, kept: str, person_id: UUID | None
) -> HttpResponse:
    """The form as it was typed, where there is one; else the start of the case."""
    found = give_back(room.keys, kept, person_id, room.now) if kept and person_id else None
    if found is None:
        return redirect("return-home")
    path, fields = found
    try:
        place = resolve(path)
    except Resolver404:
        return redirect("return-home")
    request.COOKIES[COOKIE] = secret
    request.META[RESTORED] = {**fields, "restored": "1"}
    answer = place.func(request, *place.args, **place.kwargs)
    return answer if isinstance(answer, HttpResponse) else redirect("return-home")


def leave(request: HttpRequest) -> HttpResponse:
    """Exit this page: the visit ends, and the browser is somewhere else. A link, without script."""
    if secret := request.COOKIES.get(COOKIE, ""):
        visiting.end_visit(secret, datetime.now(UTC))
    answer = HttpResponseRedirect(settings.RETURN_EXIT_URL)
    answer.delete_cookie(COOKIE, path=PATH, samesite="Strict")
    answer["Cache-Control"] = "no-store"
    return answer


@spoken
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and (secret := request.COOKIES.get(COOKIE, "")):
        visiting.end_visit(secret, datetime.now(UTC))
    answer = redirect("return")
    answer.delete_cookie(COOKIE, path=PATH, samesite="Strict")
    return answer
