"""How far figures were revised before: the size of past revisions by age, and a rule from it.

In: VINTAGES, or pairs of a first and a later published value. Out: ``Revision`` by age; an interval
for the later value.

A revision is the logarithm of the later over the earlier value. Where an office keeps its
vintages, each month that is settled tells one revision for each age. Their mean moves the value,
their scatter widens the interval by a Student factor for a new one of k (Geisser 1993): small
numbers of past revisions give wide intervals, as they should. Where revisions of several
offices are pooled, whose errors go either way, the mean is taken to be nought (``pooled_reach``).
Assumes that revisions to come are like those that were.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, inf, log, sqrt

import numpy as np
import polars as pl
from scipy import stats

from sojourn.measure.development import with_new
from sojourn.measure.spans import month_end
from sojourn.vocabulary import Outcome

LEAST_MONTHS = 3
SETTLED_SHARE = 0.5  # of the settling time: a month that old stands for final where none is older


@dataclass(frozen=True)
class Revision:
    """Of months at one age: what they were multiplied by since."""

    age_days: int
    months: int
    mean: float  # of the logarithm
    spread: float

    @property
    def known(self) -> bool:
        return self.months >= LEAST_MONTHS

    def draws(
        self, rng: np.random.Generator, draws: int
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Factors for a new month of that age; ones where too little is known."""
        if not self.known:
            return np.ones(draws)
        scale = self.spread * sqrt(1 + 1 / self.months)
        return np.asarray(np.exp(self.mean + scale * rng.standard_t(self.months - 1, draws)))


def past_revisions(
    vintages: pl.DataFrame,
    outcomes: Sequence[Outcome],
    ages: Sequence[int],
    known_at: date,
    settled_days: int,
) -> tuple[Revision, ...]:
    """Of the sum of ``outcomes`` in all cells, for each of ``ages`` (days since the month's end).

    A month counts where it was watched at that age and half of ``settled_days`` have passed since
    its end; its value on ``known_at`` is taken for final.
    """
    held = vintages.filter(
        pl.col("outcome").is_in([o.value for o in outcomes]) & (pl.col("known_at") <= known_at)
    )
    first = vintages["known_at"].min()
    if not held.height or not isinstance(first, date):
        return tuple(Revision(age, 0, 0.0, 0.0) for age in ages)
    steps = (
        with_new(held)
        .group_by("period", "known_at").agg(pl.col("new").sum())
        .sort("period", "known_at")
        .with_columns(total=pl.col("new").cum_sum().over("period"))
    )  # fmt: skip
    found: dict[int, list[float]] = {age: [] for age in ages}
    for (month,), part in steps.partition_by("period", as_dict=True).items():
        end = month_end(month) if isinstance(month, date) else known_at
        if (known_at - end).days < SETTLED_SHARE * settled_days:
            continue
        days, totals = part["known_at"].to_list(), part["total"].to_list()
        for age in ages:
            then = end + timedelta(days=age)
            at = bisect_right(days, then)
            if first > then or at == 0 or totals[at - 1] <= 0 or totals[-1] <= 0:
                continue
            found[age].append(log(totals[-1] / totals[at - 1]))
    return tuple(_revision(age, found[age]) for age in ages)


def _revision(age: int, logs: Sequence[float]) -> Revision:
    if len(logs) < 2:
        return Revision(age, len(logs), logs[0] if logs else 0.0, 0.0)
    return Revision(age, len(logs), float(np.mean(logs)), float(np.std(logs, ddof=1)))


@dataclass(frozen=True)
class Published:
    """A figure of an office, as first published and as it stood later."""

    name: str
    first: float
    later: float
    half_width: float | None = None  # of the interval that the office printed

    @property
    def log_ratio(self) -> float:
        return log(self.later / self.first)

    @property
    def missed(self) -> bool:
        """The office's own interval left the later value out."""
        return self.half_width is not None and abs(self.later - self.first) > self.half_width


def pooled_reach(log_ratios: Sequence[float], level: float = 0.95) -> float:
    """How far, in logarithms, a further revision may go: Student's, about a mean of nought."""
    count = len(log_ratios)
    if not count:
        return inf
    square = sqrt(sum(r**2 for r in log_ratios) / count)
    return float(stats.t.ppf((1 + level) / 2, count)) * square * sqrt(1 + 1 / count)


def later_interval(first: float, log_ratios: Sequence[float]) -> tuple[float, float]:
    """95% prediction interval for the later value of a figure, from past revisions of others."""
    reach = pooled_reach(log_ratios)
    return (0.0, inf) if reach == inf else (first * exp(-reach), first * exp(reach))


def leave_one_out(cases: Sequence[Published]) -> list[tuple[Published, float, float, bool]]:
    """Each case by a rule that has seen the others alone: (case, lower, upper, covered)."""
    out = []
    for case in cases:
        others = [c.log_ratio for c in cases if c is not case]
        lower, upper = later_interval(case.first, others)
        out.append((case, lower, upper, lower <= case.later <= upper))
    return out
