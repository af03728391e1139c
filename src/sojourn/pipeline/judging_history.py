"""How well linking does on a synthetic history that memory does not hold.

In: Parquet files of invented people's crossings, and TRUTH, which may be a scan of files. Out:
the same ``Evaluation`` as for a set that fits, judged on a sample of the arrivals: every one
whose id falls into it, linked or not. Scratch files (mode 0600) hold
encodings and links of invented people and are removed at the end; a run that was stopped goes on
in the same folder. A wrong link's departure is mostly not in the sample: it counts in the whole and
in its arrival's groups, not by timing or case.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.encode import MemoryKeyProvider
from sojourn.errors import PrivacyError, ReadError
from sojourn.link import Linked, Settled, WeightTable, check_weights
from sojourn.pipeline.history import ROWS_AT_ONCE, Part, Step, link_history, purpose_of
from sojourn.pipeline.judging import LEAST_PAIRS, Evaluation, judge_links
from sojourn.pipeline.spool import Spool, write_private
from sojourn.policy import Policy
from sojourn.read import file_digest, read_file
from sojourn.schemas import LINKS, MERGES, TRUTH

PART_ROWS = 500_000
# All that judging needs of a crossing: no name, date of birth or document is written.
ABOUT = ("crossing_id", "nationality", "mode", "sex", "authorised_until", "local_date")
JUDGED = 2_000_000  # about so many crossings are looked at
_SEED = 11  # of the hash that picks them


@dataclass(frozen=True)
class _Scratch:
    """What is kept of each part and block until the end: samples alone."""

    folder: Path

    def write(self, kind: str, name: str, frame: pl.DataFrame) -> None:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(folder / f"{name}.parquet", frame.write_parquet)

    def read(
        self, kind: str, pick: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame
    ) -> pl.DataFrame:
        """What ``pick`` leaves of each file: all links of a long history are gigabytes."""
        files = sorted((self.folder / kind).glob("*.parquet"))
        return pl.concat([pick(pl.read_parquet(f)) for f in files])


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
    now: datetime | None = None,
    progress: Callable[[Step], None] = lambda _: None,
) -> Evaluation:
    """Encode, link and judge ``files``, in a folder of its own in ``work``, removed at the end.

    Raises ReadError where a file is not Parquet, PrivacyError with fewer than 1,000 true pairs in
    the sample, LinkageError where weights, policy or files are not those the folder was begun with.
    """
    check_weights(weights, policy.encode.digest)
    sizes = [_height(f) for f in files]
    total, one_in = sum(sizes), max(1, sum(sizes) // judged)
    sampled = _sampled_truth(truth, one_in)
    if sampled.height < LEAST_PAIRS:
        raise PrivacyError(
            f"the sample holds {sampled.height} true pairs; an evaluation needs at least "
            f"{LEAST_PAIRS}, so that no single pair can be read from its numbers"
        )
    facts = (f"{f.name} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files)
    settings = (version("sojourn"), seed.hex(), str(one_in), str(rows_at_once), str(PART_ROWS))
    spool = Spool(work / "sojourn-history", purpose_of(policy, weights, [*facts, *settings]))
    scratch = _Scratch(spool.folder)
    wanted = _Wanted(pl.concat([sampled["arrival_id"], sampled["departure_id"]]))

    def note(name: str, crossings: pl.DataFrame, refs: pl.Series) -> None:
        picked = _in_sample("crossing_id", one_in) | wanted.among(crossings["crossing_id"])
        about = crossings.select(*ABOUT, refs.alias("ref"), picked.alias("picked"))
        scratch.write("ids", name, about.filter("picked").drop("picked"))

    def take(week: int, settled: Settled) -> None:
        scratch.write("links", str(week), settled.linked.links)
        scratch.write("merges", str(week), settled.linked.merges)
        scratch.write("counts", str(week), _counts(settled))

    started = time.perf_counter()
    link_history(
        _parts(files, sizes, policy, now or datetime.now(UTC)), spool, weights=weights,
        policy=policy, keys=MemoryKeyProvider(seed), total=total, take=take, note=note,
        rows_at_once=rows_at_once, progress=progress,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    found = _judged(scratch, sampled, one_in, policy.digest)
    spool.clear()
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


def _parts(
    files: Sequence[Path], sizes: Sequence[int], policy: Policy, now: datetime
) -> Iterator[Part]:
    def reader(path: Path, digest: str, number: int) -> Callable[[], pl.DataFrame]:
        def read() -> pl.DataFrame:
            readings = read_file(
                path, policy.read, source=None, now=now, chunk_rows=PART_ROWS, first=number,
                digest=digest,
            )  # fmt: skip
            return next(readings).crossings

        return read

    for at, (path, size) in enumerate(zip(files, sizes, strict=True)):
        digest = file_digest(path)
        for number in range(0, -(-size // PART_ROWS)):
            yield Part(f"{at:05d}-{number:05d}", reader(path, digest, number))


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


def _sampled_truth(truth: pl.LazyFrame, one_in: int) -> pl.DataFrame:
    """TRUTH of the sampled arrivals. Raises ReadError where its columns are not there."""
    ids = [pl.col(n).cast(pl.String) for n in TRUTH.key]
    try:
        told = truth.with_columns(ids).drop_nulls(TRUTH.key)
        return TRUTH.conform(
            told.filter(_in_sample("arrival_id", one_in)).collect(engine="streaming")
        )
    except (pl.exceptions.PolarsError, OSError):
        raise ReadError(f"the truth: expected Parquet with {' and '.join(TRUTH.key)}") from None


def _judged(scratch: _Scratch, truth: pl.DataFrame, one_in: int, digest: str) -> Evaluation:
    """The sample's links against the sample's truth."""
    ids = scratch.read("ids")
    merges = scratch.read(
        "merges", lambda part: part.join(ids, left_on="report_ref", right_on="ref", how="semi")
    )
    # Of a crossing's several reports the one that stands decides whether it is in the sample.
    stands = (
        ids.filter(_in_sample("crossing_id", one_in))
        .join(merges, left_on="ref", right_on="report_ref", how="anti")
        .select(pl.col("ref").alias("arrival_ref"))
    )
    links = scratch.read("links", lambda part: part.join(stands, on="arrival_ref", how="semi"))
    counts = scratch.read("counts").sum().row(0, named=True)
    linked = Linked(
        links.select(LINKS.names), merges.select(MERGES.names), counts["candidates"],
        counts["capped"], counts["without_keys"], 0,
    )  # fmt: skip
    return judge_links(ids.drop("ref"), ids["ref"], linked, truth, digest)
