"""The weight table, from simulated countries: the same seeds give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np
import polars as pl

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import Provenance, Sample, WeightTable, learn_weights
from sojourn.policy import Policy
from sojourn.simulate import World, build_country

# Noise of the training countries: ordinary, and heavier, so that the table has seen both.
NOISE = (1.0, 2.0, 3.0, 5.0)
STAYS = 60_000
FIRST_SEED = 20_001  # far from the seeds of demo, tests and benchmarks


def train(
    policy: Policy,
    *,
    noise: Sequence[float] = NOISE,
    stays: int = STAYS,
    first_seed: int = FIRST_SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> WeightTable:
    """Learn a table from one country per noise level, seeds counting up from ``first_seed``."""
    seeds = tuple(range(first_seed, first_seed + len(noise)))
    samples = []
    for seed, level in zip(seeds, noise, strict=True):
        progress(f"country {seed}, noise {level:g}")
        samples.append(_sample(World(stays=stays, seed=seed, noise=level, lists=1), policy))
    progress("counting patterns")
    provenance = Provenance(
        version=1,
        simulator=version("sojourn"),
        seeds=seeds,
        stays=(stays,) * len(seeds),
        noise=tuple(noise),
        encode_digest=policy.encode.digest,
    )
    return learn_weights(samples, policy.linkage, provenance)


def _sample(world: World, policy: Policy) -> Sample:
    country = build_country(world)
    crossings = country.crossings.filter(~pl.col("withdrawn"))
    keys = MemoryKeyProvider(f"training {world.seed}".encode())
    who = crossings.select("crossing_id").join(
        country.travellers, on="crossing_id", how="left", maintain_order="left"
    )
    return Sample(
        encode(crossings, keys, policy.encode),
        who["traveller"].to_numpy().astype(np.int64),
        who["stay"].to_numpy().astype(np.int64),
    )
