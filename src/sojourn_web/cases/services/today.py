"""What needs a member of staff today: by travel day and expiry, never a ranking of anybody.

In: an actor and a moment. Out: short lists with references, no names. Each list has at most
``MOST`` lines and says when there are more. Reads nothing sealed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from sojourn_web.cases.models import (
    Answer,
    Case,
    ClockStop,
    Complaint,
    Document,
    FollowUp,
    Grant,
    HandOverNote,
    Journey,
    Office,
    Referral,
    Screening,
    StaffProfile,
    Task,
)
from sojourn_web.cases.services.moving import ENDED
from sojourn_web.cases.services.room import Room, today_in
from sojourn_web.cases.states import BEFORE_DEPARTURE, State
from sojourn_web.cases.tongues import tongue
from sojourn_web.cases.visibility import COUNSELLING, Actor, incoming_transfers, visible_to
from sojourn_web.cases.vocabulary import AppealState, ScreeningResult, Who

MOST = 15
TRAVEL_AHEAD = timedelta(days=14)
EXPIRES_AHEAD = timedelta(days=60)
TASKS_AHEAD = timedelta(days=7)
FOLLOW_UP_AHEAD = timedelta(days=7)
HANDED_OVER = timedelta(days=2)


@dataclass(frozen=True)
class Item:
    """``day``: what the list is sorted by. ``late``: that day has passed. ``row_id``: a task."""

    reference: str
    what: str
    day: date | None = None
    late: bool = False
    row_id: UUID | None = None


@dataclass(frozen=True)
class Listed:
    """``part``: the part of the case's page that the lines lead to."""

    name: str
    title: str
    items: tuple[Item, ...]
    more: bool
    part: str = ""


@dataclass(frozen=True)
class Offer:
    id: UUID
    reference: str
    from_office: str
    asked_at: datetime


@dataclass(frozen=True)
class Today:
    day: date
    lists: tuple[Listed, ...]
    offers: tuple[Offer, ...]

    @property
    def is_empty(self) -> bool:
        return not self.offers and not any(listed.items for listed in self.lists)


@dataclass(frozen=True)
class Caseload:
    """One member of an office, in the order of names; ``user_id`` None: nobody's yet."""

    user_id: int | None
    name: str
    open_cases: int
    late_tasks: int


def _office(actor: Actor) -> Any:
    """The office's id, for a query; the driver's types do not allow None there."""
    return actor.office_id


def office_day(actor: Actor, now: datetime) -> date:
    office = Office.objects.filter(pk=actor.office_id).first() if actor.office_id else None
    return today_in(office, now) if office else now.date()


def what_needs_me(room: Room, actor: Actor) -> Today:
    """A counsellor's own cases; a supervisor's office, tasks their own alone."""
    day = office_day(actor, room.now)
    if actor.who not in COUNSELLING:
        return Today(day, (), ())
    seen = visible_to(actor, room.now)
    mine = seen if actor.who is Who.SUPERVISOR else seen.filter(counsellor_id=actor.user_id)
    lists = [
        _travel(mine, day), _expiry(mine, day), _tasks(seen, actor, day),
        _coming(seen, actor, day), _screenings(mine, day),
        _conflicts(mine), _waiting(mine), _follow_ups(mine, day), _enquiries(seen, actor),
        _handed_over(mine, room.now), _granted(room, actor, seen),
    ]  # fmt: skip
    if actor.who is Who.SUPERVISOR:
        lists = [_appeals(seen), _complaints(seen), *lists]
    offers = tuple(
        Offer(t.pk, t.case.reference, t.from_office.name, t.made_at)
        for t in incoming_transfers(actor).select_related("from_office").order_by("made_at")[:MOST]
    )
    return Today(day, tuple(lists), offers)


def _listed(name: str, title: str, found: Iterable[Item], part: str = "") -> Listed:
    items = tuple(found)
    return Listed(name, title, items[:MOST], len(items) > MOST, part)


