"""A table in the shape of the US Entry/Exit Overstay Report: by class of admission and country.

In: a ``Book``. Out: a ``Report``: expected departures, departed late ("out-of-country overstays"),
without a departure ("suspected in-country overstays"), totals and rates, as that report has them,
put right (``righted``). Beside them what it has not: how many of those without a departure have
probably left, with 95% intervals. And what the records say as they stand, which sums with nothing.
Source of the shape: DHS Entry/Exit Overstay Reports FY2015 to FY2024.

Countries stand in the order of the alphabet: the table ranks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sojourn.errors import ReportError
from sojourn.reports import wording
from sojourn.reports.book import ALL, Book, Where
from sojourn.reports.laying import TOTAL, Draft, Line, Rules, group_of, lay, look_up
from sojourn.reports.reckoning import add, hide_with, number_of, share
from sojourn.reports.report import Cell, Head, Kind, Ratio, Report, Shape, Sum, Unit
from sojourn.reports.righted import NEEDED, without_departure
from sojourn.reports.wording import AS_THEY_STAND, PUT_RIGHT, US_GROUPS, ClassGroup
from sojourn.schemas import Quantity, Span

MODELLED = "Estimated, with 95% intervals"
HEADS = (
    Head("expected", "Expected departures", Unit.STAYS, PUT_RIGHT, additive=True),
    Head("late", "Departed late", Unit.STAYS, PUT_RIGHT, "Out-of-country overstays",
         additive=True),
    Head("without", "Without a departure", Unit.STAYS, PUT_RIGHT,
         "Suspected in-country overstays", additive=True),
    Head("unsettled", "Late or without a departure", Unit.STAYS, PUT_RIGHT, "Total overstays",
         additive=True),
    Head("unsettled_rate", "Late or without a departure, share", Unit.PERCENT, PUT_RIGHT,
         "Total overstay rate"),
    Head("without_rate", "Without a departure, share", Unit.PERCENT, PUT_RIGHT,
         "Suspected in-country overstay rate"),
    Head("left", "Left unrecorded (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("here", "Probably still here (modelled)", Unit.STAYS, MODELLED, additive=True),
    Head("overstays", "Late or probably still here", Unit.STAYS, MODELLED, additive=True),
    Head("rate", "Overstay rate", Unit.PERCENT, MODELLED, drawn=True, mark="recorded_rate"),
    Head("here_rate", "Probably still here (modelled), share", Unit.PERCENT, MODELLED),
    Head("open", "No departure recorded", Unit.STAYS, AS_THEY_STAND, additive=True),
    Head("recorded_rate", "Rate by the records alone", Unit.PERCENT, AS_THEY_STAND),
)  # fmt: skip
WANTED = {
    **NEEDED,
    "open": Quantity.NO_DEPARTURE_RECORDED,
    "said_recorded_rate": Quantity.RECORDED_RATE,
    "said_rate": Quantity.OVERSTAY_RATE,
}
ADDITIVE = ("expected", "late", "without", "open", "left", "here")
SUMS = (Sum("unsettled", ("late", "without")), Sum("without", ("left", "here")))
RATIOS = (
    Ratio("unsettled_rate", ("late", "without"), "expected"),
    Ratio("without_rate", ("without",), "expected"),
    Ratio("here_rate", ("here",), "expected"),
    Ratio("rate", ("late", "here"), "expected", and_up_to=("left",)),
)
# Of what the records hold the split is true only nearly, and guarded all the same.
GUARDED = (Sum("without", ("left", "here")), Sum("open", ("left", "here")))
IN_TOTAL, COUNTRIES = "in_total", "countries"
DEFINITIONS = (
    wording.EXPECTED, wording.LATE, wording.WITHOUT, wording.RIGHTED, wording.LEFT, wording.HERE,
    wording.RATE, wording.OPEN, wording.RECORDED_RATE, wording.INTERVAL,
)  # fmt: skip
NOTE_US = (
    "The US terms stand in quotation marks as that office's. It counts every stay without a "
    "departure record as a suspected in-country overstay and gives no interval."
)
NOTE_FISCAL = "The US fiscal year runs from October to September."


def us_report(
    book: Book,
    period: date,
    policy_digest: str,
    *,
    span: Span = Span.YEAR,
    groups: Sequence[ClassGroup] = US_GROUPS,
    names: Mapping[str, str] | None = None,
) -> Report:
    """Blocks in total, by class and country, and by country alone, as far as the book goes.

    ``period``: the span's first day. ``names``: of nationality codes; a code without one stands
    for itself. Raises ReportError where the book has no total of the period.
    """
    drafts, rules = _draft(book, span, period, groups, names or {})
    blocks = lay(drafts, rules, HEADS, _derive)
    until = book.unfinished(span, period)
    for_whom = "released figures" if book.kind == Kind.PUBLIC else "confidential cells"
    return Report(
        Shape.US, book.kind, "Expected departures and overstays",
        f"In the shape of the US Entry/Exit Overstay Report, from {for_whom}",
        wording.say_so_far(wording.say_period(span, period), until), book.known_at, policy_digest,
        HEADS, blocks, (*wording.notes_on(book.kind, until), NOTE_US, NOTE_FISCAL), DEFINITIONS,
        SUMS, RATIOS, book.smallest, until=until,
    )  # fmt: skip


def _derive(base: Mapping[str, Cell]) -> dict[str, Cell]:
    """Every column that is made of others; hidden wherever one of these is."""
    expected, late, still = base["expected"], base["late"], base["here"]
    rate = hide_with(base["said_rate"], expected, late, still)
    unsettled = add(late, base["without"])
    return {
        "unsettled": unsettled,
        "unsettled_rate": share(unsettled, expected),
        "without_rate": share(base["without"], expected),
        "recorded_rate": hide_with(base["said_recorded_rate"], expected, late, base["open"]),
        "overstays": number_of(rate, expected),
        "rate": rate,
        "here_rate": share(still, expected),
    }


def _draft(
    book: Book, span: Span, period: date, groups: Sequence[ClassGroup], names: Mapping[str, str]
) -> tuple[list[Draft], Rules]:
    held = book.places(span, period)
    if Where(span, period) not in held:
        raise ReportError(
            f"expected the total of {wording.say_period(span, period)}; the table does not hold "
            "it. Periods there: " + (", ".join(d.isoformat() for d in book.periods(span)) or "none")
        )
    classes = [w.admission_class for w in held if w[2:4] == (ALL, ALL) and w.admission_class]
    found = group_of(groups, classes)

    def line(key: str, label: str, *places: Where) -> Line:
        base = look_up(book, places, WANTED)
        return Line(key, label, {**base, "without": without_departure(book, base)})

    def of(nationality: str, classes: Sequence[str]) -> list[Where]:
        every = [Where(span, period, nationality, ALL, c) for c in classes]
        return [where for where in every if where in held]

    grand = line(TOTAL, "All", Where(span, period))
    lines = tuple(line(g.key, g.title, *of(ALL, g.classes)) for g in found)
    drafts = [Draft(IN_TOTAL, "In total, by class of admission", "Class", lines, grand)]
    same, crossed = [], []
    nations = sorted({w.nationality for w in held} - {ALL}, key=lambda n: names.get(n, n))
    for group, total in zip(found, lines, strict=True):
        rows = tuple(
            line(n, names.get(n, n), *places) for n in nations if (places := of(n, group.classes))
        )
        if rows:
            kept = Line(TOTAL, "All countries", total.base)
            drafts.append(Draft(group.key, f"{group.title}, by country", "Country", rows, kept))
            same.append(((IN_TOTAL, group.key), (group.key, TOTAL)))
    whole = tuple(line(n, names.get(n, n), *p) for n in nations if (p := of(n, (ALL,))))
    if whole:
        drafts.append(Draft(COUNTRIES, "All classes, by country", "Country", whole, grand))
        same.append(((IN_TOTAL, TOTAL), (COUNTRIES, TOTAL)))
        crossed = [(tuple((g.key, row.key) for g in found), (COUNTRIES, row.key)) for row in whole]
    return drafts, Rules(ADDITIVE, GUARDED, tuple(same), tuple(crossed))
