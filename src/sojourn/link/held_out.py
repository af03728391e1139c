"""Links that each kind of evidence finds without the other: documents, or names and dates.

In: ENCODINGS. Out: for every pair that either finds, which of the two found it. Counts of that
are what capture-recapture needs to say how many links neither finds.
"""

from __future__ import annotations

import polars as pl

from sojourn.link.bulk import link
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy
from sojourn.schemas import KeyKind

_KIND_MASK = 0x7F  # the top bit of a kind is the parity of its key's epoch
DOCUMENT_KINDS = (KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR)
NAME_KINDS = tuple(k for k in KeyKind if k not in DOCUMENT_KINDS)


def keep_kinds(encodings: pl.DataFrame, kinds: tuple[KeyKind, ...]) -> pl.DataFrame:
    """ENCODINGS whose records have match keys of ``kinds`` alone, in their order."""
    wanted = [int(k) | parity for k in kinds for parity in (0, _KIND_MASK + 1)]
    numbered = encodings.with_row_index("row")
    kept = (
        numbered.select("row", "key_kinds", "match_keys")
        .explode("key_kinds", "match_keys")
        .filter(pl.col("key_kinds").is_in(wanted))
        .group_by("row", maintain_order=True)
        .agg("key_kinds", "match_keys")
    )
    none = {n: pl.lit([], dtype=encodings.schema[n]) for n in ("key_kinds", "match_keys")}
    return (
        numbered.drop("key_kinds", "match_keys")
        .join(kept, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce(n, empty).alias(n) for n, empty in none.items())
        .select(encodings.columns)
    )


def find_by_kinds(
    encodings: pl.DataFrame,
    weights: WeightTable,
    policy: LinkagePolicy,
    policy_digest: str,
) -> pl.DataFrame:
    """arrival_ref, departure_ref, by_documents, by_names: every pair that one of them links."""
    found = []
    for name, kinds in (("by_documents", DOCUMENT_KINDS), ("by_names", NAME_KINDS)):
        linked = link(keep_kinds(encodings, kinds), weights, policy, policy_digest)
        pairs = linked.links.select("arrival_ref", "departure_ref")
        found.append(pairs.with_columns(pl.lit(value=True).alias(name)))
    both = found[0].join(found[1], on=["arrival_ref", "departure_ref"], how="full", coalesce=True)
    return both.with_columns(pl.col("by_documents", "by_names").fill_null(value=False))
