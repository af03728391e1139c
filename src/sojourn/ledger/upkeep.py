"""What a ledger does before anything else: counts that are missing are made, ended days closed.

In: a connection in a transaction. A ledger of an earlier Sojourn gets its counts from what it
holds when it is first opened; counts of stays are made again whenever the rules of what a stay or
an outcome is have changed since.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger import counts, lists, projection, reporting, sources, vintages
from sojourn.ledger.counts import Outcomes
from sojourn.ledger.differences import Around, add_up, fetch_columns
from sojourn.ledger.engine import fetch, run_many
from sojourn.ledger.fold import build_stays
from sojourn.ledger.notes import note, noted
from sojourn.schemas import EventKind, Evidence

RULES, BEGUN = "counted_by_rules", "counts_begun"
# A live batch is stamped when it is linked and committed a moment later; history is not.
MOMENT = timedelta(hours=1)


def bring_up_to_date(connection: Connection, outcomes: Outcomes, today: date) -> None:
    """Make the counts that are missing or were made by other rules."""
    rules = counts.rules_digest(outcomes)
    if noted(connection, RULES) == rules:
        return
    # Who comes second waits for the first here, and finds nothing to do.
    first = fetch(
        connection,
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING "
        "RETURNING name",
        (BEGUN, today.isoformat()),
    )
    if first:
        _begin(connection, today)
    if noted(connection, RULES) != rules:
        counts.count_again(connection, everything(connection).stays, outcomes)
        note(connection, RULES, rules)


def everything(connection: Connection) -> Around:
    """All that is held."""
    names = ", ".join(projection.HELD_COLUMNS)
    reports = projection.as_reports(fetch(connection, f"SELECT {names} FROM reports"))
    names = ", ".join(projection.STATUS_COLUMNS)
    statuses = projection.as_statuses(
        fetch(connection, f"SELECT {names} FROM statuses ORDER BY sequence")
    )
    return Around(reports, build_stays(reports, statuses))


def _begin(connection: Connection, today: date) -> None:
    """Counts that are only ever added to: they outlive what they count, so are made once."""
    _note_learned(connection)
    reports = everything(connection).reports
    add_up(connection, "crossing_lists", lists.count_lists(reports))
    add_up(connection, "reporting", reporting.count_reporting(reports))
    reporting.sum_old_days(connection, today)
    sources.count_past_gaps(connection)
    vintages.begin(connection, today)


def _note_learned(connection: Connection) -> None:
    """Since when each report is held as more than a booking, from the events."""
    kinds = (EventKind.ARRIVAL_RECORDED, EventKind.DEPARTURE_RECORDED, EventKind.CROSSING_CORRECTED)
    stored = pl.Schema(
        {"sequence": pl.Int64, "crossing_ref": pl.Binary, "kind": pl.String,
         "evidence": pl.String, "recorded_at": pl.Int64}
    )  # fmt: skip
    told = fetch_columns(
        connection, f"SELECT {', '.join(stored)} FROM events ORDER BY sequence", stored
    ).filter(pl.col("kind").is_in([*kinds, EventKind.CROSSING_WITHDRAWN]))
    ends = (pl.col("kind") == EventKind.CROSSING_WITHDRAWN) | (
        pl.col("evidence") == Evidence.BOOKED
    )
    last_end = pl.col("sequence").filter(ends).max().over("crossing_ref").fill_null(-1)
    learned = (
        told.filter(pl.col("sequence") > last_end)
        .group_by("crossing_ref")
        .agg(pl.col("recorded_at").first())
        .with_columns(pl.col("recorded_at").cast(pl.Datetime("us")).dt.date().to_physical())
    )
    run_many(
        connection,
        "UPDATE reports SET learned_on = ? WHERE crossing_ref = ?",
        learned.select("recorded_at", "crossing_ref").rows(),
    )


def begin_batch(connection: Connection, events: pl.DataFrame, now: datetime) -> None:
    """Close the days that ended before this batch; note what makes their vintages untrue.

    A batch belongs to the day of its events' stamp, which may be a moment before its commit.
    """
    first, last = events["recorded_at"].min(), events["recorded_at"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return
    live = first == last and abs(now - first) < MOMENT
    today = first.date() if live else now.date()
    reporting.sum_old_days(connection, today)
    vintages.close_days(connection, today)
    vintages.refuse(connection, today)
    if not live and (first.date() < today or last.date() > today):
        vintages.begin_again(connection, max(today, last.date()))
