"""The list of cases, and the two moves that are one button. The rest: ``views_case``."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from sojourn_web.cases.desk import at_desk, say_saved
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.pages import MINE, NOBODY, find_case, list_cases, read_number
from sojourn_web.cases.services import moving
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.visibility import Actor, visible_screenings
from sojourn_web.cases.vocabulary import Who


@require_safe
@at_desk()
def case_list(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """The cases that this account may see, without anybody's name."""
    if actor.who is Who.MEDICAL:
        rows = visible_screenings(actor, room.now).select_related("case", "person")[:200]
        return render(request, "cases/counsellor/screenings.html", {"rows": rows})
    number, state = request.GET.get("page", "1"), request.GET.get("state", "")
    whose = request.GET.get("whose", "")
    page = list_cases(room, actor, read_number(number) or 1, state, whose)
    context = {"page": page, "states": list(State), "state": state, "whose": whose,
               "whom": ((MINE, "mine"), (NOBODY, "nobody's yet"))}  # fmt: skip
    return render(request, "cases/list.html", context)


@require_POST
@at_desk()
def move_case(request: HttpRequest, room: Room, actor: Actor, reference: str) -> HttpResponse:
    """The next step; one that asks for a reason has the act ``move``."""
    case_id = find_case(room, actor, reference)
    name, version = request.POST.get("move", ""), read_number(request.POST.get("version", ""))
    if name not in Move._value2member_map_ or version is None:
        raise RefusedError("This form is not whole: load the case's page again.")
    reason = request.POST.get("reason", "")
    done = moving.move(room, actor, case_id, Move(name), reason=reason, version=version)
    say_saved(request, room, done.remarks)
    return redirect("case", reference=reference)


@require_POST
@at_desk()
def withdraw_case(request: HttpRequest, room: Room, actor: Actor, reference: str) -> HttpResponse:
    """One action, no reason."""
    done = moving.withdraw(room, actor, find_case(room, actor, reference))
    say_saved(request, room, done.remarks)
    return redirect("case", reference=reference)
