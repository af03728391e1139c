"""Every error a source makes is found in a country, at about the rate that is written down.

The same world without noise says what each record would have been: records are compared one by
one, by stay, direction and source, and never by what the simulator says of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from sojourn.simulate import World, build_country, measure_agreement

Row = dict[str, Any]
Says = Callable[[Row], bool]
WORLD = World(stays=9000, seed=21)
CLEAN = World(stays=9000, seed=21, noise=0.0)
ENDS = ["stay", "direction", "source"]
WRITTEN = [
    "surname", "given_names", "birth_date", "sex", "nationality", "document_number",
]  # fmt: skip
ONE_SCHOOL = {"DEU", "FRA", "GBR", "USA", "ESP", "MEX", "BRA", "ITA", "PRT", "IDN", "PHL"}
LOOK_ALIKE = {frozenset(p) for p in ("O0", "I1", "S5", "B8", "Z2", "G6")}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Each record as written; ``was_*`` is what it would have been without errors."""
    written, clean = (_ended(world) for world in (WORLD, CLEAN))
    was = clean.select(*ENDS, pl.col(WRITTEN).name.prefix("was_"))
    joined = written.join(was, on=ENDS, validate="1:1")
    assert joined.height == written.height == clean.height
    return joined.to_dicts()


def _ended(world: World) -> pl.DataFrame:
    country = build_country(world)
    found = country.crossings.join(country.travellers, on="crossing_id", validate="1:1")
    return found.select(*ENDS, "traveller", *WRITTEN)


def apart(one: str, other: str) -> list[tuple[str, str]]:
    """The letters in which two texts of one length differ; two texts of two lengths: all."""
    if len(one) != len(other):
        return [("", "")] * max(len(one), len(other))
    return [(a, b) for a, b in zip(one, other, strict=True) if a != b]


def wrong_by(row: Row, field: str) -> list[tuple[str, str]]:
    return apart(row[f"was_{field}"], row[field] or "")


def same(row: Row, *fields: str) -> bool:
    return all(row[f] == row[f"was_{f}"] for f in fields)


def renewed(row: Row) -> bool:
    kept = same(row, "nationality") and row["document_number"] is not None
    return kept and row["direction"] == "departure" and len(wrong_by(row, "document_number")) > 2


def changed_passport_with_nation(row: Row) -> bool:
    other = row["nationality"] and not same(row, "nationality")
    return bool(other) and row["direction"] == "departure"


def married(row: Row) -> bool:
    """Another surname altogether: no misspelling of the old one, and no other school's."""
    leaves = row["direction"] == "departure" and row["was_sex"] == "F"
    written = row["surname"].isascii() and row["was_nationality"] in ONE_SCHOOL
    alike = SequenceMatcher(None, row["was_surname"], row["surname"]).ratio()
    return leaves and written and same(row, "given_names") and alike < 0.4


def misread(row: Row) -> bool:
    if row["document_number"] is None:
        return False
    found = wrong_by(row, "document_number")
    return len(found) == 1 and frozenset(found[0]) in LOOK_ALIKE


def swapped_names(row: Row) -> bool:
    crossed = row["surname"] == row["was_given_names"] and row["given_names"] == row["was_surname"]
    return crossed and not same(row, "surname")


def day_and_month_swapped(row: Row) -> bool:
    year, month, day = row["was_birth_date"].split("-")
    return month != day and bool(row["birth_date"] == f"{year}-{day}-{month}")


def first_of_january(row: Row) -> bool:
    return row["birth_date"].endswith("-01-01") and not row["was_birth_date"].endswith("-01-01")


def wrong_year(row: Row) -> bool:
    off = int(row["birth_date"][:4]) - int(row["was_birth_date"][:4])
    return off in (-10, -1, 1, 10) and row["birth_date"][4:] == row["was_birth_date"][4:]


def given_dropped(row: Row) -> bool:
    first, *more = row["was_given_names"].split()[:2] or [""]
    return bool(more) and row["given_names"] == first


def given_cut_to_an_initial(row: Row) -> bool:
    return len(row["was_given_names"]) > 1 and row["given_names"] == row["was_given_names"][0]


def surname_dropped(row: Row) -> bool:
    parts = row["was_surname"].split()
    return len(parts) > 1 and row["surname"] in (parts[0], parts[-1])


def one_letter_off(row: Row) -> bool:
    one, was = row["surname"], row["was_surname"]
    return len(one) == len(was) and len(apart(was, one)) == 1 and one.isascii()