def _travel(cases: QuerySet[Case], day: date) -> Listed:
    rows: Any = Journey.objects.filter(
        case__in=cases.filter(state__in=(State.DOCUMENTS, State.TRAVEL)), ended_at=None,
        leaves_on__lte=day + TRAVEL_AHEAD,
    ).select_related("case").order_by("leaves_at")  # fmt: skip
    return _listed("travel", "Leaving soon", (
        Item(r.case.reference, "booked" if r.booked_at else "not booked yet", r.leaves_on,
             r.leaves_on < day)
        for r in rows[: MOST + 1]
    ), "travel")  # fmt: skip


def _expiry(cases: QuerySet[Case], day: date) -> Listed:
    rows = Document.objects.filter(
        case__in=cases.filter(state__in=BEFORE_DEPARTURE), ended_at=None,
        expires_on__lte=day + EXPIRES_AHEAD,
    ).select_related("case").order_by("expires_on")  # fmt: skip
    fit = Screening.objects.filter(
        case__in=cases.filter(state__in=(State.DOCUMENTS, State.TRAVEL)), replaced_at=None,
        valid_until__lte=day + FOLLOW_UP_AHEAD,
    ).select_related("case").order_by("valid_until")  # fmt: skip
    items = [
        Item(r.case.reference, f"{r.kind.replace('_', ' ')} expires", r.expires_on,
             bool(r.expires_on and r.expires_on < day)) for r in rows[: MOST + 1]
    ]  # fmt: skip
    items += [
        Item(r.case.reference, f"{r.kind} screening ends", r.valid_until,
             bool(r.valid_until and r.valid_until < day)) for r in fit[: MOST + 1]
    ]  # fmt: skip
    items.sort(key=lambda i: i.day or day)
    return _listed("expiry", "Running out", items, "travel")


def _tasks(cases: QuerySet[Case], actor: Actor, day: date) -> Listed:
    rows = Task.objects.filter(
        case__in=cases, for_user_id=actor.user_id or 0, done_at=None, due_on__lte=day
    ).select_related("case").order_by("due_on", "made_at")  # fmt: skip
    return _listed("tasks", "To do", (
        Item(r.case.reference, r.what, r.due_on, bool(r.due_on and r.due_on < day), r.pk)
        for r in rows[: MOST + 1]
    ), "work")  # fmt: skip


def _coming(cases: QuerySet[Case], actor: Actor, day: date) -> Listed:
    rows = Task.objects.filter(
        case__in=cases, for_user_id=actor.user_id or 0, done_at=None, due_on__gt=day,
        due_on__lte=day + TASKS_AHEAD,
    ).select_related("case").order_by("due_on", "made_at")  # fmt: skip
    return _listed("coming", "To do this week", (
        Item(r.case.reference, r.what, r.due_on, False, r.pk) for r in rows[: MOST + 1]
    ), "work")  # fmt: skip


def _screenings(cases: QuerySet[Case], day: date) -> Listed:
    rows = Screening.objects.filter(
        case__in=cases, replaced_at=None, result=ScreeningResult.ASKED
    ).select_related("case").order_by("made_at")  # fmt: skip
    return _listed("screenings", "Waiting for a screening", (
        Item(r.case.reference, r.kind, r.made_at.date()) for r in rows[: MOST + 1]
    ), "safeguards")  # fmt: skip


def _conflicts(cases: QuerySet[Case]) -> Listed:
    rows = Answer.objects.filter(case__in=cases, settled_at=None).exclude(conflicts_with=None)
    found = rows.select_related("case").order_by("made_at")
    return _listed("conflicts", "Answered twice: choose one", (
        Item(r.case.reference, r.question.replace("_", " ")) for r in found[: MOST + 1]
    ), "told")  # fmt: skip


def _waiting(cases: QuerySet[Case]) -> Listed:
    rows = ClockStop.objects.filter(case__in=cases, started_at=None)
    found = rows.select_related("case").order_by("stopped_at")
    return _listed("waiting", "Waiting for others: the clock stands", (
        Item(r.case.reference, f"{r.reason}, since", r.stopped_at.date())
        for r in found[: MOST + 1]
    ), "work")  # fmt: skip


