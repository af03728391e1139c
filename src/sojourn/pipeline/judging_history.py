"""How well linking does on a synthetic history that memory does not hold.

In: Parquet files of invented people's crossings, and TRUTH, which may be a scan of files. Out:
the same ``Evaluation`` as for a set that fits, judged on a sample of the arrivals: every one
whose id falls into it, linked or not. Scratch files hold encodings and links of invented people
and are removed at the end; a run that was stopped goes on in the same folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.encode import MemoryKeyProvider
from sojourn.errors import PrivacyError, ReadError
from sojourn.link import Linked, Settled, WeightTable, check_weights
from sojourn.pipeline.history import ROWS_AT_ONCE, Part, Step, link_history, purpose_of
from sojourn.pipeline.judging import LEAST_PAIRS, Evaluation, judge_links
from sojourn.pipeline.spool import Spool
from sojourn.policy import Policy
from sojourn.read import read_file
from sojourn.schemas import LINKS, MERGES, TRUTH

PART_ROWS = 1_000_000
JUDGED = 2_000_000  # about so many crossings are looked at
_SEED = 11  # of the hash that picks them


@dataclass(frozen=True)
class _Scratch:
    """What is kept of each part and block until the end: samples alone."""

    folder: Path

    def write(self, kind: str, name: str, frame: pl.DataFrame) -> None:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = folder / f".{name}.tmp"
        frame.write_parquet(fresh)
        fresh.replace(folder / f"{name}.parquet")

    def read(self, kind: str) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(f) for f in sorted((self.folder / kind).glob("*"))])


def evaluate_history(
    files: Sequence[Path],
    truth: pl.LazyFrame,
    policy: Policy,
    weights: WeightTable,
    work: Path,
    *,
    seed: bytes = b"evaluation",
    rows_at_once: int = ROWS_AT_ONCE,
    judged: int = JUDGED,
    progress: Callable[[Step], None] = lambda _: None,
) -> Evaluation:
    """Encode, link and judge ``files``, in ``work``, which is removed when all is done.

    Raises ReadError where a file is not Parquet, PrivacyError with fewer than 1,000 true pairs in
    the sample, LinkageError where weights, policy or files are not those the folder was begun with.
    """
    check_weights(weights, policy.encode.digest)
    sizes = [_height(f) for f in files]
    total, one_in = sum(sizes), max(1, sum(sizes) // judged)
    sampled = TRUTH.conform(truth.filter(_in_sample("arrival_id", one_in)).collect())
    if sampled.height < LEAST_PAIRS:
        raise PrivacyError(
            f"the sample holds {sampled.height} true pairs; an evaluation needs at least "
            f"{LEAST_PAIRS}, so that no single pair can be read from its scores"
        )
    spool = Spool(work / "spool", purpose_of(policy, weights, [f.name for f in files]))
    scratch = _Scratch(work)
    wanted = _Wanted(pl.concat([sampled["arrival_id"], sampled["departure_id"]]))

    def note(name: str, crossings: pl.DataFrame, refs: pl.Series) -> None:
        picked = _in_sample("crossing_id", one_in) | wanted.among(crossings["crossing_id"])
        scratch.write("ids", name, crossings.with_columns(refs.alias("ref")).filter(picked))

    def take(week: int, settled: Settled) -> None:
        scratch.write("links", str(week), settled.linked.links)
        scratch.write("merges", str(week), settled.linked.merges)
        scratch.write("counts", str(week), _counts(settled))

    started = time.perf_counter()
    link_history(
        _parts(files, sizes, policy), spool, weights=weights, policy=policy,
        keys=MemoryKeyProvider(seed), total=total, take=take, note=note,
        rows_at_once=rows_at_once, progress=progress,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    found = _judged(scratch, sampled, one_in, policy.digest)
    spool.clear()
    for kind in ("ids", "links", "merges", "counts"):
        for file in (work / kind).glob("*"):
            file.unlink()
        (work / kind).rmdir()
    return replace(found, crossings=total, seconds=seconds)


class _Wanted:
    """Which ids may be wanted: all that are, and one in some forty that is not."""

    def __init__(self, ids: pl.Series) -> None:
        self._bits = max(20, (40 * len(ids)).bit_length())
        self._seen = np.zeros(1 << self._bits, np.bool_)
        self._seen[self._places(ids)] = True

    def _places(self, ids: pl.Series) -> NDArray[np.uint64]:
        hashed: NDArray[np.uint64] = ids.hash(_SEED).to_numpy() >> np.uint64(64 - self._bits)
        return hashed

    def among(self, ids: pl.Series) -> pl.Series:
        return pl.Series(self._seen[self._places(ids)])


def _height(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        raise ReadError(
            f"{path.name}: expected Parquet: a history that memory does not hold is read in slices"
        ) from None


def _parts(files: Sequence[Path], sizes: Sequence[int], policy: Policy) -> Iterator[Part]:
    now = datetime.now(UTC)

    def reader(path: Path, number: int) -> Callable[[], pl.DataFrame]:
        def read() -> pl.DataFrame:
            readings = read_file(
                path, policy.read, source=None, now=now, chunk_rows=PART_ROWS, first=number
            )
            return next(readings).crossings

        return read

    for at, (path, size) in enumerate(zip(files, sizes, strict=True)):
        for number in range(0, -(-size // PART_ROWS)):
            yield Part(f"{at:05d}-{number:05d}", reader(path, number))


def _in_sample(column: str, one_in: int) -> pl.Expr:
    return pl.col(column).hash(_SEED) % one_in == 0


def _counts(settled: Settled) -> pl.DataFrame:
    found = settled.linked
    return pl.DataFrame(
        {
            "candidates": [found.candidates],
            "capped": [found.capped],
            "without_keys": [found.without_keys],
        }
    )


def _judged(scratch: _Scratch, truth: pl.DataFrame, one_in: int, digest: str) -> Evaluation:
    """The sample's links against the sample's truth."""
    ids = scratch.read("ids")
    merges = scratch.read("merges").filter(pl.col("report_ref").is_in(ids["ref"].implode()))
    # Of a crossing's several reports the one that stands decides whether it is in the sample.
    stands = (
        ids.filter(_in_sample("crossing_id", one_in))
        .join(merges, left_on="ref", right_on="report_ref", how="anti")
        .select(pl.col("ref").alias("arrival_ref"))
    )
    links = scratch.read("links").join(stands, on="arrival_ref", how="semi")
    counts = scratch.read("counts").sum().row(0, named=True)
    linked = Linked(
        links.select(LINKS.names), merges.select(MERGES.names), counts["candidates"],
        counts["capped"], counts["without_keys"], 0,
    )  # fmt: skip
    return judge_links(ids.drop("ref"), ids["ref"], linked, truth, digest)
