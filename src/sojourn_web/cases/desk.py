"""What every page of the desk starts with: who asks, the moment, the office's time zone.

In: a view of ``(request, room, actor, ...)``. Out: a view of ``(request, ...)`` that is never
cached, asks for sign-in and permission, answers refusals as pages and shows times in the zone of
the actor's office.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from sojourn_web.accounts.roles import SEE_CASES, needs
from sojourn_web.cases.acts.basis import Bench
from sojourn_web.cases.pages import answers_refusals, staff
from sojourn_web.cases.services import looking, today
from sojourn_web.cases.services.accounts import offices
from sojourn_web.cases.services.looking import PersonView
from sojourn_web.cases.services.room import Room, room_now
from sojourn_web.cases.unsent import keeps_typed
from sojourn_web.cases.visibility import Actor, people_for, visible_to

DeskView = Callable[..., HttpResponse]


def at_desk(permission: str = SEE_CASES) -> Callable[[DeskView], DeskView]:
    def decorate(view: DeskView) -> DeskView:
        @wraps(view)
        @never_cache
        @keeps_typed
        @needs(permission)
        @answers_refusals
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            room, actor = room_now(), staff(request)
            with timezone.override(zone_of(actor)):
                return view(request, room, actor, *args, **kwargs)

        return checked

    return decorate


def zone_of(actor: Actor) -> ZoneInfo:
    """Of the actor's office; ``actor`` is of ``actor_of``."""
    return ZoneInfo(actor.time_zone or "UTC")


def say_saved(request: HttpRequest, room: Room, remarks: tuple[str, ...] = ()) -> None:
    """'Saved 14:02', in the office's time, and what else there is to say."""
    messages.success(request, f"Saved {timezone.localtime(room.now):%H:%M}")
    for remark in remarks:
        messages.info(request, remark[:1].upper() + remark[1:])


def open_bench(request: HttpRequest, room: Room, actor: Actor, case_id: UUID, title: str) -> Bench:
    """For a form that is shown: names are opened, and that is written down."""
    view = looking.look(room, actor, case_id, f"a form: {title.lower()}")
    return _bench(request, actor, case_id, view.reference, view.version, view.language,
                  view.people)  # fmt: skip


def closed_bench(request: HttpRequest, room: Room, actor: Actor, case_id: UUID) -> Bench:
    """For a form that comes in: who may be chosen, by id; no name is opened."""
    case = visible_to(actor, room.now).get(pk=case_id)
    people = tuple(
        PersonView(p.pk, p.kind, "", "", "", "", "", p.language, bool(p.is_child),
                   p.unaccompanied, p.left_plan_at is not None)
        for p in people_for(actor, case)
    )  # fmt: skip
    return _bench(request, actor, case_id, case.reference, case.version, case.language, people)


def _bench(
    request: HttpRequest, actor: Actor, case_id: UUID, reference: str, version: int,
    language: str, people: tuple[PersonView, ...],
) -> Bench:  # fmt: skip
    return Bench(
        case_id, reference, version, language, people, request.GET.dict(),
        colleagues=[(str(n), name) for n, name in today.colleagues(actor)],
        offices=[(str(o.pk), o.name) for o in offices() if o.pk != actor.office_id],
        reader=actor.user_id,
    )  # fmt: skip
