"""From an office's ledger to public figures: right on the whole, and gone with the stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from lib.offices import NOW, hand_in, small_country, small_office
from lib.releasing import small_policy
from sojourn.cli import build_app
from sojourn.encode import FileKeyProvider
from sojourn.errors import HorizonError, LedgerError, PrivacyError, UsageError
from sojourn.ledger import Ledger
from sojourn.ledger.engine import open_engine
from sojourn.link import Trial
from sojourn.measure import assign_outcomes
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.measuring import purge
from sojourn.pipeline.office import key_file
from sojourn.pipeline.quality import assess
from sojourn.pipeline.releasing import (
    explain_figure,
    make_release,
    plan,
    plan_closed_period,
    release_closed_period,
)
from sojourn.policy import load_policy
from sojourn.release import read_figures, read_state
from sojourn.release.store import read
from sojourn.schemas import Span

LAST = NOW.date() - timedelta(days=1)
# So little noise that the figures must be right: for tests of invented people alone.
CLEAR = small_policy(
    epsilon_per_year=8.0, max_contributions=8, tables=("total", "nationality"),
    table_dimensions=("", "nationality"), table_spans=("day month", "month"),
    table_shares=(0.9, 0.1), nationalities=(), first_days=10, first_months=6,
)  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, statistics_url: str) -> Office:
    policy = replace(load_policy(), release=CLEAR)
    office = small_office(tmp_path, statistics_url, policy=policy)
    country = small_country(stays=900, seed=4, days=330, extensions=0.1)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "all", country.status_changes, as_recorded=True)
    return office


@pytest.fixture
def engine(office: Office) -> Iterator[Engine]:
    engine = open_engine(office.statistics_url)
    yield engine
    engine.dispose()


def true_months(ledger: Ledger, through: date) -> dict[tuple[date, str], int]:
    """Exact counts, from the stays themselves."""
    stays = assign_outcomes(ledger.fold(through), through)
    over = stays.filter(
        (pl.col("stay_limit") == "dated") & (pl.col("authorised_until") < through)
        & pl.col("arrival_ref").is_not_null()
    )  # fmt: skip
    none = over.filter(pl.col("outcome") == "no_departure_recorded")
    found = {}
    for name, frame, day in (
        ("arrivals", stays, "arrival_date"), ("departures", stays, "departure_date"),
        ("expected_departures", over, "authorised_until"),
        ("no_departure_recorded", none, "authorised_until"),
    ):  # fmt: skip
        months = frame.filter(pl.col(day) <= through).group_by(pl.col(day).dt.month_start()).len()
        found |= {(month, name): count for month, count in months.iter_rows() if month}
    return found


def test_figures_lie_around_the_truth_and_intervals_say_how_far(
    office: Office, engine: Engine
) -> None:
    done = make_release(office, LAST, "Ann", "Bob")
    assert done.epsilon <= 8.0
    with office.open_ledger() as ledger:
        truth = true_months(ledger, LAST)
    figures = read_figures(engine, "release_table = 'total' AND span = 'month'")
    checked = 0
    for row in figures.filter(pl.col("method") == "computed").to_dicts():
        true = truth.get((row["period"], row["quantity"]), 0)
        if row["quantity"] in ("departed_in_time", "departed_late"):
            continue
        # Far outside the interval: by chance once in a million.
        reach = row["upper"] - row["value"]
        assert abs(row["value"] - true) <= 5 * reach + 1
        checked += 1
    assert checked == 6 * 4
    assert read(engine, "SELECT COUNT(*) FROM releases") == [(1,)]


def test_parts_sum_to_their_wholes(office: Office, engine: Engine) -> None:
    make_release(office, LAST, "Ann", "Bob")
    figures = read_figures(engine, "method = 'computed' AND span = 'month'")
    key = ["period", "quantity"]
    parts = (
        figures.filter(pl.col("release_table") == "nationality").group_by(key)
        .agg(pl.col("value").sum().alias("parts"))
    )  # fmt: skip
    both = figures.filter(pl.col("release_table") == "total").join(parts, on=key)
    assert both.height == 6 * 6
    assert (both["value"] - both["parts"]).abs().max() < 0.3  # 279 numbers rounded to 0.001
    balance = figures.filter(pl.col("release_table") == "total").pivot(
        "quantity", index="period", values="value"
    )
    assert balance["no_departure_recorded"].null_count() == 0


def test_a_year_so_far_is_the_sum_of_its_months(office: Office, engine: Engine) -> None:
    make_release(office, LAST, "Ann", "Bob")
    figures = read_figures(engine, "release_table = 'total' AND quantity = 'arrivals'")
    year = figures.filter(pl.col("span") == "year").row(0, named=True)
    months = figures.filter((pl.col("span") == "month") & (pl.col("period") >= date(2026, 1, 1)))
    assert year["period"] == date(2026, 1, 1)
    assert months.height == 2
    assert year["value"] == pytest.approx(months["value"].sum())
    assert year["noise_sd"] == pytest.approx((months["noise_sd"] ** 2).sum() ** 0.5)


def test_a_day_later_only_what_is_due_is_drawn_and_what_changed_is_added(
    office: Office, engine: Engine
) -> None:
    make_release(office, LAST - timedelta(days=1), "Ann", "Bob")
    done = make_release(office, LAST, "Ann", "Bob")
    assert done.epsilon == 0.0
    spans = read_figures(engine, "method = 'laplace' AND vintage = :day", day=LAST.isoformat())
    days = set(spans.filter(pl.col("span") == "day")["period"])
    assert days == {LAST - timedelta(days=n) for n in CLEAR.day_ages}
    with pytest.raises(PrivacyError, match="have been released"):
        make_release(office, LAST, "Ann", "Bob")
    with pytest.raises(PrivacyError, match="another"):
        make_release(office, LAST, "Ann", "ann")


def test_an_office_releases_overstay_rates_after_an_assessment(tmp_path: Path) -> None:
    """Of so few people that little can be told, but what is told is told right, or not at all."""
    settings = small_policy(
        epsilon_per_year=8.0, max_contributions=8, tables=("total", "nationality_mode_class"),
        table_dimensions=("", "nationality mode admission_class"),
        table_spans=("month", "month"), table_shares=(0.3, 0.3), reentry_share=0.4,
        nationalities=("FRA",), admission_classes=("VISIT", "WORK"), first_days=10, first_months=9,
        day_ages=(0,), month_ages=(0,), reentry_days=0,
    )  # fmt: skip
    url = f"sqlite:///{tmp_path / 'statistics.sqlite3'}"
    office = small_office(tmp_path, url, policy=replace(load_policy(), release=settings))
    country = small_country(stays=900, seed=4, days=330, extensions=0.1)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "all", country.status_changes, as_recorded=True)
    assess(office, np.random.default_rng(1), trial=Trial(rounds=1))
    make_release(office, LAST, "Ann", "Bob")
    engine = open_engine(office.statistics_url)
    again = read_figures(engine, "release_table = 'reentries'")
    with office.open_ledger() as ledger:
        linkage = ledger.linkage()
        assert ledger.linkage_counted_on() == NOW.date()
    exact = linkage.filter(
        pl.col("what").cast(pl.String) == "rearrivals", pl.col("period").is_in(again["period"])
    )["value"].sum()
    assert exact > 0
    # Far outside the noise: by chance once in a million.
    assert abs(again["value"].sum() - exact) <= 5 * float((again["noise_sd"] ** 2).sum()) ** 0.5
    estimates = read_figures(engine, "release_table = 'estimates'")
    engine.dispose()
    assert set(estimates["method"]) <= {"estimated", "too_noisy", "no_reentries"}
    assert (estimates["epsilon"] == 0).all()
    total = estimates.filter(
        pl.col("quantity") == "expected_departures", pl.col("span") == "month",
        pl.col("mode") == "", pl.col("nationality") == "", pl.col("admission_class") == "",
    )  # fmt: skip
    assert total.height == 9
    assert total["value"].null_count() == 0


def test_what_a_stay_contributed_dies_with_it(office: Office, engine: Engine) -> None:
    make_release(office, LAST, "Ann", "Bob")
    before = read_state(engine)
    assert before.height > 1_500
    purge(office, NOW.date() + timedelta(days=420))
    with office.open_ledger() as ledger:
        stays = ledger.stays()
    left = pl.concat([stays["arrival_ref"], stays["departure_ref"]]).drop_nulls()
    after = read_state(engine)
    assert 0 < after.height < before.height
    assert set(after["crossing_ref"]) <= set(left)
    purge(office, NOW.date() + timedelta(days=5_000))
    assert read_state(engine).height == 0


def test_a_withdrawn_crossing_is_taken_back_and_its_bound_remembered(
    office: Office, engine: Engine
) -> None:
    make_release(office, LAST - timedelta(days=1), "Ann", "Bob")
    country = small_country(stays=900, seed=4, days=330, extensions=0.1)
    back = country.crossings.head(40).with_columns(withdrawn=pl.lit(value=True))
    with Desk(office) as desk:
        hand_in(desk, office, back, "withdrawals")
    later = replace(office, clock=lambda: NOW + timedelta(days=1))
    make_release(later, NOW.date(), "Ann", "Bob")
    empty = read_state(engine).filter(pl.col("event").is_null())
    assert empty.height >= 20
    assert (empty["corrections"] >= 1).all()
    purge(office, NOW.date() + timedelta(days=5_000))
    assert read_state(engine).height == 0


def test_a_figure_is_explained_in_one_screen(office: Office) -> None:
    make_release(office, LAST, "Ann", "Bob")
    found = explain_figure(office, "total/month/2026-01-01/no_departure_recorded")
    lines = dict(found.lines)
    assert "not the same as still here" in lines["definition"].lower()
    assert lines["policy"] == office.policy.digest
    assert lines["run"].startswith("sojourn ")
    assert set(found.parts["quantity"]) >= {"permission_ended", "left_late"}
    assert found.vintages.height == 1
    with pytest.raises(UsageError, match="named"):
        explain_figure(office, "total/week/2026-01-01/arrivals")
    with pytest.raises(LedgerError, match="no figure"):
        explain_figure(office, "total/month/1999-01-01/arrivals")


def test_a_closed_month_by_cell_key_is_near_the_truth(office: Office, engine: Engine) -> None:
    closed = replace(CLEAR, cell_key_tables=("mode",), cell_key_dimensions=("mode",))
    own = replace(office, policy=replace(office.policy, release=closed))
    month = date(2025, 11, 1)
    release_closed_period(own, "mode", Span.MONTH, month, "Ann", "Bob")
    with office.open_ledger() as ledger:
        stays = ledger.stays().filter(pl.col("arrival_date").dt.month_start() == month)
    exact = dict(stays.group_by(pl.col("mode").cast(pl.String)).len().iter_rows())
    found = read_figures(engine, "method = 'cell_key' AND quantity = 'arrived'")
    for row in found.to_dicts():
        assert row["lower"] <= exact.get(row["mode"], 0) <= row["upper"]


def test_the_command_releases_a_closed_month_by_cell_key(office: Office) -> None:
    FileKeyProvider.create(key_file(office.home))
    text = written_policy().replace("cell_key_tables = []", 'cell_key_tables = ["mode"]')
    text = text.replace("cell_key_dimensions = []", 'cell_key_dimensions = ["mode"]')
    (office.home / "policy.toml").write_text(text, "utf-8")
    where = ["release", "--home", str(office.home), "--database", office.statistics_url]
    ask = [*where, "--asked-by", "Ann", "--approved-by", "Bob"]
    run, app = CliRunner(), build_app()
    for wrong in (
        ["--closed", "mode"], ["--period", "2025-11"], [], ["--closed", "mode", "--period", "now"],
        ["--closed", "mode", "--period", "2025-11", "--through", "2026-01-01"],
    ):  # fmt: skip
        assert isinstance(run.invoke(app, [*ask, *wrong]).exception, UsageError)
    # The commands' clock is the machine's: any month of this test's country is closed by then.
    month = ["--closed", "mode", "--period", "2025-11"]
    dry = run.invoke(app, [*ask, *month, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "changed by 2 at most, none under 10 told" in " ".join(dry.output.split())
    assert "outside the budget" in dry.output
    made = run.invoke(app, [*ask, *month, "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert told["plan"]["dimensions"] == ["mode"]
    assert told["released"]["figures"] == 6 * told["plan"]["cells"]
    assert told["released"]["epsilon"] == 0.0
    for again in ([*month, "--dry-run"], month):
        assert "released already" in str(run.invoke(app, [*ask, *again]).exception)
    other = run.invoke(app, [*ask, "--closed", "total", "--period", "2025-11"])
    assert isinstance(other.exception, PrivacyError)


def test_a_period_whose_stays_may_be_gone_is_refused(office: Office, engine: Engine) -> None:
    closed = replace(CLEAR, cell_key_tables=("mode",), cell_key_dimensions=("mode",))
    own = replace(office, policy=replace(office.policy, release=closed))
    purge(own, date(2026, 11, 1))
    for act in (plan_closed_period, release_closed_period):
        with pytest.raises(HorizonError, match="past their horizon"):
            act(own, "mode", Span.MONTH, date(2025, 11, 1), "Ann", "Bob")
        with pytest.raises(HorizonError, match=r"never last so long\. Release its months"):
            act(own, "mode", Span.YEAR, date(2025, 1, 1), "Ann", "Bob")
    assert read_figures(engine).is_empty()


def written_policy() -> str:
    """The default, of two nationalities and a short reach."""
    text = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
    for before, after in (
        ("nationalities = []", 'nationalities = ["FRA", "DEU"]'),
        ("first_days = 60", "first_days = 3"),
        ("first_months = 12", "first_months = 2"),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


def test_the_command_says_the_cost_first_and_two_people_make_it(
    office: Office,
) -> None:
    FileKeyProvider.create(key_file(office.home))
    (office.home / "policy.toml").write_text(written_policy(), "utf-8")
    where = ["--home", str(office.home), "--database", office.statistics_url]
    ask = [*where, "--through", LAST.isoformat(), "--asked-by", "Ann"]
    run = CliRunner()
    app = build_app()
    one = run.invoke(app, ["release", *ask, "--approved-by", "Ann"])
    assert isinstance(one.exception, PrivacyError)
    dry = run.invoke(app, ["release", *ask, "--approved-by", "Bob", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "privacy loss" in dry.output
    assert "deviation" in dry.output
    assert plan(office, LAST).cost > 0  # nothing was spent
    made = run.invoke(app, ["release", *ask, "--approved-by", "Bob", "--json"])
    assert made.exit_code == 0, made.output
    # Linking was not assessed: the share of re-entries is left.
    left = json.loads(made.output)["released"]["left"]
    assert left == pytest.approx(load_policy().release.reentry_share, abs=0.01)
    again = run.invoke(app, ["release", *ask, "--approved-by", "Bob"])
    assert isinstance(again.exception, PrivacyError)
    told = run.invoke(app, ["explain", "total/month/2026-02-01/arrivals", *where])
    assert told.exit_code == 0, told.output
    assert "made to sum" in told.output
    assert "every vintage" in told.output


def test_yesterday_is_released_while_today_comes_in(office: Office, engine: Engine) -> None:
    """As offices work: the day's purge is made at midnight, and records go on coming."""
    today = NOW.date()
    with Desk(office) as desk:
        desk.purge(today)
        hand_in(desk, office, small_country(stays=60, seed=5, days=330).crossings, "today")
    assert make_release(office, LAST, "Ann", "Bob").figures > 0
    with office.open_ledger() as ledger, pytest.raises(HorizonError, match="can be asked for"):
        ledger.stays_at_close(LAST - timedelta(days=1))
