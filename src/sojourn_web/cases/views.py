"""The list of cases, and the two moves that are one button. The rest: ``views_case``."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sojourn_web.accounts.roles import SEE_CASES, needs
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.pages import answers_refusals, find_case, list_cases, staff
from sojourn_web.cases.services import moving
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.visibility import visible_screenings
from sojourn_web.cases.vocabulary import Who


@require_safe
@never_cache
@needs(SEE_CASES)
@answers_refusals
def case_list(request: HttpRequest) -> HttpResponse:
    """The cases that this account may see, without anybody's name."""
    room, actor = room_now(), staff(request)
    if actor.who is Who.MEDICAL:
        rows = visible_screenings(actor, room.now).select_related("case", "person")[:200]
        return render(request, "cases/counsellor/screenings.html", {"rows": rows})
    number, state = request.GET.get("page", "1"), request.GET.get("state", "")
    page = list_cases(room, actor, int(number) if number.isdecimal() else 1, state)
    return render(request, "cases/list.html", {"page": page, "states": list(State), "state": state})


@require_POST
@never_cache
@needs(SEE_CASES)
@answers_refusals
def move_case(request: HttpRequest, reference: str) -> HttpResponse:
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    name, version = request.POST.get("move", ""), request.POST.get("version", "")
    if name not in Move._value2member_map_ or not version.isdecimal():
        raise RefusedError("This form is not whole: load the case's page again.")
    reason = request.POST.get("reason", "")
    moving.move(room, actor, case_id, Move(name), reason=reason, version=int(version))
    return redirect("case", reference=reference)


@require_POST
@never_cache
@needs(SEE_CASES)
@answers_refusals
def withdraw_case(request: HttpRequest, reference: str) -> HttpResponse:
    """One action, no reason."""
    room, actor = room_now(), staff(request)
    moving.withdraw(room, actor, find_case(room, actor, reference))
    return redirect("case", reference=reference)
