"""The cast, with keys of its own, on whatever database SOJOURN_CASES_URL names."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.cast import Cast, make_cast
from sojourn_web.cases.keys import FileCaseKeys


@pytest.fixture
def keys(tmp_path: Path) -> FileCaseKeys:
    return FileCaseKeys.open_or_create(tmp_path / "keys")


@pytest.fixture
def cast(db: None, keys: FileCaseKeys) -> Cast:
    return make_cast(keys)
