"""How often: tokens of the API, wrong tokens, sign-in, codes of people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from lib.cast import Cast, open_for
from sojourn_web.cases import api
from sojourn_web.cases.limits import Rate, TooManyError, count, read_rate
from sojourn_web.cases.models import Case
from sojourn_web.cases.services import tokens
from sojourn_web.cases.services.tokens import Scope

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
MINUTE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def token_of(cast: Cast, name: str = "Booking desk") -> str:
    return tokens.make_token(cast.room, cast.supervisor, name, frozenset(Scope))


def get(place: str, token: str, **headers: str) -> Any:
    return Client().get(
        f"/api/cases/v1/{place}", headers={"Authorization": f"Bearer {token}", **headers}
    )


def test_a_window_is_full_then_a_new_one_begins() -> None:
    rate = Rate(3, 60)
    for second in (0, 1, 2):
        count("x", "token", rate, MINUTE.replace(second=second))
    with pytest.raises(TooManyError) as full:
        count("x", "token", rate, MINUTE.replace(second=48))
    assert full.value.wait == 12
    count("x", "another", rate, MINUTE.replace(second=48))
    count("y", "token", rate, MINUTE.replace(second=48))
    count("x", "token", rate, MINUTE.replace(minute=1))


@pytest.mark.parametrize("text", ["", "120", "m", "0/m", "-1/m", "1.5/m", "120/w", "many/m"])
def test_a_rate_that_is_none_says_what_was_expected(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="120/m"):
        read_rate(text)
    assert read_rate(" 7/h ") == Rate(7, 3600)


def test_a_token_waits_and_another_one_does_not(cast: Cast, settings: Settings) -> None:
    settings.CASES_API_RATE = "3/h"
    case, token, other = open_for(cast), token_of(cast), token_of(cast, "Other")
    place = f"cases/{case.reference}"
    assert [get(place, token).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = get(place, token)
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Cache-Control"] == "no-store"
    body = refused.json()
    assert (body["title"], body["status"]) == ("Too many requests", 429)
    assert "wait" in body["reasons"][0]
    assert get(place, other).status_code == 200


def test_what_is_refused_by_the_rate_is_not_done_and_bodies_that_are_wrong_count(
    cast: Cast, settings: Settings
) -> None:
    settings.CASES_API_RATE = "2/h"
    token = token_of(cast)

    def post(body: object, key: str) -> Any:
        return Client().post(
            "/api/cases/v1/enquiries", body, "application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )  # fmt: skip

    assert post({}, "order-0001").status_code == 422
    fine = {"language": "fr", "people": [{"names": "Amina Diallo"}]}
    assert post(fine, "order-0002").status_code == 201
    assert post(fine, "order-0003").status_code == 429
    assert Case.objects.count() == 1
    cache.clear()
    assert post(fine, "order-0003").status_code == 201


def test_counts_have_a_rate_of_their_own(cast: Cast, settings: Settings) -> None:
    settings.CASES_API_COUNTS_RATE = "1/h"
    token = token_of(cast)
    assert [get("counts", token).status_code for _ in range(2)] == [200, 429]
    assert get(f"cases/{open_for(cast).reference}", token).status_code == 200


def test_wrong_tokens_from_one_address_are_limited_and_a_right_one_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A minute of the clock may end among these; a day seldom does.
    monkeypatch.setattr(api, "WRONG_TOKENS", replace(api.WRONG_TOKENS, seconds=86_400))
    token = token_of(cast)
    found = [get("counts", f"sojourn-cases-{n}").status_code for n in range(31)]
    assert found == [401] * 30 + [429]
    assert get("counts", token).status_code == 200


def test_the_api_s_description_tells_of_it(client: Client) -> None:
    told = client.get("/api/cases/v1/openapi.json").json()
    assert "Retry-After" in told["info"]["description"]
    operations = [o for path in told["paths"].values() for o in path.values()]
    assert len(operations) == 5
    for operation in operations:
        assert operation["responses"]["429"]["headers"]["Retry-After"]["schema"] == {
            "type": "integer"
        }
        assert "application/problem+json" in operation["responses"]["429"]["content"]


def test_signing_in_is_limited_for_a_name_and_says_how_long_to_wait(client: Client) -> None:
    User.objects.create_user("ana", password="correct horse battery")
    wrong = {"login": "ana", "password": "wrong"}
    found = [client.post("/accounts/login/", wrong) for _ in range(6)]
    assert [a.status_code for a in found[:5]] == [200] * 5
    assert "Too many" in found[5].content.decode()
    right = {"login": "ana", "password": "correct horse battery"}
    assert client.post("/accounts/login/", right).status_code != 302


def test_signing_in_is_limited_for_an_address(client: Client) -> None:
    found = [
        client.post("/accounts/login/", {"login": f"n{n}", "password": "x"}) for n in range(31)
    ]
    last = found[-1]
    assert last.status_code == 429
    assert last["Retry-After"] == "300"
    assert "Wait five minutes" in last.content.decode()
