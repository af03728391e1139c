"""Which cells of a table are hidden, so that no small one can be read or worked out.

In: rows of cells and which of them sum to which. Out: the same rows, with further cells hidden.
A cell under the smallest is hidden where it is read (``book``). Where one alone of a sum is not
told, the sum tells it: then its smallest sister goes too, again and again until no sum has one
alone. Sums together can still tell a cell that none tells by itself: so all are solved as linear
equations at the end, and what has but one solution is given a sister again. Source: complementary
suppression (Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001, chapter 6);
the smallest sister first is a plain choice, not the one that hides least.

Assumes that a reader has this one table, and protects from working a number out, not from
narrowing it down. Against tables that are put side by side, figures with noise are the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn.reports.report import Cell, Status

Place = tuple[str, str, str]  # block, row, column
Equation = dict[Place, float]  # what is not told in a sum, with its sign
_UNTOLD = (Status.HIDDEN, Status.GUARDING)
_EPSILON = 1e-7


@dataclass(frozen=True)
class Tied:
    """Cells that sum to another."""

    parts: tuple[Place, ...]
    whole: Place


def guard(cells: dict[Place, Cell], ties: Sequence[Tied]) -> dict[Place, Cell]:
    """Hide what would tell a hidden cell. Pure; places that ``cells`` does not hold are nothing."""
    kept = dict(cells)
    fitting = [t for t in ties if t.whole in cells]
    while True:
        while places := [p for t in fitting if (p := _to_hide(kept, t)) is not None]:
            for place in places:
                kept[place] = Cell(status=Status.GUARDING, why="small")
        told = [_sister(kept, fitting, place) for place in worked_out(kept, fitting)]
        places = [place for place in told if place is not None]
        if not places:
            return kept
        for place in places:
            kept[place] = Cell(status=Status.GUARDING, why="small")


def worked_out(cells: Mapping[Place, Cell], ties: Sequence[Tied]) -> list[Place]:
    """Hidden small cells that a reader of the table could work out from its sums.

    A reader knows what is shown; each sum is an equation of what is not. A cell can be worked out
    where its unit vector lies in the row space of the equations.
    """
    unknown = {p for p, c in cells.items() if c.status in (*_UNTOLD, Status.CANNOT)}
    said = [
        {p: sign for sign, held in ((1.0, t.parts), (-1.0, (t.whole,))) for p in held
         if p in unknown}
        for t in ties
    ]  # fmt: skip
    small = {p for p in unknown if cells[p].status == Status.HIDDEN}
    found: list[Place] = []
    for equations in _apart([equation for equation in said if equation]):
        places = sorted({p for equation in equations for p in equation})
        if not small.isdisjoint(places):
            found += small.intersection(_fixed(equations, places))
    return sorted(found)


def _apart(equations: list[Equation]) -> list[list[Equation]]:
    """Equations that share no unknown, apart: solving takes the cube of their number."""
    of: dict[Place, list[int]] = {}
    for i, equation in enumerate(equations):
        for place in equation:
            of.setdefault(place, []).append(i)
    seen: set[int] = set()
    groups = []
    for start in range(len(equations)):
        if start in seen:
            continue
        group, waiting = [], [start]
        seen.add(start)
        while waiting:
            i = waiting.pop()
            group.append(equations[i])
            near = {j for place in equations[i] for j in of[place]} - seen
            seen |= near
            waiting += sorted(near)
        groups.append(group)
    return groups


def _fixed(equations: list[Equation], places: list[Place]) -> list[Place]:
    """The unknowns with but one solution."""
    column = {place: i for i, place in enumerate(places)}
    matrix = np.zeros((len(equations), len(places)))
    for i, equation in enumerate(equations):
        for place, sign in equation.items():
            matrix[i, column[place]] = sign
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    held = values > _EPSILON
    span = (vectors[:, held] / np.sqrt(values[held])).T @ matrix
    # The length of each unit vector's shadow on the row space: 1 where it lies in it.
    known = (span**2).sum(axis=0) > 1 - _EPSILON
    return [place for place, told in zip(places, known, strict=True) if told]


def _sister(cells: Mapping[Place, Cell], ties: Sequence[Tied], place: Place) -> Place | None:
    """The smallest cell still shown that stands in a sum with ``place``; a whole if need be."""
    near = [t for t in ties if place in t.parts or place == t.whole]
    parts = [p for t in near for p in t.parts if p in cells and cells[p].status == Status.SHOWN]
    wholes = [t.whole for t in near if cells[t.whole].status == Status.SHOWN]
    found = parts or wholes
    return min(found, key=lambda p: (cells[p].value or 0.0, p)) if found else None


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
