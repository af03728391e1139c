"""Encodings into counts that say how sure their links are: no truth, no review, nobody's row.

In: ENCODINGS, a weight table, the policy. Out: LINKAGE_QUALITY, counts by month and group. What
they say about errors is reckoned in ``sojourn.measure.linkage``. Parts: ``withheld`` (false
links), ``held_out`` (links missed), ``reentries`` (departures neither recorded nor linked).
Decoys need names and are counted where names are: by the pipeline, with ``count_decoys``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from sojourn.link.bulk import link
from sojourn.link.ends import crossing_ends
from sojourn.link.held_out import find_by_kinds
from sojourn.link.reentries import find_reentries
from sojourn.link.weights import WeightTable
from sojourn.link.withheld import withhold
from sojourn.policy import LinkagePolicy
from sojourn.schemas import LINKAGE_QUALITY, Direction
from sojourn.scripts import script_of
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

UNKNOWN = "unknown"
LATE, IN_TIME, RUNNING, NO_LIMIT = "late", "in time", "not over yet", "no limit"
OWN = (Group.NATIONALITY, Group.SCRIPT, Group.MODE, Group.SEX)
RETURN_DAYS = (7, 30, 90)
PERMITTED_DAYS = (7, 30, 90, 180)  # bands end there; then MORE, or NO_DAY where none is known
MORE, NO_DAY = "more", "none"


@dataclass(frozen=True)
class Trial:
    """How much is withheld, and how often: more rounds give narrower intervals."""

    share: float = 0.1
    rounds: int = 2


def count_quality(
    encodings: pl.DataFrame,
    weights: WeightTable,
    policy: LinkagePolicy,
    policy_digest: str,
    *,
    known_at: date,
    trial: Trial,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """LINKAGE_QUALITY of ENCODINGS as they would be linked in bulk.

    ``known_at``: stays whose last permitted day lies before it are over. Links everything
    ``4 + 2 * trial.rounds`` times.
    """
    linked = link(encodings, weights, policy, policy_digest)
    ends = _grouped(crossing_ends(encodings, linked))
    pairs = _pairs(ends, linked.links, known_at)
    again = find_reentries(encodings, ends, weights, policy, policy_digest)
    found = find_by_kinds(encodings, weights, policy, policy_digest)
    counted = [
        *_count_ends(ends, known_at, again),
        *_count_kinds(pairs, found),
        *_count_reentries(ends, again),
        *count_rearrivals(ends, again),
    ]
    for _ in range(trial.rounds):
        held = withhold(encodings, linked, weights, policy, policy_digest, trial.share, rng)
        counted += _count_withheld(ends, held.departures, found, Direction.DEPARTURE, known_at)
        counted += _count_withheld(ends, held.arrivals, found, Direction.ARRIVAL, known_at)
    return add_counts(counted)


def add_counts(counted: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several LINKAGE_QUALITY frames as one: equal cells are added up."""
    if not counted:
        return LINKAGE_QUALITY.empty()
    key = list(LINKAGE_QUALITY.key)
    summed = pl.concat(counted).group_by(key).agg(pl.col("value").sum())
    return LINKAGE_QUALITY.conform(summed).sort(key)


def _grouped(ends: pl.DataFrame) -> pl.DataFrame:
    """Crossings with a column per LinkageGroup that is known of a crossing by itself."""
    cell = pl.concat_str(
        pl.col("mode").cast(pl.String), pl.col("admission_class").fill_null(UNKNOWN), separator="/"
    )
    script = pl.col("nationality").map_elements(script_of, return_dtype=pl.String)
    named = {
        Group.ALL: pl.lit(""),
        Group.NATIONALITY: pl.col("nationality"),
        Group.SCRIPT: script,
        Group.MODE: pl.col("mode").cast(pl.String),
        Group.SEX: pl.col("sex").cast(pl.String),
        Group.MODE_CLASS: cell,
        Group.MODE_CLASS_DAYS: pl.concat_str(cell, _permitted(), separator="/"),
    }
    return ends.with_columns(
        *(e.fill_null(UNKNOWN).alias(f"by_{g.value}") for g, e in named.items()),
        period=pl.col("local_date").dt.truncate("1mo"),
    )


