"""What a release will cost and how much noise it will carry, for pages.

THE ONE ADAPTER to the gate (issue 5). Names and shapes are those of ``sojourn.release`` on the
branch 'gate'; once that is merged this module is

    from sojourn.release.budget import Plan, PlanRow, Spent, plan_release
    from sojourn.release.noise import ExpectedNoise, expected_noise
    from sojourn.release.store import read_spent

with ``policy_of`` giving ``office_policy().release``. Until then the policy is the example of the
design: epsilon 1 a year, tables .1/.3/.6, days .6 and months .4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, sqrt

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sojourn.schemas import Span


@dataclass(frozen=True)
class ReleasePolicy:
    """The settings that pages say aloud."""

    epsilon_per_year: float = 1.0
    tables: tuple[str, ...] = ("total", "nationality", "nationality_mode_class")
    table_shares: tuple[float, ...] = (0.1, 0.3, 0.6)
    table_spans: tuple[str, ...] = ("day month", "day month", "month")
    spans: tuple[str, ...] = ("day", "month")
    span_shares: tuple[float, ...] = (0.6, 0.4)
    max_contributions: int = 8
    day_ages: tuple[int, ...] = (0, 7, 28, 60)
    month_ages: tuple[int, ...] = (0, 28, 60)


@dataclass(frozen=True)
class ExpectedNoise:
    """What a table's counts of one span have in them."""

    release_table: str
    span: Span
    contributions: int  # how many counts a stay may change in its life
    epsilon: float  # a stay's privacy loss through this table and span
    scale: float  # of one draw
    sd: float  # of one draw
    increments: int  # draws in a final vintage
    final_sd: float  # of a final vintage


@dataclass(frozen=True)
class Spent:
    """What was spent in a year, by table and span."""

    budget_year: int
    release_table: str
    span: str
    unit_loss: float
    contributions: int

    @property
    def loss(self) -> float:
        return self.unit_loss * self.contributions


@dataclass(frozen=True)
class PlanRow:
    budget_year: int
    release_table: str
    share: float  # what policy gives the table in a year
    before: float  # spent so far
    cost: float  # what the release adds
    after: float


@dataclass(frozen=True)
class Plan:
    """What a release through some days costs a stay, by year and table."""

    rows: tuple[PlanRow, ...]
    budget: float  # of a year
    left_before: Mapping[int, float]  # by year
    left_after: Mapping[int, float]
    cost: float
    affordable: bool


def policy_of() -> ReleasePolicy:
    return ReleasePolicy()


def expected_noise(policy: ReleasePolicy) -> tuple[ExpectedNoise, ...]:
    """By table and span: the standard deviation of the discrete Laplace noise."""
    rows = []
    shares = dict(zip(policy.spans, policy.span_shares, strict=True))
    for table, share, own in zip(
        policy.tables, policy.table_shares, policy.table_spans, strict=True
    ):
        spans = own.split()
        for span in spans:
            part = shares[span] / sum(shares[s] for s in spans)
            epsilon = policy.epsilon_per_year * share * part
            scale = policy.max_contributions / epsilon
            draws = len(policy.day_ages if span == Span.DAY else policy.month_ages)
            sd = _sd(scale)
            rows.append(
                ExpectedNoise(table, Span(span), policy.max_contributions, epsilon, scale, sd,
                              draws, sd * sqrt(draws))
            )  # fmt: skip
    return tuple(rows)


def plan_release(
    policy: ReleasePolicy, already_spent: Iterable[Spent], days: Sequence[date]
) -> Plan:
    """What it costs to release through each of ``days``: a year's first release of a table costs
    its share, later ones nothing more, for a stay's contributions are bounded for life."""
    spent = tuple(already_spent)
    years = sorted({d.year for d in days})
    rows = []
    for year in years:
        for table, part in zip(policy.tables, policy.table_shares, strict=True):
            share = policy.epsilon_per_year * part
            before = sum(s.loss for s in spent if (s.budget_year, s.release_table) == (year, table))
            cost = 0.0 if before else share
            rows.append(PlanRow(year, table, share, before, cost, before + cost))
    budget = policy.epsilon_per_year
    left = {y: budget - sum(s.loss for s in spent if s.budget_year == y) for y in years}
    after = {y: left[y] - sum(r.cost for r in rows if r.budget_year == y) for y in years}
    affordable = all(v >= -1e-12 for v in after.values())
    return Plan(tuple(rows), budget, left, after, sum(r.cost for r in rows), affordable)


def read_spent(engine: Engine) -> tuple[Spent, ...]:
    """Spends by year and table. What one node adds to its year's loss adds up."""
    try:
        with engine.connect() as connection:
            rows = connection.execute(
                text("SELECT budget_year, release_table, SUM(epsilon) FROM spends "
                     "GROUP BY budget_year, release_table ORDER BY budget_year, release_table")
            ).fetchall()  # fmt: skip
    except DBAPIError:
        return ()  # nothing was ever released
    return tuple(Spent(int(year), table, "", float(total), 1) for year, table, total in rows)


def _sd(scale: float) -> float:
    p = exp(-1 / scale)
    return sqrt(2 * p) / (1 - p)
