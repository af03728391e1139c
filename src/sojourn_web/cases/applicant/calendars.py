"""Birth dates in the Persian and the Ethiopian calendar, converted and shown both ways.

In: year, month and day as far as they are known, and the calendar. Out: the text that
``cases.dates`` reads. A year or month of another calendar lies in two of ours: what both ends
share is kept, and a year that is not certain is "about". Raises RefusedError for impossible days.

Conversion is convertdate's. The Ethiopian calendar is the Coptic one, counted from 276 years
earlier (Reingold and Dershowitz, Calendrical Calculations).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from convertdate import coptic, persian

from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.dates import PartialDate, parse_stored
from sojourn_web.cases.errors import RefusedError

COPTIC_ADDS = 276
NO_SUCH_DAY = words("There is no such day: write only the parts that are known.")
TOO_FAR = words("Look at the year and at the calendar: this year is too far away.")


class Calendar(StrEnum):
    GREGORIAN = "gregorian"
    PERSIAN = "persian"
    ETHIOPIAN = "ethiopian"


NAMES = {
    Calendar.GREGORIAN: words("International calendar"),
    Calendar.PERSIAN: words("Persian calendar"),
    Calendar.ETHIOPIAN: words("Ethiopian calendar"),
}
OF_LANGUAGE = {
    "fa": Calendar.PERSIAN,
    "ps": Calendar.PERSIAN,
    "am": Calendar.ETHIOPIAN,
    "ti": Calendar.ETHIOPIAN,
}


@dataclass(frozen=True)
class _Rules:
    months: int
    longest: int
    to_ours: Callable[[int, int, int], date]
    from_ours: Callable[[date], tuple[int, int, int]]


def _to_persian(day: date) -> tuple[int, int, int]:
    found: Any = persian.from_gregorian(day.year, day.month, day.day)
    return found[0], found[1], found[2]


def _to_ethiopian(day: date) -> tuple[int, int, int]:
    found: Any = coptic.from_gregorian(day.year, day.month, day.day)
    return found[0] + COPTIC_ADDS, found[1], found[2]


RULES = {
    Calendar.PERSIAN: _Rules(
        12, 31, lambda y, m, d: date(*persian.to_gregorian(y, m, d)), _to_persian
    ),
    Calendar.ETHIOPIAN: _Rules(
        13, 30, lambda y, m, d: date(*coptic.to_gregorian(y - COPTIC_ADDS, m, d)), _to_ethiopian
    ),
}


def write_date(calendar: Calendar, year: str, month: str, day: str, *, about: bool) -> str:
    """As ``read_birth_date`` takes it: ``1991-05-17``, ``1991-05``, ``~1991`` or nothing."""
    parts = [_number(p) for p in (year, month, day)]
    if parts[0] is None:
        if parts[1] or parts[2]:
            raise RefusedError(words("Write the year too, or leave the whole date empty."))
        return ""
    if parts[2] and not parts[1]:
        raise RefusedError(words("Write the month too, or leave the day empty."))
    if calendar is not Calendar.GREGORIAN:
        return _convert(calendar, parts[0], parts[1], parts[2], about)
    known = [f"{p:0{4 - 2 * bool(i)}d}" for i, p in enumerate(parts) if p is not None]
    return ("~" if about else "") + "-".join(known)


def _convert(calendar: Calendar, year: int, month: int | None, day: int | None, about: bool) -> str:
    rules = RULES[calendar]
    if not 1 <= (month or 1) <= rules.months or not 1 <= (day or 1) <= rules.longest:
        raise RefusedError(NO_SUCH_DAY)
    if not 1200 <= year <= 2100:
        raise RefusedError(
            words("Look at the year and at the calendar: this year is too far away.")
        )
    try:
        first = rules.to_ours(year, month or 1, day or 1)
        if day is None:
            nearly = rules.to_ours(year, month + 1, 1) if month and month < rules.months else (
                rules.to_ours(year + 1, 1, 1))  # fmt: skip
            last = nearly - timedelta(days=1)
        else:
            last = first
            if rules.from_ours(first) != (year, month, day):
                raise RefusedError(NO_SUCH_DAY)
    except ValueError:
        raise RefusedError(NO_SUCH_DAY) from None
    if first.year != last.year:
        # The year in which most of it lies, said as what it is.
        middle = first + (last - first) / 2
        return f"~{middle.year:04d}"
    mark = "~" if about else ""
    if first == last:
        return f"{mark}{first.isoformat()}"
    return f"{mark}{first:%Y-%m}" if first.month == last.month else f"{mark}{first:%Y}"


def both_ways(stored: str, calendar: Calendar) -> tuple[str, str]:
    """The stored date, and the same in ``calendar``; the second is empty for our own."""
    known = parse_stored(stored)
    if known.year is None or calendar is Calendar.GREGORIAN:
        return stored, ""
    rules = RULES[calendar]
    if known.month and known.day:
        year, month, day = rules.from_ours(date(known.year, known.month, known.day))
        return stored, str(PartialDate(year, month, day, known.about))
    middle = rules.from_ours(date(known.year, known.month or 7, 1))
    return stored, str(PartialDate(middle[0], about=True))


def _number(text: str) -> int | None:
    """Digits of any script; None for nothing."""
    plain = text.strip()
    if not plain:
        return None
    if not plain.isdecimal() or len(plain) > 4:
        raise RefusedError(words("Write the date in numbers: year, month, day."))
    return int(plain)
