"""The weight table, from simulated countries: the same seeds give the same bytes. And the table
fitted to an office's own records, without truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import version

import numpy as np
import polars as pl

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.errors import LinkageError
from sojourn.link import (
    Provenance,
    Sample,
    WeightTable,
    adapt_weights,
    dump_weights,
    learn_weights,
    load_weights,
)
from sojourn.pipeline.office import Office, weights_file
from sojourn.policy import Policy
from sojourn.schemas import ENCODINGS
from sojourn.simulate import World, build_country

FIRST_SEED = 20_001  # far from the seeds of demo, tests and benchmarks
STAYS = 60_000
CLEAR = 3.0  # worlds of more noise are of the second level
TRAINED_TO = 48  # holders of a key: what the shipped table was learned with, whatever policy says
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
    cap = replace(policy.linkage, candidates_per_key=TRAINED_TO)
    return learn_weights(samples, cap, provenance)


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
        int(world.noise > CLEAR),
    )


@dataclass(frozen=True)
class Adapted:
    """Shares of the levels of noise, the clearest first, before and after; and of how many."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    reports: int


def adapt(office: Office) -> Adapted:
    """Fit the shipped table to the reports that the ledger holds; write it into the home.

    From then on everything of the office links with it. The fit starts from the shipped table
    each time, so that running it twice changes nothing. Raises LinkageError without reports.
    """
    with office.open_ledger() as ledger:
        frames = list(ledger.all_reports())
    reports = pl.concat(frames).select(ENCODINGS.names) if frames else ENCODINGS.empty()
    if not reports.height:
        raise LinkageError("the ledger holds no reports to fit the weights to: load some first")
    table = load_weights()
    fitted = adapt_weights(reports, table, office.policy.linkage, office.policy.digest)
    file = weights_file(office.home)
    fresh = file.with_suffix(".tmp")
    fresh.write_bytes(dump_weights(fitted))
    fresh.replace(file)
    return Adapted(_shares(table), _shares(fitted), reports.height)


def _shares(table: WeightTable) -> tuple[float, ...]:
    return table.levels.shares if table.levels else (1.0,)
