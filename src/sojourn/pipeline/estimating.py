"""What records cannot say, for an office: the ledger's counts through the estimators.

In: an office, randomness. Out: ESTIMATES, kept in the ledger under the day on which they were made.
How sure linking is has to be known first (``quality.assess``): without re-entries nothing says how
many departures went unseen, and estimates say that they cannot be made.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sojourn.pipeline.office import Office


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
