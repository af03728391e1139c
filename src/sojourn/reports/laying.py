"""From lines of looked-up cells to guarded blocks: what every builder shares.

In: ``Draft`` blocks of ``Line``s, what sums to what. Out: ``Block``s. The order matters: cells that
were looked up are guarded first, and only then are sums and shares made of what may be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sojourn.reports.book import Book, Where
from sojourn.reports.guarding import Place, Tied, guard
from sojourn.reports.reckoning import add, number_of, scaled, within
from sojourn.reports.report import Block, Cell, Head, Level, Report, Row, Status, Sum
from sojourn.reports.wording import REST, ClassGroup
from sojourn.schemas import Quantity

TOTAL = "total"
Derive = Callable[[Mapping[str, Cell]], Mapping[str, Cell]]


@dataclass(frozen=True)
class Line:
    key: str
    label: str
    base: Mapping[str, Cell]


@dataclass(frozen=True)
class Draft:
    key: str
    title: str
    row_head: str
    lines: tuple[Line, ...]
    total: Line | None


@dataclass(frozen=True)
class Rules:
    """``additive``: base columns whose rows sum to the total. ``same``: two rows that are one."""

    additive: tuple[str, ...]
    sums: tuple[Sum, ...]
    same: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = ()
    crossed: tuple[tuple[tuple[tuple[str, str], ...], tuple[str, str]], ...] = ()


def lay(
    drafts: Sequence[Draft], rules: Rules, heads: Sequence[Head], derive: Derive
) -> tuple[Block, ...]:
    """Guard what was looked up, derive the rest, put cells into the order of the heads."""
    cells: dict[Place, Cell] = {}
    for draft in drafts:
        for line in _lines(draft):
            for column, cell in line.base.items():
                cells[draft.key, line.key, column] = cell
    kept = guard(cells, _ties(drafts, rules))

    def row(draft: Draft, line: Line) -> Row:
        told = {column: kept[draft.key, line.key, column] for column in line.base}
        made = {**told, **derive(told)}
        level = Level.TOTAL if line is draft.total else Level.PART
        return Row(line.key, line.label, tuple(made[h.key] for h in heads), level)

    return tuple(
        Block(
            d.key, d.title, d.row_head, tuple(row(d, line) for line in d.lines),
            None if d.total is None else row(d, d.total),
        )
        for d in drafts
    )  # fmt: skip


def _lines(draft: Draft) -> tuple[Line, ...]:
    return draft.lines if draft.total is None else (*draft.lines, draft.total)


def _ties(drafts: Sequence[Draft], rules: Rules) -> list[Tied]:
    ties = []
    for draft in drafts:
        for line in _lines(draft):
            at = (draft.key, line.key)
            ties += [
                Tied(tuple((*at, part) for part in s.parts), (*at, s.whole)) for s in rules.sums
            ]
        if draft.total is not None:
            ties += [
                Tied(
                    tuple((draft.key, line.key, column) for line in draft.lines),
                    (draft.key, draft.total.key, column),
                )
                for column in rules.additive
            ]
    for column in rules.additive:
        ties += [Tied(((*one, column),), (*two, column)) for one, two in rules.same]
        ties += [
            Tied(tuple((*part, column) for part in parts), (*whole, column))
            for parts, whole in rules.crossed
        ]
    return ties


def group_of(groups: Sequence[ClassGroup], classes: Sequence[str]) -> tuple[ClassGroup, ...]:
    """The groups that are there, and one for classes of none of them."""
    held = [ClassGroup(g.key, g.title, tuple(c for c in classes if c in g.classes)) for g in groups]
    named = {c for g in groups for c in g.classes}
    rest = tuple(c for c in classes if c not in named)
    held.append(ClassGroup(REST, "Other classes of admission", rest))
    return tuple(g for g in held if g.classes)


def look_up(book: Book, places: Sequence[Where], wanted: Mapping[str, Quantity]) -> dict[str, Cell]:
    """The wanted quantities of one place, or the sum of several; rates of a sum are not made."""
    found = {}
    for column, quantity in wanted.items():
        cells = [book.cell(where, quantity) for where in places]
        if len(cells) == 1:
            found[column] = cells[0]
        elif quantity in (Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE):
            found[column] = _mixed(book, places, quantity)
        else:
            found[column] = add(*(c for c in cells if c.status != Status.ABSENT))
    return found


def _mixed(book: Book, places: Sequence[Where], rate: Quantity) -> Cell:
    """The rate of several cells together: each weighted by its expected departures."""
    numbers, wholes = [], []
    for where in places:
        cell, whole = book.cell(where, rate), book.cell(where, Quantity.EXPECTED_DEPARTURES)
        if Status.ABSENT in (cell.status, whole.status):
            continue
        numbers.append(number_of(cell, whole))
        wholes.append(whole)
    number, whole = add(*numbers), add(*wholes)
    if number.value is None or not whole.value:
        return number if number.value is None else Cell(status=Status.CANNOT, why="small")
    return within(scaled(number, 100 / whole.value))


def cells_shown(report: Report) -> int:
    """How many numbers a report tells."""
    rows = [row for block in report.blocks for row in block.all_rows]
    return sum(cell.status == Status.SHOWN for row in rows for cell in row.cells)
