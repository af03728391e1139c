"""Small countries: their tables fit schemas, agree with each other, and with what is true."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lib.small_offices import office, world
from sojourn.schemas import COUNTS, LINKAGE_QUALITY, LISTS, REPORTING, VINTAGES, check_table
from sojourn.simulate.small import NEVER, build_small
from sojourn.simulate.small_world import Kind, draw_world
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import Outcome


@pytest.mark.parametrize("kind", list(Kind))
def test_tables_are_what_schemas_say(kind: Kind) -> None:
    made = office(world(kind, stays=4_000)).tables(450, np.random.default_rng(1))
    for frame, table in (
        (made.counts, COUNTS), (made.vintages, VINTAGES), (made.reporting, REPORTING),
        (made.lists, LISTS), (made.linkage, LINKAGE_QUALITY),
    ):  # fmt: skip
        check_table(frame, table)
        assert frame.height


def test_the_same_generator_gives_the_same_country() -> None:
    one, two = (
        build_small(draw_world(Kind.PLAIN, np.random.default_rng(5)), np.random.default_rng(6))
        for _ in range(2)
    )
    assert (one.left == two.left).all()
    assert (one.reported == two.reported).all()


def test_counts_are_stays_one_by_one() -> None:
    of = office(world(stays=3_000))
    c, day = of.country, 450
    made = of.tables(day, np.random.default_rng(1))
    expected = {o.value: 0 for o in Outcome}
    for at in range(len(c.left)):
        closes = min(c.reported[at] if c.seen[at] else NEVER, c.false_on[at])
        if min(c.changed[at], closes) <= day:
            if c.changed[at] < closes:
                name = Outcome.STATUS_CHANGED
            else:
                gone = (
                    c.left[at]
                    if c.seen[at] and c.reported[at] <= c.false_on[at]
                    else c.false_on[at]
                )
                late = gone > c.until[at]
                name = Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME
            expected[name.value] += 1
        elif c.until[at] < day:
            expected[Outcome.NO_DEPARTURE_RECORDED.value] += 1
    found = dict(made.counts.group_by(pl.col("outcome").cast(pl.String)).agg(
        pl.col("value").sum()
    ).rows())  # fmt: skip
    assert found == {k: float(n) for k, n in expected.items() if n}


def test_who_came_again_had_left() -> None:
    c = office(world(stays=5_000)).country
    again = c.again < NEVER
    assert (c.left[again] < c.again[again]).all()
    made = office(world(stays=5_000)).tables(800, np.random.default_rng(1))
    number = dict(
        made.linkage.filter(pl.col("group_kind") == "all")
        .group_by(pl.col("what").cast(pl.String)).agg(pl.col("value").sum()).rows()
    )  # fmt: skip
    assert 0 < number[What.REENTRIES_CLOSED.value] < number[What.REENTRIES.value]


def test_a_source_that_stops_is_heard_no_more() -> None:
    c = office(world(Kind.STOPS, stays=20_000)).country
    land = c.mode == 1
    assert not (c.recorded & land & (c.left >= 430) & (c.left < NEVER)).any()
    assert (c.recorded & land & (c.left < 430)).any()
