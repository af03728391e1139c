"""Weights: log2 odds for each pattern, a stay-length curve for each class, with provenance.

In (``learn_weights``): candidate pairs of a simulated country whose truth is known. Out: a
``WeightTable``. In use: a pair's match weight is

    log2_odds[pattern] + curve[class](days between) - log2(open stays / open stays in training)

The last part is the prior: a departure meets chance pairs in proportion to the stays that are
open (a threshold tuned at 100,000 crossings lost 0.006 of F1 at 8 million; research/linkage).
The curve is the log2 share of stays of the class that last at least so long: it falls
monotonically, so of two arrivals of one traveller the nearer one is preferred, and it never
looks at authorised_until, so that a missed link does not depend on the outcome.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.errors import LinkageError
from sojourn.link.patterns import (
    BACK_OFF,
    COARSE,
    FIELDS,
    PATTERNS,
    decode_patterns,
    encode_patterns,
)

WEIGHTS_VERSION = 3
SHIPPED = "policies/weights.npz"
ANY_CLASS = ""
BACK_OFF_STRENGTH = 20.0  # as many pairs as a coarser pattern's odds count for
FLOOR_BITS = 14.0  # a stay-length curve never takes away more than this
GAP_DAYS = np.array(
    [0, 0.25, 0.5, 1, 2, 3, 4, 5, 7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 365,
     450, 550, 730, 900, 1100], dtype=np.float64,
)  # fmt: skip
TILT_BITS = 1.0  # per doubling of the days: keeps the nearer arrival ahead where curves are flat
MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Provenance:
    """Where a table comes from: enough to make it again to the bit."""

    version: int
    simulator: str
    worlds: tuple[str, ...]  # each simulated country's settings, seeds and sizes among them
    encode_digest: str  # the [encode] part of the policy: which keys there are


@dataclass(frozen=True)
class Levels:
    """The odds at several levels of noise, clearest first, and their shares in what is at hand.

    ``seen`` is how true pairs look at each level: shares of coarse patterns (patterns.COARSE).
    """

    log2_odds: NDArray[np.float32]  # (levels, PATTERNS)
    seen: NDArray[np.float32]  # (levels, COARSE)
    shares: tuple[float, ...]

    def mixed(self) -> NDArray[np.float32]:
        """Odds of a border whose records are of the levels in these shares (PATTERNS)."""
        odds = np.exp2(self.log2_odds.astype(np.float64))
        mixed: NDArray[np.float64] = np.asarray(self.shares) @ odds
        return np.log2(mixed).astype(np.float32)


@dataclass(frozen=True)
class WeightTable:
    """``log2_odds``, ``log2_same`` (PATTERNS), ``curves`` (classes, GAP_DAYS), ``open_stays``."""

    log2_odds: NDArray[np.float32]  # one stay, against two travellers
    log2_same: NDArray[np.float32]  # one traveller, against two
    classes: tuple[str, ...]  # the first is ANY_CLASS
    curves: NDArray[np.float32]
    open_stays: float
    offset: float  # added to every weight so that zero is the best threshold in training
    provenance: Provenance
    levels: Levels | None = None  # what log2_odds is mixed of; None: it cannot be adapted

    def with_shares(self, shares: tuple[float, ...]) -> WeightTable:
        """The table for another mixture of noise. Raises LinkageError where it has no levels."""
        if self.levels is None or len(shares) != len(self.levels.shares):
            raise LinkageError("this weight table has no levels of noise to mix: 'sojourn train'")
        levels = replace(self.levels, shares=shares)
        return replace(self, log2_odds=levels.mixed(), levels=levels)

    def curve_of(self, admission_class: str | None) -> int:
        """Row of ``curves`` for a class; unknown classes share the first."""
        return self.classes.index(admission_class) if admission_class in self.classes else 0

    def same_traveller(
        self, pattern: NDArray[np.integer], open_stays: float
    ) -> NDArray[np.float32]:
        """Log2 odds that two crossings are of one traveller, whichever their stays."""
        return np.asarray(self.log2_same[pattern] - self.prior_of(open_stays), dtype=np.float32)

    def prior_of(self, open_stays: float) -> np.float64:
        """Bits by which chance pairs are more among so many open stays than in training."""
        return np.float64(np.log2(max(open_stays, 1.0) / self.open_stays))

    def stay_bits(self, curve: NDArray[np.integer], gap: NDArray[np.int64]) -> NDArray[np.float32]:
        """The stay-length part of the weight; ``gap`` in microseconds."""
        bits = np.empty(gap.size, np.float32)
        _stay_bits(curve, gap, self.curves, GAP_DAYS, bits)
        return bits

    def weigh(
        self,
        pattern: NDArray[np.integer],
        curve: NDArray[np.integer],
        gap: NDArray[np.int64],
        open_stays: float,
    ) -> NDArray[np.float32]:
        """Match weights (log2 odds) of candidate pairs among ``open_stays`` open stays."""
        prior = self.prior_of(open_stays)
        bits = self.log2_odds[pattern] + self.stay_bits(curve, gap) + (self.offset - prior)
        return np.asarray(bits, dtype=np.float32)


@lean
def _stay_bits(
    curve: NDArray[np.integer], gap: NDArray[np.int64], curves: NDArray[np.float32],
    grid: NDArray[np.float64], bits: NDArray[np.float32],
) -> None:  # fmt: skip
    """Between the grid's days a curve is straight; beyond its last day level."""
    for i in range(gap.size):
        days = max(gap[i], 0) / MICROSECONDS_A_DAY
        at, beyond = 0, grid.size - 1
        while beyond - at > 1:
            middle = (at + beyond) >> 1
            if grid[middle] <= days:
                at = middle
            else:
                beyond = middle
        share = min((days - grid[at]) / (grid[at + 1] - grid[at]), 1.0)
        low, high = curves[curve[i], at], curves[curve[i], at + 1]
        bits[i] = low + (high - low) * share - TILT_BITS * np.log2(1.0 + days)


