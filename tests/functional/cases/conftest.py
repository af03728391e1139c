"""The cast, with keys of its own, on whatever database SOJOURN_CASES_URL names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import Cast, make_cast
from sojourn_web.cases.keys import FileCaseKeys, case_keys, has_tombstone


@pytest.fixture
def keys(tmp_path: Path) -> FileCaseKeys:
    return FileCaseKeys.open_or_create(tmp_path / "keys", has_tombstone)


@pytest.fixture
def cast(db: None, keys: FileCaseKeys) -> Cast:
    return make_cast(keys)


@pytest.fixture
def pages_of_persons(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pages on keys of their own, without waiting, and with no try counted yet."""
    from django.core.cache import cache

    settings.CASES_KEYS = tmp_path / "case-keys"
    monkeypatch.setattr("sojourn_web.cases.applicant.gate.SAME_TIME", 0.0)
    cache.clear()


@pytest.fixture
def office(pages_of_persons: None) -> Cast:
    return make_cast(case_keys(), datetime.now(UTC))
