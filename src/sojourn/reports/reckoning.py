"""Cells of cells: sums and shares, with intervals, and what of a hidden part is hidden too.

In: ``Cell``s. Out: ``Cell``s. What is made of a number that is not shown is not shown either, or
the reader could work it back.

Assumes of a sum's interval that all parts are off in the same direction: half-widths are added.
That is right where one cause (coverage of exits) moves them all, and wider than needed elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from sojourn.reports.report import Cell, Status

_UNSEEN = (Status.HIDDEN, Status.GUARDING, Status.CANNOT, Status.ABSENT)


def unseen(*cells: Cell) -> Cell | None:
    """An empty cell that says why, where one of ``cells`` is not shown; else None."""
    found = {c.status for c in cells}
    for status in _UNSEEN:
        if status in found:
            said = Status.GUARDING if status == Status.HIDDEN else status
            why = next((c.why for c in cells if c.status == status), "")
            return Cell(status=said, why=why)
    return None


def add(*cells: Cell) -> Cell:
    """The sum of numbers; without an interval where no part has one."""
    if not cells:
        return Cell(status=Status.ABSENT)
    if (hidden := unseen(*cells)) is not None:
        return hidden
    values = [c.value or 0.0 for c in cells]
    return Cell(
        sum(values),
        _add_ends([c.lower for c in cells], values),
        _add_ends([c.upper for c in cells], values),
        _add_ends([c.later_lower for c in cells], values),
        _add_ends([c.later_upper for c in cells], values),
        _add_ends([c.bound_lower for c in cells], values),
        _add_ends([c.bound_upper for c in cells], values),
    )


def less(whole: Cell, *parts: Cell) -> Cell:
    """What is left of a whole without ``parts``."""
    return add(whole, *(_turned(part) for part in parts))


def _turned(cell: Cell) -> Cell:
    """Its numbers below nought: what was its lower end is its upper one."""
    turned = cell.each(lambda number: -number)
    return replace(
        turned, lower=turned.upper, upper=turned.lower,
        later_lower=turned.later_upper, later_upper=turned.later_lower,
        bound_lower=turned.bound_upper, bound_upper=turned.bound_lower,
    )  # fmt: skip


def _add_ends(ends: list[float | None], values: list[float]) -> float | None:
    if all(end is None for end in ends):
        return None
    return sum(v if end is None else end for end, v in zip(ends, values, strict=True))


def scaled(cell: Cell, factor: float) -> Cell:
    """Every number of a cell times ``factor``."""
    return cell.each(lambda number: number * factor)


def share(part: Cell, whole: Cell) -> Cell:
    """``part`` in percent of ``whole``; the interval is the part's, for the whole is a count."""
    if (hidden := unseen(part, whole)) is not None:
        return hidden
    # A noisy whole that may be none: a share of it says nothing.
    may_be_none = whole.lower is not None and whole.lower <= 0
    if not whole.value or whole.value < 0 or may_be_none:
        return Cell(status=Status.CANNOT, why="nothing_expected")
    return within(scaled(part, 100 / whole.value))


def within(percent: Cell) -> Cell:
    """Ends of intervals cut to what a share can be; the value is left, for the check to see."""

    if percent.value is None or not 0 <= percent.value <= 100:
        return percent
    return percent.each(lambda number: min(100.0, max(0.0, number)))


def number_of(rate: Cell, whole: Cell, *needs: Cell) -> Cell:
    """How many a share in percent is of ``whole``; hidden where one of ``needs`` is."""
    if (hidden := unseen(rate, whole, *needs)) is not None:
        return hidden
    return scaled(rate, (whole.value or 0.0) / 100)


def hide_with(cell: Cell, *needs: Cell) -> Cell:
    """The cell, unless one of ``needs`` is not told for being small: then not told either."""
    small = [c for c in needs if c.status in (Status.HIDDEN, Status.GUARDING)]
    if small and cell.status == Status.SHOWN:
        return Cell(status=Status.GUARDING, why="small")
    return cell


def minus(now: Cell, before: Cell, smallest: int) -> Cell:
    """How far a count was revised; not told where it is fewer than ``smallest`` either way."""
    if (hidden := unseen(now, before)) is not None:
        return hidden
    change = (now.value or 0.0) - (before.value or 0.0)
    if abs(change) < smallest:
        return Cell(status=Status.HIDDEN, why="small_change")
    return Cell(change)
