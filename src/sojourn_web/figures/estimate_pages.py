"""What the page of estimates shows, built from rows: no request, no database here.

In: rows of ESTIMATES. Out: sentences, lines of tables, bars. A number that cannot be made becomes
a sentence that says why and what to do. Groups stand in the order of their names, never of a rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.estimate_bar import Bar, build_bar
from sojourn_web.figures.statistics import Estimated

PARTS = (
    "expected_departures", "departed_in_time", "departed_late", "status_changed",
    "left_unrecorded", "probably_still_here", "overstay_rate", "recorded_rate",
)  # fmt: skip
EXACT, NONE = "as it stands", "-"
_HEARD = 0.0005  # a difference between rates that is worth a sentence


@dataclass(frozen=True)
class Part:
    name: str
    origin: str
    value: str
    truth: str
    later: str
    bounds: str
    remark: str
    given: bool


@dataclass(frozen=True)
class Headline:
    """One period. ``rate`` is empty where no number can be given: then ``missing`` says why."""

    span: str
    period: str
    name: str
    running: bool
    sentence: str
    rate: str
    truth: str
    recorded: str
    later: str
    bounds: str
    missing: str
    instead: str  # where ``missing``: the last period of the kind that has a number
    remark: str
    bar: Bar | None
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A month or a group in a table. Each pair: the number, its range."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    remark: str


@dataclass(frozen=True)
class Now:
    label: str
    when: str
    value: str
    truth: str
    remark: str
    given: bool


def group_rows(rows: Iterable[Estimated], by: str) -> dict[str, dict[str, Estimated]]:
    """Rows by ``period``, nationality, ... and by quantity."""
    out: dict[str, dict[str, Estimated]] = {}
    for row in rows:
        out.setdefault(str(getattr(row, by)), {})[row.quantity] = row
    return {key: _veiled(cells) for key, cells in out.items()}


def _veiled(cells: dict[str, Estimated]) -> dict[str, Estimated]:
    """Where the recorded rate is hidden, what is expected less the other parts would give it away:
    then they go with it."""
    naive = cells.get("recorded_rate")
    if naive is None or naive.why != "small":
        return cells
    return {q: row if q == "expected_departures" else _hide(row) for q, row in cells.items()}


def _hide(row: Estimated) -> Estimated:
    return replace(
        row, value=None, lower=None, upper=None, later_lower=None, later_upper=None,
        bound_lower=None, bound_upper=None, standing="cannot", why="small",
    )  # fmt: skip


def pick_period(periods: Iterable[str], span: str, known_at: str) -> str:
    """The last that was over by ``known_at``; before the first one is over, the one that runs."""
    begun = sorted(p for p in periods if p <= known_at)
    over = [p for p in begun if not is_running(span, p, known_at)]
    return (over or begun or [""])[-1]


def is_running(span: str, period: str, known_at: str) -> bool:
    return words.last_day(span, period).isoformat() >= known_at


def build_headlines(rows: Sequence[Estimated], known_at: str) -> list[Headline]:
    """The last year and the last month that are over, of the totals."""
    out = []
    for span in ("year", "month"):
        found = group_rows((r for r in rows if r.span == span), "period")
        found = {p: cells for p, cells in found.items() if "overstay_rate" in cells}
        period = pick_period(found, span, known_at)
        if period:
            out.append(build_headline(found[period], known_at, _say_instead(found, period)))
    return out


def _say_instead(found: dict[str, dict[str, Estimated]], period: str) -> str:
    told = [
        cells["overstay_rate"] for p, cells in sorted(found.items())
        if p < period and cells["overstay_rate"].value is not None
    ]  # fmt: skip
    if not told:
        return ""
    rate = told[-1]
    truth = words.say_range(rate.quantity, rate.lower, rate.upper)
    return (
        f"The last {rate.span} before it that can be told is "
        f"{words.say_period(rate.span, rate.period)}: {words.say_number(rate.quantity, rate.value)}"
        f"{f' ({truth})' if truth else ''}."
    )


def build_headline(found: dict[str, Estimated], known_at: str, instead: str = "") -> Headline:
    rate, naive = found["overstay_rate"], found.get("recorded_rate")
    name = words.say_period(rate.span, rate.period)
    running = is_running(rate.span, rate.period, known_at)
    recorded = "" if naive is None or naive.value is None else words.say_share(naive.value)
    given = rate.value is not None
    remark = words.say_remark(rate.standing, rate.why)
    sentence = _say_rate(rate, naive, name, running) if given else _say_none(naive, name)
    parts = tuple(_part(found[q]) for q in PARTS if q in found)
    return Headline(
        rate.span, rate.period, name, running, sentence,
        words.say_number("overstay_rate", rate.value) if given else "",
        words.say_range("overstay_rate", rate.lower, rate.upper),
        f"{recorded}%" if recorded else "",
        words.say_range("overstay_rate", rate.later_lower, rate.later_upper),
        words.say_range("overstay_rate", rate.bound_lower, rate.bound_upper),
        "" if given else remark, "" if given else instead, remark if given else "",
        build_bar(found), parts,
        _reasons(found),
    )  # fmt: skip


def _say_rate(rate: Estimated, naive: Estimated | None, name: str, running: bool) -> str:
    value = rate.value or 0.0
    so_far = ", as far as it has gone" if running else ""
    small = words.is_too_small(value)
    said = (
        f"Of {'the' if small else '100'} stays whose permission ended in {name}{so_far}, "
        f"{words.FEWEST if small else f'about {words.say_share(value)}'} overstayed."
    )
    if naive is None or naive.value is None:
        return said
    in_hundred = small or words.is_too_small(naive.value)
    alone = words.say_in_hundred(naive.value) if in_hundred else words.say_share(naive.value)
    said = f"{said[:-1]}; the records alone would say {alone}."
    if naive.value - value > _HEARD:
        said += " The difference: departures that nobody recorded."
    return said


def _say_none(naive: Estimated | None, name: str) -> str:
    said = f"How many stays overstayed in {name} cannot be said."
    if naive is not None and naive.value is not None:
        said += (
            f" The records alone would say {words.say_in_hundred(naive.value)}. "
            "That is no overstay rate: "
            "departures that nobody recorded are in it."
        )
    return said


def _part(row: Estimated) -> Part:
    quantity = row.quantity
    return Part(
        words.QUANTITIES[quantity], words.ORIGINS[quantity], _said(row),
        words.say_range(quantity, row.lower, row.upper) or (NONE if row.value is None else EXACT),
        words.say_range(quantity, row.later_lower, row.later_upper)
        or (NONE if row.value is None else EXACT),
        words.say_range(quantity, row.bound_lower, row.bound_upper) or NONE,
        words.say_short(row.standing, row.why), row.value is not None,
    )  # fmt: skip


def _said(row: Estimated) -> str:
    if row.value is None and row.why == "small":
        return "hidden"
    return words.say_number(row.quantity, row.value)


def _reasons(found: dict[str, Estimated]) -> tuple[str, ...]:
    """Each remark once, with the numbers that it is about; the rate's own stands apart."""
    about: dict[str, list[str]] = {}
    for quantity in PARTS:
        row = found.get(quantity)
        if row is not None and row.why:
            remark = words.say_remark(row.standing, row.why)
            about.setdefault(remark, []).append(words.QUANTITIES[quantity])
    return tuple(f"{', '.join(names)}: {_lower(remark)}" for remark, names in about.items())


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


