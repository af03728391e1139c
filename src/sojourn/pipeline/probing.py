"""Decoys of a batch, asked for among the open stays and forgotten: only counts remain.

In: CROSSINGS of a batch, while they are there. Out: its ENCODINGS and, apart from them, DECOYS;
LINKAGE_QUALITY of how many decoys found an open stay. Decoys live as long as their batch, or, from
an edge, as long as their own file (``edge_files``): no table ever holds one.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from sojourn.encode import Decoys, KeyProvider, encode, make_decoys
from sojourn.link import LiveLinker, count_decoys
from sojourn.policy import EncodePolicy
from sojourn.schemas import DECOYS, STATUS_ENCODINGS, TIMESTAMP, Direction, StatusKind

DECOY_SHARE = 0.02  # of departures; each gives a decoy of both sorts
AT_ONCE = 20.0
MOST_SHARE = 0.5  # of a batch's departures: more would only repeat its parts
SOURCE = "decoy"


def decoys_for(crossings: pl.DataFrame, digest: str) -> Decoys:
    """Decoys for about DECOY_SHARE of a batch's departures.

    Asking has its price, however few are asked: of batches so small that it would be fewer than
    AT_ONCE, some are left out and the others asked more. The batch's digest is the seed: the
    same file gives the same decoys.
    """
    seed = hashlib.blake2b(digest.encode(), digest_size=8).digest()
    rng = np.random.default_rng(list(seed))
    leaving = int((crossings["direction"] == Direction.DEPARTURE).sum())
    wanted = DECOY_SHARE * leaving
    if wanted >= AT_ONCE:
        return make_decoys(crossings, DECOY_SHARE, rng)
    most = min(AT_ONCE, MOST_SHARE * leaving)
    asked = bool(most) and bool(rng.random() < wanted / most)
    return make_decoys(crossings, most / leaving if asked else 0.0, rng)


def encode_with_decoys(
    crossings: pl.DataFrame, digest: str, keys: KeyProvider, policy: EncodePolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ENCODINGS of CROSSINGS, row for row, and DECOYS made from them.

    ``digest``: the batch's, the decoys' seed. Raises KeyProviderError where an epoch's key is
    gone: ask ``encodable`` first.
    """
    nobody = decoys_for(crossings, digest)
    # In one go, for each call has its price; they part at once and never meet again.
    both = encode(pl.concat([crossings, nobody.crossings]), keys, policy)
    decoys = both.slice(crossings.height).with_columns(
        nobody.family.alias("family"), decoy_ref="crossing_ref"
    )
    # Order would tell which two decoys were made of one departure.
    return both.head(crossings.height), DECOYS.conform(decoys).sort("decoy_ref")


def ask_decoys(decoys: pl.DataFrame, linker: LiveLinker) -> pl.DataFrame:
    """LINKAGE_QUALITY: how many DECOYS would be linked to an open stay now.

    They are asked like changes of status, which leave the open stays as they are. That question
    knows no rival departures, so the answer is at most too high.
    """
    asked = decoys.select(
        pl.col("decoy_ref").alias("status_ref"),
        pl.lit(StatusKind.PENDING.value).alias("kind"),
        pl.lit(SOURCE).alias("source"),
        pl.col("local_date").alias("effective_date"),
        pl.col("local_date").cast(TIMESTAMP).alias("recorded_at"),
        "nationality", "sex", "key_epoch", "key_kinds", "match_keys",
    )  # fmt: skip
    found = linker.find_stays(STATUS_ENCODINGS.conform(asked))
    linked = decoys["decoy_ref"].is_in(found["status_ref"].implode())
    plain = decoys.with_columns(
        admission_class=pl.lit(None, pl.String), authorised_until=pl.lit(None, pl.Date)
    )
    return count_decoys(plain, decoys["family"], linked)
