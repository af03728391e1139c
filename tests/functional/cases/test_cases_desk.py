"""The counsellor's desk through its pages: today, a case in parts, forms that lose nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lib.cast import AMINA, CHILD, IBRAHIM, Cast, key, people_of
from lib.desk import case_in, client_of, trail_is_whole
from sojourn_web.cases.acts import ACTS
from sojourn_web.cases.models import AccessEvent, Answer, Case, Consent, Note, Person
from sojourn_web.cases.services import answers, consents, opening, sharing, work
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.sheet_parts import Part
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Purpose, Wording

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, f"{address}: {answer.status_code}"
    assert "no-store" in answer["Cache-Control"] or status == 404
    return answer.content.decode()


def typed_key(text: str) -> str:
    found = re.search(r'name="key" value="(\w+)"', text)
    assert found
    return found[1]


def addresses(case: Case) -> list[str]:
    first = people_of(case)[0].pk
    asked = f"?person={first}&purpose=return&stage=application&check=consequences&month=1"
    return [
        f"/cases/{case.reference}/",
        *(f"/cases/{case.reference}/part/{part}" for part in Part),
        *(f"/cases/{case.reference}/do/{name}{asked}" for name, act in ACTS.items()
          if "counsellor" in act.who),
    ]  # fmt: skip


def test_every_part_and_form_opens_for_the_office_and_for_nobody_else(cast: Cast) -> None:
    case = case_in(cast, State.TRAVEL, AMINA, IBRAHIM, CHILD)
    mine, stranger = client_of(cast.counsellor), client_of(cast.stranger)
    for address in addresses(case):
        text = page(mine, address)
        assert not re.search(r"\sstyle=|\son\w+=|<script>", text), address
        assert stranger.get(address).status_code == 404
        for other in (cast.auditor, cast.administrator, cast.medical):
            wanted = 403
            assert client_of(other).get(address).status_code == wanted, (other.who, address)
        assert Client().get(address).status_code == 302
    filled = page(mine, f"/cases/{case.reference}/do/not-safe?reason=planted")
    assert "planted" not in filled  # an address never writes somebody's words
    assert mine.get(f"/cases/{case.reference}/do/steal").status_code == 404
    assert mine.get(f"/cases/{case.reference}/part/steal").status_code == 404
    assert AccessEvent.objects.filter(case=case, what="the case's page: money").exists()


def test_today_is_sorted_by_what_comes_first_and_names_nobody(cast: Cast) -> None:
    later, sooner = case_in(cast, State.TRAVEL, days=9), case_in(cast, State.TRAVEL, days=3)
    talking = case_in(cast, State.COUNSELLING)
    yesterday = cast.room.now.date() - timedelta(days=1)
    work.plan_task(cast.room, cast.counsellor, talking.pk, "ring the consulate", key=key(),
                   due_on=yesterday)  # fmt: skip
    work.stop_clock(cast.room, cast.counsellor, talking.pk, "the consulate's answer")
    mine = client_of(cast.counsellor)
    text = page(mine, "/cases/today")
    assert text.index(sooner.reference) < text.index(later.reference)
    for told in ("Leaving soon", "ring the consulate", "late", "the clock stands"):
        assert told in text
    assert "Amina" not in text
    assert sooner.reference not in page(client_of(cast.colleague), "/cases/today")
    assert sooner.reference in page(client_of(cast.supervisor), "/cases/today")
    assert sooner.reference not in page(client_of(cast.stranger), "/cases/today")
    task = re.search(r'name="row" value="([\w-]+)"', text)
    assert task
    assert mine.post(f"/cases/{talking.reference}/do/finish-task", {"row": task[1]}).url.endswith(
        "/part/work"
    )
    said = page(mine, "/cases/today")
    assert "ring the consulate" not in said
    assert re.search(r"Saved \d\d:\d\d", said)


def test_beside_a_closed_step_stands_why_and_no_receipt_proves_nothing(cast: Cast) -> None:
    mine = client_of(cast.counsellor)
    talking = case_in(cast, State.COUNSELLING)
    text = page(mine, f"/cases/{talking.reference}/")
    assert "Why not?" in text
    assert "legal information is not complete" in text
    booked = case_in(cast, State.TRAVEL)
    text = page(mine, f"/cases/{booked.reference}/")
    assert "The time of leaving has not come" in text
    for place in ("part/travel", "do/confirm-departure"):
        told = page(mine, f"/cases/{booked.reference}/{place}").lower()
        assert "receipt proves nothing" in told


def test_a_consent_is_given_beside_both_wordings_and_nothing_typed_is_lost(cast: Cast) -> None:
    case = case_in(cast, State.CONSENT)
    amina = people_of(case)[0]
    draft = cast.wordings[Purpose.RETURN]
    draft.pk, draft.language, draft.state, draft.text = None, "fr", Wording.DRAFT, "Je veux."
    draft._state.adding = True
    draft.save(force_insert=True)
    mine = client_of(cast.counsellor)
    where = f"/cases/{case.reference}/do/consent"
    shown = page(mine, f"{where}?person={amina.pk}&purpose=return&stage=application")
    assert 'lang="fr" dir="ltr">Je veux.' in shown
    assert "Draft" in shown
    assert 'lang="en" dir="ltr">I decide freely.' in shown
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown))
    typed = fields | {"language": "fr", "interpreter": "", "guardian": ""}
    refused = mine.post(where, typed)
    assert refused.status_code == 422
    assert "name the interpreter" in refused.content.decode()
    assert 'value="fr" selected' in refused.content.decode()
    for _ in range(2):  # a double click
        assert mine.post(where, typed | {"interpreter": "Interpreter 7"}).status_code == 302
    given = Consent.objects.get(case=case)
    strip = page(mine, f"/cases/{case.reference}/")
    assert "read out by Interpreter 7" in strip
    mine.post(f"/cases/{case.reference}/do/withdraw-consent", {"row": given.pk})
    assert "no: withdrawn" in page(mine, f"/cases/{case.reference}/part/consents")
    assert trail_is_whole(case)


def test_two_who_change_one_person_see_both_and_overwrite_nothing(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    where = f"/cases/{case.reference}/do/change-person"
    first, second = client_of(cast.counsellor), client_of(cast.colleague)
    shown = page(first, f"{where}?person={amina.pk}")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown)) | {
        "names": "Amina Diallo", "kind": "applicant", "birth_date_year": "1991",
        "birth_date_month": "5", "birth_date_day": "17",
        "nationality": "GIN", "language": "fr", "names_latin": "DIALLO AMINA",
    }  # fmt: skip
    fields.pop("travels_alone", None), fields.pop("confirmed_date", None)
    assert first.post(where, fields | {"contact": "by her sister"}).status_code == 302
    answer = second.post(where, fields | {"contact": "by radio"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "by her sister" in text
    assert "by radio" in text
    kept = Person.objects.get(pk=amina.pk)
    assert kept.contact.open(cast.room.keys) == "by her sister"
    fresh = dict(re.findall(r'name="(version)" value="([^"]*)"', text))
    assert second.post(where, fields | fresh | {"contact": "by radio"}).status_code == 302
    assert trail_is_whole(case)


def test_an_answer_given_twice_is_shown_twice_until_somebody_chooses(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    answers.save_answer(cast.room, cast.counsellor, case.pk, amina.pk, "counselling", "wishes",
                        "a shop", based_on=0, key=key())  # fmt: skip
    mine = client_of(cast.colleague)
    where = f"/cases/{case.reference}/do/answer"
    typed = {"person": amina.pk, "section": "counselling", "question": "wishes",
             "value": "a taxi", "based_on": "0", "key": key()}  # fmt: skip
    said = mine.post(where, typed, follow=True).content.decode()
    assert "Both versions are kept" in said
    assert "a shop" in said
    assert "a taxi" in said
    assert "Answered twice" in page(client_of(cast.counsellor), "/cases/today")
    mine.post(f"/cases/{case.reference}/do/settle", {
        "person": amina.pk, "section": "counselling", "question": "wishes", "choose": 2,
    })  # fmt: skip
    assert Answer.objects.get(is_current=True).value.open(cast.room.keys) == "a taxi"


def test_a_session_that_ends_in_mid_form_loses_nothing_and_tells_nobody_else(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    words = "Her brother rang & asked to wait."

    def typed_then_signed_out() -> Client:
        client = client_of(cast.counsellor)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page(client, where)))
        client.session.flush()
        answer = client.post(where, fields | {"words": words})
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/login/?next=%2Fcases%2F")
        assert words not in str(dict(client.session.items()))
        return client

    def sign_in(client: Client, actor: Actor) -> None:
        client_of(actor)  # the account exists
        user = User.objects.get(pk=actor.user_id)
        user.set_password("correct horse battery")
        user.save()
        typed = {"login": user.username, "password": "correct horse battery", "next": where}
        answer = client.post("/accounts/login/", typed)
        assert answer.status_code == 302
        assert answer.url == where

    back = typed_then_signed_out()
    sign_in(back, cast.counsellor)
    text = page(back, where)
    assert "Her brother rang &amp; asked to wait." in text
    assert "nothing of it has been" in text
    assert words not in page(back, where).replace("&amp;", "&")  # once
    other = typed_then_signed_out()
    sign_in(other, cast.colleague)
    assert "Her brother" not in page(other, where)
    assert not Note.objects.exists()
    button = Client().post(f"/cases/{case.reference}/move", {"move": "apply", "version": "1"})
    assert button.url.endswith(f"next=%2Fcases%2F{case.reference}%2F")


def test_hints_while_typing_obey_visibility_and_a_second_case_needs_a_look(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    mine, stranger = client_of(cast.counsellor), client_of(cast.stranger)
    typed = {"names": "Aminah Dialo", "birth_date_year": "1991"}
    hinted = mine.post("/cases/new/hints", typed).content.decode()
    assert case.reference in hinted
    assert "Amina" not in hinted
    assert case.reference not in stranger.post("/cases/new/hints", typed).content.decode()
    assert mine.get("/cases/new/hints").status_code == 405  # no name in an address
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page(mine, "/cases/new")))
    fields = {"key": fields["key"], "language": "fr", "kind": "applicant", **typed}
    first = mine.post("/cases/new", fields)
    assert first.status_code == 422
    assert case.reference in first.content.decode()
    assert 'value="Aminah Dialo"' in first.content.decode()
    for _ in range(2):
        assert mine.post("/cases/new", fields | {"looked": "on"}).status_code == 302
    assert Case.objects.count() == 2
    dummy = {"birth_date_year": "1900", "birth_date_month": "1", "birth_date_day": "1"}
    bad = mine.post("/cases/new", fields | dummy | {"looked": "on", "key": "another"})
    assert bad.status_code == 422
    assert "usually stands for" in bad.content.decode()
    long = mine.post("/cases/new", {"key": "third", "language": "fr", "kind": "applicant",
                                    "names": "Wolfeschlegelstein" * 7})  # fmt: skip
    assert long.status_code == 302  # 126 letters


def test_a_closed_answer_opens_with_a_reason_that_the_person_reads(cast: Cast) -> None:
    case = case_in(cast, State.CONSENT)
    mine = client_of(cast.counsellor)
    text = page(mine, f"/cases/{case.reference}/part/safeguards")
    found = re.search(r'href="(/cases/[\w-]+/open/screening/[\w-]+/answers)"', text)
    assert found
    assert mine.post(found[1], {"reason": " "}).content.decode().count("Error") >= 1
    before = AccessEvent.objects.count()
    opened = mine.post(found[1], {"reason": "to plan the seat"})
    assert ">none<" in opened.content.decode()
    event = AccessEvent.objects.filter(what="screening: answers").get()
    assert AccessEvent.objects.count() == before + 1
    assert event.reason.open(cast.room.keys) == "to plan the seat"
    assert client_of(cast.stranger).post(found[1], {"reason": "x"}).status_code == 404


def test_transfers_are_offered_accepted_and_gone(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, amina.pk, Purpose.TRANSFER,
        declaration_id=cast.wordings[Purpose.TRANSFER].pk, language="en", key=key(),
    )  # fmt: skip
    mine, there = client_of(cast.counsellor), client_of(cast.stranger)
    asked = mine.post(f"/cases/{case.reference}/do/transfer", {
        "office": cast.other_office.pk, "reason": "She moved south.", "key": key(),
    })  # fmt: skip
    assert asked.status_code == 302
    offer = page(there, "/cases/today")
    assert case.reference in offer
    assert there.get(f"/cases/{case.reference}/").status_code == 404
    found = re.search(r'action="(/cases/transfers/[\w-]+)"', offer)
    assert found
    assert mine.post(found[1], {"answer": "accept"}).status_code == 404
    assert there.post(found[1], {"answer": "accept"}).status_code == 302
    assert there.get(f"/cases/{case.reference}/").status_code == 200
    assert mine.get(f"/cases/{case.reference}/").status_code == 404


def test_break_glass_is_one_case_a_reason_and_three_hours(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    there = client_of(cast.stranger)
    for typed in ({"reference": case.reference, "reason": "x"},
                  {"reference": "K7WX-2MDQ", "reason": "She stands in front of me."},
                  {"reference": "nonsense", "reason": "She stands in front of me."}):  # fmt: skip
        assert there.post("/cases/break-glass", typed).status_code == 422
    good = {"reference": case.reference.lower(), "reason": "She stands in front of me tonight."}
    assert there.post("/cases/break-glass", good).status_code == 302
    assert "Open to you by break-glass" in page(there, f"/cases/{case.reference}/")
    refused = there.post(f"/cases/{case.reference}/do/stop-clock", {"waits_for": "an answer"})
    assert refused.status_code == 302  # to write is allowed
    decided = there.post(f"/cases/{case.reference}/do/journey", {
        "leaves_at": "2030-01-01T10:00", "country": "GIN", "legs": "SN, SN 1", "key": key(),
    })  # fmt: skip
    assert decided.status_code == 403
    assert page(client_of(cast.medical), "/cases/screenings")
    assert client_of(cast.medical).get("/cases/break-glass").status_code == 403


def test_one_word_names_and_forged_rows(cast: Cast) -> None:
    case = case_in(cast, State.DOCUMENTS, NewPerson("Yusuf", birth_date="~1999"))
    mine = client_of(cast.counsellor)
    assert "about 1999" in page(mine, f"/cases/{case.reference}/")
    other = case_in(cast, State.COUNSELLING)
    task = work.plan_task(cast.room, cast.counsellor, other.pk, "ring", key=key())
    place = f"/cases/{case.reference}/do/"
    assert mine.post(f"{place}finish-task", {"row": task.row_id}).status_code == 404
    assert mine.post(f"{place}finish-task", {"row": "no uuid"}).status_code == 422
    assert mine.post(f"{place}follow-up", {"month": "x", "reached": "yes"}).status_code == 422
    assert mine.post(f"{place}move", {"move": "steal", "reason": "y"}).status_code == 422
    forged = mine.post(f"{place}change-person", {"person": people_of(other)[0].pk, "names": "X",
                       "kind": "applicant", "version": case.version})  # fmt: skip
    assert forged.status_code == 404
    opening.issue_code(cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, key=key())
    sharing.assign(cast.room, cast.counsellor, case.pk, cast.colleague.user_id or 0)
    assert trail_is_whole(case)
