"""What a batch's reports are to the ledger: new, repeated, corrected, withdrawn.

In: ENCODINGS of a batch and the ledger. Out: ``Sorted``. A report is the same when its
attributes and match keys are; a correction that leaves keys, time, direction and evidence as
they were changes the record only, any other has its links and merges taken back and is asked
again.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sojourn.ledger import Ledger
from sojourn.schemas import ENCODINGS, LINKS, MERGES, Direction

_HELD = ("merged_into", "partner_ref")
# What a link or merge rests on: a change in any of these opens the question again.
_DECIDES = ("direction", "event_time", "evidence", "key_kinds", "match_keys", "source")
_COMPARED = tuple(n for n in ENCODINGS.names if n not in ("crossing_ref", "recorded_at"))
PAIR = LINKS.schema
LINK_PAIR = pl.Schema({n: PAIR[n] for n in ("arrival_ref", "departure_ref")})


@dataclass(frozen=True)
class Sorted:
    fresh: pl.DataFrame  # ENCODINGS, not known before
    corrected: pl.DataFrame  # ENCODINGS, new contents of known reports
    withdrawn: pl.DataFrame  # ENCODINGS, known reports taken back
    asked_again: pl.DataFrame  # ENCODINGS to be linked anew: corrected ones, and who they leave
    freed: pl.DataFrame  # ENCODINGS of those that are asked again only because of others
    unlinked: pl.DataFrame  # arrival_ref, departure_ref: links taken back
    separated: pl.DataFrame  # MERGES taken back
    known: pl.DataFrame  # ENCODINGS as held before, for the times of events
    repeated: pl.DataFrame  # source of each report that said nothing new
    unknown_withdrawals: pl.DataFrame  # source of each withdrawal of what is not known


def sort_reports(encodings: pl.DataFrame, ledger: Ledger) -> Sorted:
    """Compare a batch with what the ledger holds. Within the batch the last of an id counts."""
    latest = encodings["crossing_ref"].reverse().is_first_distinct().reverse()
    last, superseded = encodings.filter(latest), encodings.filter(~latest).select("source")
    held = ledger.reports(last["crossing_ref"])
    if not held.height:
        return _all_fresh(last, superseded)
    is_held = last["crossing_ref"].is_in(held["crossing_ref"].implode())
    new, again = last.filter(~is_held), last.filter(is_held)
    withdrawn = again.filter("withdrawn")
    standing = again.filter(~pl.col("withdrawn"))
    before = standing.select("crossing_ref").join(
        held, on="crossing_ref", how="left", maintain_order="left"
    )
    differs = _differs(standing, before, _COMPARED)
    corrected = standing.filter(differs)
    reasked = standing.filter(differs & _differs(standing, before, _DECIDES))
    moved = pl.concat([withdrawn["crossing_ref"], reasked["crossing_ref"]])
    return _with_neighbours(
        moved, new, corrected, withdrawn, reasked, held, ledger,
        repeated=pl.concat([superseded, standing.filter(~differs).select("source")]),
    )  # fmt: skip


def _all_fresh(last: pl.DataFrame, repeated: pl.DataFrame) -> Sorted:
    none = ENCODINGS.empty()
    unknown = last.filter("withdrawn").select("source")
    return Sorted(
        last.filter(~pl.col("withdrawn")), none, none, none, none, pl.DataFrame(schema=LINK_PAIR),
        MERGES.empty(), none, repeated, unknown,
    )  # fmt: skip


def _differs(one: pl.DataFrame, other: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    out = pl.Series([False] * one.height, dtype=pl.Boolean)
    for name in columns:
        out = out | one[name].ne_missing(other[name])
    return out


def _with_neighbours(
    moved: pl.Series, new: pl.DataFrame, corrected: pl.DataFrame, withdrawn: pl.DataFrame,
    reasked: pl.DataFrame, held: pl.DataFrame, ledger: Ledger, *, repeated: pl.DataFrame,
) -> Sorted:  # fmt: skip
    """Find whom the moved reports leave: partners, and reports of the same crossing."""
    crossings = ledger.together(moved)  # every report of the crossings that moved
    partners = ledger.together(crossings["partner_ref"].drop_nulls().unique())
    around = pl.concat([crossings, partners]).unique("crossing_ref", maintain_order=True)
    pairs = around.filter(
        pl.col("partner_ref").is_not_null() & (pl.col("direction") == Direction.ARRIVAL)
    ).select(pl.col("crossing_ref").alias("arrival_ref"), departure_ref="partner_ref")
    separated = crossings.filter(pl.col("merged_into").is_not_null()).select(
        pl.col("crossing_ref").alias("report_ref"), crossing_ref="merged_into"
    )
    changed = pl.concat([withdrawn["crossing_ref"], reasked["crossing_ref"]]).implode()
    # Partners are taken apart too and asked again: simpler, and their merges are found anew.
    freed = around.filter(~pl.col("crossing_ref").is_in(changed)).drop(_HELD)
    kept_merges = partners.filter(pl.col("merged_into").is_not_null()).select(
        pl.col("crossing_ref").alias("report_ref"), crossing_ref="merged_into"
    )
    return Sorted(
        fresh=new.filter(~pl.col("withdrawn")),
        corrected=corrected,
        withdrawn=withdrawn,
        asked_again=pl.concat([reasked, freed.select(ENCODINGS.names)]),
        freed=freed.select(ENCODINGS.names),
        unlinked=pairs,
        separated=pl.concat([separated, kept_merges]).unique(maintain_order=True),
        known=pl.concat([held.drop(_HELD), around.drop(_HELD)])
        .unique("crossing_ref", maintain_order=True)
        .select(ENCODINGS.names),
        repeated=repeated,
        unknown_withdrawals=new.filter("withdrawn").select("source"),
    )
