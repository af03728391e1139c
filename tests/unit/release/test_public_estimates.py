"""Estimates for the public: from released numbers alone, honest about noise, or not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, text

from lib.releasing import asked, contributed, gate_of, made_changes, opened, small_policy
from sojourn.measure.noisy import EVENTS, NoisyReentries, Released, Steps
from sojourn.measure.noisy_estimates import TOLD, estimate_released
from sojourn.measure.noisy_growth import growth_of
from sojourn.pipeline.public_estimates import public_estimator
from sojourn.pipeline.released_trial import sum_up, try_country
from sojourn.pipeline.reporting import make_report
from sojourn.policy import load_policy
from sojourn.release import Recount, explain, publish, read_figures
from sojourn.release.again import RECOUNT
from sojourn.release.nodes import write_figures
from sojourn.release.picking import Wanted
from sojourn.release.years import months_held, run_of, say_year
from sojourn.reports import Kind as ReportKind
from sojourn.reports import Shape
from sojourn.schemas import FIGURES
from sojourn.simulate.small_world import Kind
from sojourn.vocabulary import Quantity

STRATA = (("air", "VISIT"), ("air", "WORK"), ("land", "VISIT"))
MONTHS = tuple(date(2025, n, 1) for n in range(1, 13))
AGES = 3
POLICY = load_policy()


def released(
    *, noise: float = 1e-6, size: float = 1.0, age: int = AGES - 1, again: bool = True,
    rng: np.random.Generator | None = None,
) -> Released:  # fmt: skip
    """A country of two nationalities: 10,000 stays a month, of land exits 40% unrecorded.

    3% overstay. ``noise``: standard deviation in every number.
    """
    rng = rng or np.random.default_rng(1)
    ended = size * np.array([6_000.0, 1_000.0, 3_000.0])
    seen = np.array([0.95, 0.95, 0.60])
    in_time = ended * 0.96 * seen
    late, changed = ended * 0.01 * seen, ended * 0.01
    event = np.stack([ended, in_time, late, changed])  # EVENTS x strata
    exact = np.repeat(np.stack([event * 0.7, event * 0.3], axis=1)[None], len(MONTHS), axis=0)

    def noisy(values: np.ndarray) -> np.ndarray:
        return np.asarray(values + noise * rng.standard_normal(values.shape))

    var = np.full((len(MONTHS), len(EVENTS)), noise**2)
    ages = np.full(len(MONTHS), AGES - 1)
    ages[-1] = age
    added = np.full((len(MONTHS), AGES, len(EVENTS)), np.nan)
    added[:, AGES - 1] = exact.sum(axis=(2, 3))
    came = size * np.array([2_000.0, 300.0, 1_500.0]) * float(again)
    months = MONTHS if again else ()
    shape = (len(months), 3)
    return Released(
        MONTHS, ages.astype(np.int64), AGES, ("AAA", "BBB"), STRATA,
        noisy(exact), var, noisy(exact.sum(axis=3)), var, noisy(exact.sum(axis=(2, 3))), var,
        Steps(added, np.full(added.shape, noise**2)),
        NoisyReentries(
            months, noisy(np.broadcast_to(came * seen, shape)),
            noisy(np.broadcast_to(came * (1 - seen), shape)), np.full(len(months), noise**2),
        ),
    )  # fmt: skip


def told(of: Released, **cell: str) -> dict[str, dict[str, Any]]:
    """By quantity: the year's, of a cell."""
    made = estimate_released(of, MONTHS, POLICY.estimate, np.random.default_rng(2))
    where = {"nationality": "", "mode": "", "admission_class": "", **cell}
    mine = made.filter(pl.col("span") == "year", *(pl.col(n) == v for n, v in where.items()))
    return {r["quantity"]: r for r in mine.iter_rows(named=True)}


