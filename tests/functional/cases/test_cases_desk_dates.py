"""Birth dates and answers at the desk: in the calendar and in the words of the person."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from lib.cast import AMINA, Cast, key, people_of
from lib.desk import case_in, client_of
from sojourn_web.cases.models import Answer, Case, Person
from sojourn_web.cases.services import answers, opening
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import State

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
AHMAD = NewPerson("Ahmad Karimi", birth_date="1991-05-17", language="fa")
TESFAYE = NewPerson("Tesfaye Haile", birth_date="~1991", language="am")


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def born(calendar: str, year: str, month: str = "", day: str = "") -> dict[str, str]:
    return {"birth_date_calendar": calendar, "birth_date_year": year, "birth_date_month": month,
            "birth_date_day": day}  # fmt: skip


def stored(cast: Cast, person: Person) -> str:
    return Person.objects.get(pk=person.pk).birth_date.open(cast.room.keys)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [(born("persian", "1370", "2", "27"), "1991-05-17"),
     (born("persian", "۱۳۷۰", "۲", "۲۷"), "1991-05-17"),
     (born("ethiopian", "1983", "9", "9"), "1991-05-17"),
     (born("gregorian", "1991", "5"), "1991-05"), (born("gregorian", "1991"), "1991"),
     (born("persian", "1370"), "~1991"), (born("gregorian", ""), ""),
     (born("gregorian", "1991") | {"birth_date_about": "yes"}, "~1991")],
)  # fmt: skip
def test_staff_write_a_date_as_the_person_knows_it(
    cast: Cast, typed: dict[str, str], kept: str
) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    mine = client_of(cast.counsellor)
    fields = {"person": str(amina.pk), "names": "Amina Diallo", "kind": "applicant", "key": key(),
              "version": str(Case.objects.get().version)}  # fmt: skip
    answer = mine.post(f"/cases/{case.reference}/do/change-person", fields | typed)
    assert answer.status_code == 302
    assert stored(cast, amina) == kept


def test_dates_that_cannot_be_are_refused_and_stay_in_the_form(cast: Cast) -> None:
    mine = client_of(cast.counsellor)
    fields = {"language": "fa", "names": "Ahmad", "kind": "applicant"}
    for typed, said in (
        (born("gregorian", "1970", "1", "1"), "usually stands for"),
        (born("gregorian", "1370", "2", "27"), "usually stands for"),  # the calendar was forgotten
        (born("persian", "1371", "12", "30"), "no such day"),
        (born("persian", "1991", "5", "17"), "birth date cannot lie in the future"),
        (born("ethiopian", "", "9"), "Write the year too"),
        (born("gregorian", "x"), "in numbers"),
    ):
        answer = mine.post("/cases/new", fields | typed | {"key": key()})
        text = answer.content.decode()
        assert answer.status_code == 422, typed
        assert said in text, typed
        assert f'value="{typed["birth_date_year"]}"' in text
        chosen = typed["birth_date_calendar"]
        assert f'<option value="{chosen}" selected>' in text
    assert not Case.objects.exists()
    shown = born("gregorian", "1970", "1", "1") | {"confirmed_date": "on", "key": key()}
    assert mine.post("/cases/new", fields | shown).status_code == 302
    # What a document showed once need not be confirmed at every later change.
    person = Person.objects.get()
    change = fields | born("gregorian", "1970", "1", "1") | {
        "person": str(person.pk), "key": key(), "contact": "by radio",
    }  # fmt: skip
    reference = Case.objects.get().reference
    assert mine.post(f"/cases/{reference}/do/change-person", change).status_code == 302
    assert stored(cast, person) == "1970-01-01"


def test_a_date_is_shown_both_ways_and_saved_again_without_loss(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, AHMAD, TESFAYE)
    mine = client_of(cast.counsellor)
    overview = page(mine, f"/cases/{case.reference}/")
    assert "<bdi>1991-05-17</bdi> = <bdi>1370-02-27</bdi> (Persian calendar)" in overview
    assert "<bdi>about 1991</bdi> = <bdi>about 1983</bdi> (Ethiopian calendar)" in overview
    place = f"/cases/{case.reference}/do/change-person"
    for person in people_of(case):
        before = stored(cast, person)
        text = page(mine, f"{place}?person={person.pk}")
        # The international calendar stands chosen: a passport's year is not read as another's.
        assert '<option value="gregorian" selected>' in text
        parts = dict(re.findall(r'name="(birth_date_\w+)"[^>]* value="([^"]*)"', text))
        if not re.search(r'name="birth_date_about" value="yes" checked', text):
            parts.pop("birth_date_about", None)
        assert mine.post(place, parts | {
            "person": str(person.pk), "names": "X", "kind": "applicant", "key": key(),
        }).status_code == 302  # fmt: skip
        assert stored(cast, person) == before
    form = page(mine, f"{place}?person={people_of(case)[0].pk}")
    assert "<bdi>1370-02-27</bdi> (Persian calendar)" in form
    assert "<bdi>1983-09-09</bdi> (Ethiopian calendar)" in form


def test_what_a_colleague_wrote_is_shown_beside_a_date(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, AHMAD)
    person = people_of(case)[0]
    place = f"/cases/{case.reference}/do/change-person"
    old = str(Case.objects.get().version)
    opening.change_person(
        cast.room, cast.colleague, case.pk, person.pk, NewPerson("Ahmad Karimi", birth_date="1990")
    )
    fields = {"person": str(person.pk), "names": "Ahmad Karimi", "kind": "applicant",
              "key": key(), "version": old}  # fmt: skip
    answer = client_of(cast.counsellor).post(place, fields | born("persian", "1370", "2", "27"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "A colleague has written:</strong> <bdi>1990</bdi>" in text
    assert 'value="1370"' in text


def test_hints_read_a_year_of_another_calendar(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, AHMAD)
    mine = client_of(cast.counsellor)
    typed = {"names": "Ahmed Kareemi"} | born("persian", "1370", "2", "27")
    assert case.reference in mine.post("/cases/new/hints", typed).content.decode()
    half = {"names": "Ahmed Kareemi"} | born("persian", "13", "x", "")
    assert mine.post("/cases/new/hints", half).status_code == 200


def test_a_question_stands_as_the_person_met_it_and_in_english(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, AMINA)
    amina, mine = people_of(case)[0], client_of(cast.counsellor)
    for section, name, value in (("wishes", "when", "only_asking"), ("wishes", "why", "My mother"),
                                 ("counselling", "worries_at_night", "Debts"),
                                 ("needs", "claims", "")):  # fmt: skip
        answers.save_answer(cast.room, cast.counsellor, case.pk, amina.pk, section, name, value,
                            based_on=0, key=key())  # fmt: skip
    mine.cookies["sojourn_return_language"] = "ar"  # of the person's pages: not for staff
    told = page(mine, f"/cases/{case.reference}/part/told")
    for words in ("When do you think of returning?", "I am only asking", "Left empty", "Debts",
                  "What would you like to tell us about your wish to return?",
                  "Worries at night"):  # fmt: skip
        assert words in told, words
    assert "only_asking" not in re.sub(r"<a [^>]*>|<input [^>]*>", "", told)
    place = f"/cases/{case.reference}/do/answer"
    asked = f"?person={amina.pk}&section=wishes&question=when&based_on=1"
    form = page(mine, place + asked)
    assert "When do you think of returning?" in form
    assert 'type="radio" name="value" value="soon"' in form
    assert 'type="hidden" name="question" value="when"' in form
    fields = {"person": str(amina.pk), "section": "wishes", "question": "when", "based_on": "1",
              "key": key()}  # fmt: skip
    assert mine.post(place, fields | {"value": "forged"}).status_code == 422
    assert mine.post(place, fields | {"value": "soon"}).status_code == 302
    row = Answer.objects.get(question="when", is_current=True)
    assert row.value.open(cast.room.keys) == "soon"
    free = page(mine, place)
    assert 'name="question"' in free
    assert "<textarea" in free
