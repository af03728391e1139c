"""Countries drawn after published totals: their records show them, intervals hold the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from sojourn.measure.estimating import Evidence, estimate
from sojourn.policy import load_policy
from sojourn.schemas import (
    COUNTS,
    ESTIMATES,
    LINKAGE_QUALITY,
    LISTS,
    REPORTING,
    VINTAGES,
    check_table,
)
from sojourn.simulate.published import (
    UK_2019_20,
    US_FY2024,
    Published,
    draw_published,
)

KNOWN_AT = date(2025, 1, 31)


def test_the_totals_are_the_published_ones() -> None:
    assert US_FY2024.expected == pytest.approx(46_657_108)
    assert US_FY2024.share("no_departure") == pytest.approx(0.0104, abs=5e-5)
    both = US_FY2024.share("no_departure") + US_FY2024.share("late")
    assert both == pytest.approx(0.0115, abs=5e-5)
    by_class = {c.name: (c.no_departure, c.no_departure + c.late) for c in US_FY2024.classes}
    assert by_class["VWP"] == pytest.approx((0.0043, 0.0049))
    assert by_class["B1/B2"] == pytest.approx((0.0222, 0.0233))
    assert by_class["F/M/J"] == pytest.approx((0.0245, 0.0323))
    assert 0 < by_class["REST"][0] < 0.02, "what is left over is no absurd rate"
    assert UK_2019_20.expected == pytest.approx(1_900_000)
    assert UK_2019_20.share("no_departure") == pytest.approx(0.044)
    assert UK_2019_20.share("late") == pytest.approx(0.004)


@pytest.mark.parametrize(("office", "scale"), [(US_FY2024, 0.01), (UK_2019_20, 0.1)])
def test_the_records_show_the_published_shares(office: Published, scale: float) -> None:
    drawn = draw_published(office, scale, np.random.default_rng(2))
    check_table(drawn.counts, COUNTS)
    check_table(drawn.linkage, LINKAGE_QUALITY)
    changed = pl.col("outcome") == "status_changed"
    assert drawn.counts.filter(changed)["value"].sum() == pytest.approx(
        0.02 * drawn.counts["value"].sum(), rel=0.25
    )
    # The US expects their departure too; the UK tells those without further leave.
    told = drawn.counts.filter(~changed) if office is UK_2019_20 else drawn.counts
    expected = told["value"].sum()
    assert expected == pytest.approx(office.expected * scale, rel=0.001)
    for outcome, what in (("no_departure_recorded", "no_departure"), ("departed_late", "late")):
        found = drawn.counts.filter(pl.col("outcome") == outcome)["value"].sum() / expected
        published = office.share(what)
        assert found == pytest.approx(published, abs=4 * (published / expected) ** 0.5)
    here = drawn.truth["still_here"].sum()
    still_open = drawn.counts.filter(pl.col("outcome") == "no_departure_recorded")["value"].sum()
    assert 1 - here / still_open == pytest.approx(0.54, abs=0.05)
    again = draw_published(office, scale, np.random.default_rng(2))
    assert again.counts.equals(drawn.counts)


def test_the_estimates_hold_the_truth_about_as_often_as_they_say() -> None:
    held, asked = 0, 0
    policy = load_policy()
    own = replace(policy, estimate=replace(policy.estimate, year_begins=UK_2019_20.year.month))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        drawn = draw_published(UK_2019_20, 0.1, rng)
        evidence = Evidence(
            drawn.counts, VINTAGES.empty(), REPORTING.empty(), LISTS.empty(), drawn.linkage
        )
        made = estimate(evidence, KNOWN_AT, own, rng)
        if seed == 0:
            check_table(made, ESTIMATES)
        truth = drawn.truth.group_by("admission_class").agg(pl.col("still_here").sum())
        told = made.filter(
            pl.col("nationality") == "",
            pl.col("mode") == "",
            pl.col("span") == "year",
            pl.col("admission_class") != "",
            pl.col("quantity") == "probably_still_here",
        ).join(truth, on="admission_class")
        held += told.filter(pl.col("still_here").is_between("lower", "upper")).height
        asked += told.height
    assert asked == 240
    # 95%, and three standard errors below it.
    assert held / asked > 0.95 - 3 * (0.95 * 0.05 / asked) ** 0.5
