"""One small country all the way: names, keys, links, ledger, estimates; and what is true of it.

In: a country's number, a seed, policy. Out: rows as ``calibrating.run_country`` gives them. That
draws counts and link errors, which is fast; here travellers have names and documents with errors,
and are encoded, linked, assessed and estimated as in an office. A country takes some seconds.
There is no final vintage: the prediction interval is not judged here. Cells under the smallest
are hidden, as an office's are.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.encode import MemoryKeyProvider
from sojourn.measure.spans import first_day
from sojourn.pipeline.calibrated import beside, over_by
from sojourn.pipeline.estimating import read_estimates, refresh_estimates
from sojourn.pipeline.intake import Delivered, Desk, encode_readings
from sojourn.pipeline.office import open_office
from sojourn.pipeline.quality import assess
from sojourn.policy import Policy
from sojourn.read import Reading
from sojourn.schemas import REJECTS, SOURCE_QUALITY, Mode
from sojourn.simulate import Country, World, build_country
from sojourn.vocabulary import Quantity, Span

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAYS = 300
STAYS = (6_000, 14_000)
DIMENSIONS = ("nationality", "mode", "admission_class")


def draw_whole(country: int, seed: int) -> World:
    """Coverage of exits as small worlds have it; one list or two."""
    rng = np.random.default_rng([seed, 10**6, country])
    low = {Mode.AIR: 0.90, Mode.SEA: 0.80, Mode.RAIL: 0.70, Mode.LAND: 0.50}
    high = {Mode.AIR: 0.985, Mode.SEA: 0.97, Mode.RAIL: 0.95, Mode.LAND: 0.80}
    return World(
        stays=int(rng.integers(*STAYS)), seed=int(rng.integers(2**31)), days=DAYS,
        start=(NOW - dt.timedelta(days=DAYS)).date(), lists=1 + int(rng.integers(2)),
        noise=float(rng.uniform(0.5, 1.5)),
        exit_coverage={mode: float(rng.uniform(low[mode], high[mode])) for mode in low},
    )  # fmt: skip


def run_whole(country: int, seed: int, policy: Policy) -> pl.DataFrame:
    """What was estimated and what is true; ``final`` is null."""
    made = build_country(draw_whole(country, seed))
    now = _estimated(made, country, seed, policy)
    final = now.select("span", "period", *DIMENSIONS, "quantity", final=pl.lit(None, pl.Float64))
    judged = beside(now, final, _truth(made, policy.estimate.year_begins))
    kept = (
        over_by(NOW.date()) & pl.col("truth").is_not_null()
        & (pl.col("nationality").eq("") | pl.col("admission_class").eq(""))
    )  # fmt: skip
    return judged.filter(kept).with_columns(kind=pl.lit("full"), country=pl.lit(country, pl.Int64))


def _estimated(made: Country, country: int, seed: int, policy: Policy) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        office = open_office(
            Path(folder), policy=policy, keys=MemoryKeyProvider(b"calibration"), clock=lambda: NOW
        )
        reading = Reading(
            made.crossings, made.status_changes, REJECTS.empty(), SOURCE_QUALITY.empty()
        )
        with Desk(office) as desk:
            (intake,) = encode_readings([Delivered("country", "bench", reading)], office)
            desk.take(intake, as_recorded=True)
        assess(office, np.random.default_rng([seed, country, 1]))
        refresh_estimates(office, np.random.default_rng([seed, country, 2]))
        return read_estimates(office)


def _truth(made: Country, year_begins: int) -> pl.DataFrame:
    """Of each cell, the true rate of the stays it is told of: left late, or still here.

    Of a stay whose arrival, or last permitted day, nobody recorded no figure tells.
    """
    until, left = pl.col("authorised_until"), pl.col("departure_date")
    recorded = made.crossings.filter(
        (pl.col("direction") == "arrival") & pl.col("authorised_until").is_not_null()
    ).join(made.travellers, on="crossing_id")
    told = made.stays.join(recorded, on="stay", how="semi")
    stays = told.filter(until < NOW.date()).with_columns(
        mode=pl.col("arrival_mode").cast(pl.String),
        late=(left.is_null() | (left > until)).cast(pl.Int64),
    )
    parts = []
    for span in (Span.MONTH, Span.YEAR):
        for kept in ((), *((d,) for d in DIMENSIONS)):
            keys = [
                first_day(until, span, year_begins).alias("period"),
                *(pl.col(d).cast(pl.String) if d in kept else pl.lit("").alias(d)
                  for d in DIMENSIONS),
            ]  # fmt: skip
            parts.append(
                stays.group_by(keys).agg(truth=pl.col("late").mean())
                .with_columns(span=pl.lit(span.value))
            )  # fmt: skip
    return pl.concat(parts).with_columns(
        pl.col("span").cast(pl.Enum([s.value for s in Span])),
        quantity=pl.lit(Quantity.OVERSTAY_RATE.value).cast(pl.Enum([q.value for q in Quantity])),
    )
