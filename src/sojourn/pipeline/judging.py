"""How well linking does, on synthetic truth.

In: crossings and TRUTH of invented people. Out: precision, recall and F1, in total and by group,
and how far the worst group lies below the whole. Nothing is written but these numbers: no pairs.
At least 1,000 true pairs are asked for and no group under 100 is reported, so that nobody's pair
can be read off a number.

A pair, true or false, counts in the groups of its arrival: nationality, script of the nationality,
sex and mode as the arrival's record has them. ``timing`` sets the pair's own departure against the
arrival's permission: a false pair that looks late counts against the late ones. ``case`` is that
of the arrival's true stay; where the truth has none, of the departure's. (An arrival whose exit
nobody recorded is in no truth: what takes its place is often a twin, whose case it then is.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.errors import PrivacyError, ReadError, SchemaError
from sojourn.link import Linked, WeightTable, adapt_weights, check_weights, link
from sojourn.policy import Policy
from sojourn.read import read_file
from sojourn.schemas import TRUTH, HardCase
from sojourn.scripts import LATIN, SCRIPTS

LEAST_PAIRS = 1_000
LEAST_GROUP = 100
LEAST_COMPARED = 1_000  # true pairs of a group whose gap to the whole is told
RECORDED = ("nationality", "mode", "sex")  # of the arrival
GROUPS = ("nationality", "mode", "script", "sex", "case", "timing")
COMPARED = ("nationality", "script")  # nobody's country should fare worse without our saying so
IN_TIME, LATE = "in time", "late"
OPEN_ENDED = "open-ended"  # no last permitted day: no limit, or only a carrier reported the arrival


@dataclass(frozen=True)
class Accuracy:
    pairs: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Gap:
    """How far a group's F1 lies below the whole's (negative: above)."""

    group: str  # nationality or script
    name: str
    pairs: int
    f1: float
    below: float


@dataclass(frozen=True)
class Evaluation:
    overall: Accuracy
    groups: dict[str, dict[str, Accuracy]]  # by each of GROUPS
    worst_gap: Gap | None  # None: no group has LEAST_COMPARED true pairs
    crossings: int
    seconds: float
    candidates: int
    capped: int
    without_keys: int
    policy_digest: str

    def remarks(self) -> list[str]:
        """Lines that a reader should not miss: the worst gap, and what could not be compared."""
        said = []
        if gap := self.worst_gap:
            said.append(
                f"worst {gap.group} of {LEAST_COMPARED:,} pairs or more: {gap.name}, "
                f"F1 {gap.f1:.4f}, {gap.below:.4f} below the whole"
            )
        if self.without_keys:
            said.append(
                f"{self.without_keys:,} records without a usable key: no partner can be found"
            )
        if self.capped:
            said.append(
                f"{self.capped:,} look-ups of a key cut short: more records share it than "
                "candidates_per_key"
            )
        return said

    def as_dict(self) -> dict[str, object]:
        """For ``--json``: the whole at the top, groups below."""
        groups = {
            f"by_{name}": {k: asdict(v) for k, v in accuracies.items()}
            for name, accuracies in self.groups.items()
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
        gap = None if self.worst_gap is None else asdict(self.worst_gap)
        return {**asdict(self.overall), "worst_gap": gap, **rest, **groups}


def read_crossings(path: Path, policy: Policy) -> pl.DataFrame:
    """CROSSINGS of a file of any tabular format, checked like any other input."""
    now = datetime.now(UTC)
    parts = [r.crossings for r in read_file(path, policy.read, source=None, now=now)]
    return pl.concat(parts)


def read_truth(path: Path) -> pl.DataFrame:
    """TRUTH of a Parquet or CSV file; one without ``case`` holds ordinary stays.

    Raises ReadError where the columns are not there, or a case is none of HardCase.
    """
    try:
        csv = path.suffix == ".csv"
        frame = pl.read_csv(path, infer_schema=False) if csv else pl.read_parquet(path)
        return TRUTH.conform(frame.drop_nulls(TRUTH.key))
    except (pl.exceptions.PolarsError, SchemaError, OSError):
        raise ReadError(
            f"{path.name}: expected Parquet or CSV with {' and '.join(TRUTH.key)}, and with case, "
            f"if at all, as one of {', '.join(HardCase)} or nothing"
        ) from None


def evaluate(
    crossings: pl.DataFrame,
    truth: pl.DataFrame,
    policy: Policy,
    weights: WeightTable,
    *,
    seed: bytes = b"evaluation",
    adapt: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Encode under a throw-away key, link in memory, compare with TRUTH.

    ``adapt``: fit the weights to the encodings first (link.adapting); the truth is not looked at.

    ``truth`` may lack ``case``. Raises PrivacyError with fewer than 1,000 true pairs, LinkageError
    where the weights were learned under another [encode] policy.
    """
    truth = TRUTH.conform(truth)
    if truth.height < LEAST_PAIRS:
        raise PrivacyError(
            f"the truth holds {truth.height} pairs; an evaluation needs at least {LEAST_PAIRS}, "
            "so that no single pair can be read from its numbers"
        )
    check_weights(weights, policy.encode.digest)
    started = time.perf_counter()
    progress("encoding")
    encodings = encode(crossings, MemoryKeyProvider(seed), policy.encode)
    if adapt:
        progress("fitting the weights")
        weights = adapt_weights(encodings, weights, policy.linkage, policy.digest)
    progress("linking")
    linked = link(encodings, weights, policy.linkage, policy.digest)
    seconds = time.perf_counter() - started
    progress("comparing with the truth")
    found = judge_links(crossings, encodings["crossing_ref"], linked, truth, policy.digest)
    return replace(found, seconds=seconds)


