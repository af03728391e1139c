"""A table in the shape of the UK exit-check statistics: departed in time, late, no evidence.

In: a ``Book``. Out: a ``Report`` by visa type and in total. The base is stays whose permission
ended with no further leave: expected departures less changes of status. Beside "no evidence of
departure" stands its split into left unrecorded and probably still here, with 95% intervals.
Source of the shape: UK Home Office, statistics relating to exit checks, 2016/17 to 2019/20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sojourn.errors import ReportError
from sojourn.reports import wording
from sojourn.reports.book import ALL, Book, Where
from sojourn.reports.laying import TOTAL, Draft, Line, Rules, group_of, lay, look_up
from sojourn.reports.reckoning import add, share
from sojourn.reports.report import (
    Cell,
    Definition,
    Head,
    Kind,
    Ratio,
    Report,
    Shape,
    Status,
    Sum,
    Unit,
)
from sojourn.reports.wording import UK_GROUPS, ClassGroup
from sojourn.schemas import Quantity, Span

RECORDS, MODELLED = "What the records say", "No departure recorded, split by estimate"
HEADS = (
    Head("ended", "Permission ended", Unit.STAYS, RECORDS, "No further leave", additive=True),
    Head("in_time", "Departed in time", Unit.STAYS, RECORDS, "Departed in time", additive=True),
    Head("in_time_share", "Departed in time, share", Unit.PERCENT, RECORDS),
    Head("late", "Departed late", Unit.STAYS, RECORDS, "Departed late", additive=True),
    Head("late_share", "Departed late, share", Unit.PERCENT, RECORDS),
    Head("open", "No departure recorded", Unit.STAYS, RECORDS, "No evidence of departure",
         additive=True),
    Head("open_share", "No departure recorded, share", Unit.PERCENT, RECORDS),
    Head("left", "Left unrecorded (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("left_share", "Left unrecorded (modelled), share", Unit.PERCENT, MODELLED),
    Head("here", "Probably still here (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("here_share", "Probably still here (modelled), share", Unit.PERCENT, MODELLED, drawn=True,
         mark="open_share"),
)  # fmt: skip
WANTED = {
    "expected": Quantity.EXPECTED_DEPARTURES,
    "changed": Quantity.STATUS_CHANGED,
    "in_time": Quantity.DEPARTED_IN_TIME,
    "late": Quantity.DEPARTED_LATE,
    "open": Quantity.NO_DEPARTURE_RECORDED,
    "left": Quantity.LEFT_UNRECORDED,
    "here": Quantity.PROBABLY_STILL_HERE,
}
ADDITIVE = ("ended", "in_time", "late", "open", "left", "here")
SUMS = (
    Sum("ended", ("in_time", "late", "open")),
    Sum("ended", ("in_time", "late", "left", "here")),
)
RATIOS = tuple(
    Ratio(f"{part}_share", (part,), "ended") for part in ("in_time", "late", "open", "left", "here")
)
GUARDED = (*SUMS, Sum("open", ("left", "here")))
DEFINITIONS = (
    Definition("Permission ended", "stays whose permitted period ended in the period and whose "
               "status had not changed by then", wording.HOME_OFFICE),
    Definition("Departed in time", "left, by the records, by the last permitted day",
               wording.HOME_OFFICE),
    wording.LATE, wording.OPEN, wording.LEFT, wording.HERE, wording.INTERVAL,
)  # fmt: skip
NOTE_UK = (
    "The UK terms stand in quotation marks as that office's. Its reports say themselves that \"no "
    'evidence of departure" does not mean present; they give no split and no interval.'
)


def uk_report(
    book: Book,
    period: date,
    policy_digest: str,
    *,
    span: Span = Span.YEAR,
    groups: Sequence[ClassGroup] = UK_GROUPS,
) -> Report:
    """By visa type and in total. Raises ReportError where the book has no total of the period."""
    held = book.places(span, period)
    if Where(span, period) not in held:
        raise ReportError(
            f"expected the total of {wording.say_period(span, period)}; the table does not hold "
            "it. Periods there: " + (", ".join(d.isoformat() for d in book.periods(span)) or "none")
        )
    classes = [w.admission_class for w in held if w[2:4] == (ALL, ALL) and w.admission_class]
    lines = tuple(
        _line(book, g.key, g.title, [Where(span, period, ALL, ALL, c) for c in g.classes])
        for g in group_of(groups, classes)
    )
    total = _line(book, TOTAL, "All", [Where(span, period)])
    draft = Draft("visas", "By visa type and in total", "Visa type", lines, total)
    blocks = lay([draft], Rules(ADDITIVE, GUARDED), HEADS, _derive)
    for_whom = "released figures" if book.kind == Kind.PUBLIC else "confidential cells"
    return Report(
        Shape.UK, book.kind, "Departures of those whose permission ended",
        f"In the shape of the UK exit-check statistics, from {for_whom}",
        wording.say_period(span, period), book.known_at, policy_digest, HEADS, blocks, (NOTE_UK,),
        DEFINITIONS, SUMS, RATIOS, book.smallest,
    )  # fmt: skip


def _line(book: Book, key: str, label: str, places: Sequence[Where]) -> Line:
    base = look_up(book, places, WANTED)
    expected, changed = base.pop("expected"), base.pop("changed")
    return Line(key, label, {**base, "ended": _ended(expected, changed, base)})


def _ended(expected: Cell, changed: Cell, base: Mapping[str, Cell]) -> Cell:
    """Expected departures less changes of status; where these are few, the sum of the rest."""
    if changed.status == Status.ABSENT and expected.status == Status.SHOWN:
        return expected
    if expected.value is not None and changed.value is not None:
        return Cell(expected.value - changed.value)
    rest = add(*(base[part] for part in ("in_time", "late", "left", "here")))
    if rest.value is not None:
        return Cell(rest.value)
    return Cell(status=Status.HIDDEN, why="small") if expected.status == Status.SHOWN else expected


def _derive(base: Mapping[str, Cell]) -> dict[str, Cell]:
    parts = ("in_time", "late", "open", "left", "here")
    return {f"{part}_share": share(base[part], base["ended"]) for part in parts}
