"""Second clicks, forged numbers, signs that no database takes: each is answered, nothing is lost.

The cast of ``lib.cast``: whoever may not see the case is told nothing by any of it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lib.cast import Cast, applicant_of, key, people_of
from lib.desk import case_in, cast_of_today, client_of, form_at, trail_is_whole
from sojourn_web.cases.models import AuditEvent, Case, Document, ErasureRequest, HandOver, Screening
from sojourn_web.cases.services import checks, consents, erasing, moving, travel
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import Purpose, ScreeningKind

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
LONG = "9" * 5000


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def click_twice(client: Client, where: str, **typed: str) -> None:
    form = form_at(client, where)
    assert [client.post(where, form | typed).status_code for _ in range(2)] == [302, 302]


def test_a_second_click_takes_a_departure_back_once(cast: Cast) -> None:
    case = case_in(cast, State.DEPARTED)
    where = f"/cases/{case.reference}/do/undo-departure"
    click_twice(client_of(cast.counsellor), where, reason="The receipt was another's.")
    assert Case.objects.get(pk=case.pk).state == State.TRAVEL
    assert trail_is_whole(case)
    # The same form by somebody else is another deed, and is refused as such.
    form = form_at(client_of(cast.counsellor), where)
    assert client_of(cast.colleague).post(where, form | {"reason": "x"}).status_code == 422
    for other in (cast.stranger, cast.auditor):
        assert client_of(other).post(where, form | {"reason": "x"}).status_code in (403, 404)


def test_a_second_click_decides_an_appeal_once(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    checks.refer_not_safe(cast.room, cast.counsellor, case.pk, reason="Threats.", key=key())
    checks.appeal(cast.room, applicant_of(case), case.pk, text="They have gone.")
    where = f"/cases/{case.reference}/do/decide-appeal"
    click_twice(client_of(cast.supervisor), where, answer="upheld",
                decision="It is safe now.")  # fmt: skip
    assert AuditEvent.objects.filter(case=case, what=Move.APPEAL_UPHELD).count() == 1
    assert Case.objects.get(pk=case.pk).state == State.COUNSELLING
    assert trail_is_whole(case)


def test_a_second_click_of_the_medical_service_and_a_forged_one(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    checks.ask_screening(
        cast.room, cast.counsellor, case.pk, amina.pk, ScreeningKind.FITNESS, key=key()
    )
    row = Screening.objects.get(kind=ScreeningKind.FITNESS)
    where = f"/cases/screenings/{row.pk}"
    until = str(cast.room.now.date() + timedelta(days=20))
    click_twice(client_of(cast.medical), where, result="clear", valid_until=until)
    assert Screening.objects.filter(kind=ScreeningKind.FITNESS).count() == 2
    assert client_of(cast.medical).post(where, {"key": "another"}).status_code == 404


def test_a_document_that_two_took_in_shows_both_numbers(cast: Cast) -> None:
    case = case_in(cast, State.DOCUMENTS)
    amina = people_of(case)[0]
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, amina.pk, Purpose.EMBASSY,
        declaration_id=cast.wordings[Purpose.EMBASSY].pk, language="en", key=key(),
    )  # fmt: skip
    asked = travel.request_document(
        cast.room, cast.counsellor, case.pk, amina.pk, authority="The consulate", country="GIN",
        key=key(),
    )  # fmt: skip
    where = f"/cases/{case.reference}/do/receive-document?row={asked.row_id}"
    ana, ben = client_of(cast.counsellor), client_of(cast.colleague)
    typed = {"expires_on": str(cast.room.now.date() + timedelta(days=900)), "holder": "person"}
    forms = [form_at(ana, where), form_at(ben, where)]
    for _ in range(2):
        assert ana.post(where, forms[0] | typed | {"number": "GX 7781"}).status_code == 302
    met = ben.post(where, forms[1] | typed | {"number": "GX 7187"})
    assert met.status_code == 409
    assert "A colleague has written:</strong> <bdi>GX 7781</bdi>" in met.content.decode()
    assert Document.objects.get(pk=asked.row_id).number.open(cast.room.keys) == "GX 7781"
    assert client_of(cast.stranger).post(where, forms[1] | typed).status_code == 404


def test_what_a_colleague_did_elsewhere_never_swallows_what_was_typed(cast: Cast) -> None:
    """Nor is it a quarrel: in this row nobody has written but her."""
    case = case_in(cast, State.DOCUMENTS)
    amina = people_of(case)[0]
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, amina.pk, Purpose.EMBASSY,
        declaration_id=cast.wordings[Purpose.EMBASSY].pk, language="en", key=key(),
    )  # fmt: skip
    asked = travel.request_document(
        cast.room, cast.counsellor, case.pk, amina.pk, authority="The consulate", country="GIN",
        key=key(),
    )  # fmt: skip
    where = f"/cases/{case.reference}/do/receive-document?row={asked.row_id}"
    ana = client_of(cast.counsellor)
    typed = {"number": "GX 7781", "holder": "person",
             "expires_on": str(cast.room.now.date() + timedelta(days=900))}  # fmt: skip
    form = form_at(ana, where)
    client_of(cast.colleague).post(f"/cases/{case.reference}/do/note",
                                   {"words": "Rang them.", "key": key()})  # fmt: skip
    assert ana.post(where, form | typed).status_code == 302
    assert Document.objects.get(pk=asked.row_id).number.open(cast.room.keys) == "GX 7781"


def test_the_first_yes_clicked_twice_is_one_yes_and_no_second(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    erasing.ask_erasure(cast.room, applicant_of(case), case.pk)
    mine, where = client_of(cast.counsellor), f"/cases/{case.reference}/erasure/yes"
    for _ in range(2):
        assert mine.post(where, {"sure": "yes"}).url == "/cases/erasures"
    assert "somebody else says the second" in mine.get("/cases/erasures").content.decode()
    assert ErasureRequest.objects.get().ended_at is None
    for other in (cast.stranger, cast.auditor, cast.administrator):
        assert client_of(other).post(where, {"sure": "yes"}).status_code in (403, 404)
    assert client_of(cast.supervisor).post(where, {"sure": "yes"}).status_code == 302
    assert Case.objects.get(pk=case.pk).erased_at


def test_numbers_that_are_too_long_are_no_numbers(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    mine, auditor = client_of(cast.counsellor), client_of(cast.auditor)
    assert mine.get(f"/cases/?page={LONG}").status_code == 200
    assert auditor.get(f"/cases/log?page={LONG}").status_code == 200
    assert auditor.get("/cases/log?page=999999999").status_code == 200
    moved = mine.post(f"/cases/{case.reference}/move", {"move": "apply", "version": LONG})
    assert moved.status_code == 409
    handed = mine.post("/cases/hand-over", {"colleague": LONG, "case": str(case.pk), "key": key()})
    assert handed.status_code == 422
    kept = client_of(cast.supervisor).post("/cases/keeping", {
        "outcome": "withdrawn", "days": LONG, "before": LONG, "reason": "x",
    })  # fmt: skip
    assert kept.status_code == 409


def test_a_sign_that_no_database_takes_is_left_out_or_refused(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    supervisor = client_of(cast.supervisor)
    made = supervisor.post("/cases/systems", {"name": "Desk\0 A", "scope": "read_state"})
    assert made.status_code == 200
    assert "Desk A" in made.content.decode()
    empty = supervisor.post("/cases/systems", {"name": "\0", "scope": "read_state"})
    assert empty.status_code == 409
    note = supervisor.post(f"/cases/{case.reference}/do/note", {"words": "a\0b", "key": key()})
    assert note.status_code == 422
    handed = client_of(cast.counsellor).post("/cases/hand-over", {
        "colleague": str(cast.colleague.user_id), "case": str(case.pk), "key": "a\0b",
    })  # fmt: skip
    assert handed.status_code == 422


def test_a_word_that_is_too_long_is_told_and_stays_in_the_form(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    words = "She waits. " * 300
    sent = client_of(cast.counsellor).post("/cases/hand-over", {
        "colleague": str(cast.colleague.user_id), "case": str(case.pk), "key": key(),
        f"words-{case.pk}": words,
    })  # fmt: skip
    assert sent.status_code == 422
    assert words in sent.content.decode()
    assert "2000 letters on a case at most" in sent.content.decode()
    assert not HandOver.objects.exists()