def _permitted() -> pl.Expr:
    """The band of days that an arrival was permitted, as its own record said."""
    days = (pl.col("authorised_until") - pl.col("local_date")).dt.total_days() + 1
    band: pl.Expr = pl.lit(MORE)
    for most in reversed(PERMITTED_DAYS):
        band = pl.when(days <= most).then(pl.lit(str(most))).otherwise(band)
    return pl.when(days.is_null()).then(pl.lit(NO_DAY)).otherwise(band)


def _count(
    frame: pl.DataFrame, what: What, groups: Sequence[Group], holds: pl.Expr | None = None
) -> list[pl.DataFrame]:
    """Rows of ``frame`` (where ``holds``) by period and each of ``groups``."""
    kept = frame if holds is None else frame.filter(holds)
    out = []
    for group in groups:
        by = kept.group_by("period", pl.col(f"by_{group.value}").alias("group_name")).agg(
            pl.len().cast(pl.Int64).alias("value")
        )
        out.append(
            LINKAGE_QUALITY.conform(
                by.with_columns(group_kind=pl.lit(group.value), what=pl.lit(what.value))
            )
        )
    return out


def _timing(until: str, left: str, known_at: date) -> pl.Expr:
    last, day = pl.col(until), pl.col(left)
    return (
        pl.when(last.is_null()).then(pl.lit(NO_LIMIT))
        .when(day > last).then(pl.lit(LATE))
        .when(last >= known_at).then(pl.lit(RUNNING))
        .otherwise(pl.lit(IN_TIME))
        .alias(f"by_{Group.TIMING.value}")
    )  # fmt: skip


def _pairs(ends: pl.DataFrame, links: pl.DataFrame, known_at: date) -> pl.DataFrame:
    """Linked stays: the arrival's groups, and whether they left late."""
    left = ends.select(departure_ref="crossing_ref", left_on="local_date")
    joined = links.select("arrival_ref", "departure_ref").join(
        ends, left_on="arrival_ref", right_on="crossing_ref"
    )
    timed = joined.join(left, on="departure_ref")
    return timed.with_columns(_timing("authorised_until", "left_on", known_at))


def _count_ends(ends: pl.DataFrame, known_at: date, again: pl.DataFrame) -> list[pl.DataFrame]:
    linked = pl.col("partner_ref").is_not_null()
    left = ends.filter(pl.col("direction") == Direction.DEPARTURE)
    came = ends.filter(pl.col("direction") == Direction.ARRIVAL)
    over = came.filter(pl.col("authorised_until") < known_at)
    returned = over.join(again, on="crossing_ref", how="semi")
    own, arrivals = (Group.ALL, *OWN), (Group.ALL, *OWN, Group.MODE_CLASS)
    ended = (*arrivals, Group.MODE_CLASS_DAYS)
    return [
        *_count(left, What.DEPARTURES, own),
        *_count(left, What.DEPARTURES_LINKED, own, linked),
        *_count(came, What.ARRIVALS, arrivals),
        *_count(came, What.ARRIVALS_LINKED, arrivals, linked),
        *_count(over, What.ARRIVALS_ENDED, ended),
        *_count(over, What.ARRIVALS_ENDED_LINKED, ended, linked),
        *_count(returned, What.ARRIVALS_RETURNED_ENDED, arrivals),
        *_count(returned, What.ARRIVALS_RETURNED_LINKED, arrivals, linked),
    ]


def _count_kinds(pairs: pl.DataFrame, found: pl.DataFrame) -> list[pl.DataFrame]:
    """Of the links, which documents alone and names alone find too."""
    judged = pairs.join(found, on=["arrival_ref", "departure_ref"], how="inner")
    groups = (Group.ALL, *OWN, Group.TIMING, Group.MODE_CLASS)
    both = pl.col("by_documents") & pl.col("by_names")
    return [
        *_count(judged, What.FOUND_BY_DOCUMENTS, groups, pl.col("by_documents")),
        *_count(judged, What.FOUND_BY_NAMES, groups, pl.col("by_names")),
        *_count(judged, What.FOUND_BY_BOTH, groups, both),
    ]


def count_rearrivals(ends: pl.DataFrame, again: pl.DataFrame) -> list[pl.DataFrame]:
    """Re-entries by the month of the second arrival, which is over soon, and by what the stay
    before it was: each in one month and one cell. This is what a release draws.
    """
    frame = ends.join(again.drop("event_time"), on="crossing_ref").with_columns(
        period=pl.col("again_on").dt.truncate("1mo")
    )
    fits = ~pl.col("contradicted")
    return [
        *_count(frame, What.REARRIVALS, (Group.MODE_CLASS,), fits),
        *_count(frame, What.REARRIVALS_CLOSED, (Group.MODE_CLASS,), fits & pl.col("closed")),
    ]


