"""Estimates for the public, made of what was drawn: the release room's numbers, measure's formulas.

In: ``Drawn``, policy. Out: FIGURES of the table ``estimates``, computed, free. Nothing exact comes
here: ``Drawn`` holds draws alone. Its Monte Carlo is seeded by the vintage, so that the same draws
give the same figures, whoever computes them and whenever.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.policy import Policy
from sojourn.release import store
from sojourn.release.again import REENTRY_EVENTS
from sojourn.release.calendar import age_of
from sojourn.release.cells import ESTIMATES
from sojourn.release.checks import EVENTS as DRAWN_EVENTS
from sojourn.release.drawn import Drawn, DrawnTable
from sojourn.release.noise import LEVEL, variance_of
from sojourn.release.publication import Estimator
from sojourn.schemas import FIGURES
from sojourn.vocabulary import Span

if TYPE_CHECKING:
    from sojourn.measure.noisy import Released

Array = NDArray[np.float64]

_STRATUM = ("mode", "admission_class")


def public_estimator(policy: Policy) -> Estimator:
    """What ``publish`` calls: draws, the months that were drawn now and those that are told, into
    FIGURES."""

    def estimator(
        drawn: Drawn, months: Sequence[date], told: AbstractSet[date], release_id: str
    ) -> pl.DataFrame:
        return estimate_drawn(drawn, months, told, policy, release_id)

    return estimator


def estimate_drawn(
    drawn: Drawn, months: Sequence[date], told: AbstractSet[date], policy: Policy, release_id: str
) -> pl.DataFrame:
    """FIGURES of ``months`` and their years; none where no released table has mode and class.

    Other months get a new vintage where they could not be told when they were drawn and can be
    now, or the other way round (``told``: of which numbers stand published). A year is the sum of
    months that can be told, so that it never holds one that is not.
    """
    # Here, not above: the formulas bring scipy, which most commands do without.
    from sojourn.measure.noisy_estimates import estimate_released, months_told

    released = released_of(drawn, policy.release.month_ages)
    if released is None:
        return FIGURES.empty()
    rng = np.random.default_rng(drawn.through.toordinal())
    changed = {m for m in months_told(released) ^ told if m in released.months}
    made = estimate_released(released, sorted({*months, *changed}), policy.estimate, rng)
    method = pl.when(pl.col("why") == "").then(pl.lit(store.ESTIMATED)).otherwise(pl.col("why"))
    return FIGURES.conform(
        made.with_columns(
            release_table=pl.lit(ESTIMATES), vintage=pl.lit(drawn.through), level=pl.lit(LEVEL),
            noise_sd=pl.lit(None, pl.Float64), epsilon=pl.lit(0.0), method=method,
            release_id=pl.lit(release_id),
        )
    )  # fmt: skip


def released_of(drawn: Drawn, ages: Sequence[int]) -> Released | None:
    """Draws as measure wants them; None where they cannot tell modes and classes apart."""
    from sojourn.measure.noisy import EVENTS, NoisyReentries, Released, Steps

    fine = _finest(drawn.tables)
    if fine is None or not drawn.months:
        return None
    which = [DRAWN_EVENTS.index(e) for e in EVENTS]
    cells = fine.table.cells
    nations = tuple(dict.fromkeys(cells["nationality"]))
    strata = tuple(dict.fromkeys(cells.select(_STRATUM).iter_rows()))
    shape = (len(drawn.months), len(EVENTS), len(nations), len(strata))
    age = np.array([_age(m, drawn.through, ages) for m in drawn.months], np.int64)
    by_nation, nation_variance = _other(drawn, ("nationality",), which, len(nations))
    total, total_variance = _other(drawn, (), which, 1)
    again = drawn.reentries
    seen, not_seen = (again.counts[:, n].astype(np.float64) for n in range(len(REENTRY_EVENTS)))
    return Released(
        drawn.months, age, len(ages), nations, strata,
        fine.counts[:, which].reshape(shape), fine.variance[:, which], by_nation, nation_variance,
        total[:, :, 0], total_variance,
        Steps(*_steps(drawn, which, ages)),
        NoisyReentries(again.months, seen, not_seen,
                       np.array([variance_of(s) for s in again.scales])),
    )  # fmt: skip


def _finest(tables: Sequence[DrawnTable]) -> DrawnTable | None:
    """The table with mode and class, and with nationality if there is one such."""
    fitting = [t for t in tables if set(_STRATUM) <= set(t.table.dimensions)]
    return max(fitting, key=lambda t: len(t.table.dimensions), default=None)


def _other(
    drawn: Drawn, dimensions: tuple[str, ...], which: Sequence[int], size: int
) -> tuple[Array, Array]:
    """Another table's numbers, or nothing with infinite variance."""
    for table in drawn.tables:
        if table.table.dimensions == dimensions and table.counts.shape[2] == size:
            return table.counts[:, which], table.variance[:, which]
    shape = (len(drawn.months), len(which))
    return np.zeros((*shape, size)), np.full(shape, np.inf)


def _age(month: date, day: date, ages: Sequence[int]) -> int:
    """Of a month that was drawn, so at the first age at least (policy may have changed since)."""
    return max(age_of(ages, Span.MONTH, month, day), 0)


def _steps(drawn: Drawn, which: Sequence[int], ages: Sequence[int]) -> tuple[Array, Array]:
    """What each draw added to everything, all tables put together by certainty."""
    shape = (len(drawn.months), len(ages), len(which))
    told, weight = np.zeros(shape), np.zeros(shape)
    at = {m: n for n, m in enumerate(drawn.months)}
    for table in drawn.tables:
        for step in table.steps:
            place = at[step.period], _age(step.period, step.recorded, ages)
            share = 1.0 / step.variance[which]
            told[place] += np.where(np.isfinite(step.added[which]), step.added[which], 0.0) * share
            weight[place] += share
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weight > 0, told / weight, np.nan), 1.0 / weight


__all__ = ["estimate_drawn", "public_estimator", "released_of"]
