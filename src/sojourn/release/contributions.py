"""The privacy unit made real: how much one stay may change released counts in its whole life.

In: STAYS with their outcomes as known at the close of a day, and what each crossing has added to
counts so far. Out: ``Contributions``: the changes by event day and cell (small whole numbers,
negative where something is taken back), and the new state. Pure.

A stay is an arrival crossing, a departure crossing, or both. Each holds *places*, and each place
is one count at a time:

| place | of | counts | on |
|---|---|---|---|
| arrived | arrival | arrived | the day of the arrival |
| ended | arrival | permission_ended | the last permitted day, once it is over |
| left | arrival | left_in_time, left_late or status_changed | the last permitted day, once over |
| departed | departure | departed | the day of the departure |

To fill a place for the first time costs nothing of the corrections. Whatever changes it later does:
one for taking it back or filling it again, two for moving it. An arrival and a departure have
``2 * max_corrections`` each; what would cost more is not done, and counted. So an arrival changes
at most ``3 + 2c`` counts of a table, a departure ``1 + 2c``, a stay ``4 + 4c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import polars as pl

from sojourn.policy import ReleasePolicy
from sojourn.release.cells import CodeLists, coded
from sojourn.vocabulary import Outcome, StayEvent, StayLimit

CELL = ("event", "day", "nationality", "mode", "admission_class")


class Place(IntEnum):
    """Where a crossing may stand in counts, in the order in which its corrections are spent."""

    ARRIVED = 1
    ENDED = 2
    LEFT = 3
    DEPARTED = 4


PLACES = pl.Schema(
    {
        "crossing_ref": pl.Binary,
        "place": pl.Int64,
        "event": pl.String,
        "day": pl.Date,
        "nationality": pl.String,
        "mode": pl.String,
        "admission_class": pl.String,
    }
)
# ``corrections``: spent on this place so far. No event: taken back, the place stands empty.
STATE = pl.Schema([*PLACES.items(), ("corrections", pl.Int64), ("dies_on", pl.Date)])
CHANGES = pl.Schema([*((n, PLACES[n]) for n in CELL), ("count", pl.Int64)])
_BY_OUTCOME = {
    Outcome.DEPARTED_IN_TIME.value: StayEvent.LEFT_IN_TIME.value,
    Outcome.DEPARTED_LATE.value: StayEvent.LEFT_LATE.value,
    Outcome.STATUS_CHANGED.value: StayEvent.STATUS_CHANGED.value,
}


@dataclass(frozen=True)
class Contributions:
    """What one release would add to counts, before noise. Confidential."""

    changes: pl.DataFrame  # CHANGES: summed over stays, zeros left out
    state: pl.DataFrame  # STATE: the rows that are new or differ
    dropped: int  # changes not made, for want of corrections


def place_stays(
    stays: pl.DataFrame, through: date, lists: CodeLists, dies_on: pl.Expr
) -> pl.DataFrame:
    """STAYS with ``outcome``, as known at the close of ``through``, into PLACES with ``dies_on``.

    ``dies_on``: the day of the stay's horizon. Modes are of the arrival; of the departure for
    ``departed``. A last permitted day counts once it is over, so that a timely extension moves
    nothing.
    """
    words = ("nationality", "mode", "departure_mode", "admission_class", "outcome", "stay_limit")
    plain = coded(stays.with_columns(pl.col(w).cast(pl.String) for w in words), lists)
    plain = plain.with_columns(dies_on=dies_on)
    came = plain.filter(pl.col("arrival_ref").is_not_null())
    over = came.filter(
        (pl.col("stay_limit") == StayLimit.DATED.value) & (pl.col("authorised_until") < through)
    )
    left = over.filter(pl.col("outcome").is_in(list(_BY_OUTCOME)))
    departed = plain.filter(pl.col("departure_ref").is_not_null())
    event = StayEvent
    parts = (
        _placed(came, "arrival", Place.ARRIVED, pl.lit(event.ARRIVED.value), "arrival_date"),
        _placed(over, "arrival", Place.ENDED, pl.lit(event.PERMISSION_ENDED.value),
                "authorised_until"),
        _placed(left, "arrival", Place.LEFT, pl.col("outcome").replace_strict(_BY_OUTCOME),
                "authorised_until"),
        _placed(departed.with_columns(mode=pl.coalesce("departure_mode", "mode")), "departure",
                Place.DEPARTED, pl.lit(event.DEPARTED.value), "departure_date"),
    )  # fmt: skip
    return pl.concat(parts).filter(pl.col("day") <= through)


def _placed(stays: pl.DataFrame, end: str, place: Place, event: pl.Expr, day: str) -> pl.DataFrame:
    return stays.select(
        pl.col(f"{end}_ref").alias("crossing_ref"),
        pl.lit(int(place), dtype=pl.Int64).alias("place"),
        event.cast(pl.String).alias("event"),
        pl.col(day).alias("day"),
        "nationality", "mode", "admission_class", "dies_on",
    )  # fmt: skip


def contribute(places: pl.DataFrame, state: pl.DataFrame, policy: ReleasePolicy) -> Contributions:
    """PLACES with ``dies_on`` as they stand now, and STATE so far, into ``Contributions``.

    A crossing that is in the state and not in ``places`` was withdrawn (one past its horizon has
    no state). Whatever the input, the bounds hold: a place that comes twice is taken once.
    """
    standing = places.unique(["crossing_ref", "place"], keep="first", maintain_order=True)
    both = state.join(
        standing, on=["crossing_ref", "place"], how="full", coalesce=True, suffix="_now"
    )
    same = pl.all_horizontal(pl.col(n).eq_missing(pl.col(f"{n}_now")) for n in CELL)
    known, held = pl.col("corrections").is_not_null(), pl.col("event").is_not_null()
    fills = pl.col("event_now").is_not_null()
    cost = held.cast(pl.Int64) + fills.cast(pl.Int64)
    spent = pl.col("corrections").fill_null(0)
    asked = (
        both.with_columns(
            cost=pl.when(known & ~same).then(cost).otherwise(0), spent=spent, first=~known
        )
        .sort("crossing_ref", "place")
        .with_columns(
            budget=2 * policy.max_corrections - pl.col("spent").sum().over("crossing_ref"),
            asked=pl.col("cost").cum_sum().over("crossing_ref"),
        )
        .filter(pl.col("first") | (pl.col("cost") > 0))
    )
    allowed = asked.filter(pl.col("first") | (pl.col("asked") <= pl.col("budget")))
    taken = allowed.filter(pl.col("event").is_not_null()).select(*CELL, count=-1)
    given = allowed.filter(pl.col("event_now").is_not_null()).select(
        *(pl.col(f"{n}_now").alias(n) for n in CELL), count=1
    )
    changes = (
        pl.concat([taken, given])
        .group_by(CELL)
        .agg(pl.col("count").sum().cast(pl.Int64))
        .filter(pl.col("count") != 0)
        .sort(CELL)
    )
    fresh = allowed.select(
        "crossing_ref", "place", *(pl.col(f"{n}_now").alias(n) for n in CELL),
        corrections=pl.col("spent") + pl.col("cost"),
        dies_on=pl.coalesce("dies_on_now", "dies_on"),
    )  # fmt: skip
    dropped = int(asked["cost"].sum()) - int(allowed["cost"].sum())
    return Contributions(changes.select(list(CHANGES)), fresh.select(list(STATE)), dropped)


def empty_state() -> pl.DataFrame:
    """What has been added before anything was."""
    return pl.DataFrame(schema=STATE)
