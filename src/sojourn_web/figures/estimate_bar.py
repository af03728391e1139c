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
    in_time, late, changed = (
        _number(found, q) for q in ("departed_in_time", "departed_late", "status_changed")
    )
    left, here = (found.get(q) for q in ("left_unrecorded", "probably_still_here"))
    if in_time is None or late is None or changed is None or left is None or here is None:
        return None
    if left.lower is None or here.lower is None:
        return None
    return {
        "recorded": in_time + late, "modelled": left.lower, "here": here.lower,
        "changed": changed,
    }  # fmt: skip


def _number(found: Mapping[str, Estimated], quantity: str) -> float | None:
    return found[quantity].value if quantity in found else None


def _segments(told: Mapping[str, float]) -> tuple[Segment, ...]:
    shown = [k for k in LABELS if told.get(k, 0.0) > 0]
    whole = sum(told[k] for k in shown)
    room = WIDTH - GAP * (len(shown) - 1)
    widths = [max(THINNEST, room * told[k] / whole) for k in shown]
    out, x = [], 0.0
    for state, width in zip(shown, widths, strict=True):
        width *= room / sum(widths)
        out.append(Segment(state, round(x, 1), round(width, 1)))
        x += width + GAP
    return tuple(out)


_BEST = {"modelled": "left_unrecorded", "here": "probably_still_here"}


def _state(
    state: str, told: Mapping[str, float], whole: float, found: Mapping[str, Estimated]
) -> State:
    value = told.get(state)
    modelled = state in _BEST
    if not value:
        said = "nobody for sure" if modelled else say_count(0)
    else:
        least = "at least " if modelled else ""
        said = f"{least}{say_share(value / whole)} of 100"
    note = ""
    if modelled:
        best = found[_BEST[state]]
        note = f"likeliest: {say_number(best.quantity, best.value)} stays"
    elif state == "unknown":
        note = "what the range leaves open"
    return State(state, LABELS[state], said, note)