def _follow_ups(cases: QuerySet[Case], day: date) -> Listed:
    rows = FollowUp.objects.filter(
        case__in=cases, done_at=None, due_on__lte=day + FOLLOW_UP_AHEAD
    ).select_related("case").order_by("due_on")  # fmt: skip
    return _listed("follow-ups", "Ask how they are", (
        Item(r.case.reference, f"after {r.month} months", r.due_on, r.due_on < day)
        for r in rows[: MOST + 1]
    ), "after")  # fmt: skip


def _enquiries(cases: QuerySet[Case], actor: Actor) -> Listed:
    rows = cases.filter(
        state__in=(State.ENQUIRY, State.APPLICATION), counsellor_id=None,
        office_id=_office(actor),
    ).order_by("made_at")  # fmt: skip
    return _listed("enquiries", "New, with nobody yet", (
        Item(c.reference, f"asked in {tongue(c.language)}, on", c.made_at.date())
        for c in rows[: MOST + 1]
    ))  # fmt: skip


def _handed_over(cases: QuerySet[Case], now: datetime) -> Listed:
    rows = HandOverNote.objects.filter(case__in=cases, made_at__gte=now - HANDED_OVER)
    found = rows.select_related("case").order_by("-made_at")
    return _listed("handed-over", "Handed over to you", (
        Item(r.case.reference, "read the note", r.made_at.date()) for r in found[: MOST + 1]
    ), "work")  # fmt: skip


def _granted(room: Room, actor: Actor, seen: QuerySet[Case]) -> Listed:
    rows = Grant.objects.filter(user_id=actor.user_id or 0, ends_at__gt=room.now, case__in=seen)
    return _listed("granted", "Open to you by break-glass, for three hours", (
        Item(r.case.reference, "the person reads your reason", r.ends_at.date())
        for r in rows.select_related("case")[: MOST + 1]
    ))  # fmt: skip


def _appeals(cases: QuerySet[Case]) -> Listed:
    rows = Referral.objects.filter(case__in=cases, appeal=AppealState.OPEN, ended_at=None)
    return _listed("appeals", "Appeals to decide", (
        Item(r.case.reference, "appeal against 'not safe', of", (r.appealed_at or r.made_at).date())
        for r in rows.select_related("case").order_by("appealed_at")[: MOST + 1]
    ), "safeguards")  # fmt: skip


def _complaints(cases: QuerySet[Case]) -> Listed:
    rows = Complaint.objects.filter(case__in=cases, answered_at=None)
    return _listed("complaints", "Complaints to answer", (
        Item(r.case.reference, "complaint of", r.made_at.date())
        for r in rows.select_related("case").order_by("made_at")[: MOST + 1]
    ), "work")  # fmt: skip


def caseloads(room: Room, actor: Actor) -> tuple[Caseload, ...]:
    """For the supervisor: who has how much, so that nobody has too much."""
    day = office_day(actor, room.now)
    cases = visible_to(actor, room.now).filter(office_id=_office(actor)).exclude(state__in=ENDED)
    ids = list(cases.values_list("counsellor_id", flat=True))
    late = list(
        Task.objects.filter(case__in=cases, done_at=None, due_on__lt=day).values_list(
            "for_user_id", flat=True
        )
    )
    staff = StaffProfile.objects.filter(office_id=_office(actor), left_at=None) \
        .filter(role__in=[w.value for w in COUNSELLING]).order_by("name")  # fmt: skip
    known = {p.user_id for p in staff}
    rows = [Caseload(p.user_id, p.name, ids.count(p.user_id), late.count(p.user_id)) for p in staff]
    nobody = [i for i in ids if i not in known]
    rows.append(Caseload(None, "Nobody yet", len(nobody), sum(i not in known for i in late)))
    return tuple(rows)


def colleagues(actor: Actor) -> tuple[tuple[int, str], ...]:
    """Counsellors and supervisors of the office who work there now, by name."""
    if actor.office_id is None:
        return ()
    rows = StaffProfile.objects.filter(
        office_id=_office(actor), left_at=None, role__in=[w.value for w in COUNSELLING]
    ).order_by("name")  # fmt: skip
    return tuple((p.user_id, p.name) for p in rows)
