"""The simulated country: the same seed, the same bytes; as hard as policy pins it; honest truth."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import islice

import polars as pl
import pytest

from sojourn.policy import load_policy
from sojourn.read import read_bytes
from sojourn.schemas import CROSSINGS, STATUS_CHANGES, check_table
from sojourn.simulate import Country, World, build_country
from sojourn.simulate.country import measure_agreement
from sojourn.simulate.manifests import write_manifests
from sojourn.simulate.stream import stream_country

WORLD = World(stays=6000, seed=12)


@pytest.fixture(scope="module")
def country() -> Country:
    return build_country(WORLD)


def digest(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def test_the_same_world_gives_the_same_bytes(country: Country) -> None:
    again = build_country(WORLD)
    for name in ("crossings", "status_changes", "truth", "stays"):
        assert digest(getattr(again, name)) == digest(getattr(country, name))
    assert digest(build_country(World(stays=6000, seed=13)).crossings) != digest(country.crossings)


def test_its_tables_are_what_the_schemas_say(country: Country) -> None:
    check_table(country.crossings, CROSSINGS)
    check_table(country.status_changes, STATUS_CHANGES)
    ids = set(country.crossings["crossing_id"])
    assert set(country.truth["arrival_id"]) | set(country.truth["departure_id"]) <= ids


def test_travellers_come_from_thirty_nationalities_and_more(country: Country) -> None:
    assert country.crossings["nationality"].n_unique() >= 30


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_as_hard_as_is_pinned(seed: int) -> None:
    pin = measure_agreement(build_country(World(stays=8000, seed=seed, lists=1)))
    assert pin.all_six <= 0.72
    assert pin.document_number <= 0.88


def test_every_kind_of_error_occurs(country: Country) -> None:
    people = country.crossings.join(country.travellers, on="crossing_id")
    changed = people.group_by("traveller").agg(
        pl.col("document_number").n_unique().alias("documents"),
        pl.col("nationality").n_unique().alias("nationalities"),
        pl.col("surname").n_unique().alias("surnames"),
        pl.col("birth_date").n_unique().alias("dates"),
    )
    for column in ("documents", "nationalities", "surnames", "dates"):
        assert (changed[column] > 1).any(), column
    assert people["birth_date"].str.ends_with("-01-01").any()
    assert people["birth_date"].str.contains("-00").any() or people["birth_date"].null_count() > 0
    assert people["document_number"].null_count() > 0
    evidence = set(people["evidence"].cast(pl.String))
    assert evidence == {"booked", "boarded", "crossed"}


def test_land_exits_are_the_worst_covered() -> None:
    country = build_country(World(stays=20_000, seed=3))
    left = country.stays.filter(pl.col("departure_date") < pl.date(2025, 12, 1))
    recorded = (
        country.crossings.filter(
            (pl.col("direction") == "departure") & (pl.col("evidence") != "booked")
        )
        .join(country.travellers, on="crossing_id")
        .select("stay")
        .unique()
        .with_columns(seen=pl.lit(value=True))
    )
    seen = (
        left.join(recorded, on="stay", how="left")
        .group_by(pl.col("departure_mode").cast(pl.String))
        .agg(pl.col("seen").fill_null(value=False).mean())
    )
    by_mode: dict[str, float] = dict(seen.iter_rows())
    assert 0.6 < by_mode["land"] < 0.85
    assert by_mode["air"] > 0.95
    assert min(by_mode, key=lambda mode: by_mode[mode]) == "land"


def test_its_manifests_are_read_back_as_they_were_written(country: Country) -> None:
    policy = load_policy().read
    now = datetime(2026, 6, 1, tzinfo=UTC)
    wanted = read = 0
    for manifest in islice(write_manifests(country.crossings), 300):
        found = read_bytes(
            manifest.data, manifest.file_name, policy, source=manifest.source, now=now
        )
        wanted += manifest.travellers
        read += found.crossings.height
        assert found.rejects.height == 0
        assert set(found.crossings["evidence"].cast(pl.String)) <= {"boarded"}
    assert wanted == read > 100


def test_the_stream_hands_over_each_record_once_and_goes_on() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    policy = load_policy().read
    seen: list[str] = []
    due = now
    parcels = stream_country(World(stays=60, seed=5, days=80), rate=10, now=now)
    backlog = next(parcels)
    assert backlog.backlog
    for parcel in islice(parcels, 120):
        assert due <= parcel.due <= due + timedelta(seconds=2)
        due = parcel.due
        later = parcel.due + timedelta(minutes=1)
        found = read_bytes(
            parcel.data, parcel.file_name, policy, source=parcel.source, now=later
        ).crossings
        assert found.height == parcel.crossings
        seen += found.select(pl.concat_str("source", "crossing_id")).to_series().to_list()
    assert len(set(seen)) == len(seen)
    assert [name for name in seen if name.endswith("-1")], "the next country has begun"