COLUMNS = (
    "expected_departures", "overstay_rate", "recorded_rate", "left_unrecorded",
    "probably_still_here",
)  # fmt: skip
COLUMN_NAMES = tuple(words.QUANTITIES[q] for q in COLUMNS)


def build_months(rows: Sequence[Estimated], known_at: str, most: int) -> list[Line]:
    """Months of the totals, newest first."""
    found = group_rows((r for r in rows if r.span == "month"), "period")
    begun = sorted((p for p in found if p <= known_at and COLUMNS[0] in found[p]), reverse=True)
    return [_line(words.say_period("month", p), found[p]) for p in begun[:most]]


def build_groups(rows: Sequence[Estimated], dimension: str) -> list[Line]:
    """Groups of one period in the order of their names."""
    found = group_rows((r for r in rows if r.quantity in COLUMNS), dimension)
    lines = [_line(words.say_group(dimension, code), cells) for code, cells in found.items()]
    return sorted(lines, key=lambda line: line.name.casefold())


def _line(name: str, cells: dict[str, Estimated]) -> Line:
    pairs = []
    for quantity in COLUMNS:
        row = cells.get(quantity)
        pairs.append(
            (words.NOT_GIVEN, "") if row is None
            else (_said(row), words.say_range(quantity, row.lower, row.upper))
        )  # fmt: skip
    remarks = dict.fromkeys(
        words.say_short(cells[q].standing, cells[q].why)
        for q in COLUMNS
        if q in cells and cells[q].why != "small"  # the number says so itself
    )
    return Line(name, tuple(pairs), "; ".join(r for r in remarks if r))