def judge_links(
    crossings: pl.DataFrame, refs: pl.Series, linked: Linked, truth: pl.DataFrame,
    policy_digest: str,
) -> Evaluation:  # fmt: skip
    """Links of ``crossings`` (whose references are ``refs``) against TRUTH; 0 seconds."""
    judged = _judge(crossings, refs, linked, truth)
    overall = _accuracy(judged)
    groups = {group: _by_group(judged, group) for group in GROUPS}
    return Evaluation(
        overall,
        groups,
        worst_gap(overall, groups),
        crossings.height,
        0.0,
        linked.candidates,
        linked.capped,
        linked.without_keys,
        policy_digest,
    )


def worst_gap(overall: Accuracy, groups: dict[str, dict[str, Accuracy]]) -> Gap | None:
    """The nationality or script of LEAST_COMPARED true pairs or more with the lowest F1."""
    gaps = [
        Gap(group, name, judged_so.pairs, judged_so.f1, overall.f1 - judged_so.f1)
        for group in COMPARED
        for name, judged_so in groups[group].items()
        if judged_so.pairs >= LEAST_COMPARED
    ]
    return max(gaps, key=lambda gap: gap.below, default=None)


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
    stays = (
        truth.join(stands, left_on="arrival_id", right_on="id")
        .rename({"ref": "arrival_ref"})
        .join(stands, left_on="departure_id", right_on="id")
        .select("arrival_ref", pl.col("ref").alias("departure_ref"), "case")
        .unique(["arrival_ref", "departure_ref"])
    )
    real = stays.select("arrival_ref", "departure_ref", true=pl.lit(value=True))
    found = linked.links.select("arrival_ref", "departure_ref", found=pl.lit(value=True))
    pairs = real.join(
        found, on=["arrival_ref", "departure_ref"], how="full", coalesce=True
    ).with_columns(pl.col("true", "found").fill_null(value=False))
    return _grouped(pairs, crossings.with_columns(refs.alias("ref")), stays)


def _grouped(pairs: pl.DataFrame, crossings: pl.DataFrame, stays: pl.DataFrame) -> pl.DataFrame:
    """``pairs`` with a column for each of GROUPS; null: in no group."""
    came = crossings.select(pl.col("ref").alias("arrival_ref"), *RECORDED, "authorised_until")
    left = crossings.select(pl.col("ref").alias("departure_ref"), "local_date")
    case = stays.filter(pl.col("case").is_not_null())
    arrivals = stays.select("arrival_ref", "case").unique("arrival_ref").with_columns(told=True)
    departures = case.select("departure_ref", left_case="case").unique("departure_ref")
    until = pl.col("authorised_until")
    return (
        pairs.join(came, on="arrival_ref", how="left")
        .join(left, on="departure_ref", how="left")
        .join(arrivals, on="arrival_ref", how="left")
        .join(departures, on="departure_ref", how="left")
        .with_columns(
            # What is not known is of no script: replace_strict would call it Latin.
            script=pl.when(pl.col("nationality").is_not_null()).then(
                pl.col("nationality").replace_strict(SCRIPTS, default=LATIN)
            ),
            case=pl.when(pl.col("told").is_not_null()).then("case").otherwise("left_case"),
            timing=pl.when(pl.col("local_date").is_null()).then(None)
            .when(until.is_null()).then(pl.lit(OPEN_ENDED))
            .when(pl.col("local_date") > until).then(pl.lit(LATE))
            .otherwise(pl.lit(IN_TIME)),
        )
        .select("true", "found", *GROUPS)
    )  # fmt: skip


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
        judged_so = _accuracy(part)
        if judged_so.pairs >= LEAST_GROUP:
            out[str(name)] = judged_so
    return out
