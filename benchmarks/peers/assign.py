"""One assignment for every peer: from weighted pairs to stays, one departure to one arrival.

A peer says how alike two records are and no more; that travellers leave sooner rather than later,
and once, is added here, alike for all. What is not a peer's to choose (the least weight, the
weight above which identity is settled and only time tells, what a long gap costs, the threshold
after that, in which order pairs are taken) is set to what scores best against the truth: an oracle
that no user has, and that Sojourn does not get.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray

DAY_SECONDS = 86_400.0
GAP_COSTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.5)  # eighths of the weights' spread
CAPS = (1.0, 0.5, 0.35, 0.2, 0.1, 0.05)  # as quantiles of the weights
FLOORS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)  # the same
TRIED_THRESHOLDS = 24
ROUNDS = 2
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Weighted pairs in arrays: rows of arrival and departure, weight, times, whether true."""

    arrival: Ints
    departure: Ints
    weight: Floats
    gap_days: Floats
    left_at: Floats  # seconds
    true: NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """How pairs are taken. ``cap``, ``floor`` and ``gap_cost`` as in the constants above."""

    weight: str
    floor: float = 0.0
    cap: float = 1.0
    gap_cost: float = 0.0
    in_time_order: bool = False  # departures as they come; else the best pair first
    threshold: float = -math.inf


@dataclass(frozen=True)
class Scored:
    setting: Setting
    precision: float
    recall: float
    f1: float


def read_pairs(
    found: pl.DataFrame, weight: str, crossings: pl.DataFrame, truth: pl.DataFrame
) -> Pairs:
    """A peer's pairs (``arrival``, ``departure``: rows of ``crossings``) with times and truth.

    Pairs whose departure does not come after the arrival are left out.
    """
    at = crossings["event_time"].dt.epoch("ms").to_numpy() / 1000
    frame = found.select(
        pl.col("arrival", "departure").cast(pl.Int64), pl.col(weight).cast(pl.Float64).alias("w")
    ).filter(pl.col("w").is_finite())
    frame = frame.unique(["arrival", "departure"], maintain_order=True)
    frame = frame.join(
        true_rows(crossings, truth), on=["arrival", "departure"], how="left",
        maintain_order="left",
    )  # fmt: skip
    arrival, departure = frame["arrival"].to_numpy(), frame["departure"].to_numpy()
    gap = (at[departure] - at[arrival]) / DAY_SECONDS
    kept = gap > 0
    return Pairs(
        arrival[kept], departure[kept], frame["w"].to_numpy()[kept], gap[kept],
        at[departure][kept], frame["true"].fill_null(value=False).to_numpy()[kept],
    )  # fmt: skip


