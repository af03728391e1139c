"""Decisions into ledger events: what linking found, as facts to append.

In: reports (ENCODINGS), links and merges. Out: EVENTS, in the order in which they hold.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from sojourn.link import Linked
from sojourn.schemas import EVENTS, Direction, EventKind, enum_of

KIND = enum_of(EventKind)
_RECORDED = {
    Direction.ARRIVAL: EventKind.ARRIVAL_RECORDED,
    Direction.DEPARTURE: EventKind.DEPARTURE_RECORDED,
}


def record(encodings: pl.DataFrame, linked: Linked, recorded_at: datetime | None) -> pl.DataFrame:
    """EVENTS of reports, merges and links. ``recorded_at``: when the ledger learned of them;
    None for history, where each event is dated by what its records say."""
    return pl.concat(
        [
            report_events(encodings, recorded_at),
            merge_events(linked.merges, encodings, EventKind.REPORT_MERGED, recorded_at),
            link_events(linked.links, encodings, EventKind.LINK_ASSERTED, recorded_at),
        ]
    )


def report_events(
    encodings: pl.DataFrame, recorded_at: datetime | None, kind: EventKind | None = None
) -> pl.DataFrame:
    """``arrival_recorded`` and ``departure_recorded``, or ``kind`` for corrections."""
    named = (
        pl.lit(kind.value)
        if kind
        else pl.col("direction").cast(pl.String).replace_strict(
            {d.value: k.value for d, k in _RECORDED.items()}
        )
    )  # fmt: skip
    frame = encodings.with_columns(
        named.cast(KIND).alias("kind"),
        _learned(recorded_at),
    )
    return EVENTS.conform(frame)


def merge_events(
    merges: pl.DataFrame, known: pl.DataFrame, kind: EventKind, recorded_at: datetime | None
) -> pl.DataFrame:
    frame = merges.select(
        pl.col("report_ref").alias("crossing_ref"), pl.col("crossing_ref").alias("other_ref")
    )
    return _pair_events(frame, known, kind, recorded_at)


def link_events(
    links: pl.DataFrame, known: pl.DataFrame, kind: EventKind, recorded_at: datetime | None
) -> pl.DataFrame:
    """``known``: reports among which the departure's time is looked up where it is there."""
    frame = links.select(
        pl.col("arrival_ref").alias("crossing_ref"), pl.col("departure_ref").alias("other_ref")
    )
    return _pair_events(frame, known, kind, recorded_at)


def status_events(told: pl.DataFrame, recorded_at: datetime | None) -> pl.DataFrame:
    """``told``: STATUS_ENCODINGS with the ``arrival_ref`` of the stay each is of."""
    named = told.select(
        pl.col("arrival_ref").alias("crossing_ref"),
        pl.col("status_ref").alias("other_ref"),
        pl.col("effective_date").cast(pl.Datetime("us", "UTC")).alias("event_time"),
        _learned(recorded_at),
        "source",
        pl.col("effective_date").alias("local_date"),
        pl.col("new_class").alias("admission_class"),
        pl.col("new_authorised_until").alias("authorised_until"),
        pl.col("kind").alias("status_kind"),
        pl.lit(EventKind.STATUS_CHANGED.value).alias("kind"),
    )
    return EVENTS.conform(named)


def _pair_events(
    pairs: pl.DataFrame, known: pl.DataFrame, kind: EventKind, recorded_at: datetime | None
) -> pl.DataFrame:
    """Events about two reports, dated by the later of the two that is at hand."""
    times = known.select("crossing_ref", "event_time", "recorded_at").unique("crossing_ref")
    both = (
        pairs.join(times, on="crossing_ref", how="left", maintain_order="left")
        .join(
            times, left_on="other_ref", right_on="crossing_ref", how="left", suffix="_other",
            maintain_order="left",
        )
        .with_columns(
            pl.max_horizontal("event_time", "event_time_other").alias("event_time"),
            pl.max_horizontal("recorded_at", "recorded_at_other").alias("recorded_at"),
        )
    )  # fmt: skip
    frame = both.with_columns(
        pl.lit(kind.value).cast(KIND).alias("kind"),
        _learned(recorded_at),
    )
    return EVENTS.conform(frame)


def _learned(recorded_at: datetime | None) -> pl.Expr:
    if recorded_at is None:
        return pl.col("recorded_at")
    return pl.lit(recorded_at).dt.cast_time_unit("us").alias("recorded_at")
