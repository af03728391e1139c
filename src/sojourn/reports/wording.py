"""The words of reports: what each term means, by whom, and what short codes say.

In: nothing. Out: ``Definition``s, ``ClassGroup``s, sentences. An office's own term is quoted as
that office's, with where it was read; ours stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sojourn.reports.report import Definition, Kind
from sojourn.vocabulary import Span

DHS = "US Department of Homeland Security, Entry/Exit Overstay Report"
HOME_OFFICE = "UK Home Office, Fifth report on statistics relating to exit checks (2020)"
OURS = "Sojourn, docs/explanation/outcomes.md"

# Heads of columns: which numbers sum with which.
PUT_RIGHT = "Records, put right"
AS_THEY_STAND = "Records, as they stand"

EXPECTED = Definition(
    "Expected departures",
    "stays whose permitted period ended in the period; one traveller may have several",
    DHS,
)
LATE = Definition("Departed late", "left after the last permitted day, by records put right", DHS)
WITHOUT = Definition(
    "Without a departure",
    "the rest, once records are put right; this is not the same as still here",
    OURS,
)
RIGHTED = Definition(
    PUT_RIGHT,
    "records as the office holds them; reports that are still to come are added and, in "
    "estimates for the steward, wrong links are taken off. So these numbers may differ from those "
    "that stand in the records, and they sum where the latter would not",
    OURS,
)
OPEN = Definition(
    "No departure recorded",
    "the permitted period has ended and no departure is known, as the records stand: links that "
    "are wrong or missed and reports that are late included. It does not sum with the numbers "
    "that were put right, and is not the same as still here",
    OURS,
)
LEFT = Definition(
    "Left unrecorded (modelled)",
    "of those without a departure, how many have left all the same: departures that "
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
    "departed late and no departure recorded, both as the records stand, in percent of expected "
    "departures",
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

# Short codes in words, which stand alone or after "widened:". A code that is not here is shown as
# it is. Reports' own:
OWN_WHY = {
    "small_change": "changed by fewer than the smallest cell",
    "nothing_expected": "nothing was expected",
    "month_not_over": "the month is not over",
    "not_released": "not released",
    "not_a_number": "no finite number was given",
}
# Of estimates (docs/explanation/how-honest.md) and of released ones.
WHY = {
    **OWN_WHY,
    "small": "fewer than the smallest cell",
    "no_reentries": "nobody of that mode of travel has arrived again",
    "few_reentries": "few of that kind have arrived again",
    "source_silent": "a source is silent",
    "clock_jumped": "a source's clock is wrong",
    "delays_changed": "a source's reports take longer, or less long, than before",
    "no_delays": "nobody has watched yet how late reports come in",
    "short_history": "few months have been watched",
    "returning_unlike": "those who return late are seen to leave more often, or less often",
    "coverage_drifts": "the share of departures that are recorded drifts",
    "months_scatter": "whole lists get lost",
    "linking_unjudged": "links were not tried out",
    "no_bookings": "no bookings are held",
    "one_list": "one list alone tells of it",
    "few_in_both": "next to nobody is in both lists",
    "too_early": "it is too early to tell",
    "to_date": "the period is not over",
    "too_noisy": "noise would decide the number",
    "too_young": "it is not known yet how much late reports add",
    "cell_key": "suppressed",
    "lost": "lost after its noise was paid for",
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
    return f"{say_day(first)} to {say_day(span.last_day(first))}"


def say_so_far(period: str, until: date | None) -> str:
    """A period in words; of one that is not told whole also up to which day it is."""
    return period if until is None else f"{period}, so far: up to {say_day(until)}"


def notes_on(kind: Kind, until: date | None) -> tuple[str, ...]:
    """What a reader must know of such numbers first. ``until``: as ``say_so_far``."""
    notes = []
    if until is not None:
        notes.append(
            f"The period is told up to {say_day(until)} only: stays whose permission ends later "
            "are not in it yet. Do not compare it with a whole one."
        )
    if kind == Kind.PUBLIC:
        notes.append(
            "Released figures are completed for reports still to come. Wrong links are not taken "
            "off, for nothing is released of them."
        )
    return tuple(notes)