def test_without_noise_the_formulas_are_met() -> None:
    found = told(released())
    assert found["overstay_rate"]["value"] == pytest.approx(0.03, abs=0.002)
    # The records alone: of land exits 40% are unrecorded.
    assert found["recorded_rate"]["value"] == pytest.approx(0.15, abs=0.03)
    assert found["expected_departures"]["value"] == pytest.approx(120_000)
    assert found["probably_still_here"]["value"] == pytest.approx(0.02 * 120_000, rel=0.1)
    unseen = 120_000 * 0.97 * (0.7 * 0.05 + 0.3 * 0.40)
    assert found["left_unrecorded"]["value"] == pytest.approx(unseen, rel=0.02)
    land = told(released(), mode="land")
    assert land["overstay_rate"]["value"] == pytest.approx(0.03, abs=0.01)
    for row in (*found.values(), *land.values()):
        assert row["lower"] <= row["value"] <= row["upper"]


@pytest.mark.parametrize("noise", [1.0, 20.0, 60.0])
def test_parts_sum_to_what_was_expected_whatever_the_noise(noise: float) -> None:
    for seed in range(5):
        row = told(released(noise=noise, rng=np.random.default_rng(seed)))
        parts = sum(
            row[q]["value"]
            for q in ("departed_in_time", "departed_late", "status_changed", "left_unrecorded",
                      "probably_still_here")
        )  # fmt: skip
        assert parts == pytest.approx(row["expected_departures"]["value"], abs=1.0)


def test_more_noise_makes_wider_ranges_and_then_no_number_but_a_reason() -> None:
    widths = []
    for noise in (1.0, 30.0, 100.0):
        row = told(released(noise=noise))["overstay_rate"]
        widths.append(row["upper"] - row["lower"])
    assert widths == sorted(widths)
    swamped = told(released(noise=3_000.0))
    for quantity in ("overstay_rate", "probably_still_here", "left_unrecorded", "recorded_rate"):
        assert swamped[quantity]["value"] is None
        assert swamped[quantity]["why"] in ("too_noisy", "no_reentries")
    assert swamped["expected_departures"]["value"] is not None
    tiny = told(released(noise=20.0, size=0.001))
    assert tiny["overstay_rate"]["value"] is None


def test_a_mode_without_re_entries_of_its_own_is_not_told() -> None:
    of = released(noise=5.0)
    again = of.reentries
    bare = replace(
        of, reentries=replace(again, seen=again.seen * [1, 1, 0], not_seen=again.not_seen * 0)
    )
    assert told(bare, mode="land")["overstay_rate"]["why"] == "no_reentries"
    assert told(bare)["overstay_rate"]["why"] == "no_reentries"  # land is 30% of all
    none = told(released(again=False))
    assert {r["why"] for r in none.values()} <= {"no_reentries"}
    assert set(none) <= {q.value for q in TOLD}


def test_a_month_is_told_once_its_growth_has_been_seen() -> None:
    young = estimate_released(released(age=0), MONTHS, POLICY.estimate, np.random.default_rng(1))
    last = young.filter(pl.col("period") == MONTHS[-1], pl.col("span") == "month")
    assert set(last["why"]) == {"too_young"}
    year = young.filter(pl.col("span") == "year", pl.col("quantity") == "expected_departures")
    assert year.row(0, named=True)["value"] == pytest.approx(110_000, rel=0.01)  # eleven months
    # Months before were watched: they grew by 2% and by 1%.
    of = released(age=0)
    whole = of.steps.added[:, -1]
    added = np.stack([whole * 0.97, whole * 0.02, whole * 0.01], axis=1)
    added[-1, 1:] = np.nan
    watched = replace(of, steps=replace(of.steps, added=added))
    growth = growth_of(watched.steps)
    assert growth.is_known(0)
    assert growth.factor(0) == pytest.approx([1 / 0.97] * 4, rel=1e-3)
    told_now = estimate_released(watched, MONTHS[-1:], POLICY.estimate, np.random.default_rng(1))
    month = told_now.filter(
        pl.col("span") == "month", pl.col("quantity") == "expected_departures",
        pl.col("mode") == "", pl.col("admission_class") == "", pl.col("nationality") == "",
    )  # fmt: skip
    assert month.row(0, named=True)["value"] == pytest.approx(10_000 / 0.97, rel=1e-3)


