"""People of each role, and a statistics database with a few live numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from pytest_django.fixtures import Settings

from lib.offices import hand_in, small_country, small_office
from lib.published import Country, fill
from sojourn.pipeline import Desk, Office, refresh_measures
from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import Role
from sojourn_web.figures.statistics import open_statistics

PASSWORD = "correct horse battery"
BACKEND = "sojourn_web.accounts.backends.OfficeBackend"


@pytest.fixture
def analyst(db: None) -> AbstractBaseUser:
    return make_person("ana", PASSWORD, Role.ANALYST, demo=False)


@pytest.fixture
def operator(db: None) -> AbstractBaseUser:
    return make_person("olu", PASSWORD, Role.OPERATOR, demo=False)


@pytest.fixture
def steward(db: None) -> AbstractBaseUser:
    return make_person("stella", PASSWORD, Role.STEWARD, demo=False)


@pytest.fixture
def second_steward(db: None) -> AbstractBaseUser:
    return make_person("stefan", PASSWORD, Role.STEWARD, demo=False)


@pytest.fixture
def published(statistics_url: str, tmp_path: Path, settings: Settings) -> Iterator[Country]:
    """A statistics database with three releases in it, on each kind of database."""
    settings.STATISTICS_URL = statistics_url
    settings.DOWNLOADS = tmp_path / "downloads"
    yield fill(statistics_url)
    open_statistics(statistics_url).dispose()
    open_statistics.cache_clear()


@pytest.fixture
def stranger(db: None, django_user_model: type[AbstractBaseUser]) -> AbstractBaseUser:
    return django_user_model.objects.create_user("str", password=PASSWORD)  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def signed_in(client: Client, request: pytest.FixtureRequest) -> Client:
    return client


@pytest.fixture
def statistics(tmp_path: Path, statistics_url: str, settings: Settings) -> Iterator[Office]:
    """An office with a country in it, on each kind of database; pages read it."""
    office = small_office(tmp_path, statistics_url, now=datetime.now(UTC))
    country = small_country(stays=600, seed=4)
    shift = datetime.now(UTC).date() - country.crossings["local_date"].max()  # type: ignore[operator]
    moved = country.crossings.with_columns(
        pl.col("event_time", "recorded_at") + shift,
        pl.col("local_date", "authorised_until") + shift,
    )
    with Desk(office) as desk:
        hand_in(desk, office, moved, "country")
    refresh_measures(office)
    settings.STATISTICS_URL = statistics_url
    yield office
    open_statistics(statistics_url).dispose()
    open_statistics.cache_clear()


@pytest.fixture
def bare(tmp_path: Path, statistics_url: str, settings: Settings) -> Iterator[Office]:
    """An office without a record in it; pages read it."""
    office = small_office(tmp_path, statistics_url, now=datetime.now(UTC))
    office.open_ledger().close()
    settings.STATISTICS_URL = statistics_url
    yield office
    open_statistics(statistics_url).dispose()
    open_statistics.cache_clear()


@pytest.fixture
def reader(client: Client, analyst: AbstractBaseUser) -> Client:
    client.force_login(analyst, backend=BACKEND)
    return client


@pytest.fixture
def no_statistics(tmp_path: Path, settings: Settings) -> None:
    settings.STATISTICS_URL = f"sqlite:///{tmp_path / 'not-there.sqlite3'}"


@pytest.fixture
def inbox(tmp_path: Path, settings: Settings) -> Path:
    settings.INBOX = tmp_path / "inbox"
    settings.INBOX.mkdir()
    return tmp_path / "inbox"