def other_sex(row: Row) -> bool:
    return row["sex"] is not None and not same(row, "sex")


# Shares of all records: wide, for some rates are of stays or of those with two names.
KINDS: list[tuple[Says, float, float]] = [
    (renewed, 0.008, 0.03),
    (changed_passport_with_nation, 0.001, 0.008),
    (married, 0.0001, 0.003),
    (misread, 0.005, 0.024),
    (lambda r: r["document_number"] is None, 0.015, 0.032),
    (swapped_names, 0.004, 0.012),
    (day_and_month_swapped, 0.0008, 0.006),
    (first_of_january, 0.002, 0.009),
    (lambda r: "-00" in r["birth_date"], 0.001, 0.006),
    (wrong_year, 0.0015, 0.008),
    (given_dropped, 0.005, 0.06),
    (given_cut_to_an_initial, 0.002, 0.012),
    (surname_dropped, 0.002, 0.03),
    (one_letter_off, 0.004, 0.03),
    (other_sex, 0.001, 0.006),
    (lambda r: r["sex"] is None, 0.003, 0.01),
    (lambda r: r["nationality"] is None, 0.004, 0.013),
]
NAMES = [
    "renewed passport", "another nation's passport", "name changed by marriage", "ocr",
    "document missing", "swapped names", "day and month swapped", "first of january",
    "date in part", "wrong year", "given dropped", "initial", "surname dropped", "wrong letter",
    "wrong sex", "sex missing", "nationality missing",
]  # fmt: skip


@pytest.mark.parametrize(("says", "least", "most"), KINDS, ids=NAMES)
def test_an_error_occurs_about_as_often_as_is_written_down(
    rows: list[Row], says: Says, least: float, most: float
) -> None:
    share = sum(map(says, rows)) / len(rows)
    assert least <= share <= most


@pytest.mark.parametrize(
    ("nationality", "was", "spelt"), [("CHN", "ZHANG", "CHANG"), ("KOR", "GIM", "KIM")]
)
def test_names_come_in_another_schools_spelling(
    rows: list[Row], nationality: str, was: str, spelt: str
) -> None:
    of_them = [r for r in rows if r["was_nationality"] == nationality and r["was_surname"] == was]
    assert any(r["surname"] == spelt for r in of_them)
    assert sum(r["surname"] == was for r in of_them) > len(of_them) / 2


def test_only_carriers_write_the_original_script(rows: list[Row]) -> None:
    sources = {r["source"] for r in rows if not r["surname"].isascii()}
    assert sources
    assert all(s.startswith("carrier-") for s in sources)


def test_twins_share_a_birth_date_and_have_neighbouring_passports() -> None:
    people = _ended(CLEAN).filter(direction="arrival").unique("traveller").sort("traveller")
    before = people.select(pl.col(*WRITTEN, "traveller").shift(1).name.prefix("one_"))
    number = pl.col("document_number").str.slice(1).cast(pl.Int64)
    one = pl.col("one_document_number").str.slice(1).cast(pl.Int64)
    twins = pl.concat([people, before], how="horizontal").filter(
        pl.col("traveller") == pl.col("one_traveller") + 1,
        pl.col("birth_date") == pl.col("one_birth_date"),
        number == one + 1,
    )
    assert twins.height > 3
    assert (twins["surname"] == twins["one_surname"]).mean() == pytest.approx(1.0, abs=0.1)
    assert (twins["given_names"] != twins["one_given_names"]).any()


def test_more_noise_makes_a_harder_country() -> None:
    shares = [
        measure_agreement(build_country(World(stays=3000, seed=4, lists=1, noise=n)))
        for n in (0.0, 0.5, 1.0, 2.0)
    ]
    assert shares[0].all_six == shares[0].document_number == 1.0
    for easier, harder in pairwise(shares):
        assert harder.all_six < easier.all_six
        assert harder.document_number < easier.document_number


@pytest.mark.parametrize("seed", [3, 11, 2026])
@pytest.mark.parametrize("lists", [1, 2])
def test_other_seeds_are_as_hard(seed: int, lists: int) -> None:
    pin = measure_agreement(build_country(World(stays=4000, seed=seed, lists=lists)))
    assert pin.pairs > 2000
    assert 0.4 < pin.all_six <= 0.72
    assert 0.7 < pin.document_number <= 0.88
