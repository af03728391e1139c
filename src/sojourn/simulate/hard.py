"""Hard people: a cast whose stays are hard to link, each for a reason that the truth names.

In: a world with ``hard_stays``. Out: a ``Cast``: so many stays of every ``HardCase``, with the
people who make them and the records that sources write of them. They come and go among the
ordinary travellers of the same country, under its rates of coverage and of error: what makes a
case hard comes on top. Who they are: ``hard_people``. When they come and go: ``hard_stays``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.schemas import HardCase
from sojourn.simulate import hard_people as who
from sojourn.simulate import hard_stays as when
from sojourn.simulate.hard_people import People
from sojourn.simulate.records import CARRIERS, seen_ends, write_down
from sojourn.simulate.world import World

# What is known of a birth date at one end of a stay.
FULL, NO_DAY, NOTHING = 0, 1, 2
Rng = np.random.Generator


@dataclass(frozen=True)
class Cast:
    """``people`` and ``stays`` as of an ordinary country, numbered from 0; ``stays`` with ``case``.

    ``stays`` has also stays before and after a hard one of the same traveller: their case is null.
    """

    people: pl.DataFrame
    stays: pl.DataFrame
    records: pl.DataFrame


@dataclass(frozen=True)
class Part:
    """One case: people, the papers that they get later, and stays."""

    people: People
    stays: pl.DataFrame


def build_cast(world: World, rng: Rng) -> Cast:
    """``world.hard_stays`` stays of each case (of the last travellers fewer, in short worlds)."""
    parts = [_with_plain_ends(CASES[case](world, rng), case) for case in HardCase]
    people, later, stays, travellers = [], [], [], 0
    for part in parts:
        moved = pl.col("traveller") + travellers
        people.append(part.people.first.with_columns(moved))
        later.append(part.people.later.with_columns(moved))
        stays.append(part.stays.with_columns(moved))
        travellers += part.people.first.height
    every = pl.concat(stays).with_row_index("stay").with_columns(pl.col("stay").cast(pl.Int64))
    first = pl.concat(people)
    papers = pl.concat(
        [first.with_columns(version=pl.lit(0)), pl.concat(later).with_columns(version=pl.lit(1))]
    )
    return Cast(first, every, _records(every, papers, world, rng))


def _with_plain_ends(part: Part, case: HardCase) -> Part:
    """Stays in full: what a case says nothing of is as with everybody."""
    plain = {"came_as": 0, "left_as": 0, "came_dated": FULL, "left_dated": FULL}
    stays = part.stays
    alone = {"came_with": None, "left_with": None}
    missing = [pl.lit(v).alias(n) for n, v in (plain | alone).items() if n not in stays.columns]
    if "case" not in stays.columns:
        missing.append(pl.lit(case.value).alias("case"))
    columns = [*when.COLUMNS, "case", *plain, *alone]
    whole = stays.with_columns(missing).select(columns)
    small = whole.with_columns(
        pl.col("permitted_days", "limit", *alone).cast(pl.Int64), pl.col(*plain).cast(pl.Int8)
    )
    return Part(part.people, small)


def _records(stays: pl.DataFrame, papers: pl.DataFrame, world: World, rng: Rng) -> pl.DataFrame:
    """What sources write: the papers shown at each end, ordinary errors, dates left out."""
    ends = seen_ends(stays, world, rng)
    about = stays.select("stay", pl.col("^(came|left)_.*$"))
    ends = ends.join(about, on="stay", how="left", maintain_order="left").with_columns(
        version=pl.when("leaving").then("left_as").otherwise("came_as"),
        dated=pl.when("leaving").then("left_dated").otherwise("came_dated"),
        source=_carriers(),
    )
    papers = papers.with_columns(pl.col("version").cast(pl.Int8))
    held = ends.join(papers, on=["traveller", "version"], how="left", maintain_order="left")
    written = write_down(held, world, rng)
    born = pl.col("birth_date")
    return written.with_columns(
        pl.when(pl.col("dated") == NOTHING).then(None)
        .when(pl.col("dated") == NO_DAY).then(pl.concat_str(born.str.slice(0, 8), pl.lit("00")))
        .otherwise(born).alias("birth_date")
    )  # fmt: skip


def _carriers() -> pl.Expr:
    """The source: who travel together are on the list of one carrier."""
    together = pl.when("leaving").then("left_with").otherwise("came_with")
    theirs = pl.concat_str(
        pl.lit("carrier-"), (together % len(CARRIERS)).replace_strict(dict(enumerate(CARRIERS)))
    )
    listed = (pl.col("list") == "carrier") & together.is_not_null()
    return pl.when(listed).then(theirs).otherwise("source")


def _twins_together(world: World, rng: Rng) -> Part:
    people = who.twins(when.pairs_for(world.hard_stays, world), world, rng)
    return Part(people, when.in_parties(people.first, world, rng))


def _twins_apart(world: World, rng: Rng) -> Part:
    people = who.twins(world.hard_stays // 2 + 1, world, rng)
    return Part(people, when.leave_apart(people.first, world, rng))


def _family(world: World, rng: Rng) -> Part:
    people = who.families(when.pairs_for(world.hard_stays, world) // 2 + 2, world, rng)
    return Part(people, when.in_parties(people.first, world, rng))


def _dual_national(world: World, rng: Rng) -> Part:
    people = who.dual_nationals(when.lone_for(world.hard_stays, world), world, rng)
    stays = when.ordinary(people.first, world, rng)
    return Part(people, stays.with_columns(left_as=pl.lit(1)))


def _renewed(world: World, rng: Rng) -> Part:
    people = who.renewed(world.hard_stays, world, rng)
    return Part(people, when.change_once(people.first, HardCase.RENEWED, world, rng))


def _name_changed(world: World, rng: Rng) -> Part:
    people = who.renamed(world.hard_stays, world, rng)
    return Part(people, when.change_once(people.first, HardCase.NAME_CHANGED, world, rng))


def _commuter(world: World, rng: Rng) -> Part:
    people = who.lone(when.commuters_for(world), world, rng)
    return Part(people, when.commuting(people.first, world, rng))


def _within_minutes(world: World, rng: Rng) -> Part:
    people = who.lone(when.lone_for(world.hard_stays, world), world, rng)
    return Part(people, when.within_minutes(people.first, world, rng))


def _same_day(world: World, rng: Rng) -> Part:
    people = who.lone(when.turning_for(world), world, rng)
    return Part(people, when.turning_round(people.first, world, rng))


def _undated(what: int) -> Callable[[World, Rng], Part]:
    """Half of the stays at both ends, a quarter at each of the two."""

    def build(world: World, rng: Rng) -> Part:
        people = who.lone(when.lone_for(world.hard_stays, world), world, rng)
        stays = when.ordinary(people.first, world, rng)
        where = pl.Series(rng.integers(0, 4, stays.height))
        came = pl.when(where != 3).then(pl.lit(what)).otherwise(pl.lit(FULL))
        left = pl.when(where != 2).then(pl.lit(what)).otherwise(pl.lit(FULL))
        return Part(people, stays.with_columns(came_dated=came, left_dated=left))

    return build


def _one_name(world: World, rng: Rng) -> Part:
    people = who.of_one_name(when.lone_for(world.hard_stays, world), world, rng)
    return Part(people, when.ordinary(people.first, world, rng))


CASES: dict[HardCase, Callable[[World, Rng], Part]] = {
    HardCase.TWINS_TOGETHER: _twins_together,
    HardCase.TWINS_APART: _twins_apart,
    HardCase.FAMILY: _family,
    HardCase.DUAL_NATIONAL: _dual_national,
    HardCase.RENEWED: _renewed,
    HardCase.NAME_CHANGED: _name_changed,
    HardCase.COMMUTER: _commuter,
    HardCase.WITHIN_MINUTES: _within_minutes,
    HardCase.SAME_DAY: _same_day,
    HardCase.BIRTH_DATE_MISSING: _undated(NOTHING),
    HardCase.BIRTH_DAY_MISSING: _undated(NO_DAY),
    HardCase.ONE_NAME: _one_name,
}
