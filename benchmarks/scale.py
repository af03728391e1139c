"""A history larger than memory: many simulated countries as one, linked out of core and judged.

``python -m benchmarks.scale DIR --crossings N [--gib G]`` makes the files where they are not there
yet (half a million crossings each, every one spanning the whole year), links them under a bound
on memory, and prints accuracy, pace and peak memory. 100 million take 12 GB of disk for files and
25 GB of scratch. ``make bench`` runs it small.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.machine import describe_machine, peak_gib
from sojourn.link import load_weights
from sojourn.pipeline import Evaluation
from sojourn.pipeline.history import Step
from sojourn.pipeline.judging_history import evaluate_history
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country
from sojourn.simulate.files import INPUT_COLUMNS

STAYS = 282_000  # of one country: about 500,000 crossings
SEED = 1_000


@dataclass(frozen=True)
class Scaled:
    evaluation: Evaluation
    peak_gib: float


def make_files(folder: Path, crossings: int, stays: int = STAYS) -> tuple[list[Path], list[Path]]:
    """Crossings and truth of so many countries as it takes; made once."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        first = pool.submit(_make_one, (folder, 0, stays)).result()
        rows = pl.scan_parquet(first).select(pl.len()).collect().item()
        count = max(1, round(crossings / rows))
        files = list(pool.map(_make_one, [(folder, n, stays) for n in range(count)]))
    return files, [f.with_name(f.name.replace("crossings", "truth")) for f in files]


def _make_one(job: tuple[Path, int, int]) -> Path:
    folder, number, stays = job
    file = folder / f"crossings-{stays}-{number:04d}.parquet"
    if file.exists():
        return file
    country = build_country(World(stays=stays, seed=SEED + number, lists=1))
    own = pl.lit(f"{number:04d}-")
    ids = [(own + pl.col(n)).alias(n) for n in ("arrival_id", "departure_id")]
    named = country.truth.with_columns(ids)
    named.write_parquet(file.with_name(file.name.replace("crossings", "truth")))
    rows = country.crossings.select(INPUT_COLUMNS).with_columns(
        (own + pl.col("crossing_id")).alias("crossing_id")
    )
    rows.write_parquet(file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)
    return file


def run_scale(
    files: list[Path], truths: list[Path], work: Path, bar: Progress | None = None
) -> Scaled:
    """Link and judge ``files`` in this process."""
    task = bar.add_task("", total=1.0) if bar else None

    def tell(step: Step) -> None:
        if bar is None or task is None:
            return
        left = "" if step.seconds_left is None else f", {step.seconds_left / 60:.0f} minutes left"
        told = f"{step.stage}: {step.encoded:,} encoded, {step.settled:,} settled{left}"
        done = (step.encoded + step.settled) / (2 * step.total)
        bar.update(task, description=told, completed=done)

    found = evaluate_history(
        files, pl.scan_parquet(truths), load_policy(), load_weights(), work, progress=tell
    )
    return Scaled(found, peak_gib())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crossings", type=int, default=8_000_000)
    parser.add_argument("--gib", type=float, default=8.0, help="fail above so much memory")
    parser.add_argument("--keep", action="store_true", help="keep the countries' files")
    asked = parser.parse_args()
    started = time.perf_counter()
    files, truths = make_files(asked.folder, asked.crossings)
    making = time.perf_counter() - started
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()) as bar:
        found = run_scale(files, truths, asked.folder / "work", bar)
    scored = found.evaluation
    sys.stdout.write(
        f"{describe_machine()}\n"
        f"{scored.crossings:,} crossings in {len(files)} files (made in {making:.0f} s)\n"
        f"linked in {scored.seconds / 60:.1f} minutes, keys and reading included: "
        f"{scored.crossings / scored.seconds:,.0f} crossings/s, peak {found.peak_gib:.1f} GiB\n"
        f"F1 {scored.overall.f1:.4f} (precision {scored.overall.precision:.4f}, recall "
        f"{scored.overall.recall:.4f}) on {scored.overall.pairs:,} sampled true pairs; "
        f"{scored.candidates:,} candidates, {scored.capped:,} look-ups cut short\n"
    )
    if found.peak_gib > asked.gib > 0:
        sys.exit(f"over {asked.gib:g} GiB")
    if not asked.keep:
        shutil.rmtree(asked.folder)


if __name__ == "__main__":
    main()
