"""Who left a family's plan and comes back: when they may, and what of the time out they read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from lib.cast import AMINA, CHILD, IBRAHIM, Cast, applicant_of, key, open_for, people_of, plan
from lib.visitor import HOME, desk_of, enter
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.models import Case
from sojourn_web.cases.scanning import Verdict
from sojourn_web.cases.services import consents, files, looking, moving, sharing, travel
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import DocumentKind, Holder, Purpose

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer\n%%EOF\n"


class Clean:
    def scan(self, content: bytes) -> Verdict:
        return Verdict.CLEAN


def later(office: Cast, hours: int) -> Cast:
    return office.at(office.room.now + timedelta(hours=hours))


def left(office: Cast, state: State = State.DOCUMENTS) -> Case:
    """A family of which the mother has left the plan an hour after now."""
    case = open_for(office, AMINA, IBRAHIM, CHILD)
    bring_to(office.room, desk_of(office), case.pk, Wish(state))
    moving.withdraw(later(office, 1).room, applicant_of(case), case.pk)
    return Case.objects.get(pk=case.pk)


def come_back(office: Cast, case: Case) -> None:
    moving.rejoin_plan(office.room, applicant_of(case), case.pk, people_of(case)[0].pk)


def test_nobody_comes_back_alone_into_a_journey_that_is_planned(office: Cast) -> None:
    """Else the journey would wait for consents that nobody can give any more."""
    case = left(office)
    after = later(office, 2)
    plan(after, case, after.room.now + timedelta(days=20))
    with pytest.raises(RefusedError, match="Ask to be called"):
        come_back(after, case)
    assert people_of(case)[0].left_plan_at is not None
    moving.rejoin_plan(after.room, office.counsellor, case.pk, people_of(case)[0].pk)
    assert people_of(case)[0].left_plan_at is None


@pytest.mark.parametrize("state", [s for s in State if s not in (
    State.ENQUIRY, State.APPLICATION, State.COUNSELLING, State.SAFEGUARDS, State.CONSENT,
    State.DOCUMENTS)])  # fmt: skip
def test_nobody_comes_back_alone_once_it_is_booked_or_over(office: Cast, state: State) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    moving.withdraw(office.room, applicant_of(case), case.pk)
    Case.objects.filter(pk=case.pk).update(state=state)
    with pytest.raises(RefusedError, match="Ask to be called"):
        come_back(later(office, 1), case)
    assert people_of(case)[0].left_plan_at is not None


def test_what_went_on_while_they_were_out_stays_closed_after_they_come_back(
    office: Cast, client: Client
) -> None:
    case = left(office)
    before = {x.what for x in looking.read_log(office.room, applicant_of(case))}
    after = later(office, 2)
    plan(after, case, after.room.now + timedelta(days=20))
    looking.look(after.room, office.counsellor, case.pk, "a form: plan a journey")
    moving.move(after.room, office.counsellor, case.pk, Move.RECONSIDER)
    come_back(later(office, 3), case)
    looking.look(later(office, 4).room, office.counsellor, case.pk, "a form: a task")
    mine = [x.what for x in looking.read_log(office.room, applicant_of(case))]
    assert mine[:4] == ["opened a form: a task", "rejoin plan", "opened the case's page",
                        "leave plan"]  # fmt: skip
    assert set(mine[4:]) <= before
    held = {h.table for h in looking.what_is_held(office.room, applicant_of(case))}
    assert "journey" not in held
    assert {"person", "consent", "checklist item"} <= held
    theirs = {x.what for x in looking.read_log(office.room, applicant_of(case, 1))}
    assert {"planned a journey", "reconsider", "opened a form: plan a journey"} <= theirs
    enter(client, case, later(office, 5))
    for place in ("", "log", "held", "my-record.json"):
        page = client.get(f"{HOME}{place}").content.decode()
        for word in ("planned a journey", "Back to counselling", "SN 241"):
            assert word not in page, (place, word)


def test_coming_back_when_nobody_has_left_changes_nothing(office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    moving.rejoin_plan(office.room, applicant_of(case), case.pk, people_of(case)[0].pk)
    assert "rejoin plan" not in [
        x.what for x in looking.read_log(office.room, applicant_of(case))
    ]  # fmt: skip


def test_reasons_of_looks_are_not_told_to_who_is_out(office: Cast) -> None:
    case = left(office)
    why = "The hospital in Conakry called about him."
    after = later(office, 2)
    looking.break_glass(after.room, office.stranger, case.reference, reason=why)
    looking.look(after.room, office.stranger, case.pk)
    consents.give_consent(
        after.room, applicant_of(case, 1), case.pk, people_of(case)[1].pk, Purpose.TRANSFER,
        declaration_id=office.wordings[Purpose.TRANSFER].pk, language="en", key=key(),
    )  # fmt: skip
    moved = "His brother lives in Lisbon."
    sharing.request_transfer(
        after.room, office.counsellor, case.pk, office.other_office.pk, reason=moved, key=key()
    )
    mine = [(x.what, x.reason) for x in looking.read_log(office.room, applicant_of(case))]
    assert ("break glass", why) in mine
    assert ("opened from another office", why) in mine
    assert ("opened the case's page", "") in mine
    assert ("opened the case's page", why) not in mine
    assert ("asked for a transfer", "") in mine
    theirs = [(x.what, x.reason) for x in looking.read_log(office.room, applicant_of(case, 1))]
    assert {("opened the case's page", why), ("asked for a transfer", moved)} <= set(theirs)


def test_files_of_the_children_that_came_later_are_not_theirs(office: Cast, client: Client) -> None:
    case = open_for(office, AMINA, IBRAHIM, CHILD)
    child = people_of(case)[2].pk

    def send(cast: Cast, name: str) -> object:
        return files.hand_in(
            cast.room, cast.counsellor, case.pk, PDF, Clean(), name=name, kind="letter",
            key=key(), person_id=child,
        ).row_id  # fmt: skip

    old = send(office, "birth.pdf")
    moving.withdraw(later(office, 1).room, applicant_of(case), case.pk)
    new = send(later(office, 2), "visa.pdf")
    names = [x.name for x in files.list_files(office.room, applicant_of(case), case.pk)]
    assert names == ["birth.pdf"]
    with pytest.raises(NotVisibleError):
        files.open_file(office.room, applicant_of(case), case.pk, new)  # type: ignore[arg-type]
    enter(client, case, office)
    assert client.get(f"{HOME}files/{old}").status_code == 200
    assert client.get(f"{HOME}files/{new}").status_code == 404
    come_back(later(office, 3), case)
    assert len(files.list_files(office.room, applicant_of(case), case.pk)) == 2


def test_their_first_page_does_not_tell_that_the_others_ended_it(
    office: Cast, client: Client
) -> None:
    case = left(office, State.COUNSELLING)
    mother, _, child = people_of(case)
    papers = [
        travel.add_document(
            office.room, office.counsellor, case.pk, each.pk, DocumentKind.PASSPORT,
            number=f"O{each.pk.hex[:8]}", country="GIN", expires_on=date(2031, 1, 1), key=key(),
            holder=Holder.OFFICE,
        ).row_id
        for each in (mother, child)
    ]  # fmt: skip
    said = "It must give it back to you today"
    enter(client, case, office)
    assert said in client.get(HOME).content.decode()  # her own, asked back as she has left
    assert papers[0] is not None
    travel.keep_document(office.room, office.counsellor, case.pk, papers[0], Holder.PERSON)
    moving.withdraw(later(office, 2).room, applicant_of(case, 1), case.pk)
    assert Case.objects.get(pk=case.pk).state == State.WITHDRAWN
    assert said not in client.get(HOME).content.decode()
    father = Client()
    enter(father, case, office, 1)
    assert said in father.get(HOME).content.decode()
