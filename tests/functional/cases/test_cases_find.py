"""Finding a case again: by what is known, among the cases that one may see; no name is shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import AMINA, IBRAHIM, Cast, key, people_of
from lib.desk import case_in, cast_of_today, client_of
from sojourn_web.cases.models import AccessEvent
from sojourn_web.cases.services import moving, opening, travel
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import DocumentKind

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def find(actor: Actor, **typed: str) -> str:
    answer = client_of(actor).post("/cases/find", typed)
    assert answer.status_code in (200, 302), answer.status_code
    assert "no-store" in answer["Cache-Control"]
    return answer.url if answer.status_code == 302 else answer.content.decode()


def test_by_reference_name_sound_and_document(cast: Cast) -> None:
    case, other = case_in(cast, State.COUNSELLING), case_in(cast, State.COUNSELLING, IBRAHIM)
    travel.add_document(
        cast.room, cast.counsellor, other.pk, people_of(other)[0].pk, DocumentKind.PASSPORT,
        number="GX 778 1203", country="GIN", expires_on=cast.room.now.date() + timedelta(days=1500),
        key=key(),
    )  # fmt: skip
    plain = case.reference.replace("-", "")
    for said in (f" {case.reference.lower()} ", f"{plain[:4]}/{plain[4:]}", plain,
                 f"{plain[:4]} – {plain[4:]}"):  # fmt: skip
        assert find(cast.counsellor, words=said) == f"/cases/{case.reference}/", said
    for typed in ({"words": "amina"}, {"words": "Amina Diallo"},
                  {"words": "Amyna Dialo", "birth_date_calendar": "gregorian",
                   "birth_date_year": "1991"}):  # fmt: skip
        page = find(cast.colleague, **typed)
        assert case.reference in page, typed
        assert other.reference not in page, typed
        assert "DIALLO" not in page
    assert other.reference in find(cast.supervisor, document="gx7781203")
    assert "Nothing found" in find(cast.counsellor, words="Nobody Here")


def test_only_what_one_may_see_is_found_and_looking_for_it_opens_nothing(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    before = AccessEvent.objects.filter(case=case).count()
    for typed in ({"words": "Amina Diallo"}, {"words": case.reference}):
        assert "Nothing found" in find(cast.stranger, **typed)
        for who in (cast.auditor, cast.administrator, cast.medical):
            refused = client_of(who).post("/cases/find", typed)
            assert refused.status_code == 403
            assert case.reference not in refused.content.decode()
    assert case.reference in find(cast.counsellor, words="Amina Diallo")
    assert AccessEvent.objects.filter(case=case).count() == before
    # Where an office says that counsellors see their own cases alone, they find those alone.
    case.office.caseload_only = True
    case.office.save()
    assert "Nothing found" in find(cast.colleague, words="Amina Diallo")
    assert case.reference in find(cast.counsellor, words="Amina Diallo")


def test_who_left_the_plan_is_not_found_by_name(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, AMINA, NewPerson("Koffi Mensah", birth_date="1988"))
    assert case.reference in find(cast.counsellor, words="Koffi Mensah")
    moving.withdraw(cast.room, cast.counsellor, case.pk, people_of(case)[1].pk)
    assert "Nothing found" in find(cast.counsellor, words="Koffi Mensah")
    assert case.reference in find(cast.counsellor, words="Amina Diallo")


def test_an_empty_form_says_what_is_expected_and_an_ended_session_keeps_it(cast: Cast) -> None:
    client = client_of(cast.counsellor)
    empty = client.post("/cases/find", {"words": "  "})
    assert empty.status_code == 422
    assert "Write a reference, a name or a number" in empty.content.decode()
    client.session.flush()
    assert client.post("/cases/find", {"words": "Amina"}).url.startswith("/accounts/login/")


def test_the_list_is_mine_or_nobody_s_and_says_whose(cast: Cast) -> None:
    mine = case_in(cast, State.COUNSELLING)
    free = opening.open_case(
        cast.room, cast.supervisor, cast.office.pk, [AMINA], key=key(), language="fr"
    ).done.reference
    client = client_of(cast.counsellor)
    both = client.get("/cases/").content.decode()
    assert (both.count(">you<"), both.count(">nobody yet<")) == (1, 1)
    page = client.get("/cases/?whose=mine").content.decode()
    assert mine.reference in page
    assert free not in page
    page = client.get("/cases/?whose=nobody&state=enquiry&page=99999999999").content.decode()
    assert free in page
    assert mine.reference not in page
    assert ">a colleague<" in client_of(cast.colleague).get("/cases/").content.decode()
    assert (
        "No case is here" in client_of(cast.stranger).get("/cases/?whose=nobody").content.decode()
    )
