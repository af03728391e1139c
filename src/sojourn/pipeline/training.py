"""The weight table, from simulated countries: the same seeds give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from importlib.metadata import version

import numpy as np
import polars as pl

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import Provenance, Sample, WeightTable, learn_weights
from sojourn.policy import Policy
from sojourn.simulate import World, build_country

FIRST_SEED = 20_001  # far from the seeds of demo, tests and benchmarks
STAYS = 60_000
# Countries that differ as borders do: little and much noise, many names and few, people who
# come once and people who come often, arrivals that nobody recorded, two lists.
WORLDS = (
    World(STAYS, 0, noise=1.0, lists=1, entry_coverage=0.9),
    World(STAYS, 0, noise=2.0, lists=2, name_pool=120, name_shift=3.0),
    World(STAYS, 0, noise=3.0, lists=1, stays_per_traveller=3.0, entry_coverage=0.8),
    World(STAYS, 0, noise=3.0, lists=1, name_pool=250, name_shift=1.0, stays_per_traveller=1.2),
    World(STAYS, 0, noise=5.0, lists=1, entry_coverage=0.6),
    World(STAYS, 0, noise=8.0, lists=1, stays_per_traveller=2.5, entry_coverage=0.95),
)


def train(
    policy: Policy,
    *,
    worlds: Sequence[World] = WORLDS,
    stays: int = STAYS,
    first_seed: int = FIRST_SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> WeightTable:
    """Learn a table from one country of ``stays`` per world, seeds from ``first_seed`` up."""
    told = [replace(w, stays=stays, seed=first_seed + n) for n, w in enumerate(worlds)]
    samples = []
    for number, world in enumerate(told, 1):
        progress(f"country {number} of {len(told)}, noise {world.noise:g}")
        samples.append(_sample(world, policy))
    progress("counting patterns")
    provenance = Provenance(
        version=1,
        simulator=version("sojourn"),
        worlds=tuple(_described(w) for w in told),
        encode_digest=policy.encode.digest,
    )
    return learn_weights(samples, policy.linkage, provenance)


def _described(world: World) -> str:
    """The settings in which a world differs from the default one, with seed and size."""
    said = [f"seed {world.seed}", f"stays {world.stays}"]
    usual = World(world.stays, world.seed)
    said += [
        f"{f.name} {getattr(world, f.name)}"
        for f in fields(World)
        if getattr(world, f.name) != getattr(usual, f.name)
    ]
    return ", ".join(said)


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