def true_rows(crossings: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """``arrival``, ``departure`` (rows of ``crossings``), ``true``: the truth by position."""
    rows = crossings.select("crossing_id").with_row_index("row").with_columns(
        pl.col("row").cast(pl.Int64)
    )  # fmt: skip
    return (
        truth.drop_nulls(["arrival_id", "departure_id"])
        .join(rows.rename({"row": "arrival"}), left_on="arrival_id", right_on="crossing_id")
        .join(rows.rename({"row": "departure"}), left_on="departure_id", right_on="crossing_id")
        .select("arrival", "departure", true=pl.lit(value=True))
        .unique()
    )


def utilities(pairs: Pairs, setting: Setting) -> Floats:
    """Weight up to the cap, less ``gap_cost`` / 8 x the weights' spread a doubling of days."""
    if not pairs.weight.size:
        return pairs.weight
    low, high, cap = np.quantile(pairs.weight, [0.05, 0.95, setting.cap])
    cost: Floats = setting.gap_cost * (high - low) / 8 * np.log2(1 + pairs.gap_days)
    worth: Floats = np.minimum(pairs.weight, cap) - cost
    if setting.floor:
        worth[pairs.weight < np.quantile(pairs.weight, setting.floor)] = -math.inf
    return worth


def assign(pairs: Pairs, setting: Setting) -> NDArray[np.bool_]:
    """Which pairs are taken: at most one for each arrival and each departure.

    Ties fall to the shorter gap, then to the lower rows, so that order of input does not matter.
    """
    worth = utilities(pairs, setting)
    order = _order(pairs, worth, setting.in_time_order)
    return _take(pairs, worth, order, setting.threshold)


def _order(pairs: Pairs, worth: Floats, in_time_order: bool) -> Ints:
    by = [pairs.departure, pairs.arrival, pairs.gap_days, -worth]
    if in_time_order:
        by += [pairs.departure, pairs.left_at]
    order: Ints = np.lexsort(by)
    return order


def _take(pairs: Pairs, worth: Floats, order: Ints, threshold: float) -> NDArray[np.bool_]:
    if not order.size:
        return np.zeros(0, dtype=np.bool_)
    rows = int(max(pairs.arrival.max(), pairs.departure.max())) + 1
    taken: NDArray[np.bool_] = _walk(
        pairs.arrival, pairs.departure, worth, order, threshold, rows
    )  # fmt: skip
    return taken


@numba.njit(cache=True)
def _walk(arrival, departure, worth, order, threshold, rows):  # type: ignore[no-untyped-def]
    used = np.zeros(rows, dtype=np.bool_)  # a row is an arrival or a departure, never both
    taken = np.zeros(order.size, dtype=np.bool_)
    for i in order:
        if (
            worth[i] > -np.inf
            and worth[i] >= threshold
            and not used[arrival[i]]
            and not used[departure[i]]
        ):
            used[arrival[i]] = used[departure[i]] = taken[i] = True
    return taken


def judge(taken: NDArray[np.bool_], pairs: Pairs, real: int, setting: Setting) -> Scored:
    """Precision, recall and F1 of the taken pairs against ``real`` true ones."""
    right, found = int(pairs.true[taken].sum()), int(taken.sum())
    f1 = 2 * right / (real + found) if real + found else 0.0
    return Scored(setting, right / found if found else 0.0, right / real if real else 0.0, f1)


def best_by_oracle(pairs: Pairs, real: int, weight: str) -> Scored:
    """The best F1 found: one setting after the other, twice round, each at its best threshold."""
    best = _best_prefix(pairs, real, Setting(weight, gap_cost=GAP_COSTS[-3]))
    for _ in range(ROUNDS):
        before = best.f1
        for turn in range(3):
            found = [_best_prefix(pairs, real, v) for v in _variants(best.setting, turn)]
            best = max(best, *found, key=lambda s: s.f1)
        if best.f1 == before:
            break
    return max(best, *_in_time_order(pairs, real, best.setting), key=lambda s: s.f1)


def _variants(setting: Setting, turn: int) -> list[Setting]:
    if turn == 0:
        return [replace(setting, gap_cost=value) for value in GAP_COSTS]
    if turn == 1:
        return [replace(setting, cap=value) for value in CAPS]
    return [replace(setting, floor=value) for value in FLOORS]


def _best_prefix(pairs: Pairs, real: int, setting: Setting) -> Scored:
    """Best first: what a threshold takes is the start of what none takes, so all are tried."""
    worth = utilities(pairs, setting)
    order = _order(pairs, worth, in_time_order=False)
    chosen = order[_take(pairs, worth, order, -math.inf)[order]]
    if not chosen.size:
        return Scored(setting, 0.0, 0.0, 0.0)
    right = np.cumsum(pairs.true[chosen])
    f1 = 2 * right / (real + np.arange(1, chosen.size + 1))
    # A threshold cannot part pairs of equal worth.
    last = np.append(worth[chosen][1:] < worth[chosen][:-1], True)
    at = int(np.argmax(np.where(last, f1, -1.0)))
    found = replace(setting, threshold=float(worth[chosen[at]]))
    return Scored(found, float(right[at] / (at + 1)), float(right[at] / real), float(f1[at]))


def _in_time_order(pairs: Pairs, real: int, setting: Setting) -> list[Scored]:
    """The same in the order of time: each threshold is a walk of its own, so some are tried."""
    worth = utilities(pairs, setting)
    order = _order(pairs, worth, in_time_order=True)
    kept = worth[worth > -math.inf]
    tried = np.quantile(kept, np.linspace(0, 0.6, TRIED_THRESHOLDS)) if kept.size else kept
    out = []
    for threshold in (setting.threshold, *tried.tolist()):
        found = replace(setting, in_time_order=True, threshold=threshold)
        out.append(judge(_take(pairs, worth, order, threshold), pairs, real, found))
    return out
