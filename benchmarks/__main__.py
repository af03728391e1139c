"""``make bench``: the figures that the project promises, measured on this machine.

``python -m benchmarks [NAME...] [--small]``: encode, evaluate, accuracy, hard, live, one, landing,
restart, measures, quality, estimates. In full size ``hard`` writes docs/reference/hard-people.md
as well.
Each line gives what was wanted beside what was found. Nothing here is a timed test.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numba
from rich.console import Console
from rich.table import Table

from benchmarks.estimates import estimate_year
from benchmarks.hard_people import PAGE, measure_hard, render
from benchmarks.landing import landing_to_screen
from benchmarks.live_path import live_path
from benchmarks.machine import describe_commit, describe_machine, median_seconds, peak_gib
from benchmarks.one_departure import Waits, one_departure
from benchmarks.quality import cases, judge, judged_rows
from benchmarks.refresh import measure_a_year, refresh_after_batch
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


def bench_hard(small: bool) -> list[Row]:
    result = measure_hard(*((6_000, 300) if small else (60_000, 1_000)), SEED)
    if not small:
        PAGE.write_text(render(result), "utf-8")
    return [
        (f"hard: {c.name.replace('_', ' ')}", f"{c.scored.pairs:,} pairs",
         f"P {c.scored.precision:.4f}, R {c.scored.recall:.4f}, F1 {c.scored.f1:.4f}", "")
        for c in result.cases
    ]  # fmt: skip


def bench_live(small: bool) -> list[Row]:
    found = live_path(3_000 if small else 60_000, SEED, 40 if small else 160)
    size = f"{found.manifests} manifests onto {found.open_reports:,} open reports"
    speed = found.crossings / found.seconds
    return [("live, file to committed figures", size, f"{speed:,.0f} crossings/s", "3,000/s")]


def bench_one(small: bool) -> list[Row]:
    found = one_departure(20_000 if small else 1_050_000, SEED, 500 if small else 5_000)
    held = f"{found.open_stays:,} open stays"
    ways = (
        ("one departure, columns to decision", found.columns, "p99 1 ms; 0.1 ms"),
        ("one departure, encoding to tables", found.tables, "p99 1 ms"),
        ("one departure, plaintext to tables", found.plaintext, ""),
        ("a flight of 180, encodings to tables", found.flights, ""),
    )
    size = f"{held}, {found.found:.0%} linked"
    return [
        *((what, size, _waits(w), wanted) for what, w, wanted in ways),
        ("memory of an open stay", f"{held}, {found.keys:.1f} keys each",
         f"{found.bytes_a_stay:.0f} bytes", "400 bytes; 200"),
    ]  # fmt: skip


def _waits(waits: Waits) -> str:
    return f"p50 {waits.p50:,.0f}, p99 {waits.p99:,.0f}, max {waits.longest:,.0f} us"


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


def bench_measures(small: bool) -> list[Row]:
    found = refresh_after_batch(60_000 if small else 1_000_000, SEED)
    year = measure_a_year(600_000 if small else 10_000_000, SEED)
    held = f"{found.stays:,} stays held, {found.cells:,} cells"
    return [
        ("batch of 10,000 crossings, committed", held, str(found.append), ""),
        ("measures after it", held, str(found.refresh), "1 s at 1,000,000"),
        ("measures, first writing", held, str(found.first), ""),
        ("a year of counts to cells", f"{year.stays:,} stays, {year.counts:,} counts",
         f"{year.taken}, {year.cells:,} cells", "120 s at 10,000,000 (estimates too)"),
    ]  # fmt: skip


def bench_quality(small: bool) -> list[Row]:
    """What is estimated without the truth, beside the truth."""
    return [r for case in cases(25_000 if small else 100_000) for r in judged_rows(judge(case))]


def bench_estimates(small: bool) -> list[Row]:
    stays = 200_000 if small else 10_000_000
    rows, seconds, worked = estimate_year(stays, SEED)
    return [
        ("estimates of a year", f"{stays:,} stays, {rows:,} counts",
         f"{seconds:.1f} s ({worked:.1f} s of processor)", "2 min at 10,000,000")
    ]  # fmt: skip


BENCHES: dict[str, Callable[[bool], list[Row]]] = {
    "encode": bench_encode,
    "evaluate": bench_evaluate,
    "accuracy": bench_accuracy,
    "hard": bench_hard,
    "live": bench_live,
    "one": bench_one,
    "landing": bench_landing,
    "restart": bench_restart,
    "measures": bench_measures,
    "quality": bench_quality,
    "estimates": bench_estimates,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: all")
    parser.add_argument("--small", action="store_true", help="a minute instead of ten")
    asked = parser.parse_args()
    out.print(f"{describe_machine()}\ncommit {describe_commit()}, seed {SEED}")
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
