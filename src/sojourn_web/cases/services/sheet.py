"""A case as staff see it, part by part: opened, noted, and frozen for a page.

In: an actor, a case, a part. Out: ``Sheet``: the people, where it stands, the consents, and what
the part shows. Each look is written for the person to read. Sensitive answers stay closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sojourn_web.cases.models import Case, ClockStop, Person, StaffProfile
from sojourn_web.cases.services.facts import Known, is_current, know, serves
from sojourn_web.cases.services.looking import CaseView, show
from sojourn_web.cases.services.moving import WITHDRAWABLE, open_choices
from sojourn_web.cases.services.room import Room, service, take, today_in
from sojourn_web.cases.services.sheet_after import read_after, read_told
from sojourn_web.cases.services.sheet_parts import (
    Names,
    Part,
    read_money,
    read_overview,
    read_safeguards,
    read_travel,
    read_work,
)
from sojourn_web.cases.states import MEANING, Choice, Move, State
from sojourn_web.cases.visibility import Action, Actor, is_at_home, people_for
from sojourn_web.cases.vocabulary import Purpose, Stage

# Moves with a page of their own, and the guard that this page itself satisfies.
PAGES: dict[Move, tuple[str, str]] = {
    Move.CONFIRM_DEPARTURE: ("confirm-departure", "proof"),
    Move.UNDO_DEPARTURE: ("undo-departure", ""),
    Move.CONFIRM_ARRIVAL: ("confirm-arrival", "arrival"),
    Move.CLOSE: ("close", "outcome"),
    Move.CLOSE_STOPPED: ("close", "outcome"),
    Move.STOP: ("not-safe", ""),
    Move.APPEAL_UPHELD: ("decide-appeal", "appeal_upheld"),
}
READERS: dict[Part, Callable[[Room, Actor, Case, Names], Any]] = {
    Part.OVERVIEW: read_overview,
    Part.TOLD: read_told,
    Part.SAFEGUARDS: read_safeguards,
    Part.CONSENTS: lambda room, actor, case, names: None,  # the sheet has them already
    Part.TRAVEL: read_travel,
    Part.MONEY: read_money,
    Part.WORK: read_work,
    Part.AFTER: read_after,
}
ASIDE = frozenset({State.WITHDRAWN, State.STOPPED})
LEFT_OUT = frozenset({Move.WITHDRAW, Move.CONSENT_WITHDRAWN})


@dataclass(frozen=True)
class Step:
    """A way on, or back. ``act``: its own page, else ``move`` takes it. ``why_not``: empty if
    open. ``forward``: the next state on the course; the page makes one button stand out."""

    move: str
    label: str
    reason: bool
    act: str
    forward: bool
    why_not: tuple[str, ...]


@dataclass(frozen=True)
class ConsentLine:
    """``current``: holds now. ``ended``: why it does not."""

    id: UUID
    person_id: UUID
    who: str
    purpose: str
    stage: str
    given_at: datetime
    language: str
    wording: str
    interpreter: str
    current: bool
    ended: str
    can_withdraw: bool


@dataclass(frozen=True)
class Sheet:
    view: CaseView
    part: str
    meaning: str
    since: datetime
    today: date
    counsellor: str
    mine: bool
    at_home: bool
    waits_for: str
    leaves_at: datetime | None
    steps: tuple[Step, ...]
    can_withdraw: bool
    adults: tuple[tuple[UUID, str], ...]
    consents: tuple[ConsentLine, ...]
    missing: tuple[str, ...]
    body: Any


@service
def read_sheet(room: Room, actor: Actor, case_id: UUID, part: Part) -> Sheet:
    """One part of the case. Raises NotVisibleError, NotAllowedError."""
    said = "the case's page" if part is Part.OVERVIEW else f"the case's page: {part}"
    case = take(room, actor, case_id, Action.SEE)
    known = know(case, list(people_for(actor, case)))  # all of them: only staff read sheets
    view = show(room, actor, case, known.people, said)
    journey, in_plan = known.journey, known.in_plan
    stop = ClockStop.objects.filter(case=case, started_at=None).first()
    names = {p.id: p.names or p.names_latin or p.kind for p in view.people}
    consents = _consent_lines(room, known, names)
    return Sheet(
        view=view, part=part.value, meaning=MEANING[State(case.state)], since=case.state_since,
        today=today_in(case.office, room.now), counsellor=_counsellor(actor, case),
        mine=case.counsellor_id == actor.user_id, at_home=is_at_home(actor, case),
        waits_for=stop.reason if stop else "", leaves_at=journey.leaves_at if journey else None,
        steps=tuple(_step(case, c) for c in open_choices(room, actor, case, known)
                    if c.transition.move not in LEFT_OUT),
        can_withdraw=State(case.state) in WITHDRAWABLE,
        adults=tuple((p.pk, names[p.pk]) for p in in_plan if not p.is_child),
        consents=consents, missing=_missing(case, consents, in_plan),
        body=READERS[part](room, actor, case, names),
    )  # fmt: skip


def _counsellor(actor: Actor, case: Case) -> str:
    if case.counsellor_id is None:
        return ""
    if case.counsellor_id == actor.user_id:
        return actor.name
    found = StaffProfile.objects.filter(user_id=case.counsellor_id).first()
    return found.name if found else f"account {case.counsellor_id}"


def _step(case: Case, choice: Choice) -> Step:
    t = choice.transition
    act, satisfied = PAGES.get(t.move, ("", ""))
    met = {g.why_not for g in t.guards if g.name == satisfied}
    why = tuple(w for w in choice.why_not if w not in met)
    order = list(State)
    forward = order.index(t.goal) > order.index(State(case.state)) and t.goal not in ASIDE
    return Step(t.move.value, t.label, t.reason, act, forward, why)


def _consent_lines(room: Room, known: Known, names: dict[UUID, str]) -> tuple[ConsentLine, ...]:
    lines = []
    for row in known.consents:
        retired = row.declaration.retired_at
        if row.purpose == Purpose.RETURN:
            current = is_current(row, known.journey)
        else:
            current = serves(row, known.journey)
        ended = ""
        if not current:
            ended = ("withdrawn" if row.withdrawn_at else "the wording was retired" if retired
                     else "given for another itinerary or day")  # fmt: skip
        lines.append(ConsentLine(
            row.pk, row.person_id, names.get(row.person_id, ""), row.purpose, row.stage,
            row.given_at, row.language, f"{row.declaration.language}, {row.declaration.version}",
            row.interpreter.show(room.keys), current, ended, row.withdrawn_at is None,
        ))  # fmt: skip
    return tuple(lines)


def _missing(
    case: Case, consents: tuple[ConsentLine, ...], in_plan: list[Person]
) -> tuple[str, ...]:
    """Which consents the next steps will ask for; nothing after the departure."""
    wanted = {State.CONSENT: (Stage.APPLICATION,), State.TRAVEL: (Stage.TRAVEL_DAY,),
              State.DOCUMENTS: (Stage.APPLICATION, Stage.BOOKING)}  # fmt: skip
    must = {p.pk for p in in_plan if not p.is_child or p.unaccompanied}
    found = []
    for stage in wanted.get(State(case.state), ()):
        given = {c.person_id for c in consents if c.current and c.stage == stage}
        if must - given:
            found.append(f"return, {stage.replace('_', ' ')}: {len(must - given)} to ask")
    asked = {c.person_id for c in consents if c.current and c.purpose == Purpose.EMBASSY}
    if case.state == State.DOCUMENTS and not (must and must <= asked):
        found.append("embassy: before its authority may be asked for a document")
    return tuple(found)
