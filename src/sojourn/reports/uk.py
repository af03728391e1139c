"""A table in the shape of the UK exit-check statistics: departed in time, late, no evidence.

In: a ``Book``. Out: a ``Report`` by visa type and in total. The base is stays whose permission
ended with no further leave: expected departures less changes of status. They sum to departed in
time, late and without a departure, all put right (``righted``). Beside these stand the split of the
last into left unrecorded and probably still here, with 95% intervals, and how many have no
departure as the records stand, which sums with nothing.
Source of the shape: UK Home Office, statistics relating to exit checks, 2016/17 to 2019/20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sojourn.errors import ReportError
from sojourn.reports import wording
from sojourn.reports.book import ALL, Book, Where
from sojourn.reports.laying import TOTAL, Draft, Line, Rules, group_of, lay, look_up
from sojourn.reports.reckoning import share
from sojourn.reports.report import Cell, Definition, Head, Kind, Ratio, Report, Shape, Sum, Unit
from sojourn.reports.righted import NEEDED, permission_ended, without_departure
from sojourn.reports.wording import AS_THEY_STAND, PUT_RIGHT, UK_GROUPS, ClassGroup
from sojourn.schemas import Quantity, Span

MODELLED = "Without a departure, split by estimate"
HEADS = (
    Head("ended", "Permission ended", Unit.STAYS, PUT_RIGHT, "No further leave", additive=True),
    Head("in_time", "Departed in time", Unit.STAYS, PUT_RIGHT, "Departed in time", additive=True),
    Head("in_time_share", "Departed in time, share", Unit.PERCENT, PUT_RIGHT),
    Head("late", "Departed late", Unit.STAYS, PUT_RIGHT, "Departed late", additive=True),
    Head("late_share", "Departed late, share", Unit.PERCENT, PUT_RIGHT),
    Head("without", "Without a departure", Unit.STAYS, PUT_RIGHT, "No evidence of departure",
         additive=True),
    Head("without_share", "Without a departure, share", Unit.PERCENT, PUT_RIGHT),
    Head("left", "Left unrecorded (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("left_share", "Left unrecorded (modelled), share", Unit.PERCENT, MODELLED),
    Head("here", "Probably still here (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("here_share", "Probably still here (modelled), share", Unit.PERCENT, MODELLED, drawn=True,
         mark="open_share"),
    Head("open", "No departure recorded", Unit.STAYS, AS_THEY_STAND, additive=True),
    Head("open_share", "No departure recorded, share", Unit.PERCENT, AS_THEY_STAND),
)  # fmt: skip
WANTED = {**NEEDED, "open": Quantity.NO_DEPARTURE_RECORDED}
ADDITIVE = ("ended", "in_time", "late", "without", "open", "left", "here")
SUMS = (
    Sum("ended", ("in_time", "late", "without")),
    Sum("ended", ("in_time", "late", "left", "here")),
)
RATIOS = tuple(
    Ratio(f"{part}_share", (part,), "ended")
    for part in ("in_time", "late", "without", "open", "left", "here")
)
# Of what the records hold the split is true only nearly, and guarded all the same.
GUARDED = (*SUMS, Sum("without", ("left", "here")), Sum("open", ("left", "here")))
DEFINITIONS = (
    Definition("Permission ended", "stays whose permitted period ended in the period and whose "
               "status had not changed by then", wording.HOME_OFFICE),
    Definition("Departed in time", "left by the last permitted day, by records put right",
               wording.HOME_OFFICE),
    wording.LATE, wording.WITHOUT, wording.RIGHTED, wording.LEFT, wording.HERE, wording.OPEN,
    wording.INTERVAL,
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
    until = book.unfinished(span, period)
    for_whom = "released figures" if book.kind == Kind.PUBLIC else "confidential cells"
    return Report(
        Shape.UK, book.kind, "Departures of those whose permission ended",
        f"In the shape of the UK exit-check statistics, from {for_whom}",
        wording.say_so_far(wording.say_period(span, period), until), book.known_at, policy_digest,
        HEADS, blocks, (*wording.notes_on(book.kind, until), NOTE_UK), DEFINITIONS,
        SUMS, RATIOS, book.smallest, until=until,
    )  # fmt: skip


def _line(book: Book, key: str, label: str, places: Sequence[Where]) -> Line:
    base = look_up(book, places, WANTED)
    made = {"ended": permission_ended(book, base), "without": without_departure(book, base)}
    return Line(key, label, {column: {**base, **made}[column] for column in ADDITIVE})


def _derive(base: Mapping[str, Cell]) -> dict[str, Cell]:
    return {f"{part}_share": share(base[part], base["ended"]) for part in ADDITIVE[1:]}
