"""A birth date on a page: asked in the calendar in which somebody knows it, shown both ways.

In: what was typed, or what is stored. Out: the text that the services take; what ``_date.html``
shows. Raises RefusedError for impossible days.
"""

from __future__ import annotations

from collections.abc import Mapping

from sojourn_web.cases.applicant import calendars
from sojourn_web.cases.applicant.calendars import Calendar
from sojourn_web.cases.applicant.gate import Asked
from sojourn_web.cases.applicant.languages import current_language


def typed_date(typed: Mapping[str, str]) -> str:
    return calendars.write_date(
        _calendar(typed.get("calendar", "")), typed.get("year", ""), typed.get("month", ""),
        typed.get("day", ""), about=typed.get("about") == "yes",
    )  # fmt: skip


def _calendar(name: str) -> Calendar:
    known = name in Calendar._value2member_map_
    return Calendar(name) if known else Calendar.GREGORIAN


def date_context(asked: Asked, stored: str) -> dict[str, object]:
    home = calendars.OF_LANGUAGE.get(current_language().code, Calendar.GREGORIAN)
    chosen = asked.typed.get("calendar") or asked.request.GET.get("calendar", "")
    # A part of a date loses by being converted: it is offered as it stands, so that saving it
    # again changes nothing.
    in_part = bool(stored) and len(stored.removeprefix("~").split("-")) < 3
    calendar = _calendar(chosen) if chosen else Calendar.GREGORIAN if in_part else home
    ours, theirs = calendars.both_ways(stored, calendar)
    shown = (theirs or ours).removeprefix("~").split("-") if stored else []
    parts = dict(zip(("year", "month", "day"), [*shown, "", "", ""], strict=False))
    typed = asked.typed
    about = typed.get("about") == "yes" if typed else (theirs or ours).startswith("~")
    return {
        "calendars": tuple((c.value, label) for c, label in calendars.NAMES.items()),
        "calendar": calendar.value, "calendar_name": calendars.NAMES[calendar],
        "ours": ours.removeprefix("~"), "theirs": theirs.removeprefix("~"),
        "about": about,
        "parts": {k: typed.get(k, v) for k, v in parts.items()},
    }  # fmt: skip
