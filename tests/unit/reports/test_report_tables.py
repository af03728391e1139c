"""The tables that offices publish: what stands in them, against sums made by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from lib.estimated import CLASSES, KNOWN_AT, build_estimates
from sojourn.errors import ReportError, SchemaError
from sojourn.pipeline.reporting import make_report
from sojourn.policy import load_policy
from sojourn.reports import (
    Cell,
    ClassGroup,
    Kind,
    Report,
    Shape,
    Status,
    render_csv,
    render_html,
)
from sojourn.reports.report import Row
from sojourn.schemas import FIGURES

POLICY = load_policy()


@pytest.fixture(scope="module")
def estimates() -> pl.DataFrame:
    return build_estimates()


def row_of(report: Report, block: str, key: str) -> Row:
    (found,) = [b for b in report.blocks if b.key == block]
    (row,) = [r for r in found.all_rows if r.key == key]
    return row


def number(estimates: pl.DataFrame, quantity: str, **at: str) -> float:
    place = {"nationality": "", "admission_class": "", "mode": "", **at}
    kept = estimates.filter(
        pl.col("span") == "year", pl.col("known_at") == KNOWN_AT[-1],
        pl.col("quantity") == quantity,
        *(pl.col(name) == value for name, value in place.items()),
    )  # fmt: skip
    return float(kept["value"].item())


def test_the_us_table_has_every_class_and_country_with_the_numbers_of_the_estimates(
    estimates: pl.DataFrame,
) -> None:
    report = make_report(Shape.US, estimates, Kind.STEWARD, POLICY)
    assert report.findings == ()
    assert [b.key for b in report.blocks] == [
        "in_total", "visitors", "students", "other", "countries"
    ]  # fmt: skip
    total = row_of(report, "countries", "total")
    late, still = number(estimates, "departed_late"), number(estimates, "no_departure_recorded")
    assert report.cell(total, "unsettled").value == pytest.approx(late + still)
    expected = number(estimates, "expected_departures")
    assert report.cell(total, "without_rate").value == pytest.approx(100 * still / expected)
    here = report.cell(total, "here")
    assert here.lower is not None
    assert here.upper is not None
    assert here.lower < number(estimates, "probably_still_here") < here.upper
    brazil = row_of(report, "students", "BRA")
    assert report.cell(brazil, "expected").value == number(
        estimates, "expected_departures", nationality="BRA", admission_class="STUDY"
    )


def test_classes_of_one_group_are_told_together(estimates: pl.DataFrame) -> None:
    report = make_report(Shape.US, estimates, Kind.STEWARD, POLICY)
    row = row_of(report, "in_total", "visitors")
    parts = [number(estimates, "expected_departures", admission_class=c) for c in ("VISIT", "B1")]
    assert report.cell(row, "expected").value == pytest.approx(sum(parts))
    rates = [number(estimates, "overstay_rate", admission_class=c) for c in ("VISIT", "B1")]
    weighed = sum(r * p for r, p in zip(rates, parts, strict=True)) / sum(parts)
    rate = report.cell(row, "rate")
    assert rate.value == pytest.approx(100 * weighed)
    assert rate.lower is not None
    assert rate.lower < 100 * weighed


def test_an_offices_own_groups_are_used(estimates: pl.DataFrame) -> None:
    own = (ClassGroup("all", "Everything", CLASSES),)
    report = make_report(Shape.US, estimates, Kind.STEWARD, POLICY, groups=own)
    row = row_of(report, "in_total", "all")
    assert report.cell(row, "expected") == report.cell(
        row_of(report, "in_total", "total"), "expected"
    ) or report.cell(row, "expected").value == pytest.approx(
        number(estimates, "expected_departures")
    )


def test_countries_stand_in_the_order_of_the_alphabet_by_name(estimates: pl.DataFrame) -> None:
    names = {"ALB": "Zzz", "BRA": "Mmm", "CAN": "Aaa"}
    report = make_report(Shape.US, estimates, Kind.STEWARD, POLICY, names=names)
    assert [r.label for r in report.blocks[-1].rows] == ["Aaa", "Mmm", "Zzz"]


def test_the_uk_table_splits_no_evidence_of_departure(estimates: pl.DataFrame) -> None:
    report = make_report(Shape.UK, estimates, Kind.STEWARD, POLICY)
    assert report.findings == ()
    total = row_of(report, "visas", "total")
    ended = number(estimates, "expected_departures") - number(estimates, "status_changed")
    assert report.cell(total, "ended").value == pytest.approx(ended)
    shares = [report.cell(total, f"{k}_share").value or 0 for k in ("in_time", "late", "without")]
    assert sum(shares) == pytest.approx(100)
    split = [report.cell(total, key).value or 0 for key in ("left", "here")]
    assert sum(split) == pytest.approx(report.cell(total, "open").value)


def test_months_carry_both_intervals_what_was_revised_and_how_old_they_are(
    estimates: pl.DataFrame,
) -> None:
    report = make_report(Shape.MONTHLY, estimates, Kind.STEWARD, POLICY)
    (block,) = report.blocks
    assert [r.key for r in block.rows] == [f"2025-{m:02d}-01" for m in range(1, 13)]
    december, march = block.rows[-1], block.rows[2]
    assert report.cell(december, "age").value == 31
    rate, final = report.cell(december, "rate"), report.cell(december, "rate_final")
    assert (rate.lower, rate.upper) != (final.lower, final.upper)
    # November was told one in fifty departures short in the vintage before; March was settled.
    november = block.rows[-2]
    assert (report.cell(november, "departures_revised").value or 0) > 50
    assert report.cell(march, "departures_revised").status == Status.HIDDEN
    assert report.compared_with == KNOWN_AT[1]
    assert report.cell(block.all_rows[-1], "rate").status == Status.ABSENT


def test_a_revision_of_few_is_not_told_and_without_a_vintage_before_there_is_none(
    estimates: pl.DataFrame,
) -> None:
    report = make_report(Shape.MONTHLY, estimates, Kind.STEWARD, POLICY, known_at=KNOWN_AT[0])
    (block,) = report.blocks
    assert {report.cell(r, "departures_revised").status for r in block.rows} == {Status.ABSENT}
    assert report.compared_with is None


def test_a_day_is_told_as_it_was_known(estimates: pl.DataFrame) -> None:
    then = make_report(Shape.US, estimates, Kind.STEWARD, POLICY, known_at=date(2026, 1, 5))
    assert then.known_at == KNOWN_AT[1]
    with pytest.raises(ReportError, match="--known-at"):
        make_report(Shape.US, estimates, Kind.STEWARD, POLICY, known_at=date(2020, 1, 1))


def test_a_period_that_is_not_there_is_an_error_that_names_those_that_are(
    estimates: pl.DataFrame,
) -> None:
    for shape in (Shape.US, Shape.UK):
        with pytest.raises(ReportError, match="2025-01-01"):
            make_report(shape, estimates, Kind.STEWARD, POLICY, period=date(2019, 1, 1))
    with pytest.raises(ReportError, match="2025-12-01"):
        make_report(Shape.MONTHLY, estimates, Kind.STEWARD, POLICY, period=date(2019, 1, 1))
    with pytest.raises(SchemaError):
        make_report(Shape.US, estimates.drop("why"), Kind.STEWARD, POLICY)
    with pytest.raises(ReportError, match="empty"):
        make_report(Shape.UK, estimates.clear(), Kind.STEWARD, POLICY)


@pytest.mark.parametrize("shape", list(Shape))
def test_a_period_that_is_not_over_is_told_so_far(estimates: pl.DataFrame, shape: Shape) -> None:
    """In an office's first year there is no other: ten thousand departures are not a year's."""
    first = {"period": date(2025, 12, 1)} if shape == Shape.MONTHLY else {}
    early = make_report(shape, estimates, Kind.STEWARD, POLICY, known_at=KNOWN_AT[0], **first)
    assert early.period.endswith(", so far: up to 30 November 2025")
    assert any("Do not compare it with a whole one" in note for note in early.notes)
    page = render_html(early)
    assert page.count("so far: up to 30 November 2025") >= 3, "title, lead and each table"
    assert "so far: up to 30 November 2025" in render_csv(early)
    whole = make_report(shape, estimates, Kind.STEWARD, POLICY)
    assert "so far: up to" not in render_html(whole)


def test_the_period_that_is_told_by_default_is_one_that_is_over() -> None:
    frame = build_estimates(known_at=(date(2025, 12, 30), date(2026, 1, 1)))
    running = make_report(Shape.MONTHLY, frame, Kind.STEWARD, POLICY, known_at=date(2025, 12, 30))
    assert running.period == "December 2024 to November 2025"
    over = make_report(Shape.MONTHLY, frame, Kind.STEWARD, POLICY)
    assert over.period == "January 2025 to December 2025"
    assert make_report(Shape.US, frame, Kind.STEWARD, POLICY).period == "the year 2025"


def figures_of(estimates: pl.DataFrame) -> pl.DataFrame:
    """Released: the latest vintage of countries and classes, events where an event is counted."""
    events = {"expected_departures": "permission_ended", "departed_late": "left_late",
              "departed_in_time": "left_in_time"}  # fmt: skip
    kept = estimates.filter(
        pl.col("known_at") == KNOWN_AT[-1],
        (pl.col("nationality") == "") | (pl.col("admission_class") == ""),
    )
    return FIGURES.conform(
        kept.with_columns(
            pl.col("quantity").cast(pl.String).replace(events), release_table=pl.lit("t"),
            vintage="known_at", level=pl.lit(0.95), epsilon=pl.lit(0.1), method=pl.lit("laplace"),
            release_id=pl.lit("r1"), noise_sd=pl.lit(3.0),
        )
    )  # fmt: skip


def test_the_public_reads_released_figures_and_negative_counts_as_they_are(
    estimates: pl.DataFrame,
) -> None:
    figures = figures_of(estimates).with_columns(
        value=pl.when(pl.col("nationality") == "CAN", pl.col("quantity") == "left_late",
                      pl.col("span") == "year")
        .then(-4.0).otherwise(pl.col("value")),
        lower=pl.when(pl.col("quantity") == "left_late").then(-200.0).otherwise(pl.col("lower")),
        upper=pl.when(pl.col("quantity") == "left_late").then(900.0).otherwise(pl.col("upper")),
    )  # fmt: skip
    report = make_report(Shape.US, figures, Kind.PUBLIC, POLICY)
    assert [b.key for b in report.blocks] == ["in_total", "countries"]
    canada = row_of(report, "countries", "CAN")
    assert report.cell(canada, "late") == Cell(-4.0, -200.0, 900.0)
    assert not [c for b in report.blocks for r in b.all_rows for c in r.cells
                if c.status in (Status.HIDDEN, Status.GUARDING)]  # fmt: skip
    assert report.cell(canada, "expected").value == number(
        estimates, "expected_departures", nationality="CAN"
    )


def test_a_released_year_is_told_up_to_the_last_month_that_could_be_told(
    estimates: pl.DataFrame,
) -> None:
    """The months before a release are too young to be completed; the year is of the others."""
    young = (pl.col("span") == "month") & (pl.col("period") >= date(2025, 11, 1))
    figures = figures_of(estimates).with_columns(
        value=pl.when(young).then(None).otherwise("value"),
        method=pl.when(young).then(pl.lit("too_young")).otherwise("method"),
    )
    report = make_report(Shape.US, figures, Kind.PUBLIC, POLICY)
    assert report.period == "the year 2025, so far: up to 31 October 2025"
    assert "Wrong links are not taken off" in render_html(report)
    months = make_report(Shape.MONTHLY, figures, Kind.PUBLIC, POLICY)
    assert "it is not known yet how much late reports add" in render_html(months)
