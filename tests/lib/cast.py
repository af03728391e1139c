"""The standing cast of voluntary return, and a case brought as far as a test needs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID

from sojourn_web.cases.keys import CaseKeys
from sojourn_web.cases.models import Case, Declaration, Journey, Office, Person, StaffProfile
from sojourn_web.cases.services import checks, consents, moving, opening, travel
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import Move
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    DocumentKind,
    PersonKind,
    ProofKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
    Who,
    Wording,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEAVES = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
_keys = count()


def key() -> str:
    """A form's own key."""
    return f"k{next(_keys)}"


@dataclass(frozen=True)
class Cast:
    """``room`` is the moment; ``at`` gives a later one."""

    room: Room
    office: Office
    other_office: Office
    counsellor: Actor
    colleague: Actor
    supervisor: Actor
    second_supervisor: Actor
    medical: Actor
    stranger: Actor
    auditor: Actor
    administrator: Actor
    wordings: dict[Purpose, Declaration]

    def at(self, moment: datetime) -> Cast:
        return replace(self, room=Room(self.room.keys, moment))


def make_cast(keys: CaseKeys, now: datetime = NOW) -> Cast:
    north = Office.objects.create(made_at=now, name="North", time_zone="Europe/Brussels")
    south = Office.objects.create(made_at=now, name="South", time_zone="Europe/Lisbon")
    number = count(1)

    def staff(who: Who, office: Office | None, name: str) -> Actor:
        user = next(number)
        StaffProfile.objects.create(made_at=now, user_id=user, office=office, role=who, name=name)
        return Actor(who, user, office.pk if office else None, name)

    wordings = {
        purpose: Declaration.objects.create(
            made_at=now, purpose=purpose, language="en", version=1, state=Wording.REVIEWED,
            text="I decide freely.", reviewed_by="Legal service", reviewed_at=now,
        )
        for purpose in Purpose
    }  # fmt: skip
    return Cast(
        Room(keys, now), north, south,
        counsellor=staff(Who.COUNSELLOR, north, "Ana"),
        colleague=staff(Who.COUNSELLOR, north, "Ben"),
        supervisor=staff(Who.SUPERVISOR, north, "Sol"),
        second_supervisor=staff(Who.SUPERVISOR, north, "Tove"),
        medical=staff(Who.MEDICAL, north, "Dr M"),
        stranger=staff(Who.COUNSELLOR, south, "Zoe"),
        auditor=staff(Who.AUDITOR, None, "Aud"),
        administrator=staff(Who.ADMINISTRATOR, None, "Adm"),
        wordings=wordings,
    )  # fmt: skip


AMINA = NewPerson("Amina Diallo", "DIALLO AMINA", "1991-05-17", nationality="GIN", language="fr")
IBRAHIM = NewPerson("Ibrahim Diallo", birth_date="1988", kind=PersonKind.PARTNER)
CHILD = NewPerson("Fatou Diallo", birth_date="2017-02", kind=PersonKind.CHILD)


def open_for(cast: Cast, *people: NewPerson, language: str = "en") -> Case:
    opened = opening.open_case(
        cast.room, cast.counsellor, cast.office.pk, people or (AMINA,), key=key(),
        language=language,
    )  # fmt: skip
    return Case.objects.get(pk=opened.done.case_id)


def people_of(case: Case) -> list[Person]:
    return list(Person.objects.filter(case=case).order_by("position"))


def applicant_of(case: Case, place: int = 0) -> Actor:
    return Actor(Who.APPLICANT, case_id=case.pk, person_id=people_of(case)[place].pk)


def step(cast: Cast, case: Case, *moves: Move) -> None:
    for name in moves:
        moving.move(cast.room, cast.counsellor, case.pk, name)


def tell_everything(cast: Cast, case: Case) -> None:
    for check in Check:
        told = check in checks.TOLD_ONLY
        checks.complete_check(
            cast.room, cast.counsellor, case.pk, check,
            CheckAnswer.TOLD if told else CheckAnswer.NOTHING_PENDING, language="en", key=key(),
        )  # fmt: skip


def screen_everybody(cast: Cast, case: Case, kind: ScreeningKind, until: date) -> None:
    for person in people_of(case):
        if kind is ScreeningKind.FITNESS:
            checks.ask_screening(cast.room, cast.counsellor, case.pk, person.pk, kind, key=key())
        checks.screen(
            cast.room, cast.medical if kind is ScreeningKind.FITNESS else cast.counsellor,
            case.pk, person.pk, kind, ScreeningResult.CLEAR, key=key(), valid_until=until,
            answers={"sleep": "badly since March"},
        )  # fmt: skip


def consent(cast: Cast, case: Case, stage: Stage, *, only: UUID | None = None) -> None:
    for place, person in enumerate(people_of(case)):
        if person.is_child or person.left_plan_at or (only and person.pk != only):
            continue
        consents.give_consent(
            cast.room, applicant_of(case, place), case.pk, person.pk, Purpose.RETURN,
            declaration_id=cast.wordings[Purpose.RETURN].pk, language="en", key=key(),
            stage=stage,
        )  # fmt: skip


def to_consent(cast: Cast, case: Case) -> None:
    step(cast, case, Move.APPLY, Move.START_COUNSELLING)
    tell_everything(cast, case)
    step(cast, case, Move.START_SAFEGUARDS)
    screen_everybody(cast, case, ScreeningKind.VULNERABILITY, date(2026, 6, 1))
    step(cast, case, Move.ASK_CONSENT)


def to_documents(cast: Cast, case: Case) -> None:
    to_consent(cast, case)
    consent(cast, case, Stage.APPLICATION)
    step(cast, case, Move.PREPARE_DOCUMENTS)


def plan(cast: Cast, case: Case, leaves_at: datetime = LEAVES) -> Journey:
    done = travel.plan_journey(
        cast.room, cast.counsellor, case.pk, legs=[{"carrier": "SN", "service": "SN 241"}],
        leaves_at=leaves_at, country="GIN", key=key(),
    )  # fmt: skip
    return Journey.objects.get(pk=done.row_id)


def to_travel(cast: Cast, case: Case) -> None:
    to_documents(cast, case)
    for person in people_of(case):
        travel.add_document(
            cast.room, cast.counsellor, case.pk, person.pk, DocumentKind.PASSPORT,
            number=f"O{person.pk.hex[:8]}", country="GIN", expires_on=date(2028, 1, 1), key=key(),
        )  # fmt: skip
    screen_everybody(cast, case, ScreeningKind.FITNESS, date(2026, 3, 28))
    plan(cast, case)
    consent(cast, case, Stage.BOOKING)
    step(cast, case, Move.BOOK)


def to_departed(cast: Cast, case: Case) -> Cast:
    to_travel(cast, case)
    consent(cast.at(LEAVES - timedelta(hours=4)), case, Stage.TRAVEL_DAY)
    later = cast.at(LEAVES + timedelta(days=1))
    travel.confirm_departure(
        later.room, cast.counsellor, case.pk, ProofKind.RECEIPT, left_at=LEAVES, key=key()
    )
    return later
