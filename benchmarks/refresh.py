"""Measures made anew after a batch, with a million stays held; and a year of ten million counted.

The stays are written as linking would have left them, without match keys: this is about counts.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from benchmarks.live_path import new_office
from sojourn.ledger import Batch, Delivery, Ledger, build_stays, counts
from sojourn.ledger.engine import insert_rows
from sojourn.ledger.fold import REPORTS, STATUSES
from sojourn.ledger.rows import to_rows
from sojourn.link import Linked
from sojourn.measure import assign_outcomes, measure
from sojourn.pipeline import Office, record
from sojourn.pipeline.measuring import refresh_with
from sojourn.policy import load_policy
from sojourn.schemas import (
    CLOSED_CELLS,
    COUNTS,
    ENCODINGS,
    MERGES,
    REJECTS,
    SOURCE_QUALITY,
    Outcome,
    enum_of,
)
from sojourn.simulate import World, build_country

BATCH = 10_000
T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Taken:
    """On a busy machine the two lie far apart."""

    seconds: float
    processor: float  # seconds, of all cores

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.processor:.2f} s of processor)"


@dataclass(frozen=True)
class Refreshed:
    stays: int
    states: int
    cells: int
    first: Taken  # the first refresh, which reads and writes everything
    append: Taken  # the batch alone
    refresh: Taken  # the refresh after it


@dataclass(frozen=True)
class Year:
    stays: int
    counts: int
    cells: int
    taken: Taken


def refresh_after_batch(stays: int, seed: int, times: int = 3) -> Refreshed:
    """Hold ``stays``, take batches of 10,000 crossings in, refresh after each; medians."""
    reports, links = _country(stays, seed)
    cut = reports.height - times * BATCH
    with tempfile.TemporaryDirectory() as folder:
        office = new_office(Path(folder))
        with office.open_ledger() as ledger:
            held = _fill(ledger, reports.head(cut), links)
            first, cells = timed(lambda: refresh_with(ledger, office))
            append, refresh = [], []
            for number in range(times):
                part = reports.slice(cut + number * BATCH, BATCH)
                batch = _batch(part, links, office, number)
                append.append(timed(partial(ledger.append, batch))[0])
                taken, cells = timed(lambda: refresh_with(ledger, office))
                refresh.append(taken)
            states = ledger.counts(office.clock().date()).height
    middle = times // 2
    return Refreshed(held, states, cells, first, sorted(append)[middle], sorted(refresh)[middle])


def timed(step: Callable[[], T]) -> tuple[Taken, T]:
    started, worked = time.perf_counter(), time.process_time()
    made = step()
    return Taken(time.perf_counter() - started, time.process_time() - worked), made


def _country(stays: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ENCODINGS without keys in the order of their events, and the links of the truth."""
    start = (datetime.now(UTC) - timedelta(days=365)).date()
    country = build_country(World(stays=stays, seed=seed, start=start, days=365, lists=1))
    frame = country.crossings.filter(pl.col("event_time") < datetime.now(UTC)).with_columns(
        pl.col("crossing_id").cast(pl.Binary).alias("crossing_ref"),
        key_epoch=pl.lit(0),
        key_kinds=pl.lit([], pl.List(pl.UInt8)),
        match_keys=pl.lit([], pl.List(pl.UInt64)),
    )
    links = country.truth.select(
        pl.col("arrival_id").cast(pl.Binary).alias("arrival_ref"),
        pl.col("departure_id").cast(pl.Binary).alias("departure_ref"),
    )
    return ENCODINGS.conform(frame).sort("event_time"), links


def _fill(ledger: Ledger, reports: pl.DataFrame, links: pl.DataFrame) -> int:
    both = pl.concat(
        [links, links.select(arrival_ref="departure_ref", departure_ref="arrival_ref")]
    )
    known = both.join(reports.select(departure_ref="crossing_ref"), on="departure_ref", how="semi")
    frame = reports.join(
        known.rename({"arrival_ref": "crossing_ref", "departure_ref": "partner_ref"}),
        on="crossing_ref", how="left",
    ).with_columns(
        merged_into=pl.lit(None, pl.Binary), learned_on=pl.col("recorded_at").dt.date()
    ).unique("crossing_ref")  # fmt: skip
    columns = [*(n for n in REPORTS), "key_epoch"]
    stays = build_stays(frame.select(list(REPORTS)), pl.DataFrame(schema=STATUSES))
    with ledger._engine.begin() as connection:
        for part in frame.iter_slices(100_000):
            insert_rows(connection, "reports", columns, to_rows(part, columns))
        counts.count_again(connection, stays, assign_outcomes)
    return stays.height


def _batch(part: pl.DataFrame, links: pl.DataFrame, office: Office, number: int) -> Batch:
    now = office.clock()
    found = links.join(part.select(departure_ref="crossing_ref"), on="departure_ref", how="semi")
    linked = Linked(found, MERGES.empty(), 0, 0, 0, 0)
    digest = hashlib.sha256(f"batch {number}".encode()).hexdigest()
    return Batch(
        (Delivery(digest, "bench", now, part.height, REJECTS.empty()),),
        part, record(part, linked, now), SOURCE_QUALITY.empty(),
    )  # fmt: skip


def measure_a_year(stays: int, seed: int) -> Year:
    """COUNTS of a year with so many stays into MEASURES.

    200 nationalities of unlike size, four modes, ten classes, three outcomes a day.
    """
    rng = np.random.default_rng(seed)
    sizes = (rng.pareto(1.2, 200) + 0.05, np.array([75, 5, 18, 2]), rng.pareto(1.5, 10) + 0.1,
             np.array([92, 3, 5]))  # fmt: skip
    shares = [s / s.sum() for s in sizes]
    shape = (365, *(len(s) for s in shares))
    mean = stays / 365 * np.einsum("a,b,c,d->abcd", *shares)
    values = rng.poisson(np.broadcast_to(mean, shape)).astype(np.float64)
    places = np.nonzero(values)
    outcomes = [Outcome.DEPARTED_IN_TIME, Outcome.DEPARTED_LATE, Outcome.NO_DEPARTURE_RECORDED]
    frame = pl.DataFrame(
        {
            "counts_on": np.datetime64("2025-01-01") + places[0].astype("timedelta64[D]"),
            "nationality": pl.Series([f"N{n:03}" for n in range(200)]).gather(places[1]),
            "mode": pl.Series(["air", "sea", "land", "rail"]).gather(places[2]),
            "admission_class": pl.Series([f"C{n}" for n in range(10)]).gather(places[3]),
            "outcome": pl.Series([o.value for o in outcomes], dtype=enum_of(Outcome)).gather(
                places[4]
            ),
            "value": values[places],
            "noise_variance": 0.0,
        }
    )
    counted = COUNTS.conform(frame)
    policy = load_policy().measure
    taken, cells = timed(lambda: measure(counted, CLOSED_CELLS.empty(), date(2026, 1, 1), policy))
    return Year(int(counted["value"].sum()), counted.height, cells.height, taken)