def learn_log2_odds(
    pattern: NDArray[np.integer], true_pair: NDArray[np.bool_], worth: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Odds that a candidate pair with this pattern is a match, for every pattern.

    ``worth`` is how much each pair counts (chance pairs of a smaller country count for more).

    Counts at the finest level are pulled towards the next coarser pattern's odds with the
    strength of BACK_OFF_STRENGTH pairs, level by level from the coarsest; what was never seen
    takes the coarser odds.
    """
    everything = decode_patterns(np.arange(PATTERNS))
    odds = np.full(PATTERNS, np.average(true_pair, weights=worth))
    for forgotten in (*reversed(BACK_OFF), ()):
        kept = {n: v for n, v in everything.items() if n not in forgotten}
        group = encode_patterns(kept)
        of_pair = group[pattern]
        matches = np.bincount(of_pair, weights=true_pair * worth, minlength=PATTERNS)[group]
        seen = np.bincount(of_pair, weights=worth, minlength=PATTERNS)[group]
        odds = (matches + BACK_OFF_STRENGTH * odds) / (seen + BACK_OFF_STRENGTH)
    least = 0.5 / worth.sum()  # no pattern can be surer than all pairs together
    safe = np.clip(odds, least, 1 - least)
    return np.log2(safe / (1 - safe)).astype(np.float32)


def learn_curve(days: NDArray[np.float64]) -> NDArray[np.float32]:
    """Log2 of the share of stays that last at least so many days, floored, never rising."""
    lasting = 1.0 - np.searchsorted(np.sort(days), GAP_DAYS, side="left") / max(days.size, 1)
    bits = np.log2(np.clip(lasting, 2.0**-FLOOR_BITS, 1.0))
    return np.minimum.accumulate(bits).astype(np.float32)


def learn_curves(
    days: NDArray[np.float64], classes: pl.Series, *, least: int = 500
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """A curve for all stays, then one for each class with at least ``least`` of them."""
    named = classes.fill_null(ANY_CLASS).to_numpy()
    names = [n for n in sorted(set(named.tolist())) if n and int((named == n).sum()) >= least]
    curves = [learn_curve(days), *(learn_curve(days[named == n]) for n in names)]
    return (ANY_CLASS, *names), np.stack(curves)


def dump_weights(table: WeightTable) -> bytes:
    """A table as an uncompressed npz: the same table gives the same bytes."""
    levels = table.levels or Levels(
        table.log2_odds[None, :], np.zeros((1, COARSE), np.float32), (1.0,)
    )
    about = {
        "version": WEIGHTS_VERSION,
        "fields": [[f.name, f.size] for f in FIELDS],
        "classes": table.classes,
        "open_stays": table.open_stays,
        "offset": table.offset,
        "provenance": asdict(table.provenance),
        "shares": levels.shares,
    }
    buffer = io.BytesIO()
    np.savez(
        buffer,
        about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
        log2_odds=levels.log2_odds.astype("<f2"),
        seen=levels.seen.astype("<f4"),
        log2_same=table.log2_same.astype("<f2"),
        curves=table.curves.astype("<f4"),
    )
    return buffer.getvalue()


def parse_weights(data: bytes, where: str) -> WeightTable:
    """Raises LinkageError where the bytes are not a weight table of this version."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            about = json.loads(held["about"].tobytes())
            log2_odds, log2_same = held["log2_odds"], held["log2_same"]
            curves, seen = held["curves"], held["seen"]
    except (ValueError, KeyError, OSError, EOFError, BadZipFile):
        raise LinkageError(f"{where}: not a weight table; make one with 'sojourn train'") from None
    if about.get("version") != WEIGHTS_VERSION or about.get("fields") != [
        [f.name, f.size] for f in FIELDS
    ]:
        raise LinkageError(
            f"{where}: this weight table was made for other patterns than this Sojourn knows; "
            "make one with 'sojourn train'"
        )
    made = about["provenance"]
    levels = Levels(log2_odds.astype(np.float32), seen, tuple(about["shares"]))
    return WeightTable(
        levels.mixed(),
        log2_same.astype(np.float32),
        tuple(about["classes"]),
        curves,
        float(about["open_stays"]),
        float(about["offset"]),
        Provenance(
            made["version"], made["simulator"], tuple(made["worlds"]), made["encode_digest"],
        ),
        levels if len(levels.shares) > 1 else None,
    )  # fmt: skip


def load_weights(path: Path | None = None) -> WeightTable:
    """The table at ``path``, or the one that ships."""
    if path is not None:
        try:
            return parse_weights(path.read_bytes(), str(path))
        except OSError as error:
            raise LinkageError(f"{path}: cannot be read ({error.strerror})") from None
    return parse_weights(files("sojourn").joinpath(SHIPPED).read_bytes(), "the shipped weights")


def check_weights(table: WeightTable, encode_digest: str) -> None:
    """Raise LinkageError where the table was learned under other encode settings."""
    if table.provenance.encode_digest != encode_digest:
        raise LinkageError(
            "the weight table was learned under another [encode] policy "
            f"(digest {table.provenance.encode_digest}, this policy's is {encode_digest}): "
            "run 'sojourn train', or use the policy it was learned with"
        )
