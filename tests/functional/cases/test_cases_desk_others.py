"""After the return, the end of a shift, and the pages of medical, auditor and administrator."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lib.cast import AMINA, IBRAHIM, Cast, key, people_of
from lib.desk import case_in, client_of, trail_is_whole
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    AccountEvent,
    AuditEvent,
    Case,
    FollowUp,
    HandOverNote,
    Hold,
    MoneyLine,
    Screening,
    StaffProfile,
    SurveyAnswer,
)
from sojourn_web.cases.services import (
    accounts,
    afterwards,
    checks,
    consents,
    letting_go,
    looking,
    shift,
    travel,
    work,
)
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import (
    MoneyKind,
    Outcome,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    SurveyPart,
    Who,
)

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def arrive(cast: Cast) -> Case:
    case = case_in(cast, State.DEPARTED)
    travel.confirm_arrival(
        cast.room, cast.counsellor, case.pk, arrived_at=cast.room.now - timedelta(days=1),
        confirmed_by="the partner", key=key(),
    )  # fmt: skip
    return Case.objects.get(pk=case.pk)


def consent_to_survey(cast: Cast, case: Case) -> None:
    for person in people_of(case):
        consents.give_consent(
            cast.room, cast.counsellor, case.pk, person.pk, Purpose.SURVEY,
            declaration_id=cast.wordings[Purpose.SURVEY].pk, language="en", key=key(),
        )  # fmt: skip


def test_from_departure_to_the_end_by_pages_and_back_by_a_slip(cast: Cast) -> None:
    case = case_in(cast, State.DEPARTED)
    mine, place = client_of(cast.counsellor), f"/cases/{case.reference}/"
    amina = people_of(case)[0]

    def act(name: str, **typed: object) -> None:
        fields = {"key": key(), "version": Case.objects.get(pk=case.pk).version, **typed}
        answer = mine.post(f"{place}do/{name}", fields)
        assert answer.status_code == 302, answer.content.decode()[-1500:]

    act("undo-departure", reason="the wrong case")
    assert Case.objects.get(pk=case.pk).state == State.TRAVEL
    yesterday = (cast.room.now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    act("confirm-departure", kind="receipt", left_at=yesterday)
    act("confirm-arrival", arrived_at=yesterday, confirmed_by="the partner")
    assert "after 1, 3, 6 and 12 months" not in read(mine, f"{place}part/after")
    act("plan", person=amina.pk, plan="a shop with her sister")
    act("help", person=amina.pk, what="tools", given_on="")
    act("follow-up", month=1, reached="no")
    assert "not reached" in read(mine, f"{place}part/after")
    act("follow-up", month=1, reached="yes", notes="She is well.")
    act("consent", person=amina.pk, purpose="survey", language="en",
        declaration=cast.wordings[Purpose.SURVEY].pk)  # fmt: skip
    act("survey", month=1, person=amina.pk, q_income="2", q_work="5", q_safety="none")
    text = read(mine, f"{place}part/after")
    assert "economic 3.5 of 5 (2 of 5 answered)" in text
    assert "psychosocial no answer (0 of 5 answered)" in text
    act("close", outcome="returned")
    done = Case.objects.get(pk=case.pk)
    assert (done.state, done.outcome) == (State.CLOSED, Outcome.RETURNED)
    assert FollowUp.objects.filter(case=case, done_at=None).count() == 3
    assert trail_is_whole(case)


def test_the_survey_needs_consent_counts_non_response_and_the_newest(cast: Cast) -> None:
    case = arrive(cast)
    amina = people_of(case)[0]
    room, who = cast.room, cast.counsellor
    with pytest.raises(RefusedError, match="consent of its own"):
        afterwards.answer_survey(room, who, case.pk, amina.pk, 1, {"income": 3}, key=key())
    consent_to_survey(cast, case)
    for wrong in ({"income": 6}, {"nothing": 1}):
        with pytest.raises(RefusedError, match="1 to 5"):
            afterwards.answer_survey(room, who, case.pk, amina.pk, 1, wrong, key=key())
    with pytest.raises(NotVisibleError):
        afterwards.answer_survey(room, who, case.pk, amina.pk, 2, {}, key=key())
    again = key()
    for _ in range(2):
        afterwards.answer_survey(room, who, case.pk, amina.pk, 3, {"income": 1, "work": None},
                                 key=again)  # fmt: skip
    assert SurveyAnswer.objects.count() == 15
    later = Room(room.keys, room.now + timedelta(days=1))
    afterwards.answer_survey(later, who, case.pk, amina.pk, 3, {"income": 4}, key=key())
    asked = FollowUp.objects.get(case=case, month=3)
    found = {p.part: p for p in afterwards.survey_results(room, case, asked, amina.pk)}
    assert found[SurveyPart.ECONOMIC].points == 4.0
    assert (found[SurveyPart.SOCIAL].answered, found[SurveyPart.SOCIAL].points) == (0, None)
    assert AuditEvent.objects.filter(what="survey, month 3", private_to=amina.pk).count() == 2
    assert trail_is_whole(case)


def test_follow_ups_help_and_closing_refuse_what_cannot_be(cast: Cast) -> None:
    case = arrive(cast)
    amina = people_of(case)[0]
    room, who = cast.room, cast.counsellor
    afterwards.record_follow_up(room, who, case.pk, 1, reached=True)
    with pytest.raises(RefusedError, match="reached already"):
        afterwards.record_follow_up(room, who, case.pk, 1, reached=False)
    with pytest.raises(RefusedError, match="a day that has been"):
        afterwards.give_help(room, who, case.pk, amina.pk, "tools", key=key(),
                             given_on=room.now.date() + timedelta(days=2))  # fmt: skip
    with pytest.raises(RefusedError, match="say so themselves"):
        afterwards.close_with(room, who, case.pk, Outcome.WITHDRAWN)
    early = case_in(cast, State.COUNSELLING)
    with pytest.raises(RefusedError, match="no way"):
        afterwards.close_with(room, who, early.pk, Outcome.RETURNED)
    assert Case.objects.get(pk=early.pk).outcome == ""
    for stranger in (cast.stranger, cast.medical, cast.auditor, cast.administrator):
        with pytest.raises((NotVisibleError, NotAllowedError)):
            afterwards.record_follow_up(room, stranger, case.pk, 3, reached=True)


def test_single_holds_and_sums_are_let_go_and_payments_are_not(cast: Cast) -> None:
    case = case_in(cast, State.TRAVEL)
    room, who = cast.room, cast.counsellor
    hold = Hold.objects.get(case=case)
    for _ in range(2):
        letting_go.release_hold(room, who, case.pk, hold.pk)
    assert Hold.objects.get(pk=hold.pk).released_at == room.now
    mine, place = client_of(who), f"/cases/{case.reference}/"
    for kind, amount in (("held", "120.50"), ("paid", "80"), ("paid", "-5")):
        typed = {"kind": kind, "what": "a ticket", "amount": amount, "currency": "eur",
                 "key": key()}  # fmt: skip
        assert mine.post(f"{place}do/money", typed).status_code == 302
    text = read(mine, f"{place}part/money")
    assert "120.50" in text
    assert "75.00" in text
    paid = MoneyLine.objects.filter(kind=MoneyKind.PAID)[0]
    with pytest.raises(RefusedError, match="never changed"):
        letting_go.release_money(room, who, case.pk, paid.pk)
    held = MoneyLine.objects.get(kind=MoneyKind.HELD)
    mine.post(f"{place}do/release-money", {"row": held.pk})
    assert "let go" in read(mine, f"{place}part/money")
    with pytest.raises(NotVisibleError):
        letting_go.release_hold(room, cast.stranger, case.pk, hold.pk)
    assert trail_is_whole(case)


def test_a_shift_is_drawn_from_what_was_done_and_handed_over_once(cast: Cast) -> None:
    case, quiet = case_in(cast, State.COUNSELLING), case_in(cast, State.COUNSELLING)
    work.plan_task(cast.room, cast.counsellor, case.pk, "ring the consulate", key=key())
    days = {d.id: d for d in shift.draft_hand_over(cast.room, cast.counsellor)}
    assert "Today: planned a task" in days[case.pk].lines
    assert (days[case.pk].touched, days[quiet.pk].touched) == (True, False)
    mine, place = client_of(cast.counsellor), "/cases/hand-over"
    assert "ring the consulate" in read(mine, place)
    typed = {"key": key(), "case": str(case.pk), f"words-{case.pk}": "She is tired."}
    refused = mine.post(place, typed)
    assert refused.status_code == 422
    assert "She is tired." in refused.content.decode()
    for _ in range(2):
        sent = mine.post(place, typed | {"colleague": cast.colleague.user_id})
        assert sent.status_code == 302
    note = HandOverNote.objects.get()
    text = note.text.open(cast.room.keys)
    assert "Today: planned a task" in text
    assert text.endswith("She is tired.")
    assert b"tired" not in bytes(note.text.data or b"")
    theirs = client_of(cast.colleague)
    assert "Handed over to you" in read(theirs, "/cases/today")
    assert "She is tired." in read(theirs, f"/cases/{case.reference}/part/work")
    assert Case.objects.get(pk=quiet.pk).counsellor_id == cast.counsellor.user_id
    assert trail_is_whole(case)


def test_what_is_noted_of_a_family_is_not_told_to_one_adult(cast: Cast) -> None:
    family = case_in(cast, State.COUNSELLING, AMINA, IBRAHIM)
    shift.hand_over_shift(cast.room, cast.counsellor, cast.colleague.user_id or 0, key=key(),
                          case_ids=[family.pk], words={family.pk: "He asked alone."})  # fmt: skip
    FollowUp.objects.create(
        made_at=cast.room.now, case=family, key_id=family.key_id, month=1,
        due_on=cast.room.now.date(),
    )  # fmt: skip
    afterwards.record_follow_up(
        cast.room, cast.counsellor, family.pk, 1, reached=True, notes="He asked alone."
    )
    amina = Actor(Who.APPLICANT, case_id=family.pk, person_id=people_of(family)[0].pk)
    held = looking.what_is_held(cast.room, amina)
    assert held
    assert "He asked alone." not in str(held)


def test_medical_answers_what_waits_and_sees_no_name(cast: Cast) -> None:
    case = case_in(cast, State.DOCUMENTS)
    amina = people_of(case)[0]
    checks.ask_screening(cast.room, cast.counsellor, case.pk, amina.pk, ScreeningKind.FITNESS,
                         key=key())  # fmt: skip
    medic = client_of(cast.medical)
    waiting = read(medic, "/cases/screenings")
    assert case.reference in waiting
    assert "Amina" not in waiting
    found = re.search(r'href="(/cases/screenings/[\w-]+)"', waiting)
    assert found
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', read(medic, found[1])))
    typed = {"key": fields["key"], "result": "with_support", "told": "asthma"}
    refused = medic.post(found[1], typed)
    assert refused.status_code == 422
    assert "asthma" in refused.content.decode()
    until = (cast.room.now + timedelta(days=20)).date().isoformat()
    saved = medic.post(found[1], typed | {"valid_until": until, "support": "an aisle seat"})
    assert saved.status_code == 302
    row = Screening.objects.get(case=case, kind="fitness", replaced_at=None)
    assert row.result == ScreeningResult.WITH_SUPPORT
    assert medic.get(found[1]).status_code == 404  # it no longer waits
    for other in (cast.counsellor, cast.supervisor):
        assert client_of(other).get(found[1]).status_code == 403
    opened = medic.post(f"/cases/{case.reference}/open/screening/{row.pk}/answers",
                        {"reason": "a second look"})  # fmt: skip
    assert "asthma" in opened.content.decode()


def test_the_auditor_reads_who_and_what_by_pages_and_never_of_what(cast: Cast) -> None:
    case = case_in(cast, State.TRAVEL)
    auditor = client_of(cast.auditor)
    text = read(auditor, f"/cases/log?reference={case.reference.lower()}")
    assert case.reference in text
    assert "book" in text
    assert "Amina" not in text
    assert "is no reference" in read(auditor, "/cases/log?reference=x")
    read(client_of(cast.counsellor), f"/cases/{case.reference}/")
    looks = read(auditor, "/cases/log?kind=looks&who=counsellor")
    assert "opened the case&#x27;s page" in looks
    assert "Nothing is here" in read(auditor, "/cases/log?page=99")
    for other in (cast.counsellor, cast.supervisor, cast.medical, cast.administrator):
        assert client_of(other).get("/cases/log").status_code == 403


def test_the_administrator_gives_and_ends_places_and_sees_no_case(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    admin = client_of(cast.administrator)
    text = read(admin, "/cases/accounts")
    assert "Ana" in text
    assert case.reference not in text
    new = {"username": "lea", "name": "Lea", "role": "counsellor", "office": "", "new_office": ""}
    assert admin.post("/cases/accounts", new).status_code == 422
    assert not User.objects.filter(username="lea").exists()
    for role in ("analyst", "operator", "applicant"):  # never of the other side
        assert admin.post("/cases/accounts", new | {"role": role}).status_code == 422
    made = admin.post("/cases/accounts", new | {"office": "North"}, follow=True)
    shown = re.search(r"shown this once: ([\w-]+)", made.content.decode())
    assert shown
    lea = User.objects.get(username="lea")
    assert lea.check_password(shown[1])
    assert lea.groups.get().name == "counsellor"
    theirs = Client()
    theirs.force_login(lea, backend="sojourn_web.accounts.backends.OfficeBackend")
    assert case.reference in read(theirs, "/cases/")
    admin.post(f"/cases/accounts/{lea.pk}", {"name": "Lea", "role": "auditor"})
    assert theirs.get("/cases/").status_code == 403
    assert theirs.get("/cases/log").status_code == 200
    assert admin.post(f"/cases/accounts/{lea.pk}/end").status_code == 302
    assert theirs.get("/cases/log").status_code == 403
    own = cast.administrator.user_id
    assert admin.post(f"/cases/accounts/{own}", {"name": "A", "role": "auditor"}).status_code == 403
    assert admin.post(f"/cases/accounts/{own}/end").status_code == 403
    assert AccountEvent.objects.filter(user_id=lea.pk).count() == 3
    assert "place ended" in read(client_of(cast.auditor), "/cases/log")
    for other in (cast.counsellor, cast.supervisor, cast.auditor, cast.medical):
        assert client_of(other).get("/cases/accounts").status_code == 403
        with pytest.raises(NotAllowedError):
            accounts.place(cast.room, other, lea.pk, "X", Who.AUDITOR, "")
    assert StaffProfile.objects.get(user_id=own).role == Who.ADMINISTRATOR


def test_the_supervisor_sees_loads_in_the_order_of_names_and_decides_appeals(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    chief = client_of(cast.supervisor)
    text, names = read(chief, "/cases/caseload"), ("Ana", "Ben", "Sol", "Tove", "Nobody yet")
    assert [text.index(f">{n}<") for n in names] == sorted(text.index(f">{n}<") for n in names)
    assert client_of(cast.counsellor).get("/cases/caseload").status_code == 403
    mine, place = client_of(cast.counsellor), f"/cases/{case.reference}/"
    stop = {"reason": "She was threatened.", "key": key()}
    assert mine.post(f"{place}do/not-safe", stop).status_code == 302
    assert mine.post(f"{place}do/appeal", {"words": "Another town."}).status_code == 302
    assert mine.get(f"{place}do/decide-appeal").status_code == 403
    assert "Appeals to decide" in read(chief, "/cases/today")
    decided = chief.post(f"{place}do/decide-appeal",
                         {"answer": "upheld", "decision": "Her uncle's town is safe."})  # fmt: skip
    assert decided.status_code == 302
    assert Case.objects.get(pk=case.pk).state == State.COUNSELLING
    person = Actor(Who.APPLICANT, case_id=case.pk, person_id=people_of(case)[0].pk)
    work.complain(cast.room, person, case.pk, "Nobody listened.", key=key())
    assert "Nobody listened." not in read(mine, f"{place}part/work")
    told = read(chief, f"{place}part/work")
    assert "Nobody listened." in told
    row = re.search(r"do/answer-complaint\?row=([\w-]+)", told)
    assert row
    chief.post(f"{place}do/answer-complaint", {"row": row[1], "answer": "I am sorry."})
    assert "I am sorry." in read(chief, f"{place}part/work")
