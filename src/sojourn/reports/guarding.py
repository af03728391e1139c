"""Which cells of a table are hidden, so that no small one can be read or worked out.

In: rows of cells and which of them sum to which. Out: the same rows, with further cells hidden.
A cell under the smallest is hidden where it is read (``book``). Where one alone of a sum is not
told, the sum tells it: then its smallest sister goes too, again and again until no sum has one
alone. Source: complementary suppression (Willenborg and de Waal, Elements of Statistical
Disclosure Control, 2001, chapter 6); the smallest sister first is a plain choice, not the best.

Assumes that a reader has this one table. Against tables that are put side by side, figures with
noise are the remedy, not this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn.reports.report import Cell, Status

Place = tuple[str, str, str]  # block, row, column
_UNTOLD = (Status.HIDDEN, Status.GUARDING)


@dataclass(frozen=True)
class Tied:
    """Cells that sum to another."""

    parts: tuple[Place, ...]
    whole: Place


def guard(cells: dict[Place, Cell], ties: Sequence[Tied]) -> dict[Place, Cell]:
    """Hide what would tell a hidden cell. Pure; places that ``cells`` does not hold are nothing."""
    kept = dict(cells)
    again = True
    while again:
        again = False
        for tie in ties:
            if (place := _to_hide(kept, tie)) is not None:
                kept[place] = Cell(status=Status.GUARDING, why="small")
                again = True
    return kept


def _to_hide(cells: dict[Place, Cell], tie: Tied) -> Place | None:
    held = [p for p in (*tie.parts, tie.whole) if p in cells]
    untold = [p for p in held if cells[p].status in _UNTOLD]
    unknown = [p for p in held if cells[p].status == Status.CANNOT]
    if len(untold) != 1 or unknown or tie.whole not in cells:
        return None
    told = [p for p in held if cells[p].status == Status.SHOWN and p != tie.whole]
    if not told:
        # A whole of one part is that part.
        return tie.whole if cells[tie.whole].status == Status.SHOWN else None
    return min(told, key=lambda p: (cells[p].value or 0.0, p))
