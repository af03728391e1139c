"""What status changes do to a stay's permission.

In: stays (references, departure_date, class, last permitted day, limit) and the status changes
that are known. Out: the stays after them, in the order of their days. The rules, with their
reasons: docs/adr/0022; each has a drawn example in docs/explanation/outcomes.md.

- In time is what was filed by the last permitted day, or while an application filed in time
  waited. What was filed later changes nothing.
- An extension moves the last permitted day. A change or adjustment with a day moves it and the
  class. Without one no limit is left: the class and the day that fell away stay, for the stay
  counts there.
- An application that waits changes neither, but is kept as the last status. Refused, the stay
  was permitted until the decision, or until a later day that the decision names.
- A death or a naturalisation ends the stay, whenever it was: no limit is left, no departure is
  expected. Where there was no day, the day it happened takes its place.
- What happened after the departure is not of this stay.
- A change that is told again (the same reference, ``other_ref``) takes the place of the one before.

So ``authorised_until`` with ``stay_limit`` none means: the day that fell away.
"""

from __future__ import annotations

import polars as pl

from sojourn.schemas import EVENTS, STAYS, StatusKind, StayLimit

ENDS = (StatusKind.NATURALISED, StatusKind.DECEASED)
_REPLACES = (StatusKind.CHANGE, StatusKind.ADJUSTMENT)
# Of one day, an application comes before its decision and an end after everything.
_FIRST, _LAST = 0, 2


def apply_statuses(
    stays: pl.DataFrame, statuses: pl.DataFrame, groups: pl.DataFrame
) -> pl.DataFrame:
    """``stays`` (one per ``group``) with ``status_kind``, and their permission as it became.

    ``statuses``: crossing_ref, local_date, recorded_at, admission_class, authorised_until,
    status_kind, other_ref, in the order in which they were told. ``groups``: which crossing
    (``group``) a report (``crossing_ref``) is of.
    """
    dated = pl.col("stay_limit").cast(pl.String) == StayLimit.DATED
    stays = stays.with_columns(
        pl.when(dated).then("authorised_until").alias("authorised_until"),
        pl.lit(None, EVENTS.schema["status_kind"]).alias("status_kind"),
    )
    if not statuses.height:
        return stays
    kind = pl.col("status_kind").cast(pl.String)
    rank = pl.when(kind == StatusKind.PENDING).then(_FIRST).when(kind.is_in(ENDS)).then(_LAST)
    ordered = (
        statuses.join(groups, on="crossing_ref", how="inner", maintain_order="left")
        .filter(pl.col("other_ref").is_null() | pl.struct("group", "other_ref").is_last_distinct())
        .with_columns(rank=rank.otherwise(1))
        .sort("group", "local_date", "rank", "recorded_at", maintain_order=True)
        .with_columns(turn=pl.int_range(pl.len()).over("group"))
    )
    for turn in range(ordered["turn"].n_unique()):
        step = ordered.filter(pl.col("turn") == turn).select(
            "group", new_class="admission_class", new_until="authorised_until",
            new_kind="status_kind", effective="local_date",
        )  # fmt: skip
        stays = _one_status(stays.join(step, on="group", how="left", maintain_order="left"))
    return stays


def _one_status(stays: pl.DataFrame) -> pl.DataFrame:
    """One change each, for the stays that have one more (``new_kind`` is null for the others)."""
    kind, held = pl.col("new_kind").cast(pl.String), pl.col("status_kind").cast(pl.String)
    until, left, day = pl.col("authorised_until"), pl.col("departure_date"), pl.col("effective")
    limit = pl.col("stay_limit").cast(pl.String)
    dated = (limit == StayLimit.DATED) & until.is_not_null()
    waiting = (held == StatusKind.PENDING).fill_null(value=False)
    going_on = kind.is_not_null() & ~held.is_in(ENDS).fill_null(value=False)
    here = going_on & (left.is_null() | (day <= left))
    in_time = here & (~dated | (day <= until) | waiting)
    named = pl.col("new_until").is_not_null()
    replaced = in_time & kind.is_in(_REPLACES)
    moved = (in_time & (kind == StatusKind.EXTENSION) & named) | (replaced & named)
    refused = here & waiting & (kind == StatusKind.REFUSED)
    ended = going_on & kind.is_in(ENDS) & (left.is_null() | (day < left))
    freed = ended | (replaced & ~named)
    counted = moved | freed | refused | (in_time & (kind == StatusKind.PENDING))
    decided = pl.max_horizontal(until, pl.coalesce("new_until", "effective"))
    return stays.with_columns(
        pl.when(moved).then("new_until").when(refused & dated).then(decided)
        .when(freed).then(pl.coalesce("authorised_until", "effective")).otherwise(until)
        .alias("authorised_until"),
        pl.when(moved).then(pl.lit(StayLimit.DATED.value))
        .when(freed).then(pl.lit(StayLimit.NONE.value)).otherwise(limit)
        .cast(STAYS.schema["stay_limit"]).alias("stay_limit"),
        pl.when(replaced & named).then(pl.coalesce("new_class", "admission_class"))
        .otherwise("admission_class").alias("admission_class"),
        pl.when(counted).then("new_kind").otherwise("status_kind").alias("status_kind"),
    ).drop("new_class", "new_until", "new_kind", "effective")  # fmt: skip
