"""``make bench``: the figures that the project promises, measured on this machine.

``python -m benchmarks [NAME...] [--small]``: encode, evaluate, live, landing, restart, accuracy,
quality.
Each line gives what was wanted beside what was found. Nothing here is a timed test.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
from rich.console import Console
from rich.table import Table

from benchmarks.landing import landing_to_screen
from benchmarks.live_path import live_path
from benchmarks.machine import describe_machine, median_seconds, peak_gib
from benchmarks.quality import cases, judge, judged_rows
from benchmarks.restart import restart_seconds
from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import load_weights
from sojourn.pipeline import evaluate
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country
from sojourn.simulate.country import measure_agreement

out = Console(highlight=False)
SEED = 7
Row = tuple[str, str, str, str]


def bench_encode(small: bool) -> list[Row]:
    stays = 5_000 if small else 50_000
    crossings = build_country(World(stays=stays, seed=SEED)).crossings
    policy, keys = load_policy().encode, MemoryKeyProvider(b"bench")
    encode(crossings.head(1000), keys, policy)
    rows = []
    for cores in sorted({1, numba.config.NUMBA_NUM_THREADS}):
        numba.set_num_threads(cores)
        seconds = median_seconds(lambda: encode(crossings, keys, policy))
        speed = crossings.height / seconds
        wanted = "40,000/s a core" if cores == 1 else ""
        rows.append((f"encode, {cores} core(s)", f"{crossings.height:,} records",
                     f"{speed:,.0f} records/s", wanted))  # fmt: skip
    return rows


def bench_evaluate(small: bool) -> list[Row]:
    """In a process of its own, so that its memory is its own."""
    stays = 20_000 if small else 330_000
    code = f"from benchmarks.__main__ import evaluate_once; evaluate_once({stays})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    crossings, seconds, gib, f1 = done.stdout.split()
    return [
        ("evaluate, crossings to scored links", f"{int(crossings):,} crossings",
         f"{float(seconds):.1f} s, {float(gib):.1f} GiB, F1 {f1}", "25 s, 4 GiB at 1,000,000")
    ]  # fmt: skip


def evaluate_once(stays: int) -> None:
    policy, weights = load_policy(), load_weights()
    warm = build_country(World(stays=3000, seed=1))
    evaluate(warm.crossings, warm.truth, policy, weights)
    country = build_country(World(stays=stays, seed=SEED))
    started = time.perf_counter()
    found = evaluate(country.crossings, country.truth, policy, weights)
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{found.crossings} {seconds} {peak_gib()} {found.overall.f1:.4f}\n")


def bench_accuracy(small: bool) -> list[Row]:
    policy, weights = load_policy(), load_weights()
    rows = []
    for noise, wanted in ((1.0, "0.998"), (3.0, "0.995 (linkage issue)"), (8.0, "0.975 (same)")):
        world = World(stays=10_000 if small else 100_000, seed=SEED, noise=noise, lists=1)
        country = build_country(world)
        found = evaluate(country.crossings, country.truth, policy, weights)
        pin = measure_agreement(country)
        size = (
            f"{found.crossings:,}; six fields agree {pin.all_six:.2f}, "
            f"document {pin.document_number:.2f}"
        )
        rows.append((f"F1, noise x{noise:g}", size, f"{found.overall.f1:.4f}", wanted))
    return rows


def bench_live(small: bool) -> list[Row]:
    found = live_path(3_000 if small else 60_000, SEED, 40 if small else 160)
    size = f"{found.manifests} manifests onto {found.open_reports:,} open reports"
    speed = found.crossings / found.seconds
    return [("live, file to committed figures", size, f"{speed:,.0f} crossings/s", "3,000/s")]


def bench_landing(small: bool) -> list[Row]:
    found = landing_to_screen(300.0, 10.0 if small else 40.0, SEED)
    return [
        ("landing to the screen", f"{found.manifests} manifests, "
         f"{found.crossings_per_second:.0f} crossings/s",
         f"median {found.median:.2f} s, p99 {found.p99:.2f} s", "p99 1 s at 300/s")
    ]  # fmt: skip


def bench_restart(small: bool) -> list[Row]:
    held, seconds = restart_seconds(20_000 if small else 1_000_000, SEED, 3)
    return [("restart", f"{held:,} open stays", f"{seconds:.1f} s", "10 s at 1,000,000")]


def bench_quality(small: bool) -> list[Row]:
    """What is estimated without the truth, beside the truth."""
    return [r for case in cases(25_000 if small else 100_000) for r in judged_rows(judge(case))]


BENCHES: dict[str, Callable[[bool], list[Row]]] = {
    "encode": bench_encode,
    "evaluate": bench_evaluate,
    "accuracy": bench_accuracy,
    "live": bench_live,
    "landing": bench_landing,
    "restart": bench_restart,
    "quality": bench_quality,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: all")
    parser.add_argument("--small", action="store_true", help="a minute instead of ten")
    asked = parser.parse_args()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent,
    ).stdout.strip()  # fmt: skip
    out.print(f"{describe_machine()}\ncommit {commit or 'unknown'}, seed {SEED}")
    table = Table()
    for name in ("what", "size", "found", "wanted"):
        table.add_column(name)
    for name in asked.names or BENCHES:
        out.print(f"... {name}", style="dim")
        for row in BENCHES[name](asked.small):
            table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    main()
