"""A whole case whose keys a service wraps: pages, an erasure, and a service that is away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, applicant_of, key, make_cast, open_for, people_of
from lib.desk import client_of
from lib.key_service import TOKEN, Vault, serve_keys
from lib.visitor import HOME, enter
from sojourn_web.cases.errors import ErasedError
from sojourn_web.cases.keys import case_keys
from sojourn_web.cases.models import Case, Task, Tombstone, Visit
from sojourn_web.cases.scanning import NoScanner, Verdict
from sojourn_web.cases.services import erasing, files, keeping, moving, opening, tokens, travel
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.services.tokens import Scope
from sojourn_web.cases.vocabulary import DocumentKind

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


class Clean:
    is_configured = True

    def scan(self, content: bytes) -> Verdict:
        return Verdict.CLEAN


@pytest.fixture
def vault(tmp_path: Path, settings: Settings) -> Iterator[Vault]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with serve_keys() as found:
        settings.CASES_KEYS = tmp_path / "case-keys"
        settings.CASES_KEY_SERVICE, settings.CASES_KEY_TOKEN = found.url, str(token)
        yield found


@pytest.fixture
def office(vault: Vault) -> Cast:
    return make_cast(case_keys(), datetime.now(UTC))


def test_pages_of_both_sides_ask_the_service_a_few_times_each(
    client: Client, vault: Vault, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    staff = client_of(office.counsellor)
    for who, address in ((client, HOME), (client, f"{HOME}held"), (staff, "/cases/today"),
                         (staff, f"/cases/{case.reference}/")):  # fmt: skip
        vault.asked.clear()
        answer = who.get(address)
        assert answer.status_code == 200, address
        assert len(vault.asked) <= 2, (address, vault.asked)
    assert "Amina Diallo" in answer.content.decode()


def test_while_the_service_is_away_pages_say_so_and_change_nothing(
    client: Client, vault: Vault, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    staff = client_of(office.counsellor)
    version = Case.objects.get().version
    vault.status = 503
    told = client.get(f"{HOME}held")
    assert told.status_code == 503
    assert "Nothing is lost" in told.content.decode()
    sent = staff.post(f"/cases/{case.reference}/do/note", {"words": "A note", "key": "n"})
    assert sent.status_code == 503
    assert "what you typed is still there" in sent.content.decode()
    assert Case.objects.get().version == version
    vault.status = 0
    assert "Amina Diallo" in client.get(f"{HOME}held").content.decode()


@pytest.mark.parametrize("trouble", ["away", "no token", "wrong token"])
def test_a_person_leaves_at_once_whatever_the_keys_do(
    client: Client, vault: Vault, office: Cast, settings: Settings, trouble: str
) -> None:
    """And every other page says 503, not 500: a token that is being renewed is nobody's mistake."""
    case = open_for(office, AMINA)
    enter(client, case, office)
    other = Client()
    enter(other, case, office)
    staff = client_of(office.counsellor)
    if trouble == "away":
        vault.status = 503
    elif trouble == "no token":
        Path(settings.CASES_KEY_TOKEN).unlink()
    else:
        vault.token = "another"
    told = other.get(f"{HOME}held")
    assert told.status_code == 503
    assert "Nothing is lost" in told.content.decode()
    assert staff.get(f"/cases/{case.reference}/").status_code == 503
    left = other.get("/return/leave")
    assert (left.status_code, left.url) == (302, settings.RETURN_EXIT_URL)
    assert Visit.objects.order_by("made_at").last().ended_at is not None
    assert client.post("/return/sign-out").status_code == 302
    assert not Visit.objects.filter(ended_at=None).exists()


def test_the_api_says_503_and_when_to_come_again(vault: Vault, office: Cast) -> None:
    token = tokens.make_token(office.room, office.supervisor, "Booking desk", frozenset(Scope))
    vault.status = 503
    answer = Client().post(
        "/api/cases/v1/enquiries", {"language": "fr", "people": [{"names": "Amina Diallo"}]},
        "application/json",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "order-0001"},
    )  # fmt: skip
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "60"
    assert answer.json()["status"] == 503
    assert not Case.objects.exists()
    told = Client().get("/api/cases/v1/openapi.json").json()
    for path in told["paths"].values():
        for operation in path.values():
            assert "Retry-After" in operation["responses"]["503"]["headers"]