def test_the_same_numbers_give_the_same_estimates() -> None:
    one, two = (
        estimate_released(released(noise=9.0), MONTHS, POLICY.estimate, np.random.default_rng(7))
        for _ in range(2)
    )
    assert one.equals(two)


# -- how often the range holds the truth -----------------------------------------------------------


@pytest.mark.parametrize(("epsilon", "stays", "countries"), [(1.0, 500_000, 5), (8.0, 100_000, 10)])
def test_ranges_hold_the_truth_of_small_countries(
    epsilon: float, stays: int, countries: int
) -> None:
    """A short run of tools/trial_public_estimates.py; a long one is in the docs."""
    release = replace(POLICY.release, epsilon_per_year=epsilon)
    policy = replace(POLICY, release=release)
    rows = pl.concat(
        [try_country(Kind.PLAIN, n, 3, policy, (stays, stays)) for n in range(countries)]
    )
    lines = {(line.group, line.quantity): line for line in sum_up(rows)}
    rate = lines["total, year", Quantity.OVERSTAY_RATE.value]
    assert rate.told > 0.7
    assert rate.coverage >= 0.79
    assert 0.0 < rate.width < 0.10
    month = lines["total, month", Quantity.OVERSTAY_RATE.value]
    assert month.coverage >= 0.85


# -- through the gate ------------------------------------------------------------------------------

SMALL = small_policy(
    table_shares=(0.1, 0.3, 0.3), reentry_share=0.3, epsilon_per_year=8.0, first_months=5,
    reentry_days=28,
)  # fmt: skip
TODAY = datetime(2026, 5, 1, 12, tzinfo=UTC)
THROUGH = date(2026, 4, 30)


@pytest.fixture
def engine(statistics_url: str) -> Any:
    engine = opened(statistics_url)
    yield engine
    engine.dispose()


