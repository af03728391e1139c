"""How numbers, times and outcomes are said on pages."""

from __future__ import annotations

from datetime import datetime

OUTCOMES = {
    "departed_in_time": "Departed in time",
    "departed_late": "Departed late",
    "no_departure_recorded": "No departure recorded",
    "status_changed": "Status changed",
    "within_period": "Within permitted period",
    "departed_no_limit": "Departed, no limit known",
    "open_no_limit": "Open, no limit known",
    "departure_without_arrival": "Departure without arrival",
}
SPANS = {"day": "Day", "month": "Month", "year": "Year"}
BREAKDOWNS = {
    "nationality": "Nationality",
    "mode": "Mode of travel",
    "admission_class": "Class of admission",
    "total": "In total",
}
HIDDEN = "hidden"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def say_ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "nothing yet"
    seconds = max(0, int((now - moment).total_seconds()))
    return "just now" if seconds < 2 else f"{say_span(seconds)} ago"


def say_span(seconds: float) -> str:
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}s"
    whole = round(seconds)
    return "1 second" if whole == 1 else f"{whole:,} seconds"


def say_value(value: int | None) -> str:
    return HIDDEN if value is None else f"{value:,}"
