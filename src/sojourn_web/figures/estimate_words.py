"""How estimates are said: numbers with their ranges, and why a number is wide or missing.

In: numbers and codes of ESTIMATES. Out: words. A count under SMALLEST is never said as a number,
an estimate's ends included. A code of ``why`` that is not here is named, not swallowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sojourn.release.formats import nationality_names
from sojourn.vocabulary import Span

SMALLEST = 10  # as policy's smallest cell; the library hides, this rounds what is left
NOT_GIVEN = "not given"
FEWEST = "fewer than 1 in 1,000"  # in the place of a share that rounds to none of a hundred
RATES = ("overstay_rate", "recorded_rate")
QUANTITIES = {
    "arrivals": "Arrivals",
    "departures": "Departures",
    "expected_departures": "Stays whose permission ended",
    "departed_in_time": "Left in time",
    "departed_late": "Left late",
    "status_changed": "Status changed",
    "no_departure_recorded": "No departure recorded",
    "left_unrecorded": "Left, but nobody recorded it",
    "probably_still_here": "Probably still here",
    "overstay_rate": "Overstay rate",
    "recorded_rate": "What the records alone would say",
    "departures_by_mode": "Departures by this mode",
    "bookings_never_flown": "Bookings never flown",
    "arrivals_by_lists": "Arrivals, from two lists",
    "departures_by_lists": "Departures, from two lists",
}
_TWO_LISTS = (
    "Estimated, from how many of the border's list are in the carriers'. The range takes it that "
    "each misses travellers whether or not the other does, which nobody can test; the bounds let "
    "one list's travellers be in the other up to three times as likely (odds), or half"
)
# Where each number comes from.
ORIGINS = {
    "expected_departures": "Recorded; reports that are still to come are added",
    "departed_in_time": "Recorded; reports to come added, wrong links taken off",
    "departed_late": "Recorded; reports to come added, wrong links taken off",
    "status_changed": "Recorded; reports to come added",
    "left_unrecorded": "Estimated, from travellers who arrived again and so must have left",
    "probably_still_here": "Estimated: the rest. True of the sum, never of one stay",
    "no_departure_recorded": "Recorded, as it stands",
    "overstay_rate": "Estimated: left late and probably still here, of 100",
    "recorded_rate": "Recorded: left late and no departure recorded, of 100",
    "departures_by_mode": "The number is what was seen. Nobody sees by which mode an unseen "
    "traveller left: at most, all of them by this one",
    "bookings_never_flown": "Estimated: bookings that nobody saw leave, less those whom border "
    "and carrier both missed. Takes it that each misses travellers whether or not the other does",
    "arrivals_by_lists": _TWO_LISTS,
    "departures_by_lists": _TWO_LISTS,
}


@dataclass(frozen=True)
class Why:
    """``said`` follows "because"; ``todo`` is a sentence of its own."""

    said: str
    todo: str


WHYS = {
    "small": Why(
        "fewer than ten stays lie under it, or it would give such a cell away",
        "Choose a longer period or a broader group.",
    ),
    "no_reentries": Why(
        "nobody who came by one of the modes of travel has arrived again, so nothing tells how "
        "many of its departures go unseen",
        "It will come when travellers return. Until then, choose another mode of travel.",
    ),
    "few_reentries": Why(
        "few travellers of this kind have arrived again, so what their whole mode of travel shows "
        "was used",
        "Read the range, not the number in its middle.",
    ),
    "source_silent": Why(
        "a source stopped telling before the period was over",
        "See which source is silent, have its records sent, and estimate anew. If it will never "
        "tell again, or tells under another name, name it in the policy: retired_sources under "
        "[estimate].",
    ),
    "clock_jumped": Why(
        "a source sent records that lie in the future, so its clock cannot be trusted",
        "Have the source put its clock right and send the records again.",
    ),
    "delays_changed": Why(
        "a source tells later, or sooner, than it used to",
        "Ask the source what has changed. The range narrows when the period is older.",
    ),
    "no_delays": Why(
        "nobody has yet watched how reports of a month come in (a history that was loaded says "
        "nothing of it), so what is still to come is unknown",
        "Wait until one month has been watched to its end, then estimate anew.",
    ),
    "short_history": Why(
        "few months, or none, have been watched so far, so little is known of reports that come "
        "late",
        "The range narrows with each month that is watched.",
    ),
    "returning_unlike": Why(
        "departures of travellers who return later were recorded more often, or less often, than "
        "of those who return soon; those who never return may differ further",
        "Read the outer bounds before the range.",
    ),
    "coverage_drifts": Why(
        "the share of departures that are recorded has been rising or falling over the months, so "
        "each month is told by the travellers who came in that time alone",
        "Look for what changed at the sources; read the range meanwhile.",
    ),
    "months_scatter": Why(
        "the share of departures that are recorded differs from month to month by more than "
        "chance: whole lists get lost",
        "Look for missing lists of the sources; read the range meanwhile.",
    ),
    "linking_unjudged": Why(
        "it is not known how many links are missed or wrong: nobody has tried it out yet, or "
        "records bear no document number to try it with",
        "The office runs sojourn quality --assess, then sojourn estimate. Without document "
        "numbers there is a range all the same: read that.",
    ),
    "no_bookings": Why("no list of bookings is held", "Have a carrier send its bookings."),
    "one_list": Why(
        "only one of border and carrier tells of this mode of travel, so nothing shows what it "
        "misses", "Have the other send its list.",
    ),
    "few_in_both": Why(
        "next to nobody is in both lists, so they cannot be held against each other",
        "See whether the two lists are of the same days and ports.",
    ),
    "too_early": Why(
        "next to nothing of the day has been reported yet", "Look again tomorrow."
    ),
    "to_date": Why(
        "the period is not over: it is counted up to the day of the estimate",
        "Do not compare it with a whole period.",
    ),
}  # fmt: skip


def say_why(code: str) -> Why:
    return WHYS.get(code) or Why(
        f"the estimators say \N{LEFT DOUBLE QUOTATION MARK}{code.replace('_', ' ')}"
        "\N{RIGHT DOUBLE QUOTATION MARK}", "Ask the statistics office what it means.",
    )  # fmt: skip


def say_remark(standing: str, why: str) -> str:
    """What stands beside a number, or in its place; empty where nothing is to be said."""
    if not why:
        return ""
    found = say_why(why)
    if standing == "cannot":
        return f"No number can be given, because {found.said}. {found.todo}"
    if why == "to_date":
        return f"{found.said.capitalize()}. {found.todo}"
    return f"The range is wider than usual, because {found.said}. {found.todo}"


def say_short(standing: str, why: str) -> str:
    """The same for a table's cell."""
    if not why:
        return ""
    words = "no number: " if standing == "cannot" else "" if why == "to_date" else "wider: "
    return words + SHORT.get(why, why.replace("_", " "))


