"""Who is hard to link: twins, families, those of two passports, of a new name, of one name.

In: how many, and a world. Out: ``People``: travellers as ``simulate.people`` makes them, from the
same lists of names, and the papers that some of them get later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.simulate.people import CUSTOMS, build_people, name_people
from sojourn.simulate.world import World

SAME_SEX_TWINS = 0.7
FATHER_AND_SON = 0.3  # of families: the eldest child is a boy of his father's names
ISSUED_TOGETHER = 0.5  # of families: their document numbers follow one another
OTHER_SPELLING = 0.5  # of second passports: another school's, as far as it differs
ONE_SURNAME_LESS = 0.25  # of second passports
DOUBLE_BARRELLED = 0.5  # of changed names; the others are replaced
NEW_PASSPORT = 0.5  # of changed names
# Where a single name is common (ICAO Doc 9303-3 puts it where the surname stands).
SINGLE_NAMES = ("IDN", "IND", "BGD", "PAK")
TALES = ("", "_native", "_other")  # the three spellings of a name
Rng = np.random.Generator


@dataclass(frozen=True)
class People:
    """``later``: rows of ``first``'s travellers with the papers that they show afterwards."""

    first: pl.DataFrame
    later: pl.DataFrame


def lone(count: int, world: World, rng: Rng) -> People:
    """Travellers without a party."""
    heads = _heads(count, world, rng)
    return People(heads, heads.clear())


def _heads(count: int, world: World, rng: Rng) -> pl.DataFrame:
    """One traveller of each of ``count`` parties."""
    made = build_people(2 * count + 60, world, rng)
    heads = made.unique("party", keep="first", maintain_order=True).head(count)
    return heads.with_columns(traveller=pl.arange(count), party=pl.arange(count))


