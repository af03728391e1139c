"""The person's side: beginning, coming back, one question a page, and what they may always do."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client

from lib.cast import AMINA, Cast, open_for, people_of
from lib.visitor import CODES, HOME, answer_question, begin, desk_of, enter, hidden
from sojourn_web.cases.demo_stories import AMINA as STORY
from sojourn_web.cases.demo_stories import give_code, tell_stories
from sojourn_web.cases.models import (
    AuditEvent,
    Case,
    Person,
    Visit,
)
from sojourn_web.cases.services import opening
from sojourn_web.cases.services.answers import save_answer
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.wordings import ship_wordings

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


def test_from_the_first_page_to_an_application(client: Client, office: Cast) -> None:
    landing = client.get("/return/")
    assert landing.status_code == 200
    assert "no-store" in landing["Cache-Control"]
    reference, _ = begin(client, office)
    assert answer_question(client, "about/names", value="Madonna") == 302
    assert answer_question(client, "wishes/why", value="My mother is ill.") == 302
    page = client.get(HOME).content.decode()
    assert reference in page
    assert page.count("Answered") == 2
    for _ in range(2):  # a double click
        assert client.post(f"{HOME}move", {"move": "apply"}).status_code == 302
    case = Case.objects.get()
    assert case.state == State.APPLICATION
    assert AuditEvent.objects.filter(case=case).count() == case.version
    assert "– Apply – you" in client.get(HOME).content.decode()


def test_a_begin_that_is_sent_twice_opens_one_case(client: Client, office: Cast) -> None:
    form = {**hidden(client.get("/return/begin").content.decode()), "office": office.office.pk}
    pages = [client.post("/return/begin", form).content.decode() for _ in range(2)]
    assert CODES.findall(pages[0]) == CODES.findall(pages[1])
    assert Case.objects.count() == 1
    assert client.post("/return/begin", {"key": "k", "office": "forged"}).status_code == 409
    # Much later, "back" and "send again" on the same telephone show no code.
    Case.objects.update(made_at=datetime.now(UTC) - timedelta(minutes=3))
    assert client.post("/return/begin", form)["Location"] == "/return/enter"


def test_a_wrong_reference_and_a_wrong_code_are_answered_alike(
    client: Client, office: Cast
) -> None:
    reference, code = begin(client, office)
    other = Client()
    answers, times = [], []
    unknown = "K7WX-2MDQ" if _is_reference("K7WX-2MDQ") else _another(reference)
    for typed, secret in ((unknown, code), (reference, "2222-2222-2222")):
        started = time.monotonic()
        answer = other.post("/return/enter", {"reference": typed, "code": secret})
        times.append(time.monotonic() - started)
        answers.append((answer.status_code, answer.content.decode().replace(typed, "")))
    assert answers[0][0] == answers[1][0] == 403
    plain = [re.sub(r'csrfmiddlewaretoken" value="\w+"', "", a[1]) for a in answers]
    assert plain[0] == plain[1]
    assert min(times) >= 0.35
    # Pasted with blanks and in small letters.
    pasted = {"reference": f" {reference.lower()} ", "code": code.replace("-", " ").lower()}
    assert other.post("/return/enter", pasted).status_code == 302
    assert code.replace("-", "") not in str(list(Visit.objects.values()))


def _is_reference(text: str) -> bool:
    from sojourn_web.cases.references import read_reference

    try:
        return bool(read_reference(text))
    except Exception:  # noqa: BLE001  any refusal: it is none
        return False


def _another(reference: str) -> str:
    from sojourn_web.cases.references import make_reference

    found = make_reference()
    return found if found != reference else _another(reference)


def test_tries_from_one_place_are_limited(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn_web.cases.applicant.gate.SAME_TIME", 0.0)
    wrong = {"reference": _another(""), "code": "2222-2222-2222"}
    found = [client.post("/return/enter", wrong).status_code for _ in range(31)]
    assert found == [403] * 30 + [429]


def test_an_ended_visit_loses_nothing_that_was_typed(client: Client, office: Cast) -> None:
    reference, code = begin(client, office)
    address = f"{HOME}ask/wishes/why"
    form = hidden(client.get(address).content.decode())
    Visit.objects.update(seen_at=datetime.now(UTC) - timedelta(hours=1))
    typed = "A long story, <b>told</b> on a bus."
    ended = client.post(address, {**form, "value": typed})
    assert ended.status_code == 403
    page = ended.content.decode()
    assert typed not in page
    kept = hidden(page)["kept"]
    back = client.post("/return/enter", {"reference": reference, "code": code, "kept": kept})
    assert back.status_code == 200
    restored = back.content.decode()
    assert "A long story, &lt;b&gt;told&lt;/b&gt; on a bus." in restored
    assert "not saved yet" in restored
    saved = client.post(address, {**hidden(restored), "value": typed})
    assert saved.status_code == 302
    assert typed in client.get(f"{HOME}my-record.json").content.decode()
    # Somebody else who signs in at the same telephone gets nothing of it.
    stranger = Client()
    other = open_for(office, AMINA)
    other_code = opening.issue_code(
        office.room, office.counsellor, other.pk, people_of(other)[0].pk, key="x1"
    )
    fields = {"reference": other.reference, "code": other_code, "kept": kept}
    assert stranger.post("/return/enter", fields).status_code == 302


def test_a_new_code_and_signing_out_and_leaving_end_the_visit(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    assert client.get(HOME).status_code == 200
    opening.issue_code(office.room, office.counsellor, case.pk, people_of(case)[0].pk, key="new")
    assert client.get(HOME).status_code == 302
    code = opening.issue_code(
        office.room, office.counsellor, case.pk, people_of(case)[0].pk, key="newer"
    )
    for way in ("leave", "sign-out"):
        client.post("/return/enter", {"reference": case.reference, "code": code})
        cookie = client.cookies["sojourn_return"].value
        answer = client.get("/return/leave") if way == "leave" else client.post("/return/sign-out")
        assert answer.status_code == 302
        if way == "leave":
            assert answer["Location"] == django_settings.RETURN_EXIT_URL
        client.cookies["sojourn_return"] = cookie
        assert client.get(HOME).status_code == 302


def test_dates_of_other_calendars_are_converted_and_shown_both_ways(
    client: Client, office: Cast
) -> None:
    begin(client, office)
    place = "about/birth_date"
    typed = {"calendar": "persian", "year": "۱۳۷۰", "month": "2", "day": "27"}
    assert answer_question(client, place, **typed) == 302
    assert Person.objects.get().birth_date.open(office.room.keys) == "1991-05-17"
    page = client.get(f"{HOME}ask/{place}?calendar=persian").content.decode()
    assert "<bdi>1991-05-17</bdi> = <bdi>1370-02-27</bdi>" in page
    fields = {"calendar": "ethiopian", "year": "1983", "month": "9", "day": "9"}
    assert answer_question(client, place, **fields) == 302
    assert Person.objects.get().birth_date.open(office.room.keys) == "1991-05-17"
    for known, stored in ((("1987", "", ""), "1987"), (("1987", "3", ""), "1987-03"),
                          (("", "", ""), "")):  # fmt: skip
        parts = dict(zip(("year", "month", "day"), known, strict=True))
        assert answer_question(client, place, calendar="gregorian", **parts) == 302
        assert Person.objects.get().birth_date.open(office.room.keys) == stored
    dummy = {"calendar": "gregorian", "year": "1970", "month": "1", "day": "1"}
    assert answer_question(client, place, **dummy) == 409
    assert answer_question(client, place, **dummy, confirmed="yes") == 302
    for year in ("0001", "1900"):
        assert answer_question(client, place, **{**dummy, "year": year}) == 409
    impossible = {"calendar": "persian", "year": "1371", "month": "12", "day": "30"}
    assert answer_question(client, place, **impossible) == 409


def test_a_year_that_is_about_right_stays_so_when_the_form_is_shown_again(
    client: Client, office: Cast
) -> None:
    begin(client, office)
    where = f"{HOME}ask/about/birth_date"
    form = hidden(client.get(where).content.decode())
    ticked = 'name="about" value="yes" checked'
    wrong = {**form, "calendar": "gregorian", "year": "2999"}
    assert ticked in client.post(where, {**wrong, "about": "yes"}).content.decode()
    assert client.post(where, {**form, "calendar": "gregorian", "year": "1991", "about": "yes"})
    assert Person.objects.get().birth_date.open(office.room.keys) == "~1991"
    page = client.get(where).content.decode()
    assert ticked in page
    again = client.post(where, {**wrong, **hidden(page)}).content.decode()
    assert ticked not in again  # it was taken away: that stays too


@pytest.mark.parametrize(
    "name", ["Madonna", "Á" * 120, "አበበ ቢቂላ", "محمد رضا", "李小龙", "O'Neil-Ødegård"]
)
def test_names_in_any_script_and_length(client: Client, office: Cast, name: str) -> None:
    begin(client, office)
    assert answer_question(client, "about/names", value=name) == 302
    shown = client.get(f"{HOME}held").content.decode()
    assert f"<bdi>{name.replace(chr(39), '&#x27;')}</bdi>" in shown


def test_somebody_elses_change_is_never_written_over(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    person = people_of(case)[0]
    address = f"{HOME}ask/wishes/why"
    form = hidden(client.get(address).content.decode())
    save_answer(office.room, office.counsellor, case.pk, person.pk, "wishes", "why", "Her words",
                based_on=0, key="c")  # fmt: skip
    client.post(address, {**form, "value": "My words"})
    both = client.get(address).content.decode()
    assert "Her words" in both
    assert "My words" in both
    mine = next(v for v in ("1", "2") if f'value="{v}"' in both and v == "2")
    assert client.post(address, {"choose": mine, "key": "z"}).status_code == 302
    assert "My words" in client.get(address).content.decode()
    # A particular: the page says so and keeps what was typed.
    place = f"{HOME}ask/about/names"
    form = hidden(client.get(place).content.decode())
    client.post(place, {**form, "value": "Amina D."})
    assert client.post(place, {**form, "value": "Amina D."}).status_code == 302  # a replay
    stale = client.post(place, {**form, "value": "Mina"})
    assert stale.status_code == 409
    assert 'value="Mina"' in stale.content.decode()
    assert "Amina D." in stale.content.decode()


def test_the_demo_hands_out_a_way_in_for_one_of_its_stories(client: Client, office: Cast) -> None:
    ship_wordings(office.room.now)
    tell_stories(office.room.keys, office.room.now, desk_of(office))
    reference, code = give_code(office.room.keys, office.room.now, STORY.names)
    entered = client.post("/return/enter", {"reference": reference, "code": code})
    assert entered.status_code == 302
    assert "The journey is booked" in client.get(f"{HOME}?lang=en").content.decode()
    assert give_code(office.room.keys, office.room.now, "Nobody") == ("", "")


def test_a_form_of_somebody_unknown_is_not_kept(client: Client, office: Cast) -> None:
    for owner in ("", "forged"):
        page = client.post(f"{HOME}ask/wishes/why", {"value": "x", "owner": owner})
        assert page.status_code == 403
        assert 'name="kept"' not in page.content.decode()
    reference, code = begin(client, office)
    for kept in ("forged", "AAAA", "%"):
        fields = {"reference": reference, "code": code, "kept": kept}
        assert client.post("/return/enter", fields)["Location"] == HOME


def test_forged_places_and_ids_are_not_found(client: Client, office: Cast) -> None:
    begin(client, office)
    for place in ("ask/about/left_plan_at", "ask/x/y", "ask/needs/document?x"):
        expected = 200 if "document" in place else 404
        assert client.get(HOME + place).status_code == expected
    assert (
        client.post(f"{HOME}ask/needs/document", {"value": "forged", "key": "k"}).status_code == 404
    )
    assert Client().get(HOME).status_code == 302
    assert Client().get(f"{HOME}my-record.json").status_code == 302


def test_a_visit_is_over_after_a_while(office: Cast, client: Client) -> None:
    begin(client, office)
    Visit.objects.update(made_at=datetime.now(UTC) - timedelta(hours=13))
    assert client.get(HOME).status_code == 302
    assert Room(office.room.keys, office.room.now)
