"""Invented people for the demo: three stories and 400 more, all through the services.

In: keys, a clock, randomness, the demo's accounts. Out: cases in every state, in two offices.
Names come from the lists below; nobody in them exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from sojourn_web.cases.demo_steps import Desk, Wish, bring_to
from sojourn_web.cases.demo_stories import tell_stories
from sojourn_web.cases.keys import CaseKeys
from sojourn_web.cases.models import Case, Office, Person
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.services import moving
from sojourn_web.cases.services.opening import NewPerson, open_case
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.tongues import codes
from sojourn_web.cases.visibility import VISITOR, Actor
from sojourn_web.cases.vocabulary import PersonKind, Who
from sojourn_web.cases.wordings import place_account, ship_wordings

NORTH, SOUTH = "Office North", "Office South"
PEOPLE = 400
# How many of a hundred cases stand where: most people ask, fewer go.
SHARES: tuple[tuple[State, int], ...] = (
    (State.ENQUIRY, 34), (State.APPLICATION, 24), (State.COUNSELLING, 14), (State.SAFEGUARDS, 7),
    (State.CONSENT, 5), (State.DOCUMENTS, 4), (State.TRAVEL, 3), (State.DEPARTED, 1),
    (State.WITHDRAWN, 8),
)  # fmt: skip
GIVEN = ("Amadou Fatoumata Mamadou Aissatou Abdul Zahra Reza Shirin Oleksandr Iryna Yusuf Hodan "
         "Tesfaye Selam Emre Elif Rojda Baran Ahmad Layla Dilnoza Rustam Carlos Lucia Nam Linh "
         "Precious Emeka Ravi Anjali").split()  # fmt: skip
FAMILY = ("Bah Camara Karimi Rahimi Kovalenko Bondar Warsame Abdi Gebre Haile Yilmaz Demir Aydin "
          "Haddad Khoury Karimov Saidov Rojas Quispe Nguyen Tran Okafor Eze Sharma Gurung Perera "
          "Mensah Ndiaye Traore Sow").split()  # fmt: skip


@dataclass(frozen=True)
class Seeded:
    """How many cases and people there are now."""

    cases: int
    people: int


def seed_demo(
    keys: CaseKeys, now: datetime, accounts: Mapping[str, int], rng: Random, people: int = PEOPLE
) -> Seeded:
    """Stories and people at once, in one commit. ``accounts``: as for ``seed_stories``."""
    from django.db import transaction

    with transaction.atomic(using=ALIAS):  # one commit instead of thousands
        seed_stories(keys, now, accounts)
        made = 0
        for made in seed_people(keys, now, accounts, rng, people):  # noqa: B007
            pass
    return Seeded(_cases(), made)


def seed_stories(keys: CaseKeys, now: datetime, accounts: Mapping[str, int]) -> None:
    """The two offices and three stories, where there are no cases yet.

    ``accounts``: the user's number for each role's name, and ``counsellor-south``.
    """
    from django.db import transaction

    ship_wordings(now)
    with transaction.atomic(using=ALIAS):
        north, _ = _desks(accounts, now)
        if not _cases():
            tell_stories(keys, now, north)


def seed_people(
    keys: CaseKeys, now: datetime, accounts: Mapping[str, int], rng: Random, people: int = PEOPLE,
    at_once: int = 10,
) -> Iterator[int]:  # fmt: skip
    """Cases until there are so many people. Yields how many there are after each commit, so that
    whoever works on cases meanwhile does not wait, and the caller may stop."""
    from django.db import transaction

    north, south = _desks(accounts, now)
    made, number = Person.objects.count(), _cases()
    yield made
    while made < people:
        with transaction.atomic(using=ALIAS):
            for _ in range(at_once):
                desk = north if rng.random() < 0.7 else south
                made += _one_case(keys, now, desk, rng, number)
                number += 1
                if made >= people:
                    break
        yield made


def _cases() -> int:
    return int(Case.objects.count())


def _desks(accounts: Mapping[str, int], now: datetime) -> tuple[Desk, Desk]:
    north = _staff(accounts, NORTH, now, "")
    south = _staff(accounts, SOUTH, now, "-south")
    for role in (Who.AUDITOR, Who.ADMINISTRATOR):
        if role.value in accounts:
            place_account(accounts[role.value], role.value.title(), role, "", now)
    return north, south


def _staff(accounts: Mapping[str, int], office: str, now: datetime, suffix: str) -> Desk:
    """The office's counsellor, supervisor and medical service; the south has the north's last."""
    found: dict[Who, Actor] = {}
    place = Office.objects.get_or_create(
        name=office, defaults={"made_at": now, "time_zone": "Europe/Brussels"}
    )[0]
    for role in (Who.COUNSELLOR, Who.SUPERVISOR, Who.MEDICAL):
        number = accounts.get(f"{role.value}{suffix}")
        name = f"{role.value.title()} {office.split()[1]}"
        if number is not None:
            place_account(number, name, role, office, now)
        # Where the demo has no account for a role, the work was done by somebody who has left.
        found[role] = Actor(role, -1 if number is None else number, place.pk, name)
    return Desk(place, found[Who.COUNSELLOR], found[Who.MEDICAL])


def _one_case(keys: CaseKeys, now: datetime, desk: Desk, rng: Random, number: int) -> int:
    state = rng.choices([s for s, _ in SHARES], [w for _, w in SHARES])[0]
    opened_at = now - timedelta(days=rng.randint(3, 120), minutes=rng.randint(0, 600))
    room = Room(keys, opened_at)
    family = _family(rng)
    actor = VISITOR if state is State.ENQUIRY and rng.random() < 0.4 else desk.counsellor
    opened = open_case(
        room, actor, desk.office.pk, family, key=f"demo-{number}",
        language=rng.choice(codes()),
    )  # fmt: skip
    case_id: UUID = opened.done.case_id
    if state is State.WITHDRAWN:
        bring_to(room, desk, case_id, Wish(rng.choice((State.APPLICATION, State.COUNSELLING))))
        later = Room(keys, min(now, opened_at + timedelta(days=rng.randint(1, 30))))
        moving.withdraw(later, desk.counsellor, case_id)
    else:
        bring_to(room, desk, case_id, Wish(state, leaves_at=_leaves(state, now, opened_at, rng)))
    return len(family)


def _leaves(state: State, now: datetime, opened_at: datetime, rng: Random) -> datetime:
    if state in (State.DEPARTED, State.ARRIVED):
        return opened_at + timedelta(days=2)
    return now + timedelta(days=rng.randint(2, 20), hours=rng.randint(0, 9))


def _family(rng: Random) -> list[NewPerson]:
    surname, nation = rng.choice(FAMILY), rng.choice("GIN AFG UKR SOM ETH TUR IRN SYR".split())
    people = [_person(rng, surname, nation, PersonKind.APPLICANT, rng.randint(1960, 2004))]
    if rng.random() < 0.2:
        people.append(_person(rng, surname, nation, PersonKind.PARTNER, rng.randint(1960, 2004)))
    if rng.random() < 0.18:
        people.append(_person(rng, surname, nation, PersonKind.CHILD, rng.randint(2012, 2024)))
    return people


def _person(rng: Random, surname: str, nation: str, kind: PersonKind, year: int) -> NewPerson:
    known = rng.random()
    born = date(year, rng.randint(1, 12), rng.randint(1, 28)).isoformat()
    birth_date = born if known < 0.7 else str(year) if known < 0.92 else f"~{year}"
    names = f"{rng.choice(GIVEN)} {surname}"
    return NewPerson(names, names.upper(), birth_date, nationality=nation, kind=kind)
