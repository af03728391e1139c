"""What is hidden cannot be had from what is told: one cell, every way to sum it."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sojourn.measure.evidence import Cells
from sojourn.measure.hiding import small_cells
from sojourn.measure.spans import first_day
from sojourn.vocabulary import Quantity as Of
from sojourn.vocabulary import Span

SMALLEST = 10
NUMBER = st.one_of(st.integers(0, 12), st.integers(0, 500))
SETTLED, UNSETTLED = (Of.DEPARTED_IN_TIME, Of.STATUS_CHANGED), (
    Of.DEPARTED_LATE, Of.NO_DEPARTURE_RECORDED,
)  # fmt: skip


def one_cell(in_time: int, late: int, still_open: int, changed: int) -> Cells:
    names = pl.DataFrame({
        "period": [date(2026, 1, 1)], "nationality": [""], "mode": [""], "admission_class": [""],
    })  # fmt: skip

    def matrix(value: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.array([[float(value)]])

    return Cells(  # type: ignore[arg-type]
        names, matrix(in_time), matrix(late), matrix(still_open), matrix(changed),
        np.zeros((1, 4)),
    )  # fmt: skip


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_no_small_number_can_be_reckoned_from_what_is_told(
    in_time: int, late: int, still_open: int, changed: int
) -> None:
    hidden = small_cells(one_cell(in_time, late, still_open, changed), Span.YEAR, SMALLEST)
    numbers = dict(zip((*SETTLED, *UNSETTLED), (in_time, changed, late, still_open), strict=True))

    def told(*quantities: Of) -> bool:
        return not any(hidden[q][0] for q in quantities)

    for quantity, number in numbers.items():
        assert number >= SMALLEST or not told(quantity)
    for shown, rest in ((SETTLED, UNSETTLED), (UNSETTLED, SETTLED)):
        if told(Of.EXPECTED_DEPARTURES, *shown):
            assert sum(numbers[q] for q in rest) >= SMALLEST
        if told(Of.EXPECTED_DEPARTURES, Of.RECORDED_RATE):
            assert sum(numbers[q] for q in rest) >= SMALLEST


def test_a_year_may_begin_in_any_month() -> None:
    days = pl.DataFrame({"day": [date(2025, 9, 30), date(2025, 10, 1), date(2026, 3, 31)]})
    found = days.select(first_day(pl.col("day"), Span.YEAR, 10)).to_series().to_list()
    assert found == [date(2024, 10, 1), date(2025, 10, 1), date(2025, 10, 1)]
    assert days.select(first_day(pl.col("day"), Span.YEAR, 1)).to_series().to_list() == [
        date(2025, 1, 1), date(2025, 1, 1), date(2026, 1, 1)
    ]  # fmt: skip