def _count_reentries(ends: pl.DataFrame, again: pl.DataFrame) -> list[pl.DataFrame]:
    days = (pl.col("again_at") - pl.col("event_time")).dt.total_days()
    first, second, third = RETURN_DAYS
    after = (
        pl.when(days < first).then(pl.lit(f"under {first} days"))
        .when(days < second).then(pl.lit(f"{first} to {second} days"))
        .when(days < third).then(pl.lit(f"{second} to {third} days"))
        .otherwise(pl.lit(f"{third} days or more"))
    )  # fmt: skip
    frame = ends.join(again.drop("event_time"), on="crossing_ref").with_columns(
        after.alias(f"by_{Group.RETURN_AFTER.value}")
    )
    groups = (Group.ALL, *OWN, Group.MODE_CLASS, Group.MODE_CLASS_DAYS, Group.RETURN_AFTER)
    fits = ~pl.col("contradicted")
    return [
        *_count(frame, What.REENTRIES, groups, fits),
        *_count(frame, What.REENTRIES_CLOSED, groups, fits & pl.col("closed")),
        *_count(frame, What.REENTRIES_CONTRADICTED, groups, pl.col("contradicted")),
    ]


def _count_withheld(
    ends: pl.DataFrame,
    held: pl.DataFrame,
    found: pl.DataFrame,
    asked: Direction,
    known_at: date,
) -> list[pl.DataFrame]:
    """``held``: one of Withheld's frames, of the crossings that were ``asked`` again.

    ``found``: pairs that documents or names alone find.
    """
    leaving = asked == Direction.DEPARTURE
    whole, part, cost = (
        (What.ARRIVALS_WITHHELD, What.ARRIVALS_WITHHELD_LINKED, What.ARRIVALS_WITHHELD_COSTING)
        if leaving
        else (
            What.DEPARTURES_WITHHELD, What.DEPARTURES_WITHHELD_TAKEN,
            What.DEPARTURES_WITHHELD_COSTING,
        )
    )  # fmt: skip
    frame = ends.join(held, on="crossing_ref")
    one, two = ("other_ref", "crossing_ref") if leaving else ("crossing_ref", "other_ref")
    groups = (Group.ALL, *OWN) if leaving else (Group.ALL, *OWN, Group.MODE_CLASS)
    costly = frame.join(
        found.select(lost_arrival="arrival_ref", lost_departure="departure_ref"),
        on=["lost_arrival", "lost_departure"], how="semi",
    )  # fmt: skip
    timed = (*groups, Group.TIMING)
    return [
        *_count(frame, whole, groups),
        *_count(
            _with_timing(frame, ends, one, two, known_at), part, timed,
            pl.col("other_ref").is_not_null(),
        ),
        *_count(
            _with_timing(costly, ends, "lost_arrival", "lost_departure", known_at), cost, timed
        ),
    ]  # fmt: skip


def _with_timing(
    frame: pl.DataFrame, ends: pl.DataFrame, arrival: str, departure: str, known_at: date
) -> pl.DataFrame:
    """Whether the stay that ``arrival`` and ``departure`` (columns) make ended late."""
    came = ends.select(pl.col("crossing_ref").alias(arrival), until="authorised_until")
    left = ends.select(pl.col("crossing_ref").alias(departure), left="local_date")
    joined = frame.join(came, on=arrival, how="left").join(left, on=departure, how="left")
    return joined.with_columns(_timing("until", "left", known_at))


def count_decoys(decoys: pl.DataFrame, family: pl.Series, linked: pl.Series) -> pl.DataFrame:
    """LINKAGE_QUALITY of decoys: ENCODINGS, row for row whether made within a family, linked."""
    plain = decoys.with_columns(partner_ref=pl.lit(None, pl.Binary))
    frame = _grouped(plain).with_columns(family.alias("family"), linked.alias("linked"))
    groups = (Group.ALL, *OWN)
    kin, found = pl.col("family"), pl.col("linked")
    counted = [
        *_count(frame, What.DECOYS, groups, ~kin),
        *_count(frame, What.DECOYS_LINKED, groups, ~kin & found),
        *_count(frame, What.FAMILY_DECOYS, groups, kin),
        *_count(frame, What.FAMILY_DECOYS_LINKED, groups, kin & found),
    ]
    return add_counts(counted)
