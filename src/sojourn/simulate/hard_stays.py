"""When hard people come and go.

In: travellers and a world. Out: stays as ``simulate.stays`` makes them (``COLUMNS``), with
``case``, ``came_as`` and ``left_as`` (0: the first papers, 1: the later ones), ``came_with`` and
``left_with`` (a number: all who have it are on one carrier's list) where a case needs them. Times
are microseconds from the world's start.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.schemas import HardCase, Mode
from sojourn.simulate.stays import DAY, build_stays
from sojourn.simulate.world import World

COLUMNS = (
    "arrived", "departed", "permitted_days", "admission_class", "arrival_mode", "departure_mode",
    "limit", "party", "traveller",
)  # fmt: skip
MINUTE = DAY // 1440
QUEUE = 5 * MINUTE  # those who travel together cross within it
WORKDAYS_A_YEAR = 230  # of a commuter
TURNS = (2, 5)  # stays on one day, at least and under
Rng = np.random.Generator


def lone_for(stays: int, world: World) -> int:
    """Travellers who make so many stays, as in an ordinary country."""
    return max(10, int(stays / world.stays_per_traveller * 1.3))


def pairs_for(stays: int, world: World) -> int:
    return max(5, lone_for(stays, world) // 2)


def commuters_for(world: World) -> int:
    return max(2, math.ceil(world.hard_stays / (WORKDAYS_A_YEAR * world.days / 365)) + 1)


def turning_for(world: World) -> int:
    return world.hard_stays // TURNS[0] + 2


def ordinary(people: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """Stays like anybody's; nobody of them is a commuter."""
    plain = replace(world, stays=world.hard_stays, commuters=0.0)
    return build_stays(people.select("traveller", "party"), plain, rng).select(COLUMNS)


def in_parties(people: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """Stays of parties, whose members cross within minutes of each other, by one carrier."""
    stays = ordinary(people, world, rng)
    return stays.with_columns(came_with="arrived", left_with="departed").with_columns(
        (pl.col(end) + pl.Series(rng.integers(0, QUEUE, stays.height))).alias(end)
        for end in ("arrived", "departed")
    )


def leave_apart(pairs: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """One stay of each pair: of two, one leaves before the other; of half, one comes later too."""
    once = replace(world, stays_per_traveller=1.0)
    stays = in_parties(pairs, once, rng)
    count = stays.height
    length = pl.col("departed") - pl.col("arrived")
    odd = pl.col("traveller") % 2 == 1
    later = pl.Series(rng.random(count) < 0.5) & odd
    return stays.with_columns(
        arrived=pl.when(later)
        .then(
            pl.col("arrived") + (length * pl.Series(rng.uniform(0.05, 0.4, count))).cast(pl.Int64)
        )
        .otherwise("arrived"),
        departed=pl.when(odd)
        .then(
            pl.col("departed") - (length * pl.Series(rng.uniform(0.05, 0.5, count))).cast(pl.Int64)
        )
        .otherwise("departed"),
        came_with=pl.when(later).then(None).otherwise("came_with"),
        left_with=pl.lit(None, pl.Int64),
    ).with_columns(pl.col("arrived").fill_null(stays["arrived"]))


def change_once(people: pl.DataFrame, case: HardCase, world: World, rng: Rng) -> pl.DataFrame:
    """Each traveller's papers change during one stay; stays before and after have no case."""
    many = replace(world, hard_stays=20 * world.hard_stays)
    stays = ordinary(people, many, rng)
    drawn = pl.Series(rng.random(stays.height))
    stays = stays.with_columns(drawn=drawn)
    hard = pl.col("drawn") == pl.col("drawn").max().over("traveller")
    changed = pl.col("arrived").filter(hard).first().over("traveller")
    return stays.with_columns(
        case=pl.when(hard).then(pl.lit(case.value)),
        came_as=(pl.col("arrived") > changed).cast(pl.Int8),
        left_as=(pl.col("arrived") >= changed).cast(pl.Int8),
    ).drop("drawn")


def commuting(people: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """By land on most workdays, for a shift of eight hours or so; some stay overnight."""
    days = np.arange(world.days)
    count = people.height
    works = (days % 7 < 5) & (rng.random((count, world.days)) < WORKDAYS_A_YEAR / 260)
    who, day = np.nonzero(works)
    arrived = day + 0.3 + rng.normal(0.0, 0.03, who.size)
    length = np.where(
        rng.random(who.size) < 0.03, rng.uniform(0.8, 0.9, who.size),
        rng.normal(0.36, 0.04, who.size).clip(0.1, 0.6),
    )  # fmt: skip
    stays = _stays(people, who, arrived, arrived + length, "WORK", 365)
    return stays.head(world.hard_stays)


def within_minutes(people: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """Transit and crew: through the border and back within 10 minutes to two hours."""
    stays = ordinary(people, world, rng)
    count = stays.height
    crew = pl.Series(rng.random(count) < 0.4)
    mode = pl.Series(np.where(rng.random(count) < 0.85, Mode.AIR.value, Mode.SEA.value))
    return stays.with_columns(
        departed=pl.col("arrived") + pl.Series(rng.integers(10 * MINUTE, 120 * MINUTE, count)),
        permitted_days=pl.when(crew).then(29).otherwise(3) + world.permitted_shift,
        admission_class=pl.when(crew).then(pl.lit("CREW")).otherwise(pl.lit("TRANSIT")),
        arrival_mode=mode,
        departure_mode=mode,
        limit=pl.lit(0),
    )


def turning_round(people: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """Two to four stays on one day, each and each pause of 20 minutes to two hours.

    A traveller uses one carrier.
    """
    turns = rng.integers(*TURNS, people.height)
    who = np.repeat(np.arange(people.height), turns)
    steps = rng.uniform(20, 120, (who.size, 2)) / 1440  # pause, then stay
    total = np.cumsum(steps.sum(axis=1))
    before = total - steps.sum(axis=1)
    first = np.r_[True, who[1:] != who[:-1]]
    day = rng.integers(0, world.days, people.height) + 0.15
    arrived = day[who] + steps[:, 0] + before - before[first][np.cumsum(first) - 1]
    mode = rng.choice(
        [Mode.LAND.value, Mode.SEA.value, Mode.AIR.value], people.height, p=[0.6, 0.3, 0.1]
    )[who]
    stays = _stays(people, who, arrived, arrived + steps[:, 1], "VISIT", 90)
    stays = stays.with_columns(
        arrival_mode=pl.Series(mode), departure_mode=pl.Series(mode), came_with="traveller",
        left_with="traveller",
    )  # fmt: skip
    return stays.head(world.hard_stays)


def _stays(
    people: pl.DataFrame, who: NDArray[np.int64], arrived: NDArray[np.float64],
    departed: NDArray[np.float64], admission_class: str, permitted: int,
) -> pl.DataFrame:  # fmt: skip
    """Stays by land of the travellers at positions ``who``; times in days."""
    return people.select("traveller", "party")[who].with_columns(
        arrived=pl.Series((arrived * DAY).astype(np.int64)),
        departed=pl.Series((departed * DAY).astype(np.int64)),
        permitted_days=pl.lit(permitted, pl.Int64),
        admission_class=pl.lit(admission_class),
        arrival_mode=pl.lit(Mode.LAND.value),
        departure_mode=pl.lit(Mode.LAND.value),
        limit=pl.lit(0, pl.Int64),
    ).select(COLUMNS)  # fmt: skip
