"""A form whose token is refused: nothing typed is lost, nothing of another site is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from lib.cast import Cast
from lib.desk import BACKEND, HIDDEN, case_in, client_of, fields_of, form_at
from lib.visitor import HOME, begin
from sojourn_web.cases.models import Answer, Case, MoneyLine, Note, RuleChange, Visit
from sojourn_web.cases.scanning import NoScanner
from sojourn_web.cases.services.keeping import tick
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
WORDS = "Her brother rang & asked to wait."
HERE = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"},
    {"Origin": "https://elsewhere.example"},
]  # fmt: skip
SILENT: dict[str, str] = {}  # a browser that hides where its forms come from


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def strict(actor: Actor) -> Client:
    """A browser that is signed in and whose tokens are checked."""
    client_of(actor)
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=actor.user_id), backend=BACKEND)
    return client


def sign_in_elsewhere(client: Client) -> None:
    """In another window: the browser gets another token, the open form keeps its old one."""
    client.cookies["csrftoken"] = "b" * 32


def send(client: Client, address: str, fields: dict[str, Any], **headers: str) -> Any:
    return client.post(address, fields, headers=headers or HERE)  # type: ignore[arg-type]


def test_a_note_in_a_form_that_grew_old_is_shown_and_can_be_sent(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    client = strict(cast.counsellor)
    form = form_at(client, where)
    sign_in_elsewhere(client)
    refused = send(client, where, form | {"words": WORDS})
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "no-store" in refused["Cache-Control"]
    assert "Her brother rang &amp; asked to wait." in page
    assert WORDS not in str(dict(client.session.items()))
    assert not Note.objects.exists()
    assert send(client, where, fields_of(page) | {"words": WORDS}).status_code == 302
    assert Note.objects.get().text.open(cast.room.keys) == WORDS


@pytest.mark.parametrize("headers", [*ELSEWHERE, SILENT], ids=str)
def test_what_another_site_sends_is_not_shown(cast: Cast, headers: dict[str, str]) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    client = strict(cast.counsellor)
    form = form_at(client, where) | {"words": WORDS, "csrfmiddlewaretoken": "x" * 64}
    answer = client.post(where, form, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert "Her brother" not in answer.content.decode()
    assert "Not sent" in answer.content.decode()


def test_a_colleague_s_form_is_not_given_to_who_signed_in_after_them(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    form = form_at(strict(cast.counsellor), where)
    answer = send(strict(cast.colleague), where, form | {"words": WORDS})
    assert answer.status_code == 403
    assert "Her brother" not in answer.content.decode()


def test_without_a_session_the_words_are_sealed_until_sign_in(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    client = strict(cast.counsellor)
    form = form_at(client, where)
    client.session.flush()
    del client.cookies["csrftoken"]
    answer = send(client, where, form | {"words": WORDS})
    assert (answer.status_code, answer.url) == (
        302,
        f"/accounts/login/?next={where.replace('/', '%2F')}",
    )
    assert WORDS not in str(dict(client.session.items()))
    kept = client.session["unsent"]
    client.force_login(User.objects.get(pk=cast.counsellor.user_id), backend=BACKEND)
    session = client.session
    session["unsent"] = kept  # allauth's own sign-in keeps the session's values
    session.save()
    assert "Her brother rang &amp; asked to wait." in client.get(where).content.decode()


@pytest.mark.parametrize("stamp", ["", "1", "1:forged", None])
def test_nothing_is_stored_of_a_form_that_is_not_ours(cast: Cast, stamp: str | None) -> None:
    """Anybody may send anything: only a form with our own stamp waits for its writer."""
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    sent = {"words": "x" * 100_000} | ({} if stamp is None else {"stamp": stamp})
    for client, headers in ((Client(), {}), (Client(enforce_csrf_checks=True), HERE)):
        answer = client.post(where, sent, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 302
    assert not Session.objects.exists()


def test_sessions_that_are_over_are_cleared_by_the_schedule(cast: Cast) -> None:
    for days in (-1, 1):
        then = cast.room.now + timedelta(days=days)
        Session.objects.create(session_key=f"s{days}", session_data="x", expire_date=then)
    tick(cast.room, NoScanner())
    assert [s.session_key for s in Session.objects.all()] == ["s1"]


def test_a_part_of_a_page_leads_to_the_sign_in(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    client = strict(cast.counsellor)
    form = form_at(client, f"/cases/{case.reference}/part/money")
    client.session.flush()
    answer = send(
        client, f"/cases/{case.reference}/do/money", form, **HERE, **{"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"].startswith("/accounts/login/?next=")


PART = {**HERE, "HX-Request": "true"}
LINE = {"kind": "paid", "what": "Taxi to the embassy", "amount": "12.50", "currency": "EUR"}


def test_a_part_of_an_old_page_leads_to_its_form_with_what_was_typed(cast: Cast) -> None:
    """htmx can show no page in a part of one: it is led there, and nothing is stored in clear."""
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/money"
    client = strict(cast.counsellor)
    form = form_at(client, f"/cases/{case.reference}/part/money") | LINE
    sign_in_elsewhere(client)
    answer = send(client, where, form, **PART)
    assert (answer.status_code, answer.content, answer["HX-Redirect"]) == (200, b"", where)
    assert "Taxi" not in str(dict(client.session.items()))
    assert not MoneyLine.objects.exists()
    page = client.get(where).content.decode()
    assert 'value="Taxi to the embassy"' in page
    assert 'value="12.50"' in page
    # What was kept is nobody else's, even in this browser.
    assert send(client, where, fields_of(page) | LINE).status_code == 302
    assert MoneyLine.objects.get().what == "Taxi to the embassy"
    for other in (cast.stranger, cast.auditor):
        refused = send(strict(other), where, form, **PART)
        assert "Taxi" not in refused.content.decode() + str(refused.headers)


def test_a_button_in_a_part_of_an_old_page_leads_back_to_where_it_stands(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/part/money"
    client = strict(cast.counsellor)
    client.get(where)
    sent = {"csrfmiddlewaretoken": "x" * 64, "row": str(case.pk)}
    at = {"HX-Current-URL": f"http://testserver{where}"}
    answer = send(client, f"/cases/{case.reference}/do/release-money", sent, **PART, **at)
    assert answer["HX-Redirect"] == where
    assert "press the button once more" in client.get(where).content.decode()
    elsewhere = {"HX-Current-URL": "https://elsewhere.example//evil.example/"}
    answer = send(client, f"/cases/{case.reference}/do/release-money", sent, **PART, **elsewhere)
    assert answer["HX-Redirect"] == f"/cases/{case.reference}/"


@pytest.mark.parametrize("signed_in", [True, False])
def test_hints_while_typing_say_that_the_sign_in_ended_and_take_no_page_away(
    cast: Cast, signed_in: bool
) -> None:
    client = strict(cast.counsellor)
    form = form_at(client, "/cases/new") | {"names": "Amina Diallo", "language": "fr"}
    sign_in_elsewhere(client)
    if not signed_in:
        client.session.flush()
    hint = send(client, "/cases/new/hints", form, **PART)
    assert hint.status_code == 200
    assert "HX-Redirect" not in hint
    assert "what you typed is kept" in hint.content.decode()
    assert "<html" not in hint.content.decode()
    sent = send(client, "/cases/new", form)  # the button: the form is kept
    assert not Case.objects.exists()
    if signed_in:
        assert 'value="Amina Diallo"' in sent.content.decode()
    else:
        assert sent.url == "/accounts/login/?next=%2Fcases%2Fnew"
        assert client.session["unsent"]


def test_a_form_that_goes_to_another_address_is_shown_and_sent_once_more(cast: Cast) -> None:
    client = strict(cast.supervisor)
    form = form_at(client, "/cases/keeping") | {"outcome": "withdrawn", "before": "30"}
    form["before"] = str(_days_of("withdrawn"))
    sign_in_elsewhere(client)
    refused = send(client, "/cases/keeping", form | {"days": "61", "reason": WORDS})
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "Her brother rang &amp; asked to wait." in page
    assert 'action="/cases/keeping"' in page
    assert send(client, "/cases/keeping", fields_of(page)).status_code == 302
    assert RuleChange.objects.get().days_after == 61


def test_its_words_also_wait_for_a_sign_in(cast: Cast) -> None:
    client = strict(cast.supervisor)
    form = form_at(client, "/cases/keeping") | {
        "outcome": "withdrawn",
        "days": "61",
        "reason": WORDS,
    }
    form["before"] = str(_days_of("withdrawn"))
    client.session.flush()
    answer = send(client, "/cases/keeping", form)
    assert answer.url == "/accounts/login/?next=%2Fcases%2Fkeeping"
    kept = client.session["unsent"]
    client.force_login(User.objects.get(pk=cast.supervisor.user_id), backend=BACKEND)
    session = client.session
    session["unsent"] = kept
    session.save()
    page = client.get("/cases/keeping").content.decode()
    assert "Her brother rang &amp; asked to wait." in page
    assert "Send it now" in page
    assert "How long cases are kept" in client.get("/cases/keeping").content.decode()  # once
    assert not RuleChange.objects.exists()
    assert send(client, "/cases/keeping", fields_of(page)).status_code == 302
    assert RuleChange.objects.get().reason == WORDS


def _days_of(outcome: str) -> int:
    from sojourn_web.cases.services.keeping import kept_for

    return next(k.days for k in kept_for() if k.outcome == outcome)


def test_a_button_alone_does_nothing_and_says_so(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    client = strict(cast.counsellor)
    client.get(f"/cases/{case.reference}/")
    answer = send(client, f"/cases/{case.reference}/withdraw", {"csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    assert f'href="/cases/{case.reference}/"' in answer.content.decode()
    assert Case.objects.get(pk=case.pk).state == State.COUNSELLING


@pytest.fixture
def visitor(cast: Cast) -> Client:
    """A person in their own case, in a browser whose tokens are checked."""
    plain, client = Client(), Client(enforce_csrf_checks=True)
    begin(plain, cast)
    client.cookies = plain.cookies
    return client


WHY = f"{HOME}ask/wishes/why"


def test_an_answer_in_a_page_that_grew_old_is_shown_and_can_be_saved(
    cast: Cast, visitor: Client
) -> None:
    form = first_form_at(visitor, WHY)
    sign_in_elsewhere(visitor)
    refused = send(visitor, WHY, form | {"value": WORDS})
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "no-store" in refused["Cache-Control"]
    assert "Her brother rang &amp; asked to wait." in page
    assert "not saved yet" in page
    assert not Answer.objects.exists()
    assert send(visitor, WHY, first_form(page) | {"value": WORDS}).status_code == 302
    assert Answer.objects.get().value.open(cast.room.keys) == WORDS


def test_an_ended_visit_and_an_old_page_lose_nothing(cast: Cast, visitor: Client) -> None:
    form = first_form_at(visitor, WHY)
    Visit.objects.update(seen_at=datetime.now(UTC) - timedelta(hours=1))
    sign_in_elsewhere(visitor)
    refused = send(visitor, WHY, form | {"value": WORDS})
    page = refused.content.decode()
    assert "Her brother" not in page
    assert first_form(page)["kept"]
    assert "What you typed is kept" in page


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_an_answer_from_another_site_is_not_shown(
    cast: Cast, visitor: Client, headers: dict[str, str]
) -> None:
    form = first_form_at(visitor, WHY) | {"csrfmiddlewaretoken": "x" * 64, "value": WORDS}
    answer = visitor.post(WHY, form, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert "Her brother" not in answer.content.decode()


def test_another_person_s_answer_is_not_shown(cast: Cast, visitor: Client) -> None:
    form = first_form_at(visitor, WHY)
    plain, other = Client(), Client(enforce_csrf_checks=True)
    begin(plain, cast)
    other.cookies = plain.cookies
    refused = send(other, WHY, form | {"value": WORDS})
    assert refused.status_code == 403
    assert "Her brother" not in refused.content.decode()


def test_a_form_that_another_opened_on_the_same_telephone_is_not_saved_into_ones_own_case(
    cast: Cast, visitor: Client
) -> None:
    """What the first typed is kept for them alone, behind their own code."""
    form = first_form_at(visitor, WHY)
    second = Client()  # in the same browser the token would be good
    begin(second, cast)
    refused = second.post(WHY, form | {"value": WORDS})
    page = refused.content.decode()
    assert refused.status_code == 403
    assert first_form(page)["kept"]
    assert "Her brother" not in page
    assert not Answer.objects.exists()


def test_buttons_of_an_old_page_withdraw_nobody_and_stand_on_the_page_again(
    cast: Cast, visitor: Client
) -> None:
    form = first_form_at(visitor, HOME)
    sign_in_elsewhere(visitor)
    refused = send(visitor, f"{HOME}withdraw", form)
    page = refused.content.decode()
    assert refused.status_code == 403
    assert f'action="{HOME}withdraw"' in page
    assert "not saved yet" in page
    assert Case.objects.get().state == State.ENQUIRY
    assert send(visitor, f"{HOME}withdraw", first_form(page)).status_code == 200
    assert Case.objects.get().state == State.WITHDRAWN


def test_coming_back_and_signing_out_with_an_old_page(cast: Cast, visitor: Client) -> None:
    visitor.get("/return/enter")
    old = {"csrfmiddlewaretoken": "x" * 64, "reference": "K7WX-2MDQ", "code": "2222-2222-2222"}
    page = send(visitor, "/return/enter", old)
    assert page.status_code == 403
    assert 'value="K7WX-2MDQ"' in page.content.decode()
    assert "2222-2222-2222" not in page.content.decode()
    assert send(visitor, "/return/begin", old).status_code == 403
    assert send(visitor, "/return/sign-out", old).status_code == 302
    assert Visit.objects.get().ended_at is not None


def first_form_at(client: Client, address: str) -> dict[str, str]:
    return first_form(client.get(address).content.decode())


def first_form(page: str) -> dict[str, str]:
    """The first of a name counts: the page's own form stands before the others."""
    found: dict[str, str] = {}
    for name, value in HIDDEN.findall(page):
        found.setdefault(name, unescape(value))
    return found