def test_an_erasure_reaches_every_backup_but_the_services_own(
    vault: Vault, office: Cast, tmp_path: Path
) -> None:
    case = open_for(office, AMINA)
    stays = open_for(office, AMINA)
    sealed = people_of(case)[0].names
    moving.withdraw(office.room, applicant_of(case), case.pk)
    erasing.ask_erasure(office.room, applicant_of(case), case.pk)
    erasing.erase(office.room, office.counsellor, case.pk)
    shutil.copytree(tmp_path / "case-keys", tmp_path / "backup")
    service = dict(vault.keys)
    # The service is away at the last moment: nothing is half done, and it is asked again.
    vault.status = 503
    with pytest.raises(Exception, match="sealed or busy"):
        erasing.erase(office.room, office.supervisor, case.pk)
    assert Case.objects.get(pk=case.pk).erased_at is None
    vault.status = 0
    erasing.erase(office.room, office.supervisor, case.pk)
    assert Tombstone.objects.get().key_id == case.key_id
    shutil.copytree(tmp_path / "backup", tmp_path / "case-keys", dirs_exist_ok=True)
    with pytest.raises(ErasedError):
        sealed.open(case_keys())
    vault.keys.update(service)
    later = Room(case_keys(), datetime.now(UTC))
    assert keeping.tick(later, NoScanner()).keys_destroyed == 1
    with pytest.raises(ErasedError):
        sealed.open(case_keys())
    assert people_of(stays)[0].names.open(case_keys()) == "Amina Diallo"


def test_a_service_from_an_older_backup_makes_no_case_look_erased(
    client: Client, vault: Vault, office: Cast, tmp_path: Path
) -> None:
    older = open_for(office, AMINA)
    service = dict(vault.keys)
    case = open_for(office, AMINA)
    enter(client, case, office)
    newest = dict(vault.keys)
    vault.keys.clear()
    vault.keys.update(service)
    staff = client_of(office.counsellor)
    where = f"/cases/{case.reference}/"
    told = staff.get(where)
    assert told.status_code == 503
    page = told.content.decode()
    assert "nobody has erased the case" in page
    assert "[erased]" not in page
    assert client.get(f"{HOME}held").status_code == 503
    assert staff.get(f"/cases/{older.reference}/").status_code == 200
    ticked = keeping.tick(Room(case_keys(), datetime.now(UTC)), NoScanner())
    assert (ticked.keys_destroyed, ticked.keys_missing) == (0, 1)
    # Nobody of another office, and no auditor, learns that there is such a case.
    for other in (office.stranger, office.auditor):
        assert client_of(other).get(where).status_code in (403, 404)
    vault.keys.update(newest)
    assert "Amina Diallo" in staff.get(where).content.decode()
    assert keeping.tick(Room(case_keys(), datetime.now(UTC)), NoScanner()).keys_missing == 0


def test_while_the_service_is_away_every_office_is_still_reminded(
    vault: Vault, office: Cast
) -> None:
    """And the keys are counted by one question for all offices, once it answers."""
    soon = office.room.now.date() + timedelta(days=20)
    for who in (office.counsellor, office.stranger):
        opened = opening.open_case(
            office.room, who, who.office_id or office.office.pk, [AMINA], key=key(), language="en"
        )
        case = Case.objects.get(pk=opened.done.case_id)
        travel.add_document(
            office.room, who, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
            number="GX 778 1203", country="GIN", expires_on=soon, key=key(),
        )  # fmt: skip
    files.hand_in(
        office.room, office.counsellor, Case.objects.get(office=office.office).pk,
        b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n", NoScanner(), name="a.pdf",
        kind="other", key=key(),
    )  # fmt: skip
    vault.status = 503
    away = keeping.tick(Room(case_keys(), office.room.now), Clean())
    assert (away.reminders, away.scanned, away.keys_destroyed, away.keys_missing) == (
        2,
        0,
        None,
        None,
    )
    assert Task.objects.filter(what=keeping.EXPIRY).count() == 2
    vault.status = 0
    vault.asked.clear()
    ticked = keeping.tick(Room(case_keys(), office.room.now), Clean())
    assert (ticked.reminders, ticked.scanned) == (0, 1)
    assert (ticked.keys_destroyed, ticked.keys_missing) == (0, 0)
    assert sum("list=true" in asked for asked in vault.asked) <= 2
