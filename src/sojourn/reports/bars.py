"""An interval as a small drawing beside its numbers: inline SVG, no script, no colour alone.

In: a cell, what is marked on it, the scale. Out: SVG text, hidden from screen readers, for the
numbers stand in the same cell as text.
"""

from __future__ import annotations

from math import ceil, log10

from sojourn.reports.report import Block, Cell, Report

WIDTH, HEIGHT, _PAD = 120, 12, 4


def scale_of(report: Report, block: Block) -> float:
    """The far end of a block's bars: a round number that holds every interval and mark; or 0."""
    ends = [0.0]
    for head in report.heads:
        if not head.drawn:
            continue
        for row in block.all_rows:
            cell = report.cell(row, head.key)
            ends += [e for e in (cell.value, cell.upper, cell.later_upper) if e is not None]
            if head.mark and (mark := report.cell(row, head.mark).value) is not None:
                ends.append(mark)
    return _round_up(max(ends))


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    unit = float(10 ** (ceil(log10(value)) - 1))
    return next(unit * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if unit * step >= value * 0.9999)


def draw(cell: Cell, mark: float | None, scale: float) -> str:
    """The 95% interval as a box, its final figure's as a thin line, value a dot, mark a stroke."""
    if cell.value is None or scale <= 0:
        return ""
    middle = HEIGHT / 2
    parts = [_line(_PAD, WIDTH - _PAD, middle, "#8b97a3", 1)]
    if cell.later_lower is not None and cell.later_upper is not None:
        parts.append(_line(_at(cell.later_lower, scale), _at(cell.later_upper, scale), middle,
                           "#16324f", 2))  # fmt: skip
    if cell.lower is not None and cell.upper is not None:
        left, right = _at(cell.lower, scale), _at(cell.upper, scale)
        parts.append(
            f'<rect x="{left:.1f}" y="{middle - 3:g}" width="{max(right - left, 1):.1f}" '
            'height="6" fill="#6f93b8"/>'
        )
    if mark is not None:
        x = _at(mark, scale)
        parts.append(f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="#7d0f1b" stroke-width="2"/>')
    parts.append(f'<circle cx="{_at(cell.value, scale):.1f}" cy="{middle:g}" r="3" '
                 'fill="#16324f"/>')  # fmt: skip
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def _at(value: float, scale: float) -> float:
    return _PAD + (WIDTH - 2 * _PAD) * min(1.0, max(0.0, value / scale))


def _line(left: float, right: float, y: float, colour: str, width: int) -> str:
    return f'<path d="M{left:.1f} {y:g}H{right:.1f}" stroke="{colour}" stroke-width="{width}"/>'
