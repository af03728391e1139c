"""The cast, with keys of its own, on whatever database SOJOURN_CASES_URL names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from lib.cast import Cast, make_cast
from sojourn_web.cases.keys import FileCaseKeys, case_keys, has_tombstone


@pytest.fixture
def keys(tmp_path: Path) -> FileCaseKeys:
    return FileCaseKeys.open_or_create(tmp_path / "keys", has_tombstone)


@pytest.fixture
def cast(db: None, keys: FileCaseKeys) -> Cast:
    return make_cast(keys)


@pytest.fixture(autouse=True)
def key_folder(tmp_path: Path, settings: Settings) -> None:
    """The pages' keys are this test's own, and no try was counted before it."""
    settings.CASES_KEYS = tmp_path / "case-keys"
    cache.clear()


@pytest.fixture
def pages_of_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong codes are answered without waiting."""
    monkeypatch.setattr("sojourn_web.cases.applicant.gate.SAME_TIME", 0.0)


@pytest.fixture
def office(key_folder: None) -> Cast:
    """The cast of today, on the keys that the pages use."""
    return make_cast(case_keys(), datetime.now(UTC))