def country(*months: date) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Changes and re-entries of a large country."""
    rows: list[tuple[Any, ...]] = []
    again: list[tuple[Any, ...]] = []
    for month in months:
        for mode, size, seen in (("air", 60_000, 0.95), ("land", 30_000, 0.6)):
            day = month + timedelta(days=9)
            left = round(size * 0.97 * seen)
            late, changed = size // 200, size // 100
            for event, count in (("permission_ended", size), ("left_in_time", left),
                                 ("left_late", late), ("status_changed", changed)):  # fmt: skip
                rows.append((event, day, "FRA", mode, "VISIT", count))
            again += [
                (month, mode, "VISIT", "reentry_seen", round(size * 0.4 * seen)),
                (month, mode, "VISIT", "reentry_not_seen", round(size * 0.4 * (1 - seen))),
            ]
    return rows, again


OVER = (date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))


def drawn(engine: Engine) -> str:
    """A release of a large country, published with estimates."""
    rows, again = country(*OVER)
    gate = gate_of(engine, SMALL, lambda: TODAY)
    recount = Recount(pl.DataFrame(again, schema=RECOUNT, orient="row"), TODAY.date())
    done = gate.release(
        asked(THROUGH), contributed(made_changes(*rows)), since=None, recount=recount
    )
    policy = replace(POLICY, release=SMALL)
    publish(engine, gate.tables, SMALL, THROUGH, done.release_id, public_estimator(policy))
    return done.release_id


def test_a_release_tells_overstay_rates_of_draws_alone(engine: Engine) -> None:
    release_id = drawn(engine)
    made = read_figures(engine, "release_table = 'estimates'")
    total = made.filter(
        pl.col("nationality") == "", pl.col("mode") == "", pl.col("admission_class") == "",
        pl.col("span") == "year", pl.col("period") == date(2026, 1, 1),
    )  # fmt: skip
    rows = {r["quantity"]: r for r in total.iter_rows(named=True)}
    rate, naive = rows["overstay_rate"], rows["recorded_rate"]
    assert rate["method"] == "estimated"
    assert rate["lower"] <= 0.02 <= rate["upper"]
    assert naive["value"] > 0.12
    assert rate["epsilon"] == 0
    assert set(made.filter(pl.col("period") == date(2026, 4, 1))["method"]) == {"too_young"}
    # Whatever else the database holds is taken away: the same figures come again.
    with engine.begin() as connection:
        for table in ("contributed", "waiting", "figure_nodes"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE releases SET note = 'drawn'"))
    gate = gate_of(engine, SMALL, lambda: TODAY)
    estimator = public_estimator(replace(POLICY, release=SMALL))
    publish(engine, gate.tables, SMALL, THROUGH, release_id, estimator)
    again = read_figures(engine, "release_table = 'estimates'")
    assert again.equals(made)
    FIGURES.conform(again)


def test_a_year_holds_no_month_that_is_not_told_and_says_which_it_holds(engine: Engine) -> None:
    """At first nothing was known of re-entries, and no month was told; then every month is."""
    rows, again = country(*OVER)
    estimator = public_estimator(replace(POLICY, release=SMALL))
    gate = gate_of(engine, SMALL, lambda: TODAY)
    done = gate.release(asked(THROUGH), contributed(made_changes(*rows)), since=None)
    publish(engine, gate.tables, SMALL, THROUGH, done.release_id, estimator)
    first = read_figures(engine, "release_table = 'estimates'")
    assert set(first["method"]) == {"no_reentries"}
    later, now = date(2026, 5, 31), datetime(2026, 6, 1, 12, tzinfo=UTC)
    gate = gate_of(engine, SMALL, lambda: now)
    recount = Recount(pl.DataFrame(again, schema=RECOUNT, orient="row"), now.date())
    rows, _ = country(date(2026, 4, 1))
    done = gate.release(
        asked(later), contributed(made_changes(*rows)), since=THROUGH, recount=recount
    )
    publish(engine, gate.tables, SMALL, later, done.release_id, estimator)
    made = read_figures(engine, "release_table = 'estimates' AND quantity = 'expected_departures'")
    total = made.filter(vintage=later, nationality="", mode="", admission_class="")
    year = total.filter(span="year", period=date(2026, 1, 1)).row(0, named=True)
    told = total.filter(pl.col("value").is_not_null(), span="month")
    assert set(told["period"]) >= set(OVER)
    said = dict(explain(engine, SMALL, "estimates/year/2026-01-01/overstay_rate").lines)["months"]
    with engine.connect() as connection:
        held = months_held(connection, Wanted("estimates", "year", year["period"]), later)
    assert held[:3] == OVER[1:]
    assert said == f"January to {held[-1]:%B} 2026"
    inside = told.filter(pl.col("period").is_in(held))
    assert inside.height == len(held)
    assert inside["value"].sum() == pytest.approx(year["value"], rel=0.01)
    # What is told stays as it is until it is drawn again.
    assert read_figures(engine, "release_table = 'estimates' AND vintage < '2026-05-01'").equals(
        first
    )


def test_a_year_ends_at_a_gap_and_an_estimate_begins_where_it_can() -> None:
    def months(*told: int, none: tuple[int, ...] = ()) -> pl.DataFrame:
        rows = [(date(2026, n, 1), 5.0) for n in told] + [(date(2026, n, 1), None) for n in none]
        return pl.DataFrame(
            rows, schema={"period": pl.Date, "value": pl.Float64}, orient="row"
        ).sort("period")

    def said(frame: pl.DataFrame, *, estimated: bool) -> str:
        return say_year(2026, run_of(frame, 2026, estimated=estimated))

    assert said(months(2, 3, 4, 6, none=(1, 5)), estimated=True) == "February to April 2026"
    # A code that was added in February: its year has no January in it.
    assert said(months(2, 3), estimated=False) == "February to March 2026"
    assert said(months(1, 2, 4, none=(3,)), estimated=False) == "January to April 2026"
    assert said(months(1, none=(2,)), estimated=True) == "January 2026"
    assert said(months(*range(1, 13)), estimated=True) == "2026"


def test_a_closed_year_of_the_cell_key_is_no_sum_of_months(engine: Engine) -> None:
    """Though January and February of it were closed too."""
    drawn(engine)
    month = read_figures(
        engine, "release_table = 'total' AND span = 'month' AND quantity = 'departures' "
        "AND period = '2026-02-01'",
    ).cast({"span": pl.String})  # fmt: skip
    closed = [
        month.with_columns(
            release_table=pl.lit("closed"), span=pl.lit(span), period=day,
            method=pl.lit("cell_key"),
        )
        for span, day in (("month", date(2025, 1, 1)), ("month", date(2025, 2, 1)),
                          ("year", date(2025, 1, 1)))
    ]  # fmt: skip
    with engine.begin() as connection:
        write_figures(connection, pl.concat(closed))
    lines = dict(explain(engine, SMALL, "closed/year/2025-01-01/departures").lines)
    assert lines["months"] == "2025"


def test_another_policys_budget_is_not_told_as_that_of_a_release(engine: Engine) -> None:
    drawn(engine)
    name, epsilon = "total/month/2026-02-01/permission_ended", f"of {SMALL.epsilon_per_year:g}:"
    assert epsilon in dict(explain(engine, SMALL, name).lines)["budget"]
    mine = dict(explain(engine, SMALL, name).lines)["policy"]
    assert epsilon in dict(explain(engine, SMALL, name, digest=mine).lines)["budget"]
    other = dict(explain(engine, SMALL, name, digest="another").lines)["budget"]
    assert epsilon not in other
    assert "the policy of that release" in other


def test_an_estimate_is_explained_with_what_stands_beside_it(engine: Engine) -> None:
    drawn(engine)
    found = explain(engine, SMALL, "estimates/year/2026-01-01/overstay_rate")
    lines = dict(found.lines)
    assert lines["value"].endswith("%")
    assert "departures not seen" in lines["interval"]
    assert "recorded_rate" in lines["beside it"]
    assert "with a departure seen" in lines["re-entries"]
    assert lines["budget"].startswith("nothing")
    young = explain(engine, SMALL, "estimates/month/2026-04-01/overstay_rate")
    assert "late records" in dict(young.lines)["noise"]


@pytest.mark.parametrize("shape", list(Shape))
def test_reports_for_the_public_tell_the_same_rate_and_pass_their_check(
    engine: Engine, shape: Shape
) -> None:
    drawn(engine)
    frame = read_figures(engine)
    period = date(2026, 3, 1) if shape == Shape.MONTHLY else date(2026, 1, 1)
    report = make_report(shape, frame, ReportKind.PUBLIC, POLICY, period=period)
    assert not report.findings, [f"{f.where}: {f.what}" for f in report.findings]
    rate = {"us": "rate", "uk": "here_share", "monthly": "rate"}[shape.value]
    place = [head.key for head in report.heads].index(rate)
    cells = [row.cells[place] for block in report.blocks for row in block.all_rows]
    told = [cell for cell in cells if cell.value is not None]
    assert told
    assert all(cell.lower is not None and cell.upper is not None for cell in told)
    # Of the 2% that overstayed, some left late.
    true = 1.37 if shape == Shape.UK else 2.0
    assert any(cell.lower <= true <= cell.upper for cell in told)  # type: ignore[operator]
