"""What has been spent, what a release would cost, what is left. Pure.

In: the policy and what was drawn under which loss. Out: ``Plan``. A stay's loss through a table
and span is its contributions times the loss of one, however many nodes are drawn: each of its
contributions lies in one cell of one node. So a year's first draw of a table and span costs its
whole share, and the others cost nothing more, unless policy changed in between: then the larger
of both counts. Shares of different tables and spans add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sojourn.policy import ReleasePolicy
from sojourn.release.cells import REENTRIES
from sojourn.release.noise import expected_noise
from sojourn.vocabulary import Span

Lane = tuple[int, str, str]  # budget year, table, span


@dataclass(frozen=True)
class Spent:
    """The largest that was drawn in a lane so far."""

    budget_year: int
    release_table: str
    span: str
    unit_loss: float  # privacy loss of one contribution
    contributions: int  # what a stay may have made

    @property
    def lane(self) -> Lane:
        return self.budget_year, self.release_table, self.span

    @property
    def loss(self) -> Fraction:
        """Of a stay, exactly."""
        return Fraction(self.unit_loss) * self.contributions


@dataclass(frozen=True)
class PlanRow:
    budget_year: int
    release_table: str
    share: float  # what policy gives the table in a year
    before: float  # spent so far
    cost: float  # what the release adds
    after: float

    @property
    def left(self) -> float:
        """Of the table's share after the release; below none where policy has changed."""
        return self.share - self.after


@dataclass(frozen=True)
class Plan:
    """What a release through some days costs a stay, by year and table."""

    rows: tuple[PlanRow, ...]
    budget: float  # of a year
    left_before: Mapping[int, float]  # by year
    left_after: Mapping[int, float]
    cost: float
    affordable: bool


def unit_loss_of(scale: float) -> float:
    """The loss of one contribution, never less than 1/scale."""
    exact, near = Fraction(scale), 1.0 / scale
    while Fraction(near) * exact < 1:
        near = near * (1.0 + 2.0**-52)
    return near


def together(spent: Iterable[Spent]) -> dict[Lane, Spent]:
    """By lane, the larger of what was drawn in it."""
    out: dict[Lane, Spent] = {}
    for one in spent:
        held = out.get(one.lane, one)
        out[one.lane] = Spent(
            *one.lane, max(one.unit_loss, held.unit_loss),
            max(one.contributions, held.contributions),
        )  # fmt: skip
    return out


def loss_of_year(spent: Iterable[Spent], year: int) -> Fraction:
    """A stay's loss in one budget year, exactly."""
    return sum((s.loss for s in together(spent).values() if s.budget_year == year), Fraction(0))


def loss_of_life(spent: Iterable[Spent]) -> Fraction:
    """A stay's loss over all years, exactly: contributions are bounded for life, so that years
    under one policy cost no more than one year does."""
    anytime = together(
        Spent(0, s.release_table, s.span, s.unit_loss, s.contributions) for s in spent
    )
    return sum((s.loss for s in anytime.values()), Fraction(0))


def asked_by(policy: ReleasePolicy, year: int) -> tuple[Spent, ...]:
    """What any release under ``policy`` draws in a year."""
    return tuple(
        Spent(year, n.release_table, n.span.value, unit_loss_of(n.scale), n.contributions)
        for n in expected_noise(policy)
    )


def plan_release(
    policy: ReleasePolicy, already_spent: Iterable[Spent], days: Sequence[date]
) -> Plan:
    """What it costs to release through each of ``days`` (recorded days), before it is done."""
    before = tuple(already_spent)
    years = sorted({day.year for day in days})
    after = (*before, *(s for year in years for s in asked_by(policy, year)))
    held, then = together(before), together(after)
    budget = Fraction(str(policy.epsilon_per_year))
    rows = []
    for year in years:
        own = [REENTRIES] if policy.reentry_share else []
        names = (*policy.tables, *own, *(s.release_table for s in before if s.budget_year == year))
        for table in dict.fromkeys(names):
            lanes = [(year, table, span.value) for span in Span]
            was = sum((held[lane].loss for lane in lanes if lane in held), Fraction(0))
            will = sum((then[lane].loss for lane in lanes if lane in then), Fraction(0))
            share = budget * _table_share(policy, table)
            rows.append(PlanRow(year, table, float(share), float(was), round(float(will - was), 12),
                                float(will)))  # fmt: skip
    left_after = {y: budget - loss_of_year(after, y) for y in years}
    return Plan(
        tuple(rows), float(budget),
        {y: float(budget - loss_of_year(before, y)) for y in years},
        {y: float(left) for y, left in left_after.items()},
        sum(row.cost for row in rows), all(left >= 0 for left in left_after.values()),
    )  # fmt: skip


def _table_share(policy: ReleasePolicy, table: str) -> Fraction:
    if table == REENTRIES:
        return Fraction(str(policy.reentry_share))
    if table not in policy.tables:
        return Fraction(0)
    return Fraction(str(policy.table_shares[policy.tables.index(table)]))
