"""An office's estimates: from records to the rate, kept by day, printed as a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from lib.offices import NOW, hand_in, small_country, small_office
from sojourn.cli import build_app
from sojourn.encode import FileKeyProvider
from sojourn.errors import ReportError
from sojourn.pipeline import Desk, Office, assess, open_office
from sojourn.pipeline.estimating import read_estimates, refresh_estimates
from sojourn.pipeline.office import key_file
from sojourn.pipeline.reporting import source_of
from sojourn.schemas import ESTIMATES
from sojourn.simulate import Country
from sojourn.vocabulary import Quantity, Span

STAYS = 5_000
YEAR = date(2025, 1, 1)


@pytest.fixture(scope="module")
def country() -> Country:
    # Booth records alone: a quarter of departures by land go unseen.
    return small_country(STAYS, seed=5, days=300, lists=1)


def filled(office: Office, country: Country) -> Office:
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "all", country.status_changes)
    assess(office, np.random.default_rng(1))
    return office


def rate_of(made: pl.DataFrame, quantity: Quantity) -> dict[str, Any]:
    (row,) = made.filter(
        pl.col("span") == Span.YEAR.value, pl.col("period") == YEAR,
        pl.col("quantity") == quantity.value,
        *(pl.col(n) == "" for n in ("nationality", "mode", "admission_class")),
    ).to_dicts()  # fmt: skip
    return row


def true_rate(country: Country, year: int) -> float:
    """Of stays whose permission has ended: left later, or still here."""
    over = country.stays.filter(
        pl.col("authorised_until").dt.year() == year, pl.col("authorised_until") < NOW.date()
    )
    late = over["departure_date"].is_null() | (over["departure_date"] > over["authorised_until"])
    return float(late.mean() or 0.0)  # type: ignore[arg-type]


def test_the_estimate_is_near_the_truth_where_the_records_alone_are_far_off(
    statistics_url: str, tmp_path: Path, country: Country
) -> None:
    office = filled(small_office(tmp_path / "office", statistics_url), country)
    assert refresh_estimates(office, np.random.default_rng(1)) > 100
    made = read_estimates(office)
    rate, naive = (rate_of(made, q) for q in (Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE))
    truth = true_rate(country, YEAR.year)
    assert naive["value"] > 3 * truth
    assert rate["lower"] <= truth <= rate["upper"]
    assert abs(rate["value"] - truth) < abs(naive["value"] - truth) / 3
    counts = made.filter(
        ~pl.col("quantity").is_in([Quantity.OVERSTAY_RATE.value, Quantity.RECORDED_RATE.value]),
        pl.col("value").is_not_null(),
    )
    # What is told of the records themselves is no small cell.
    told = counts.filter(pl.col("quantity") == Quantity.EXPECTED_DEPARTURES.value)
    assert told["value"].min() >= office.policy.measure.smallest_cell  # type: ignore[operator]


def test_a_day_is_kept_once_and_older_days_keep_no_nationality(
    statistics_url: str, tmp_path: Path, country: Country
) -> None:
    office = filled(small_office(tmp_path / "office", statistics_url), country)
    refresh_estimates(office, np.random.default_rng(1))
    first = read_estimates(office)
    refresh_estimates(office, np.random.default_rng(1))
    assert read_estimates(office).equals(first), "the same day, the same randomness"
    later = replace(office, clock=lambda: NOW + timedelta(days=1))
    refresh_estimates(later, np.random.default_rng(1))
    made = read_estimates(later)
    assert made["known_at"].unique().sort().to_list() == [
        NOW.date(), NOW.date() + timedelta(days=1)
    ]  # fmt: skip
    older = made.filter(pl.col("known_at") == NOW.date())
    assert older.height
    assert not older.filter((pl.col("nationality") != "") | (pl.col("span") == "day")).height
    assert made.filter(pl.col("nationality") != "")["known_at"].n_unique() == 1
    assert made.columns == list(ESTIMATES.names)


def test_without_anything_there_is_no_number_and_a_report_says_what_to_do(
    tmp_path: Path,
) -> None:
    home = tmp_path / "office"
    home.mkdir()
    FileKeyProvider.create(key_file(home))
    office = open_office(home)
    refresh_estimates(office, np.random.default_rng(1))
    assert read_estimates(office)["value"].drop_nulls().is_empty()
    with pytest.raises(ReportError, match="sojourn release"):
        source_of(home, None, None, None, public=True)


def test_the_command_estimates_and_reports_print_what_the_ledger_holds(
    tmp_path: Path, country: Country
) -> None:
    home = tmp_path / "office"
    home.mkdir()
    FileKeyProvider.create(key_file(home))
    filled(replace(open_office(home), clock=lambda: NOW), country)
    held = ["--home", str(home), "--database", f"sqlite:///{home / 'statistics.sqlite3'}"]
    told = CliRunner().invoke(build_app(), ["estimate", *held])
    assert told.exit_code == 0, told.output
    assert "by year, in total" in told.output
    for shape in ("us", "uk", "monthly"):
        page = tmp_path / f"{shape}.html"
        asked = ["report", shape, *held, "--out", str(page)]
        printed = CliRunner().invoke(build_app(), asked)
        assert printed.exit_code == 0, printed.output
        assert "for the steward alone" in page.read_text("utf-8").lower()


def test_the_command_says_what_to_run_where_nobody_looked_how_sure_linking_is(
    tmp_path: Path, country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "office"
    home.mkdir()
    FileKeyProvider.create(key_file(home))
    held = ["--home", str(home), "--database", f"sqlite:///{home / 'statistics.sqlite3'}"]
    office = replace(open_office(home), clock=lambda: NOW)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "all", country.status_changes)
    monkeypatch.setenv("COLUMNS", "80")
    told = CliRunner().invoke(build_app(), ["estimate", *held])
    assert told.exit_code == 0, told.output
    assert "cannot: linking unjudged" in told.output
    assert "re-entries" not in told.output
    assert "reentries" not in told.output
    assert "\N{HORIZONTAL ELLIPSIS}" not in told.output, "whole words"
    assert f"Run sojourn quality --assess --home {home}, then this again." in told.output
    assess(office, np.random.default_rng(1))
    told = CliRunner().invoke(build_app(), ["estimate", *held])
    assert "unjudged" not in told.output
    assert "sojourn quality" not in told.output
