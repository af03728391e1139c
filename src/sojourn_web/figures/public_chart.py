"""A line with its band of uncertainty, as numbers for an inline SVG. It needs no script.

In: values by day, each with its interval. Out: where lines, band, ticks and dots go. Lowest is
zero: what is negative is drawn as zero, and the table below the chart says what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10

from sojourn_web.figures.public_words import Said

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 30
WIDE, NARROW = (960, 320), (344, 250)


@dataclass(frozen=True)
class Point:
    """``value`` None: nothing was published for the day. ``said``: the same for the table."""

    day: date
    value: float | None
    lower: float | None
    upper: float | None
    words: str
    said: Said


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Drawing:
    """One size of the chart; ``bands`` and ``lines`` are SVG points, one for each unbroken run."""

    name: str
    width: int
    height: int
    bands: tuple[str, ...]
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left: int = LEFT

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def floor(self) -> int:
        return self.height - BOTTOM

    @property
    def text_floor(self) -> int:
        return self.height - 8


@dataclass(frozen=True)
class Axes:
    """``least``: the smallest step between two lines; ``unit`` is written behind its numbers."""

    day: str = "%-d %b"
    least: float = 1.0
    unit: str = ""


DAYS, MONTHLY_SHARES = Axes(), Axes("%b %Y", 0.1, "%")


def draw(points: Sequence[Point], axes: Axes = DAYS) -> tuple[Drawing, ...]:
    """The chart for wide and for narrow screens; none where there are fewer than two points."""
    if sum(p.value is not None for p in points) < 2:
        return ()
    return (_draw(points, axes, "wide", *WIDE), _draw(points, axes, "narrow", *NARROW))


def _draw(
    points: Sequence[Point], axes: Axes, name: str, width: int, height: int
) -> Drawing:  # fmt: skip
    highest = max(max(0.0, p.upper or p.value or 0.0) for p in points)
    steps = nice_steps(highest, axes.least)
    inner, tall = width - LEFT - RIGHT, height - TOP - BOTTOM

    def x(place: int) -> float:
        return round(LEFT + inner * place / (len(points) - 1), 1)

    def y(value: float) -> float:
        return round(TOP + tall * (1 - max(0.0, value) / (steps[-1] or 1.0)), 1)

    bands, lines, dots = [], [], []
    for run in _runs(points):
        over = [(x(i), y(_or(points[i].upper, points[i].value))) for i in run]
        under = [(x(i), y(_or(points[i].lower, points[i].value))) for i in reversed(run)]
        bands.append(_points([*over, *under]))
        middle = [(x(i), y(_or(points[i].value, 0.0))) for i in run]
        lines.append(_points(middle))
        dots += [Dot(*place, points[i].words) for i, place in zip(run, middle, strict=True)]
    every = max(1, round(len(points) / (3 if name == "narrow" else 8)))
    across = tuple(
        Tick(x(i), f"{points[i].day:{axes.day}}") for i in range(every // 2, len(points), every)
    )
    up = tuple(Tick(y(step), f"{_plain(step)}{axes.unit}") for step in steps)
    return Drawing(name, width, height, tuple(bands), tuple(lines), tuple(dots), across, up)


def nice_steps(highest: float, least: float = 1.0) -> tuple[float, ...]:
    """Round numbers from 0 to ``highest`` or a little over: at most six."""
    if highest <= 0:
        return (0.0, 1.0)
    size = 10.0 ** floor(log10(highest))
    step = next(size * m for m in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0) if highest <= 5 * size * m)
    step = max(least, step)
    count = int(-(-highest // step))
    return tuple(step * n for n in range(count + 1))


def _plain(step: float) -> str:
    return f"{step:,.0f}" if step == round(step) else f"{step:,.2f}".rstrip("0")


def _runs(points: Sequence[Point]) -> list[list[int]]:
    """Places of values that follow each other without a gap."""
    runs: list[list[int]] = []
    for i, point in enumerate(points):
        if point.value is None:
            continue
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _or(value: float | None, other: float | None) -> float:
    return value if value is not None else (other or 0.0)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)
