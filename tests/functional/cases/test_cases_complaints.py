"""A complaint about the counselling is answered by nobody whom it is about, and is never lost."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, applicant_of, key, open_for
from lib.desk import client_of
from lib.visitor import HOME, enter, hidden
from sojourn_web.cases.errors import NotAllowedError
from sojourn_web.cases.models import Case, Complaint, StaffProfile
from sojourn_web.cases.services import looking, sharing, work
from sojourn_web.cases.services.sheet_parts import read_work
from sojourn_web.cases.services.today import what_needs_me
from sojourn_web.cases.visibility import Actor

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]


def complained(office: Cast) -> Case:
    """About the supervisor, who counsels the case and gives it away afterwards."""
    case = open_for(office, AMINA)
    Case.objects.update(counsellor_id=office.supervisor.user_id)
    work.complain(office.room, applicant_of(case), case.pk, "She shouted.", key=key())
    sharing.assign(office.room, office.supervisor, case.pk, office.counsellor.user_id or 0)
    return Case.objects.get()


def lines(office: Cast, actor: Actor) -> list[str]:
    shown = next(x for x in what_needs_me(office.room, actor).lists if x.name == "complaints")
    return [item.what for item in shown.items]


def test_giving_the_case_away_lets_nobody_answer_about_themselves(office: Cast) -> None:
    case = complained(office)
    row = Complaint.objects.get()
    assert read_work(office.room, office.supervisor, case, {}).complaints == ()
    assert lines(office, office.supervisor) == []
    with pytest.raises(NotAllowedError, match="does not counsel"):
        work.answer_complaint(office.room, office.supervisor, case.pk, row.pk, "No.")
    assert len(read_work(office.room, office.second_supervisor, case, {}).complaints) == 1
    assert lines(office, office.second_supervisor) == ["complaint of"]
    work.answer_complaint(office.room, office.second_supervisor, case.pk, row.pk, "I am sorry.")
    assert lines(office, office.second_supervisor) == []


def test_the_form_shows_the_answer_to_nobody_whom_the_complaint_is_about(office: Cast) -> None:
    case = complained(office)
    row = Complaint.objects.get()
    work.answer_complaint(office.room, office.second_supervisor, case.pk, row.pk, "I am sorry.")
    where = f"/cases/{case.reference}/do/answer-complaint?row={row.pk}"
    assert "I am sorry." in client_of(office.second_supervisor).get(where).content.decode()
    mine = client_of(office.supervisor)
    assert "I am sorry." not in mine.get(where).content.decode()
    sent = mine.post(where, {"row": str(row.pk), "answer": "No.", "key": "k", "version": "1"})
    assert "I am sorry." not in sent.content.decode()
    assert Complaint.objects.get().answer.open(office.room.keys) == "I am sorry."


@pytest.mark.parametrize("outside", ["", "The ombudsperson, 0800 123"])
def test_where_nobody_else_may_answer_both_are_told(
    client: Client, office: Cast, settings: Settings, outside: str
) -> None:
    settings.RETURN_COMPLAINTS = outside
    other = StaffProfile.objects.filter(user_id=office.second_supervisor.user_id)
    case = open_for(office, AMINA)
    enter(client, case, office)
    place = f"{HOME}complain"
    nobody, somebody = "nobody can answer it but", "Somebody reads it who is not your counsellor"
    assert somebody in client.get(place).content.decode()
    Case.objects.update(counsellor_id=office.supervisor.user_id)
    assert somebody in client.get(place).content.decode()  # there is a second supervisor
    other.update(left_at=office.room.now)
    page = client.get(place).content.decode()
    assert nobody in page
    assert somebody not in page
    told = client.post(place, hidden(page) | {"value": "She shouted."}).content.decode()
    assert nobody in told
    assert outside in told
    assert lines(office, office.supervisor) == ["a complaint that somebody else must answer, of"]
    assert read_work(office.room, office.supervisor, Case.objects.get(), {}).complaints == ()
    shown = client_of(office.supervisor).get("/cases/today").content.decode()
    assert "She shouted" not in shown
    other.update(left_at=None)
    assert lines(office, office.supervisor) == []
    assert lines(office, office.second_supervisor) == ["complaint of"]


def test_the_account_s_number_is_not_among_what_is_told_to_the_person(office: Cast) -> None:
    case = complained(office)
    held = looking.what_is_held(office.room, applicant_of(case))
    told = next(h for h in held if h.table == "complaint")
    assert [name for name, _ in told.values] == ["made at", "person", "text"]
