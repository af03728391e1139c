"""Who arrives again must have left: was that departure recorded, and found?

In: crossings with their links, ENCODINGS. Out: a frame of arrivals that were followed by another
arrival of the same traveller, and whether a linked departure lies between. In memory alone; what
is kept are counts.

Arrivals are linked to arrivals by the linker itself: each arrival also takes part as a departure
a microsecond before it. Stay lengths tell nothing then, so the weights' curves are flat; nearer
arrivals still come first. The linker's prior follows the number of open stays, and here each
stay is closed by the next arrival of anybody: the threshold bears the prior instead, log2 of all
arrivals, and SURE_BITS more, for a wrong pair spoils the share and one left out does not.
(Without both a tenth of the pairs were namesakes; with them three in a thousand.) A pair whose
first arrival has a departure after the second one contradicts itself, is told apart and does not
count.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import polars as pl

from sojourn.link.bulk import link
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import ENCODINGS, Direction

SURE_BITS = 8.0
_ONE_SOURCE = "arrivals"  # reports of one source are never merged: each crossing is one row here


def find_reentries(
    encodings: pl.DataFrame,
    ends: pl.DataFrame,
    weights: WeightTable,
    policy: LinkagePolicy,
    policy_digest: str,
) -> pl.DataFrame:
    """crossing_ref, event_time of the arrival; again_at, again_on (the next one's, the latter its
    local date); closed, contradicted.
    """
    came = ends.filter(pl.col("direction") == Direction.ARRIVAL)
    left = ends.select(partner_ref="crossing_ref", left_at="event_time")
    arrivals = encodings.join(
        came.select("crossing_ref", strongest="evidence"), on="crossing_ref"
    ).with_columns(evidence="strongest", source=pl.lit(_ONE_SOURCE))
    leaving = arrivals.with_columns(
        pl.col("event_time") - pl.duration(microseconds=1),
        crossing_ref=_other_refs(arrivals["crossing_ref"]),
        direction=pl.lit(Direction.DEPARTURE.value),
    )
    both = pl.concat([ENCODINGS.conform(arrivals), ENCODINGS.conform(leaving)])
    flat = replace(weights, curves=np.zeros_like(weights.curves))
    bits = float(np.log2(max(came.height, 1))) + SURE_BITS
    strict = replace(policy, threshold_log2_odds=policy.threshold_log2_odds + bits)
    pairs = link(both, flat, strict, policy_digest).links.select("arrival_ref", "departure_ref")
    again = leaving.select(
        departure_ref="crossing_ref", again_at="event_time", again_on="local_date"
    )
    found = (
        came.join(pairs, left_on="crossing_ref", right_on="arrival_ref")
        .join(again, on="departure_ref")
        .join(left, on="partner_ref", how="left")
    )
    return found.select(
        "crossing_ref", "event_time", "again_at", "again_on",
        closed=(pl.col("left_at") <= pl.col("again_at")).fill_null(value=False),
        contradicted=(pl.col("left_at") > pl.col("again_at")).fill_null(value=False),
    )  # fmt: skip


def _other_refs(refs: pl.Series) -> pl.Series:
    """References that no report has."""
    made = [hashlib.blake2b(ref, digest_size=16, person=b"again").digest() for ref in refs]
    return pl.Series("crossing_ref", made, dtype=pl.Binary)
