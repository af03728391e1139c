"""The page of hard people: every case has its row, every missed pair its cause."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))  # benchmarks are not installed

from benchmarks.hard_people import (
    CAUSES,
    NO_KEY,
    ORDINARY,
    WHAT,
    HardResult,
    measure_hard,
    render,
)

from sojourn.schemas import HardCase


@pytest.fixture(scope="module")
def result() -> HardResult:
    return measure_hard(2_500, 260, 7)


def test_every_case_and_everybody_else_has_a_row(result: HardResult) -> None:
    assert {c.name for c in result.cases} == {*HardCase, ORDINARY} == set(WHAT)
    assert sum(c.scored.pairs for c in result.cases) == result.found.overall.pairs


def test_every_missed_pair_has_one_cause(result: HardResult) -> None:
    for case in result.cases:
        right = round(case.scored.recall * case.scored.pairs)
        assert sum(case.missed.values()) == case.scored.pairs - right, case.name
    undated = next(c for c in result.cases if c.name == HardCase.BIRTH_DATE_MISSING)
    assert undated.missed[NO_KEY] > 0


def test_the_rows_add_up_to_the_whole(result: HardResult) -> None:
    rows = [c.scored for c in result.cases]
    right = sum(a.recall * a.pairs for a in rows)
    links = sum(a.recall * a.pairs / a.precision for a in rows)
    overall = result.found.overall
    assert right / overall.pairs == pytest.approx(overall.recall)
    assert right / links == pytest.approx(overall.precision)


def test_the_page_says_how_it_came_about_and_what_each_case_is(result: HardResult) -> None:
    page = render(result)
    assert "python -m benchmarks hard" in page
    assert "2,500 ordinary stays and 260 of each case" in page
    for name, what in WHAT.items():
        assert f"| {name.replace('_', ' ')} | {what} |" in page
    header = next(line for line in page.splitlines() if line.startswith("| case |"))
    assert all(cause in header for cause in CAUSES)
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert len(widths) == 1, "rows and header have as many cells"
