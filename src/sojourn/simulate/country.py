"""A world into a country: people, stays, records, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

import numpy as np
import polars as pl

from sojourn.schemas import (
    CROSSINGS,
    STATUS_CHANGES,
    TIMESTAMP,
    TRUTH,
    Evidence,
    Mode,
    StatusKind,
    StayLimit,
)
from sojourn.simulate.hard import build_cast
from sojourn.simulate.people import build_people
from sojourn.simulate.records import build_records
from sojourn.simulate.stays import DAY, build_stays
from sojourn.simulate.world import Country, World

EVIDENCE = {
    "booth": Evidence.CROSSED.value,
    "carrier": Evidence.BOARDED.value,
    "booking": Evidence.BOOKED.value,
}
SIX = ("surname", "given_names", "birth_date", "sex", "nationality", "document_number")


@dataclass(frozen=True)
class Agreement:
    """Shares of true pairs whose strongest records agree, compared as written."""

    pairs: int
    all_six: float
    document_number: float


def build_country(world: World) -> Country:
    """Simulate. Deterministic: the same world gives the same tables."""
    rng = np.random.default_rng([world.seed, 1])
    count = max(10, int(world.stays / world.stays_per_traveller * 1.15))
    people = build_people(count, world, rng)
    stays = build_stays(people, world, rng)
    records = build_records(people, stays, world, rng)
    cases = pl.DataFrame(schema={"stay": pl.Int64, "case": pl.String})
    if world.hard_stays:
        people, stays, records, cases = _with_cast(people, stays, records, world)
    records = _identified(records, rng)
    crossings = _crossings(records, world).sort("recorded_at", "crossing_id")
    travellers = records.select("crossing_id", "traveller", "stay")
    travellers = crossings.select("crossing_id").join(
        travellers, on="crossing_id", how="left", maintain_order="left"
    )
    return Country(
        crossings,
        _status_changes(people, stays, world, rng),
        _truth(records, cases),
        travellers,
        _true_stays(stays, people, world),
    )


def _with_cast(
    people: pl.DataFrame, stays: pl.DataFrame, records: pl.DataFrame, world: World
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The ordinary country and the hard people in it; ``stay`` and ``case`` of their stays.

    The cast has random numbers of its own: ordinary travellers do what they do without it.
    """
    cast = build_cast(world, np.random.default_rng([world.seed, 2]))
    after = pl.col("traveller") + people.height
    later = pl.col("stay") + stays.height

    def joined(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([one, other.select(one.columns).cast(one.schema)])

    return (
        joined(people, cast.people.with_columns(after)),
        joined(stays, cast.stays.with_columns(after, later)),
        joined(records, cast.records.with_columns(after, later)),
        cast.stays.select(later, "case"),
    )


def _identified(records: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Ids as sources give them: unique everywhere, in no telling order."""
    numbers = rng.permutation(records.height) + 10_000_000
    code = pl.col("source").str.to_uppercase().str.replace_all("-", "")
    return records.with_columns(
        pl.concat_str(code, pl.Series(numbers).cast(pl.String)).alias("crossing_id")
    )


def _crossings(records: pl.DataFrame, world: World) -> pl.DataFrame:
    zero = int(datetime.combine(world.start, time(), UTC).timestamp()) * 1_000_000
    limit = (
        pl.when("leaving").then(pl.lit(StayLimit.UNKNOWN.value))
        .when((pl.col("limit") == 0) & (pl.col("list") == "booth"))
        .then(pl.lit(StayLimit.DATED.value))
        .when((pl.col("limit") == 2) & (pl.col("list") == "booth"))
        .then(pl.lit(StayLimit.NONE.value))
        .otherwise(pl.lit(StayLimit.UNKNOWN.value))
    )  # fmt: skip
    known = ~pl.col("leaving") & (pl.col("list") == "booth")
    timed = records.with_columns(
        (pl.col("time") + zero).cast(TIMESTAMP).alias("event_time"),
        (pl.col("time") + zero + pl.col("delay")).cast(TIMESTAMP).alias("recorded_at"),
        limit.alias("stay_limit"),
    )
    until = (pl.col("arrived") + zero).cast(TIMESTAMP).dt.date() + pl.duration(
        days=pl.col("permitted_days")
    )
    frame = timed.with_columns(
        pl.when("leaving")
        .then(pl.lit("departure"))
        .otherwise(pl.lit("arrival"))
        .alias("direction"),
        pl.col("event_time").dt.date().alias("local_date"),
        pl.col("list").replace_strict(EVIDENCE).alias("evidence"),
        pl.when(pl.col("mode") == Mode.AIR.value)
        .then(pl.concat_str("carrier", (pl.col("stay") % 900 + 100).cast(pl.String)))
        .alias("service"),
        pl.lit("P").alias("document_type"),
        pl.col("nationality").alias("document_issuer"),
        pl.when(known).then("admission_class").alias("admission_class"),
        pl.when(known & (pl.col("limit") == 0)).then(until).alias("authorised_until"),
        pl.lit(value=False).alias("withdrawn"),
    )
    return CROSSINGS.conform(frame)


def _truth(records: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Ids of the strongest record at each end, for stays seen at both; what makes them hard."""
    solid = records.filter(pl.col("list") != "booking").sort("stay", "list", "crossing_id")
    ends = {
        leaving: solid.filter(pl.col("leaving") == leaving).unique("stay", keep="first")
        for leaving in (False, True)
    }
    both = (
        ends[False].select("stay", arrival_id="crossing_id")
        .join(ends[True].select("stay", departure_id="crossing_id"), on="stay")
        .join(cases, on="stay", how="left")
    )  # fmt: skip
    return TRUTH.conform(both).sort(TRUTH.key)


def _true_stays(stays: pl.DataFrame, people: pl.DataFrame, world: World) -> pl.DataFrame:
    end = world.days * DAY
    day = pl.lit(world.start).cast(pl.Datetime("us"))
    left = pl.when(pl.col("departed") < end).then("departed")
    return stays.join(
        people.select("traveller", "nationality"), on="traveller", how="left",
        maintain_order="left",
    ).select(
        "stay", "traveller", "nationality", "admission_class", "arrival_mode", "departure_mode",
        (day + pl.duration(microseconds=pl.col("arrived"))).dt.date().alias("arrival_date"),
        (day + pl.duration(microseconds=left)).dt.date().alias("departure_date"),
        ((day + pl.duration(microseconds=pl.col("arrived"))).dt.date()
         + pl.duration(days=pl.col("permitted_days"))).alias("authorised_until"),
    )  # fmt: skip


def _status_changes(
    people: pl.DataFrame, stays: pl.DataFrame, world: World, rng: np.random.Generator
) -> pl.DataFrame:
    """Extensions and pending applications of some stays, most of them timely."""
    picked = stays.filter(pl.Series(rng.random(stays.height) < world.extensions))
    count = picked.height
    late = rng.random(count) < 0.1
    kinds = pl.Series(np.where(rng.random(count) < 0.2, StatusKind.PENDING, StatusKind.EXTENSION))
    lead = np.where(late, -rng.integers(1, 20, count), rng.integers(1, 15, count))
    zero = pl.lit(world.start).cast(TIMESTAMP)
    frame = picked.join(people, on="traveller", how="left", maintain_order="left").with_columns(
        kinds.alias("kind"),
        until=(zero + pl.duration(microseconds=pl.col("arrived"))).dt.date()
        + pl.duration(days=pl.col("permitted_days")),
        lead=pl.Series(lead),
    )
    frame = frame.with_columns(effective_date=pl.col("until") - pl.duration(days=pl.col("lead")))
    born = pl.concat_str(
        pl.col("year").cast(pl.String), pl.col("month").cast(pl.String).str.zfill(2),
        pl.col("day").cast(pl.String).str.zfill(2), separator="-",
    )  # fmt: skip
    letters = {i: chr(i) for i in range(65, 91)}
    changes = frame.with_columns(
        source=pl.lit("residence-office"),
        status_id=pl.concat_str(pl.lit("ST"), pl.col("stay").cast(pl.String)),
        recorded_at=pl.col("effective_date").cast(TIMESTAMP) + pl.duration(hours=12),
        given_names=pl.col("given"),
        birth_date=born,
        document_type=pl.lit("P"),
        document_issuer=pl.col("nationality"),
        document_number=pl.concat_str(
            pl.col("letter").replace_strict(letters),
            pl.col("number").cast(pl.String).str.zfill(8),
        ),
        new_class=pl.lit(None, pl.String),
        new_authorised_until=pl.when(pl.col("kind") == StatusKind.EXTENSION.value).then(
            pl.col("until") + pl.duration(days=60)
        ),
    )
    return STATUS_CHANGES.conform(changes).sort("status_id")


def measure_agreement(country: Country) -> Agreement:
    """How far the true pairs of a country agree as written: the pin on its difficulty."""
    written = country.crossings.select("crossing_id", *SIX)
    pairs = country.truth.join(written, left_on="arrival_id", right_on="crossing_id").join(
        written, left_on="departure_id", right_on="crossing_id", suffix="_left"
    )
    same = {n: pairs[n].eq_missing(pairs[f"{n}_left"]) for n in SIX}
    every = pl.DataFrame(same).select(pl.all_horizontal(pl.all())).to_series()
    mean = every.mean(), same["document_number"].mean()
    return Agreement(pairs.height, float(mean[0] or 0.0), float(mean[1] or 0.0))  # type: ignore[arg-type]
