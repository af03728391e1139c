"""What became of each stay, as known at the end of a day.

In: STAYS and ``known_at`` (a date). Out: the same rows with ``outcome`` and ``counts_on``, the
day under which the stay is counted. Terms follow the published reports (docs/explanation/
outcomes.md). Dates are the port's local dates; the last permitted day itself is in time.

| stay | departed | outcome | counted on |
|---|---|---|---|
| limit dated | by the last permitted day | departed in time | last permitted day |
| limit dated | later | departed late | last permitted day |
| limit dated, day not over | no record | within period | last permitted day |
| limit dated, day over | no record | no departure recorded | last permitted day |
| ... an application pending | late or no record | status changed | last permitted day |
| limit gone by status, death | yes or no | status changed | the day that fell away (statuses) |
| limit none or unknown | yes | departed, no limit | departure |
| limit none or unknown | no record | open, no limit | arrival |
| no arrival | yes | departure without arrival | departure |

Neither nationality nor sex nor age is looked at.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from sojourn.schemas import Outcome, StatusKind, StayLimit, enum_of

OUTCOME = enum_of(Outcome)


def _is(outcome: Outcome) -> pl.Expr:
    return pl.lit(outcome.value)


def assign_outcomes(stays: pl.DataFrame, known_at: date) -> pl.DataFrame:
    """STAYS with ``outcome`` (Outcome) and ``counts_on`` (date). Pure."""
    until, left = pl.col("authorised_until"), pl.col("departure_date")
    dated = (pl.col("stay_limit") == StayLimit.DATED) & until.is_not_null()
    gone = left.is_not_null()
    pending = (pl.col("status_kind") == StatusKind.PENDING).fill_null(value=False)
    # No limit and yet a day: the one that fell away (sojourn.ledger.statuses).
    changed = (pl.col("stay_limit") == StayLimit.NONE) & until.is_not_null()
    outcome = (
        pl.when(pl.col("arrival_ref").is_null()).then(_is(Outcome.DEPARTURE_WITHOUT_ARRIVAL))
        .when(changed).then(_is(Outcome.STATUS_CHANGED))
        .when(dated & gone & (left <= until)).then(_is(Outcome.DEPARTED_IN_TIME))
        .when(dated & ~gone & (until >= known_at)).then(_is(Outcome.WITHIN_PERIOD))
        .when(dated & pending).then(_is(Outcome.STATUS_CHANGED))
        .when(dated & gone).then(_is(Outcome.DEPARTED_LATE))
        .when(dated).then(_is(Outcome.NO_DEPARTURE_RECORDED))
        .when(gone).then(_is(Outcome.DEPARTED_NO_LIMIT))
        .otherwise(_is(Outcome.OPEN_NO_LIMIT))
    )  # fmt: skip
    counts_on = (
        pl.when(pl.col("arrival_ref").is_null()).then(left)
        .when(dated | changed).then(until)
        .when(gone).then(left)
        .otherwise(pl.col("arrival_date"))
    )  # fmt: skip
    return stays.with_columns(outcome.cast(OUTCOME).alias("outcome"), counts_on.alias("counts_on"))
