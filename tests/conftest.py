"""What all tests share: tables are checked at every door, both databases, no real office."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

os.environ["SOJOURN_CHECK_TABLES"] = "1"
_HOME = tempfile.mkdtemp(prefix="sojourn-tests-")
os.environ["SOJOURN_HOME"] = _HOME
os.environ["SOJOURN_STATISTICS_URL"] = f"sqlite:///{_HOME}/statistics.sqlite3"

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, text

from lib.postgres import throw_away_server

# Two busy cores say nothing about a function's speed: no example has a deadline. The gate asks
# the same of one commit each time; every run by hand looks somewhere else.
hypothesis_settings.register_profile(
    "sojourn", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis_settings.load_profile("sojourn")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with throw_away_server() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh database."""
    name = f"t{uuid4().hex[:12]}"
    admin = create_engine(
        postgres_server.replace("{name}", "postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.replace("{name}", name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def statistics_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh statistics database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'statistics.sqlite3'}"
    found: str = request.getfixturevalue("postgres_url")
    return found
