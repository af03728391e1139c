"""Small tables of counts by office, with small cells hidden and what would tell them.

In: counts by row and column. Out: ``Counts``: the same with totals; None where a count is hidden.
Every count under ten is hidden, none at all too: so few and nobody look the same. Then what would
tell a hidden one: where the hidden ones of a row or column add up to less than ten, a further one
is hidden; and what sums together would tell goes as well (``sojourn.reports.guarding``).

Assumes that a reader has one table on one day. Who writes caseload down day after day sees it
change: see docs/explanation/cases-counts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sojourn.reports.guarding import Place, Tied, guard
from sojourn.reports.report import Cell, Status

SMALLEST = 10
ALL = "all"


@dataclass(frozen=True)
class Line:
    """``cells``: in the order of the table's columns; None is hidden."""

    label: str
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class Counts:
    """``note``: what a reader must know. Rows stand in the order of their names, never by size."""

    name: str
    title: str
    of: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""


def hide(
    name: str, title: str, of: str, counts: Mapping[tuple[str, str], int],
    rows: Sequence[str], columns: Sequence[str], note: str = "",
) -> Counts:  # fmt: skip
    """``counts`` by (row, column); what is not there is nobody. Adds a row and a column of all."""
    cells = _with_totals(counts, rows, columns)
    ties = _ties(rows, columns)
    kept = guard(cells, ties)
    while further := _hide_sums(kept, cells, ties):
        for place in further:
            kept[place] = Cell(status=Status.GUARDING, why="small")
        kept = guard(kept, ties)
    lines = tuple(
        Line(row, tuple(_shown(kept["", row, column]) for column in (*columns, ALL)))
        for row in (*rows, ALL)
    )
    return Counts(name, title, of, (*columns, ALL), lines, note)


def _with_totals(
    counts: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str]
) -> dict[Place, Cell]:
    found: dict[Place, Cell] = {}
    for row in (*rows, ALL):
        for column in (*columns, ALL):
            value = sum(
                counts.get((r, c), 0)
                for r in (rows if row == ALL else (row,))
                for c in (columns if column == ALL else (column,))
            )
            # A hidden cell keeps its value here: sums of hidden ones are looked at below.
            status = Status.HIDDEN if value < SMALLEST else Status.SHOWN
            found["", row, column] = Cell(value=float(value), status=status)
    return found


def _ties(rows: Sequence[str], columns: Sequence[str]) -> list[Tied]:
    across = [
        Tied(tuple(("", r, c) for c in columns), ("", r, ALL)) for r in (*rows, ALL)
    ]  # fmt: skip
    down = [Tied(tuple(("", r, c) for r in rows), ("", ALL, c)) for c in (*columns, ALL)]
    return [t for t in across + down if len(t.parts) > 1]


def _hide_sums(
    kept: dict[Place, Cell], values: dict[Place, Cell], ties: Sequence[Tied]
) -> list[Place]:
    """For a sum whose hidden parts together are few, the smallest shown part, else the whole."""
    found = []
    for tie in ties:
        hidden = [p for p in tie.parts if kept[p].status != Status.SHOWN]
        if not hidden or kept[tie.whole].status != Status.SHOWN:
            continue
        if sum(values[p].value or 0 for p in hidden) >= SMALLEST:
            continue
        shown = [p for p in tie.parts if kept[p].status == Status.SHOWN]
        found.append(
            min(shown, key=lambda p: (values[p].value or 0, p)) if shown else tie.whole
        )  # fmt: skip
    return found


def _shown(cell: Cell) -> int | None:
    return int(cell.value or 0) if cell.status == Status.SHOWN else None
