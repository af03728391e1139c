"""The consents as the person meets them: what each is for, in which wording, given or not.

In: an open case. Out: one ``Agreement`` for each purpose. A draft is never among them: where the
page's language has no reviewed wording, the English one is shown and an interpreter is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sojourn_web.cases.applicant.gate import Asked
from sojourn_web.cases.applicant.languages import OFFICIAL, current_language, words
from sojourn_web.cases.models import Consent, Declaration, Journey
from sojourn_web.cases.services.consents import reviewed_wordings
from sojourn_web.cases.services.facts import (
    TRAVEL_DAY,
    current_journey,
    is_current,
    is_travel_day,
    serves,
)
from sojourn_web.cases.services.moving import ENDED, OF_THE_JOURNEY
from sojourn_web.cases.states import State
from sojourn_web.cases.vocabulary import Purpose, Stage

TITLES = {
    Purpose.RETURN: words("To return"),
    Purpose.EMBASSY: words("To speak with the embassy of my country"),
    Purpose.CARRIER: words("To ask the carrier whether I travelled"),
    Purpose.RECEPTION: words("To tell the partner who meets me"),
    Purpose.SURVEY: words("To be asked later how I am"),
    Purpose.TRANSFER: words("To give my case to another office"),
}
STAGES = {
    Stage.APPLICATION: words("First time: whether I want to return"),
    Stage.BOOKING: words("Second time: this journey"),
    Stage.TRAVEL_DAY: words("Third time: within 24 hours before leaving"),
}


@dataclass(frozen=True)
class Given:
    id: UUID
    at: datetime
    stage: str
    language: str
    interpreted: bool


@dataclass(frozen=True)
class Agreement:
    """``wording``: reviewed; None where there is none at all. ``translated``: it is in the page's
    language. ``stage``: what would be given now; empty but for the consent to return. ``waits``:
    the last consent is asked on the travel day, which is not yet.
    """

    purpose: str
    title: str
    wording: Declaration | None
    translated: bool
    given: tuple[Given, ...]
    stage: str
    stage_name: str
    open: bool
    waits: bool
    leaves_at: datetime | None
    legs: tuple[str, ...]


def make_consents(asked: Asked) -> tuple[Agreement, ...]:
    rows = Consent.objects.filter(
        case=asked.case, person=asked.person, withdrawn_at=None
    ).select_related("declaration").order_by("given_at")  # fmt: skip
    journey = current_journey(asked.case)
    return tuple(_agreement(asked, p, [r for r in rows if r.purpose == p], journey) for p in TITLES)


def _agreement(
    asked: Asked, purpose: Purpose, rows: list[Consent], journey: Journey | None
) -> Agreement:
    here = current_language().code
    found = reviewed_wordings(purpose, here) or reviewed_wordings(purpose, OFFICIAL)
    wording = found[0] if found else None
    stage = _next_stage(asked, rows, journey) if purpose is Purpose.RETURN else None
    if purpose is Purpose.CARRIER:  # another booking's is no answer to this one
        rows = [r for r in rows if serves(r, journey)]
    is_open = stage is not None if purpose is Purpose.RETURN else not rows
    shows_journey = purpose is Purpose.RETURN and stage not in (None, Stage.APPLICATION)
    here_still = asked.person.left_plan_at is None and not asked.person.is_child
    if purpose in OF_THE_JOURNEY and State(asked.case.state) in ENDED:
        is_open = False
    last_day = purpose is Purpose.RETURN and here_still and _waits_for_the_day(asked, rows, journey)
    return Agreement(
        purpose=purpose.value, title=TITLES[purpose], wording=wording,
        translated=wording is not None and wording.language == here,
        given=tuple(Given(r.pk, r.given_at, STAGES[Stage(r.stage)] if r.stage else "", r.language,
                          r.interpreted) for r in rows),
        stage=stage.value if stage else "", stage_name=STAGES[stage] if stage else "",
        open=is_open and wording is not None and here_still, waits=last_day,
        leaves_at=journey.leaves_at if journey and shows_journey else None,
        legs=_legs(asked, journey) if journey and shows_journey else (),
    )  # fmt: skip


def _next_stage(asked: Asked, rows: list[Consent], journey: Journey | None) -> Stage | None:
    """The stage at which the consent to return can be asked now and has not been given."""
    state = State(asked.case.state)
    holds = {Stage(r.stage) for r in rows if is_current(r, journey)}
    if state not in (State.CONSENT, State.DOCUMENTS, State.TRAVEL):
        return None
    if Stage.APPLICATION not in holds:
        return Stage.APPLICATION
    if state is State.CONSENT or journey is None:
        return None
    if Stage.BOOKING not in holds:
        return Stage.BOOKING
    if state is not State.TRAVEL or Stage.TRAVEL_DAY in holds:
        return None
    return Stage.TRAVEL_DAY if is_travel_day(asked.room.now, journey) else None


def _waits_for_the_day(asked: Asked, rows: list[Consent], journey: Journey | None) -> bool:
    holds = {Stage(r.stage) for r in rows if is_current(r, journey)}
    return (
        State(asked.case.state) is State.TRAVEL
        and journey is not None
        and Stage.TRAVEL_DAY not in holds
        and asked.room.now < journey.leaves_at - TRAVEL_DAY
    )


def _legs(asked: Asked, journey: Journey) -> tuple[str, ...]:
    found: Any = journey.itinerary.open_json(asked.room.keys) or []
    return tuple(" · ".join(str(v) for v in leg.values()) for leg in found if isinstance(leg, dict))