CROSSED = (
    "departures_by_mode", "departures_by_lists", "arrivals_by_lists", "bookings_never_flown",
)  # fmt: skip


@dataclass(frozen=True)
class Crossed:
    """What lists of crossings say of one mode. ``takes``: what the number takes for granted."""

    mode: str
    what: str
    value: str
    truth: str
    bounds: str
    takes: str
    remark: str
    given: bool


def build_crossed(rows: Sequence[Estimated], known_at: str) -> tuple[str, list[Crossed]]:
    """The last year that is over, by mode: its name, and lines."""
    told = [r for r in rows if r.quantity in CROSSED]
    period = pick_period({r.period for r in told}, "year", known_at)
    found = [r for r in told if r.period == period]
    found.sort(key=lambda r: (words.say_group("mode", r.mode).casefold(),
                              CROSSED.index(r.quantity)))  # fmt: skip
    lines = [
        Crossed(
            words.say_group("mode", r.mode), words.QUANTITIES[r.quantity], _said(r),
            words.say_range(r.quantity, r.lower, r.upper),
            words.say_range(r.quantity, r.bound_lower, r.bound_upper) or NONE,
            words.ORIGINS[r.quantity], words.say_short(r.standing, r.why), r.value is not None,
        )
        for r in found
    ]  # fmt: skip
    return (words.say_period("year", period) if period else ""), lines


def build_now(rows: Sequence[Estimated], known_at: str) -> list[Now]:
    """Arrivals and departures of the day of the estimate, the day before, and its month."""
    day = date.fromisoformat(known_at)
    before = day - timedelta(days=1)
    asked = (
        ("month", day.replace(day=1), f"{words.say_period('month', known_at)}, to date"),
        ("day", day, f"{words.say_day(day)}, the day of the estimate"),
        ("day", before, f"{words.say_day(before)}, the day before"),
    )  # fmt: skip
    found = {(r.span, r.period, r.quantity): r for r in rows}
    return [
        _now(found.get((span, first.isoformat(), quantity)), words.QUANTITIES[quantity], when)
        for span, first, when in asked for quantity in ("departures", "arrivals")
    ]  # fmt: skip


def _now(row: Estimated | None, label: str, when: str) -> Now:
    if row is None:
        remark = "No number can be given, because nothing of it has been reported."
        return Now(label, when, words.NOT_GIVEN, "", remark, False)
    remark = "" if row.why == "to_date" else words.say_remark(row.standing, row.why)
    truth = words.say_range(row.quantity, row.lower, row.upper)
    return Now(label, when, _said(row), truth, remark, row.value is not None)
