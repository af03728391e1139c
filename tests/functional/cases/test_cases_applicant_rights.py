"""What the person may always do: read, take along, consent and take back, complain, withdraw."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client

from lib.cast import AMINA, IBRAHIM, Cast, open_for, people_of, plan
from lib.visitor import HOME, desk_of, enter
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.models import (
    AuditEvent,
    Case,
    Complaint,
    Consent,
    Declaration,
    ErasureRequest,
    Rating,
    Task,
)
from sojourn_web.cases.services import checks, looking, work
from sojourn_web.cases.states import State
from sojourn_web.cases.vocabulary import Purpose, Wording

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


def test_they_read_who_opened_it_and_why_and_take_it_with_them(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    looking.look(office.room, office.counsellor, case.pk)
    looking.break_glass(office.room, office.stranger, case.reference,
                        reason="She called our office at night.")  # fmt: skip
    enter(client, case, office)
    log = client.get(f"{HOME}log").content.decode()
    assert "Zoe" in log
    assert "She called our office at night." in log
    assert "Ana" in log
    body = json.loads(client.get(f"{HOME}my-record.json").content)
    assert body["reference"] == case.reference
    assert "Amina Diallo" in json.dumps(body)
    export = client.get(f"{HOME}my-record.html")
    assert "attachment" in export["Content-Disposition"]
    assert "Amina Diallo" in export.content.decode()
    assert "Zoe" in export.content.decode()


def test_withdrawing_is_one_button_on_every_page_and_one_may_come_back(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    enter(client, case, office)
    for page in ("", "held", "log", "consents", "complain", "rate", "erase", "ask/about/names"):
        assert f'action="{HOME}withdraw"' in client.get(HOME + page).content.decode(), page
    for _ in range(2):
        assert client.post(f"{HOME}withdraw").status_code == 200
    assert Case.objects.get().state == State.WITHDRAWN
    assert not Consent.objects.filter(withdrawn_at=None).exists()
    client.post(f"{HOME}move", {"move": "come_back"})
    assert Case.objects.get().state == State.APPLICATION
    assert client.post(f"{HOME}move", {"move": "book"}).status_code == 302
    assert Case.objects.get().state == State.APPLICATION


def test_one_adult_leaves_the_plan_and_the_other_sees_nothing(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    enter(client, case, office, 0)
    other = Client()
    enter(other, case, office, 1)
    before = other.get(HOME).content.decode(), other.get(f"{HOME}log").content.decode()
    client.post(f"{HOME}withdraw")
    assert "You have left the family&#x27;s plan." in client.get(HOME).content.decode()
    after = other.get(HOME).content.decode(), other.get(f"{HOME}log").content.decode()
    same = [_plain(page) for page in (*before, *after)]
    assert same[0] == same[2]
    assert same[1] == same[3]
    record = other.get(f"{HOME}my-record.json").content.decode()
    assert "Amina" not in record
    assert "leave" not in record
    client.post(f"{HOME}rejoin")
    assert people_of(case)[0].left_plan_at is None


def _plain(page: str) -> str:
    return re.sub(r'(csrfmiddlewaretoken|key|owner)" value="[^"]*"', "", page)


def test_consent_in_a_reviewed_wording_or_through_a_named_interpreter(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    draft = Declaration.objects.create(
        made_at=office.room.now, purpose=Purpose.EMBASSY, language="fr", version=1,
        state=Wording.DRAFT, text="BROUILLON",
    )  # fmt: skip
    page = client.get(f"{HOME}consents/embassy?lang=fr").content.decode()
    assert "BROUILLON" not in page
    wording = office.wordings[Purpose.EMBASSY].pk
    fields = {"declaration": wording, "key": "e1", "stage": ""}
    place = f"{HOME}consents/embassy"
    assert client.post(place, {**fields, "understood": "fr"}).status_code == 409
    assert client.post(place, {**fields, "declaration": draft.pk, "understood": "fr",
                               "interpreter": "N. Ba"}).status_code == 409  # fmt: skip
    assert client.post(place, {**fields, "understood": "de"}).status_code == 409
    assert not Consent.objects.exists()
    for _ in range(2):
        sent = {**fields, "understood": "fr", "interpreter": "N. Ba"}
        assert client.post(place, sent).status_code == 302
    given = Consent.objects.get()
    assert (given.language, given.interpreted, given.purpose) == ("fr", True, "embassy")
    client.post(f"{HOME}consents/take-back", {"consent": given.pk})
    assert Consent.objects.get().withdrawn_at is not None
    assert client.post(f"{HOME}consents/take-back", {"consent": "forged"}).status_code == 404
    # The consent to return is not asked before the legal information.
    early = {**fields, "stage": "application", "understood": "en", "key": "r",
             "declaration": office.wordings[Purpose.RETURN].pk}  # fmt: skip
    assert client.post(f"{HOME}consents/return", early).status_code == 409


def test_the_second_consent_shows_the_journey(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    plan(office, case, office.room.now + timedelta(days=18))
    enter(client, case, office)
    page = client.get(f"{HOME}consents/return?lang=en").content.decode()
    assert "Second time: this journey" in page
    assert "SN 241" in page
    fields = {"stage": "booking", "understood": "en", "key": "b",
              "declaration": office.wordings[Purpose.RETURN].pk}  # fmt: skip
    assert client.post(f"{HOME}consents/return", fields).status_code == 302
    assert Consent.objects.filter(stage="booking").count() == 1


def test_complaint_rating_erasure_wish_and_appeal(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    assert client.get(f"{HOME}appeal").status_code == 404
    checks.refer_not_safe(office.room, office.counsellor, case.pk, reason="Threats.", key="s")
    assert f"{HOME}appeal" in client.get(HOME).content.decode()
    for _ in range(2):
        client.post(f"{HOME}complain", {"value": "He shouted.", "key": "c"})
        client.post(f"{HOME}rate", {"listened": "5", "free": "9", "value": "", "key": "d"})
        client.post(f"{HOME}erase", {"key": "e"})
        client.post(f"{HOME}wish", {"wish": "INTERPRETER", "key": "f"})
        client.post(f"{HOME}appeal", {"value": "My uncle protects me.", "key": "g"})
    assert Complaint.objects.count() == 1
    rating = Rating.objects.get()
    assert (rating.listened, rating.free_to_say_no) == (5, None)
    assert ErasureRequest.objects.count() == 1
    assert Task.objects.filter(what="asks for an interpreter").count() == 1
    assert "Somebody decides who did not stop" in client.get(f"{HOME}appeal").content.decode()
    assert client.post(f"{HOME}complain", {"value": " ", "key": "h"}).status_code == 409
    case = Case.objects.get()
    assert AuditEvent.objects.filter(case=case).count() == case.version


def test_a_task_that_is_planned_twice_is_one(office: Cast) -> None:
    """A replayed form once found no row, for the task had an id of its own."""
    case = open_for(office, AMINA)
    rows = [
        work.plan_task(office.room, office.counsellor, case.pk, "call her", key="t").row_id
        for _ in range(2)
    ]
    assert rows[0] == rows[1] == Task.objects.get(what="call her").pk
