"""The end of a shift: what was done today, drawn from the trail, handed over, kept inside.

In: an actor and, for each case, words to add. Out: a draft for the page; then a ``HandOver`` with
one sealed note for each case. A note is sealed under its case's key and goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    AuditEvent,
    ClockStop,
    HandOver,
    HandOverNote,
    Journey,
    OnceKey,
    Task,
)
from sojourn_web.cases.services.room import Room, service, take, was_done
from sojourn_web.cases.services.sharing import hand_over
from sojourn_web.cases.visibility import COUNSELLING, Action, Actor, visible_to

SHIFT = timedelta(hours=14)  # the longest day that one hand-over looks back on
OTHER_WORDS = (
    "This form was sent before, for other cases or with other words, and they went then. Nothing "
    "of it is saved now: go back in your browser, copy what you wrote, and tell your colleague."
)
MOST_LINES = 8
MOST_CASES = 60  # a page that can be read; the rest was not touched today


@dataclass(frozen=True)
class CaseDay:
    """One case at the end of a shift. ``lines``: what was done and what comes; names nobody."""

    id: UUID
    reference: str
    state: str
    touched: bool
    lines: tuple[str, ...]


def draft_hand_over(room: Room, actor: Actor) -> tuple[CaseDay, ...]:
    """The actor's own open cases, those touched in this shift first, ``MOST_CASES`` at most."""
    if actor.who not in COUNSELLING or actor.user_id is None or actor.office_id is None:
        raise NotAllowedError("a counsellor hands over their own cases")
    own = visible_to(actor, room.now).filter(
        counsellor_id=actor.user_id, office_id=actor.office_id, ended_at=None
    )
    events = AuditEvent.objects.filter(
        case__in=own, actor=actor.label, made_at__gte=room.now - SHIFT
    ).order_by("made_at")
    told: dict[UUID, dict[str, None]] = {}
    for case_id, what in events.values_list("case_id", "what"):
        told.setdefault(case_id, {})[what.replace("_", " ")] = None
    rows = list(own.filter(pk__in=told).order_by("reference")[:MOST_CASES])
    left = MOST_CASES - len(rows)
    rows += list(own.exclude(pk__in=told).order_by("reference")[:left]) if left else []
    coming = _coming([r.pk for r in rows])
    return tuple(
        CaseDay(case.pk, case.reference, case.state, case.pk in told, (
            *(f"Today: {what}" for what in list(told.get(case.pk, {}))[-MOST_LINES:]),
            *coming.get(case.pk, ())[:MOST_LINES],
        ))
        for case in rows
    )  # fmt: skip


def _coming(ids: list[UUID]) -> dict[UUID, list[str]]:
    """What is to do, waited for and planned, by case; three queries for all of them."""
    found: dict[UUID, list[str]] = {}

    def add(case_id: UUID, words: str) -> None:
        found.setdefault(case_id, []).append(words)

    for task in Task.objects.filter(case_id__in=ids, done_at=None).order_by("due_on"):
        add(task.case_id, f"To do{_by(task.due_on)}: {task.what}")
    for stop in ClockStop.objects.filter(case_id__in=ids, started_at=None):
        add(stop.case_id, f"Waits for: {stop.reason}")
    for journey in Journey.objects.filter(case_id__in=ids, ended_at=None):
        add(journey.case_id, f"Leaves on {journey.leaves_on:%-d %B}")
    return found


def _by(day: date | None) -> str:
    return f" by {day:%-d %B}" if day else ""


@service
def hand_over_shift(
    room: Room, actor: Actor, to_user_id: int, *, key: str, case_ids: Sequence[UUID],
    words: Mapping[UUID, str],
) -> int:  # fmt: skip
    """The chosen cases go, each with its note: the drawn lines and what was added. How many.

    A second click gives nothing twice.
    """
    if was_done(actor, "hand_over", key):
        earlier = OnceKey.objects.get(actor=actor.label, service="hand_over", key=key)
        _refuse_other_words(room, earlier.result, case_ids, words)
        return HandOver.objects.get(pk=earlier.result).cases
    if not case_ids:
        raise RefusedError("Expected one case at least: choose what to hand over.")
    drawn = {day.id: day for day in draft_hand_over(room, actor)}
    if not drawn.keys() >= set(case_ids):
        raise NotVisibleError
    # Taken before they go: where counsellors see their own alone, they see these no more.
    cases = [take(room, actor, case_id, Action.SHARE) for case_id in dict.fromkeys(case_ids)]
    went = hand_over(room, actor, to_user_id, key=key, case_ids=case_ids)
    made = OnceKey.objects.get(actor=actor.label, service="hand_over", key=key).result
    for case in cases:
        text = "\n".join((*drawn[case.pk].lines, words.get(case.pk, "").strip())).strip()
        note = HandOverNote(
            made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label, hand_over_id=made
        )
        note.seal(room.keys, text=text)
        note.save()
    return went


def _refuse_other_words(
    room: Room, made: UUID, case_ids: Sequence[UUID], words: Mapping[UUID, str]
) -> None:
    """What went, went with its words: others are not said to be saved."""
    told = {n.case_id: n.text.show(room.keys) for n in
            HandOverNote.objects.filter(hand_over_id=made)}  # fmt: skip
    if set(told) != set(case_ids) or any(
        not told[case_id].endswith(words.get(case_id, "").strip()) for case_id in told
    ):
        raise RefusedError(OTHER_WORDS)
