"""The first pages: who gets in, what is shown, why not, and one action to withdraw."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from random import Random

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client

from lib.cast import AMINA, key
from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import CASE_ROLES, OFFICE_ROLES, Role
from sojourn_web.cases.demo import seed_demo
from sojourn_web.cases.keys import FileCaseKeys, case_keys
from sojourn_web.cases.models import AccessEvent, Case, Office, Person, StaffProfile
from sojourn_web.cases.services import opening
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import actor_of
from sojourn_web.cases.vocabulary import Who
from sojourn_web.cases.wordings import place_account

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
BACKEND = "sojourn_web.accounts.backends.OfficeBackend"
PASSWORD = "correct horse battery"


@pytest.fixture
def people() -> dict[str, AbstractBaseUser]:
    found = {}
    for role in Role:
        found[role.value] = make_person(role.value, PASSWORD, role, demo=False)
        if role in CASE_ROLES:
            office = "North" if role in OFFICE_ROLES else ""
            place_account(found[role.value].pk, role.value, Who(role), office, datetime.now(UTC))
    return found


@pytest.fixture
def case(people: dict[str, AbstractBaseUser]) -> Case:
    actor = actor_of(people["counsellor"])
    office = Office.objects.get(name="North")
    opened = opening.open_case(room_now(), actor, office.pk, [AMINA], key=key(), language="fr")
    return Case.objects.get(pk=opened.done.case_id)


def as_role(client: Client, people: dict[str, AbstractBaseUser], role: Role) -> Client:
    client.force_login(people[role.value], backend=BACKEND)  # type: ignore[arg-type]
    return client


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_gets_the_pages_that_are_its_own(
    client: Client, people: dict[str, AbstractBaseUser], case: Case, role: Role | None
) -> None:
    if role:
        as_role(client, people, role)
    wanted = {Role.COUNSELLOR: (200, 200, 403), Role.SUPERVISOR: (200, 200, 403),
              Role.MEDICAL: (200, 404, 403), Role.AUDITOR: (403, 403, 200)}  # fmt: skip
    otherwise = (403, 403, 403) if role else (302, 302, 302)
    addresses = ("/cases/", f"/cases/{case.reference}/", "/cases/log")
    found = tuple(client.get(a).status_code for a in addresses)
    assert found == (wanted.get(role, otherwise) if role else otherwise)


def test_a_page_shows_the_person_and_writes_that_it_was_opened(
    client: Client, people: dict[str, AbstractBaseUser], case: Case
) -> None:
    answer = as_role(client, people, Role.COUNSELLOR).get(f"/cases/{case.reference}/")
    page = answer.content.decode()
    assert "Amina Diallo" in page
    assert "Withdraw this case" in page
    assert "no-store" in answer["Cache-Control"]
    assert AccessEvent.objects.get(case=case).actor == f"counsellor:{people['counsellor'].pk}"
    listed = client.get("/cases/").content.decode()
    assert case.reference in listed
    assert "Amina" not in listed


def test_a_move_a_refusal_with_its_reasons_and_a_stale_page(
    client: Client, people: dict[str, AbstractBaseUser], case: Case
) -> None:
    as_role(client, people, Role.COUNSELLOR)
    place = f"/cases/{case.reference}/"
    version = Case.objects.get().version
    assert client.post(f"{place}move", {"move": "apply", "version": version}).status_code == 302
    stale = client.post(f"{place}move", {"move": "start_counselling", "version": version})
    assert stale.status_code == 409
    version = Case.objects.get().version
    client.post(f"{place}move", {"move": "start_counselling", "version": version})
    version = Case.objects.get().version
    refused = client.post(f"{place}move", {"move": "start_safeguards", "version": version})
    assert refused.status_code == 409
    assert "legal information is not complete" in refused.content.decode()
    assert "legal information is not complete" in client.get(place).content.decode()
    assert client.post(f"{place}move", {"move": "steal", "version": "1"}).status_code == 409
    assert Case.objects.get().state == State.COUNSELLING


def test_withdrawing_is_one_button_and_twice_is_once(
    client: Client, people: dict[str, AbstractBaseUser], case: Case
) -> None:
    as_role(client, people, Role.COUNSELLOR)
    for _ in range(2):
        assert client.post(f"/cases/{case.reference}/withdraw").status_code == 302
    assert Case.objects.get().state == State.WITHDRAWN
    assert "Withdraw this case" not in client.get(f"/cases/{case.reference}/").content.decode()


def test_another_office_and_forged_references_are_not_found(
    client: Client, people: dict[str, AbstractBaseUser], case: Case
) -> None:
    place_account(people["counsellor"].pk, "C", Who.COUNSELLOR, "South", datetime.now(UTC))
    as_role(client, people, Role.COUNSELLOR)
    for reference in (case.reference, "K7WX-2MDQ", "x", "%00"):
        assert client.get(f"/cases/{reference}/").status_code == 404
        assert client.post(f"/cases/{reference}/withdraw").status_code == 404
    assert Case.objects.get().state == State.ENQUIRY


def test_a_role_without_a_place_here_sees_nothing(
    client: Client, people: dict[str, AbstractBaseUser], case: Case
) -> None:
    for profile in StaffProfile.objects.filter(user_id=people["supervisor"].pk):
        profile.left_at = datetime.now(UTC)
        profile.save()
    assert as_role(client, people, Role.SUPERVISOR).get("/cases/").status_code == 403


def test_the_demo_has_stories_and_four_hundred_people(
    client: Client, people: dict[str, AbstractBaseUser]
) -> None:
    numbers = {role.value: people[role.value].pk for role in CASE_ROLES}
    keys = case_keys()
    assert isinstance(keys, FileCaseKeys)
    started = time.process_time()
    made = seed_demo(keys, datetime.now(UTC), numbers, Random(1))
    assert time.process_time() - started < 20  # processor's seconds: other tests run beside
    assert made.people >= 400
    assert {State(s) for s in Case.objects.values_list("state", flat=True)} >= {
        State.ENQUIRY, State.TRAVEL, State.WITHDRAWN, State.STOPPED, State.DEPARTED
    }  # fmt: skip
    story = next(p.case for p in Person.objects.all() if p.names.open(keys) == "Amina Diallo")
    page = as_role(client, people, Role.COUNSELLOR).get(f"/cases/{story.reference}/")
    assert "Confirm the departure" in page.content.decode()
    assert not re.search(r"\sstyle=|\son\w+=", page.content.decode())
