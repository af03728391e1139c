"""Past revisions, and the rule from them set against what offices published and later revised."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, log

import numpy as np
import polars as pl
import pytest

from sojourn.measure.revisions import (
    Published,
    later_interval,
    leave_one_out,
    past_revisions,
    pooled_reach,
)
from sojourn.measure.spans import month_end
from sojourn.schemas import VINTAGES
from sojourn.vocabulary import Outcome

# What offices printed first and what stood later (docs/explanation/how-honest.md tells sources).
CASES = (
    Published("US, no departure recorded, FY2015", 482_781, 416_500),
    Published("US, no departure recorded, FY2024", 482_954, 427_204),
    Published("New Zealand, net migration, year to January 2019", 58_400, 50_900, 1_600),
    Published("New Zealand, net migration, year to November 2018", 43_400, 48_000, 1_500),
    Published("UK, net migration, year to June 2023", 672_000, 906_000),
)


def test_our_rule_covers_the_later_values_that_offices_intervals_had_missed() -> None:
    found = leave_one_out(CASES)
    missed = [case for case, *_ in found if case.missed]
    assert len(missed) == 2
    for case, lower, upper, covered in found:
        assert covered, case.name
        # The width is wide, and said to be: five revisions by three offices tell no more.
        assert 0.25 < (upper - lower) / (2 * case.first) < 0.75, case.name


def test_one_past_revision_gives_a_very_wide_interval_and_none_gives_no_end() -> None:
    assert pooled_reach([]) == float("inf")
    assert pooled_reach([0.1]) > 8 * pooled_reach([0.1] * 20)
    low, high = later_interval(100.0, [0.05] * 8)
    assert low < 100 * exp(-0.1) < 100 * exp(0.1) < high


def test_nineteen_in_twenty_revisions_to_come_lie_within() -> None:
    rng, held = np.random.default_rng(1), 0
    for _ in range(3_000):
        logs = rng.normal(0.0, 0.1, 6)
        held += abs(logs[5]) <= pooled_reach(logs[:5].tolist())
    assert held / 3_000 == pytest.approx(0.95, abs=0.015)


def test_months_that_shrank_by_a_tenth_are_expected_to_shrink_again() -> None:
    rows = []
    for year in (2023, 2024):
        for m in range(1, 13):
            month = date(year, m, 1)
            for days, value in ((-20, 900), (0, 1_000), (40, 900 + m)):
                known = month_end(month) + timedelta(days=days)
                rows.append((known, month, "AAA", "air", "VISIT", "no_departure_recorded", value))
    vintages = pl.DataFrame(rows, schema=VINTAGES.schema, orient="row")
    day = date(2025, 6, 30)
    first, second = past_revisions(
        vintages, [Outcome.NO_DEPARTURE_RECORDED], [10, 60], day, settled_days=365
    )
    assert first.known
    assert first.mean == pytest.approx(log(0.906), abs=0.01)
    assert 0 < first.spread < 0.01
    assert second.mean == 0.0
    draws = first.draws(np.random.default_rng(1), 4_000)
    assert np.median(draws) == pytest.approx(0.906, abs=0.005)


def test_without_vintages_no_revision_is_known() -> None:
    found = past_revisions(VINTAGES.empty(), [Outcome.STATUS_CHANGED], [5], date(2025, 1, 1), 365)
    assert not found[0].known
    assert (found[0].draws(np.random.default_rng(1), 5) == 1).all()
