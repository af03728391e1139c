"""The words of reports: what each term means, by whom, and what short codes say.

In: nothing. Out: ``Definition``s, ``ClassGroup``s, sentences. An office's own term is quoted as
that office's, with where it was read; ours stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sojourn.reports.report import Definition
from sojourn.vocabulary import Span

DHS = "US Department of Homeland Security, Entry/Exit Overstay Report"
HOME_OFFICE = "UK Home Office, Fifth report on statistics relating to exit checks (2020)"
OURS = "Sojourn, docs/explanation/outcomes.md"

EXPECTED = Definition(
    "Expected departures",
    "stays whose permitted period ended in the period; one traveller may have several",
    DHS,
)
LATE = Definition("Departed late", "left, by the records, after the last permitted day", DHS)
OPEN = Definition(
    "No departure recorded",
    "the permitted period has ended and no departure is known; this is not the same as still here",
    OURS,
)
LEFT = Definition(
    "Left unrecorded (modelled)",
    "of those without a recorded departure, how many have left all the same: departures that "
    "nobody recorded, or that could not be linked; estimated from travellers who arrived again, "
    "and so must have left",
    OURS,
)
HERE = Definition(
    "Probably still here (modelled)",
    "what is left of them; a number for a cell, never a statement about a stay",
    OURS,
)
RECORDED_RATE = Definition(
    "Rate by the records alone",
    "departed late and no departure recorded, in percent of expected departures",
    DHS,
)
RATE = Definition(
    "Overstay rate (estimated)",
    "departed late and probably still here, in percent of expected departures; late departures "
    "that nobody recorded are part of it",
    OURS,
)
INTERVAL = Definition(
    "95% interval",
    "made by a rule that holds the true number in 19 of 20 such cases; assumptions it rests on "
    "are told under each estimate's method, and bounds say what happens if those who never come "
    "back differ from those who do",
    OURS,
)
FINAL = Definition(
    "Where the final figure will lie",
    "a 95% prediction interval: later records will move this number, and its last version will "
    "lie within in 19 of 20 such cases",
    OURS,
)

# Short codes of estimates, in words. A code that is not here is shown as it is.
WHY = {
    "small": "fewer than the smallest cell",
    "small_change": "changed by fewer than the smallest cell",
    "nothing_expected": "nothing was expected",
    "not_released": "not released",
    "not_a_number": "no finite number was given",
}


@dataclass(frozen=True)
class ClassGroup:
    """Classes of admission that a report tells together."""

    key: str
    title: str
    classes: tuple[str, ...]


US_GROUPS = (
    ClassGroup("waiver", "Visa waiver", ("VWP", "WB", "WT", "GB", "GT")),
    ClassGroup(
        "visitors", "Business or pleasure, with a visa",
        ("B1", "B2", "B1/B2", "B-1", "B-2", "VISIT"),
    ),
    ClassGroup(
        "students", "Students and exchange visitors",
        ("F", "M", "J", "F1", "F2", "M1", "M2", "J1", "J2", "F/M/J", "STUDY"),
    ),
)  # fmt: skip
UK_GROUPS = (
    ClassGroup("study", "Study", ("STUDY",)),
    ClassGroup("visit", "Visit", ("VISIT",)),
    ClassGroup("work", "Work", ("WORK",)),
    ClassGroup("family", "Family", ("FAMILY",)),
)
REST = "other"


def say_why(code: str) -> str:
    return WHY.get(code, code.replace("_", " "))


def say_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def say_period(span: Span, first: date) -> str:
    """A span in words; a year that does not begin in January by its two ends."""
    if span == Span.DAY:
        return say_day(first)
    if span == Span.MONTH:
        return f"{first:%B %Y}"
    if (first.month, first.day) == (1, 1):
        return f"the year {first.year}"
    last = first.replace(year=first.year + 1) - timedelta(days=1)
    return f"{say_day(first)} to {say_day(last)}"
