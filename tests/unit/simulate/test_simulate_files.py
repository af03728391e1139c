"""What a country leaves on disk and on the wire: the same bytes, true truth, nothing secret."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import polars as pl
import pytest

from sojourn.policy import load_policy
from sojourn.read import read_bytes, read_file
from sojourn.schemas import TRUTH, check_table
from sojourn.simulate import Country, World, build_country, stream_country, write_country
from sojourn.simulate.manifests import write_manifests

NOW = datetime(2026, 6, 1, tzinfo=UTC)
READ = load_policy().read
# A change of the simulator changes it, and every figure that was measured with it.
PINNED = "0dca010e787b916ea34110db811947fe4deaaf1c8832c8ebd9273c6cd2c73701"


@pytest.fixture(scope="module")
def country() -> Country:
    return build_country(World(stays=3000, seed=8))


def test_a_small_country_is_the_one_it_always_was() -> None:
    text = build_country(World(stays=300, seed=7)).crossings.write_csv()
    assert hashlib.sha256(text.encode()).hexdigest() == PINNED


def test_truth_is_an_arrival_and_a_departure_of_one_stay(country: Country) -> None:
    check_table(country.truth, TRUTH)
    known = country.crossings.select("crossing_id", "direction", "evidence").join(
        country.travellers, on="crossing_id", validate="1:1"
    )
    pairs = country.truth.join(known, left_on="arrival_id", right_on="crossing_id").join(
        known, left_on="departure_id", right_on="crossing_id", suffix="_left"
    )
    assert pairs.height == country.truth.height > 2000
    assert pairs["stay"].equals(pairs["stay_left"])
    assert pairs["traveller"].equals(pairs["traveller_left"])
    assert pairs["direction"].unique().to_list() == ["arrival"]
    assert pairs["direction_left"].unique().to_list() == ["departure"]
    assert "booked" not in set(pairs["evidence"]) | set(pairs["evidence_left"])
    assert pairs["stay"].is_unique().all()


def test_every_stay_seen_at_both_ends_has_its_truth(country: Country) -> None:
    solid = country.crossings.filter(pl.col("evidence") != "booked").join(
        country.travellers, on="crossing_id"
    )
    ends = solid.group_by("stay").agg(pl.col("direction").n_unique())
    assert ends.filter(pl.col("direction") == 2).height == country.truth.height


def test_files_are_written_alike_and_say_nothing_of_who_travelled(
    country: Country, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_country(country, tmp_path / name)
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert one == two
    tables = {p.name: p for p in (tmp_path / "one").glob("*")}
    names = {"crossings.parquet", "status_changes.parquet", "truth.parquet", "manifests"}
    assert set(tables) == names
    for name in names - {"manifests"}:
        assert {"traveller", "stay"}.isdisjoint(pl.read_parquet_schema(tables[name]))


def test_written_crossings_are_read_back_whole(country: Country, tmp_path: Path) -> None:
    write_country(country, tmp_path, manifests=False)
    assert not (tmp_path / "manifests").exists()
    parts = list(read_file(tmp_path / "crossings.parquet", READ, source=None, now=NOW))
    assert sum(p.rejects.height for p in parts) == 0
    ids = pl.concat([p.crossings for p in parts])["crossing_id"]
    assert ids.n_unique() == len(ids) == country.crossings.height


def test_a_manifest_gives_back_what_was_written_of_each_traveller(country: Country) -> None:
    """Under each quirk. A sender of Latin-1 loses other scripts: those records are left out."""
    asked = ["surname", "given_names", "birth_date", "sex", "nationality", "document_number"]
    plain = country.crossings.filter(
        ~pl.concat_str("surname", "given_names").str.contains(r"[^ -~]")
    )
    found = []
    for manifest in islice(write_manifests(plain), 250):
        reading = read_bytes(
            manifest.data, manifest.file_name, READ, source=manifest.source, now=NOW
        )
        assert reading.rejects.height == 0
        assert reading.crossings.height == manifest.travellers
        found.append(reading.crossings)
    read = pl.concat(found)
    assert read.height > 250
    key = ["source", "direction", *asked]
    # What a manifest says is compared as a bag: its record ids are the reader's own.
    counted = read.group_by(key).len("read")
    wanted = plain.group_by(key).len("written")
    both = counted.join(wanted, on=key, how="left", nulls_equal=True)
    assert both["written"].null_count() == 0
    assert (both["read"] <= both["written"]).all()


def test_a_stream_loses_no_record_of_its_country() -> None:
    world = World(stays=80, seed=6, days=60)
    parcels = stream_country(world, rate=8, now=NOW)
    first = next(parcels)
    told, live = first.crossings, 0
    for parcel in islice(parcels, 400):
        found = read_bytes(
            parcel.data, parcel.file_name, READ, source=parcel.source,
            now=parcel.due + timedelta(minutes=1),
        ).crossings  # fmt: skip
        if found["crossing_id"].str.contains(r"-\d+$").any():
            break
        live += found.height
    else:
        pytest.fail("the next country never came")
    start = (NOW - timedelta(days=round(world.days * 0.875))).date()
    whole = build_country(World(stays=80, seed=6, days=60, start=start)).crossings.height
    assert told + live == whole


def test_a_stream_is_due_at_the_rate_that_was_asked_for() -> None:
    for rate in (4.0, 40.0):
        parcels = list(islice(stream_country(World(stays=400, seed=2), rate=rate, now=NOW), 41))
        live = parcels[1:]
        seconds = (live[-1].due - NOW).total_seconds()
        assert sum(p.crossings for p in live) / seconds == pytest.approx(rate, rel=0.1)
        assert all(not p.backlog for p in live)


def test_a_stream_outlives_many_countries() -> None:
    parcels = stream_country(World(stays=12, seed=5, days=20), rate=100, now=NOW)
    names = [(p.source, p.file_name) for p in islice(parcels, 60)]
    assert len(set(names)) == len(names) == 60
