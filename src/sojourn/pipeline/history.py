"""A history of any length into links, on one machine: encode part by part, link block by block.

In: crossings, part by part, in any order. Out: settled links and merges, block by block in time
order, handed to ``take``. Memory follows the open stays and the size of a block. A run that was
stopped goes on where it stopped: parts that are encoded are not encoded again, settled blocks not
linked again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, cast

import polars as pl

from sojourn.encode import KeyProvider, encodable, encode
from sojourn.link import BlockLinker, Settled, WeightTable, dump_weights
from sojourn.pipeline.spool import Spool
from sojourn.policy import Policy

T = TypeVar("T")
ROWS_AT_ONCE = 3_000_000  # reports of a block: with as many carried on, about 4 GiB


@dataclass(frozen=True)
class Part:
    """Some crossings (CROSSINGS) under a name that is theirs alone; read when they are needed."""

    name: str
    read: Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class Step:
    """Where a run is: rows of ``total`` encoded and settled, and seconds left where known."""

    stage: str
    encoded: int
    settled: int
    total: int
    seconds_left: float | None


class Pace:
    """An honest estimate: what is left of each stage at the pace that it has shown so far.

    Linking is guessed to take as long as encoding until the first block shows its pace.
    """

    def __init__(self, total: int, clock: Callable[[], float]) -> None:
        self._total, self._clock = total, clock
        self._spent = {"encoding": 0.0, "linking": 0.0}
        self._worked = {"encoding": 0, "linking": 0}  # rows done in this run
        self._there = {"encoding": 0, "linking": 0}  # rows done in runs before
        self._since = clock()

    def skip(self, stage: str, rows: int) -> None:
        self._there[stage] += rows
        self._since = self._clock()

    def did(self, stage: str, rows: int) -> None:
        now = self._clock()
        self._spent[stage] += now - self._since
        self._worked[stage] += rows
        self._since = now

    def step(self, stage: str) -> Step:
        done = {s: self._worked[s] + self._there[s] for s in self._worked}
        rates = {s: self._spent[s] / self._worked[s] for s in self._worked if self._worked[s]}
        guess = rates.get("encoding", rates.get("linking"))
        left = None
        if guess is not None:
            left = sum(max(0, self._total - done[s]) * rates.get(s, guess) for s in done)
        return Step(stage, done["encoding"], done["linking"], self._total, left)


def purpose_of(policy: Policy, weights: WeightTable, files: Iterable[str]) -> str:
    """What a spool was begun for: a digest of policy, weights and the files' names."""
    digest = hashlib.sha256(policy.digest.encode() + dump_weights(weights))
    for name in files:
        digest.update(b"\x1f" + name.encode())
    return digest.hexdigest()


def link_history(
    parts: Iterable[Part],
    spool: Spool,
    *,
    weights: WeightTable,
    policy: Policy,
    keys: KeyProvider,
    total: int,
    take: Callable[[int, Settled], None],
    note: Callable[[str, pl.DataFrame, pl.Series], None] = lambda *_: None,
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Callable[[Step], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Encode what is not encoded yet, then link what is not settled yet.

    ``take`` gets each block's week and what it settled; after a stop a block may come again, under
    the same week. ``note`` gets each part's name, crossings and references as it is encoded.
    """
    pace = Pace(total, clock)
    _encode_parts(parts, spool, policy, keys, note, progress, pace)
    _link_blocks(spool, weights, policy, take, rows_at_once, progress, pace)


def _encode_parts(
    parts: Iterable[Part], spool: Spool, policy: Policy, keys: KeyProvider,
    note: Callable[[str, pl.DataFrame, pl.Series], None], progress: Callable[[Step], None],
    pace: Pace,
) -> None:  # fmt: skip
    for part, there, crossings in _ahead(_to_encode(parts, spool)):
        if crossings is None:
            pace.skip("encoding", there)
            continue
        kept = crossings.filter(encodable(crossings["local_date"], keys, policy.encode))
        encodings = encode(kept, keys, policy.encode)
        note(part.name, kept, encodings["crossing_ref"])
        spool.put(part.name, encodings)
        pace.did("encoding", crossings.height)
        progress(pace.step("encoding"))


def _to_encode(
    parts: Iterable[Part], spool: Spool
) -> Iterator[tuple[Part, int, pl.DataFrame | None]]:
    """Each part with its reports where it is encoded already, otherwise with its crossings."""
    for part in parts:
        there = spool.has(part.name)
        yield part, there or 0, part.read() if there is None else None


def _link_blocks(
    spool: Spool, weights: WeightTable, policy: Policy, take: Callable[[int, Settled], None],
    rows_at_once: int, progress: Callable[[Step], None], pace: Pace,
) -> None:  # fmt: skip
    pace.skip("linking", spool.rows() - spool.rows_left())
    linker = BlockLinker(weights, policy.linkage, policy.digest, carried=spool.carried())
    # The next block is read while this one is linked.
    coming = _ahead(
        (week, rows, linker.read(pieces), last)
        for week, rows, pieces, last in spool.blocks(rows_at_once)
    )
    with ThreadPoolExecutor(1) as writer:
        written: Future[None] = writer.submit(lambda: None)
        for week, rows, *block, last in coming:
            written.result()  # what it writes is as large as what comes
            settled = linker.take(block.pop(), last=last)
            take(week, settled)
            written = writer.submit(spool.settle, week, linker.carried)
            pace.did("linking", rows)
            progress(pace.step("linking"))
        written.result()


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made by another thread while the one before it is worked on."""
    nothing = object()
    with ThreadPoolExecutor(1) as pool:
        coming: Future[T | object] = pool.submit(next, items, nothing)
        while (item := coming.result()) is not nothing:
            coming = pool.submit(next, items, nothing)
            held = [item]
            del item  # whoever takes it decides how long it is held
            yield cast(T, held.pop())
