"""What records cannot say, for an office: the ledger's counts through the estimators.

In: an office, randomness. Out: ESTIMATES, kept in the ledger under the day on which they were made;
and what was said of months on earlier days (``Revisions``).
How sure linking is has to be known first (``quality.assess``): without re-entries nothing says how
many departures went unseen, and estimates say that they cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.measure.revision_triangle import MonthVintage
from sojourn.pipeline.office import Office
from sojourn.vocabulary import Quantity, Span


@dataclass(frozen=True)
class Revisions:
    """What was said of months, in total, on every day that is kept."""

    estimated: tuple[MonthVintage, ...]  # the overstay rate: on days of estimates
    recorded: tuple[MonthVintage, ...]  # the records alone, by vintages: on first days of months


def refresh_estimates(office: Office, rng: np.random.Generator) -> int:
    """Estimate anew as of today; returns how many rows were kept."""
    # Here, not above: the estimators bring scipy, which most commands do without.
    from sojourn.measure.estimating import Evidence, estimate

    today = office.clock().date()
    with office.open_ledger() as ledger:
        ledger.close_days()
        evidence = Evidence(
            ledger.counts(today), ledger.vintages(), ledger.reporting(), ledger.lists(),
            ledger.linkage(),
        )  # fmt: skip
        made = estimate(evidence, today, office.policy, rng)
        ledger.write_estimates(made, today)
    return made.height


def read_estimates(office: Office) -> pl.DataFrame:
    """ESTIMATES of the newest day, and what is kept of the days before."""
    with office.open_ledger() as ledger:
        return ledger.estimates()


def read_revisions(office: Office) -> Revisions:
    """Estimates nothing. Of days whose vintage does not hold (a clock jumped) nothing is told."""
    from sojourn.measure.recorded_months import days_of_months, recorded_months

    with office.open_ledger() as ledger:
        ledger.close_days()
        made, kept, vintages = ledger.estimates(), ledger.vintages_kept(), ledger.vintages()
    days = () if kept.since is None or kept.last is None else days_of_months(kept.since, kept.last)
    smallest, begins = office.policy.measure.smallest_cell, office.policy.estimate.year_begins
    held = [day for day in days if kept.hold(day)]
    return Revisions(rates_of_months(made), recorded_months(vintages, held, smallest, begins))


def rates_of_months(made: pl.DataFrame) -> tuple[MonthVintage, ...]:
    """ESTIMATES into what was said of the overstay rate of months in total."""
    rows = made.filter(
        pl.col("span") == Span.MONTH.value,
        pl.col("quantity") == Quantity.OVERSTAY_RATE.value,
        *(pl.col(name) == "" for name in ("nationality", "mode", "admission_class")),
    )
    return tuple(
        MonthVintage(*row) for row in rows.select("period", "known_at", "value", "why").rows()
    )
