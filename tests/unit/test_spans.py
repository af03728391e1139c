"""Where a period ends: its last day is the one before the next period's first."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from sojourn.measure.spans import LENGTH
from sojourn.vocabulary import Span


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        (Span.DAY, date(2024, 2, 29), date(2024, 2, 29)),
        (Span.MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        (Span.MONTH, date(2025, 12, 1), date(2025, 12, 31)),
        (Span.YEAR, date(2024, 1, 1), date(2024, 12, 31)),
        (Span.YEAR, date(2023, 10, 1), date(2024, 9, 30)),
    ],
)
def test_the_last_day_of_a_period(span: Span, first: date, last: date) -> None:
    assert span.last_day(first) == last


@pytest.mark.parametrize("span", Span)
def test_one_day_and_tables_agree_how_long_a_period_is(span: Span) -> None:
    firsts = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(36)]
    after = pl.Series(firsts).dt.offset_by(LENGTH[span]).to_list()
    assert [span.last_day(first) + timedelta(days=1) for first in firsts] == after
