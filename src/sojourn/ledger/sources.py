"""What is known of each source: how much, how fresh, how late, how clean. Nothing of people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, run, run_many
from sojourn.schemas import SOURCE_QUALITY


@dataclass(frozen=True)
class State:
    batches: int
    reports: int
    open_arrivals: int
    last_commit: datetime | None


def note_batch(
    connection: Connection,
    rejects: dict[str, int],
    encodings: pl.DataFrame,
    quality: pl.DataFrame,
    now: datetime,
) -> None:
    """Add a batch to the state and quality of the sources in it.

    ``rejects``: how many, by the feed that handed them over.
    """
    at = int(now.timestamp() * 1_000_000)
    by_source = encodings.group_by("source").agg(
        pl.col("event_time").max().to_physical(),
        pl.col("recorded_at").max().to_physical(),
        pl.len(),
    )
    known = dict.fromkeys([*rejects, *by_source["source"].to_list()])
    found = {row[0]: row[1:] for row in by_source.rows()}
    rows = []
    for name in known:
        event_time, recorded_at, records = found.get(name, (None, None, 0))
        rows.append((name, event_time, recorded_at, at, records, rejects.get(name, 0)))
    latest = (
        "CASE WHEN {t}.{c} IS NULL OR excluded.{c} > {t}.{c} THEN excluded.{c} ELSE {t}.{c} END"
    )
    event, recorded = (
        latest.format(t="source_state", c=c) for c in ("last_event_time", "last_recorded_at")
    )
    run_many(
        connection,
        "INSERT INTO source_state (source, last_event_time, last_recorded_at, last_batch_at, "
        "batches, records, rejects) VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (source) DO UPDATE "
        f"SET last_event_time = {event}, last_recorded_at = {recorded}, "
        "last_batch_at = excluded.last_batch_at, batches = source_state.batches + 1, "
        "records = source_state.records + excluded.records, "
        "rejects = source_state.rejects + excluded.rejects",
        rows,
    )
    run_many(
        connection,
        "INSERT INTO source_quality (source, issue, records) VALUES (?, ?, ?) ON CONFLICT "
        "(source, issue) DO UPDATE SET records = source_quality.records + excluded.records",
        quality.select(SOURCE_QUALITY.names).rows(),
    )
    _note_delays(connection, encodings)


def _note_delays(connection: Connection, encodings: pl.DataFrame) -> None:
    """Count delays (recorded less happened) by powers of two seconds; keep the median ready."""
    seconds = (pl.col("recorded_at") - pl.col("event_time")).dt.total_seconds().clip(lower_bound=0)
    buckets = (
        encodings.select("source", bucket=(seconds + 1).cast(pl.Float64).log(2).floor())
        .group_by("source", "bucket")
        .len()
        .with_columns(pl.col("bucket").cast(pl.Int64), pl.col("len").cast(pl.Int64))
    )
    run_many(
        connection,
        "INSERT INTO source_delays (source, bucket, records) VALUES (?, ?, ?) ON CONFLICT "
        "(source, bucket) DO UPDATE SET records = source_delays.records + excluded.records",
        buckets.rows(),
    )
    for name in buckets["source"].unique().to_list():
        counted = fetch(
            connection,
            "SELECT bucket, records FROM source_delays WHERE source = ? ORDER BY bucket", (name,),
        )  # fmt: skip
        run(
            connection, "UPDATE source_state SET delay_median_seconds = ? WHERE source = ?",
            (_median([(int(b), int(n)) for b, n in counted]), name),
        )  # fmt: skip


def _median(buckets: list[tuple[int, int]]) -> float:
    """The middle of the bucket in which half of the records are reached."""
    half, reached = sum(n for _, n in buckets) / 2, 0
    for bucket, records in buckets:
        reached += records
        if reached >= half:
            return 1.5 * 2.0**bucket - 1.0 if bucket else 0.0
    return 0.0


def read_quality(connection: Connection) -> pl.DataFrame:
    rows = fetch(connection, "SELECT source, issue, records FROM source_quality ORDER BY 1, 2")
    return pl.DataFrame([tuple(r) for r in rows], schema=SOURCE_QUALITY.schema, orient="row")


def read_state(connection: Connection) -> State:
    batches, last = fetch(connection, "SELECT COUNT(*), MAX(committed_at) FROM batches")[0]
    reports = fetch(connection, "SELECT COUNT(*) FROM reports")[0][0]
    waiting = fetch(
        connection,
        "SELECT COUNT(*) FROM reports WHERE direction = 'arrival' AND partner_ref IS NULL "
        "AND merged_into IS NULL",
    )[0][0]
    at = datetime.fromtimestamp(last / 1_000_000, UTC) if last else None
    return State(int(batches), int(reports), int(waiting), at)
