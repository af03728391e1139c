"""Every address of the cases' side crossed with every role, read from the URL resolver itself.

A new page is in this test before anybody thinks of it: it must be written into ``PAGES`` with the
roles that it is for. Whoever is not among them gets 403 or 404, and never learns whether a case is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from lib.cast import AMINA, key
from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import CASE_ROLES, OFFICE_ROLES, Role
from sojourn_web.cases.models import AuditEvent, Case, Office
from sojourn_web.cases.scanning import Verdict
from sojourn_web.cases.services import files, opening
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.visibility import actor_of
from sojourn_web.cases.vocabulary import Who
from sojourn_web.cases.wordings import place_account

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
BACKEND = "sojourn_web.accounts.backends.OfficeBackend"
C, S, M, A = Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL, Role.AUDITOR
G = Role.ADMINISTRATOR
# Addresses of the staff's pages: who gets past the door. Others are refused.
PAGES: dict[str, set[Role]] = {
    "cases": {C, S, M},
    "case-log": {A},
    "case": {C, S},
    "move-case": {C, S},
    "withdraw-case": {C, S},
    "erasures": {C, S},
    "keeping": {S, A},
    "case-reports": {S, A},
    "case-reports-csv": {S, A},
    "case-systems": {S},
    "revoke-system": {S},
    "case-files": {C, S},
    "add-file": {C, S},
    "case-file": {C, S},
    "case-letters": {C, S},
    "make-letter": {C, S},
    "ask-erasure": {C, S},
    "approve-erasure": {C, S},
    "refuse-erasure": {C, S},
    "today": {C, S, M},
    "find-case": {C, S},
    "new-case": {C, S},
    "case-hints": {C, S},
    "hand-over": {C, S},
    "answer-transfer": {C, S},
    "break-glass": {C, S},
    "caseload": {S},
    "screenings": {M},
    "screen": {M},
    "accounts": {G},
    "account": {G},
    "end-account": {G},
    "case-part": {C, S},
    "act": {C, S},
    "open-sensitive": {C, S},
}
# Ask for a row that is not there: whoever may ask is told so.
OF_A_ROW = {"revoke-system", "answer-transfer", "screen", "open-sensitive", "account",
            "end-account"}  # fmt: skip
WORDS = {"<slug:part>": "told", "<slug:name>": "note", "<slug:table>": "answer",
         "<slug:column>": "value", "<int:number>": "999999"}  # fmt: skip


class Clean:
    is_configured = True

    def scan(self, content: bytes) -> Verdict:
        return Verdict.CLEAN


@dataclass(frozen=True)
class Address:
    name: str
    route: str

    @property
    def is_of_a_case(self) -> bool:
        return "<str:reference>" in self.route

    def fill(self, reference: str, other: str) -> str:
        plain = self.route.replace("<str:reference>", reference)
        for word, said in WORDS.items():
            plain = plain.replace(word, said)
        return "/" + re.sub(r"<(uuid|int|str|slug):\w+>", other, plain)


def addresses(prefix: str = "cases/") -> list[Address]:
    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Address]:
        for p in patterns:
            route = before + str(p.pattern)
            if isinstance(p, URLResolver):
                yield from walk(p.url_patterns, route)
            elif route.startswith(prefix):
                yield Address(p.name or route, route)

    return list(walk(get_resolver().url_patterns, ""))


@dataclass(frozen=True)
class Scene:
    case: Case
    file_id: str
    people: dict[str, AbstractBaseUser]


@pytest.fixture
def scene(tmp_path: Path, settings: Settings) -> Scene:
    settings.CASES_KEYS = tmp_path / "case-keys"
    people: dict[str, AbstractBaseUser] = {}
    for name, role, place in [*((r.value, r, "North") for r in Role), ("stranger", C, "South"),
                              ("strange supervisor", S, "South")]:  # fmt: skip
        people[name] = make_person(name, "correct horse battery", role, demo=False)
        if role in CASE_ROLES:
            office = place if role in OFFICE_ROLES else ""
            place_account(people[name].pk, name, Who(role), office, datetime.now(UTC))
    room, counsellor = room_now(), actor_of(people["counsellor"])
    office_id = Office.objects.get(name="North").pk
    opened = opening.open_case(room, counsellor, office_id, [AMINA], key=key(), language="fr")
    done = files.hand_in(
        room, counsellor, opened.done.case_id, b"%PDF-1.7\n1 0 obj\n%%EOF\n", Clean(),
        name="a.pdf", kind="letter", key=key(),
    )  # fmt: skip
    return Scene(Case.objects.get(), str(done.row_id), people)


def ask(client: Client, address: str) -> int:
    """By GET, and by an empty POST where GET is not for this address."""
    found = client.get(address).status_code
    return client.post(address).status_code if found == 405 else found


def test_every_address_has_its_roles_written_down() -> None:
    assert {a.name for a in addresses()} == set(PAGES)


def test_every_address_of_a_person_s_case_is_closed_to_nobody_in_particular(
    client: Client, scene: Scene
) -> None:
    """No account opens them either: whoever asks is sent to reference and code."""
    client.force_login(scene.people["supervisor"], backend=BACKEND)  # type: ignore[arg-type]
    before = AuditEvent.objects.count()
    found = [a for a in addresses("return/") if a.route.startswith("return/case/")]
    assert len(found) >= 20
    for address in found:
        place = address.fill(scene.case.reference, scene.file_id)
        assert client.get(place)["Location"] == "/return/enter", address
        assert client.post(place).status_code == 403, address
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("role", [None, *Role])
def test_every_address_crossed_with_every_role(
    client: Client, scene: Scene, role: Role | None
) -> None:
    if role:
        client.force_login(scene.people[role.value], backend=BACKEND)  # type: ignore[arg-type]
    # Withdrawing does what it says at an empty POST: it is asked last.
    for address in sorted(addresses(), key=lambda a: a.name == "withdraw-case"):
        status = ask(client, address.fill(scene.case.reference, scene.file_id))
        where = f"{role} at {address.name}: {status}"
        if role is None:
            assert status == 302, where
        elif role in PAGES[address.name]:
            assert status in (200, 302, 409, 422) or address.name in OF_A_ROW, where
        elif role is Role.MEDICAL and (address.is_of_a_case or address.name in OF_A_ROW):
            assert status in (403, 404), where
        else:
            assert status == 403, where


@pytest.mark.parametrize("who", ["stranger", "strange supervisor"])
def test_another_office_s_case_and_no_case_at_all_look_the_same(
    client: Client, scene: Scene, who: str
) -> None:
    client.force_login(scene.people[who], backend=BACKEND)  # type: ignore[arg-type]
    before = AuditEvent.objects.count()
    for address in addresses():
        if not address.is_of_a_case:
            continue
        for other in (scene.file_id, str(uuid4())):
            real = client.post(address.fill(scene.case.reference, other))
            forged = client.post(address.fill("K7WX-2MDQ", other))
            if real.status_code == 405:
                real = client.get(address.fill(scene.case.reference, other))
                forged = client.get(address.fill("K7WX-2MDQ", other))
            assert real.status_code == forged.status_code == 404, address
            own = re.compile(rb'value="\w{64}"|K7WX-2MDQ|' + scene.case.reference.encode())
            assert own.sub(b"", real.content) == own.sub(b"", forged.content), address
    assert AuditEvent.objects.count() == before


def test_a_forged_file_id_is_not_found(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["counsellor"], backend=BACKEND)  # type: ignore[arg-type]
    place = f"/cases/{scene.case.reference}/files/"
    assert client.get(f"{place}{uuid4()}").status_code == 404
    found = client.get(f"{place}{scene.file_id}")
    assert found.status_code == 200
    assert found["Content-Disposition"] == 'attachment; filename="a.pdf"'
    assert found["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in found["Cache-Control"]
