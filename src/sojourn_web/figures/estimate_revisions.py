"""How a figure was revised: the same period as it was estimated on each day that is kept.

In: rows of ESTIMATES of the overstay rate. Out: one table and one drawing for a period, and how
large revisions were over all months, in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.estimate_pages import is_running
from sojourn_web.figures.public_chart import Drawing, Point, draw
from sojourn_web.figures.public_words import Said
from sojourn_web.figures.statistics import Estimated

SO_FAR = words.SHORT["to_date"]


@dataclass(frozen=True)
class Version:
    day: str
    value: str
    truth: str
    later: str
    change: str
    given: bool


@dataclass(frozen=True)
class History:
    """Of one period, newest version first; ``drawings`` is empty before there are two."""

    name: str
    versions: tuple[Version, ...]
    drawings: tuple[Drawing, ...]
    words: str


def build_history(rows: Sequence[Estimated], span: str, period: str) -> History:
    """``rows``: the rate of the totals, oldest first. What was said while the period ran is of a
    part of it: it is listed, and neither drawn nor compared with what is said of the whole."""
    mine = [r for r in rows if (r.span, r.period) == (span, period)]
    over = [r for r in mine if not _ran(r)]
    versions, before = [], None
    for row in mine:
        versions.append(_version(row, before))
        before = before if row.value is None or _ran(row) else row.value
    name = words.say_period(span, period)
    return History(
        name, tuple(versions[::-1]), draw([_point(r) for r in over]),
        _say_one(over, ran=len(over) < len(mine)),
    )  # fmt: skip


def _ran(row: Estimated) -> bool:
    return is_running(row.span, row.period, row.known_at)


def _version(row: Estimated, before: float | None) -> Version:
    day = words.say_day(date.fromisoformat(row.known_at))
    if row.value is None:
        return Version(day, words.say_short(row.standing, row.why), "", "", "", False)
    change = (
        SO_FAR if _ran(row)
        else "first" if before is None
        else _say_change(row.value - before)
    )  # fmt: skip
    return Version(
        day, words.say_number(row.quantity, row.value),
        words.say_range(row.quantity, row.lower, row.upper),
        words.say_range(row.quantity, row.later_lower, row.later_upper), change, True,
    )  # fmt: skip


def _say_change(change: float) -> str:
    if abs(change) < 0.0005:
        return "as before"
    return f"{'up' if change > 0 else 'down'} {words.say_points(change)}"


def _point(row: Estimated) -> Point:
    day = date.fromisoformat(row.known_at)
    value, truth = words.say_number(row.quantity, row.value), words.say_range(
        row.quantity, row.lower, row.upper
    )  # fmt: skip
    return Point(
        day, _hundred(row.value), _hundred(row.lower), _hundred(row.upper),
        f"{words.say_day(day)}: {value}, {truth}", Said(value, truth),
    )  # fmt: skip


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _say_one(rows: Sequence[Estimated], *, ran: bool) -> str:
    """``rows`` of a period that is over; ``ran``: it was estimated before its end as well."""
    told = [r for r in rows if r.value is not None]
    if ran and not rows:
        return "It is not over yet: each estimate is of a longer part of it, so none is compared."
    since = " since it was over" if ran else " so far"
    if not told:
        return f"No number could be given{since}."
    if len(told) == 1:
        return f"Estimated once{since}: there is no earlier figure to compare with."
    first, last = told[0], told[-1]
    change = (last.value or 0.0) - (first.value or 0.0)
    said = f"Estimated {len(told)} times{since if ran else ''}. "
    if abs(change) < 0.0005:
        said += "The newest figure is as the first."
    else:
        said += (
            f"From the first to the newest it went {_say_change(change)}: "
            f"{words.say_number(first.quantity, first.value)}, now "
            f"{words.say_number(last.quantity, last.value)}."
        )
    if (held := _held(first, last)) is not None:
        said += (
            " That is within what was expected at first." if held
            else " That is outside what was expected at first: later records said more than "
            "the first estimate knew."
        )  # fmt: skip
    return said


def _held(first: Estimated, last: Estimated) -> bool | None:
    """Whether what is said now lies in the range that was given for it at first."""
    if first.later_lower is None or first.later_upper is None or last.value is None:
        return None
    return first.later_lower <= last.value <= first.later_upper


def say_past(rows: Sequence[Estimated]) -> str:
    """How large revisions of months were that were over when they were first estimated."""
    months: dict[str, list[Estimated]] = {}
    for row in rows:
        told = row.span == "month" and row.value is not None
        if told and not _ran(row):
            months.setdefault(row.period, []).append(row)
    twice = [m for m in months.values() if len(m) > 1]
    if not twice:
        return "No month has been estimated twice yet, so nothing can be said of past revisions."
    moved = [abs((m[-1].value or 0.0) - (m[0].value or 0.0)) for m in twice]
    held = [h for m in twice if (h := _held(m[0], m[-1])) is not None]
    said = (
        f"{_count(len(twice))} so far estimated more than once. From first to newest estimate "
        f"the overstay rate moved by {words.say_points(median(moved))} in the middle case and by "
        f"{words.say_points(max(moved))} at most."
    )
    if held:
        said += (
            f" In {sum(held)} of {len(held)} the newest lies in the range that was given at first "
            "for what would be said later."
        )
    return said


def _count(months: int) -> str:
    return "One month was" if months == 1 else f"{months} months were"
