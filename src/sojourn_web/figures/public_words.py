"""How published figures are said: with their interval, negative ones explained, periods in words.

In: FIGURES' values. Out: words. Values are clamped at zero and rounded here, for display alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import floor
from typing import Any

from sojourn.release.formats import METHODS, QUANTITIES, nationality_names
from sojourn_web.figures.wording import SPANS

MINUS = "\N{MINUS SIGN}"
DIMENSIONS = {
    "nationality": "Nationality",
    "mode": "Mode of travel",
    "admission_class": "Class of admission",
}
ALL_OF = {
    "nationality": "all nationalities", "mode": "all modes of travel",
    "admission_class": "all classes of admission",
}  # fmt: skip
TABLES = {
    "total": "In total",
    "nationality": "By nationality",
    "nationality_mode_class": "By nationality, mode and class",
    "estimates": "Overstays, estimated",
    "reentries": "Re-entries",
}
# In the order in which a reader asks; others follow by name.
ORDER = (
    "arrivals", "arrived", "departures", "departed", "expected_departures", "permission_ended",
    "departed_in_time", "left_in_time", "departed_late", "left_late", "status_changed",
    "no_departure_recorded", "left_unrecorded", "probably_still_here", "overstay_rate",
    "recorded_rate", "reentry_seen", "reentry_not_seen",
)  # fmt: skip
# What is computed from one count alone, and that count as it was drawn.
DRAWN = {
    "arrivals": "arrived", "departures": "departed", "expected_departures": "permission_ended",
    "departed_in_time": "left_in_time", "departed_late": "left_late",
}  # fmt: skip
MISSING = "not available"
NOT_TOLD = {
    "cell_key": "suppressed", "too_noisy": "too noisy to tell",
    "no_reentries": "too few re-entries to tell", "too_young": "too early to tell",
}  # fmt: skip


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
        return Said(NOT_TOLD.get(row["method"], MISSING), "")
    step = 0 if is_share(row["quantity"]) else step_of(_error_of(row))
    value, low, high = (row[n] for n in ("value", "lower", "upper"))
    interval = "" if low is None else f"{_say(low, step)} to {_say(high, step)}"
    return Said(_say(value, step), interval, say_exact(value) if value < 0 else "")


def _error_of(row: dict[str, Any]) -> float | None:
    """A standard deviation: the noise's, or for an estimate as its range has it."""
    if row["noise_sd"] is not None or row["lower"] is None:
        return row["noise_sd"]  # type: ignore[no-any-return]
    return float(row["upper"] - row["lower"]) / (2 * 1.96)


def step_of(noise_sd: float | None) -> int:
    """To what a count is rounded for display: the largest of 1, 5, 10, 50, ... that is half of the
    noise's deviation at most. Never before a sum."""
    steps = [f * 10**k for k in range(12) for f in (1, 5) if f * 10**k <= (noise_sd or 0.0) / 2]
    return max(steps, default=1)


def say_exact(value: float | None) -> str:
    """As published: with its sign."""
    if value is None:
        return MISSING
    text = f"{abs(value):,.0f}" if value == round(value) else f"{abs(value):,.1f}"
    return f"{MINUS}{text}" if value < 0 else text


def say_change(now: float | None, before: float | None, share: bool = False) -> str:  # noqa: FBT
    """Of a share in points of a hundred."""
    if now is None or before is None:
        return "first" if before is None else MISSING
    change = now - before
    if share:
        return f"{100 * change:+.2f} points".replace("-", MINUS)
    return "none" if not change else f"{'+' if change > 0 else ''}{say_exact(change)}"


def is_share(quantity: str) -> bool:
    return quantity.endswith("_rate")


def _say(value: float, step: int) -> str:
    """At zero or above. ``step`` 0: a share."""
    value = max(0.0, value)
    return f"{step * floor(value / step + 0.5):,}" if step else f"{100 * value:.2f}%"


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


def say_cell(places: dict[str, str]) -> str:
    """What a figure covers: of each dimension its word with its code, or all."""
    said = []
    for dimension, code in places.items():
        word = place_of(dimension, code) if code else ALL_OF[dimension]
        known = dimension == "nationality" and code and word != code.capitalize()
        said.append(f"{word} ({code})" if known else word)
    return ", ".join(said)


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


def columns_of(quantities: set[str]) -> list[str]:
    """A table's columns: a count as drawn is left to its own page where what is computed from it
    stands here."""
    quantities = quantities - {DRAWN[q] for q in quantities if q in DRAWN}
    known = [q for q in ORDER if q in quantities]
    return known + sorted(quantities - set(known))
