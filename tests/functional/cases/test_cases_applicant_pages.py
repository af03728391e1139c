"""What a tired person meets on a small telephone: errors at their field, other calendars, files,
a log in their language, a consent that is offered only when it can be given."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lib.cast import AMINA, IBRAHIM, Cast, applicant_of, key, open_for, people_of
from lib.visitor import HOME, answer_question, begin, desk_of, enter, hidden
from sojourn_web.cases.applicant import gate
from sojourn_web.cases.applicant.questions import QUESTIONS
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.errors import NotAllowedError, RefusedError
from sojourn_web.cases.models import (
    Attachment,
    Case,
    Complaint,
    Declaration,
    FollowUp,
    Journey,
    Person,
    Task,
)
from sojourn_web.cases.scanning import Verdict
from sojourn_web.cases.services import afterwards, consents, files, looking, moving, travel, work
from sojourn_web.cases.services.sheet_parts import read_work
from sojourn_web.cases.states import State
from sojourn_web.cases.vocabulary import DocumentKind, Holder, Purpose, Wording

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
CHILD_FORM = f"{HOME}family/child"
LINKS = re.compile(r'<li><a href="#([\w-]+)">')
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class Clean:
    is_configured = True

    def scan(self, content: bytes) -> Verdict:
        return Verdict.CLEAN


def leads_to(page: str) -> list[str]:
    """Where the summary of errors leads; each place is a field of the page."""
    found = LINKS.findall(page)
    for place in found:
        field = re.search(rf'<(?:input|textarea|select|button)\b[^>]*\bid="{place}"', page)
        assert field, place
    return found


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"value": ""}, "value"),
        ({"value": "x" * 201}, "value"),
        ({"belongs": ""}, "belongs-parent"),
        ({"belongs": "nobody"}, "belongs-parent"),
        ({"year": "1970", "month": "1", "day": "1"}, "day"),
        ({"year": "2019", "month": "2", "day": "31"}, "day"),
        ({"year": "abcd"}, "day"),
        ({"year": "1980"}, "day"),
        ({"year": "2999"}, "day"),
    ],
    ids=str,
)
def test_each_error_of_a_child_leads_to_its_field(
    client: Client, office: Cast, typed: dict[str, str], place: str
) -> None:
    enter(client, open_for(office, AMINA), office)
    form = hidden(client.get(CHILD_FORM).content.decode())
    whole = {"value": "Fatou", "calendar": "gregorian", "year": "2019", "belongs": "parent"}
    answer = client.post(CHILD_FORM, {**whole, **form, **typed})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert leads_to(page) == [place]
    assert f'id="{place}-error"' in page
    assert Person.objects.count() == 1


def test_who_may_add_nobody_is_led_to_the_call(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.TRAVEL))
    enter(client, case, office)
    page = client.post(CHILD_FORM, {"value": "F", "belongs": "parent"}).content.decode()
    assert leads_to(page) == ["call"]


def test_errors_of_other_pages_lead_to_fields_too(client: Client, office: Cast) -> None:
    form = hidden(client.get("/return/begin").content.decode())
    page = client.post("/return/begin", {**form, "office": "forged"}).content.decode()
    assert leads_to(page) == ["office-1"]
    begin(client, office)
    place = f"{HOME}ask/about/birth_date"
    form = hidden(client.get(place).content.decode())
    page = client.post(place, {**form, "year": "1990", "month": "13"}).content.decode()
    assert leads_to(page) == ["day"]


def test_too_many_tries_say_how_long_in_plain_words(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "TRIES", 0)
    for place in ("enter", "begin", "join"):
        answer = client.post(f"/return/{place}?lang=es", {"reference": "K7WX-2MDQ", "code": "2"})
        assert answer.status_code == 429, place
        assert answer["Retry-After"] == "600"
        page = answer.content.decode()
        assert '<html lang="es"' in page
        assert "data-leave" in page
        assert '<span lang="en"' not in page.split("<main")[1].split("</main")[0], place


@pytest.mark.parametrize(
    ("calendar", "parts", "stored"),
    [
        ("persian", {"year": "1370", "month": "2", "day": "27"}, "1991-05-17"),
        ("ethiopian", {"year": "1983", "month": "9", "day": "9"}, "1991-05-17"),
        ("persian", {"year": "1370"}, "~1991"),
    ],
)
def test_a_date_of_another_calendar_is_shown_both_ways_once_and_then_one_goes_on(
    client: Client, office: Cast, calendar: str, parts: dict[str, str], stored: str
) -> None:
    begin(client, office)
    place = f"{HOME}ask/about/birth_date"
    form = hidden(client.get(place).content.decode())
    first = client.post(place, {**form, "calendar": calendar, **parts})
    assert first["Location"].startswith(place)
    assert Person.objects.get().birth_date.open(office.room.keys) == stored
    page = client.get(first["Location"]).content.decode()
    typed = dict(re.findall(r'name="(day|month|year)"[^>]*value="([^"]*)"', page))
    if "checked" in page:
        typed["about"] = "yes"
    second = client.post(place, {**hidden(page), "calendar": calendar, **typed})
    assert second["Location"] == f"{HOME}ask/about/nationality?saved=1"
    assert Person.objects.get().birth_date.open(office.room.keys) == stored


def test_a_year_alone_is_taken_whichever_it_is(client: Client, office: Cast) -> None:
    begin(client, office)
    for year in ("2000", "1970", "1999"):
        status = answer_question(client, "about/birth_date", calendar="gregorian", year=year)
        assert status == 302, year
        assert Person.objects.get().birth_date.open(office.room.keys) == year


def test_a_file_of_ones_own_is_sent_waits_and_opens(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    enter(client, case, office)
    place = f"{HOME}files"
    form = hidden(client.get(place).content.decode())

    def send(name: str, content: bytes, **more: str) -> int:
        given = SimpleUploadedFile(name, content)
        return client.post(place, {**form, **more, "file": given}).status_code

    assert send("receipt.pdf", PDF) == 302
    assert send("receipt.pdf", PDF) == 302  # a second click
    row = Attachment.objects.get()
    assert row.person_id == people_of(case)[0].pk
    assert Task.objects.filter(case=case, what=files.SENT).count() == 1
    page = client.get(place).content.decode()
    assert "receipt.pdf" in page
    assert client.get(f"{place}/{row.pk}").status_code == 409  # nobody has looked through it
    files.scan_again(office.room, office.counsellor, case.pk, row.pk, Clean())
    opened = client.get(f"{place}/{row.pk}")
    assert (opened.status_code, opened.content) == (200, PDF)
    assert "attachment" in opened["Content-Disposition"]
    other = Client()
    enter(other, case, office, 1)
    assert other.get(f"{place}/{row.pk}").status_code == 404
    assert "receipt.pdf" not in other.get(place).content.decode()
    assert send("lies.pdf", b"MZ" + b"\0" * 40, key="another") == 409
    assert client.post(place, {**form, "key": "third"}).status_code == 409
    assert Attachment.objects.count() == 1


def test_who_sends_too_many_files_waits(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sojourn_web.cases.applicant import views_files
    from sojourn_web.cases.limits import Rate

    monkeypatch.setattr(views_files, "HANDED_IN", Rate(1, 3600))
    begin(client, office)
    answers = [client.post(f"{HOME}files", {"key": str(n)}) for n in range(3)]
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1]


def test_the_log_says_in_their_language_what_it_was(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.TRAVEL))
    looking.look(office.room, office.counsellor, case.pk)
    looking.break_glass(office.room, office.stranger, case.reference, reason="The hospital called.")
    enter(client, case, office)
    page = client.get(f"{HOME}log?lang=ar").content.decode()
    lines = re.findall(r"(?s)<li>(.*?)</li>", page.split("rt-trail")[1].split("</ul>")[0])
    said = [re.sub(r"<[^>]*>", "", re.sub(r'(?s)<span lang="en".*?</span>', "", x)) for x in lines]
    assert lines
    assert all(re.search(r": \S.* – ", line + " ") for line in said), said
    assert "ملفك" in page
    assert 'dir="ltr">opened the case&#x27;s page</span>' in page
    assert "opened opened" not in page
    english = client.get(f"{HOME}log?lang=en").content.decode()
    assert "Your case:" not in english.split("rt-trail")[1]


def test_the_last_consent_is_offered_on_the_travel_day_alone(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    leaves = office.room.now + timedelta(days=3)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.TRAVEL, leaves))
    enter(client, case, office)
    page = client.get(f"{HOME}consents/return").content.decode()
    assert 'name="declaration"' not in page
    assert "You will be asked once more on the last day" in page
    near = office.room.now + timedelta(hours=5)
    Journey.objects.update(leaves_at=near)
    page = client.get(f"{HOME}consents/return").content.decode()
    assert 'name="declaration"' in page


def test_a_wording_says_that_it_was_reviewed_when_and_in_which_version(
    client: Client, office: Cast
) -> None:
    enter(client, open_for(office, AMINA), office)
    Declaration.objects.create(
        made_at=office.room.now, purpose=Purpose.EMBASSY, language="en", version=2,
        state=Wording.DRAFT, text="A draft says more.",
    )  # fmt: skip
    page = client.get(f"{HOME}consents/embassy").content.decode()
    assert "A draft says more" not in page
    assert re.search(r"Reviewed wording, version <bdi>1</bdi>, <bdi>\d{4}-\d\d-\d\d</bdi>", page)


def test_every_question_has_a_picture_and_a_place_for_a_recording(
    client: Client, office: Cast, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    from sojourn_web.cases.templatetags import return_words

    begin(client, office)
    place = Path(str(tmp_path)) / "sounds"
    for question in QUESTIONS:
        page = client.get(f"{HOME}ask/{question.place}").content.decode()
        assert "<svg" in page.split("<h1")[0].split("<main")[1], question.place
    (place / "audio" / "en").mkdir(parents=True)
    names = [f"{q.section}_{q.name}" for q in QUESTIONS] + ["complain", "consent_embassy_1"]
    for name in names:
        (place / "audio" / "en" / f"{name}.mp3").write_bytes(b"ID3")
    monkeypatch.setattr(return_words, "STATIC", place)
    addresses = [f"ask/{q.place}" for q in QUESTIONS] + ["complain", "consents/embassy"]
    for address in addresses:
        assert "<audio" in client.get(f"{HOME}{address}").content.decode(), address
    assert "<audio" not in client.get(f"{HOME}consents/embassy?lang=ar").content.decode()


def test_another_s_actor_opens_no_file(client: Client, office: Cast) -> None:
    mine, theirs = open_for(office, AMINA), open_for(office, AMINA)
    done = files.hand_in(
        office.room, applicant_of(theirs), theirs.pk, PDF, Clean(), name="a.pdf", kind="letter",
        key=key(),
    )  # fmt: skip
    enter(client, mine, office)
    assert client.get(f"{HOME}files/{done.row_id}").status_code == 404


def test_a_complaint_is_answered_by_nobody_who_counsels_and_the_answer_is_read(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    place = f"{HOME}complain"
    empty = client.post(place, {**hidden(client.get(place).content.decode()), "value": "  "})
    assert "Write something first" in empty.content.decode()
    form = hidden(client.get(place).content.decode())
    client.post(place, {**form, "value": "She did not listen."})
    row = Complaint.objects.get()
    assert "She did not listen." in client.get(place).content.decode()
    Case.objects.update(counsellor_id=office.supervisor.user_id)
    case = Case.objects.get()
    for reader, lines in ((office.supervisor, 0), (office.second_supervisor, 1)):
        work_part = read_work(office.room, reader, case, {})
        assert len(work_part.complaints) == lines
    with pytest.raises(NotAllowedError, match="does not counsel"):
        work.answer_complaint(office.room, office.supervisor, case.pk, row.pk, "No.")
    work.answer_complaint(office.room, office.second_supervisor, case.pk, row.pk, "I am sorry.")
    assert "I am sorry." in client.get(place).content.decode()


def test_each_adult_is_asked_how_they_are_with_their_own_consent(office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    amina, ibrahim = people_of(case)
    wording = office.wordings[Purpose.SURVEY]
    consents.give_consent(
        office.room, applicant_of(case, 1), case.pk, ibrahim.pk, Purpose.SURVEY,
        declaration_id=wording.pk, language="en", key=key(),
    )  # fmt: skip
    FollowUp.objects.create(
        case=case, month=1, made_at=office.room.now, key_id=case.key_id, made_by="x",
        due_on=office.room.now.date(),
    )  # fmt: skip
    afterwards.answer_survey(
        office.room, office.counsellor, case.pk, ibrahim.pk, 1, {"home": 4}, key=key()
    )
    moving.withdraw(office.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="consent of its own"):
        afterwards.answer_survey(
            office.room, office.counsellor, case.pk, amina.pk, 1, {"home": 4}, key=key()
        )


def test_a_consent_for_a_journey_is_not_asked_once_there_is_none(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    places = ("embassy", "carrier", "reception")
    for place in places:
        assert 'name="declaration"' in client.get(f"{HOME}consents/{place}").content.decode()
    moving.withdraw(office.room, applicant_of(case), case.pk)
    for place in places:
        page = client.get(f"{HOME}consents/{place}").content.decode()
        assert 'name="declaration"' not in page
        assert "Not asked now" in page


def test_after_the_planned_hour_a_receipt_is_asked_for_without_a_reproach(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.TRAVEL))
    enter(client, case, office)
    assert "proves nothing" not in client.get(HOME).content.decode()
    Journey.objects.update(leaves_at=office.room.now - timedelta(hours=1))
    page = client.get(HOME).content.decode()
    assert "That there is none proves nothing" in page
    assert Case.objects.get().state == State.TRAVEL


def test_a_second_click_on_withdraw_still_names_the_passport(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    travel.add_document(
        office.room, office.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
        number="O1234567", country="GIN", expires_on=date(2031, 1, 1), key=key(),
        holder=Holder.OFFICE,
    )  # fmt: skip
    enter(client, case, office)
    form = hidden(client.get(HOME).content.decode())
    for _ in range(2):
        page = client.post(f"{HOME}withdraw", form).content.decode()
        assert "It must give it back to you today" in page
