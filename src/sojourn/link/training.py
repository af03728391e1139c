"""Learn a weight table from simulated countries whose truth is known.

In: encodings with, for each row, who travelled and on which stay. Out: a ``WeightTable``. The
counts of chance pairs are brought to one number of open stays; pairs of one traveller's
different stays are left out, for names and documents cannot tell those apart: time does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LinkageError
from sojourn.link.bulk import mean_open_stays, nearby
from sojourn.link.decide import choose_links, merge_reports
from sojourn.link.linker import LinkIndex, Pairs
from sojourn.link.patterns import COARSE, PATTERNS, coarse_patterns
from sojourn.link.weights import (
    ANY_CLASS,
    GAP_DAYS,
    MICROSECONDS_A_DAY,
    Levels,
    Provenance,
    WeightTable,
    learn_curves,
    learn_log2_odds,
)
from sojourn.policy import LinkagePolicy
from sojourn.schemas import Direction

NO_THRESHOLD = -1e9
LEAST_SEEN = 0.1  # of a coarse pattern, so that none is impossible at a level
CUTS = np.arange(-60.0, 20.5, 0.5)  # thresholds tried, in bits
# F1 is level over a dozen bits: the middle is safest where the world differs from the simulator.
FLAT = 5e-5


@dataclass(frozen=True)
class Sample:
    """ENCODINGS of one country and, row for row, its truth (both int64)."""

    encodings: pl.DataFrame
    traveller: NDArray[np.int64]
    stay: NDArray[np.int64]
    level: int = 0  # of noise: samples of one level are learned together, the clearest first


@dataclass(frozen=True)
class _Counted:
    pattern: NDArray[np.uint32]
    match: NDArray[np.bool_]  # of one stay
    same: NDArray[np.bool_]  # of one traveller
    worth: NDArray[np.float64]
    level: NDArray[np.int64]


def learn_weights(
    samples: Sequence[Sample], policy: LinkagePolicy, provenance: Provenance
) -> WeightTable:
    """Count patterns, learn curves, then set the offset so that a weight of 0 is the best cut.

    Raises LinkageError without samples. The same samples give the same table.
    """
    if not samples:
        raise LinkageError("training needs at least one simulated country")
    nothing = np.zeros(PATTERNS, np.float32)
    blank = WeightTable(
        nothing, nothing, (ANY_CLASS,), np.zeros((1, GAP_DAYS.size), np.float32), 1.0, 0.0,
        provenance,
    )  # fmt: skip
    opened = [_prepare(s, blank, policy) for s in samples]
    open_stays = max(o.open_stays for o in opened)
    counted = [_count(o, open_stays) for o in opened]
    pattern = np.concatenate([c.pattern for c in counted])
    same = np.concatenate([c.same for c in counted])
    worth = np.concatenate([c.worth for c in counted])
    levels = _learn_levels(counted)
    log2_same = learn_log2_odds(pattern, same, worth)
    days, classes = _stay_lengths(samples)
    names, curves = learn_curves(days, classes)
    table = WeightTable(
        levels.mixed(), log2_same, names, curves, open_stays, 0.0, provenance, levels
    )
    f1 = np.mean([_f1_by_cut(s, table, policy) for s in samples], axis=0)
    as_good = CUTS[f1 >= f1.max() - FLAT]
    return replace(table, offset=-float((as_good[0] + as_good[-1]) / 2))


def _learn_levels(counted: Sequence[_Counted]) -> Levels:
    """Odds at each level of noise: its own true pairs, against all levels' chance pairs."""
    pattern = np.concatenate([c.pattern for c in counted])
    match = np.concatenate([c.match for c in counted])
    chance = ~np.concatenate([c.same for c in counted])
    worth = np.concatenate([c.worth for c in counted])
    level = np.concatenate([c.level for c in counted])
    odds, seen, shares = [], [], []
    for number in range(int(level.max(initial=0)) + 1):
        true = match & (level == number)
        share = true.sum() / max(match.sum(), 1)
        told = true | chance
        scaled = np.where(chance, worth * share, worth)
        odds.append(learn_log2_odds(pattern[told], true[told], scaled[told]))
        looks = np.bincount(coarse_patterns(pattern[true]), minlength=COARSE) + LEAST_SEEN
        seen.append(looks / looks.sum())
        shares.append(float(share))
    return Levels(np.stack(odds), np.stack(seen).astype(np.float32), tuple(shares))


