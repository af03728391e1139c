"""What linkage quality says without the truth, beside the truth, country by country.

In: worlds (simulated, or of the other generator). Out: a ``Judged`` each, and rows for a table.
``python -m benchmarks quality [--small]``; a country costs about ten linkings of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from benchmarks.elsewhere import NEVER_LEFT
from benchmarks.elsewhere import build as build_elsewhere
from sojourn.encode import MemoryKeyProvider, encode, make_decoys
from sojourn.link import Linked, Trial, add_counts, count_decoys, count_quality, link, load_weights
from sojourn.measure import (
    Corrected,
    Ended,
    LinkageQuality,
    correct_ended,
    judge_groups,
    judge_linkage,
    worst_gaps,
)
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country
from sojourn.vocabulary import LinkageGroup

DECOY_SHARE = 0.1
EXIT = World(1, 0).exit_coverage


@dataclass(frozen=True)
class Case:
    """Records, and row for row who travelled on which stay; and which stays truly ended."""

    name: str
    crossings: pl.DataFrame
    who: pl.DataFrame  # crossing_id, traveller, stay
    left: pl.DataFrame | None  # stay: of those whose traveller left before the data end; not told
    overstay_rate: float  # of all stays whose permitted period is over, truly late or open


@dataclass(frozen=True)
class Judged:
    """Estimates beside the truth."""

    name: str
    quality: LinkageQuality
    corrected: Corrected
    gaps: str
    false_links: int
    sensitivity: float
    coverage: float
    coverage_over: float  # of stays whose permitted period is over: what the bounds are of
    ended: int
    overstays_linked: int  # late or open by the links
    overstays_true: int  # late or open if every recorded pair were linked and no other
    overstay_rate: float

    @property
    def false_ratio(self) -> float:
        """Estimated over true false links; 1 where both are none."""
        return (self.quality.false_links.value or 1e-9) / (self.false_links or 1e-9)

    @property
    def error_before(self) -> float:
        """What linking puts into the overstay rate, as a share of the rate."""
        return (self.overstays_linked - self.overstays_true) / (self.overstay_rate * self.ended)

    @property
    def error_after(self) -> float:
        found = self.corrected.late_or_open.value
        return (found - self.overstays_true) / (self.overstay_rate * self.ended)


def simulated(
    stays: int, seed: int, *, noise: float = 1.0, entries: float = 0.998, exits: float = 1.0,
    unlike: float = 0.0, **knobs: object,
) -> Case:  # fmt: skip
    """One list of records a crossing. ``exits``: how much of the usual exit coverage is left.

    ``unlike``: of those who never come again, this share of departures goes unrecorded besides;
    negative: of those who come again.
    """
    seen = {mode: share * exits for mode, share in EXIT.items()}
    world = World(
        stays, seed, noise=noise, lists=1, entry_coverage=entries, exit_coverage=seen,
        **knobs,  # type: ignore[arg-type]
    )  # fmt: skip
    country = build_country(world)
    ended = country.stays.filter(pl.col("departure_date").is_not_null())
    last: date = country.crossings["local_date"].max()  # type: ignore[assignment]
    over = country.stays.filter(pl.col("authorised_until") < last)
    open_or_late = (
        over["departure_date"].is_null() | (over["departure_date"] > over["authorised_until"])
    ).sum()
    who, crossings = country.travellers, country.crossings
    if unlike:
        drop = _unlike(country.stays, who, crossings, unlike, np.random.default_rng(seed))
        who, crossings = who.filter(~drop), crossings.filter(~drop)
    name = f"seed {seed}, noise {noise:g}, entries {entries:g}, exits x{exits:g}"
    name += f", unlike {unlike:g}" if unlike else ""
    name += "".join(f", {k} {v}" for k, v in knobs.items())
    return Case(name, crossings, who, ended.select("stay"), int(open_or_late) / over.height)


def _unlike(
    stays: pl.DataFrame, who: pl.DataFrame, crossings: pl.DataFrame, unlike: float,
    rng: np.random.Generator,
) -> pl.Series:  # fmt: skip
    """Which departures are lost besides: those of the last stays of travellers, or the others."""
    last = stays.sort("arrival_date", "stay").group_by("traveller").agg(pl.col("stay").last())
    final = who["stay"].is_in(last["stay"].implode())
    leaving = crossings["direction"] == "departure"
    picked = final if unlike > 0 else ~final
    return leaving & picked & pl.Series(rng.random(who.height) < abs(unlike))


def elsewhere(stays: int, seed: int, noise: float) -> Case:
    """A country of the other generator, which tells pairs alone: not who never left.

    Stands in for an overstay rate: the generator's own share of those who never leave.
    """
    crossings, truth = build_elsewhere(stays, seed, noise)
    pairs = truth.with_row_index("stay").with_columns(pl.col("stay").cast(pl.Int64))
    ends = pl.concat([pairs.select("stay", crossing_id=n) for n in truth.columns])
    who = crossings.select("crossing_id").join(
        ends, on="crossing_id", how="left", maintain_order="left"
    )
    own = -1 - pl.int_range(pl.len(), dtype=pl.Int64)  # a stay of its own where it has no pair
    who = who.with_columns(pl.col("stay").fill_null(own))
    return Case(f"elsewhere, seed {seed}, noise {noise:g}", crossings, who, None, NEVER_LEFT)


def judge(case: Case, *, trial: Trial | None = None) -> Judged:
    """Link, count, estimate; then look at the truth."""
    policy, weights = load_policy(), load_weights()
    keys = MemoryKeyProvider(b"quality")
    encodings = encode(case.crossings, keys, policy.encode)
    rng = np.random.default_rng(1)
    last: date = case.crossings["local_date"].max()  # type: ignore[assignment]
    settings = (weights, policy.linkage, policy.digest)
    counts = count_quality(encodings, *settings, known_at=last, trial=trial or Trial(), rng=rng)
    decoys = make_decoys(case.crossings, DECOY_SHARE, rng)
    asked = encode(decoys.crossings, keys, policy.encode)
    found = link(pl.concat([encodings, asked]), *settings).links
    answered = asked["crossing_ref"].is_in(found["departure_ref"].implode())
    counts = add_counts([counts, count_decoys(asked, decoys.family, answered)])
    return _compare(case, encodings, link(encodings, *settings), counts, last)


def _compare(
    case: Case, encodings: pl.DataFrame, linked: Linked, counts: pl.DataFrame, last: date
) -> Judged:
    rows = case.crossings.select("direction", "authorised_until", day="local_date").with_columns(
        encodings["crossing_ref"].alias("ref"), case.who["stay"]
    )
    came = rows.filter(pl.col("direction") == "arrival").drop("direction")
    left = rows.filter(pl.col("direction") == "departure").select(
        departure_ref="ref", left_stay="stay", left_on="day"
    )
    links = came.join(linked.links, left_on="ref", right_on="arrival_ref").join(
        left, on="departure_ref"
    )
    true = came.join(left, left_on="stay", right_on="left_stay")
    right = links.filter(pl.col("stay") == pl.col("left_stay"))
    over = came.filter(pl.col("authorised_until") < last)
    observed = _ended(over, links)
    quality, corrected = judge_linkage(counts), correct_ended(counts, observed)
    if quality is None or corrected is None:
        raise ValueError("nothing was counted")
    groups = [q for k in LinkageGroup for q in judge_groups(counts, k) if k in _SHOWN]
    gaps = [f"{g.group_kind.value} {g.group_name}" for g in worst_gaps(groups) if g.beyond_chance]
    perfect = _ended(over, true)
    return Judged(
        case.name, quality, corrected, ", ".join(gaps) or "none",
        links.height - right.height,
        right.height / true.height,
        _seen(came, right, case.left),
        _seen(over, right, case.left),
        over.height,
        observed.late + observed.no_departure,
        perfect.late + perfect.no_departure,
        case.overstay_rate,
    )  # fmt: skip


_SHOWN = (LinkageGroup.NATIONALITY, LinkageGroup.SCRIPT, LinkageGroup.MODE, LinkageGroup.SEX)


def _seen(came: pl.DataFrame, right: pl.DataFrame, left: pl.DataFrame | None) -> float:
    """Of arrivals whose traveller truly left, the share with the right link."""
    if left is None:
        return float("nan")
    ended = came.join(left, on="stay", how="semi")
    return float(ended["stay"].is_in(right["stay"].implode()).mean())  # type: ignore[arg-type]


def _ended(over: pl.DataFrame, pairs: pl.DataFrame) -> Ended:
    """Stays whose permitted period is over, if ``pairs`` (ref, left_on) were all the links."""
    joined = over.join(pairs.select("ref", "left_on"), on="ref", how="left")
    late = int((joined["left_on"] > joined["authorised_until"]).sum())
    return Ended(joined.height, late, joined["left_on"].null_count())


def cases(stays: int) -> list[Case]:
    """Alike and unlike, ordinary noise and three times it, few and many unrecorded exits."""
    return [
        simulated(stays, 31),
        simulated(stays, 32),
        simulated(stays, 33, noise=3.0),
        simulated(stays, 34, exits=0.8, entries=0.9),
        simulated(stays, 35, noise=3.0, exits=0.8, entries=0.9),
        simulated(stays, 36, exits=0.95, entries=0.97),
        simulated(stays, 37, noise=3.0, exits=0.95, entries=0.97, stays_per_traveller=3.0),
        simulated(stays, 38, exits=0.9, entries=0.97, name_pool=120),
        simulated(stays, 39, unlike=0.1),
        simulated(stays, 40, unlike=-0.1),
        simulated(stays, 41, noise=3.0, unlike=0.2),
        elsewhere(stays, 42, 1.0),
        elsewhere(stays, 43, 3.0),
    ]


def _say_coverage(judged: Judged) -> str:
    bounds, coverage = judged.quality.coverage_bounds, judged.quality.coverage
    said = f"{coverage.value:.4f} [{bounds.lower:.4f}, {bounds.upper:.4f}]"
    if math.isnan(judged.coverage):
        return f"{said}, truth not told"
    inside = bounds.lower <= judged.coverage_over <= bounds.upper
    return (
        f"{said}, truly {judged.coverage:.4f}: {coverage.value / judged.coverage - 1:+.1%}; "
        f"period over: {judged.coverage_over:.4f}, {'within' if inside else 'OUTSIDE'} bounds"
    )


def judged_rows(judged: Judged) -> list[tuple[str, str, str, str]]:
    """What, size, found, wanted: rows for the bench table."""
    q = judged.quality
    return [
        ("false links", judged.name,
         f"{q.false_links.value:.0f} [{q.false_links.lower:.0f}, {q.false_links.upper:.0f}], "
         f"truly {judged.false_links}: x{judged.false_ratio:.2f}", "x0.67 to x1.5"),
        ("sensitivity", "", f"{q.sensitivity.value:.4f} [{q.sensitivity.lower:.4f}, "
         f"{q.sensitivity.upper:.4f}], truly {judged.sensitivity:.4f}", ""),
        ("coverage x sensitivity", "", _say_coverage(judged),
         "within bounds" if "unlike" in judged.name else "within 5%"),
        ("overstay rate, error of linking", "",
         f"{judged.error_before:+.1%} before, {judged.error_after:+.1%} after correction",
         "under 3%, stretch 1%" if "noise 1" in judged.name else ""),
        ("decoys linked: random, family", "",
         f"{q.decoy_chance.value:.2%}, {q.family_decoy_chance.value:.2%}", ""),
        ("groups beyond chance", "", judged.gaps, ""),
    ]  # fmt: skip
