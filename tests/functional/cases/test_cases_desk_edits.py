"""Two who write in one field both stand there to read, and a second click is no second deed.

The cast: Amina's counsellor and a colleague of the office, a counsellor of another office, the
auditor, and Amina, who reads what was done.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, applicant_of, key, people_of
from lib.desk import case_in, cast_of_today, client_of, fields_of, form_at, trail_is_whole
from sojourn_web.cases.models import (
    AuditEvent,
    Case,
    ChildSafeguard,
    ClockStop,
    Complaint,
    FollowUp,
    Note,
    OnceKey,
    Transfer,
)
from sojourn_web.cases.services import consents, looking, travel, work
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import PersonKind, Purpose, TransferState, Who

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
CHILD = NewPerson("Yusuf", kind=PersonKind.CHILD, travels_alone=True)


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def both_are_shown(cast: Cast, where: str, field: str, ours: str, theirs: str, **more: str) -> str:
    """Two open a form, both save; the second sees both, and what they choose then stands.

    Nobody of another office and no auditor is shown either. Returns what was shown.
    """
    first, second = client_of(cast.supervisor), client_of(cast.second_supervisor)
    forms = [form_at(first, where), form_at(second, where)]
    saved = first.post(where, forms[0] | more | {field: theirs})
    assert saved.status_code == 302
    assert first.post(where, forms[0] | more | {field: theirs}).status_code == 302  # a double click
    met = second.post(where, forms[1] | more | {field: ours})
    page = met.content.decode()
    assert met.status_code == 409
    assert "Nothing is overwritten" in page
    assert f"A colleague has written:</strong> <bdi>{theirs}</bdi>" in page
    assert ours in page
    for other in (cast.stranger, cast.auditor):
        refused = client_of(other).post(where, forms[1] | more | {field: ours})
        assert refused.status_code in (403, 404)
        assert theirs not in refused.content.decode()
    again = fields_of(page)
    assert second.post(where, again | more | {field: ours}).status_code == 302
    return page


def test_a_child_s_guardian(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, CHILD)
    child = people_of(case)[0]
    where = f"/cases/{case.reference}/do/child?person={child.pk}"
    both_are_shown(cast, where, "guardian", "Her uncle Omar", "Her aunt Binta",
                   best_interests="The court, 3 May")  # fmt: skip
    row = ChildSafeguard.objects.get()
    assert row.guardian.open(cast.room.keys) == "Her uncle Omar"
    assert row.best_interests.open(cast.room.keys) == "The court, 3 May"
    assert AuditEvent.objects.filter(case=case, what="safeguards of a child").count() == 2
    assert trail_is_whole(case)
    # What stands is in the form when it is opened.
    assert 'value="Her uncle Omar"' in client_of(cast.counsellor).get(where).content.decode()


def test_a_follow_up(cast: Cast) -> None:
    case = case_in(cast, State.DEPARTED)
    travel.confirm_arrival(
        cast.room, cast.counsellor, case.pk, arrived_at=cast.room.now, confirmed_by="Reception",
        key=key(),
    )  # fmt: skip
    where = f"/cases/{case.reference}/do/follow-up?month=1"
    both_are_shown(cast, where, "notes", "The shop is open", "She is well", reached="yes")
    row = FollowUp.objects.get(case=case, month=1)
    assert row.notes.open(cast.room.keys) == "The shop is open"


def test_an_answer_to_a_complaint(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    told = work.complain(cast.room, applicant_of(case), case.pk, "Nobody rang.", key=key())
    where = f"/cases/{case.reference}/do/answer-complaint?row={told.row_id}"
    both_are_shown(cast, where, "answer", "We ring tomorrow", "We are sorry")
    assert Complaint.objects.get().answer.open(cast.room.keys) == "We ring tomorrow"
    # Whom it is about reads the answer that stands; the counsellor past whom it goes does not.
    held = looking.what_is_held(cast.room, applicant_of(case))
    assert any("We ring tomorrow" in v for h in held for _, v in h.values)
    assert client_of(cast.counsellor).get(where).status_code == 403


def test_the_same_words_by_two_are_no_quarrel_and_ticks_are_told_as_ticks(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    where = f"/cases/{case.reference}/do/change-person?person={amina.pk}"
    ana, ben = client_of(cast.counsellor), client_of(cast.colleague)
    typed = {"names": "Amina Diallo", "kind": "applicant", "contact": "by her sister",
             "nationality": "GIN", "language": "fr", "birth_date_calendar": "gregorian",
             "birth_date_year": "1990"}  # fmt: skip
    forms = [form_at(ana, where), form_at(ben, where)]
    assert ana.post(where, forms[0] | typed).status_code == 302
    version = Case.objects.get(pk=case.pk).version
    met = ben.post(where, forms[1] | typed | {"contact": "by her aunt"})
    page = met.content.decode()
    assert met.status_code == 409
    assert page.count("A colleague has written") == 1, page
    assert ben.post(where, forms[1] | typed).status_code == 302  # as it stands already
    assert Case.objects.get(pk=case.pk).version == version


def test_a_second_click_on_a_step_is_no_refusal(cast: Cast) -> None:
    case = case_in(cast, State.APPLICATION)
    mine, colleague = client_of(cast.counsellor), client_of(cast.colleague)
    where = f"/cases/{case.reference}/move"
    sent = {"move": "start_counselling", "version": str(Case.objects.get(pk=case.pk).version)}
    assert [mine.post(where, sent).status_code for _ in range(2)] == [302, 302]
    assert colleague.post(where, sent).status_code == 409  # not theirs: they look again
    for other in (cast.stranger, cast.auditor):
        assert client_of(other).post(where, sent).status_code in (403, 404)
    assert AuditEvent.objects.filter(case=case, what="start_counselling").count() == 1
    assert trail_is_whole(case)


def test_a_second_click_on_the_clock_closes_nothing_and_counts_nothing(cast: Cast) -> None:
    case = case_in(cast, State.DOCUMENTS)
    mine = client_of(cast.counsellor)
    place = f"/cases/{case.reference}/do/"
    for _ in range(2):
        assert mine.post(f"{place}stop-clock", {"waits_for": "an answer"}).status_code == 302
    other = client_of(cast.colleague).post(f"{place}stop-clock", {"waits_for": "a ticket"})
    assert other.status_code == 422
    for _ in range(2):
        assert mine.post(f"{place}start-clock").status_code == 302
    assert ClockStop.objects.filter(case=case).count() == 1
    assert AuditEvent.objects.filter(case=case, what="started the clock").count() == 1


def test_a_second_click_on_a_transfer_and_no_two_requests_at_once(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, amina.pk, Purpose.TRANSFER,
        declaration_id=cast.wordings[Purpose.TRANSFER].pk, language="en", key=key(),
    )  # fmt: skip
    mine, there = client_of(cast.counsellor), client_of(cast.stranger)
    ask = {"office": str(cast.other_office.pk), "reason": "She moved south."}
    where = f"/cases/{case.reference}/do/"
    assert mine.post(f"{where}transfer", ask | {"key": "a" * 8}).status_code == 302
    assert mine.post(f"{where}transfer", ask | {"key": "b" * 8}).status_code == 422
    first = Transfer.objects.get()
    for _ in range(2):
        sent = mine.post(f"{where}revoke-transfer", {"row": str(first.pk)})
        assert sent.status_code == 302
    assert mine.post(f"{where}transfer", ask | {"key": "c" * 8}).status_code == 302
    second = Transfer.objects.get(state=TransferState.ASKED)
    answer = f"/cases/transfers/{second.pk}"
    assert client_of(cast.auditor).post(answer, {"answer": "accept"}).status_code == 403
    for _ in range(2):
        accepted = there.post(answer, {"answer": "accept"})
        assert accepted.status_code == 302
        assert accepted.url == f"/cases/{case.reference}/"
    assert mine.post(answer, {"answer": "accept"}).status_code == 404
    assert there.post(answer, {"answer": "decline"}).status_code == 404
    assert AuditEvent.objects.filter(case=case, what="transfer accepted").count() == 1


def test_what_changed_elsewhere_in_the_case_is_no_quarrel(cast: Cast) -> None:
    """A note, a reminder, an answer of the person: nobody has written in the form's own row."""
    case = case_in(cast, State.COUNSELLING, CHILD, AMINA)
    child, amina = people_of(case)
    told = work.complain(
        cast.room, Actor(Who.APPLICANT, case_id=case.pk, person_id=amina.pk), case.pk,
        "Nobody rang.", key=key(),
    )  # fmt: skip
    consents.give_consent(
        cast.room, cast.counsellor, case.pk, amina.pk, Purpose.EMBASSY, language="en", key=key(),
        declaration_id=cast.wordings[Purpose.EMBASSY].pk,
    )  # fmt: skip
    asked = travel.request_document(
        cast.room, cast.counsellor, case.pk, amina.pk, authority="Consulate", country="GIN",
        key=key(),
    )  # fmt: skip
    later = str(cast.room.now.date() + timedelta(days=900))
    person = {"kind": "applicant", "nationality": "GIN", "language": "fr", "names": "Amina",
              "birth_date_calendar": "gregorian", "birth_date_year": "1990"}  # fmt: skip
    paper = {"number": "GX 778 1203", "expires_on": later, "holder": "person"}
    mine, theirs = client_of(cast.supervisor), client_of(cast.second_supervisor)
    for name, about, typed, other in (
        ("child", f"person={child.pk}", {"guardian": "Her uncle Omar"}, {"guardian": "Nobody"}),
        ("answer-complaint", f"row={told.row_id}", {"answer": "We ring"}, {"answer": "No"}),
        ("change-person", f"person={amina.pk}", person, person | {"names": "Aminata"}),
        ("receive-document", f"row={asked.row_id}", paper, paper | {"number": "GX 778 9999"}),
    ):
        where = f"/cases/{case.reference}/do/{name}?{about}"
        form, old = form_at(mine, where), form_at(theirs, where)
        work.add_note(cast.room, cast.colleague, case.pk, "She came by.", key=key())
        assert mine.post(where, form | typed).status_code == 302, name
        # Now somebody has: and a form that does not say what it showed is not believed either.
        for late in (old | other, old | other | {"shown": ""}):
            met = theirs.post(where, late)
            assert met.status_code == 409, name
            assert "A colleague has written" in met.content.decode()
    assert ChildSafeguard.objects.get().guardian.open(cast.room.keys) == "Her uncle Omar"
    assert Complaint.objects.get().answer.open(cast.room.keys) == "We ring"
    assert people_of(case)[1].names.open(cast.room.keys) == "Amina"
    assert trail_is_whole(case)


