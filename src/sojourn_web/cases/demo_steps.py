"""The services in the order in which an office calls them, for the demo's invented people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from sojourn_web.cases.models import Case, Declaration, Office, Person
from sojourn_web.cases.services import checks, consents, moving, travel
from sojourn_web.cases.services.room import Room, today_in
from sojourn_web.cases.states import BEFORE_DEPARTURE, Move, State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    DocumentKind,
    ProofKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)


@dataclass(frozen=True)
class Desk:
    """An office and who works on its cases."""

    office: Office
    counsellor: Actor
    medical: Actor


@dataclass(frozen=True)
class Wish:
    """How far a case shall come. ``leaves_at`` (UTC): from ``documents`` on."""

    state: State
    leaves_at: datetime | None = None


COURSE = (*BEFORE_DEPARTURE, State.DEPARTED)


def fresh() -> str:
    return uuid4().hex


def bring_to(room: Room, desk: Desk, case_id: UUID, wish: Wish) -> None:
    """From the enquiry to ``wish.state``, every safeguard met on the way."""
    people = list(Person.objects.filter(case_id=case_id).order_by("position"))
    go = partial(moving.move, room, desk.counsellor, case_id)
    leaves_at = wish.leaves_at or room.now + timedelta(days=10)
    for state in COURSE[1 : COURSE.index(wish.state) + 1]:
        if state is State.APPLICATION:
            go(Move.APPLY)
        elif state is State.COUNSELLING:
            if Case.objects.filter(pk=case_id, counsellor_id=None).exists():
                from sojourn_web.cases.services.sharing import assign

                assign(room, desk.counsellor, case_id, desk.counsellor.user_id or 0)
            go(Move.START_COUNSELLING)
        elif state is State.SAFEGUARDS:
            _tell(room, desk, case_id)
            go(Move.START_SAFEGUARDS)
        elif state is State.CONSENT:
            _screen(room, desk, case_id, people, ScreeningKind.VULNERABILITY)
            go(Move.ASK_CONSENT)
        elif state is State.DOCUMENTS:
            consent_all(room, desk, case_id, people, Stage.APPLICATION)
            go(Move.PREPARE_DOCUMENTS)
        elif state is State.TRAVEL:
            # What holds for the journey is asked shortly before it.
            near = Room(room.keys, max(room.now, leaves_at - timedelta(days=20)))
            _prepare(near, desk, case_id, people, leaves_at)
            moving.move(near, desk.counsellor, case_id, Move.BOOK)
        elif state is State.DEPARTED:
            before = Room(room.keys, leaves_at - timedelta(hours=4))
            consent_all(before, desk, case_id, people, Stage.TRAVEL_DAY)
            travel.confirm_departure(
                Room(room.keys, leaves_at + timedelta(hours=20)), desk.counsellor, case_id,
                ProofKind.RECEIPT, left_at=leaves_at, key=fresh(),
            )  # fmt: skip


def consent_all(room: Room, desk: Desk, case_id: UUID, people: list[Person], stage: Stage) -> None:
    """Every adult, in the reviewed English wording, through an interpreter where they need one."""
    wording = Declaration.objects.get(purpose=Purpose.RETURN, language="en", version=1)
    for person in people:
        if not person.is_child:
            language = person.language or "en"
            consents.give_consent(
                room, desk.counsellor, case_id, person.pk, Purpose.RETURN,
                declaration_id=wording.pk, language=language, key=fresh(), stage=stage,
                interpreter="" if language == "en" else "Interpreter 12",
            )  # fmt: skip


def _tell(room: Room, desk: Desk, case_id: UUID) -> None:
    for check in Check:
        told = check in checks.TOLD_ONLY
        answer = CheckAnswer.TOLD if told else CheckAnswer.NOTHING_PENDING
        checks.complete_check(
            room, desk.counsellor, case_id, check, answer, language="en", key=fresh()
        )


def _screen(
    room: Room, desk: Desk, case_id: UUID, people: list[Person], kind: ScreeningKind
) -> None:
    until = today_in(desk.office, room.now) + checks.LONGEST[kind]
    medical = kind is ScreeningKind.FITNESS
    for person in people:
        if medical:
            checks.ask_screening(room, desk.counsellor, case_id, person.pk, kind, key=fresh())
        checks.screen(
            room, desk.medical if medical else desk.counsellor, case_id, person.pk, kind,
            ScreeningResult.CLEAR, key=fresh(), valid_until=until, answers={"needs": "none"},
        )  # fmt: skip


def _prepare(
    room: Room, desk: Desk, case_id: UUID, people: list[Person], leaves_at: datetime
) -> None:
    for number, person in enumerate(people):
        travel.add_document(
            room, desk.counsellor, case_id, person.pk, DocumentKind.PASSPORT,
            number=f"X{case_id.hex[:6]}{number}", country="XXX",
            expires_on=today_in(desk.office, leaves_at) + timedelta(days=400), key=fresh(),
        )  # fmt: skip
    _screen(room, desk, case_id, people, ScreeningKind.VULNERABILITY)
    _screen(room, desk, case_id, people, ScreeningKind.FITNESS)
    travel.plan_journey(
        room, desk.counsellor, case_id, legs=[{"carrier": "XX", "service": "XX 100"}],
        leaves_at=leaves_at, country="XXX", key=fresh(),
    )  # fmt: skip
    consent_all(room, desk, case_id, people, Stage.BOOKING)
    travel.hold(room, desk.counsellor, case_id, "a seat", key=fresh())
