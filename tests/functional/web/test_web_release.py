"""Stewards: who may release, two people for each, what it costs, how it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from sqlalchemy import create_engine, text

from lib.offices import small_office
from lib.published import Country
from sojourn.errors import PrivacyError
from sojourn.pipeline import Office
from sojourn_web import demo
from sojourn_web.figures import release_plan
from sojourn_web.figures.models import Announcement
from sojourn_web.hosting import release_next
from sojourn_web.runs import release_requests
from sojourn_web.runs.models import ReleaseRequest, ReleaseStep, State
from sojourn_web.runs.release_requests import LONGEST, MOVES, RequestRefusedError

pytestmark = pytest.mark.django_db
Signed = Callable[[AbstractBaseUser], Client]


@pytest.fixture
def signed(client: Client) -> Signed:
    def sign(person: AbstractBaseUser) -> Client:
        client.force_login(person, backend="sojourn_web.accounts.backends.OfficeBackend")
        return client

    return sign


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return small_office(tmp_path / "office")


def day(after: int) -> date:
    """From today, as it is now: midnight may pass while tests run."""
    return datetime.now(UTC).date() + timedelta(days=after)


def asked(by: AbstractBaseUser, state: State = State.ASKED, **more: object) -> ReleaseRequest:
    return ReleaseRequest.objects.create(through=day(-1), asked_by=by, state=state, **more)


def test_stewards_alone_see_the_page_and_can_do_what_is_on_it(
    client: Client, analyst: User, operator: User, stranger: User, steward: User,
    no_statistics: None,
) -> None:  # fmt: skip
    request = asked(operator)
    places = ["/runs/release/announce", f"/runs/release/{request.pk}/approve"]
    for person, expected in ((analyst, 403), (operator, 403), (stranger, 403)):
        client.force_login(person, backend="sojourn_web.accounts.backends.OfficeBackend")
        assert client.get("/runs/release").status_code == expected
        assert [client.post(p).status_code for p in places] == [expected, expected]
    request.refresh_from_db()
    assert request.state == State.ASKED
    client.force_login(steward, backend="sojourn_web.accounts.backends.OfficeBackend")
    assert client.get("/runs/release").status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/runs/").status_code == 403
    assert client.get(places[1]).status_code == 405


def test_two_people_release_and_every_step_is_in_the_log(
    signed: Signed, steward: User, second_steward: User, no_statistics: None, office: Office
) -> None:
    yesterday = day(-1)
    page = signed(steward).post("/runs/release", {"through": yesterday}, follow=True)
    assert b"Somebody else has to approve it" in page.content
    request = ReleaseRequest.objects.get()
    own = signed(steward).post(f"/runs/release/{request.pk}/approve", follow=True)
    assert b"somebody else has to approve" in own.content
    assert not release_next(office, lambda *_: "r1")
    approved = signed(second_steward).post(f"/runs/release/{request.pk}/approve", follow=True)
    assert b"Approved" in approved.content
    given: list[tuple[object, ...]] = []

    def make(office: Office, through: date, asked_by: str, approved_by: str) -> str:
        given.append((through, asked_by, approved_by))
        return "r1"

    assert release_next(office, make)
    assert not release_next(office, make)
    assert given == [(yesterday, "stella", "stefan")]
    request.refresh_from_db()
    assert (request.state, request.release_id) == (State.MADE, "r1")
    steps = ReleaseStep.objects.order_by("pk").values_list("state", "by__username")
    assert list(steps) == [("asked", "stella"), ("approved", "stefan"), ("making", None),
                           ("made", None)]  # fmt: skip
    log = signed(steward).get("/runs/release").content.decode()
    assert "approved" in log
    assert "r1" in log


def test_one_person_cannot_be_both_even_past_the_page(steward: User) -> None:
    request = asked(steward)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReleaseRequest.objects.filter(pk=request.pk).update(approved_by=steward)
    with pytest.raises(IntegrityError), transaction.atomic():
        asked(steward)  # a second open request
    release_requests.withdraw(request, steward)
    asked(steward)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_a_request_moves_as_the_table_says_and_in_no_other_way(
    before: State, after: State, steward: User, second_steward: User
) -> None:
    request = asked(steward, before, approved_by=second_steward)
    if after in MOVES[before]:
        release_requests.move(request, after, None)
        assert ReleaseRequest.objects.get(pk=request.pk).state == after
        return
    with pytest.raises(RequestRefusedError):
        release_requests.move(request, after, None)
    assert ReleaseRequest.objects.get(pk=request.pk).state == before
    assert not ReleaseStep.objects.exists()


def test_a_refusal_of_the_gate_is_told_and_a_failure_is_not_told_in_detail(
    steward: User, second_steward: User, office: Office
) -> None:
    def refuse(*_: object) -> str:
        raise PrivacyError("budget of 2026: expected 0.1 or more left, found 0.0")

    def fail(*_: object) -> str:
        raise RuntimeError("a detail of the machine")

    for make, state, told in ((refuse, State.REFUSED, "budget of 2026"),
                              (fail, State.FAILED, "RuntimeError")):  # fmt: skip
        request = asked(steward, State.APPROVED, approved_by=second_steward)
        assert release_next(office, make)
        request.refresh_from_db()
        assert request.state == state
        assert told in request.told
        assert "detail" not in request.told


def test_a_release_that_was_cut_off_is_given_up_and_not_made_again(
    steward: User, second_steward: User
) -> None:
    request = asked(steward, State.MAKING, approved_by=second_steward)
    now = datetime.now(UTC)
    assert release_requests.take_approved(now) is None
    request.refresh_from_db()
    assert request.state == State.MAKING
    assert release_requests.take_approved(now + LONGEST + timedelta(minutes=1)) is None
    request.refresh_from_db()
    assert request.state == State.FAILED


def test_days_that_are_not_over_released_or_no_days_are_refused(
    signed: Signed, steward: User, published: Country
) -> None:
    client = signed(steward)
    last = published.vintages[-1]
    for through, said in (
        (day(0), "expected a day that is over"), (last, f"expected a day after {last}"),
        ("soon", "expected a day, as 2026-10-31"),
    ):  # fmt: skip
        answer = client.post("/runs/release", {"through": through})
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert answer.content.decode().count("<title>Error:") == 1
    assert not ReleaseRequest.objects.exists()


def test_the_page_says_what_is_left_and_what_it_costs(
    signed: Signed, steward: User, published: Country
) -> None:
    year = published.vintages[-1].year
    page = signed(steward).get(f"/runs/release?through={year + 1}-01-31").content.decode()
    assert f"Left of {year}'s budget of 1:" in page
    assert f"Left of {year + 1}'s budget of 1: <strong>1.000</strong>, after this release" in page
    assert "By nationality, mode and class" in page
    assert "Left after it" in page
    for row in release_plan.plan_release(
        release_plan.policy_of(), (), [date(year + 1, 1, 31)]
    ).rows:
        assert f">{row.left:.3f}</td>" in page
    assert "stella" in page  # the log says who released


def test_a_release_that_was_lost_after_it_had_spent_is_in_the_log_and_not_public(
    signed: Signed, steward: User, published: Country
) -> None:
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO releases SELECT 'laplace-lost', released_at + 1, '2026-11-25', "
            "policy_digest, method, 0.5, asked_by, approved_by, 'lost', run FROM releases "
            "WHERE vintage = '2026-11-24'"
        ))  # fmt: skip
    engine.dispose()
    page = signed(steward).get("/runs/release").content.decode()
    assert "laplace-lost" in page
    assert page.count("lost: spent, never seen") == 1
    assert page.count('<td class="govuk-table__cell">made</td>') == len(published.vintages)
    assert "laplace-lost" not in signed(steward).get("/figures/calendar").content.decode()


def test_a_day_is_announced_and_nonsense_is_not(
    signed: Signed, steward: User, no_statistics: None
) -> None:
    client = signed(steward)
    coming = day(9)
    good = {"day": coming, "announced_through": coming - timedelta(days=1), "note": "x"}
    assert client.post("/runs/release/announce", good).status_code == 302
    for wrong in ({"day": day(-1)}, {"announced_through": coming}, {"day": "x"}, {}):
        assert client.post("/runs/release/announce", {**good, **wrong}).status_code == 400
    assert Announcement.objects.count() == 1


def test_the_demo_passes_over_what_is_released_already_and_nothing_else(
    statistics: Office, settings: Settings, tmp_path: Path
) -> None:
    """A kept home has what its stewards would release."""
    settings.DOWNLOADS = tmp_path / "downloads"
    clock = statistics.clock
    with statistics.open_ledger():  # its schema
        pass
    engine = create_engine(statistics.statistics_url)
    yesterday = (clock().date() - timedelta(days=1)).isoformat()
    at = int(clock().timestamp() * 1e6) - 1_000_000

    def log(note: str, vintage: str, released_at: int) -> None:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM releases"))
            connection.execute(
                text("INSERT INTO releases VALUES ('laplace-x', :at, :day, 'p', 'laplace', 1.0, "
                     "'a', 'b', :note, 'run')"),
                {"at": released_at, "day": vintage, "note": note},
            )  # fmt: skip

    log("made", yesterday, at)
    demo._release_first(statistics)
    log("made", "2020-01-01", at + 3_600_000_000)  # the clock was put back since
    with pytest.raises(PrivacyError, match="before the last release"):
        demo._release_first(statistics)
    engine.dispose()
