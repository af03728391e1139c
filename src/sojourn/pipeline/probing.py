"""Decoys of a batch, asked for among the open stays and forgotten: only counts remain.

In: CROSSINGS of a batch, while they are there. Out: LINKAGE_QUALITY of how many decoys found an
open stay. Decoys live as long as their batch: no file and no table ever holds one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.encode import Decoys, make_decoys
from sojourn.link import LiveLinker, count_decoys
from sojourn.schemas import ENCODINGS, STATUS_ENCODINGS, Direction, StatusKind

DECOY_SHARE = 0.02  # of departures; each gives a decoy of both sorts
AT_ONCE = 20.0
MOST_SHARE = 0.5  # of a batch's departures: more would only repeat its parts


@dataclass(frozen=True)
class Probe:
    """ENCODINGS of decoys, and row for row whether made within a family."""

    encodings: pl.DataFrame
    family: pl.Series


def no_probe() -> Probe:
    return Probe(ENCODINGS.empty(), pl.Series("family", [], dtype=pl.Boolean))


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


def ask_decoys(probe: Probe, linker: LiveLinker) -> pl.DataFrame:
    """LINKAGE_QUALITY: how many decoys would be linked to an open stay now.

    They are asked like changes of status, which leave the open stays as they are. That question
    knows no rival departures, so the answer is at most too high.
    """
    asked = probe.encodings.select(
        pl.col("crossing_ref").alias("status_ref"),
        pl.lit(StatusKind.PENDING.value).alias("kind"),
        pl.col("local_date").alias("effective_date"),
        "source", "recorded_at", "nationality", "sex", "key_epoch", "key_kinds", "match_keys",
    )  # fmt: skip
    found = linker.find_stays(STATUS_ENCODINGS.conform(asked))
    linked = probe.encodings["crossing_ref"].is_in(found["status_ref"].implode())
    return count_decoys(probe.encodings, probe.family, linked)
