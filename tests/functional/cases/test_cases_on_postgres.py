"""Everything of cases on PostgreSQL too, and two clicks at one moment in two connections."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


# Each group within a test's time, on a busy machine too.
GROUPS = (
    ("course", "visibility", "answers_and_erasure", "at_once", "pages"),
    ("desk", "desk_others", "handing_on"),
    ("files_and_letters", "keeping", "api", "reports"),
    ("applicant", "applicant_rights", "applicant_languages"),
    ("family", "family_guards", "record", "desk_dates", "key_service"),
    ("queries", "limits", "stale_forms"),
    ("desk_edits", "bad_input", "break_glass", "find", "left_behind", "standing_cast"),
    ("typed_words", "second_factor"),
    ("who_left", "back_in_the_plan", "consents_end", "complaints"),
)


NAMES = ("staff", "desk", "papers", "applicant", "family", "wire", "edges", "words", "leaving")


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("names", GROUPS, ids=NAMES)
def test_services_pass_on_postgresql(postgres_url: str, names: tuple[str, ...]) -> None:
    address = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider",
         *(str(HERE / f"test_cases_{name}.py") for name in names)],
        env={**os.environ, "SOJOURN_CASES_URL": address},
        capture_output=True, text=True, check=False, cwd=HERE.parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
