"""Adding a child, and an adult who joins by their own yes, from the person's own pages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from lib.cast import (
    AMINA,
    CHILD,
    IBRAHIM,
    Cast,
    applicant_of,
    key,
    open_for,
    people_of,
)
from lib.visitor import CODES, HOME, desk_of, enter, hidden, join
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.errors import NotAllowedError, RefusedError
from sojourn_web.cases.models import AuditEvent, Case, Invitation, Person, Task
from sojourn_web.cases.services import family, looking, moving, opening
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import Belongs, PersonKind

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
FAMILY = f"{HOME}family"
CHILD_FORM = f"{HOME}family/child"


def typed_child(client: Client, **fields: str) -> dict[str, str]:
    form = hidden(client.get(CHILD_FORM).content.decode())
    return {"value": "Fatou Diallo", "calendar": "gregorian", "year": "2019", "belongs": "parent",
            **form, **fields}  # fmt: skip


def test_a_child_is_added_and_put_right_and_the_counsellor_is_told(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    assert f'href="{FAMILY}"' in client.get(HOME).content.decode()
    sent = typed_child(client, calendar="ethiopian", year="2011", month="1", day="1")
    for _ in range(2):  # a double click
        assert client.post(CHILD_FORM, sent).status_code == 302
    child = people_of(case)[1]
    assert (child.kind, child.is_child, child.unaccompanied) == ("child", True, False)
    assert child.birth_date.open(office.room.keys) == "2018-09-11"
    assert Task.objects.get(what=family.ADDED).done_at is None
    assert AuditEvent.objects.filter(case=case).count() == Case.objects.get().version
    page = client.get(FAMILY).content.decode()
    assert "Fatou Diallo" in page
    place = f"{CHILD_FORM}/{child.pk}"
    form = hidden(client.get(f"{place}?lang=am").content.decode())
    fields = {**form, "value": "Fatoumata Diallo", "calendar": "gregorian", "year": "2018"}
    assert client.post(f"{place}?lang=en", fields).status_code == 302
    child.refresh_from_db()
    assert child.names.open(office.room.keys) == "Fatoumata Diallo"
    assert child.birth_date.open(office.room.keys) == "2018"
    assert client.post(place, fields).status_code == 302  # the same again changes nothing
    stale = client.post(place, {**fields, "value": "F. D."})
    assert stale.status_code == 409
    assert 'value="F. D."' in stale.content.decode()
    assert "Look at both" in stale.content.decode()
    # A part of a date is offered as it stands: in Amharic too, saving it loses nothing.
    again = client.get(f"{place}?lang=am").content.decode()
    assert '<option value="gregorian" selected>' in again
    assert 'name="year" inputmode="numeric" dir="ltr" value="2018"' in again
    held = client.get(f"{HOME}held?lang=en").content.decode()
    assert "Fatoumata Diallo" in held


def test_a_child_who_has_turned_18_since_can_have_a_name_put_right(
    client: Client, office: Cast
) -> None:
    before = replace(office.room, now=office.room.now - timedelta(days=400))
    born = str((office.room.now - timedelta(days=18 * 366)).date())
    case = open_for(replace(office, room=before), AMINA, replace(CHILD, birth_date=born))
    enter(client, case, office)
    child = people_of(case)[1]
    place = f"{CHILD_FORM}/{child.pk}"
    year, month, day = born.split("-")
    fields = {**hidden(client.get(place).content.decode()), "value": "Fatoumata",
              "calendar": "gregorian", "year": year, "month": month, "day": day}  # fmt: skip
    answer = client.post(place, fields)
    assert answer.status_code == 302
    assert people_of(case)[1].names.open(office.room.keys) == "Fatoumata"


def test_a_child_alone_is_refused_with_what_to_do_instead(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    answer = client.post(CHILD_FORM, typed_child(client, belongs="nobody"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "looks for a guardian first" in page
    assert 'value="CALL"' in page  # what to do instead is one button on the same page
    assert 'value="Fatou Diallo"' in page  # and nothing typed is lost
    for fields, said in (
        ({"value": " "}, "Write a name"), ({"belongs": ""}, "Say who you are to the child"),
        ({"belongs": "forged"}, "Say who you are to the child"),
        ({"year": "1990"}, "By this date they are an adult"),
        ({"year": "1970", "month": "1", "day": "1"}, "usually stands for"),
        ({"year": "2019", "month": "2", "day": "30"}, "no such day"),
    ):  # fmt: skip
        answer = client.post(CHILD_FORM, typed_child(client, **fields))
        assert answer.status_code == 409, fields
        assert said in answer.content.decode(), fields
    assert Person.objects.count() == 1
    # What is not known is written down as such, and it is a child all the same.
    assert client.post(CHILD_FORM, typed_child(client, year="", belongs="carer")).status_code == 302
    assert people_of(case)[1].is_child


def test_who_is_a_child_themselves_adds_nobody(client: Client, office: Cast) -> None:
    young = NewPerson("Musa", birth_date="2012", kind=PersonKind.APPLICANT)
    enter(client, open_for(office, young), office)
    answer = client.post(CHILD_FORM, typed_child(client))
    assert answer.status_code == 409
    assert "You are under 18" in answer.content.decode()
    assert client.post(f"{FAMILY}/invite", {"key": "i"}).status_code == 409
    assert Person.objects.count() == 1


def test_once_the_journey_is_booked_or_the_plan_was_left_nobody_is_added(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.TRAVEL))
    enter(client, case, office)
    assert "Nobody can be added now" in client.post(
        CHILD_FORM, typed_child(client)
    ).content.decode()  # fmt: skip
    assert client.post(f"{FAMILY}/invite", {"key": "i"}).status_code == 409
    other = open_for(office, AMINA, IBRAHIM)
    enter(client, other, office)
    moving.withdraw(office.room, applicant_of(other), other.pk)
    answer = client.post(CHILD_FORM, typed_child(client))
    assert "You have left the family&#x27;s plan" in answer.content.decode()


def test_nobody_is_added_or_made_an_adult_by_somebody_else(office: Cast) -> None:
    case = open_for(office, AMINA, CHILD)
    with pytest.raises(NotAllowedError, match="their own yes"):
        opening.add_person(office.room, applicant_of(case), case.pk, IBRAHIM, key=key())
    child = people_of(case)[1]
    with pytest.raises(NotAllowedError):
        opening.change_person(office.room, applicant_of(case), case.pk, child.pk, IBRAHIM)


def invite(client: Client) -> tuple[str, str]:
    form = hidden(client.get(FAMILY).content.decode())
    pages = [client.post(f"{FAMILY}/invite", form).content.decode() for _ in range(2)]
    assert CODES.findall(pages[0]) == CODES.findall(pages[1])  # a double click
    reference, code = CODES.findall(pages[0])
    return reference, code


def test_an_adult_joins_alone_and_whoever_asked_them_is_not_told(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    reference, code = invite(client)
    before = _plain(client.get(FAMILY)), _plain(client.get(f"{HOME}log"))
    other = Client()
    fields = {"reference": reference.lower(), "code": code.replace("-", " ")}
    asked = other.post("/return/join?lang=en", fields)
    page = asked.content.decode()
    assert "Do you want to be in this plan?" in page
    assert "Amina" not in page
    assert Person.objects.count() == 1  # looking is no yes
    said = {**fields, "answer": "yes", "key": hidden(page)["key"]}
    joined = other.post("/return/join", said)
    assert _plain(client.get(FAMILY)) == before[0]
    assert _plain(client.get(f"{HOME}log")) == before[1]
    _, own = CODES.findall(joined.content.decode())
    assert own != code
    mine = people_of(case)[1]
    assert (mine.kind, mine.named, mine.is_child, mine.language) == ("relative", False, None, "en")
    assert Task.objects.filter(what=family.JOINED).count() == 1
    assert AuditEvent.objects.filter(case=case).count() == Case.objects.get().version
    # They are signed in, see nobody else, and say themselves who they are.
    assert "Amina" not in other.get(f"{HOME}held").content.decode()
    assert "Amina" not in other.get(f"{HOME}my-record.json").content.decode()
    again = Client()
    assert again.post("/return/enter", {"reference": reference, "code": own}).status_code == 302
    assert again.get(HOME).status_code == 200
    # A second click of the same form shows the same code. Whoever made the invitation knows its
    # code too: they get neither the other's code nor what the answer was.
    twice = Client().post("/return/join", said)
    assert CODES.findall(twice.content.decode())[1] == own
    for answer in ({}, {"answer": "yes"}, {"answer": "yes", "key": "mine"}):
        assert Client().post("/return/join", {**fields, **answer}).status_code == 403, answer
    assert Client().post("/return/join", {**fields, "answer": "no"}).status_code == 200
    assert Person.objects.count() == 2
    Case.objects.update(code_failures=0, code_locked_until=None)
    Invitation.objects.update(used_at=datetime.now(UTC) - timedelta(minutes=3))
    assert Client().post("/return/join", said).status_code == 403
    # Counselling begins with nobody who has no name. Whoever made the invitation applies as before:
    # they are not told by a button that somebody is there.
    me = applicant_of(case)
    with pytest.raises(RefusedError, match="needs a name first"):
        moving.move(office.room, office.counsellor, case.pk, Move.APPLY)
    moving.move(office.room, me, case.pk, Move.APPLY)
    with pytest.raises(RefusedError, match="needs a name first"):
        moving.move(office.room, office.counsellor, case.pk, Move.START_COUNSELLING)


def test_an_applicant_needs_their_own_name_and_the_childrens(office: Cast) -> None:
    for people in ((NewPerson(), AMINA), (AMINA, NewPerson(kind=PersonKind.CHILD))):
        case = open_for(office, *people)
        with pytest.raises(RefusedError, match="needs a name first"):
            moving.move(office.room, applicant_of(case), case.pk, Move.APPLY)


def test_the_log_tells_of_a_child_whom_it_concerns_and_of_no_other_adult(office: Cast) -> None:
    case = open_for(office, AMINA)
    join(office, case)
    first, second = applicant_of(case), applicant_of(case, 1)
    before = looking.read_log(office.room, first)
    family.add_child(office.room, second, case.pk, NewPerson("F"), belongs=Belongs.PARENT, key="f")
    assert looking.read_log(office.room, first) == before
    told = {line.what for line in looking.read_log(office.room, second)}
    assert {"add person", "answered"} <= told


def test_no_is_kept_nowhere_and_told_to_nobody(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    reference, code = invite(client)
    before = _plain(client.get(FAMILY)), _plain(client.get(f"{HOME}log"))
    events = AuditEvent.objects.count()
    other = Client()
    other.get("/return/?lang=en")
    fields = {"reference": reference, "code": code, "answer": "no"}
    assert "Nobody is told" in other.post("/return/join", fields).content.decode()
    assert "Nobody is told" in other.post("/return/join", fields).content.decode()  # twice is once
    for answer in ({"answer": ""}, {"answer": "yes", "key": "k"}):
        assert other.post("/return/join", {**fields, **answer}).status_code == 403
    assert (_plain(client.get(FAMILY)), _plain(client.get(f"{HOME}log"))) == before
    assert Person.objects.count() == 1
    assert AuditEvent.objects.count() == events
    assert Invitation.objects.get().joined is None


def test_an_invitation_is_opened_by_whom_it_is_for_and_not_for_ever(
    client: Client, office: Cast
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    reference, code = invite(client)
    fields = {"reference": reference, "code": code, "answer": "yes", "key": "k"}
    here = client.post("/return/join", fields)
    assert here.status_code == 409
    assert "Sign out first" in here.content.decode()
    assert Client().post("/return/enter", fields).status_code == 403  # it opens no case
    for wrong in ({"code": "2222-2222-2222"}, {"reference": "K7WX-2MDQ"}, {"reference": ""}):
        assert Client().post("/return/join", {**fields, **wrong}).status_code == 403
    newer = invite(client)[1]  # an older one ends
    assert newer != code
    assert Client().post("/return/join", fields).status_code == 403
    Case.objects.update(code_failures=0, code_locked_until=None)
    Invitation.objects.update(ends_at=datetime.now(UTC) - timedelta(minutes=1))
    assert Client().post("/return/join", {**fields, "code": newer}).status_code == 403
    assert Person.objects.count() == 1


def test_wrong_invitations_pause_the_case_as_wrong_codes_do(office: Cast, client: Client) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    reference, code = invite(client)
    for _ in range(5):
        Client().post("/return/join", {"reference": reference, "code": "2222-2222-2222"})
    assert Client().post("/return/join", {"reference": reference, "code": code}).status_code == 403
    assert Case.objects.get().code_locked_until is not None


def test_an_invitation_gives_no_more_tries_at_somebodys_code(office: Cast, client: Client) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    reference, code = invite(client)
    for _ in range(4):
        Client().post("/return/enter", {"reference": reference, "code": "2222-2222-2222"})
    assert Client().post("/return/join", {"reference": reference, "code": code}).status_code == 200
    assert Case.objects.get().code_failures == 4
    Client().post("/return/enter", {"reference": reference, "code": "2222-2222-2222"})
    assert Case.objects.get().code_locked_until is not None


@pytest.mark.parametrize("over", ["answered", "replaced", "late"])
def test_an_old_form_shows_no_dead_invitation(office: Cast, client: Client, over: str) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    form = hidden(client.get(FAMILY).content.decode())
    reference, code = CODES.findall(client.post(f"{FAMILY}/invite", form).content.decode())
    if over == "answered":
        family.decline(office.room, reference, code)
    elif over == "replaced":
        invite(client)
    else:
        Invitation.objects.update(ends_at=datetime.now(UTC) - timedelta(minutes=1))
    answer = client.post(f"{FAMILY}/invite", form)
    assert answer.status_code == 409
    assert "It has ended" in answer.content.decode()
    assert code not in answer.content.decode()


def test_a_plan_that_has_gone_on_takes_nobody_in_any_more(office: Cast) -> None:
    case = open_for(office, AMINA)
    code = family.invite_adult(office.room, applicant_of(case), case.pk, key="i")
    moving.withdraw(office.room, applicant_of(case), case.pk)
    answer = Client().post("/return/join?lang=en", {
        "reference": case.reference, "code": code, "answer": "yes", "key": "k"})  # fmt: skip
    assert "Nobody can be added now" in answer.content.decode()
    assert Person.objects.count() == 1


def test_a_child_of_another_case_is_not_found(client: Client, office: Cast) -> None:
    other = open_for(office, AMINA, CHILD)
    enter(client, open_for(office, AMINA, IBRAHIM), office)
    for child in (people_of(other)[1].pk, people_of(Case.objects.latest("made_at"))[1].pk, uuid4()):
        assert client.get(f"{CHILD_FORM}/{child}").status_code == 404
        assert client.post(f"{CHILD_FORM}/{child}", {"value": "X"}).status_code == 404


def test_the_family_goes_with_the_case(office: Cast) -> None:
    from sojourn_web.cases.services import erasing

    case = open_for(office, AMINA)
    me = applicant_of(case)
    family.add_child(office.room, me, case.pk, NewPerson("F"), belongs=Belongs.PARENT, key="f")
    family.invite_adult(office.room, me, case.pk, key="i")
    moving.withdraw(office.room, me, case.pk)
    erasing.ask_erasure(office.room, me, case.pk)
    erasing.erase(office.room, office.counsellor, case.pk)
    erasing.erase(office.room, office.supervisor, case.pk)
    assert not Person.objects.exists()
    assert not Invitation.objects.exists()


def _plain(answer: object) -> str:
    page = answer.content.decode()  # type: ignore[attr-defined]
    return re.sub(r'(csrfmiddlewaretoken|key|owner)" value="[^"]*"', "", page)
