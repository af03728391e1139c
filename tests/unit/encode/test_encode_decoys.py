"""Decoys are nobody: made of parts of many, so that what links to them is chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sojourn.encode import make_decoys
from sojourn.schemas import CROSSINGS, check_table
from sojourn.simulate import World, build_country


@pytest.fixture(scope="module")
def crossings() -> pl.DataFrame:
    return build_country(World(stays=3_000, seed=5, lists=2)).crossings


def decoys_of(crossings: pl.DataFrame, share: float = 0.5, seed: int = 1) -> pl.DataFrame:
    made = make_decoys(crossings, share, np.random.default_rng(seed))
    return made.crossings.with_columns(made.family.alias("family"))


def test_decoys_are_departures_that_pass_the_encoders_door(crossings: pl.DataFrame) -> None:
    made = make_decoys(crossings, 0.5, np.random.default_rng(1)).crossings
    check_table(made, CROSSINGS)
    assert made["direction"].unique().to_list() == ["departure"]
    assert "booked" not in made["evidence"].cast(pl.String).to_list()


def test_the_same_seed_makes_the_same_decoys(crossings: pl.DataFrame) -> None:
    assert decoys_of(crossings).equals(decoys_of(crossings))
    assert not decoys_of(crossings).equals(decoys_of(crossings, seed=2))


def test_no_decoy_is_somebody(crossings: pl.DataFrame) -> None:
    made = decoys_of(crossings)
    somebody = ["surname", "given_names", "birth_date"]
    assert made.height > 500
    assert not made.join(crossings, on=somebody, how="semi").height
    assert not made.join(crossings, on="document_number", how="semi").height


def test_parts_stay_within_a_nationality_where_it_has_enough_records(
    crossings: pl.DataFrame,
) -> None:
    made = decoys_of(crossings).filter(pl.col("nationality") == "CHN")
    chinese = crossings.filter(pl.col("nationality") == "CHN")
    assert made.height
    assert made["surname"].is_in(chinese["surname"].implode()).all()
    assert made["given_names"].is_in(chinese["given_names"].implode()).all()


def test_given_names_keep_their_sex(crossings: pl.DataFrame) -> None:
    known = crossings.select("given_names", "sex").drop_nulls().unique()
    made = decoys_of(crossings).filter(pl.col("sex").is_not_null())
    assert made.join(known, on=["given_names", "sex"], how="semi").height == made.height


def test_a_family_decoy_departs_with_a_companion_of_its_surname(crossings: pl.DataFrame) -> None:
    made = decoys_of(crossings).filter("family")
    together = ["surname", "event_time", "port"]
    assert made.join(crossings, on=together, how="semi", nulls_equal=True).height == made.height


def test_a_family_decoys_document_is_a_near_neighbour(crossings: pl.DataFrame) -> None:
    made = decoys_of(crossings).filter("family").select("surname", "event_time", "document_number")
    owners = crossings.select("surname", "event_time", "document_number")
    pairs = made.join(owners, on=["surname", "event_time"], suffix="_own").drop_nulls()
    digits = [
        pl.col(n).str.extract(r"(\d{1,8})$").cast(pl.Int64) for n in
        ("document_number", "document_number_own")
    ]  # fmt: skip
    near = pairs.filter((digits[0] - digits[1]).is_between(1, 9))
    assert near.height > 0.9 * made.drop_nulls().height


def test_a_batch_too_small_to_hide_anybody_in_gives_none(crossings: pl.DataFrame) -> None:
    assert not decoys_of(crossings.head(19), share=1.0).height
    assert not decoys_of(crossings.clear(), share=1.0).height
    arrivals = crossings.filter(pl.col("direction") == "arrival")
    assert not decoys_of(arrivals, share=1.0).height
