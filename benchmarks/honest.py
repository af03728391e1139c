"""Estimates through the whole path: names, keys, links, ledger, estimates, against the truth.

``python -m benchmarks.honest --countries 40``: ``sojourn calibrate`` draws counts, which is fast;
this checks that shortcut. Each country is simulated with names and errors, linked, assessed and
estimated as an office would; told is how often the interval of a year's overstay rate, in total,
held the truth, beside the naive rate. A country takes a few seconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from benchmarks.machine import describe_commit, describe_machine
from sojourn.encode import MemoryKeyProvider
from sojourn.pipeline import Desk, assess, open_office
from sojourn.pipeline.estimating import read_estimates, refresh_estimates
from sojourn.pipeline.intake import Delivered, encode_readings
from sojourn.read import Reading
from sojourn.schemas import REJECTS, SOURCE_QUALITY, Quantity, Span
from sojourn.simulate import World, build_country

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAYS = 300
YEAR = dt.date(2025, 1, 1)
out = Console(highlight=False)


@dataclass(frozen=True)
class Found:
    truth: float
    value: float
    lower: float
    upper: float
    naive: float
    widened: str

    @property
    def held(self) -> bool:
        return self.lower <= self.truth <= self.upper


def estimate_one(stays: int, seed: int, lists: int) -> Found:
    """One country, all the way."""
    start = (NOW - dt.timedelta(days=DAYS)).date()
    country = build_country(World(stays=stays, seed=seed, start=start, days=DAYS, lists=lists))
    with tempfile.TemporaryDirectory() as folder:
        office = open_office(Path(folder), keys=MemoryKeyProvider(b"honest"), clock=lambda: NOW)
        reading = Reading(
            country.crossings, country.status_changes, REJECTS.empty(), SOURCE_QUALITY.empty()
        )
        with Desk(office) as desk:
            (intake,) = encode_readings([Delivered("country", "bench", reading)], office)
            desk.take(intake, as_recorded=True)
        assess(office, np.random.default_rng(seed))
        refresh_estimates(office, np.random.default_rng(seed))
        made = read_estimates(office)
    total = made.filter(
        pl.col("span") == Span.YEAR.value, pl.col("period") == YEAR,
        *(pl.col(n) == "" for n in ("nationality", "mode", "admission_class")),
    )  # fmt: skip
    by = {row["quantity"]: row for row in total.iter_rows(named=True)}
    rate, naive = by[Quantity.OVERSTAY_RATE], by[Quantity.RECORDED_RATE]
    over = country.stays.filter(pl.col("authorised_until").dt.year() == YEAR.year)
    late = over["departure_date"].is_null() | (over["departure_date"] > over["authorised_until"])
    truth = float(late.mean() or 0.0)  # type: ignore[arg-type]
    return Found(truth, rate["value"], rate["lower"], rate["upper"], naive["value"], rate["why"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--countries", type=int, default=40)
    parser.add_argument("--stays", type=int, default=8_000)
    parser.add_argument("--lists", type=int, default=2)
    parser.add_argument("--seed", type=int, default=100)
    asked = parser.parse_args()
    out.print(f"{describe_machine()}; {describe_commit()}")
    found = []
    for number in range(asked.countries):
        found.append(estimate_one(asked.stays, asked.seed + number, asked.lists))
        out.print(f"{number + 1}/{asked.countries}: {found[-1]}", style="dim")
    mean = statistics.fmean
    held = mean(f.held for f in found)
    error = (max(held * (1 - held), 0.25 / len(found)) / len(found)) ** 0.5
    truth = mean(f.truth for f in found)
    out.print(
        f"{len(found)} countries of {asked.stays:,} stays, {asked.lists} list(s): the 95% "
        f"interval held the truth in {held:.1%} ± {error:.1%}; mean true rate {truth:.2%}, "
        f"estimate {mean(f.value for f in found):.2%}, records alone "
        f"{mean(f.naive for f in found):.2%}, "
        f"mean width {mean(f.upper - f.lower for f in found):.2%}"
    )


if __name__ == "__main__":
    main()
