"""The standing cast before every act and page of a case: who is let in, who is told nothing.

An applicant with her own case, her counsellor, a counsellor of another office who sees nothing,
the medical service, the administrator, and the auditor, who sees in the log what was done and by
whom, and not of what.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lib.cast import AMINA, CHILD, IBRAHIM, Cast, applicant_of, key, people_of
from lib.desk import case_in, cast_of_today, client_of, trail_is_whole
from lib.visitor import enter
from sojourn_web.cases.acts import ACTS
from sojourn_web.cases.models import AccessEvent, Case
from sojourn_web.cases.services import looking
from sojourn_web.cases.services.sheet_parts import Part
from sojourn_web.cases.states import State

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
NAMES = ("Amina", "Ibrahim", "Fatou", "DIALLO")


@pytest.fixture
def cast(pages_of_persons: None, tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def places_of(case: Case) -> list[str]:
    """Every page and every form of a case, whole and with one of its own people."""
    at, person = f"/cases/{case.reference}", people_of(case)[0].pk
    return [
        f"{at}/", f"{at}/move", f"{at}/withdraw", f"{at}/files", f"{at}/files/add",
        f"{at}/files/{uuid4()}", f"{at}/letters", f"{at}/letters/make", f"{at}/erasure/ask",
        f"{at}/erasure/yes", f"{at}/erasure/no", f"{at}/open/screening/{uuid4()}/answers",
        *(f"{at}/part/{part}" for part in Part),
        *(f"{at}/do/{name}?person={person}" for name in ACTS),
    ]  # fmt: skip


def test_nobody_but_the_office_gets_an_answer_from_any_page_or_form(
    cast: Cast, client: Client
) -> None:
    case = case_in(cast, State.TRAVEL, AMINA, IBRAHIM, CHILD)
    enter(client, case, cast)  # Amina herself, in her own pages
    before = Case.objects.get(pk=case.pk).version
    opened = AccessEvent.objects.count()
    typed = {
        "key": key(), "version": str(before), "person": str(people_of(case)[0].pk),
        "words": "x", "reason": "I want to know.", "move": "not_departed", "sure": "yes",
        "names": "X", "kind": "applicant", "answer": "told", "check": "consequences",
    }  # fmt: skip
    others = {
        "a counsellor of another office": (client_of(cast.stranger), {404}),
        "the auditor": (client_of(cast.auditor), {403}),
        "the administrator": (client_of(cast.administrator), {403}),
        # It may open a screening's answers with a reason, and is told when a file is missing.
        "the medical service": (client_of(cast.medical), {403, 404, 409}),
        "the applicant, at the desk": (client, {302}),
        "nobody": (Client(), {302}),
    }  # fmt: skip
    for place in places_of(case):
        for who, (browser, refused) in others.items():
            for answer in (browser.get(place), browser.post(place, typed)):
                where = f"{who} at {place}: {answer.status_code}"
                asks_why = who == "the medical service" and "/open/screening/" in place
                assert answer.status_code in refused | {405} or asks_why, where
                assert not any(name in answer.content.decode() for name in NAMES), where
                if answer.status_code == 302:
                    assert answer.url.startswith("/accounts/login/"), where
    assert Case.objects.get(pk=case.pk).version == before
    assert AccessEvent.objects.count() == opened
    assert trail_is_whole(case)


def test_what_the_counsellor_does_is_read_by_the_person_and_seen_by_the_auditor(
    cast: Cast,
) -> None:
    case = case_in(cast, State.COUNSELLING)
    mine = client_of(cast.counsellor)
    assert mine.get(f"/cases/{case.reference}/part/work").status_code == 200
    note = {"words": "She asked for Tuesday.", "sensitive": "on", "key": key()}
    assert mine.post(f"/cases/{case.reference}/do/note", note).status_code == 302
    own = looking.read_log(cast.room, applicant_of(case))
    assert {("Ana", "wrote a note"), ("Ana", "opened the case's page: work")} <= {
        (line.who, line.what) for line in own
    }
    auditor = client_of(cast.auditor)
    for kind, told in (("changes", "wrote a note"), ("looks", "opened the case&#x27;s page: work")):
        log = auditor.get(f"/cases/log?kind={kind}&reference={case.reference}").content.decode()
        assert told in log
        assert cast.counsellor.label in log
        assert not any(word in log for word in ("Amina", "Tuesday", "Ana<"))
    for other in (cast.stranger, cast.administrator, cast.counsellor, cast.supervisor):
        assert client_of(other).get("/cases/log").status_code == 403
