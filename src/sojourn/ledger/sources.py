"""What is known of each source: how much, how fresh, how late, how clean. Nothing of people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, run, run_many
from sojourn.schemas import SOURCE_QUALITY

MINUTE = 60_000_000  # microseconds


@dataclass(frozen=True)
class State:
    batches: int
    reports: int
    open_arrivals: int
    last_commit: datetime | None


@dataclass(frozen=True)
class Silence:
    """A source's last delivery, beside how often it delivers. Gaps are None before the second."""

    source: str
    hours: float  # since the last delivery; 0 where the clock stands before it
    usual_gap_hours: float | None  # half of its gaps are shorter
    long_gap_hours: float | None  # 19 of 20 are shorter
    gaps: int


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
    _note_gaps(connection, list(known), at)
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


def _note_gaps(connection: Connection, names: list[str], at: int) -> None:
    """Count the time since each source's last delivery; parts of one delivery are no gap."""
    marks = ", ".join("?" * len(names))
    rows = fetch(
        connection,
        f"SELECT source, last_batch_at FROM source_state WHERE source IN ({marks})", names,
    )  # fmt: skip
    _add_gaps(connection, [(name, at - last) for name, last in rows])


def _add_gaps(connection: Connection, gaps: list[tuple[str, int]]) -> None:
    """``gaps``: source and microseconds."""
    counted: dict[tuple[str, int], int] = {}
    for name, gap in gaps:
        minutes = gap // MINUTE
        if minutes >= 1:
            key = (name, minutes.bit_length() - 1)
            counted[key] = counted.get(key, 0) + 1
    run_many(
        connection,
        "INSERT INTO source_gaps (source, bucket, deliveries) VALUES (?, ?, ?) ON CONFLICT "
        "(source, bucket) DO UPDATE SET deliveries = source_gaps.deliveries + excluded.deliveries",
        [(*key, n) for key, n in sorted(counted.items())],
    )


def count_past_gaps(connection: Connection) -> None:
    """The gaps between the batches that are noted: once, for a ledger that did not count them."""
    rows = fetch(connection, "SELECT source, committed_at FROM batches ORDER BY source, batch_id")
    gaps = [(a[0], b[1] - a[1]) for a, b in pairwise(rows) if a[0] == b[0]]
    _add_gaps(connection, gaps)


def read_silence(connection: Connection, now: datetime) -> tuple[Silence, ...]:
    counted: dict[str, list[tuple[int, int]]] = {}
    for name, bucket, deliveries in fetch(
        connection, "SELECT source, bucket, deliveries FROM source_gaps ORDER BY source, bucket"
    ):
        counted.setdefault(name, []).append((int(bucket), int(deliveries)))
    at = int(now.timestamp() * 1_000_000)
    out = []
    for name, last in fetch(
        connection, "SELECT source, last_batch_at FROM source_state ORDER BY source"
    ):
        gaps = counted.get(name, [])
        usual, long = (_gap_reached(gaps, share) for share in (0.5, 0.95))
        hours = max(0, at - last) / (60 * MINUTE)
        out.append(Silence(name, hours, usual, long, sum(n for _, n in gaps)))
    return tuple(out)


def _gap_reached(buckets: list[tuple[int, int]], share: float) -> float | None:
    """Hours: the middle of the bucket in which ``share`` of the gaps are reached."""
    wanted, reached = share * sum(n for _, n in buckets), 0
    for bucket, deliveries in buckets:
        reached += deliveries
        if reached >= wanted:
            return 1.5 * 2.0**bucket / 60
    return None


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
