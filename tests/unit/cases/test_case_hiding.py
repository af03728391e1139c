"""No small count can be read from a report or worked out from its sums."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sojourn_web.cases.hiding import ALL, SMALLEST, Counts, hide

SIZES = st.integers(0, 4) | st.integers(5, 60)


@st.composite
def grids(draw: st.DrawFn) -> list[list[int]]:
    wide = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(SIZES, min_size=wide, max_size=wide), min_size=1, max_size=5))


def table_of(grid: list[list[int]]) -> tuple[Counts, dict[tuple[str, str], int]]:
    rows = [f"r{i}" for i in range(len(grid))]
    columns = [f"c{j}" for j in range(len(grid[0]))]
    counts = {(r, c): grid[i][j] for i, r in enumerate(rows) for j, c in enumerate(columns)}
    return hide("t", "T", "row", counts, rows, columns), counts


def truth(counts: dict[tuple[str, str], int], row: str, column: str) -> int:
    return sum(
        n for (r, c), n in counts.items() if row in (r, ALL) and column in (c, ALL)
    )  # fmt: skip


@given(grids())
def test_what_is_shown_is_true_and_never_small(grid: list[list[int]]) -> None:
    table, counts = table_of(grid)
    for line in table.lines:
        for column, value in zip(table.columns, line.cells, strict=True):
            if value is not None:
                assert value == truth(counts, line.label, column) >= SMALLEST


@given(grids())
def test_no_hidden_count_and_no_small_rest_can_be_worked_out(grid: list[list[int]]) -> None:
    """A reader's knowledge as equations over the inner cells: which sums are fixed by them?"""
    table, counts = table_of(grid)
    cells = sorted(counts)
    place = {cell: i for i, cell in enumerate(cells)}

    def vector(row: str, column: str) -> np.ndarray:
        found = np.zeros(len(cells))
        for r, c in cells:
            found[place[r, c]] = row in (r, ALL) and column in (c, ALL)
        return found

    shown, hidden = [], []
    for line in table.lines:
        for column, value in zip(table.columns, line.cells, strict=True):
            (hidden if value is None else shown).append((line.label, column))
    known = np.array([vector(*p) for p in shown]) if shown else np.zeros((1, len(cells)))
    rank = np.linalg.matrix_rank(known)
    for row, column in hidden:
        if truth(counts, row, column) < SMALLEST:
            more = np.vstack([known, vector(row, column)])
            assert np.linalg.matrix_rank(more) > rank, (grid, row, column)
    for line in table.lines:  # the rest of a row is a count too
        told = [v for v in line.cells[:-1] if v is not None]
        if line.cells[-1] is not None and len(told) < len(line.cells) - 1 > 1:
            assert line.cells[-1] - sum(told) >= SMALLEST, (grid, line)


def test_by_hand() -> None:
    table, _ = table_of([[40, 3], [50, 20], [30, 30]])
    cells = {line.label: line.cells for line in table.lines}
    assert cells["r0"] == (None, None, 43)
    assert cells["r1"][2] == 70
    assert cells[ALL] == (120, 53, 173)
    assert {v for line in table.lines for v in line.cells} <= {None, 43, 60, 70, 120, 53, 173}
