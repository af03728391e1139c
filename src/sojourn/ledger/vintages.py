"""What months of stays were known to be at the end of each day: differences, appended.

In: the states of stays and closed cells, when a day has ended. Out: rows of ``vintages`` and
VINTAGES. Days end in UTC. The first commit after a day writes its vintage before it changes
anything, and so does every refresh. Days without a commit differ from the one before by midnight
alone; they are written together.

What could make a vintage untrue is noted, never passed over. A clock that jumps back: nothing is
written for a day that has its vintage already, commits on such days are counted (``refused``),
and days up to the last vintage are doubted: the fold is asked for them. History, which is loaded
with the days of its records: vintages begin again, with everything, on the day of the load.

A period past its horizon is final: its vintages are brought to ends of months, and cells that
never reached the smallest cell are summed into one (docs/adr/0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import counts
from sojourn.ledger.counts import DIMENSIONS
from sojourn.ledger.differences import fetch_columns
from sojourn.ledger.engine import fetch, insert_rows, run, run_many
from sojourn.ledger.notes import note, note_day, noted, noted_day
from sojourn.policy import SMALLEST_CELL_FLOOR, LedgerPolicy
from sojourn.schemas import VINTAGES, Outcome

LAST, SINCE, DOUBTED = "vintages_last", "vintages_since", "vintages_doubted_until"
REFUSED = "vintages_refused"
FINAL_BEFORE = ("vintages_final_before", "vintages_long_final_before")
# What stays become whose horizon is counted from the day under which they count. The others may
# change until the longer horizon of stays without a date.
DATED = (
    Outcome.WITHIN_PERIOD, Outcome.DEPARTED_IN_TIME, Outcome.DEPARTED_LATE,
    Outcome.NO_DEPARTURE_RECORDED, Outcome.DEPARTURE_WITHOUT_ARRIVAL,
)  # fmt: skip
CELL = ("period", *DIMENSIONS, "outcome")
SMALL = "small"  # in the place of each dimension
_TEXT = pl.Schema(dict.fromkeys(CELL, pl.String()) | {"value": pl.Int64})
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Kept:
    """From when to when vintages are there, and what was wrong."""

    since: date | None
    last: date | None
    doubted_until: date | None
    refused: int

    def hold(self, day: date) -> bool:
        """Whether the vintage of ``day`` is what was known at its end."""
        if self.since is None or self.last is None or not self.since <= day <= self.last:
            return False
        return self.doubted_until is None or day > self.doubted_until


def read_kept(connection: Connection) -> Kept:
    return Kept(
        noted_day(connection, SINCE),
        noted_day(connection, LAST),
        noted_day(connection, DOUBTED),
        int(noted(connection, REFUSED) or 0),
    )


def begin(connection: Connection, today: date) -> None:
    """The first vintage will be today's, once the day is over: everything."""
    note_day(connection, LAST, today - _ONE_DAY)
    note_day(connection, SINCE, today)


def begin_again(connection: Connection, day: date) -> None:
    """Vintages before ``day`` are no more what the fold says of them: history was loaded."""
    since = noted_day(connection, SINCE)
    note_day(connection, SINCE, max(day, since) if since else day)


def close_days(connection: Connection, today: date) -> int:
    """Write the vintages of all days that have ended before ``today``; how many rows."""
    last = noted_day(connection, LAST)
    if last is None or today <= last + _ONE_DAY:
        return 0
    first, ended = last + _ONE_DAY, today - _ONE_DAY
    counts.drop_empty(connection)
    states = counts.read_states(connection)
    open_still = ~_is_final(_limits(connection))
    cells = _months_at(connection, states, first).filter(open_still)
    held = _read_latest(connection)
    changed = _changed(held, cells).with_columns(known_at=pl.lit(first))
    moved = _midnights(states, cells, first, ended).filter(open_still)
    fresh = pl.concat([changed.select(VINTAGES.names), moved.select(VINTAGES.names)])
    insert_rows(connection, "vintages", VINTAGES.names, _as_text(fresh).rows())
    latest = fresh.sort("known_at").unique(CELL, keep="last", maintain_order=True)
    _write_latest(connection, latest.select(*CELL, "value"))
    note_day(connection, LAST, ended)
    return fresh.height