def _members(heads: pl.DataFrame, size: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    """Each head so many times, numbered anew; ``place`` in the party from 0."""
    rows = np.repeat(np.arange(heads.height), size)
    place = np.arange(rows.size) - np.repeat(np.cumsum(size) - size, size)
    return heads[rows].with_columns(traveller=pl.arange(rows.size), place=pl.Series(place))


def _named(members: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """Given names of their own, the party's surname."""
    first = (members["place"] == 0).to_numpy()
    named = name_people(members, first, world, rng)
    again = name_people(members, first, world, rng)
    # Nobody gives two children one name.
    repeated = pl.struct("party", "given").is_duplicated()
    return named.with_columns(
        pl.when(repeated & (pl.col("place") > 0)).then(again[n]).otherwise(pl.col(n)).alias(n)
        for n in ("given", "given_native", "given_other")
    )


def twins(count: int, world: World, rng: Rng) -> People:
    """Pairs: one surname, one birth date, document numbers next to one another."""
    pairs = _members(_heads(count, world, rng), np.full(count, 2))
    second = pl.col("place") == 1
    other = pl.when(pl.col("sex") == "F").then(pl.lit("M")).otherwise(pl.lit("F"))
    unlike = pl.Series(rng.random(pairs.height) >= SAME_SEX_TWINS)
    pairs = pairs.with_columns(
        sex=pl.when(second & unlike).then(other).otherwise("sex"),
        number=pl.col("number") + pl.col("place"),
    )
    named = _named(pairs, world, rng)
    return People(named.drop("place"), named.drop("place").clear())


def families(count: int, world: World, rng: Rng) -> People:
    """Father, mother and one to three children under one surname."""
    heads = _heads(count, world, rng)
    members = _members(heads, rng.integers(3, 6, count))
    rows = members.height
    child = pl.col("place") > 1
    drawn = pl.Series(np.where(rng.random(rows) < 0.5, "F", "M"))
    role = pl.when(pl.col("place") == 0).then(pl.lit("M")).when(~child).then(pl.lit("F"))
    together = pl.Series(rng.random(count) < ISSUED_TOGETHER)
    members = members.with_columns(
        issued=together[members["party"]],
        named_after=pl.Series(rng.random(count) < FATHER_AND_SON)[members["party"]],
        age=pl.Series(rng.integers(22, 40, rows)),
    ).with_columns(
        son=pl.col("named_after") & (pl.col("place") == 2),
        month=pl.when(pl.col("place") == 0).then("month").otherwise(
            pl.Series(rng.integers(1, 13, rows))),
        day=pl.when(pl.col("place") == 0).then("day").otherwise(
            pl.Series(rng.integers(1, 29, rows))),
        year=pl.when(child).then((pl.col("year") + pl.col("age")).clip(upper_bound=2024))
        .otherwise(pl.col("year") + pl.col("place") * (pl.col("age") - 30) // 2),
        number=pl.when("issued").then(pl.col("number") + pl.col("place"))
        .otherwise(pl.Series(rng.integers(1_000_000, 99_999_999, rows))),
    ).with_columns(sex=role.when("son").then(pl.lit("M")).otherwise(drawn))  # fmt: skip
    named = _named(members, world, rng)
    fathers = [
        pl.when("son").then(pl.col(f"given{t}").first().over("party")).otherwise(f"given{t}")
        .alias(f"given{t}") for t in TALES
    ]  # fmt: skip
    named = named.with_columns(fathers).drop("place", "issued", "named_after", "age", "son")
    return People(named, named.clear())


def _new_number(count: int, rng: Rng) -> pl.Series:
    return pl.Series(rng.integers(1_000_000, 99_999_999, count))


def dual_nationals(count: int, world: World, rng: Rng) -> People:
    """A second passport, another nation's: of some another spelling, or a name less."""
    heads = _heads(count, world, rng)
    nations = pl.Series([c.nationality for c in CUSTOMS])[rng.integers(0, len(CUSTOMS), count)]
    spelt = pl.Series(rng.random(count) < OTHER_SPELLING)
    less = pl.Series(rng.random(count) < ONE_SURNAME_LESS)
    shorter = [
        pl.when(less).then(pl.col(n).str.split(" ").list.first()).otherwise(n).alias(n)
        for n in ("surname", "surname_native", "surname_other")
    ]
    second = heads.with_columns(
        *(pl.when(spelt).then(f"{n}_other").otherwise(n).alias(n) for n in ("surname", "given")),
        number=_new_number(count, rng),
        letter=pl.Series(rng.integers(65, 91, count)),
        nationality=nations,
    ).with_columns(shorter)
    return People(heads, second)


def renewed(count: int, world: World, rng: Rng) -> People:
    """The same traveller under a new document number."""
    heads = _heads(count, world, rng)
    return People(heads, heads.with_columns(number=_new_number(count, rng)))


def renamed(count: int, world: World, rng: Rng) -> People:
    """Women who marry: another surname, or the old one and another; of some a new passport."""
    women = _heads(count, world, rng).with_columns(sex=pl.lit("F"))
    alone = np.ones(count, np.bool_)
    women = name_people(women, alone, world, rng)
    after = name_people(women, alone, world, rng)
    both = pl.Series(rng.random(count) < DOUBLE_BARRELLED)
    surnames = [f"surname{t}" for t in TALES]
    joined = [
        pl.when(both).then(pl.concat_str(n, after[n], separator=" ")).otherwise(after[n]).alias(n)
        for n in surnames
    ]
    number = pl.Series(rng.random(count) < NEW_PASSPORT)
    second = women.with_columns(
        *joined, number=pl.when(number).then(_new_number(count, rng)).otherwise("number")
    )
    return People(women, second)


def of_one_name(count: int, world: World, rng: Rng) -> People:
    """One name, written as the surname; from countries where that is common."""
    customs = [i for i, c in enumerate(CUSTOMS) if c.nationality in SINGLE_NAMES]
    heads = _heads(count, world, rng).with_columns(
        custom=pl.Series(rng.choice(customs, count)).cast(pl.Int16)
    )
    named = name_people(heads, np.ones(count, np.bool_), world, rng)
    own = pl.Series(rng.random(count) < 0.5)
    single = [
        pl.when(own & (pl.col(f"given{t}") != "")).then(f"given{t}").otherwise(f"surname{t}")
        .str.split(" ").list.first().alias(f"surname{t}") for t in TALES
    ]  # fmt: skip
    named = named.with_columns(single).with_columns(pl.lit("").alias(f"given{t}") for t in TALES)
    return People(named, named.clear())
