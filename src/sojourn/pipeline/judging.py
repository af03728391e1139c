"""How well linking does, on synthetic truth.

In: crossings and TRUTH of invented people. Out: precision, recall and F1, in total and by
nationality and mode. Nothing is written but these numbers: no pairs. At least 1,000 true pairs
are asked for and no group under 100 is reported, so that nobody's pair can be read off a score.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.errors import PrivacyError, ReadError
from sojourn.link import Linked, WeightTable, link
from sojourn.policy import Policy
from sojourn.read import read_file
from sojourn.schemas import TRUTH

LEAST_PAIRS = 1_000
LEAST_GROUP = 100
GROUPS = ("nationality", "mode")


@dataclass(frozen=True)
class Accuracy:
    pairs: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    overall: Accuracy
    groups: dict[str, dict[str, Accuracy]]  # by nationality, by mode (of the arrival)
    crossings: int
    seconds: float
    candidates: int
    capped: int
    without_keys: int
    policy_digest: str

    def as_dict(self) -> dict[str, object]:
        """For ``--json``: overall scores at the top, groups below."""
        groups = {
            f"by_{name}": {k: asdict(v) for k, v in scores.items()}
            for name, scores in self.groups.items()
        }
        rest = {
            k: getattr(self, k)
            for k in (
                "crossings",
                "seconds",
                "candidates",
                "capped",
                "without_keys",
                "policy_digest",
            )
        }
        return {**asdict(self.overall), **rest, **groups}


def read_crossings(path: Path, policy: Policy) -> pl.DataFrame:
    """CROSSINGS of a file of any tabular format, checked like any other input."""
    now = datetime.now(UTC)
    parts = [r.crossings for r in read_file(path, policy.read, source=None, now=now)]
    return pl.concat(parts)


def read_truth(path: Path) -> pl.DataFrame:
    """TRUTH of a Parquet or CSV file. Raises ReadError where the columns are not there."""
    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        return frame.select(pl.col(TRUTH.names).cast(pl.String)).drop_nulls()
    except (pl.exceptions.PolarsError, OSError):
        raise ReadError(
            f"{path.name}: expected Parquet or CSV with {' and '.join(TRUTH.names)}"
        ) from None


def evaluate(
    crossings: pl.DataFrame,
    truth: pl.DataFrame,
    policy: Policy,
    weights: WeightTable,
    *,
    seed: bytes = b"evaluation",
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Encode under a throw-away key, link in memory, compare with TRUTH.

    Raises PrivacyError with fewer than 1,000 true pairs.
    """
    if truth.height < LEAST_PAIRS:
        raise PrivacyError(
            f"the truth holds {truth.height} pairs; an evaluation needs at least {LEAST_PAIRS}, "
            "so that no single pair can be read from its scores"
        )
    started = time.perf_counter()
    progress("encoding")
    encodings = encode(crossings, MemoryKeyProvider(seed), policy.encode)
    progress("linking")
    linked = link(encodings, weights, policy.linkage, policy.digest)
    seconds = time.perf_counter() - started
    progress("comparing with the truth")
    judged = _judge(crossings, encodings["crossing_ref"], linked, truth)
    return Evaluation(
        _accuracy(judged),
        {group: _by_group(judged, group) for group in GROUPS},
        crossings.height,
        seconds,
        linked.candidates,
        linked.capped,
        linked.without_keys,
        policy.digest,
    )


def _judge(
    crossings: pl.DataFrame, refs: pl.Series, linked: Linked, truth: pl.DataFrame
) -> pl.DataFrame:
    """One row per pair that is true or was linked: group columns, ``true``, ``found``.

    Pairs are of crossings: a report counts as the crossing it was merged into.
    """
    stands = (
        pl.DataFrame({"id": crossings["crossing_id"], "ref": refs})
        .join(linked.merges, left_on="ref", right_on="report_ref", how="left")
        .select("id", pl.coalesce("crossing_ref", "ref").alias("ref"))
    )
    real = (
        truth.filter(pl.col("departure_id").is_not_null())
        .join(stands, left_on="arrival_id", right_on="id")
        .rename({"ref": "arrival_ref"})
        .join(stands, left_on="departure_id", right_on="id")
        .select("arrival_ref", pl.col("ref").alias("departure_ref"), true=pl.lit(value=True))
        .unique()
    )
    found = linked.links.select("arrival_ref", "departure_ref", found=pl.lit(value=True))
    about = crossings.select(*GROUPS).with_columns(refs.alias("arrival_ref"))
    return (
        real.join(found, on=["arrival_ref", "departure_ref"], how="full", coalesce=True)
        .with_columns(pl.col("true", "found").fill_null(value=False))
        .join(about, on="arrival_ref", how="left")
    )


def _accuracy(judged: pl.DataFrame) -> Accuracy:
    right = judged.filter(pl.col("true") & pl.col("found")).height
    true, found = int(judged["true"].sum()), int(judged["found"].sum())
    precision = right / found if found else 0.0
    recall = right / true if true else 0.0
    f1 = 2 * right / (true + found) if true + found else 0.0
    return Accuracy(true, precision, recall, f1)


def _by_group(judged: pl.DataFrame, group: str) -> dict[str, Accuracy]:
    out = {}
    for (name,), part in sorted(
        judged.filter(pl.col(group).is_not_null()).partition_by(group, as_dict=True).items()
    ):
        scored = _accuracy(part)
        if scored.pairs >= LEAST_GROUP:
            out[str(name)] = scored
    return out