def refuse(connection: Connection, day: date) -> bool:
    """Whether ``day`` has its vintage already: the clock jumped back. Counted if so."""
    last = noted_day(connection, LAST)
    if last is None or day > last:
        return False
    if not fetch(connection, "SELECT 1 FROM vintages LIMIT 1"):
        begin(connection, day)  # nothing was said yet that could be untrue
        return False
    note(connection, REFUSED, str(int(noted(connection, REFUSED) or 0) + 1))
    note_day(connection, DOUBTED, max(last, noted_day(connection, DOUBTED) or last))
    return True


def months_of(states: pl.DataFrame, day: date) -> pl.DataFrame:
    """States into cells by month at the end of ``day``: CELL and value."""
    return (
        states.with_columns(
            counts.outcome_at(day).alias("outcome"), period=pl.col("counts_on").dt.month_start()
        )
        .group_by(CELL)
        .agg(pl.col("value").sum())
    )


def _months_at(connection: Connection, states: pl.DataFrame, day: date) -> pl.DataFrame:
    """Of stays that are held and of those past their horizon."""
    names = ", ".join(_TEXT)
    closed = fetch_columns(
        connection, f"SELECT {names} FROM closed_cells WHERE span = 'month'", _TEXT
    ).with_columns(pl.col("period").str.to_date())
    both = pl.concat([months_of(states, day), closed])
    return both.group_by(CELL).agg(pl.col("value").sum()).filter(pl.col("value") != 0)


