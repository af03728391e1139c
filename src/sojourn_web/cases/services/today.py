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
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from sojourn_web.cases.models import (
    Answer,
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
from sojourn_web.cases.visibility import (
    COUNSELLING,
    Actor,
    gone_from,
    incoming_transfers,
    seen_by,
    visible_to,
)
from sojourn_web.cases.vocabulary import AppealState, ScreeningResult, Who

MOST = 15
TRAVEL_AHEAD = timedelta(days=14)
EXPIRES_AHEAD = timedelta(days=60)
TASKS_AHEAD = timedelta(days=7)
FOLLOW_UP_AHEAD = timedelta(days=7)
HANDED_OVER = timedelta(days=2)
BY_ANOTHER = "a complaint that somebody else must answer, of"
TASK = ("what", "due_on", "id")


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
    """The day in the zone of the actor's office; in UTC where there is none."""
    if actor.time_zone:
        return now.astimezone(ZoneInfo(actor.time_zone)).date()
    office = Office.objects.filter(pk=actor.office_id).first() if actor.office_id else None
    return today_in(office, now) if office else now.date()


@dataclass(frozen=True)
class _Reach:
    """What the lists are of: ``seen``, the rows of cases that the actor may see; ``mine``, of their
    own cases (a supervisor's are the office's). Conditions on rows with a ``case``."""

    actor: Actor
    now: datetime
    day: date
    seen: Any
    mine: Any

    @property
    def own_tasks(self) -> Any:
        return self.seen & Q(for_user_id=self.actor.user_id or 0, done_at=None)


def what_needs_me(room: Room, actor: Actor) -> Today:
    """A counsellor's own cases; a supervisor's office, tasks their own alone."""
    day = office_day(actor, room.now)
    seen = seen_by(actor, room.now, "case__")
    if actor.who not in COUNSELLING:
        return Today(day, (), ())
    mine = seen if actor.who is Who.SUPERVISOR else seen & Q(case__counsellor_id=actor.user_id)
    reach = _Reach(actor, room.now, day, seen, mine)
    lists = [
        _travel(reach), _expiry(reach), _tasks(reach), _coming(reach), _screenings(reach),
        _conflicts(reach), _waiting(reach), _follow_ups(reach), _enquiries(reach),
        _handed_over(reach), *([] if actor.holds_grants is False else [_granted(reach)]),
    ]  # fmt: skip
    if actor.who is Who.SUPERVISOR:
        gone = gone_from(actor)
        left = [_left_cases(reach, gone), _left_tasks(reach, gone)]
        lists = [_appeals(reach), _complaints(reach), *left, *lists]
    offers = tuple(
        Offer(t.pk, t.case.reference, t.from_office.name, t.made_at)
        for t in incoming_transfers(actor).select_related("from_office").order_by("made_at")[:MOST]
    )
    return Today(day, tuple(lists), offers)


def _listed(name: str, title: str, found: Iterable[Item], part: str = "") -> Listed:
    items = tuple(found)
    return Listed(name, title, items[:MOST], len(items) > MOST, part)


def _read(rows: QuerySet[Any], *columns: str) -> Iterable[Any]:
    """One line more than is shown: references and these columns, no whole rows."""
    return rows.values_list("case__reference", *columns)[: MOST + 1]


def _travel(reach: _Reach) -> Listed:
    rows = Journey.objects.filter(
        reach.mine, case__state__in=(State.DOCUMENTS, State.TRAVEL), ended_at=None,
        leaves_on__lte=reach.day + TRAVEL_AHEAD,
    ).order_by("leaves_at")  # fmt: skip
    return _listed("travel", "Leaving soon", (
        Item(reference, "booked" if booked else "not booked yet", on, on < reach.day)
        for reference, booked, on in _read(rows, "booked_at", "leaves_on")
    ), "travel")  # fmt: skip


def _expiry(reach: _Reach) -> Listed:
    papers = Document.objects.filter(
        reach.mine, case__state__in=BEFORE_DEPARTURE, ended_at=None,
        expires_on__lte=reach.day + EXPIRES_AHEAD,
    ).order_by("expires_on")  # fmt: skip
    fit = Screening.objects.filter(
        reach.mine, case__state__in=(State.DOCUMENTS, State.TRAVEL), replaced_at=None,
        valid_until__lte=reach.day + FOLLOW_UP_AHEAD,
    ).order_by("valid_until")  # fmt: skip
    items = [
        Item(reference, f"{kind.replace('_', ' ')} expires", on, on < reach.day)
        for reference, kind, on in _read(papers, "kind", "expires_on")
    ]
    items += [
        Item(reference, f"{kind} screening ends", on, on < reach.day)
        for reference, kind, on in _read(fit, "kind", "valid_until")
    ]
    items.sort(key=lambda i: i.day or reach.day)
    return _listed("expiry", "Running out", items, "travel")


def _tasks(reach: _Reach) -> Listed:
    rows = Task.objects.filter(reach.own_tasks, due_on__lte=reach.day)
    return _listed("tasks", "To do", (
        Item(reference, what, due, due < reach.day, pk)
        for reference, what, due, pk in _read(rows.order_by("due_on", "made_at"), *TASK)
    ), "work")  # fmt: skip


def _left_cases(reach: _Reach, gone: list[int]) -> Listed:
    """For the supervisor: who has no counsellor any more, the longest without a word first. New
    ones that nobody has taken stand in a list of their own."""
    nobody = Q(counsellor_id=None) & ~Q(state__in=(State.ENQUIRY, State.APPLICATION))
    rows = visible_to(reach.actor, reach.now).filter(
        Q(counsellor_id__in=gone) | nobody, ended_at=None, office_id=_office(reach.actor)
    ).order_by("state_since").values_list("reference", "state", "state_since")  # fmt: skip
    return _listed("left-cases", "Without a counsellor now: give them one", (
        Item(reference, f"{state.replace('_', ' ')} since", since.date())
        for reference, state, since in rows[: MOST + 1]
    ))  # fmt: skip


def _left_tasks(reach: _Reach, gone: list[int]) -> Listed:
    """For the supervisor: what is due and stands in nobody's list."""
    rows = Task.objects.filter(
        reach.seen, Q(for_user_id=None) | Q(for_user_id__in=gone), done_at=None,
        due_on__lte=reach.day, case__office_id=_office(reach.actor),
    )  # fmt: skip
    return _listed("left-tasks", "To do, with nobody", (
        Item(reference, what, due, due < reach.day, pk)
        for reference, what, due, pk in _read(rows.order_by("due_on", "made_at"), *TASK)
    ), "work")  # fmt: skip


def _coming(reach: _Reach) -> Listed:
    rows = Task.objects.filter(
        reach.own_tasks, due_on__gt=reach.day, due_on__lte=reach.day + TASKS_AHEAD
    )
    return _listed("coming", "To do this week", (
        Item(reference, what, due, False, pk)
        for reference, what, due, pk in _read(rows.order_by("due_on", "made_at"), *TASK)
    ), "work")  # fmt: skip


def _screenings(reach: _Reach) -> Listed:
    rows = Screening.objects.filter(reach.mine, replaced_at=None, result=ScreeningResult.ASKED)
    return _listed("screenings", "Waiting for a screening", (
        Item(reference, kind, at.date())
        for reference, kind, at in _read(rows.order_by("made_at"), "kind", "made_at")
    ), "safeguards")  # fmt: skip


def _conflicts(reach: _Reach) -> Listed:
    rows = Answer.objects.filter(reach.mine, settled_at=None).exclude(conflicts_with=None)
    return _listed("conflicts", "Answered twice: choose one", (
        Item(reference, question.replace("_", " "))
        for reference, question in _read(rows.order_by("made_at"), "question")
    ), "told")  # fmt: skip


def _waiting(reach: _Reach) -> Listed:
    rows = ClockStop.objects.filter(reach.mine, started_at=None).order_by("stopped_at")
    return _listed("waiting", "Waiting for others: the clock stands", (
        Item(reference, f"{reason}, since", at.date())
        for reference, reason, at in _read(rows, "reason", "stopped_at")
    ), "work")  # fmt: skip


def _follow_ups(reach: _Reach) -> Listed:
    rows = FollowUp.objects.filter(
        reach.mine, done_at=None, due_on__lte=reach.day + FOLLOW_UP_AHEAD
    )
    return _listed("follow-ups", "Ask how they are", (
        Item(reference, f"after {month} months", due, due < reach.day)
        for reference, month, due in _read(rows.order_by("due_on"), "month", "due_on")
    ), "after")  # fmt: skip


def _enquiries(reach: _Reach) -> Listed:
    rows = visible_to(reach.actor, reach.now).filter(
        state__in=(State.ENQUIRY, State.APPLICATION), counsellor_id=None,
        office_id=_office(reach.actor),
    ).order_by("made_at").values_list("reference", "language", "made_at")  # fmt: skip
    return _listed("enquiries", "New, with nobody yet", (
        Item(reference, f"asked in {tongue(language)}, on", at.date())
        for reference, language, at in rows[: MOST + 1]
    ))  # fmt: skip


def _handed_over(reach: _Reach) -> Listed:
    rows = HandOverNote.objects.filter(reach.mine, made_at__gte=reach.now - HANDED_OVER)
    return _listed("handed-over", "Handed over to you", (
        Item(reference, "read the note", at.date())
        for reference, at in _read(rows.order_by("-made_at"), "made_at")
    ), "work")  # fmt: skip


def _granted(reach: _Reach) -> Listed:
    rows = Grant.objects.filter(reach.seen, user_id=reach.actor.user_id or 0, ends_at__gt=reach.now)
    zone = ZoneInfo(reach.actor.time_zone or "UTC")
    return _listed("granted", "Open to you by break-glass, for three hours", (
        Item(reference, f"until {ends.astimezone(zone):%H:%M}; the person reads your reason")
        for reference, ends in _read(rows, "ends_at")
    ))  # fmt: skip


def _appeals(reach: _Reach) -> Listed:
    rows = Referral.objects.filter(reach.seen, appeal=AppealState.OPEN, ended_at=None)
    return _listed("appeals", "Appeals to decide", (
        Item(reference, "appeal against 'not safe', of", (appealed or made).date())
        for reference, appealed, made in _read(
            rows.order_by("appealed_at"), "appealed_at", "made_at"
        )
    ), "safeguards")  # fmt: skip


def _complaints(reach: _Reach) -> Listed:
    """Those about the supervisor stand in the others' lists; where there is no other who may
    answer one, it is told that it waits, and no more."""
    me = reach.actor.user_id
    rows = Complaint.objects.filter(reach.seen, answered_at=None).order_by("made_at")
    found = list(_read(rows, "made_at", "case__counsellor_id", "counsellor_id"))
    others = set(
        StaffProfile.objects.filter(
            office_id=_office(reach.actor), role=Who.SUPERVISOR, left_at=None
        ).exclude(user_id=me or 0).values_list("user_id", flat=True)
    ) if any(me in about for _, _, *about in found) else set()  # fmt: skip
    return _listed("complaints", "Complaints to answer", (
        Item(reference, BY_ANOTHER if me in about else "complaint of", at.date())
        for reference, at, *about in found
        if me not in about or not others - set(about)
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
