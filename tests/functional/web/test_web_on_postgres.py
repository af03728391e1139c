"""The pages' own tables (accounts, tokens, hand-overs) on PostgreSQL too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.postgres
def test_pages_and_ingest_pass_with_their_own_tables_on_postgresql(postgres_url: str) -> None:
    address = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider",
         str(HERE / "test_web_ingest.py"), str(HERE / "test_web_pages.py"), "-k", "not statistics"],
        env={**os.environ, "SOJOURN_WEB_URL": address}, capture_output=True, text=True,
        check=False, cwd=HERE.parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
