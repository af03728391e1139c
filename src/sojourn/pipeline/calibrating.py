"""Do intervals hold the truth as often as they say? Thousands of small countries tell.

In: kinds of country, how many of each, a seed, policy, a folder. Out: ``Summary``: how often the
confidence interval held the truth and the prediction interval the final vintage, each with its
Monte Carlo error; width, bias, revision, weighted interval score; the naive rate beside. Results
are written chunk by chunk: a run that was stopped goes on with the chunks that are missing, and
the same seed gives the same table whatever the number of processes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.errors import UsageError
from sojourn.measure.estimating import estimate_cells
from sojourn.measure.evidence import Evidence
from sojourn.measure.spans import first_day
from sojourn.pipeline.calibrated import KEY, Summary, beside, over_by, summarise
from sojourn.pipeline.spool import write_private
from sojourn.policy import FEWEST_DRAWS, Policy
from sojourn.simulate.small import build_small
from sojourn.simulate.small_counts import TRUE, SmallOffice
from sojourn.simulate.small_world import Kind, draw_world
from sojourn.vocabulary import Quantity, Span

CHUNK = 20  # countries
FULL = "full"
FIRST_DAY, LAST_DAY = 400, 530  # of the question, since the country began
LATER = 365  # days until the vintage is taken for final
TRUTH = {
    Quantity.OVERSTAY_RATE: "rate", Quantity.PROBABLY_STILL_HERE: "still_here",
    Quantity.LEFT_UNRECORDED: "unrecorded", Quantity.DEPARTED_IN_TIME: "in_time",
    Quantity.DEPARTED_LATE: "late",
}  # fmt: skip
JUDGED = (
    (Span.YEAR, ()), (Span.YEAR, ("nationality",)), (Span.YEAR, ("mode",)),
    (Span.YEAR, ("admission_class",)), (Span.MONTH, ()), (Span.MONTH, ("mode",)),
)  # fmt: skip
_SPANS = (Span.MONTH, Span.YEAR)
_DIMS = ("nationality", "mode", "admission_class")


@dataclass(frozen=True)
class Progress:
    done: int  # countries
    total: int
    seconds_left: float | None


@dataclass(frozen=True)
class Job:
    """A chunk of countries of one kind; its seed makes it what it is."""

    kind: str  # a Kind, or FULL
    index: int
    countries: int
    seed: int

    @property
    def file(self) -> str:
        return f"{self.kind}-{self.index:05}.parquet"


def calibrate(
    kinds: Sequence[str], countries: int, seed: int, policy: Policy, folder: Path,
    *, processes: int = 2, tell: Callable[[Progress], None] = lambda _: None,
) -> Summary:  # fmt: skip
    """Run what is missing in ``folder`` and sum up. Raises UsageError where it is another run's.

    ``kinds``: of Kind, or FULL: the whole path, names and links included.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _own(folder, seed, policy)
    jobs = [
        Job(kind, at, min(CHUNK, countries - at * CHUNK), seed)
        for at in range(-(-countries // CHUNK)) for kind in kinds
    ]  # fmt: skip
    missing = [j for j in jobs if not _whole(folder / j.file, j.countries)]
    total, begun = sum(j.countries for j in jobs), time.monotonic()
    todo = sum(j.countries for j in missing)
    done = 0
    tell(Progress(total - todo, total, None))
    for job in _run(missing, policy, folder, processes):
        done += job.countries
        left = (time.monotonic() - begun) / done * (todo - done)
        tell(Progress(total - todo + done, total, left))
    return summarise(
        pl.concat([pl.read_parquet(folder / j.file) for j in jobs]),
        dict.fromkeys(kinds, countries),
    )


def _own(folder: Path, seed: int, policy: Policy) -> None:
    said = json.dumps({"seed": seed, "policy": policy.digest, "chunk": CHUNK})
    note = folder / "purpose"
    if note.exists() and note.read_text("utf-8") != said:
        raise UsageError(
            f"{folder}: begun with another seed or policy; go on with those, or take another folder"
        )
    write_private(note, lambda file: file.write(said.encode()))


def _whole(file: Path, countries: int) -> bool:
    if not file.exists():
        return False
    found = pl.scan_parquet(file).select(pl.col("country").max()).collect().item()
    return found is not None and found % CHUNK + 1 >= countries


def _run(jobs: Sequence[Job], policy: Policy, folder: Path, processes: int) -> Iterator[Job]:
    if processes < 2:
        for job in jobs:
            yield run_job(job, policy, folder)
        return
    # Tables are small: threads of polars in each process would only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    # A fork would take polars' threads along, locked.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(run_job, job, policy, folder) for job in jobs]
        for ready in as_completed(waiting):
            yield ready.result()


def run_job(job: Job, policy: Policy, folder: Path) -> Job:
    """One chunk, written whole."""
    parts = [_run_one(job, job.index * CHUNK + at, policy) for at in range(job.countries)]
    frame = pl.concat(parts)
    write_private(folder / job.file, frame.write_parquet)
    return job


def _run_one(job: Job, country: int, policy: Policy) -> pl.DataFrame:
    if job.kind == FULL:
        # Here, not above: linking brings compiled kernels, which drawn counts do without.
        from sojourn.pipeline.whole_path import run_whole

        return run_whole(country, job.seed, policy)
    return run_country(Kind(job.kind), country, job.seed, policy)


def run_country(kind: Kind, country: int, seed: int, policy: Policy) -> pl.DataFrame:
    """One country: what was estimated, what is true, what was estimated a year later."""
    rng = np.random.default_rng([seed, list(Kind).index(kind), country])
    office = SmallOffice(build_small(draw_world(kind, rng), rng))
    day = int(rng.integers(FIRST_DAY, LAST_DAY))
    now = _estimated(office, day, policy, rng)
    # Of the final vintage the value alone is asked: it takes no draws.
    few = replace(policy, estimate=replace(policy.estimate, draws=FEWEST_DRAWS))
    final = _estimated(office, day + LATER, few, rng).select(*KEY, "quantity", final="value")
    judged = beside(now, final, _truth(office, day, policy.estimate.year_begins))
    return judged.filter(over_by(office.date_of(day))).with_columns(
        kind=pl.lit(kind.value), country=pl.lit(country, pl.Int64)
    )


def _estimated(
    office: SmallOffice, day: int, policy: Policy, rng: np.random.Generator
) -> pl.DataFrame:
    tables = office.tables(day, rng)
    evidence = Evidence(
        tables.counts, tables.vintages, tables.reporting, tables.lists, tables.linkage
    )
    return estimate_cells(evidence, office.date_of(day), policy, rng, smallest=0, only=JUDGED)


def _truth(office: SmallOffice, day: int, year_begins: int) -> pl.DataFrame:
    """By cell as ESTIMATES names it: the truth of each quantity."""
    stays = office.truth(day)
    parts = []
    for span in _SPANS:
        for kept in ((), *((d,) for d in _DIMS)):
            keys = [
                first_day(pl.col("period"), span, year_begins),
                *(pl.col(d) if d in kept else pl.lit("").alias(d) for d in _DIMS),
            ]
            summed = stays.group_by(keys).agg(pl.col(TRUE).sum())
            parts.append(summed.with_columns(span=pl.lit(span.value)))
    wide = pl.concat(parts).with_columns(rate=pl.col("overstays") / pl.col("expected"))
    long = [
        wide.select(*KEY, quantity=pl.lit(q.value), truth=pl.col(name).cast(pl.Float64))
        for q, name in TRUTH.items()
    ]
    return pl.concat(long).with_columns(
        pl.col("span").cast(pl.Enum([s.value for s in Span])),
        pl.col("quantity").cast(pl.Enum([q.value for q in Quantity])),
    )
