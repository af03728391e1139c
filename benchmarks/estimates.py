"""How long estimates of a year take: ten million stays by day, nationality, mode and class."""

from __future__ import annotations

import time
from datetime import date

import numpy as np
import polars as pl

from sojourn.measure.estimating import estimate
from sojourn.measure.evidence import EXPECTED, Evidence
from sojourn.policy import load_policy
from sojourn.schemas import COUNTS
from sojourn.simulate.small import build_small
from sojourn.simulate.small_counts import SmallOffice
from sojourn.simulate.small_world import Kind, draw_world

NATIONALITIES, DAY = 200, 460


def estimate_year(stays: int, seed: int) -> tuple[int, float, float]:
    """(rows of COUNTS, seconds, seconds of processor time)."""
    rng = np.random.default_rng(seed)
    office = SmallOffice(build_small(draw_world(Kind.PLAIN, rng), rng))
    tables = office.tables(DAY, rng)
    counts = _year(tables.counts, stays, rng)
    evidence = Evidence(counts, tables.vintages, tables.reporting, tables.lists, tables.linkage)
    begun, worked = time.perf_counter(), time.process_time()
    estimate(evidence, office.date_of(DAY), load_policy(), rng)
    return counts.height, time.perf_counter() - begun, time.process_time() - worked


def _year(small: pl.DataFrame, stays: int, rng: np.random.Generator) -> pl.DataFrame:
    """A year of ``stays`` with a small country's mix, by 200 nationalities (Zipf) and by day."""
    mix = (
        small.filter(pl.col("outcome").is_in([o.value for o in EXPECTED]))
        .group_by("mode", "admission_class", "outcome").agg(pl.col("value").sum())
        .sort("mode", "admission_class", "outcome")
    )  # fmt: skip
    shares = mix["value"].to_numpy()
    often = 1 / np.arange(1, NATIONALITIES + 1)
    cell = rng.choice(mix.height, stays, p=shares / shares.sum())
    nation = rng.choice(NATIONALITIES, stays, p=often / often.sum())
    code = (rng.integers(0, 365, stays) * NATIONALITIES + nation) * mix.height + cell
    held, number = np.unique(code, return_counts=True)
    names = [f"{chr(65 + n // 26)}{chr(65 + n % 26)}A" for n in range(NATIONALITIES)]
    first = (date(2023, 1, 1) - date(1970, 1, 1)).days
    day = held // mix.height // NATIONALITIES
    return COUNTS.conform(
        mix[held % mix.height].select("mode", "admission_class", "outcome").with_columns(
            nationality=pl.Series(names).gather(held // mix.height % NATIONALITIES),
            counts_on=pl.Series(day + first).cast(pl.Int32).cast(pl.Date),
            value=pl.Series(number.astype(np.float64)), noise_variance=pl.lit(0.0),
        )
    )  # fmt: skip
