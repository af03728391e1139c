"""A peer that cannot run is told of in its row, and the others go on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))  # benchmarks are not installed

from benchmarks.peers.files import DataSet, data_sets
from benchmarks.peers.page import Result, Row, render, table
from benchmarks.peers.running import ROOT, Failed, Ran, run

FACTS = {"command": "make bench-linkage", "machine": "m", "commit": "c", "day": "d",
         "kinds": "17", "busy": ""}  # fmt: skip


def run_code(code: str, limit: float = 60.0) -> Ran | Failed:
    return run([sys.executable, "-c", code], limit)


def test_a_run_tells_its_last_line() -> None:
    assert run_code("print('noise'); print('{\"seconds\": 2.5}')") == Ran({"seconds": 2.5})


def test_peak_memory_is_the_process_own_and_not_its_parents() -> None:
    held = b"x" * 400_000_000
    said = "from benchmarks.peers.memory import peak_gib; print(peak_gib())"
    small, big = run_code(said), run_code(f"held = b'x' * 300_000_000; {said}")
    assert isinstance(small, Ran)
    assert isinstance(big, Ran)
    assert small.told < len(held) / 2**30
    assert big.told - small.told == pytest.approx(300_000_000 / 2**30, rel=0.1)


def test_a_peer_that_is_not_installed_says_which_module_is_missing() -> None:
    found = run_code("import no_such_peer")
    assert found == Failed("ModuleNotFoundError: No module named 'no_such_peer'")


def test_a_missing_environment_is_a_reason_and_not_a_crash() -> None:
    found = run([str(ROOT / ".venv-nobody" / "bin" / "python")], 10)
    assert found == Failed("not installed: .venv-nobody/bin/python is not there")


def test_what_takes_too_long_is_ended_and_said_so() -> None:
    assert run_code("import time; time.sleep(60)", limit=0.5) == Failed("no result in 0 s")


def test_a_reason_carries_no_path_of_this_machine() -> None:
    found = run_code(f"raise SystemExit('no file {ROOT}/benchmarks | there')")
    assert found == Failed("no file benchmarks / there")


def test_a_failed_peer_has_its_reason_where_the_others_have_numbers() -> None:
    ran = Row("Ran", "1.0", "plaintext", 0.9, 0.8, 0.847, 2.0, 3, 0.5, 1234, 0.99)
    result = Result(DataSet("d", "simulate"), 1000, 400, [
        ran, Row("Broken", "", "plaintext", failed="no module")])  # fmt: skip
    lines = table(result).splitlines()
    assert "| 0.9000 | 0.8000 | **0.8470** | 500 | 2.00 (3) | 0.50 | 1,234 | 0.9900 |" in lines[2]
    assert lines[3].endswith("| no module |")
    assert len({line.count("|") for line in lines}) == 1


def test_the_page_says_how_each_data_set_was_made() -> None:
    page = render([Result(DataSet("d", "simulate", 3.0), 1000, 400)], FACTS)
    assert "`stays=55800`, `seed=7`, `noise=3`" in page
    assert "make bench-linkage" in page


def test_large_adds_a_million_crossings_and_small_changes_no_noise() -> None:
    usual = data_sets(large=False, small=False)
    assert {d.noise for d in usual} == {1.0, 3.0, 8.0}
    added = [d for d in data_sets(large=True, small=False) if d not in usual]
    assert added
    assert all(d.times == 10 for d in added)
    assert [d.noise for d in data_sets(large=False, small=True)] == [d.noise for d in usual]
