"""What a simulated country is like: every knob, with where its default comes from.

In: nothing. Out: ``World`` (what to simulate) and ``Country`` (what came of it). Rates of outcome
follow the published totals (US Entry/Exit Overstay Report FY2024: 1.15% of expected departures
overstayed, 1.04% without a departure record, students about twice that; UK exit checks 2019/20).
Error rates are this project's own: a country where at most 72% of true pairs agree on all six
identity fields and at most 88% on the document number. Compare methods with it; its accuracy is
not a border's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from sojourn.schemas import Mode

AIR_PORTS = ("UTA", "UTB", "UTC", "UTD")
OTHER_PORTS = {Mode.LAND: ("UTLDA", "UTLDB", "UTLDC"), Mode.SEA: ("UTSEA",), Mode.RAIL: ("UTRAI",)}


@dataclass(frozen=True)
class AdmissionClass:
    """Share of stays, permitted days, typical length (median days, log-normal spread), overstay."""

    name: str
    share: float
    permitted_days: int
    median_days: float
    spread: float
    never_left: float  # no departure by the end: published SICO rates
    left_late: float  # out-of-country overstays


CLASSES = (
    AdmissionClass("VISIT", 0.80, 90, 9.0, 0.9, 0.0104, 0.0012),
    AdmissionClass("STUDY", 0.05, 365, 170.0, 0.7, 0.0200, 0.0060),
    AdmissionClass("WORK", 0.06, 365, 120.0, 0.9, 0.0110, 0.0040),
    AdmissionClass("FAMILY", 0.04, 180, 35.0, 0.9, 0.0120, 0.0030),
    AdmissionClass("TRANSIT", 0.03, 3, 0.4, 0.7, 0.0010, 0.0010),
    AdmissionClass("CREW", 0.02, 29, 1.6, 0.6, 0.0010, 0.0010),
)


@dataclass(frozen=True)
class World:
    """What to simulate. The same world gives the same country, to the byte."""

    stays: int
    seed: int
    noise: float = 1.0  # scales every error rate
    start: date = date(2025, 1, 1)
    days: int = 365
    lists: int = 2  # 1: one record a crossing; 2: carriers report as well
    stays_per_traveller: float = 1.75
    commuters: float = 0.004  # share of travellers with dozens of stays by land
    exit_coverage: dict[Mode, float] = field(
        default_factory=lambda: {Mode.AIR: 0.98, Mode.SEA: 0.95, Mode.RAIL: 0.90, Mode.LAND: 0.75}
    )
    entry_coverage: float = 0.998
    carrier_coverage: float = 0.92  # of air and sea crossings, with two lists
    mode_mix: dict[Mode, float] = field(
        default_factory=lambda: {Mode.AIR: 0.70, Mode.LAND: 0.18, Mode.SEA: 0.08, Mode.RAIL: 0.04}
    )
    no_shows: float = 0.02  # bookings of departures that were never flown, per stay
    extensions: float = 0.01
    delay_scale: float = 1.0
    permitted_shift: int = 0  # days added to every permitted period
    name_pool: int = 600  # a custom has so many surnames and given names at most
    name_shift: float = 8.0  # of the Zipf law of names: the smaller, the more share the first ones
    hard_stays: int = 0  # so many stays of each HardCase besides


@dataclass(frozen=True)
class Country:
    """What came of it. ``travellers`` and ``stays`` are for training and judging in memory."""

    crossings: pl.DataFrame  # CROSSINGS
    status_changes: pl.DataFrame  # STATUS_CHANGES
    truth: pl.DataFrame  # TRUTH
    travellers: pl.DataFrame  # crossing_id, traveller, stay
    stays: pl.DataFrame  # stay, traveller, arrival, departure (null: still here), until, ...
