"""kill -9 at any moment, in a loop: nothing is lost and nothing is counted twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lib.offices import NOW, comparable, small_country, small_office
from lib.slow_counts import check_counts, check_lists_and_reporting
from sojourn.pipeline import loading
from sojourn.simulate.files import INPUT_COLUMNS

TESTS = Path(__file__).parents[2]
ROWS = 60
KILLS = {"sqlite": 10, "postgresql": 4}
EVENTS = ["kind", "crossing_ref", "other_ref", "event_time"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_load_killed_again_and_again_ends_as_one_that_never_was(
    tmp_path: Path, statistics_url: str
) -> None:
    crossings = small_country(stays=500, seed=21).crossings.sort("recorded_at", "crossing_id")
    file = tmp_path / "crossings.parquet"
    crossings.select(INPUT_COLUMNS).write_parquet(file)
    kind = statistics_url.split(":", maxsplit=1)[0].split("+", maxsplit=1)[0]
    kills = _kill_in_a_loop(tmp_path, statistics_url, file, KILLS[kind])
    assert kills >= 2, "the child was killed while it worked"

    never = small_office(tmp_path / "never")
    before = loading.PART_ROWS
    try:
        loading.PART_ROWS = ROWS
        loading.load_files(never, [file])
    finally:
        loading.PART_ROWS = before
    with small_office(tmp_path, statistics_url).open_ledger() as one, never.open_ledger() as other:
        found, wanted = one.events().select(EVENTS), other.events().select(EVENTS)
        assert_frame_equal(found.sort(EVENTS), wanted.sort(EVENTS))
        assert_frame_equal(comparable(one.stays()), comparable(other.stays()))
        assert_frame_equal(one.totals(), other.totals())
        assert_frame_equal(one.quality(), other.quality())
        today = NOW.date()
        assert_frame_equal(one.counts(today).sort(pl.all()), other.counts(today).sort(pl.all()))
        assert_frame_equal(one.lists(), other.lists())
        assert_frame_equal(one.reporting(), other.reporting())
        day = NOW.date() + timedelta(days=1)
        check_counts(one, day, (today, day))
        check_lists_and_reporting(one)
        assert_frame_equal(comparable(one.fold(day)), comparable(one.stays()))
        assert one.state().reports == crossings.select("source", "crossing_id").n_unique()


def _kill_in_a_loop(home: Path, url: str, file: Path, kills: int) -> int:
    """Let the child work a little longer each time; the last one may finish. Returns the kills."""
    rng = random.Random(5)
    killed = 0
    command = [sys.executable, "-m", "lib.killed_child", str(home), url, str(file), str(ROWS)]
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent / 'src'}"}
    office = small_office(home, url)
    for _ in range(kills):
        with office.open_ledger() as ledger:
            before = ledger.state().batches
        child = subprocess.Popen(command, env=environment, cwd=TESTS)
        deadline = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < deadline:
            with office.open_ledger() as ledger:
                if ledger.state().batches > before:
                    break
            time.sleep(0.01)
        time.sleep(rng.random() * 0.05)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.wait()
    assert subprocess.run(command, env=environment, cwd=TESTS, check=False).returncode == 0
    return killed


def test_a_file_cut_off_in_mid_transfer_is_not_taken(tmp_path: Path) -> None:
    from sojourn.pipeline import Desk
    from sojourn.pipeline.watching import take_waiting

    office = small_office(tmp_path)
    data = small_country(stays=50).crossings.select(INPUT_COLUMNS)
    folder = office.inbox / "booths"
    folder.mkdir()
    for name in (".crossings.csv", "crossings.csv.part", "crossings.csv.tmp"):
        data.head(5).write_csv(folder / name)
    with Desk(office) as desk:
        assert list(take_waiting(desk, office, office.inbox)) == []
        (folder / ".crossings.csv").rename(folder / "crossings.csv")
        (taken,) = take_waiting(desk, office, office.inbox)
    assert taken.refusal is None
    assert sum(r.records for r in taken.receipts) == 5
    assert isinstance(data, pl.DataFrame)
