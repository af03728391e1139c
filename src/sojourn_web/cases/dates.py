"""Birth dates as they are known: whole, in part, or not at all. Never filled up.

In: text such as ``1987-03-21``, ``1987-03``, ``1987`` or nothing. Out: ``PartialDate``.
Raises RefusedError for dates that stand for "unknown" and for impossible ones, with what to
write instead. Other calendars are converted before they come here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sojourn_web.cases.errors import RefusedError

# Years that forms write for "unknown". Nobody who asks for help today was born then.
OLDEST = 1905
# Unix zero and the first of January 1900: what software, not people, gives as a birth date.
DUMMIES = frozenset({(1900, 1, 1), (1970, 1, 1), (1111, 11, 11), (9999, 12, 31)})
SHAPE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@dataclass(frozen=True)
class PartialDate:
    """``year`` None: nothing is known. ``about``: the person says so themselves."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    about: bool = False

    def __str__(self) -> str:
        known = [f"{self.year:04d}"] if self.year else []
        known += [f"{self.month:02d}"] if self.month else []
        known += [f"{self.day:02d}"] if self.day else []
        return ("~" if self.about else "") + "-".join(known)

    def is_child_on(self, day: date) -> bool | None:
        """Under 18 for certain (True), 18 or over for certain (False), or not known (None)."""
        if self.year is None:
            return None
        first = (self.year + 18, self.month or 1, self.day or 1)
        last = (self.year + 18, self.month or 12, self.day or 31)
        today = (day.year, day.month, day.day)
        if self.about:
            return None if abs(day.year - self.year - 18) <= 2 else day.year - self.year < 18
        return True if today < first else False if today >= last else None


def read_birth_date(text: str, today: date, *, confirmed: bool = False) -> PartialDate:
    """``text`` as typed; ``confirmed``: a document shows 1970-01-01 indeed."""
    plain = text.strip()
    about = plain.startswith("~")
    plain = plain.removeprefix("~").strip()
    if not plain:
        return PartialDate()
    found = SHAPE.fullmatch(plain)
    if not found:
        raise RefusedError(
            "Expected a birth date as year, year-month or year-month-day, found something else: "
            "write only the parts that are known."
        )
    year, month, day = (int(g) if g else 0 for g in found.groups())
    if ((year, month, day) in DUMMIES and not confirmed) or year < OLDEST:
        raise RefusedError(
            "This date usually stands for 'unknown': leave unknown parts empty, or write the "
            "year alone. If a document shows it, confirm that."
        )
    try:
        whole = date(year, month or 1, day or 1)
    except ValueError:
        raise RefusedError("There is no such day: write only the parts that are known.") from None
    if whole > today:
        raise RefusedError("A birth date cannot lie in the future: look at the year.")
    return PartialDate(year, month or None, day or None, about)


def parse_stored(text: str) -> PartialDate:
    """What ``str(PartialDate)`` wrote."""
    found = SHAPE.fullmatch(text.removeprefix("~"))
    if not found:
        return PartialDate()
    year, month, day = (int(g) if g else None for g in found.groups())
    return PartialDate(year, month, day, text.startswith("~"))
