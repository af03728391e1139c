"""The family: a child is added by who asks, an adult joins by their own yes."""

from __future__ import annotations

import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from sojourn_web.cases.applicant.dating import date_context, typed_date
from sojourn_web.cases.applicant.gate import (
    CHANGED,
    COOKIE,
    TOO_MANY,
    Asked,
    Wrong,
    may_try,
    mine,
    show,
    sign_in,
    spoken,
    too_many,
    wait_until,
)
from sojourn_web.cases.applicant.languages import current_language, words
from sojourn_web.cases.applicant.questions import OF_A_CHILD
from sojourn_web.cases.errors import ConflictError, NotVisibleError, RefusedError
from sojourn_web.cases.services import family, visiting
from sojourn_web.cases.services.family import Child
from sojourn_web.cases.services.opening import LONG_NAME, NewPerson
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.vocabulary import Belongs

SIGNED_IN = words(
    "Somebody is signed in here. Sign out first: an invitation is opened by the person whom it is "
    "for."
)
SAY_WHO = words("Say who you are to the child.")
# Where on the page of a child each is put right; what is said of the date belongs to its day.
PLACES = {
    SAY_WHO: "belongs-parent", family.ALONE: "belongs-parent", family.NO_NAME: "value",
    CHANGED: "value", LONG_NAME: "value", family.YOUNG: "call", family.CLOSED: "call",
    family.LEFT: "",
}  # fmt: skip


@mine
def overview(asked: Asked) -> HttpResponse:
    """The children, and the ways to bring somebody in. Other adults are never shown."""
    found = family.children_of(asked.room, asked.actor, asked.case)
    return asked.page("family", children=found, saved="saved" in asked.request.GET)


@mine
def add_child(asked: Asked) -> HttpResponse:
    if not asked.sent:
        return _child_page(asked, None)
    belongs = asked.typed.get("belongs", "")
    try:
        if belongs not in Belongs._value2member_map_:
            raise RefusedError(SAY_WHO)
        family.add_child(
            asked.room, asked.actor, asked.case.pk, _typed_child(asked),
            belongs=Belongs(belongs), key=asked.typed.get("key", ""),
        )  # fmt: skip
    except RefusedError as refusal:
        return _child_page(asked, None, refusal.reasons)
    return _done()


@mine
def change_child(asked: Asked, child: UUID) -> HttpResponse:
    rows = family.children_of(asked.room, asked.actor, asked.case)
    found = next((c for c in rows if c.id == child), None)
    if found is None:
        raise NotVisibleError
    if not asked.sent:
        return _child_page(asked, found)
    try:
        family.change_child(
            asked.room, asked.actor, asked.case.pk, child, _typed_child(asked),
            seen=asked.typed.get("seen", ""),
        )  # fmt: skip
    except RefusedError as refusal:
        return _child_page(asked, found, refusal.reasons)
    except ConflictError:
        return _child_page(asked, found, (CHANGED,))
    return _done()


def _done() -> HttpResponse:
    answer = redirect("return-family")
    answer["Location"] += "?saved=1"
    return answer


def _typed_child(asked: Asked) -> NewPerson:
    typed = asked.typed
    return NewPerson(
        typed.get("value", ""), birth_date=typed_date(typed),
        confirmed_date=typed.get("confirmed") == "yes", language=current_language().code,
    )  # fmt: skip


def _child_page(
    asked: Asked, child: Child | None, errors: tuple[str, ...] = ()
) -> HttpResponse:  # fmt: skip
    stored = child.birth_date if child else ""
    alone = any(e in (family.ALONE, family.YOUNG, family.CLOSED) for e in errors)
    return asked.page(
        "child", 409 if errors else 200, child=child, alone=alone,
        errors=tuple(Wrong(e, PLACES.get(e, "day")) for e in errors), typed=asked.typed,
        value=asked.typed.get("value", child.names if child else ""),
        seen=child.mark if child else "", question=OF_A_CHILD, **date_context(asked, stored),
    )  # fmt: skip


@mine
def invite(asked: Asked) -> HttpResponse:
    """An invitation for another adult: the code is shown this once."""
    if not asked.sent:
        return redirect("return-family")
    code = family.invite_adult(
        asked.room, asked.actor, asked.case.pk, key=asked.typed.get("key", "")
    )
    return asked.page("invited", code=code)


@spoken
def join(request: HttpRequest) -> HttpResponse:
    """The other adult, on their own telephone: what it is, then yes or no."""
    if request.method != "POST":
        return show(request, "join")
    started, room = time.monotonic(), room_now()
    reference, code = request.POST.get("reference", ""), request.POST.get("code", "")
    if not may_try(request):
        return too_many(show(request, "join", 429, errors=(TOO_MANY,), reference=reference))
    if visiting.find_visitor(room, request.COOKIES.get(COOKIE, "")) is not None:
        return show(request, "refused", 409, reasons=(SIGNED_IN,), signed_in=True)
    try:
        said = request.POST.get("answer", "")
        if said == "no":
            family.decline(room, reference, code)
            return show(request, "declined")
        if said != "yes":
            family.read_invitation(room, reference, code)
            return show(request, "joining", reference=reference, code=code)
        joined = family.join_plan(
            room, reference, code, language=current_language().code,
            key=request.POST.get("key", "")[:64],
        )  # fmt: skip
    except RefusedError as refusal:
        wait_until(started)
        return show(request, "join", 403, errors=refusal.reasons, reference=reference)
    answer = show(request, "code", reference=joined.reference, code=joined.code)
    return sign_in(answer, visiting.begin_visit(room, joined.actor))
