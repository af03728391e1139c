"""Numbers, intervals and empty cells in words, one way for every printed form.

In: cells and heads. Out: text. Of a report for the steward, an end of an interval that lies under
the smallest cell is told as "under 10".
"""

from __future__ import annotations

from sojourn.reports.report import Cell, Head, Kind, Report, Status, Unit
from sojourn.reports.wording import say_why

UNTOLD = {
    Status.HIDDEN: "hidden",
    Status.GUARDING: "hidden",
    Status.CANNOT: "not estimated",
    Status.ABSENT: "none",
}
_COUNTS = (Unit.STAYS, Unit.CROSSINGS)


def is_count(head: Head) -> bool:
    return head.unit in _COUNTS


def tell(value: float, head: Head) -> str:
    sign = "+" if head.signed and value > 0 else ""
    if head.unit in (*_COUNTS, Unit.DAYS):
        # Half a stay below nought is nought, not minus nought.
        return (
            f"{sign}{value:,.0f}".replace("-0", "0")
            if abs(value) < 0.5
            else (f"{sign}{value:,.0f}")
        )
    return f"{sign}{value:.2f}"


def too_small(value: float, head: Head, report: Report) -> bool:
    """Whether a number of stays, an interval's end say, is not told."""
    return report.kind == Kind.STEWARD and is_count(head) and value < report.smallest


def tell_end(value: float, head: Head, report: Report) -> str:
    if too_small(value, head, report):
        return f"under {report.smallest}"
    return tell(value, head)


def tell_untold(cell: Cell, report: Report) -> str:
    """What stands where no number is."""
    if cell.why == "small_change":
        return f"under {report.smallest}"
    return UNTOLD[cell.status]


def tell_interval(cell: Cell, head: Head, report: Report) -> str:
    """ "1.03 to 1.28"; empty without an interval, or where it has no width."""
    if cell.lower is None or cell.upper is None or cell.lower == cell.upper:
        return ""
    return f"{tell_end(cell.lower, head, report)} to {tell_end(cell.upper, head, report)}"


def tell_bounds(cell: Cell, head: Head, report: Report) -> str:
    if cell.bound_lower is None or cell.bound_upper is None:
        return ""
    lower, upper = (tell_end(e, head, report) for e in (cell.bound_lower, cell.bound_upper))
    return f"bounds {lower} to {upper}"


def tell_why(cell: Cell) -> str:
    """Why an estimate is not there, or was widened; nothing of cells that are hidden."""
    if not cell.why or cell.status in (Status.HIDDEN, Status.GUARDING, Status.ABSENT):
        return ""
    return say_why(cell.why) if cell.status == Status.CANNOT else f"widened: {say_why(cell.why)}"
