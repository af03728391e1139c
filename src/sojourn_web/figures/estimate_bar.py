"""Left, probably still here, unknown: one bar for a period, as numbers for an inline SVG.

In: the parts of a period's stays. Out: where segments go and what stands beside them. Of what is
modelled the bar shows the lower end alone; what lies between the ends is unknown, and so is what
is too small to be told. Where parts are hidden, two rates still tell three states: settled by the
records, sure to have overstayed, sure to have left unseen; this tells no more than the rates do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sojourn_web.figures.estimate_words import (
    SMALLEST,
    is_too_small,
    say_count,
    say_in_hundred,
    say_number,
)
from sojourn_web.figures.statistics import Estimated

WIDTH, GAP, THINNEST = 1000.0, 4.0, 3.0
ANY = 1e6  # stays, where shares are told and their whole is not
LABELS = {
    "recorded": "Left, by the records",
    "modelled": "Left, though nobody recorded it (modelled)",
    "unknown": "Unknown: left or still here",
    "here": "Probably still here (modelled)",
    "changed": "Got another permission",
}
LABELS_OF_RATES = {
    "recorded": "Left in time or got another permission, by the records",
    "modelled": "Left, though nobody recorded it (modelled)",
    "unknown": "Unknown: left or still here",
    "here": "Left late or probably still here (modelled)",
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
    """None where not even the records' rate is told: then the page says why in words."""
    whole = _number(found, "expected_departures") or 0.0
    parts, labels = _parts(found) if whole else None, LABELS
    if parts is None:
        whole = whole or ANY
        parts, labels = _from_rates(found, whole), LABELS_OF_RATES
    if parts is None:
        return None
    told = {k: v for k, v in parts.items() if round(v) >= SMALLEST}
    told["unknown"] = max(0.0, whole - sum(told.values()))
    states = tuple(_state(k, labels[k], told.get(k), whole, found) for k in labels)
    words = "; ".join(f"{s.label}: {s.value}" for s in states)
    return Bar(_segments(told), states, f"Of all stays whose permission ended. {words}")


def _parts(found: Mapping[str, Estimated]) -> dict[str, float] | None:
    """What is sure of each state."""
    in_time, late, changed, left, here = (_number(found, q) for q in _NEEDED)
    if in_time is None or late is None or changed is None or left is None or here is None:
        return None
    return {
        "recorded": in_time + late,
        "modelled": found["left_unrecorded"].lower or 0.0,
        "here": found["probably_still_here"].lower or 0.0,
        "changed": changed,
    }


_NEEDED = ("departed_in_time", "departed_late", "status_changed", "left_unrecorded",
           "probably_still_here")  # fmt: skip


def _from_rates(found: Mapping[str, Estimated], whole: float) -> dict[str, float] | None:
    naive, rate = found.get("recorded_rate"), found.get("overstay_rate")
    if naive is None or naive.value is None:
        return None
    parts = {"recorded": whole * (1 - naive.value)}
    if rate is not None and rate.lower is not None and rate.upper is not None:
        parts["modelled"] = whole * max(0.0, naive.value - rate.upper)
        parts["here"] = whole * rate.lower
    return parts


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
    state: str, label: str, value: float | None, whole: float, found: Mapping[str, Estimated]
) -> State:
    if state not in _BEST:
        said = say_in_hundred(value / whole) if value else say_count(0)
        note = "what the range leaves open" if state == "unknown" else ""
        return State(state, label, said, note)
    said = (
        "nobody for sure" if not value
        else "next to nobody for sure" if is_too_small(value / whole)
        else f"at least {say_in_hundred(value / whole)}"
    )  # fmt: skip
    best = found.get(_BEST[state])
    if best is None or best.value is None:
        if _number(found, "overstay_rate") is None:
            return State(state, label, "cannot be said", "so it is part of the unknown")
        return State(state, label, said, "hidden, for it would give a small number away")
    return State(state, label, said, f"likeliest: {say_number(best.quantity, best.value)} stays")