def test_who_goes_back_and_writes_anew_is_not_told_of_a_colleague(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING, CHILD)
    mine = client_of(cast.counsellor)
    where = f"/cases/{case.reference}/do/child?person={people_of(case)[0].pk}"
    form = form_at(mine, where)
    assert mine.post(where, form | {"guardian": "Her uncle Omar"}).status_code == 302
    met = mine.post(where, form | {"guardian": "Her aunt Binta"})
    page = met.content.decode()
    assert met.status_code == 409
    assert "It says now:</strong> <bdi>Her uncle Omar</bdi>" in page
    assert "colleague" not in page
    again = fields_of(page)
    assert mine.post(where, again | {"guardian": "Her aunt Binta"}).status_code == 302
    assert ChildSafeguard.objects.get().guardian.open(cast.room.keys) == "Her aunt Binta"


def test_a_step_after_the_case_has_changed_promises_no_versions(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    mine, where = client_of(cast.counsellor), f"/cases/{case.reference}/do/move?move=back"
    form = form_at(mine, where)
    work.add_note(cast.room, cast.colleague, case.pk, "She came by.", key=key())
    met = mine.post(where, form | {"move": "start_safeguards", "reason": "She is ready."})
    page = met.content.decode()
    assert met.status_code == 409
    assert "This case has changed while you wrote" in page
    assert "both are below" not in page
    assert "She is ready." in page


def test_other_words_under_an_old_form_are_not_said_to_be_saved(cast: Cast) -> None:
    """Who goes back in the browser has a form whose key did its work: with what it said then."""
    case = case_in(cast, State.COUNSELLING)
    mine, where = client_of(cast.counsellor), f"/cases/{case.reference}/do/note"
    form = form_at(mine, where)
    for _ in range(2):
        assert mine.post(where, form | {"words": "She sleeps badly."}).status_code == 302
    met = mine.post(where, form | {"words": "She sleeps well now."})
    page = met.content.decode()
    assert met.status_code == 422
    assert "sent before with other words" in page
    assert "She sleeps well now." in page
    again = fields_of(page)
    for _ in range(2):
        assert mine.post(where, again | {"words": "She sleeps well now."}).status_code == 302
    texts = [n.text.open(cast.room.keys) for n in Note.objects.order_by("made_at", "pk")]
    assert sorted(texts) == ["She sleeps badly.", "She sleeps well now."]
    held = str(list(OnceKey.objects.values()))
    assert "sleeps" not in held
    assert trail_is_whole(case)


def test_a_case_that_is_closed_is_not_said_to_be_closed_in_another_way(cast: Cast) -> None:
    case = case_in(cast, State.DEPARTED)
    travel.confirm_arrival(
        cast.room, cast.counsellor, case.pk, arrived_at=cast.room.now, confirmed_by="Reception",
        key=key(),
    )  # fmt: skip
    work.plan_reintegration(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, key=key(), declined=True
    )
    mine, where = client_of(cast.counsellor), f"/cases/{case.reference}/do/close"
    form = form_at(mine, where)
    for _ in range(2):
        assert mine.post(where, form | {"outcome": "returned"}).status_code == 302
    assert "Saved" in mine.get("/cases/today").content.decode()
    met = mine.post(where, form | {"outcome": "helped_otherwise"})
    assert met.status_code == 422
    assert "Saved" not in met.content.decode()
    assert Case.objects.get(pk=case.pk).outcome == "returned"
    assert trail_is_whole(case)
