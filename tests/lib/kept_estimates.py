"""A statistics database with estimates of an invented country, as three days would leave them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from lib.small_offices import evidence, office, world
from sojourn.measure.estimating import estimate
from sojourn.pipeline import Office
from sojourn.policy import load_policy
from sojourn.simulate.small_world import Kind

DAYS = (400, 430, 460)


@lru_cache(maxsize=4)
def made_estimates(kind: Kind = Kind.PLAIN, stays: int = 40_000) -> tuple[pl.DataFrame, ...]:
    """ESTIMATES as of each of DAYS: the same country, known better each time."""
    of = office(world(kind, stays=stays))
    out = []
    for day in DAYS:
        found, known_at = evidence(of, day)
        out.append(estimate(found, known_at, load_policy(), np.random.default_rng(7)))
    return tuple(out)


def keep_estimates(kept: Office, *tables: pl.DataFrame) -> date:
    """Write them into the office's ledger, oldest first; the newest day."""
    with kept.open_ledger() as ledger:
        for made in tables or made_estimates():
            known_at = made["known_at"].max()
            if not isinstance(known_at, date):
                raise TypeError("expected estimates with a day")
            ledger.write_estimates(made, known_at)
    return known_at
