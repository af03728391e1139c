"""A country in real time, for the demo: a backlog first, then what lands as the clock goes on.

In: a world, a rate and the hour it is. Out: ``Parcel``s with the moment each is due; the caller
sleeps. The simulated days are moved so that the country's last days are now: departures of the
travellers in the backlog come in, and new arrivals.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from sojourn.schemas import Mode
from sojourn.simulate.country import build_country
from sojourn.simulate.files import INPUT_COLUMNS
from sojourn.simulate.manifests import write_manifest
from sojourn.simulate.world import World

STEP_SECONDS = 0.5
LIVE_SHARE = 0.125  # of the simulated days are played; the rest is backlog


@dataclass(frozen=True)
class Parcel:
    """A file as a source hands it over."""

    source: str
    file_name: str
    data: bytes
    crossings: int
    due: datetime
    backlog: bool


def stream_country(world: World, *, rate: float, now: datetime) -> Iterator[Parcel]:
    """Backlog parcels, due now, then live ones of about ``rate`` records a second. Endless.

    When the country's days are over, the next country's travellers come, of the next seed.
    """
    start = (now - timedelta(days=round(world.days * (1 - LIVE_SHARE)))).date()
    country = build_country(replace(world, start=start))
    crossings = country.crossings.sort("event_time", "crossing_id")
    past = crossings.filter(pl.col("event_time") <= now)
    yield _table("backlog", "backlog.parquet", past, now, backlog=True)
    live = crossings.filter(pl.col("event_time") > now)
    step = max(2, int(rate * STEP_SECONDS))
    number = 0
    for turn in itertools.count(1):
        for at in range(0, live.height, step):
            number += 1
            due = now + timedelta(seconds=step / rate * number)
            yield from _land(live.slice(at, step), number, due)
        further = replace(world, start=now.date(), seed=world.seed + turn)
        live = _renamed(build_country(further).crossings, turn).sort("event_time", "crossing_id")


def _renamed(crossings: pl.DataFrame, turn: int) -> pl.DataFrame:
    """Another country's records under ids of their own."""
    return crossings.with_columns(crossing_id=pl.concat_str("crossing_id", pl.lit(f"-{turn}")))


def _land(records: pl.DataFrame, number: int, due: datetime) -> Iterator[Parcel]:
    """One step's records as they reach us: a manifest, the rest as booths send them."""
    # What lands now happened now: the played days go by faster than the clock.
    moment = pl.lit(due).dt.cast_time_unit("us")
    dated = records.with_columns(event_time=moment, recorded_at=moment)
    listed = pl.col("source").str.starts_with("carrier-") & (pl.col("mode") == Mode.AIR.value)
    flights = dated.filter(listed)
    for turn, (_, flight) in enumerate(
        flights.group_by("source", "direction", "port", maintain_order=True)
    ):
        manifest = write_manifest(flight, number * 100 + turn)
        yield Parcel(
            manifest.source, manifest.file_name, manifest.data, flight.height, due, backlog=False
        )
    rest = dated.filter(~listed)
    if rest.height:
        yield _table("booths", f"booths-{number:07d}.csv", rest, due, backlog=False)


def _table(
    source: str, name: str, records: pl.DataFrame, due: datetime, *, backlog: bool
) -> Parcel:
    buffer = io.BytesIO()
    columns = records.select(INPUT_COLUMNS)
    if name.endswith(".parquet"):
        columns.write_parquet(buffer)
    else:
        columns.write_csv(buffer, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    return Parcel(source, name, buffer.getvalue(), records.height, due, backlog)
