"""Manifest files to committed figures, and a restart: what the live path can carry."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from sojourn.encode import FileKeyProvider
from sojourn.pipeline import Desk, Office, load_files, open_office
from sojourn.pipeline.office import key_file
from sojourn.pipeline.watching import take_waiting
from sojourn.simulate import World, build_country
from sojourn.simulate.files import INPUT_COLUMNS
from sojourn.simulate.manifests import write_manifest

FLIGHT = 180  # travellers a manifest


@dataclass(frozen=True)
class LiveResult:
    manifests: int
    crossings: int
    seconds: float
    open_reports: int


def new_office(home: Path) -> Office:
    FileKeyProvider.create(key_file(home))
    return open_office(home)


def live_path(stays: int, seed: int, manifests: int) -> LiveResult:
    """Load a backlog, then take ``manifests`` files of 180 travellers in, one commit each."""
    start = (datetime.now(UTC) - timedelta(days=300)).date()
    country = build_country(World(stays=stays, seed=seed, start=start, days=300))
    with tempfile.TemporaryDirectory() as folder:
        office = new_office(Path(folder))
        landing, backlog = _split(country.crossings, manifests)
        file = Path(folder) / "backlog.parquet"
        backlog.select(INPUT_COLUMNS).write_parquet(file)
        load_files(office, [file])
        for number, flight in enumerate(_flights(landing)):
            manifest = write_manifest(flight, number)
            target = office.inbox / manifest.source
            target.mkdir(exist_ok=True)
            (target / manifest.file_name).write_bytes(manifest.data)
        with Desk(office) as desk:
            held = desk.open_reports
            started = time.perf_counter()
            taken = list(take_waiting(desk, office, office.inbox))
            seconds = time.perf_counter() - started
        records = sum(r.records for t in taken for r in t.receipts)
        return LiveResult(len(taken), records, seconds, held)


def _split(crossings: pl.DataFrame, manifests: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last carriers' reports by air land as manifests; what was before them is backlog."""
    flown = crossings.filter(
        pl.col("source").str.starts_with("carrier-")
        & (pl.col("mode") == "air")
        & (pl.col("event_time") < datetime.now(UTC))
    ).sort("event_time", "crossing_id")
    landing = flown.tail(manifests * FLIGHT)
    first = landing["event_time"].min()
    return landing, crossings.filter(pl.col("event_time") < first)


def _flights(landing: pl.DataFrame) -> list[pl.DataFrame]:
    groups = landing.partition_by("source", "direction", "port", maintain_order=True)
    return [g.slice(at, FLIGHT) for g in groups for at in range(0, g.height, FLIGHT)]
