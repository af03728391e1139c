"""Dates of other calendars: converted, back again, and as exact as they were told."""

from __future__ import annotations

from datetime import date

import pytest
from convertdate import coptic, persian
from hypothesis import given
from hypothesis import strategies as st

from sojourn_web.cases.applicant.calendars import Calendar, both_ways, write_date
from sojourn_web.cases.errors import RefusedError

DAYS = st.dates(date(1906, 1, 1), date(2026, 1, 1))
OTHERS = st.sampled_from([Calendar.PERSIAN, Calendar.ETHIOPIAN])


@given(DAYS, OTHERS)
def test_there_and_back(day: date, calendar: Calendar) -> None:
    ours, theirs = both_ways(day.isoformat(), calendar)
    assert ours == day.isoformat()
    year, month, dom = theirs.split("-")
    assert write_date(calendar, year, month, dom, about=False) == day.isoformat()


@given(DAYS)
def test_it_is_what_the_library_says(day: date) -> None:
    year, month, dom = persian.from_gregorian(day.year, day.month, day.day)
    assert both_ways(day.isoformat(), Calendar.PERSIAN)[1] == f"{year:04d}-{month:02d}-{dom:02d}"
    year, month, dom = coptic.from_gregorian(day.year, day.month, day.day)
    shown = f"{year + 276:04d}-{month:02d}-{dom:02d}"
    assert both_ways(day.isoformat(), Calendar.ETHIOPIAN)[1] == shown


@pytest.mark.parametrize(
    ("calendar", "parts", "stored"),
    [(Calendar.ETHIOPIAN, ("1999", "1", "1"), "2006-09-11"),  # new year of the Millennium
     (Calendar.ETHIOPIAN, ("2000", "1", "1"), "2007-09-12"),
     (Calendar.PERSIAN, ("1370", "1", "1"), "1991-03-21"),
     (Calendar.PERSIAN, ("1370", "", ""), "~1991"),
     (Calendar.PERSIAN, ("1370", "3", ""), "1991"),  # from May to June
     (Calendar.PERSIAN, ("1370", "10", ""), "~1992"),  # 22 December to 20 January
     (Calendar.ETHIOPIAN, ("1983", "13", "5"), "1991-09-10"),
     (Calendar.GREGORIAN, ("1987", "3", ""), "1987-03"),
     (Calendar.GREGORIAN, ("", "", ""), "")],
)  # fmt: skip
def test_as_exact_as_it_was_told(
    calendar: Calendar, parts: tuple[str, str, str], stored: str
) -> None:
    assert write_date(calendar, *parts, about=False) == stored


@pytest.mark.parametrize(
    "parts", [("", "3", ""), ("1370", "", "4"), ("1370", "13", "1"), ("1371", "12", "30"),
              ("x", "", ""), ("0", "1", "1"), ("9999", "", "")],
)  # fmt: skip
def test_what_is_no_date_is_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(RefusedError):
        write_date(Calendar.PERSIAN, *parts, about=False)
