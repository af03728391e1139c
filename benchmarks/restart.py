"""How long an office takes to be ready again with a million open stays in its ledger."""

from __future__ import annotations

import hashlib
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.live_path import new_office
from sojourn.encode import encode
from sojourn.ledger import Batch, Delivery
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.events import report_events
from sojourn.schemas import REJECTS, SOURCE_QUALITY
from sojourn.simulate import World, build_country

PART = 100_000


def restart_seconds(stays: int, seed: int, times: int) -> tuple[int, float]:
    """Reports held, and the median seconds from a closed ledger to a desk that takes batches."""
    with tempfile.TemporaryDirectory() as folder:
        office = new_office(Path(folder))
        _fill(office, stays, seed)
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            with Desk(office) as desk:
                taken.append(time.perf_counter() - started)
                held = desk.open_reports
        return held, sorted(taken)[times // 2]


def _fill(office: Office, stays: int, seed: int) -> None:
    """Arrivals alone, straight into the ledger: nobody has left yet."""
    start = (datetime.now(UTC) - timedelta(days=200)).date()
    country = build_country(World(stays=stays, seed=seed, start=start, days=180, lists=1))
    arrivals = country.crossings.filter(pl.col("direction") == "arrival")
    with office.open_ledger() as ledger:
        for number, part in enumerate(arrivals.iter_slices(PART)):
            encodings = encode(part, office.keys, office.policy.encode)
            digest = hashlib.sha256(f"part {number}".encode()).hexdigest()
            now = office.clock()
            ledger.append(
                Batch(
                    (Delivery(digest, "bench", now, part.height, REJECTS.empty()),),
                    encodings,
                    report_events(encodings, now),
                    SOURCE_QUALITY.empty(),
                )
            )
