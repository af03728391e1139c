"""Who sees which page, what pages say, and what they never say."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from pytest_django.fixtures import Settings

from sojourn.pipeline import Office
from sojourn_web.accounts.installation import DemoRefusedError, is_demo, make_person, settle_kind
from sojourn_web.accounts.models import Kind
from sojourn_web.accounts.roles import Role

FIGURES = ("/", "/measures", "/sources", "/how-sure", "/live/cells", "/estimates",
           "/live/estimates")  # fmt: skip
OPERATIONS = ("/runs/", "/runs/rejects", "/runs/feeds")


@pytest.mark.django_db
def test_nobody_sees_more_than_what_is_published_without_signing_in(
    client: Client, no_statistics: None
) -> None:
    assert b"Nothing has been released yet" in client.get("/").content
    for page in (*FIGURES[1:], *OPERATIONS, "/runs/release"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
    assert client.get("/live/events").status_code == 401


@pytest.mark.django_db
def test_each_role_sees_its_own_pages(
    client: Client, analyst: AbstractBaseUser, operator: AbstractBaseUser,
    stranger: AbstractBaseUser, no_statistics: None,
) -> None:  # fmt: skip
    expected = {analyst: (200, 403), operator: (200, 200), stranger: (403, 403)}
    for person, (figures, operations) in expected.items():
        client.force_login(person, backend="sojourn_web.accounts.backends.OfficeBackend")
        assert {client.get(page).status_code for page in FIGURES[1:]} == {figures}
        live = b"Departures, as they are recorded" in client.get("/").content
        assert live == (figures == 200)
        assert {client.get(page).status_code for page in OPERATIONS} == {operations}


def test_pages_work_before_the_first_file(
    client: Client, operator: AbstractBaseUser, no_statistics: None
) -> None:
    client.force_login(operator, backend="sojourn_web.accounts.backends.OfficeBackend")
    assert b"No file has been taken in yet" in client.get("/").content
    assert b"No cells yet" in client.get("/measures").content
    assert b"No estimates yet" in client.get("/estimates").content
    assert b"Not counted yet" in client.get("/how-sure").content


def test_the_dashboard_shows_totals_chart_table_and_freshness(
    client: Client, analyst: AbstractBaseUser, statistics: Office
) -> None:
    client.force_login(analyst, backend="sojourn_web.accounts.backends.OfficeBackend")
    page = client.get("/").content.decode()
    with statistics.open_ledger() as ledger:
        today = statistics.clock().date()
        totals = {n: v for d, n, v in ledger.totals().iter_rows() if d == today}
    shown = dict(re.findall(r'data-total="(\w+)">([\d,]+)<', page))
    assert int(shown["departures"].replace(",", "")) == totals.get("departures", 0)
    assert int(shown["arrivals"].replace(",", "")) == totals.get("arrivals", 0)
    assert "The same as a table" in page
    assert "booth-air" in page
    assert "is not" in page


def test_small_cells_are_hidden_on_every_page(
    client: Client, analyst: AbstractBaseUser, statistics: Office
) -> None:
    client.force_login(analyst, backend="sojourn_web.accounts.backends.OfficeBackend")
    pages = ["/", "/live/cells"]
    pages += [f"/measures?span={s}&by={b}" for s in ("day", "month", "year")
              for b in ("nationality", "mode", "admission_class", "total")]  # fmt: skip
    cell = re.compile(r'<td class="govuk-table__cell govuk-table__cell--numeric[^"]*">([^<]*)</td>')
    seen = 0
    for address in pages[1:]:
        for value in cell.findall(client.get(address).content.decode()):
            seen += 1
            assert value == "hidden" or int(value.replace(",", "")) >= 10
    assert seen > 100


def test_nothing_on_any_page_is_about_one_stay(
    client: Client, operator: AbstractBaseUser, statistics: Office
) -> None:
    client.force_login(operator, backend="sojourn_web.accounts.backends.OfficeBackend")
    with statistics.open_ledger() as ledger:
        refs = {r.hex() for r in ledger.stays()["arrival_ref"].drop_nulls()}
    for address in (*FIGURES, *OPERATIONS):
        text = client.get(address).content.decode()
        assert not [r for r in refs if r in text or r[:16] in text]
        assert "match_weight" not in text


def test_every_answer_carries_a_strict_policy(client: Client, no_statistics: None) -> None:
    answer = client.get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    body = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", body)
    assert not re.search(r"\sstyle=|\son\w+=", body)


@pytest.mark.django_db
def test_nobody_can_sign_up(client: Client) -> None:
    page = client.get("/accounts/signup/").content.decode()
    assert "<form" not in page.split("<main")[1]


@pytest.mark.django_db
def test_demo_people_can_sign_in_in_a_demo_alone(client: Client, settings: Settings) -> None:
    settings.DEMO = True
    settle_kind(Kind.DEMO)
    assert is_demo()
    make_person("analyst", "printed-by-the-demo", Role.ANALYST, demo=True)
    assert client.login(username="analyst", password="printed-by-the-demo")
    # The same database, copied to an office: neither a new sign-in nor the session goes on.
    settings.DEMO = False
    assert client.get("/measures").status_code == 302
    assert not client.login(username="analyst", password="printed-by-the-demo")
    with pytest.raises(DemoRefusedError):
        make_person("second", "printed-by-the-demo", Role.ANALYST, demo=True)


@pytest.mark.django_db
def test_a_demo_is_refused_on_an_office_database(settings: Settings) -> None:
    settle_kind(Kind.OFFICE)
    with pytest.raises(DemoRefusedError):
        settle_kind(Kind.DEMO)
    settings.DEMO = True
    assert not is_demo()


def test_production_refuses_to_start_without_its_own_secret_or_as_a_demo() -> None:
    import os
    import subprocess
    import sys

    base = {k: v for k, v in os.environ.items() if not k.startswith("SOJOURN_")}
    command = [sys.executable, "-c", "import sojourn_web.settings"]
    for extra in ({}, {"SOJOURN_SECRET_KEY": "x" * 50, "SOJOURN_DEMO": "1"}):
        done = subprocess.run(
            command, env={**base, "SOJOURN_PRODUCTION": "1", **extra}, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode != 0
        assert "ImproperlyConfigured" in done.stderr
