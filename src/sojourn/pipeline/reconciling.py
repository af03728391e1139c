"""The whole ledger linked again in bulk, and put right where the live path decided otherwise.

What the live path could not know (a better pair that came later, a report that arrived after
its crossing was closed, an ambiguity that has gone) is seen here. The difference is appended as
``link_withdrawn``, ``report_separated``, ``report_merged`` and ``link_asserted``. Status changes
that wait are then asked among all stays, open and closed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl

from sojourn.ledger import Batch, Delivery, Ledger
from sojourn.link import Linked, link
from sojourn.pipeline.events import link_events, merge_events, status_events
from sojourn.pipeline.office import Office
from sojourn.pipeline.waiting_changes import FOUND_LATER, find_among, sharing
from sojourn.schemas import (
    ENCODINGS,
    REJECTS,
    STATUS_ENCODINGS,
    Direction,
    EventKind,
)

SOURCE = "reconcile"
_LINK = ["arrival_ref", "departure_ref"]
_MERGE = ["report_ref", "crossing_ref"]


@dataclass(frozen=True)
class Reconciled:
    reports: int
    asserted: int
    withdrawn: int
    merged: int
    separated: int
    met: int = 0  # status changes that waited and have found their stay


def reconcile(office: Office) -> Reconciled:
    """Link everything before its horizon in bulk and append what differs. Idempotent."""
    with office.open_ledger() as ledger:
        return reconcile_with(ledger, office)


def reconcile_with(ledger: Ledger, office: Office) -> Reconciled:
    frames = list(ledger.all_reports())
    held = pl.concat(frames) if frames else None
    if held is None or not held.height:
        return Reconciled(0, 0, 0, 0, 0)
    reports = held.select(ENCODINGS.names)
    linked = link(reports, office.weights, office.policy.linkage, office.policy.digest)
    links, merges = linked.links.select(_LINK), linked.merges.select(_MERGE)
    have_links = held.filter(
        (pl.col("direction") == "arrival") & pl.col("partner_ref").is_not_null()
    ).select(pl.col("crossing_ref").alias("arrival_ref"), departure_ref="partner_ref")
    have_merges = held.filter(pl.col("merged_into").is_not_null()).select(
        pl.col("crossing_ref").alias("report_ref"), crossing_ref="merged_into"
    )
    changes = Changes(
        asserted=links.join(have_links, on=_LINK, how="anti"),
        withdrawn=have_links.join(links, on=_LINK, how="anti"),
        merged=merges.join(have_merges, on=_MERGE, how="anti"),
        separated=have_merges.join(merges, on=_MERGE, how="anti"),
    )
    told = _told(ledger, office, reports, linked)
    _append(ledger, office, reports, changes, told)
    return Reconciled(
        reports.height, changes.asserted.height, changes.withdrawn.height,
        changes.merged.height, changes.separated.height, told.height,
    )  # fmt: skip


@dataclass(frozen=True)
class Changes:
    asserted: pl.DataFrame
    withdrawn: pl.DataFrame
    merged: pl.DataFrame
    separated: pl.DataFrame


def _told(ledger: Ledger, office: Office, reports: pl.DataFrame, linked: Linked) -> pl.DataFrame:
    """STATUS_ENCODINGS that waited, with the ``arrival_ref`` of the stay that they find now."""
    waiting = STATUS_ENCODINGS.conform(ledger.waiting_changes())
    if not waiting.height:
        return waiting.with_columns(arrival_ref=pl.lit(None, pl.Binary))
    whole = reports.join(
        linked.merges.rename({"crossing_ref": "merged_into"}), left_on="crossing_ref",
        right_on="report_ref", how="left",
    )  # fmt: skip
    came = whole.filter(pl.col("direction") == Direction.ARRIVAL.value).with_columns(
        stands=pl.coalesce("merged_into", "crossing_ref")
    )
    keys = waiting["match_keys"].explode(empty_as_null=False)
    near = came.join(sharing(came, keys).select("stands").unique(), on="stands", how="semi")
    left = reports.select(departure_ref="crossing_ref", left="local_date")
    ended = linked.links.join(left, on="departure_ref").select("arrival_ref", "left")
    found = find_among(waiting, near, ended, office, came.height)
    return waiting.join(found, on="status_ref", how="inner", maintain_order="left")


def _append(
    ledger: Ledger, office: Office, reports: pl.DataFrame, changes: Changes, told: pl.DataFrame
) -> None:
    now = office.clock()
    events = pl.concat(
        [
            link_events(changes.withdrawn, reports, EventKind.LINK_WITHDRAWN, now),
            merge_events(changes.separated, reports, EventKind.REPORT_SEPARATED, now),
            merge_events(changes.merged, reports, EventKind.REPORT_MERGED, now),
            link_events(changes.asserted, reports, EventKind.LINK_ASSERTED, now),
            status_events(told, now),
        ]
    )
    if not events.height:
        return
    digest = hashlib.sha256(f"{SOURCE} {now.isoformat()}".encode()).hexdigest()
    ledger.append(
        Batch(
            deliveries=(Delivery(digest, SOURCE, now, 0, REJECTS.empty()),),
            encodings=ENCODINGS.empty(),
            events=events,
            quality=_counted(told),
            met=told["status_ref"],
        )
    )


def _counted(told: pl.DataFrame) -> pl.DataFrame:
    """SOURCE_QUALITY of changes that have found their stay."""
    counted = told.group_by("source").agg(pl.len().cast(pl.Int64).alias("records"))
    return counted.select("source", issue=pl.lit(FOUND_LATER), records="records")
