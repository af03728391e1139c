"""One departure against a million open stays: how long until it is decided, and what they take.

Arrivals of a simulated country fill the index, their departures are decided one by one and in
flights. Nothing is committed. Records are given random keys up to 16, the number that the policy
is to make: they take their room and find nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import LiveLinker, load_weights
from sojourn.link.live import Answer, Decision
from sojourn.policy import load_policy
from sojourn.schemas import KeyKind
from sojourn.simulate import World, build_country

FLIGHT = 180
WANTED_KEYS = 16  # a record, on average
WARM = 50
PART = 100_000


@dataclass(frozen=True)
class Waits:
    """Microseconds from a record in hand to its decision."""

    p50: float
    p99: float
    longest: float


@dataclass(frozen=True)
class OneResult:
    open_stays: int
    keys: float  # a record
    bytes_a_stay: float
    found: float  # share of departures that were linked: they were all answered in earnest
    columns: Waits  # a struct of numbers in, an answer in numbers out
    tables: Waits  # ENCODINGS of one row in, LINKS and MERGES out
    plaintext: Waits  # CROSSINGS of one row in, encoded on the way
    flights: Waits  # ENCODINGS of 180 rows


def one_departure(stays: int, seed: int, times: int) -> OneResult:
    """Fill an index with ``stays`` arrivals and decide ``times`` departures each way."""
    policy, keys = load_policy(), MemoryKeyProvider(b"bench")
    crossings = build_country(World(stays=stays, seed=seed, lists=1)).crossings
    encodings = _padded(encode(crossings, keys, policy.encode), seed)
    arrives = (crossings["direction"] == "arrival").to_numpy()
    came = encodings.filter(pl.Series(arrives))
    mean_keys = float(came["match_keys"].list.len().mean() or 0.0)  # type: ignore[arg-type]
    linker = LiveLinker(load_weights(), policy.linkage, policy.digest)
    linker.restore(_as_held(part) for part in came.iter_slices(PART))
    held, room = linker.index.open_stays(), linker.bytes_used / linker.index.reports
    leaving = np.random.default_rng(seed).permutation(np.flatnonzero(~arrives))
    left, crossed = encodings[leaving], crossings[leaving]
    del encodings, came, crossings
    words, at = linker.index.words, 2 * times
    rows = [left[n] for n in range(at)]
    columns = [words.read(row) for row in rows[:times]]
    answers = _timed([lambda c=c: linker.answer(c) for c in columns], linker)
    tables = _timed([lambda r=r: linker.decide(r) for r in rows[times:]], linker)
    plain = [crossed[n] for n in range(at, at + times // 10)]
    encoded = _timed(
        [lambda c=c: linker.decide(encode(c, keys, policy.encode)) for c in plain], linker
    )
    at += times // 10
    flights = [left.slice(at + n * FLIGHT, FLIGHT) for n in range(times // 50)]
    flown = _timed([lambda f=f: linker.decide(f) for f in flights], linker)
    return OneResult(
        held, mean_keys, room, answers.found / times, answers.waits, tables.waits, encoded.waits,
        flown.waits,
    )  # fmt: skip


@dataclass(frozen=True)
class _Timed:
    waits: Waits
    found: int


def _timed(steps: Sequence[Callable[[], Answer | Decision]], linker: LiveLinker) -> _Timed:
    """Each step's time; what is settled afterwards is not counted, for the commit is not."""
    taken, found = [], 0
    for step in steps:
        started = time.perf_counter()
        decision = step()
        taken.append((time.perf_counter() - started) * 1e6)
        found += decision.chosen.arrival.size
        linker.settle(decision)
    counted: NDArray[np.float64] = np.array(taken[min(WARM, len(taken) // 4) :])
    return _Timed(
        Waits(float(np.median(counted)), float(np.quantile(counted, 0.99)), float(counted.max())),
        found,
    )


def _padded(encodings: pl.DataFrame, seed: int) -> pl.DataFrame:
    """With as many random keys more as bring the average to WANTED_KEYS."""
    mean = float(encodings["match_keys"].list.len().mean() or 0.0)  # type: ignore[arg-type]
    more = max(0, round(WANTED_KEYS - mean))
    if not more:
        return encodings
    shape = (encodings.height, more)
    keys = np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)
    kinds = np.full(shape, KeyKind.NAMES_SEX, np.uint8)
    return encodings.with_columns(
        pl.concat_list("match_keys", pl.Series(keys).arr.to_list()).alias("match_keys"),
        pl.concat_list("key_kinds", pl.Series(kinds).arr.to_list()).alias("key_kinds"),
    )


def _as_held(encodings: pl.DataFrame) -> pl.DataFrame:
    nobody = pl.lit(None, dtype=pl.Binary)
    return encodings.with_columns(merged_into=nobody, partner_ref=nobody)
