"""What a report for the steward hides: no small cell can be read, or worked out from its sums."""

from __future__ import annotations

import itertools
import re
from datetime import date

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.estimated import build_estimates
from sojourn.pipeline.reporting import make_report
from sojourn.policy import load_policy
from sojourn.reports import Cell, Kind, Shape, Status, render_csv, render_html
from sojourn.reports.book import book_of_estimates
from sojourn.reports.guarding import Place, Tied, guard
from sojourn.schemas import Quantity

POLICY = load_policy()


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Place, int], list[Tied]]:
    """Rows by columns with totals at both ends, and some rows that split once more."""
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    numbers = draw(st.lists(st.integers(0, 40), min_size=height * width, max_size=height * width))
    grid = np.array(numbers).reshape(height, width)
    values: dict[Place, int] = {}
    for r, c in itertools.product(range(height), range(width)):
        values["t", f"r{r}", f"c{c}"] = int(grid[r, c])
    for r in range(height):
        values["t", f"r{r}", "all"] = int(grid[r].sum())
    for c in range(width):
        values["t", "all", f"c{c}"] = int(grid[:, c].sum())
    values["t", "all", "all"] = int(grid.sum())
    rows, columns = [f"r{r}" for r in range(height)], [f"c{c}" for c in range(width)]
    ties = [Tied(tuple(("t", r, c) for c in columns), ("t", r, "all")) for r in (*rows, "all")]
    ties += [Tied(tuple(("t", r, c) for r in rows), ("t", "all", c)) for c in (*columns, "all")]
    return values, ties


def possible(
    values: dict[Place, int], ties: list[Tied], unknown: list[Place], place: Place
) -> set[int]:
    """Slow and plain: its value alone where the sums leave no other, else another besides.

    By rank: an equation that fixes ``place`` adds nothing to those that are there.
    """
    equations = []
    for tie in ties:
        row = [0] * len(unknown)
        for sign, places in ((1, tie.parts), (-1, (tie.whole,))):
            for p in places:
                if p in unknown:
                    row[unknown.index(p)] += sign
        equations.append(row)
    matrix = np.array([r for r in equations if any(r)], dtype=float).reshape(-1, len(unknown))
    unit = np.zeros(len(unknown))
    unit[unknown.index(place)] = 1.0
    rank = np.linalg.matrix_rank(matrix) if len(matrix) else 0
    fixed = np.linalg.matrix_rank(np.vstack([matrix, unit])) == rank
    return {values[place]} if fixed else {values[place], values[place] + 1}


@settings(max_examples=150, deadline=None)
@given(tables())
def test_no_small_cell_follows_from_what_is_shown(
    made: tuple[dict[Place, int], list[Tied]],
) -> None:
    values, ties = made
    cells = {
        place: Cell(float(v)) if v >= 10 else Cell(status=Status.HIDDEN, why="small")
        for place, v in values.items()
    }
    kept = guard(cells, ties)
    unknown = [p for p, c in kept.items() if c.status != Status.SHOWN]
    for place in unknown:
        if kept[place].status == Status.HIDDEN:
            assert len(possible(values, ties, unknown, place)) > 1
    assert all(kept[p] == c for p, c in cells.items() if kept[p].status == Status.SHOWN)


def test_a_lone_small_cell_takes_its_smallest_sister_with_it() -> None:
    cells = {
        ("t", "a", "n"): Cell(status=Status.HIDDEN, why="small"),
        ("t", "b", "n"): Cell(300.0), ("t", "c", "n"): Cell(40.0), ("t", "all", "n"): Cell(345.0),
    }  # fmt: skip
    tie = Tied((("t", "a", "n"), ("t", "b", "n"), ("t", "c", "n")), ("t", "all", "n"))
    kept = guard(cells, [tie])
    assert kept["t", "c", "n"].status == Status.GUARDING
    assert kept["t", "b", "n"].value == 300.0


def test_a_count_under_ten_is_hidden_even_where_the_table_has_it() -> None:
    frame = build_estimates(size=400, smallest=0)
    book = book_of_estimates(frame, None, 10)
    counts = [c.value for (_, q), c in book.cells.items()
              if q not in (Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE)]  # fmt: skip
    assert min(v for v in counts if v is not None) >= 10
    assert None in counts


def test_nothing_that_is_printed_tells_a_small_cell() -> None:
    frame = build_estimates(size=150, smallest=0)
    for shape in (Shape.US, Shape.UK):
        report = make_report(shape, frame, Kind.STEWARD, POLICY)
        hidden = [
            (block, row, head)
            for block in report.blocks
            for row in block.all_rows
            for head, cell in zip(report.heads, row.cells, strict=True)
            if cell.status != Status.SHOWN
        ]
        assert hidden
        for _, row, head in hidden:
            cell = report.cell(row, head.key)
            assert (cell.value, cell.lower, cell.upper) == (None, None, None)
        for block in report.blocks:
            for row in block.all_rows:
                _no_share_of_a_hidden_number(report, row)


def _no_share_of_a_hidden_number(report: object, row: object) -> None:
    from sojourn.reports.report import Report, Row

    if not isinstance(report, Report) or not isinstance(row, Row):
        raise TypeError
    for rule in report.ratios:
        parts = [report.cell(row, p) for p in (*rule.parts, rule.whole)]
        if any(p.status in (Status.HIDDEN, Status.GUARDING) for p in parts):
            assert report.cell(row, rule.share).value is None, rule.share


def test_an_end_of_an_interval_under_ten_is_told_as_under_ten() -> None:
    frame = build_estimates(size=3000).with_columns(
        lower=pl.when(pl.col("quantity") == "probably_still_here").then(3.0).otherwise("lower")
    )
    report = make_report(Shape.UK, frame, Kind.STEWARD, POLICY, known_at=date(2026, 1, 31))
    page, text = render_html(report), render_csv(report)
    assert "under 10 to" in page
    assert ">3 to" not in page
    column = text.splitlines()[0].split(",").index("here_lower")
    assert {line.split(",")[column] for line in text.splitlines()[1:]} == {""}


def test_what_is_no_finite_number_is_not_estimated() -> None:
    frame = build_estimates(size=3000)
    still = pl.col("quantity") == "probably_still_here"
    for odd in (float("nan"), float("inf")):
        broken = frame.with_columns(
            value=pl.when(still).then(odd).otherwise("value"),
            upper=pl.when(still).then(odd).otherwise("upper"),
        )
        for shape in Shape:
            page = render_html(make_report(shape, broken, Kind.STEWARD, POLICY))
            assert not re.search(r"\b(nan|inf)\b", page)
        assert "no finite number was given" in render_html(
            make_report(Shape.US, broken, Kind.STEWARD, POLICY)
        )
