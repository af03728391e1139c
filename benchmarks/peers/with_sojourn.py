"""Sojourn itself, as its users run it: its own weights, its own threshold, on match keys.

``python -m benchmarks.peers.with_sojourn CROSSINGS TRUTH``, in Sojourn's environment. Out: JSON.
Kernels are compiled before the clock starts, as at installation.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import metadata
from pathlib import Path

import polars as pl

from benchmarks.peers.memory import peak_gib
from sojourn.link import load_weights
from sojourn.pipeline.judging import evaluate
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country


def main() -> None:
    policy, weights = load_policy(), load_weights()
    warm = build_country(World(stays=3_000, seed=1))
    evaluate(warm.crossings, warm.truth, policy, weights)
    started = time.perf_counter()
    crossings = pl.read_parquet(sys.argv[1])
    reading = time.perf_counter() - started
    found = evaluate(crossings, pl.read_parquet(Path(sys.argv[2])), policy, weights)
    told = {
        "seconds": reading + found.seconds,
        "peak_gib": peak_gib(),
        "versions": {"sojourn": metadata.version("sojourn")},
        "precision": found.overall.precision,
        "recall": found.overall.recall,
        "f1": found.overall.f1,
        "pairs": found.candidates,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
