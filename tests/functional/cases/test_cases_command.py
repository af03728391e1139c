"""``sojourn cases`` as somebody would run it: on an empty office, and with a wrong month."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RUN = "import typer; from sojourn_web.commands_cases import cases; typer.run(cases)"


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOJOURN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", RUN, *words, "--home", str(home)], capture_output=True, text=True,
        check=False, env=kept,
    )  # fmt: skip


def test_tick_and_counts_on_an_empty_office(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "sojourn", "keys", "new", "--home", str(tmp_path)], check=True,
        capture_output=True,
    )  # fmt: skip
    done = run(tmp_path, "tick")
    assert done.returncode == 0, done.stderr
    assert "0 reminders, 0 cases due, 0 files scanned" in " ".join(done.stderr.split())
    counted = run(tmp_path, "counts", "--month", "2026-01")
    assert counted.stdout.splitlines() == ["month,country,outcome,count"]
    assert run(tmp_path, "counts", "--month", "soon").returncode != 0
