"""Events into stays: what was known, rebuilt from nothing but what was appended.

In: EVENTS in the order in which they were appended. Out: STAYS. ``replay`` gives the present
state of reports, ``build_stays`` the stays they make; the store's projection keeps the same
state ready and must always agree (tests hold the two together).

A crossing is a report that stands for itself with the reports merged into it. Its attributes
are those of its strongest evidence (ties: happened first, then the smaller reference; when a
source learned of it is in no event), nulls filled from the next. A crossing that was only booked
is none yet: it makes no stay. What status changes do to a stay: ``statuses``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from sojourn.ledger.statuses import apply_statuses
from sojourn.ledger.tables import ATTRIBUTES
from sojourn.schemas import (
    ENCODINGS,
    EVENTS,
    STAYS,
    Direction,
    EventKind,
    Evidence,
    StatusKind,
    StayLimit,
)

ATTRIBUTE_NAMES = tuple(name for name, _ in ATTRIBUTES if name != "key_epoch")
REPORTS = pl.Schema(
    {"crossing_ref": pl.Binary}
    | {n: ENCODINGS.schema[n] for n in ATTRIBUTE_NAMES}
    | {"merged_into": pl.Binary, "partner_ref": pl.Binary}
    | {"learned_on": pl.Date}  # since when the ledger holds it as more than a booking (UTC)
)
_STATUS = ("crossing_ref", "local_date", "recorded_at", "admission_class", "authorised_until",
           "status_kind", "other_ref")  # fmt: skip
STATUSES = pl.Schema({n: EVENTS.schema[n] for n in _STATUS})
_PERMISSION = ("stay_limit", "authorised_until")
_DIRECTIONS = {
    EventKind.ARRIVAL_RECORDED: Direction.ARRIVAL,
    EventKind.DEPARTURE_RECORDED: Direction.DEPARTURE,
}


def fold_stays(events: pl.DataFrame, known_at: date) -> pl.DataFrame:
    """STAYS as known at the end of ``known_at`` (UTC)."""
    known = events.filter(pl.col("recorded_at").dt.date() <= known_at)
    return build_stays(*replay(known))


def replay(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """EVENTS into the reports that stand (REPORTS) and their status changes, one by one.

    Slow and obvious on purpose: a dictionary and a loop.
    """
    reports: dict[bytes, dict[str, Any]] = {}
    statuses: list[dict[str, Any]] = []
    for row in events.iter_rows(named=True):
        _apply(row, reports, statuses)
    frame = pl.DataFrame(list(reports.values()), schema=REPORTS)
    return frame, pl.DataFrame(statuses, schema=STATUSES)


def _apply(
    row: dict[str, Any], reports: dict[bytes, dict[str, Any]], statuses: list[dict[str, Any]]
) -> None:
    kind, ref, other = EventKind(row["kind"]), row["crossing_ref"], row["other_ref"]
    if kind in _DIRECTIONS or kind == EventKind.CROSSING_CORRECTED:
        held = reports.get(ref, {"merged_into": None, "partner_ref": None, "learned_on": None})
        direction = _DIRECTIONS.get(kind) or held["direction"]
        fresh = {n: row.get(n) for n in ATTRIBUTE_NAMES} | {"direction": direction}
        booked = row["evidence"] == Evidence.BOOKED
        learned = None if booked else held["learned_on"] or row["recorded_at"].date()
        reports[ref] = held | fresh | {"crossing_ref": ref, "learned_on": learned}
    elif kind == EventKind.CROSSING_WITHDRAWN:
        reports.pop(ref, None)
    elif kind == EventKind.REPORT_MERGED and ref in reports:
        reports[ref]["merged_into"] = other
    elif kind == EventKind.REPORT_SEPARATED and ref in reports:
        reports[ref]["merged_into"] = None
    elif kind == EventKind.LINK_ASSERTED:
        for one, partner in ((ref, other), (other, ref)):
            if one in reports:
                reports[one]["partner_ref"] = partner
    elif kind == EventKind.LINK_WITHDRAWN:
        for one in (ref, other):
            if one in reports:
                reports[one]["partner_ref"] = None
    elif kind == EventKind.STATUS_CHANGED:
        statuses.append({n: row[n] for n in _STATUS})


def build_stays(reports: pl.DataFrame, statuses: pl.DataFrame) -> pl.DataFrame:
    """REPORTS and their status changes into STAYS, sorted by references."""
    crossings = _crossings(reports)
    came = crossings.filter(pl.col("direction") == Direction.ARRIVAL)
    left = crossings.filter(pl.col("direction") == Direction.DEPARTURE)
    groups = reports.select("crossing_ref", group=pl.coalesce("merged_into", "crossing_ref"))
    came = came.join(
        groups.rename({"group": "partner"}), left_on="partner_ref", right_on="crossing_ref",
        how="left",
    )  # fmt: skip
    closed = came.join(
        left.select(
            partner="group", departure_ref="group", departure_date="local_date",
            departure_mode="mode", departure_lists="lists",
        ),
        on="partner", how="left",
    ).with_columns(
        arrival_ref="group", arrival_date="local_date", arrival_lists="lists"
    )  # fmt: skip
    orphans = left.join(closed, left_on="group", right_on="departure_ref", how="anti")
    orphans = orphans.with_columns(
        departure_ref="group", departure_date="local_date", departure_mode="mode",
        departure_lists="lists", arrival_lists=pl.lit(0, pl.UInt8),
        authorised_until=pl.lit(None, pl.Date),
        stay_limit=pl.lit(StayLimit.UNKNOWN.value).cast(STAYS.schema["stay_limit"]),
        admission_class=pl.lit(None, pl.String),
    )  # fmt: skip
    with_status = apply_statuses(closed, statuses, groups)
    stays = pl.concat([STAYS.conform(_filled(f)) for f in (with_status, orphans)])
    return stays.sort("arrival_ref", "departure_ref", nulls_last=True)


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    wanted = ("departure_lists", "arrival_lists")
    return frame.with_columns(pl.col(n).fill_null(0).cast(pl.UInt8) for n in wanted)


def _crossings(reports: pl.DataFrame) -> pl.DataFrame:
    """One row per crossing with evidence of boarding: attributes, ``group``, ``lists``."""
    ranked = reports.with_columns(
        group=pl.coalesce("merged_into", "crossing_ref"),
        strength=pl.col("evidence").to_physical(),
        stood=pl.col("merged_into").is_null(),
    ).sort(
        ["group", "strength", "event_time", "crossing_ref"],
        descending=[False, True, False, False],
    )
    apart = ("source", *_PERMISSION)
    filled = [pl.col(n).drop_nulls().first() for n in ATTRIBUTE_NAMES if n not in apart]
    says = pl.col("stay_limit").cast(pl.String)
    crossings = ranked.group_by("group", maintain_order=True).agg(
        *filled,
        # A report that does not know the limit leaves the word to one that does.
        pl.coalesce(
            pl.col("stay_limit").filter(says != StayLimit.UNKNOWN).first(),
            pl.col("stay_limit").first(),
        ),
        pl.col("authorised_until").filter(says == StayLimit.DATED).drop_nulls().first(),
        pl.col("source").n_unique().clip(upper_bound=255).cast(pl.UInt8).alias("lists"),
        pl.col("partner_ref").filter("stood").first(),
        pl.col("stood").any(),
    )
    # A report whose standing report was withdrawn waits for a reconcile; it still counts.
    return crossings.filter(pl.col("evidence").cast(pl.String) != Evidence.BOOKED)


def count_totals(stays: pl.DataFrame) -> pl.DataFrame:
    """STAYS into (day, name, value): the totals that the live page shows."""
    linked = pl.col("arrival_ref").is_not_null() & pl.col("departure_ref").is_not_null()
    orphan = pl.col("arrival_ref").is_null()
    dated = (pl.col("stay_limit") == StayLimit.DATED) & pl.col("authorised_until").is_not_null()
    left, until = pl.col("departure_date"), pl.col("authorised_until")
    waited = (pl.col("status_kind") == StatusKind.PENDING).fill_null(value=False)
    names = {
        "arrivals": ("arrival_date", pl.lit(value=True)),
        "departures": ("departure_date", pl.lit(value=True)),
        "departures_linked": ("departure_date", linked),
        "departures_without_arrival": ("departure_date", orphan),
        "expected_departures": ("authorised_until", dated),
        "departed_in_time": ("departure_date", linked & dated & (left <= until)),
        "departed_late": ("departure_date", linked & dated & ~waited & (left > until)),
    }
    parts = [
        stays.filter(holds & pl.col(day).is_not_null())
        .group_by(pl.col(day).alias("day"))
        .agg(pl.len().cast(pl.Int64).alias("value"))
        .with_columns(pl.lit(name).alias("name"))
        for name, (day, holds) in names.items()
    ]
    return pl.concat(parts).select("day", "name", "value").sort("day", "name")
