"""The plausibility check: the traps it was made for, and that it leaves honest tables alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from lib.estimated import build_estimates
from sojourn.errors import ReportError
from sojourn.pipeline.reporting import make_report
from sojourn.policy import load_policy
from sojourn.reports import Cell, Kind, Report, Shape, Status, check_report, checked, render
from sojourn.reports.report import Block, Head, Level, Ratio, Row, Sum, Unit

HEADS = (
    Head("expected", "Expected departures", Unit.STAYS, additive=True),
    Head("open", "No departure recorded", Unit.STAYS, additive=True),
    Head("rate", "Rate", Unit.PERCENT),
)


def table(
    numbers: list[tuple[float, float]], total: tuple[float, float], **changes: object
) -> Report:
    """A table as one would take it out of a PDF: countries, a printed total, no interval."""

    def row(key: str, n: tuple[float, float], level: Level = Level.PART) -> Row:
        return Row(key, key, (Cell(n[0]), Cell(n[1]), Cell(100 * n[1] / n[0])), level)

    rows = tuple(row(f"C{i}", n) for i, n in enumerate(numbers))
    report = Report(
        Shape.US, Kind.STEWARD, "Taken out", "", "2024", date(2025, 9, 1), "d", HEADS,
        (Block("countries", "By country", "Country", rows, row("total", total, Level.TOTAL)),),
        ratios=(Ratio("rate", ("open",), "expected"),),
    )  # fmt: skip
    return replace(report, **changes)  # type: ignore[arg-type]


def spread(total: int, rows: int) -> list[int]:
    """Whole numbers of many sizes with a given sum."""
    weights = np.random.default_rng(4).pareto(1.0, rows) + 0.05
    made = np.floor(weights / weights.sum() * total).astype(int)
    made[0] += total - made.sum()
    return [int(n) for n in made]


def rules(report: Report, before: Report | None = None) -> set[str]:
    return {f.rule for f in check_report(report, before)}


@pytest.mark.parametrize(
    ("rows_sum", "printed", "said"),
    [(468_907, 482_954, "97.1%"), (558_089, 510_363, "109.4%")],
)
def test_the_extracted_table_that_dropped_and_doubled_rows_is_caught(
    rows_sum: int, printed: int, said: str
) -> None:
    expected = [60 * n + 500 for n in spread(rows_sum, 190)]
    numbers = list(zip(map(float, expected), map(float, spread(rows_sum, 190)), strict=True))
    found = check_report(table(numbers, (float(sum(expected)), float(printed))))
    assert [f.rule for f in found] == ["total"]
    assert said in found[0].what
    assert "no departure recorded" in found[0].where


def test_a_table_that_sums_is_left_alone_even_where_it_was_rounded() -> None:
    whole = [n + 0.0 for n in spread(482_954, 190)]
    numbers = [(60 * n + 500, n) for n in whole]
    total = (sum(e for e, _ in numbers), 482_954.0)
    assert check_report(table(numbers, total)) == ()
    assert check_report(table(numbers, (total[0] + 30, total[1] - 40))) == ()
    assert rules(table(numbers, (total[0], total[1] * 1.001))) == {"total"}


def test_rows_that_are_lost_or_doubled_against_the_vintage_before() -> None:
    numbers = [(1000.0 * (i + 1), 20.0 * (i + 1)) for i in range(6)]
    total = (21_000.0, 420.0)
    before = table(numbers, total)
    block = before.blocks[0]
    lost = replace(before, blocks=(replace(block, rows=block.rows[:-1]),))
    assert {"missing", "total"} <= rules(lost, before)
    twice = replace(before, blocks=(replace(block, rows=(*block.rows, block.rows[0])),))
    assert {"duplicate", "total"} <= rules(twice, before)
    assert rules(replace(before, blocks=()), before) == {"missing", "empty"}


def test_a_row_that_jumps_by_an_order_of_magnitude() -> None:
    before = table([(5000.0, 90.0), (9000.0, 100.0)], (14_000.0, 190.0))
    now = table([(50_000.0, 900.0), (9000.0, 100.0)], (59_000.0, 1000.0))
    found = [f for f in check_report(now, before) if f.rule == "jump"]
    assert [f.where for f in found] == [
        "By country: C0, expected departures", "By country: C0, no departure recorded"
    ]  # fmt: skip
    assert rules(before, now) == {"jump"}
    begun = replace(before, until=date(2025, 1, 9))
    assert rules(now, begun) == set(), "a year that had hardly begun then"
    few = table([(5000.0, 9.0), (9000.0, 100.0)], (14_000.0, 109.0))
    many = table([(5000.0, 90.0), (9000.0, 100.0)], (14_000.0, 190.0))
    assert "jump" not in rules(many, few), "a small number may"


def test_an_estimate_that_moved_within_its_own_interval_did_not_jump() -> None:
    """Seen of 200,000 stays: 12 still here (0 to 400) in one vintage, 150 (20 to 420) the next."""

    def told(*cell: float) -> Report:
        report = table([(5000.0, 90.0)], (5000.0, 90.0))
        row = Row("C0", "C0", (Cell(5000.0), Cell(*cell), Cell(status=Status.ABSENT)))
        return replace(report, blocks=(replace(report.blocks[0], rows=(row,), total=None),))

    assert rules(told(150.0, 20.0, 420.0), told(12.0, 0.0, 400.0)) == set()
    assert rules(told(1500.0, 900.0, 2100.0), told(12.0, 0.0, 400.0)) == {"jump"}
    assert rules(told(150.0), told(12.0, 0.0, 400.0)) == {"jump"}


def test_rates_intervals_and_parts_that_cannot_be() -> None:
    report = table([(100.0, 20.0)], (100.0, 20.0))
    block = report.blocks[0]

    def with_cells(*cells: Cell) -> Report:
        row = Row("C0", "C0", cells)
        return replace(report, blocks=(replace(block, rows=(row,), total=None),))

    assert rules(with_cells(Cell(100.0), Cell(140.0), Cell(140.0))) == {"rate"}
    assert rules(with_cells(Cell(100.0), Cell(-1.0), Cell(-1.0))) == {"rate", "negative"}
    assert rules(with_cells(Cell(100.0), Cell(20.0, 21.0, 30.0), Cell(20.0))) == {"interval"}
    assert rules(with_cells(Cell(100.0), Cell(20.0, 30.0, 10.0), Cell(20.0))) == {"interval"}
    assert rules(with_cells(Cell(100.0), Cell(20.0, None, 30.0), Cell(20.0))) == {"interval"}
    assert rules(with_cells(Cell(100.0), Cell(20.0), Cell(31.0))) == {"share"}
    summed = replace(with_cells(Cell(100.0), Cell(90.0), Cell(90.0)),
                     sums=(Sum("expected", ("open",)),))  # fmt: skip
    assert rules(summed) == {"parts"}


def test_noise_may_take_a_released_share_a_little_out_of_what_a_share_can_be() -> None:
    """One interval in twenty lies aside, so in a table of dozens some do."""
    report = table([(100.0, 100.0)], (100.0, 100.0))
    cells = {near: Cell(near, near - 2.0, near + 2.0) for near in (103.0, 140.0)}
    for kind, near, found in (
        (Kind.PUBLIC, 103.0, set()), (Kind.PUBLIC, 140.0, {"rate"}),
        (Kind.STEWARD, 103.0, {"rate"}),
    ):  # fmt: skip
        row = Row("C0", "C0", (Cell(100.0), Cell(100.0), cells[near]))
        block = replace(report.blocks[0], rows=(row,), total=None)
        assert rules(replace(report, kind=kind, blocks=(block,), ratios=())) == found


def test_hidden_rows_leave_room_and_no_more() -> None:
    rows = [(1000.0, 50.0), (2000.0, 70.0)]
    report = table(rows, (3500.0, 125.0))
    hidden = Cell(status=Status.HIDDEN, why="small")
    small = Row("C9", "C9", (Cell(500.0), hidden, hidden))
    block = replace(report.blocks[0], rows=(*report.blocks[0].rows, small))
    assert rules(replace(report, blocks=(block,))) == set()
    total = replace(block.total, cells=(Cell(3500.0), Cell(150.0), Cell(4.2857)))  # type: ignore[type-var]
    assert rules(replace(report, blocks=(replace(block, total=total),))) == {"total"}


def test_honest_tables_of_every_shape_pass_at_every_vintage() -> None:
    policy = load_policy()
    for seed in range(3):
        frame = build_estimates(seed=seed, size=300 * (1 + 5 * seed))
        for shape in Shape:
            for day in frame["known_at"].unique():
                assert make_report(shape, frame, Kind.STEWARD, policy, known_at=day).findings == ()


def test_a_report_that_fails_is_not_printed_unless_asked_and_then_says_so() -> None:
    broken = checked(table([(100.0, 20.0)], (300.0, 60.0)))
    with pytest.raises(ReportError, match="--despite-check"):
        render(broken, ".html")
    page = render(broken, ".html", despite_check=True).decode()
    assert "This report fails its own check" in page
    assert page.index("fails its own check") < page.index("<table")
    assert "failed: 2 found" in render(broken, ".csv", despite_check=True).decode()
    fine = checked(table([(100.0, 20.0)], (100.0, 20.0)))
    assert "fails its own check" not in render(fine, ".html").decode()
