"""The two ends of stays, one row per crossing, with whom each was linked.

In: ENCODINGS and what ``link`` made of them. Out: a frame of crossings (reports that were merged
are one row; crossings that were only booked are none), columns ``END``. It stays in memory: only
counts of it are ever kept.
"""

from __future__ import annotations

import polars as pl

from sojourn.link.bulk import Linked
from sojourn.schemas import Evidence

ATTRIBUTES = (
    "direction", "event_time", "local_date", "evidence", "mode", "nationality", "sex",
    "admission_class", "authorised_until",
)  # fmt: skip
END = ("crossing_ref", *ATTRIBUTES, "partner_ref")


def crossing_ends(encodings: pl.DataFrame, linked: Linked) -> pl.DataFrame:
    """One row per crossing that has evidence of boarding; ``partner_ref`` null where unlinked.

    Attributes are those of the strongest evidence, nulls filled from the next report.
    """
    merges = linked.merges.rename({"crossing_ref": "stands"})
    reports = encodings.filter(~pl.col("withdrawn")).join(
        merges, left_on="crossing_ref", right_on="report_ref", how="left"
    )
    ranked = reports.with_columns(
        stands=pl.coalesce("stands", "crossing_ref"), rank=pl.col("evidence").to_physical()
    ).sort(["rank", "recorded_at", "crossing_ref"], descending=[True, False, False])
    crossings = (
        ranked.group_by("stands", maintain_order=True)
        .agg(pl.col(a).drop_nulls().first() for a in ATTRIBUTES)
        .rename({"stands": "crossing_ref"})
        .filter(pl.col("evidence").cast(pl.String) != Evidence.BOOKED)
    )
    both = linked.links.select("arrival_ref", "departure_ref")
    partners = pl.concat(
        [
            both.rename({"arrival_ref": "crossing_ref", "departure_ref": "partner_ref"}),
            both.select(crossing_ref="departure_ref", partner_ref="arrival_ref"),
        ]
    )
    return crossings.join(partners, on="crossing_ref", how="left", maintain_order="left").select(
        END
    )


def without_crossings(encodings: pl.DataFrame, linked: Linked, refs: pl.Series) -> pl.DataFrame:
    """ENCODINGS without any report of the crossings ``refs``."""
    merged = linked.merges.filter(pl.col("crossing_ref").is_in(refs.implode()))["report_ref"]
    gone = pl.concat([refs.alias("ref"), merged.alias("ref")])
    return encodings.filter(~pl.col("crossing_ref").is_in(gone.implode()))
