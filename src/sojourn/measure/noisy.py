"""What was released, as numbers with known noise: the only thing public estimates are made of.

In: noisy counts by month and cell, increments by month, noisy re-entries; of each the variance of
its noise. Out: ``Released``; for any cells the sums over months by stratum (arrival mode and class)
with their errors (``Sums``). No exact count has a place in these types.

Several tables say the same sums, each with noise of its own. They are put together by weighted
least squares, exactly: noise is alike in all cells of a table and month, so the solution of a
tree of totals, nationalities and cells is closed (Hay, Rastogi, Miklau and Suciu 2010). Nothing is
clamped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]

EVENTS = ("permission_ended", "left_in_time", "left_late", "status_changed")
ENDED, IN_TIME, LATE, CHANGED = range(4)


@dataclass(frozen=True)
class NoisyReentries:
    """Months x strata; ``variance``: of the noise in one number of each month."""

    months: tuple[date, ...]
    seen: Array
    not_seen: Array
    variance: Array


@dataclass(frozen=True)
class Steps:
    """Of everything together: what each draw added, months x ages x EVENTS; nan: no such draw.

    Of a month whose first draw was late, that draw stands at the age it had.
    """

    added: Array
    variance: Array


@dataclass(frozen=True)
class Released:
    """Running sums at the last vintage. ``age``: how many of the draws' ages each month has passed.

    ``cells``: months x EVENTS x nationalities x strata, ``cell_variance`` months x EVENTS. The
    same by nationality and in total, where such tables were released: variance is infinite where
    not, and where a draw was lost.
    """

    months: tuple[date, ...]
    age: Places
    ages: int
    nationalities: tuple[str, ...]  # ('',) where no released table has nationality, mode and class
    strata: tuple[tuple[str, str], ...]  # mode, class
    cells: Array
    cell_variance: Array
    by_nationality: Array  # months x EVENTS x nationalities
    nationality_variance: Array
    total: Array  # months x EVENTS
    total_variance: Array
    steps: Steps
    reentries: NoisyReentries

    @property
    def modes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(mode for mode, _ in self.strata))


@dataclass(frozen=True)
class Sums:
    """Of some cells, by EVENTS and stratum: a sum over months, and its noise.

    Noise is ``apart`` in each stratum and the same in all that belongs to their common sum
    (``together``): variances by event. A number of the sum's own is known where ``whole``.
    """

    value: Array  # EVENTS x strata
    apart: Array  # EVENTS
    together: Array  # EVENTS: of the sum over all strata

    def draws(self, event: int, rng: np.random.Generator, draws: int) -> Array:
        """Strata x draws, around the value."""
        size = self.value.shape[1]
        own = rng.standard_normal((size, draws)) * np.sqrt(self.apart[event])
        shared = rng.standard_normal(draws) * np.sqrt(self.together[event]) / size
        return np.asarray(self.value[event][:, None] + own - own.mean(axis=0) + shared)

    def variance(self, event: int, chosen: NDArray[np.bool_]) -> float:
        """Of the sum over ``chosen`` strata."""
        share = float(chosen.mean())
        inside = float(chosen.sum())
        return float(self.apart[event] * inside * (1 - share) + self.together[event] * share**2)


def sums_of(released: Released, months: Sequence[int], factor: Array) -> Sums:
    """Of all nationalities together. ``factor``: months x EVENTS, what a count stands for."""
    size, strata = len(released.nationalities), len(released.strata)
    parts = []
    for month in months:
        cells, var = released.cells[month], released.cell_variance[month]
        rough = cells.sum(axis=1)  # EVENTS x strata
        whole, spread = _whole(released, month)
        gap = whole - rough.sum(axis=1)
        parts.append((rough + gap[:, None] / strata, var * size, spread))
    return _summed(parts, factor, strata)


def sums_of_each(released: Released, months: Sequence[int], factor: Array) -> list[Sums]:
    """Of each nationality by itself."""
    size, strata = len(released.nationalities), len(released.strata)
    parts: list[list[tuple[Array, Array, Array]]] = [[] for _ in range(size)]
    for month in months:
        cells, var = released.cells[month], released.cell_variance[month]
        rough = cells.sum(axis=2)  # EVENTS x nationalities
        mine, spread = _combined(
            [(rough, var * strata),
             (released.by_nationality[month], released.nationality_variance[month])]
        )  # fmt: skip
        whole, wide = _whole(released, month)
        gap = (whole - mine.sum(axis=1)) / size
        settled = mine + gap[:, None]
        error = spread * (1 - 1 / size) + wide / size**2
        for place in range(size):
            lift = (settled[:, place] - rough[:, place]) / strata
            parts[place].append((cells[:, place] + lift[:, None], var, error))
    return [_summed(p, factor, strata) for p in parts]


def _whole(released: Released, month: int) -> tuple[Array, Array]:
    """By event: the sum of everything from all tables, and its variance."""
    size, strata = len(released.nationalities), len(released.strata)
    return _combined(
        [
            (released.cells[month].sum(axis=(1, 2)), released.cell_variance[month] * size * strata),
            (released.by_nationality[month].sum(axis=1),
             released.nationality_variance[month] * size),
            (released.total[month], released.total_variance[month]),
        ]
    )  # fmt: skip


def _combined(told: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Numbers weighted by their certainty. ``told``: (numbers by event, variance by event)."""
    weight = sum((1.0 / v for _, v in told), np.zeros(len(EVENTS)))
    some = np.zeros_like(told[0][0])
    for numbers, variance in told:
        share = (1.0 / variance) / np.maximum(weight, 1e-300)
        shaped = share.reshape(-1, *[1] * (numbers.ndim - 1))
        some = some + np.where(np.isfinite(numbers), numbers, 0.0) * shaped
    return some, np.where(weight > 0, 1.0 / np.maximum(weight, 1e-300), np.inf)


def _summed(
    parts: Sequence[tuple[Array, Array, Array]], factor: Array, strata: int
) -> Sums:  # fmt: skip
    value = np.zeros((len(EVENTS), strata))
    apart, together = np.zeros(len(EVENTS)), np.zeros(len(EVENTS))
    for (numbers, own, shared), by in zip(parts, factor, strict=True):
        value += numbers * by[:, None]
        apart += own * by**2
        together += shared * by**2
    return Sums(value, apart, together)
