"""Small releases for tests: a short policy, short code lists, changes by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from sqlalchemy import Engine

from sojourn.ledger.engine import migrate, open_engine
from sojourn.policy import ReleasePolicy, load_policy
from sojourn.release import CodeLists, Contributions, Gate, Gated, Request, empty_state, publish
from sojourn.release.checks import EVENTS
from sojourn.release.contributions import CELL, CHANGES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST = date(2026, 2, 28)
NATIONS = ("FRA", "UTO", "XXA")


def small_policy(**changes: object) -> ReleasePolicy:
    """All three tables by day and month, of three nationalities and two classes."""
    short = replace(
        load_policy().release, nationalities=NATIONS, admission_classes=("VISIT", "WORK"),
        table_spans=("day month", "day month", "day month"), first_days=30, first_months=3,
        table_shares=(0.1, 0.3, 0.6), reentry_share=0.0,
    )  # fmt: skip
    return replace(short, **changes)  # type: ignore[arg-type]


def lists_of(policy: ReleasePolicy) -> CodeLists:
    return CodeLists.build(NATIONS, policy)


def opened(url: str) -> Engine:
    """An engine on an empty ledger."""
    engine = open_engine(url)
    migrate(engine)
    return engine


def gate_of(
    engine: Engine, policy: ReleasePolicy, clock: Callable[[], datetime] = lambda: NOON
) -> Gate:
    return Gate(engine, policy, lists_of(policy), clock)


def asked(through: date = LAST, **changes: object) -> Request:
    whole = Request(through, "Ann", "Bob", "a run", "a policy")
    return replace(whole, **changes)  # type: ignore[arg-type]


def made_changes(*rows: tuple[object, ...]) -> pl.DataFrame:
    """Of (event, day, nationality, mode, class, count) rows."""
    return pl.DataFrame(list(rows), schema=CHANGES, orient="row")


def many_changes(
    lists: CodeLists, through: date, count: int, days: int, rng: np.random.Generator
) -> pl.DataFrame:
    """``count`` events on random cells of the last days."""
    drawn = {
        "event": rng.choice(EVENTS, count),
        "day": [through - timedelta(days=int(d)) for d in rng.integers(0, days, count)],
        **{d: rng.choice(lists.of(d), count) for d in CELL[2:]},
    }
    summed = pl.DataFrame(drawn).group_by(CELL).agg(pl.len().cast(pl.Int64).alias("count"))
    return summed.select(list(CHANGES))


def contributed(changes: pl.DataFrame | None = None) -> Contributions:
    return Contributions(made_changes() if changes is None else changes, empty_state(), 0)


def released(
    gate: Gate, engine: Engine, policy: ReleasePolicy, through: date = LAST,
    changes: pl.DataFrame | None = None,
) -> Gated:  # fmt: skip
    """A whole release: drawn and published."""
    done = gate.release(asked(through), contributed(changes), since=gate.last_through())
    publish(engine, gate.tables, policy, through, done.release_id)
    return done
