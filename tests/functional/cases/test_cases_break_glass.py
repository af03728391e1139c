"""What an account of another office may do behind broken glass: see and write, never stand in.

The cast: Amina, who reads all of it; her counsellor; a counsellor of another office, who breaks
the glass; the auditor, who sees that it was broken.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import Cast, applicant_of, key, people_of
from lib.desk import case_in, cast_of_today, client_of, trail_is_whole
from sojourn_web.cases.errors import NotAllowedError, RefusedError
from sojourn_web.cases.models import AccessCode, Case, Document, Grant, MoneyLine
from sojourn_web.cases.services import looking, opening, travel
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import ALLOWED, WITH_GRANT, Action, may, visible_to
from sojourn_web.cases.vocabulary import DocumentKind, Holder, Who

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
WHY = "She stands in front of me tonight."


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


@pytest.fixture
def case(cast: Cast) -> Case:
    found = case_in(cast, State.COUNSELLING)
    looking.break_glass(cast.room, cast.stranger, found.reference, reason=WHY)
    return found


def test_nobody_gets_a_code_of_the_person_by_breaking_the_glass(cast: Cast, case: Case) -> None:
    """A code would let them in as the person, and for longer than three hours."""
    amina = people_of(case)[0]
    before = list(AccessCode.objects.values_list("pk", "revoked_at"))
    with pytest.raises(NotAllowedError):
        opening.issue_code(cast.room, cast.stranger, case.pk, amina.pk, key=key())
    there = client_of(cast.stranger)
    where = f"/cases/{case.reference}/do/code"
    assert there.post(where, {"person": amina.pk, "key": key()}).status_code == 403
    assert list(AccessCode.objects.values_list("pk", "revoked_at")) == before
    assert client_of(cast.auditor).post(where, {"person": amina.pk}).status_code == 403
    mine = client_of(cast.counsellor).post(where, {"person": amina.pk, "key": key()})
    assert mine.status_code == 302
    log = looking.read_log(cast.room, applicant_of(case))
    assert "issue code" in [line.what for line in log]


def test_money_is_the_office_s_own(cast: Cast, case: Case) -> None:
    paid = {"kind": "paid", "what": "taxi", "amount": "10", "currency": "EUR"}
    where = f"/cases/{case.reference}/do/money"
    assert client_of(cast.stranger).post(where, paid | {"key": key()}).status_code == 403
    assert not MoneyLine.objects.exists()
    assert client_of(cast.counsellor).post(where, paid | {"key": key()}).status_code == 302


def test_that_a_passport_was_handed_back_is_said_by_who_keeps_it(cast: Cast, case: Case) -> None:
    paper = travel.add_document(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
        number="GX 778 1203", country="GIN", key=key(), holder=Holder.OFFICE,
        expires_on=cast.room.now.date() + timedelta(days=900),
    )  # fmt: skip
    where = f"/cases/{case.reference}/do/keep-document"
    back = {"row": paper.row_id, "holder": "person"}
    for other in (cast.stranger, cast.auditor):
        assert client_of(other).post(where, back | {"key": key()}).status_code == 403
    assert Document.objects.get().holder == Holder.OFFICE
    assert client_of(cast.counsellor).post(where, back | {"key": key()}).status_code == 302
    assert Document.objects.get().handed_back_at


def test_the_page_offers_only_what_may_be_done(cast: Cast, case: Case) -> None:
    there, mine = client_of(cast.stranger), client_of(cast.counsellor)
    for part, offered in {"": ("New code", "Give to a colleague", ">Change<"),
                          "part/money": ("Add a line",)}.items():  # fmt: skip
        theirs = there.get(f"/cases/{case.reference}/{part}").content.decode()
        ours = mine.get(f"/cases/{case.reference}/{part}").content.decode()
        for words in offered:
            assert words in ours
            assert words not in theirs
        assert "Open to you by break-glass" in theirs


def test_a_second_click_breaks_it_once(cast: Cast, case: Case) -> None:
    client = client_of(cast.stranger)
    page = client.get("/cases/break-glass").content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    for _ in range(2):
        sent = client.post("/cases/break-glass", hidden | {"reference": case.reference,
                                                           "reason": WHY})  # fmt: skip
        assert sent.status_code == 302
    assert Grant.objects.filter(case=case, user_id=cast.stranger.user_id).count() == 1
    log = looking.read_log(cast.room, applicant_of(case))
    assert [line.what for line in log].count("break glass") == 1
    assert trail_is_whole(case)


def test_what_a_grant_opens_is_written_down_and_nothing_more(cast: Cast, case: Case) -> None:
    opened = {a for a in Action if may(cast.stranger, a, case)}
    assert opened == {a for a in WITH_GRANT if Who.COUNSELLOR in ALLOWED[a]}
    assert opened.isdisjoint(
        {
            Action.CODE,
            Action.MONEY,
            Action.MOVE,
            Action.CONSENT,
            Action.ERASE,
            Action.ASK_ERASURE,
            Action.SHARE,
            Action.CONFIRM,
            Action.LETTER,
            Action.PAPERS,
        }
    )


def test_where_counsellors_see_their_own_alone_a_colleague_breaks_it_too(cast: Cast) -> None:
    """And then sees and writes as anybody from elsewhere would; at home nothing is broken."""
    found = case_in(cast, State.COUNSELLING)
    with pytest.raises(RefusedError, match="open to you without it"):
        looking.break_glass(cast.room, cast.colleague, found.reference, reason=WHY)
    cast.office.caseload_only = True
    cast.office.save()
    assert not visible_to(cast.colleague, cast.room.now).filter(pk=found.pk).exists()
    looking.break_glass(cast.room, cast.colleague, found.reference, reason=WHY)
    looking.look(cast.room, cast.colleague, found.pk)
    log = looking.read_log(cast.room, applicant_of(found))
    assert [line.reason for line in log if line.who == "Ben"].count(WHY) == 3
    assert may(cast.colleague, Action.WORK, found)
    for action in (Action.MOVE, Action.CODE, Action.ERASE, Action.CONSENT, Action.SHARE):
        assert not may(cast.colleague, action, found)
        assert may(cast.counsellor, action, found)
        assert may(cast.supervisor, action, found)
        assert not may(cast.stranger, action, found)
    page = client_of(cast.colleague).get(f"/cases/{found.reference}/").content.decode()
    assert "Open to you by break-glass" in page
