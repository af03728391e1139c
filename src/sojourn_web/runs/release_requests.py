"""Releases that are asked for: who may do what when, as a table; two people for each.

In: people and days. Out: requests in their next state, each move noted. A move happens once: it is
made by an update that asks for the state before it. Raises RequestRefusedError that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from sojourn_web.runs.models import OPEN, ReleaseRequest, ReleaseStep, State

MOVES: Mapping[State, frozenset[State]] = {
    State.ASKED: frozenset({State.APPROVED, State.WITHDRAWN}),
    State.APPROVED: frozenset({State.MAKING, State.WITHDRAWN}),
    State.MAKING: frozenset({State.MADE, State.REFUSED, State.FAILED}),
    State.MADE: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
WAITING = "another release is waiting: withdraw it, or wait until it is made"
LONGEST = timedelta(hours=2)  # a release still in the making after it was cut off


class RequestRefusedError(Exception):
    """What was asked cannot be; the message says why, for the page."""


def ask(
    through: date, by: User, *, last_released: date | None, today: date, affordable: bool = True
) -> ReleaseRequest:
    """A new request. Raises RequestRefusedError for days not over, released or asked for, and
    where the budget does not reach."""
    if through >= today:
        raise RequestRefusedError("expected a day that is over: yesterday or before")
    if last_released is not None and through <= last_released:
        raise RequestRefusedError(f"expected a day after {last_released}: that was released")
    if not affordable:
        raise RequestRefusedError("it would cost more than is left of the budget")
    if ReleaseRequest.objects.filter(state__in=OPEN).exists():
        raise RequestRefusedError(WAITING)
    try:
        with transaction.atomic():
            made = ReleaseRequest.objects.create(through=through, asked_by=by)
            ReleaseStep.objects.create(request=made, state=State.ASKED, by=by)
    except IntegrityError:
        raise RequestRefusedError(WAITING) from None
    return made


def approve(request: ReleaseRequest, by: User) -> None:
    """By somebody else than asked: one person alone releases nothing."""
    if request.asked_by_id == by.pk:
        raise RequestRefusedError("you asked for it: somebody else has to approve")
    move(request, State.APPROVED, by, approved_by=by)


def withdraw(request: ReleaseRequest, by: User) -> None:
    """Before it is made, any steward may."""
    move(request, State.WITHDRAWN, by)


def take_approved(now: datetime) -> ReleaseRequest | None:
    """The oldest approved request, now in the making; nobody else is given it."""
    _give_up(now)
    for found in ReleaseRequest.objects.filter(state=State.APPROVED).order_by("pk"):
        try:
            move(found, State.MAKING, None)
        except RequestRefusedError:
            continue  # another server was first
        return found
    return None


def settle(request: ReleaseRequest, state: State, *, told: str = "", release_id: str = "") -> None:
    """How the making ended."""
    move(request, state, None, told=told, release_id=release_id)


def move(request: ReleaseRequest, to: State, by: User | None, **more: object) -> None:
    """One step along MOVES, noted. Raises RequestRefusedError where it stands elsewhere."""
    before = [s.value for s, after in MOVES.items() if to in after]
    with transaction.atomic():
        rows = ReleaseRequest.objects.filter(pk=request.pk, state__in=before)
        if not rows.update(state=to.value, changed_at=timezone.now(), **more):
            request.refresh_from_db()
            raise RequestRefusedError(f"it is {request.state}: it cannot become {to.value}")
        ReleaseStep.objects.create(request=request, state=to, by=by)
    request.refresh_from_db()


def _give_up(now: datetime) -> None:
    """A server that stopped in the middle does not come back to it; the gate knows what it drew."""
    for left in ReleaseRequest.objects.filter(state=State.MAKING, changed_at__lt=now - LONGEST):
        settle(left, State.FAILED, told="the server stopped while it was being made")
