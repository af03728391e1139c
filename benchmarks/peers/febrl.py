"""FEBRL 4 mapped to our columns: originals arrive on one day, duplicates depart on another.

Freely Extensible Biomedical Record Linkage, data set 4: 5,000 invented originals and a duplicate
of each, with errors. Of its columns those are taken that a crossing has: names, date of birth, and
the social security number as the document's. A sanity check: every peer solves it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from sojourn.schemas import CROSSINGS, TIMESTAMP, TRUTH

ARRIVED = datetime(2025, 3, 3, tzinfo=UTC)
STAYED = timedelta(days=7)  # alike for all: time must not tell who is who
SECONDS_APART = 10


def map_febrl(a: pl.DataFrame, b: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """FEBRL's two files (strings) to CROSSINGS and TRUTH.

    ``rec-17-org`` and ``rec-17-dup-0`` are the two ends of one stay. A date of birth that has not
    eight digits becomes null. Files keep their order, so that times do not tell pairs.
    """
    crossings = pl.concat(
        [_side(a, "arrival", ARRIVED), _side(b, "departure", ARRIVED + STAYED)]
    )  # fmt: skip
    person = pl.col("rec_id").str.extract(r"^(rec-\d+)-")
    truth = a.select(person.alias("person"), arrival_id="rec_id").join(
        b.select(person.alias("person"), departure_id="rec_id"), on="person"
    )
    return crossings, TRUTH.conform(truth)


def _side(records: pl.DataFrame, direction: str, day: datetime) -> pl.DataFrame:
    at = (
        pl.lit(day).cast(TIMESTAMP) + pl.duration(seconds=pl.int_range(pl.len()) * SECONDS_APART)
    ).cast(TIMESTAMP)
    born = pl.col("date_of_birth").str.strip_chars()
    dashed = pl.concat_str(
        born.str.slice(0, 4), pl.lit("-"), born.str.slice(4, 2), pl.lit("-"), born.str.slice(6, 2)
    )
    return CROSSINGS.conform(
        records.select(
            source=pl.lit("febrl"),
            crossing_id="rec_id",
            direction=pl.lit(direction),
            event_time=at,
            recorded_at=at,
            local_date=pl.lit(day.date()),
            evidence=pl.lit("crossed"),
            mode=pl.lit("air"),
            surname=pl.col("surname").fill_null("").str.to_uppercase(),
            given_names=pl.col("given_name").fill_null("").str.to_uppercase(),
            birth_date=pl.when(born.str.contains(r"^\d{8}$")).then(dashed),
            nationality=pl.lit("AUS"),
            document_number=pl.col("soc_sec_id"),
            stay_limit=pl.lit("unknown"),
            withdrawn=pl.lit(value=False),
        )
    )
