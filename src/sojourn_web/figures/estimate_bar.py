"""Left, probably still here, unknown: one bar for a period, as numbers for an inline SVG.

In: the parts of a period's stays. Out: where segments go and what stands beside them. Of what is
modelled the bar shows the lower end alone; what lies between the ends is unknown, and so is what
is too small to be told. Segments are a hundred together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sojourn_web.figures.estimate_words import SMALLEST, say_count, say_number, say_share
from sojourn_web.figures.statistics import Estimated

WIDTH, GAP, THINNEST = 1000.0, 4.0, 3.0
LABELS = {
    "recorded": "Left, by the records",
    "modelled": "Left, though nobody recorded it (modelled)",
    "unknown": "Unknown: left or still here",
    "here": "Probably still here (modelled)",
    "changed": "Got another permission",
}


@dataclass(frozen=True)
class Segment:
    state: str
    x: float
    width: float


@dataclass(frozen=True)
class State:
    state: str
    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Bar:
    segments: tuple[Segment, ...]
    states: tuple[State, ...]
    words: str  # the bar for who cannot see it


def build_bar(found: Mapping[str, Estimated]) -> Bar | None:
    """None where a part has no number: then the page says why in words."""
    whole, parts = _number(found, "expected_departures"), _parts(found)
    if parts is None or not whole:
        return None
    told = {k: v for k, v in parts.items() if round(v) >= SMALLEST}
    told["unknown"] = max(0.0, whole - sum(told.values()))
    states = tuple(_state(k, told, whole, found) for k in LABELS)
    words = "; ".join(f"{s.label}: {s.value}" for s in states)
    return Bar(_segments(told), states, f"Of all stays whose permission ended. {words}")


def _parts(found: Mapping[str, Estimated]) -> dict[str, float] | None:
    """What is sure of each state; late exits that are hidden are left to the unknown."""
    in_time, changed = _number(found, "departed_in_time"), _number(found, "status_changed")
    if in_time is None or changed is None:
        return None
    return {
        "recorded": in_time + (_number(found, "departed_late") or 0.0),
        "modelled": _sure(found, "left_unrecorded"),
        "here": _sure(found, "probably_still_here"),
        "changed": changed,
    }


def _sure(found: Mapping[str, Estimated], quantity: str) -> float:
    return (found[quantity].lower or 0.0) if quantity in found else 0.0


def _number(found: Mapping[str, Estimated], quantity: str) -> float | None:
    return found[quantity].value if quantity in found else None


def _segments(told: Mapping[str, float]) -> tuple[Segment, ...]:
    shown = [k for k in LABELS if told.get(k, 0.0) > 0]
    whole = sum(told[k] for k in shown)
    room = WIDTH - GAP * (len(shown) - 1)
    widths = [max(THINNEST, room * told[k] / whole) for k in shown]
    out, x = [], 0.0
    for state, width in zip(shown, widths, strict=True):
        fitted = width * room / sum(widths)
        out.append(Segment(state, round(x, 1), round(fitted, 1)))
        x += fitted + GAP
    return tuple(out)


_BEST = {"modelled": "left_unrecorded", "here": "probably_still_here"}


def _state(
    state: str, told: Mapping[str, float], whole: float, found: Mapping[str, Estimated]
) -> State:
    value = told.get(state)
    if state in _BEST:
        best = found.get(_BEST[state])
        if best is None or best.value is None:
            note = "hidden, so all of it is unknown" if _is_small(best) else "cannot be estimated"
            return State(state, LABELS[state], "not told", note)
        said = f"at least {say_share(value / whole)} of 100" if value else "nobody for sure"
        note = f"likeliest: {say_number(best.quantity, best.value)} stays"
        return State(state, LABELS[state], said, note)
    said = f"{say_share(value / whole)} of 100" if value else say_count(0)
    return State(state, LABELS[state], said, _NOTES.get(state, ""))


_NOTES = {"unknown": "what the range leaves open"}


def _is_small(row: Estimated | None) -> bool:
    return row is not None and row.why == "small"
