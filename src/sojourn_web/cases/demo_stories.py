"""Three stories that a visitor of the demo can follow. Nobody in them exists."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sojourn_web.cases.demo_steps import Desk, Wish, bring_to, fresh
from sojourn_web.cases.keys import CaseKeys
from sojourn_web.cases.models import Declaration, Person
from sojourn_web.cases.services import checks, consents, opening, travel, work
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import PersonKind, Purpose, Who

AMINA = NewPerson("Amina Diallo", "DIALLO AMINA", "1991-05-17", nationality="GIN", language="fr")
KOVALS = (
    NewPerson("Олена Коваль", "KOVAL OLENA", "1984-11", nationality="UKR", language="uk"),
    NewPerson("Петро Коваль", "KOVAL PETRO", "~1980", nationality="UKR", language="uk",
              kind=PersonKind.PARTNER),
    NewPerson("Марія Коваль", "KOVAL MARIIA", "2016-04-03", nationality="UKR", language="uk",
              kind=PersonKind.CHILD),
)  # fmt: skip
YUSUF = NewPerson("Yusuf", birth_date="~1999", nationality="SOM", language="so")


def tell_stories(keys: CaseKeys, now: datetime, desk: Desk) -> int:
    """How many people they are. Amina travels in five days; the Kovals wait for an embassy;
    Yusuf's return was found not safe, and he has appealed."""
    room = Room(keys, now - timedelta(days=25))
    amina = _open(room, desk, AMINA)
    bring_to(room, desk, amina, Wish(State.TRAVEL, leaves_at=now + timedelta(days=5)))
    work.add_note(
        Room(keys, now - timedelta(days=2)), desk.counsellor, amina,
        "Her sister meets her at the airport.", key=fresh(),
    )  # fmt: skip

    room = Room(keys, now - timedelta(days=40))
    kovals = _open(room, desk, *KOVALS)
    bring_to(room, desk, kovals, Wish(State.DOCUMENTS))
    wording = Declaration.objects.get(purpose=Purpose.EMBASSY, language="en", version=1)
    people = list(Person.objects.filter(case_id=kovals).order_by("position"))
    for person in people[:2]:
        consents.give_consent(
            room, desk.counsellor, kovals, person.pk, Purpose.EMBASSY, declaration_id=wording.pk,
            language="uk", interpreter="Interpreter 12", key=fresh(),
        )  # fmt: skip
    travel.request_document(
        room, desk.counsellor, kovals, people[2].pk, authority="Consulate", country="UKR",
        key=fresh(),
    )  # fmt: skip
    work.stop_clock(room, desk.counsellor, kovals, "the consulate's answer")

    room = Room(keys, now - timedelta(days=12))
    yusuf = _open(room, desk, YUSUF)
    bring_to(room, desk, yusuf, Wish(State.COUNSELLING))
    checks.refer_not_safe(
        room, desk.counsellor, yusuf, reason="He was threatened there.", key=fresh(),
        referred_to="Legal aid",
    )  # fmt: skip
    himself = Person.objects.get(case_id=yusuf)
    checks.appeal(
        Room(keys, now - timedelta(days=3)),
        Actor(Who.APPLICANT, case_id=yusuf, person_id=himself.pk), yusuf,
        text="I would go to another town, where my uncle lives.",
    )  # fmt: skip
    return len(KOVALS) + 2


def give_code(keys: CaseKeys, now: datetime, names: str) -> tuple[str, str]:
    """Reference and a new code of one of the stories' people, for the demo's screen; empty where
    there is no such story."""
    for person in Person.objects.select_related("case").iterator():
        if person.names.show(keys) == names and person.case.counsellor_id:
            case = person.case
            actor = Actor(Who.COUNSELLOR, case.counsellor_id, case.office_id, "Demo")
            code = opening.issue_code(Room(keys, now), actor, case.pk, person.pk, key=fresh())
            return case.reference, code
    return "", ""


def _open(room: Room, desk: Desk, *people: NewPerson) -> UUID:
    opened = opening.open_case(
        room, desk.counsellor, desk.office.pk, people, key=fresh(),
        language=people[0].language or "en",
    )  # fmt: skip
    return opened.done.case_id
