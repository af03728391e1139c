"""Spans of cells: how long each is, on which day the one around a day begins, a month ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import polars as pl

from sojourn.vocabulary import Span

# As Polars says it.
LENGTH: Mapping[Span, str] = MappingProxyType({Span.DAY: "1d", Span.MONTH: "1mo", Span.YEAR: "1y"})


def first_day(day: pl.Expr, span: Span, year_begins: int = 1) -> pl.Expr:
    """Of the span that a day lies in; years begin with the month ``year_begins``."""
    if span != Span.YEAR:
        return day.dt.truncate(LENGTH[span])
    earlier, later = f"-{year_begins - 1}mo", f"{year_begins - 1}mo"
    return day.dt.month_start().dt.offset_by(earlier).dt.truncate("1y").dt.offset_by(later)


def month_end(first: date) -> date:
    return Span.MONTH.last_day(first)
