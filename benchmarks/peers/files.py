"""The data sets that all run on: crossings.parquet and truth.parquet in a folder each.

From Sojourn's own simulator, from ``benchmarks.elsewhere`` (a generator written by somebody who
did not know Sojourn's) where it is there, and FEBRL 4.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.peers.febrl import map_febrl
from benchmarks.peers.running import PEERS_PYTHON, Failed, run
from sojourn.simulate import World, build_country

SEED = 7
STAYS = {"simulate": 55_800, "elsewhere": 55_800}  # about 100,000 crossings
LARGE = 10


@dataclass(frozen=True)
class DataSet:
    """``generator``: simulate, elsewhere or febrl."""

    name: str
    generator: str
    noise: float = 1.0
    times: float = 1.0  # of the usual size

    @property
    def title(self) -> str:
        if self.generator == "febrl":
            return "FEBRL 4, mapped to crossings"
        whose = "Sojourn's simulator" if self.generator == "simulate" else "Another's generator"
        return f"{whose}, noise x{self.noise:g}"

    @property
    def stays(self) -> int:
        return int(STAYS[self.generator] * self.times)


def data_sets(*, large: bool, small: bool) -> list[DataSet]:
    """Which to run, in order; ``small`` is a tenth of the size, ``large`` adds ten times."""
    times = 0.1 if small else 1.0
    found = [DataSet("febrl4", "febrl")]
    for generator in ("simulate", "elsewhere"):
        if generator == "elsewhere" and importlib.util.find_spec("benchmarks.elsewhere") is None:
            continue
        found += [
            DataSet(f"{generator}-x{noise}", generator, float(noise), times) for noise in (1, 3, 8)
        ]
        if large:
            found.append(DataSet(f"{generator}-x1-large", generator, 1.0, float(LARGE)))
    return found


def write_files(data: DataSet, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make crossings.parquet and truth.parquet; give both. Raises Failed without FEBRL."""
    folder.mkdir(parents=True, exist_ok=True)
    crossings, truth = _build(data, folder)
    crossings.write_parquet(folder / "crossings.parquet")
    truth.write_parquet(folder / "truth.parquet")
    return crossings, truth


def _build(data: DataSet, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    if data.generator == "febrl":
        ran = run([str(PEERS_PYTHON), "-W", "ignore", "-m", "benchmarks.peers.raw_febrl",
                   str(folder)], 300)  # fmt: skip
        if isinstance(ran, Failed):
            raise FileNotFoundError(ran.reason)
        a, b = (pl.read_parquet(folder / f"{name}.parquet") for name in "ab")
        return map_febrl(a, b)
    if data.generator == "elsewhere":
        module = importlib.import_module("benchmarks.elsewhere")
        crossings, truth = module.build(data.stays, SEED, data.noise)
        return crossings, truth
    country = build_country(World(stays=data.stays, seed=SEED, noise=data.noise, lists=1))
    return country.crossings, country.truth