@dataclass(frozen=True)
class _Opened:
    index: LinkIndex
    slots: NDArray[np.int32]
    sample: Sample
    pairs: Pairs
    open_stays: float


def _prepare(sample: Sample, table: WeightTable, policy: LinkagePolicy) -> _Opened:
    index = LinkIndex(table, policy, room=max(1024, sample.encodings.height))
    slots = index.add(sample.encodings)
    pairs = index.propose(slots).links
    return _Opened(index, slots, sample, pairs, mean_open_stays(index, slots))


def _by_slot(values: NDArray[np.int64], slots: NDArray[np.int32], room: int) -> NDArray[np.int64]:
    out = np.full(room, -1, np.int64)
    out[slots] = values
    return out


def _count(opened: _Opened, open_stays: float) -> _Counted:
    room = opened.index.slots.state.size
    stay = _by_slot(opened.sample.stay, opened.slots, room)
    traveller = _by_slot(opened.sample.traveller, opened.slots, room)
    a, d = opened.pairs.one, opened.pairs.other
    same = traveller[a] == traveller[d]
    worth = np.where(same, 1.0, open_stays / opened.open_stays)
    level = np.full(a.size, opened.sample.level)
    return _Counted(opened.pairs.pattern, stay[a] == stay[d], same, worth, level)


def _stay_lengths(samples: Sequence[Sample]) -> tuple[NDArray[np.float64], pl.Series]:
    """Days and class of every stay that was recorded at both ends."""
    parts = []
    for sample in samples:
        rows = sample.encodings.select("direction", "event_time", "admission_class").with_columns(
            stay=pl.Series(sample.stay)
        )
        came = rows.filter(pl.col("direction") == Direction.ARRIVAL).unique("stay", keep="first")
        left = rows.filter(pl.col("direction") == Direction.DEPARTURE).unique("stay", keep="first")
        both = came.join(left, on="stay", suffix="_left").sort("stay")
        gap = (both["event_time_left"] - both["event_time"]).dt.total_microseconds()
        parts.append(
            pl.DataFrame({"days": gap / MICROSECONDS_A_DAY, "class": both["admission_class"]})
        )
    every = pl.concat(parts).filter(pl.col("days") >= 0)
    return every["days"].to_numpy(), every["class"]


def _f1_by_cut(sample: Sample, table: WeightTable, policy: LinkagePolicy) -> NDArray[np.float64]:
    """F1 on this sample for each of CUTS as the least weight of a link."""
    open_policy = replace(policy, threshold_log2_odds=NO_THRESHOLD)
    index = LinkIndex(table, open_policy, room=max(1024, sample.encodings.height))
    slots = index.add(sample.encodings)
    proposal = index.propose(slots)
    index.policy = policy
    merge_reports(index, proposal.merges, slots, nearby(index, slots))
    index.policy = open_policy
    open_stays = mean_open_stays(index, slots)
    chosen = choose_links(index, proposal.links, open_stays, ambiguity=None)
    stay = _by_slot(sample.stay, slots, index.slots.state.size)
    right = stay[chosen.arrival] == stay[chosen.departure]
    order = np.argsort(chosen.weight, kind="stable")
    first = np.searchsorted(chosen.weight[order], CUTS)
    hits = np.r_[np.cumsum(right[order][::-1])[::-1], 0][first]
    f1: NDArray[np.float64] = 2 * hits / (order.size - first + _stays_with_both_ends(sample))
    return f1


def _stays_with_both_ends(sample: Sample) -> int:
    leaving = (sample.encodings["direction"] == Direction.DEPARTURE).to_numpy()
    solid = (sample.encodings["evidence"] != "booked").to_numpy()
    return int(np.intersect1d(sample.stay[~leaving & solid], sample.stay[leaving & solid]).size)
