"""How published figures are said: with their interval, negative ones explained, periods in words.

In: FIGURES' values. Out: words. Values are clamped at zero and rounded here, for display alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sojourn.release.formats import METHODS, QUANTITIES, nationality_names
from sojourn_web.figures.wording import SPANS

MINUS = "\N{MINUS SIGN}"
DIMENSIONS = {
    "nationality": "Nationality",
    "mode": "Mode of travel",
    "admission_class": "Class of admission",
}
TABLES = {
    "total": "In total",
    "nationality": "By nationality",
    "nationality_mode_class": "By nationality, mode and class",
}
# In the order in which a reader asks; others follow by name.
ORDER = ("arrived", "departed", "permission_ended", "left_in_time", "left_late", "status_changed",
         "no_departure_recorded")  # fmt: skip
MISSING = "not available"


@dataclass(frozen=True)
class Said:
    """A value as shown; ``published`` is the number itself where it is shown otherwise."""

    value: str
    interval: str
    published: str = ""

    @property
    def negative(self) -> bool:
        return bool(self.published)


def say_figure(row: dict[str, Any]) -> Said:
    """One row of FIGURES."""
    if row["value"] is None:
        return Said("suppressed" if row["method"] == "cell_key" else MISSING, "")
    share = is_share(row["quantity"])
    value, low, high = (row[n] for n in ("value", "lower", "upper"))
    shown = Said(_say(value, share), "" if low is None else say_range(low, high, share))
    if value < 0:
        return Said(_say(0.0, share), shown.interval, say_exact(value))
    return shown


def say_range(low: float, high: float, share: bool = False) -> str:
    return f"{_say(max(0.0, low), share)} to {_say(max(0.0, high), share)}"


def say_exact(value: float | None) -> str:
    """As published: with its sign."""
    if value is None:
        return MISSING
    text = f"{abs(value):,.0f}" if value == round(value) else f"{abs(value):,.1f}"
    return f"{MINUS}{text}" if value < 0 else text


def say_change(now: float | None, before: float | None) -> str:
    if now is None or before is None:
        return "first" if before is None else MISSING
    change = now - before
    return "none" if not change else f"{'+' if change > 0 else ''}{say_exact(change)}"


def is_share(quantity: str) -> bool:
    return quantity.endswith("_rate")


def _say(value: float, share: bool) -> str:
    return f"{100 * value:.2f}%" if share else f"{value:,.0f}"


def label_of(quantity: str) -> str:
    return QUANTITIES[quantity].label if quantity in QUANTITIES else plain(quantity).capitalize()


def definition_of(quantity: str) -> str:
    return QUANTITIES[quantity].definition if quantity in QUANTITIES else ""


def method_of(method: str) -> tuple[str, str]:
    found = METHODS.get(method)
    return (found.label, found.definition) if found else (plain(method), "")


def table_of(release_table: str) -> str:
    return TABLES.get(release_table, plain(release_table).capitalize())


def place_of(dimension: str, code: str) -> str:
    """A code in words; the empty one is the total."""
    if not code:
        return "All"
    if dimension == "nationality" and code in nationality_names():
        return nationality_names()[code][1]
    return code.capitalize()


def period_of(span: str, period: date) -> str:
    """2026-10-01 as 1 October 2026, October 2026 or 2026."""
    if span == "year":
        return str(period.year)
    return f"{period:%B %Y}" if span == "month" else say_day(period)


def say_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def span_of(span: str) -> str:
    return SPANS.get(span, span)


def plain(code: str) -> str:
    return code.replace("_", " ")


def in_order(quantities: set[str]) -> list[str]:
    known = [q for q in ORDER if q in quantities]
    return known + sorted(quantities - set(known))
