"""Forms of the person's pages that Django's check refuses: always a page of theirs, never staff's.

A browser that sends neither Origin nor Referer nor Sec-Fetch-Site is refused over https whatever
it sends. It is told what to do, and keeps what was typed where the form shows whose it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from lib.cast import Cast
from lib.visitor import HOME, begin, hidden
from sojourn_web.cases.models import Answer, Case, Visit
from sojourn_web.cases.states import State

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
WHY = f"{HOME}ask/wishes/why"
WORDS = "Her brother rang & asked to wait."
TYPED = "Her brother rang &amp; asked to wait."
WHAT_TO_DO = "use another browser"


@pytest.fixture
def visitor(office: Cast) -> Client:
    plain, client = Client(), Client(enforce_csrf_checks=True)
    begin(plain, office)
    client.cookies = plain.cookies
    return client


def send(client: Client, address: str, fields: dict[str, str], **headers: str) -> Any:
    return client.post(address, fields, secure=True, headers=headers)  # type: ignore[arg-type]


def is_theirs(answer: Any, language: str = "en") -> str:
    """The person's own layout, in their language, with the way out."""
    page: str = answer.content.decode()
    assert f'<html lang="{language}"' in page
    assert "data-leave" in page
    assert "Back to figures" not in page
    return page


def test_a_browser_that_hides_it_is_told_and_loses_nothing(visitor: Client) -> None:
    form = hidden(visitor.get(WHY).content.decode())
    answer = send(visitor, WHY, form | {"value": WORDS})
    page = is_theirs(answer)
    assert answer.status_code == 403
    assert WHAT_TO_DO in page
    assert TYPED in page
    assert not Answer.objects.exists()


def test_without_the_owner_of_the_form_nothing_typed_is_shown(visitor: Client) -> None:
    for owner in ("", "forged"):
        answer = send(visitor, WHY, {"owner": owner, "value": WORDS})
        page = is_theirs(answer)
        assert answer.status_code == 403
        assert WHAT_TO_DO in page
        assert "Her brother" not in page


def test_after_the_visit_has_ended_it_is_sealed(visitor: Client) -> None:
    form = hidden(visitor.get(WHY).content.decode())
    Visit.objects.update(seen_at=datetime.now(UTC) - timedelta(hours=1))
    page = is_theirs(send(visitor, WHY, form | {"value": WORDS}))
    assert "Her brother" not in page
    assert hidden(page)["kept"]
    assert WHAT_TO_DO in page


@pytest.mark.parametrize("place", ["enter", "begin", "join"])
def test_pages_without_a_visit_too(place: str, client: Client, office: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = send(client, f"/return/{place}?lang=fr", {"reference": "K7WX-2MDQ", "code": "2"})
    page = is_theirs(answer, "fr")
    assert answer.status_code == 403
    assert Case.objects.count() == 0
    assert 'role="alert"' in page


def test_withdrawing_does_nothing_and_stands_there_again(visitor: Client) -> None:
    form = hidden(visitor.get(HOME).content.decode())
    page = is_theirs(send(visitor, f"{HOME}withdraw", form))
    assert WHAT_TO_DO in page
    assert f'action="{HOME}withdraw"' in page
    assert Case.objects.get().state == State.ENQUIRY


def test_signing_out_always_works(visitor: Client) -> None:
    assert send(visitor, "/return/sign-out", {}).status_code == 302
    assert Visit.objects.get().ended_at is not None


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Referer": "https://other.example/"}],
    ids=str,
)
def test_another_site_gets_a_page_of_theirs_that_shows_nothing(
    visitor: Client, headers: dict[str, str]
) -> None:
    form = hidden(visitor.get(f"{WHY}?lang=ar").content.decode())
    answer = send(visitor, WHY, form | {"value": WORDS}, **headers)
    page = is_theirs(answer, "ar")
    assert answer.status_code == 403
    assert "Her brother" not in page
    assert f'href="{HOME}"' in page


@pytest.mark.parametrize("address", ["/return/nowhere", f"{HOME}nowhere", f"{HOME}ask/no/such"])
def test_an_address_that_there_is_not_is_a_page_of_theirs(client: Client, address: str) -> None:
    client.get("/return/?lang=fa")
    answer = client.get(address)
    assert answer.status_code in (302, 404)
    if answer.status_code == 404:
        is_theirs(answer, "fa")
    assert client.get("/nowhere").content.decode().count("Page not found")


def test_an_address_without_its_last_stroke_leads_to_the_page(client: Client) -> None:
    assert client.get("/return").url == "/return/"


def test_a_page_that_fails_is_theirs_and_says_that_nothing_is_lost(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("sojourn_web.cases.applicant.views_case.make_home", fails)
    visitor.raise_request_exception = False
    answer = visitor.get(HOME)
    assert answer.status_code == 500
    assert "Nothing is lost" in is_theirs(answer)