def _changed(held: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Cells whose value is another; those that nobody is in any more have 0."""
    both = held.join(cells, on=CELL, how="full", coalesce=True, suffix="_now")
    now = pl.col("value_now").fill_null(0)
    return both.filter(now != pl.col("value").fill_null(0)).select(*CELL, value=now)


def _midnights(states: pl.DataFrame, cells: pl.DataFrame, first: date, ended: date) -> pl.DataFrame:
    """What the midnights after ``first`` changed, all days at once: values, not differences.

    A stay that counts on a day has its later outcome from the day after it on.
    """
    moving = states.filter(
        pl.col("counts_on").is_between(first, ended - _ONE_DAY)
        & (pl.col("outcome_until") != pl.col("outcome_after"))
    ).with_columns(
        known_at=pl.col("counts_on").dt.offset_by("1d"),
        period=pl.col("counts_on").dt.month_start(),
    )
    parts = [
        moving.select(
            "known_at", "period", *DIMENSIONS, pl.col(name).alias("outcome"),
            pl.col("value") * sign,
        )
        for name, sign in (("outcome_until", -1), ("outcome_after", 1))
    ]  # fmt: skip
    steps = (
        pl.concat(parts)
        .group_by("known_at", *CELL)
        .agg(pl.col("value").sum())
        .filter(pl.col("value") != 0)
        .sort("known_at", *CELL)
    )
    started = steps.join(cells, on=CELL, how="left", suffix="_first", maintain_order="left")
    value = pl.col("value").cum_sum().over(CELL) + pl.col("value_first").fill_null(0)
    return started.with_columns(value.alias("value"))


def read_vintages(connection: Connection) -> pl.DataFrame:
    """VINTAGES since they last began; the first of them holds everything."""
    since, last = noted_day(connection, SINCE), noted_day(connection, LAST)
    found = _read_all(connection)
    if since is None or last is None or last < since:
        return VINTAGES.empty()
    before = (
        found.filter(pl.col("known_at") <= since)
        .sort("known_at")
        .unique(CELL, keep="last", maintain_order=True)
        .filter(pl.col("value") != 0)
        .with_columns(known_at=pl.lit(since))
    )
    later = found.filter(pl.col("known_at") > since)
    return VINTAGES.conform(pl.concat([before, later])).sort(VINTAGES.key)


def bring_to_months(connection: Connection, policy: LedgerPolicy, today: date) -> int:
    """Make final the vintages of periods whose last day is past its horizon; how many rows stay.

    Which day a cell changed on is gone then, and so is whose it was where it is small.
    """
    month, horizon = today.replace(day=1), policy.horizon_months
    spans = (horizon, horizon + policy.open_ended_months)
    limits = tuple(pl.select(pl.lit(month).dt.offset_by(f"-{n}mo")).item() for n in spans)
    before = _limits(connection)
    if all(now <= then for now, then in zip(limits, before, strict=True)):
        return 0
    last = noted_day(connection, LAST) or today - _ONE_DAY
    newly = _is_final(limits) & ~_is_final(before)
    final = _coarser(_read_all(connection).filter(newly), last)
    marks = ", ".join("?" * len(DATED))
    for words, now, then, name in zip(("IN", "NOT IN"), limits, before, FINAL_BEFORE, strict=True):
        between = f"WHERE period < ? AND period >= ? AND outcome {words} ({marks})"
        values = (now.isoformat(), then.isoformat(), *DATED)
        run(connection, f"DELETE FROM vintages {between}", values)
        run(connection, f"DELETE FROM latest_vintage {between}", values)
        note_day(connection, name, max(now, then))
    insert_rows(connection, "vintages", VINTAGES.names, _as_text(final).rows())
    return final.height


def _limits(connection: Connection) -> tuple[date, date]:
    """Periods before them are final: of DATED outcomes, of the others."""
    dated, others = (noted_day(connection, name) or date.min for name in FINAL_BEFORE)
    return dated, others


def _is_final(limits: tuple[date, ...]) -> pl.Expr:
    dated = pl.col("outcome").cast(pl.String).is_in([o.value for o in DATED])
    limit = pl.when(dated).then(pl.lit(limits[0])).otherwise(pl.lit(limits[1]))
    return pl.col("period") < limit


def _coarser(found: pl.DataFrame, last: date) -> pl.DataFrame:
    small = pl.col("value").max().over(CELL) < SMALLEST_CELL_FLOOR
    steps = (
        found.sort("known_at")
        .with_columns(
            step=pl.col("value") - pl.col("value").shift(1).over(CELL).fill_null(0), small=small
        )
        .with_columns(
            pl.min_horizontal(pl.col("known_at").dt.month_end(), pl.lit(last)).alias("known_at"),
            *(pl.when("small").then(pl.lit(SMALL)).otherwise(d).alias(d) for d in DIMENSIONS),
        )
        .group_by("known_at", *CELL)
        .agg(pl.col("step").sum())
        .filter(pl.col("step") != 0)
        .sort("known_at")
    )
    return steps.with_columns(value=pl.col("step").cum_sum().over(CELL)).select(VINTAGES.names)


def _read_all(connection: Connection) -> pl.DataFrame:
    names = ", ".join(VINTAGES.names)
    stored = pl.Schema({"known_at": pl.String()} | dict(_TEXT))
    found = fetch_columns(connection, f"SELECT {names} FROM vintages", stored)
    return found.with_columns(pl.col("known_at", "period").str.to_date())


def _read_latest(connection: Connection) -> pl.DataFrame:
    found = fetch_columns(connection, f"SELECT {', '.join(_TEXT)} FROM latest_vintage", _TEXT)
    return found.with_columns(pl.col("period").str.to_date())


def _write_latest(connection: Connection, cells: pl.DataFrame) -> None:
    names = (*CELL, "value")
    run_many(
        connection,
        f"INSERT INTO latest_vintage ({', '.join(names)}) VALUES (?, ?, ?, ?, ?, ?) "
        f"ON CONFLICT ({', '.join(CELL)}) DO UPDATE SET value = excluded.value",
        _as_text(cells).rows(),
    )
    run(connection, "DELETE FROM latest_vintage WHERE value = 0")


def _as_text(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.with_columns(pl.col(n).cast(pl.String) for n in cells.columns if n != "value")
