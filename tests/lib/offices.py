"""Small offices with countries of invented people, for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from sojourn.encode import MemoryKeyProvider
from sojourn.ledger import Ledger, build_stays, count_totals
from sojourn.pipeline import Desk, Office, open_office
from sojourn.pipeline.intake import Delivered, encode_readings
from sojourn.policy import Policy, load_policy
from sojourn.read import Reading
from sojourn.schemas import REJECTS, SOURCE_QUALITY, STATUS_CHANGES
from sojourn.simulate import Country, World, build_country

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def small_country(stays: int = 300, seed: int = 1, days: int = 200, **knobs: object) -> Country:
    """A country whose last day is NOW's."""
    start = (NOW - timedelta(days=days)).date()
    return build_country(World(stays=stays, seed=seed, start=start, days=days, **knobs))  # type: ignore[arg-type]


def small_office(
    home: Path, url: str | None = None, *, now: datetime = NOW, policy: Policy | None = None
) -> Office:
    """An office whose clock stands still."""
    return open_office(
        home, statistics_url=url, keys=MemoryKeyProvider(b"test"), clock=lambda: now,
        policy=policy or load_policy(),
    )  # fmt: skip


class ClockedOffice:
    """An office whose clock is set by hand: ``now``."""

    def __init__(self, home: Path, url: str | None = None, now: datetime = NOW) -> None:
        self.now = now
        self.office = open_office(
            home, statistics_url=url, keys=MemoryKeyProvider(b"test"), clock=lambda: self.now,
            policy=load_policy(),
        )  # fmt: skip


def hand_in(
    desk: Desk, office: Office, crossings: pl.DataFrame, name: str,
    changes: pl.DataFrame | None = None, *, as_recorded: bool = False,
) -> None:  # fmt: skip
    """One delivery of checked records."""
    reading = Reading(
        crossings,
        STATUS_CHANGES.empty() if changes is None else changes,
        REJECTS.empty(),
        SOURCE_QUALITY.empty(),
    )
    (intake,) = encode_readings([Delivered(name, "test", reading)], office)
    desk.take(intake, as_recorded=as_recorded)


def comparable(stays: pl.DataFrame) -> pl.DataFrame:
    """STAYS in one order, for comparing."""
    return stays.sort("arrival_ref", "departure_ref", nulls_last=True)


def recounted(ledger: Ledger, day: date) -> pl.DataFrame:
    """What live_totals should be: counted anew from the fold."""
    return (
        count_totals(ledger.fold(day))
        .select("day", "name", "value")
        .filter(pl.col("value") != 0)
        .sort("day", "name")
    )


__all__ = [
    "NOW", "ClockedOffice", "build_stays", "comparable", "hand_in", "recounted", "small_country",
    "small_office",
]  # fmt: skip
