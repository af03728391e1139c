"""Stays by state, kept by differences: what cells and estimates are made from.

In: stays before and after a change. Out: rows of ``stay_counts``, and COUNTS for any day.

A stay's state is two outcomes: what it is until the day under which it counts is over, and what
it is from then on. Most stays have the same twice; an open stay with a date is ``within_period``
and then ``no_departure_recorded``. So nothing that is stored changes at midnight. What an outcome
is, is not known here: ``Outcomes`` is handed in, and must ask for the day in no other way (tests
hold it to that).
"""

from __future__ import annotations

import hashlib
import inspect
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import fold, statuses
from sojourn.ledger.differences import add_up, difference, fetch_columns
from sojourn.ledger.engine import run
from sojourn.ledger.notes import note, noted
from sojourn.schemas import COUNTS

# STAYS as known at the end of a day -> the same with ``outcome`` and ``counts_on``.
Outcomes = Callable[[pl.DataFrame, date], pl.DataFrame]
DIMENSIONS = ("nationality", "mode", "admission_class")
STATE = ("counts_on", *DIMENSIONS, "outcome_until", "outcome_after")
UNKNOWN = "unknown"
STORED = pl.Schema(
    {"counts_on": pl.Int32} | dict.fromkeys(STATE[1:], pl.String()) | {"value": pl.Int64}
)
MARK = "counts_mark"
BEFORE_ALL, AFTER_ALL = date(1900, 1, 1), date(2900, 1, 1)


def count_states(stays: pl.DataFrame, outcomes: Outcomes) -> pl.DataFrame:
    """STAYS into how many are in each state."""
    until = outcomes(stays, BEFORE_ALL)
    after = outcomes(stays, AFTER_ALL)["outcome"].cast(pl.String)
    return (
        until.select(
            "counts_on",
            *(pl.col(d).cast(pl.String).fill_null(UNKNOWN) for d in DIMENSIONS),
            pl.col("outcome").cast(pl.String).alias("outcome_until"),
        )
        .with_columns(after.alias("outcome_after"))
        .group_by(STATE)
        .agg(pl.len().cast(pl.Int64).alias("value"))
    )


@dataclass(frozen=True)
class Step:
    """One change of the counts: the marks of what it led from and to, and the difference."""

    before: str | None
    after: str
    difference: pl.DataFrame


def shift_states(
    connection: Connection, before: pl.DataFrame, after: pl.DataFrame, outcomes: Outcomes
) -> Step:
    """Add what changed, ``before`` and ``after`` being STAYS."""
    counted = count_states(before, outcomes), count_states(after, outcomes)
    changed = difference(*counted)
    add_up(connection, "stay_counts", changed)
    return Step(noted(connection, MARK), _mark(connection), changed)


def _mark(connection: Connection) -> str:
    """Counts as they are now get a mark of their own."""
    mark = secrets.token_hex(8)
    note(connection, MARK, mark)
    return mark


class Remembered:
    """States as they were last read, and the steps since: a ledger that stays open need not read
    them again. What counts is the mark in the database: where no steps lead to it from what is
    remembered (another process wrote, a step was rolled back), everything is read.
    """

    def __init__(self) -> None:
        self._mark: str | None = None
        self._states = pl.DataFrame(schema=STORED)
        self._steps: dict[str, Step] = {}

    def note(self, step: Step) -> None:
        if self._mark is not None:
            self._steps[step.after] = step

    def read(self, connection: Connection) -> pl.DataFrame:
        """How many stays are in each state: STATE and value."""
        mark = noted(connection, MARK)
        path, at = [], mark
        while at != self._mark and at in self._steps:
            path.append(self._steps[at].difference)
            at = self._steps[at].before
        if mark is None or self._mark is None or at != self._mark:
            self._states = read_states(connection)
        elif path:
            together = pl.concat([self._states, *path])
            summed = together.group_by(STATE).agg(pl.col("value").sum())
            self._states = summed.filter(pl.col("value") != 0)
        self._mark, self._steps = mark, {}
        return self._states


def read_states(connection: Connection) -> pl.DataFrame:
    """How many stays are in each state: STATE and value."""
    names = ", ".join(STORED)
    found = fetch_columns(connection, f"SELECT {names} FROM stay_counts WHERE value <> 0", STORED)
    return found.with_columns(pl.col("counts_on").cast(pl.Date))


def drop_empty(connection: Connection) -> None:
    """States that nobody is in any more."""
    run(connection, "DELETE FROM stay_counts WHERE value = 0")


def outcome_at(day: date) -> pl.Expr:
    """Of a state, at the end of a day."""
    return pl.when(pl.col("counts_on") >= day).then("outcome_until").otherwise("outcome_after")


def counts_at(states: pl.DataFrame, day: date) -> pl.DataFrame:
    """COUNTS of states at the end of ``day``; exact, so of no noise."""
    summed = (
        states.with_columns(outcome_at(day).alias("outcome"))
        .group_by("counts_on", *DIMENSIONS, "outcome")
        .agg(pl.col("value").sum())
        .with_columns(noise_variance=pl.lit(0.0))
    )
    return COUNTS.conform(summed)


def count_again(connection: Connection, stays: pl.DataFrame, outcomes: Outcomes) -> None:
    """Count all that is held anew."""
    run(connection, "DELETE FROM stay_counts")
    add_up(connection, "stay_counts", count_states(stays, outcomes).sort(STATE))
    _mark(connection)


def rules_digest(outcomes: Outcomes) -> str:
    """Of the sources that say what a stay and its outcome are.

    Counts made under other rules cannot be shifted under these: they are made again.
    """
    digest = hashlib.sha256()
    for source in (fold.__file__, statuses.__file__, __file__, inspect.getfile(outcomes)):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:16]
