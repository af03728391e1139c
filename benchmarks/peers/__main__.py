"""``make bench-linkage``: Sojourn beside Splink, recordlinkage and anonlink, on the same files.

``python -m benchmarks.peers [--small | --large] [--only NAME...]``. The page
docs/reference/linkage-peers.md is written where all usual data sets were run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from rich.console import Console

from benchmarks.machine import describe_machine
from benchmarks.peers.assign import Pairs, Scored, assign, best_by_oracle, read_pairs, true_rows
from benchmarks.peers.files import DataSet, data_sets, write_files
from benchmarks.peers.kinds import KEYS
from benchmarks.peers.page import Result, Row, render, table
from benchmarks.peers.running import PEERS_PYTHON, ROOT, Failed, Ran, run

PAGE = ROOT / "docs" / "reference" / "linkage-peers.md"
out = Console(highlight=False)


@dataclass(frozen=True)
class Peer:
    """``only``: the generator whose files it is run on, where that is not all."""

    name: str
    module: str
    sees: str
    options: tuple[str, ...] = ()
    runs: int = 1
    only: str = ""


PEERS = (
    Peer("Splink, wide blocking", "with_splink", "plaintext", runs=3),
    Peer("Splink, 8 kinds", "with_splink", "plaintext", ("--fewer",)),
    Peer("recordlinkage, 8 kinds", "with_recordlinkage", "plaintext", ("--fewer",)),
    Peer("clkhash + anonlink, 8 kinds", "with_anonlink", "CLKs, plaintext's blocks"),
    Peer("clkhash + anonlink, all pairs", "with_anonlink", "CLKs", ("--full",), only="febrl"),
)
SOJOURN_RUNS = 3


def measure_sojourn(folder: Path, limit: float) -> Row:
    """The median of some runs; accuracy is the same in each."""
    command = [sys.executable, "-m", "benchmarks.peers.with_sojourn",
               str(folder / "crossings.parquet"), str(folder / "truth.parquet")]  # fmt: skip
    ran = _repeat(command, SOJOURN_RUNS, limit)
    if isinstance(ran, Failed):
        return Row("**Sojourn**", "", "match keys", failed=ran.reason)
    told = ran[0].told
    return Row(
        "**Sojourn**", _versions(told), "match keys", told["precision"], told["recall"],
        told["f1"], statistics.median(r.told["seconds"] for r in ran), len(ran),
        max(r.told["peak_gib"] for r in ran), told["pairs"],
    )  # fmt: skip


def measure_peer(
    peer: Peer, folder: Path, crossings: pl.DataFrame, truth: pl.DataFrame, limit: float
) -> Row:
    """A peer's pairs, assigned by the common function under the oracle's best setting."""
    pairs_file = folder / "pairs.parquet"
    command = [str(PEERS_PYTHON), "-W", "ignore", "-m", f"benchmarks.peers.{peer.module}",
               str(folder / "crossings.parquet"), str(pairs_file), *peer.options]  # fmt: skip
    ran = _repeat(command, peer.runs if crossings.height < 500_000 else 1, limit)
    if isinstance(ran, Failed):
        return Row(peer.name, "", peer.sees, failed=ran.reason)
    found = pl.read_parquet(pairs_file)
    real = true_rows(crossings, truth)
    best, pairs = _best_weight(found, crossings, truth, real.height)
    started = time.perf_counter()
    assign(pairs, best.setting)
    assigning = time.perf_counter() - started
    compared = found.select("arrival", "departure").unique().cast(pl.Int64)
    held = compared.join(real, on=["arrival", "departure"]).height / real.height
    return Row(
        peer.name, _versions(ran[0].told), peer.sees, best.precision, best.recall, best.f1,
        statistics.median(r.told["seconds"] for r in ran) + assigning, len(ran),
        max(r.told["peak_gib"] for r in ran), found.height, held,
    )  # fmt: skip


def _best_weight(
    found: pl.DataFrame, crossings: pl.DataFrame, truth: pl.DataFrame, real: int
) -> tuple[Scored, Pairs]:
    tried = []
    for weight in [c for c in found.columns if c.startswith("weight_")]:
        pairs = read_pairs(found, weight, crossings, truth)
        tried.append((best_by_oracle(pairs, real, weight), pairs))
    return max(tried, key=lambda t: t[0].f1)


def _repeat(command: list[str], runs: int, limit: float) -> list[Ran] | Failed:
    found = []
    for _ in range(runs):
        ran = run(command, limit)
        if isinstance(ran, Failed):
            return ran
        found.append(ran)
    return found


def _versions(told: dict[str, object]) -> str:
    versions = told["versions"]
    assert isinstance(versions, dict)
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def measure(data: DataSet, folder: Path, limit: float) -> Result | None:
    """All peers on one data set; None where the data set could not be made."""
    out.print(f"... {data.name}: making files", style="dim")
    try:
        crossings, truth = write_files(data, folder)
    except FileNotFoundError as reason:
        out.print(f"{data.title}: left out: {reason}")
        return None
    out.print(f"... {data.name}: Sojourn", style="dim")
    rows = [measure_sojourn(folder, limit)]
    for peer in PEERS:
        if peer.only in ("", data.generator):
            out.print(f"... {data.name}: {peer.name}", style="dim")
            rows.append(measure_peer(peer, folder, crossings, truth, limit))
    return Result(data, crossings.height, truth.height, rows)


def _facts(command: str) -> dict[str, str]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False,
        cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    load = os.getloadavg()[0]
    busy = f"Others were at work on it (load {load:.1f} at the start)." if load > 0.5 else ""
    return {
        "command": command, "machine": describe_machine(), "commit": commit or "unknown",
        "day": f"{datetime.now(UTC):%Y-%m-%d}", "kinds": str(len(KEYS)), "busy": busy,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_true", help="a tenth of the size, no page")
    size.add_argument("--large", action="store_true", help="a million crossings as well")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these data sets, no page")
    parser.add_argument("--limit", type=float, default=1_800, help="seconds for one run")
    asked = parser.parse_args()
    given = " ".join(sys.argv[1:])
    facts = _facts("make bench-linkage" + (f' ARGS="{given}"' if given else ""))
    wanted = data_sets(large=asked.large, small=asked.small)
    if asked.only:
        wanted = [d for d in wanted if d.name in asked.only]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for data in wanted:
            found = measure(data, Path(folder) / data.name, asked.limit)
            if found is not None:
                results.append(found)
                out.print(f"{data.title}: {found.crossings:,} crossings", style="bold")
                out.print(table(found), soft_wrap=True, markup=False)
    if not (asked.small or asked.only):
        PAGE.write_text(render(results, facts), "utf-8")
        out.print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
