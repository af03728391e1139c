"""Estimates of simulated countries: they sum, repeat, hide small cells, own up to ignorance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from lib.small_offices import evidence, office, world
from sojourn.measure.estimating import estimate, estimate_cells
from sojourn.measure.evidence import Evidence
from sojourn.policy import load_policy
from sojourn.schemas import (
    COUNTS,
    ESTIMATES,
    REPORTING,
    VINTAGES,
    Quantity,
    Span,
    Standing,
    check_table,
)
from sojourn.simulate.small_counts import SmallOffice
from sojourn.simulate.small_world import Kind
from sojourn.vocabulary import Direction, LinkageCount, Outcome

POLICY = load_policy()
NUMBERS = ("value", "lower", "upper", "later_lower", "later_upper", "bound_lower", "bound_upper")


def estimated(found: Evidence, day: date, smallest: int = 10) -> pl.DataFrame:
    return estimate_cells(found, day, POLICY, np.random.default_rng(7), smallest=smallest)


@pytest.fixture(scope="module")
def plain() -> SmallOffice:
    return office(world(stays=40_000))


@pytest.fixture(scope="module")
def told(plain: SmallOffice) -> pl.DataFrame:
    return estimated(*evidence(plain))


def total(made: pl.DataFrame, span: Span = Span.YEAR) -> pl.DataFrame:
    return made.filter(
        (pl.col("span") == span.value) & (pl.col("nationality") == "") & (pl.col("mode") == "")
        & (pl.col("admission_class") == "")
    ).sort("period", "quantity")  # fmt: skip


def one(made: pl.DataFrame, quantity: Quantity, period: date | None = None) -> dict[str, object]:
    rows = made.filter(pl.col("quantity") == quantity.value)
    rows = rows if period is None else rows.filter(pl.col("period") == period)
    return rows.sort("period").row(0, named=True)


def number(row: dict[str, object], name: str = "value") -> float:
    found = row[name]
    assert isinstance(found, float)
    return found


def width(row: dict[str, object]) -> float:
    return number(row, "upper") - number(row, "lower")


def test_the_table_is_what_schemas_say_and_the_same_again(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    first = estimate(found, day, POLICY, np.random.default_rng(3))
    check_table(first, ESTIMATES)
    assert first.equals(estimate(found, day, POLICY, np.random.default_rng(3)))


def test_parts_sum_to_what_was_expected(plain: SmallOffice) -> None:
    made = estimated(*evidence(plain), smallest=0)
    parts = [
        Quantity.DEPARTED_IN_TIME, Quantity.DEPARTED_LATE, Quantity.LEFT_UNRECORDED,
        Quantity.PROBABLY_STILL_HERE, Quantity.STATUS_CHANGED,
    ]  # fmt: skip
    wide = made.filter(pl.col("span") != Span.DAY.value).pivot(
        "quantity", index=["span", "period", "nationality", "mode", "admission_class"],
        values="value",
    )  # fmt: skip
    wide = wide.drop_nulls(Quantity.EXPECTED_DEPARTURES.value)
    gap = wide.select(
        (pl.sum_horizontal(p.value for p in parts) - pl.col("expected_departures")).abs()
    ).to_series()
    assert wide.height > 100
    assert (gap <= 0.5 + 0.001 * wide["expected_departures"]).all()


def test_months_and_nationalities_sum_to_their_year(plain: SmallOffice) -> None:
    """Cut one by one at nought, months together would tell more than their year."""
    made = estimated(*evidence(plain), smallest=0).filter(
        (pl.col("quantity") == Quantity.PROBABLY_STILL_HERE.value)
        & (pl.col("span") != Span.DAY.value) & (pl.col("period").dt.year() == 2023)
    )  # fmt: skip
    shown = pl.col("nationality") + pl.col("mode") + pl.col("admission_class")
    whole = made.filter((pl.col("span") == Span.YEAR.value) & (shown == ""))["value"].sum()
    for kept in ("", "nationality"):
        of = (shown == "") if not kept else (pl.col(kept) != "") & (shown == pl.col(kept))
        parts = made.filter(of & (pl.col("span") == Span.MONTH.value))
        assert parts["value"].sum() == pytest.approx(whole, rel=0.05)


def test_a_value_lies_within_its_intervals_and_bounds(told: pl.DataFrame) -> None:
    made = told.filter(pl.col("value").is_not_null())
    for low, high in (("lower", "upper"), ("later_lower", "later_upper")):
        assert (made[low] <= made["value"] + 1e-9).all()
        assert (made["value"] <= made[high] + 1e-9).all()
    bounded = made.drop_nulls("bound_lower")
    assert (bounded["bound_lower"] <= bounded["lower"] + 1e-6).all()
    assert (bounded["upper"] <= bounded["bound_upper"] + 1e-6).all()
    rates = made.filter(pl.col("quantity").is_in(["overstay_rate", "recorded_rate"]))
    assert rates.select(pl.min_horizontal("value", "lower").min()).item() >= 0
    assert rates["upper"].max() <= 1  # type: ignore[operator]


def test_the_rate_of_the_records_is_ten_times_too_high_and_ours_holds_the_truth(
    plain: SmallOffice, told: pl.DataFrame
) -> None:
    year = date(2023, 1, 1)
    rows = total(told)
    ours, naive = one(rows, Quantity.OVERSTAY_RATE, year), one(rows, Quantity.RECORDED_RATE, year)
    stays = plain.truth(460).filter(pl.col("period").dt.year() == 2023)
    truth = stays["overstays"].sum() / stays["expected"].sum()
    assert number(ours, "lower") <= truth <= number(ours, "upper")
    assert number(naive) > 3 * truth
    assert number(ours, "upper") < number(naive)


def test_small_numbers_are_hidden_and_cannot_be_reckoned_from_what_is_shown(
    told: pl.DataFrame, plain: SmallOffice
) -> None:
    found, day = evidence(plain)
    small = told.filter(pl.col("why") == "small")
    assert small.height
    assert small["value"].is_null().all()
    assert (small["standing"] == Standing.CANNOT.value).all()
    counted = found.counts.group_by(
        span=pl.lit("month"), period="counts_on", mode="mode", outcome="outcome"
    ).agg(pl.col("value").sum())
    few = counted.filter(
        (pl.col("outcome") == Outcome.DEPARTED_LATE.value) & (pl.col("value") < 10)
    )
    shown = told.filter(
        (pl.col("span") == "month") & (pl.col("mode") != "") & pl.col("value").is_not_null()
    ).join(few.select("period", "mode"), on=["period", "mode"], how="semi")
    assert not shown.filter(
        pl.col("quantity").is_in(["departed_late", "no_departure_recorded",
                                  "probably_still_here", "left_unrecorded"])
    ).height  # fmt: skip
    # Of the modes of a month, one alone is never hidden.
    lone = (
        told.filter((pl.col("span") == "month") & (pl.col("mode") != ""))
        .filter(pl.col("quantity") == "overstay_rate")
        .group_by("period").agg(hidden=(pl.col("why") == "small").sum(), all=pl.len())
    )  # fmt: skip
    assert not lone.filter((pl.col("hidden") == 1) & (pl.col("all") > 1)).height
    # Nor of the months of a year: the year is told.
    by_year = (
        told.filter(
            (pl.col("span") == "month") & ~pl.col("quantity").is_in(["arrivals", "departures"])
        )
        .group_by("quantity", "nationality", "mode", "admission_class", pl.col("period").dt.year())
        .agg(hidden=(pl.col("why") == "small").sum(), all=pl.len())
    )  # fmt: skip
    assert not by_year.filter((pl.col("hidden") == 1) & (pl.col("all") > 1)).height
    assert day


def test_noisy_counts_are_estimated_by_the_same_functions(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    rng, variance = np.random.default_rng(1), 400.0
    noise = rng.normal(0.0, variance**0.5, found.counts.height).round()
    noisy = found.counts.with_columns(
        pl.col("value") + pl.Series(noise), noise_variance=pl.lit(variance)
    )
    assert (noisy["value"] < 0).any()
    exact = one(total(estimated(found, day)), Quantity.OVERSTAY_RATE)
    made = one(
        total(estimated(replace(found, counts=COUNTS.conform(noisy)), day)), Quantity.OVERSTAY_RATE
    )
    assert number(made, "lower") <= number(made) <= number(made, "upper")
    wide, narrow = (number(m, "upper") - number(m, "lower") for m in (made, exact))
    assert wide > narrow
    assert np.isfinite(wide)


def test_noise_takes_no_value_out_of_its_interval(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    counts, variance = found.counts.sort(pl.all()), 400.0
    for seed in range(12):
        noise = np.random.default_rng(seed).normal(0.0, variance**0.5, counts.height).round()
        noisy = counts.with_columns(
            pl.col("value") + pl.Series(noise), noise_variance=pl.lit(variance)
        )
        every = estimated(replace(found, counts=COUNTS.conform(noisy)), day, smallest=0)
        modelled = every.filter(pl.col("quantity") == "overstay_rate").drop_nulls("value")
        assert (modelled["lower"] <= modelled["value"] + 1e-9).all()
        assert (modelled["value"] <= modelled["upper"] + 1e-9).all()
        assert modelled.select(pl.col("lower", "upper").is_finite().all()).row(0) == (True, True)


def test_nothing_at_all_gives_an_empty_table() -> None:
    empty = office(world(stays=400))
    found, day = evidence(empty, day=1)
    made = estimate(found, day, POLICY, np.random.default_rng(1))
    assert not made["value"].is_not_null().any()


# Bad input: never a confident number from nothing.


def test_a_mode_without_re_entries_has_no_number_and_says_why(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    without = found.linkage.filter(
        ~(pl.col("group_name").str.starts_with("sea") & (pl.col("group_kind") == "mode_class")
          & pl.col("what").cast(pl.String).str.starts_with("reentries"))
    )  # fmt: skip
    made = estimated(replace(found, linkage=without), day)
    sea = made.filter((pl.col("mode") == "sea") & (pl.col("span") == "year"))
    for quantity in (Quantity.OVERSTAY_RATE,):
        row = one(sea, quantity)
        assert (row["standing"], row["value"], row["why"]) == ("cannot", None, "no_reentries")
    assert number(one(sea, Quantity.EXPECTED_DEPARTURES)) > 0
    air = made.filter((pl.col("mode") == "air") & (pl.col("span") == "year"))
    assert one(air, Quantity.OVERSTAY_RATE)["value"] is not None


def test_no_re_entries_anywhere_leave_no_estimate(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    again = pl.col("what").cast(pl.String).str.contains("reentries|returned")
    made = estimated(replace(found, linkage=found.linkage.filter(~again)), day)
    row = one(total(made), Quantity.OVERSTAY_RATE)
    assert (row["value"], row["why"]) == (None, "no_reentries")


def test_a_source_that_stopped_takes_its_months_with_it() -> None:
    stopped = office(world(Kind.STOPS, stays=40_000))
    found, day = evidence(stopped, day=500)
    months = total(estimated(found, day), Span.MONTH).filter(
        pl.col("quantity") == Quantity.OVERSTAY_RATE.value
    )
    last, first = (
        months.sort("period").row(-1, named=True),
        months.sort("period").row(2, named=True),
    )
    assert last["why"] == "source_silent"
    assert last["value"] is None
    assert first["value"] is not None
    days = estimated(found, day).filter(pl.col("quantity") == Quantity.DEPARTURES.value)
    newest = days.filter(pl.col("span") == "day").sort("period").row(-1, named=True)
    assert (newest["standing"], newest["why"]) == ("cannot", "source_silent")


def test_a_month_with_three_stays_tells_nothing_of_them(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    rows = [
        (date(2022, 11, 1), "AAA", "air", "VISIT", o.value, n, 0.0)
        for o, n in ((Outcome.DEPARTED_IN_TIME, 2.0), (Outcome.NO_DEPARTURE_RECORDED, 1.0))
    ]
    three = pl.DataFrame(rows, schema=COUNTS.schema, orient="row")
    made = estimated(replace(found, counts=pl.concat([found.counts, three])), day)
    month = made.filter(pl.col("period") == date(2022, 11, 1))
    assert month.height
    assert month.select(pl.col(NUMBERS).is_null().all()).row(0) == (True,) * len(NUMBERS)
    assert set(month["why"]) == {"small"}


def test_a_clock_that_jumped_leaves_young_months_untold(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    ahead = pl.DataFrame(
        [("air posts", Direction.DEPARTURE.value, day + timedelta(days=300), 0, 5_000)],
        schema=REPORTING.schema, orient="row",
    )  # fmt: skip
    made = estimated(replace(found, reporting=pl.concat([found.reporting, ahead])), day)
    months = total(made, Span.MONTH).filter(pl.col("quantity") == Quantity.OVERSTAY_RATE.value)
    last, old = months.sort("period").row(-1, named=True), months.sort("period").row(2, named=True)
    assert (last["standing"], last["why"]) == ("cannot", "clock_jumped")
    assert (old["standing"], old["why"]) == ("widened", "clock_jumped")


TRIED = pl.col("what").cast(pl.String).str.contains("withheld|decoys")
BY_BOTH = pl.col("what") == LinkageCount.FOUND_BY_BOTH.value


@pytest.mark.parametrize("missing", [TRIED, BY_BOTH])
def test_where_links_were_not_tried_out_estimates_are_wider_and_say_so(
    plain: SmallOffice, missing: pl.Expr
) -> None:
    """No trial of withheld crossings; or records without document numbers."""
    found, day = evidence(plain)
    untried = estimated(replace(found, linkage=found.linkage.filter(~missing)), day)
    tried = estimated(found, day)
    for quantity in (
        Quantity.DEPARTED_IN_TIME, Quantity.PROBABLY_STILL_HERE, Quantity.OVERSTAY_RATE
    ):  # fmt: skip
        row, known = one(total(untried), quantity), one(total(tried), quantity)
        assert row["standing"] == Standing.WIDENED.value
        assert row["why"] == "linking_unjudged"
        assert width(row) > width(known)


def test_without_vintages_estimates_are_wider_and_say_so(plain: SmallOffice) -> None:
    found, day = evidence(plain)
    made = estimated(replace(found, vintages=VINTAGES.empty()), day)

    def newest(of: pl.DataFrame, quantity: Quantity) -> dict[str, object]:
        rows = total(of, Span.MONTH).filter(pl.col("quantity") == quantity.value)
        return rows.sort("period").row(-1, named=True)

    row = newest(made, Quantity.OVERSTAY_RATE)
    assert (row["standing"], row["why"]) == ("widened", "short_history")
    usual = estimated(found, day, smallest=0)
    without = estimated(replace(found, vintages=VINTAGES.empty()), day, smallest=0)
    wide, narrow = (newest(m, Quantity.DEPARTED_IN_TIME) for m in (without, usual))
    assert number(wide, "upper") - number(wide, "lower") > number(narrow, "upper") - number(
        narrow, "lower"
    )


@pytest.mark.parametrize(("kind", "times"), [(Kind.DRIFT, 1.1), (Kind.BUSES, 1.2),
                                             (Kind.UNLIKE, 1.2)])  # fmt: skip
def test_intervals_widen_where_an_assumption_breaks(kind: Kind, times: float) -> None:
    """The same world but for one thing: coverage drifts (which is followed, so the year widens
    little), lists of buses get lost, others differ.
    """
    width = {}
    for k in (Kind.PLAIN, kind):
        of = replace(world(Kind.PLAIN, stays=40_000, seed=3), kind=k)
        row = one(total(estimated(*evidence(office(of, seed=3)))), Quantity.OVERSTAY_RATE)
        width[k] = number(row, "upper") - number(row, "lower")
        assert k == Kind.PLAIN or row["standing"] == Standing.WIDENED.value
    assert width[kind] > times * width[Kind.PLAIN]


def test_where_others_leave_less_seen_the_bounds_hold_the_truth() -> None:
    for seed in range(4):
        of = office(world(Kind.UNLIKE, stays=30_000, seed=seed), seed=seed)
        row = one(total(estimated(*evidence(of, seed=seed))), Quantity.OVERSTAY_RATE)
        stays = of.truth(460).filter(pl.col("period").dt.year() == 2023)
        truth = stays["overstays"].sum() / stays["expected"].sum()
        assert number(row, "bound_lower") <= truth <= number(row, "bound_upper")


def test_where_cells_are_hidden_those_that_are_told_begin_lower() -> None:
    keys = ["span", "period", "nationality", "mode", "admission_class", "quantity"]
    moved = 0
    for seed in (3, 9, 10):
        found, day = evidence(office(world(stays=6_000, seed=seed), seed=seed))
        every = estimated(found, day, smallest=0)
        for smallest in (5, 10):
            both = estimated(found, day, smallest=smallest).join(every, on=keys, suffix="_if_all")
            # What is hidden takes no part in what months share, so some values differ.
            same = both.drop_nulls(["lower", "lower_if_all"]).filter(
                (pl.col("value") - pl.col("value_if_all")).abs() < 1e-9
            )
            assert (same["lower"] <= same["lower_if_all"] + 1e-9).all()
            moved += same.filter(pl.col("lower") < pl.col("lower_if_all") - 1e-9).height
            large = same.filter(pl.col("span") == "year", *(pl.col(k) == "" for k in keys[2:5]))
            assert large.height
            assert (large["lower"] == large["lower_if_all"]).all()
    assert moved >= 3


def test_ends_are_whole_stays(told: pl.DataFrame) -> None:
    kinds = [Quantity.PROBABLY_STILL_HERE.value, Quantity.LEFT_UNRECORDED.value]
    made = told.filter(pl.col("quantity").is_in(kinds)).drop_nulls("value")
    assert made.height
    for end in ("lower", "upper"):
        assert made.select((pl.col(end) % 1 == 0).all()).item()
        found = told[end].drop_nulls().to_numpy()
        assert not np.signbit(found[found == 0]).any()


def test_late_links_that_may_all_be_false_are_no_proof_of_a_late_stay() -> None:
    """Stays of three days: nearly every false link to one looks late. Nobody is late in truth."""
    held = 0
    for seed in range(10):
        of = replace(world(stays=12_000, seed=seed), orphans=0.04, false_chance=0.15)
        none = np.zeros_like(of.left_late)
        found = office(replace(of, left_late=none, never_left=none), seed=seed)
        made = estimated(*evidence(found, seed=seed), smallest=0)
        held += made.filter(
            (pl.col("admission_class") == "TRANSIT") & (pl.col("nationality") == "")
            & (pl.col("quantity") == Quantity.OVERSTAY_RATE.value)
            & (pl.col("span") == Span.YEAR.value) & (pl.col("period") == date(2023, 1, 1))
        ).select(pl.col("lower").fill_null(0.0) <= 0).item()  # fmt: skip
    assert held >= 8
