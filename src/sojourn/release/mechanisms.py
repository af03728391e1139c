"""The two mechanisms. Only ``sojourn.release.gate`` may import this: a contract keeps it so.

``LaplaceNoise`` adds exact discrete Laplace noise by OpenDP's core (Canonne, Kamath and Steinke
2020: no floating point touches a sample). In: whole numbers. Out: whole numbers; nothing is
clamped, a count of none may come out negative. Nothing here can be seeded: the randomness is the
operating system's.

Cell key (Fraser and Wooton 2005; as the UK's Office for National Statistics describes its own):
each record has a key from 0 to 255, a cell's key is the sum of its records' modulo 256, and a
fixed table says by count and key how a cell changes. The same records always give the same
number, so nothing averages away; but it is no differential privacy, and adding somebody may show.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import opendp.prelude as dp
from numpy.typing import NDArray

Counts = NDArray[np.int64]
KEYS = 256
# Counts above 750 use the rows of 501 to 750 again and again, as in the public description.
ROWS, LOOP, LOOP_FROM = 750, 250, 501
AT_ONCE = 20_000


class _Measurement(Protocol):
    def __call__(self, arg: list[int]) -> list[int]: ...
    def map(self, d_in: int) -> float: ...


@dataclass(frozen=True)
class LaplaceNoise:
    """Noise of one scale, with the loss that OpenDP vouches for."""

    scale: float
    measurement: _Measurement

    @classmethod
    def of_scale(cls, scale: float) -> LaplaceNoise:
        """For vectors of whole numbers that one person changes by so much in total (L1)."""
        dp.enable_features("contrib")
        space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
        made: Any = dp.m.make_laplace(*space, scale=scale)
        return cls(scale, cast(_Measurement, made))

    def loss(self, contributions: int) -> float:
        """The privacy loss (epsilon) for so much change in total, rounded up."""
        return float(self.measurement.map(contributions))

    def add(self, counts: Counts) -> Counts:
        """``counts`` with noise of their own each. Every call draws anew."""
        flat = counts.ravel()
        parts = [flat[i : i + AT_ONCE] for i in range(0, flat.size, AT_ONCE)]
        if len(parts) < 2:
            drawn = [self._add(part) for part in parts]
        else:  # the sampler runs outside Python's lock
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                drawn = list(threads.map(self._add, parts))
        return np.concatenate([np.zeros(0, np.int64), *drawn]).reshape(counts.shape)

    def _add(self, counts: Counts) -> Counts:
        return np.array(self.measurement(counts.tolist()), np.int64)


def record_key(crossing_ref: bytes) -> int:
    """0 to 255. The reference is a keyed hash already: without the key nobody can make it."""
    return hashlib.blake2b(crossing_ref, digest_size=1, person=b"sojourn.cellkey").digest()[0]


def perturbation_table(reach: int) -> Counts:
    """By row (a count's, 0 to 750) and cell key: what is added, from -reach to +reach.

    Each row holds every change equally often (256 keys over ``2 * reach + 1`` changes, the rest
    unchanged), so that what is added is 0 on average; rows are turned against each other.
    """
    changes = np.arange(-reach, reach + 1)
    even = np.repeat(changes, KEYS // changes.size)
    row = np.concatenate([even, np.zeros(KEYS - even.size, np.int64)])
    # 37 has no factor in common with 256: each row is the row before, turned.
    turned = [np.roll(row[(np.arange(KEYS) * 37) % KEYS], 11 * n) for n in range(ROWS + 1)]
    table = np.stack(turned).astype(np.int64)
    table[0] = 0  # none stays none, and is under the threshold
    return table


def perturb(counts: Counts, keys: Counts, table: Counts, threshold: int) -> Counts:
    """Counts by their cells' keys; -1 stands for a cell under the threshold.

    ``keys``: the sum of the record keys of each cell.
    """
    row = np.where(counts <= ROWS, counts, (counts - 1) % LOOP + LOOP_FROM)
    changed = counts + table[row, keys % KEYS]
    return np.where((counts < threshold) | (changed < threshold), -1, changed)