SHORT = {
    "small": "hidden, for it is small or would give a small one away",
    "no_reentries": "nobody has arrived again",
    "few_reentries": "few have arrived again",
    "source_silent": "a source is silent",
    "clock_jumped": "a clock is wrong",
    "delays_changed": "a source's delay changed",
    "no_delays": "no month watched yet",
    "short_history": "few months watched",
    "returning_unlike": "those who return late differ",
    "coverage_drifts": "what is recorded drifts",
    "months_scatter": "lists get lost",
    "linking_unjudged": "links not tried out",
    "no_bookings": "no bookings held",
    "one_list": "one list alone",
    "few_in_both": "next to nobody in both lists",
    "too_early": "too early to tell",
    "to_date": "so far",
}


def say_number(quantity: str, value: float | None) -> str:
    if value is None:
        return NOT_GIVEN
    return f"{say_share(value)}%" if quantity in RATES else say_count(value)


def say_count(value: float) -> str:
    return f"{value:,.0f}" if round(value) >= SMALLEST else f"fewer than {SMALLEST}"


def is_too_small(share: float) -> bool:
    """Whether a share would round to none of a hundred: then it has no number of its own."""
    return 100 * share < 0.05


def say_share(share: float) -> str:
    """Of a hundred, with one decimal under ten."""
    hundred = 100 * max(0.0, share)
    if is_too_small(share):
        return "under 0.1"
    return f"{hundred:.1f}" if hundred < 9.95 else f"{hundred:.0f}"


def say_in_hundred(share: float) -> str:
    """The same where "of 100" has not been said before."""
    return FEWEST if is_too_small(share) else f"{say_share(share)} in 100"


def say_range(quantity: str, lower: float | None, upper: float | None) -> str:
    """'a to b'; 'at most b' where the lower end is too small to be told; '' where they are one."""
    if lower is None or upper is None:
        return ""
    if quantity in RATES:
        low, high = say_share(lower), say_share(upper)
        if low == high:
            return f"{high}%" if high.startswith("under") else ""
        return f"at most {high}%" if low.startswith("under") else f"{low}% to {high}%"
    if round(lower) < SMALLEST:
        return f"at most {max(upper, SMALLEST):,.0f}"
    return "" if round(lower) == round(upper) else f"{lower:,.0f} to {upper:,.0f}"


def say_points(change: float) -> str:
    """A change of a share, in percentage points."""
    points = 100 * abs(change)
    return "under 0.1 points" if points < 0.05 else f"{points:.1f} points"


def say_period(span: str, first: str) -> str:
    """A span in words; a year that does not begin in January by its two ends."""
    day = date.fromisoformat(first)
    if span == "day":
        return say_day(day)
    if span == "month":
        return f"{day:%B %Y}"
    if day.month == 1:
        return str(day.year)
    return f"{day:%B %Y} to {last_day(span, first):%B %Y}"


def last_day(span: str, first: str) -> date:
    return Span(span).last_day(date.fromisoformat(first))


def say_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def say_group(dimension: str, code: str) -> str:
    """A nationality, mode or class in words."""
    names = nationality_names() if dimension == "nationality" else {}
    if code in names:
        return names[code][1]
    return code.capitalize() if dimension == "mode" or code == "unknown" else code
