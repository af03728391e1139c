"""The first pages of voluntary return: the list, a case with its ways on, the log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sojourn_web.accounts.roles import READ_CASE_LOG, SEE_CASES, needs
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import Case
from sojourn_web.cases.pages import answers_refusals, find_case, list_cases, meaning_of, staff
from sojourn_web.cases.services import looking, moving
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
        rows = visible_screenings(actor, room.now).select_related("case")[:200]
        return render(request, "cases/screenings.html", {"rows": rows})
    number, state = request.GET.get("page", "1"), request.GET.get("state", "")
    page = list_cases(room, actor, int(number) if number.isdecimal() else 1, state)
    return render(request, "cases/list.html", {"page": page, "states": list(State), "state": state})


@require_safe
@never_cache
@needs(SEE_CASES)
@answers_refusals
def case_page(request: HttpRequest, reference: str) -> HttpResponse:
    """A case: where it stands, who is in it, what can be done now and why not the rest."""
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    view = looking.look(room, actor, case_id)
    case = Case.objects.select_related("office").get(pk=case_id)
    steps = moving.open_choices(room, actor, case)
    shown = [c for c in steps if c.transition.move is not Move.WITHDRAW]
    can_withdraw = any(c.transition.move is Move.WITHDRAW for c in steps)
    context = {"case": view, "meaning": meaning_of(case), "choices": shown,
               "can_withdraw": can_withdraw}  # fmt: skip
    return render(request, "cases/case.html", context)


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


@require_safe
@never_cache
@needs(READ_CASE_LOG)
@answers_refusals
def log(request: HttpRequest) -> HttpResponse:
    """The auditor's: who changed and opened what, when; nothing of what it was."""
    return render(
        request, "cases/log.html", {"lines": looking.read_log(room_now(), staff(request))}
    )
