"""A report as CSV: UTF-8, one header row, numbers plain; what is not told is empty and named.

In: a ``Report``. Out: text. One row per printed row. A number has up to five columns: itself, its
95% interval (``_lower``, ``_upper``) and its prediction interval (``_later_lower``,
``_later_upper``), where any row has one that is not the number itself. ``status`` says
``complete``, or which columns are empty and why. Shares are in percent. Text that a spreadsheet
would run as a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io

from sojourn.reports.report import Block, Cell, Head, Report, Row, Status
from sojourn.reports.telling import UNTOLD, is_count, too_small

_ENDS = ("lower", "upper", "later_lower", "later_upper", "bound_lower", "bound_upper")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def render_csv(report: Report) -> str:
    """Lines end with CR LF, as RFC 4180 has it."""
    out = io.StringIO()
    writer = csv.writer(out)
    held = {head.key: _ends(report, head) for head in report.heads}
    names = ["block", "row", "row_key", "level"]
    for head in report.heads:
        names += [head.key, *(f"{head.key}_{end}" for end in held[head.key])]
    names += ["status", "period", "known_at", "kind", "check", "policy_digest"]
    writer.writerow(names)
    for block in report.blocks:
        for row in block.all_rows:
            writer.writerow(_line(report, block, row, held))
    return out.getvalue()


def _ends(report: Report, head: Head) -> list[str]:
    cells = [report.cell(row, head.key) for block in report.blocks for row in block.all_rows]
    return [end for end in _ENDS if any(getattr(c, end) not in (None, c.value) for c in cells)]


def _line(report: Report, block: Block, row: Row, held: dict[str, list[str]]) -> list[str]:
    line = [safe(block.title), safe(row.label), safe(row.key), row.level.value]
    for head in report.heads:
        cell = report.cell(row, head.key)
        line.append(_plain(cell.value if cell.status == Status.SHOWN else None, head))
        line += [_end(report, head, cell, end) for end in held[head.key]]
    check = f"failed: {len(report.findings)} found" if report.findings else "nothing found"
    return [
        *line, _status(report, row), safe(report.period), report.known_at.isoformat(),
        report.kind.value, check, safe(report.policy_digest),
    ]  # fmt: skip


def _end(report: Report, head: Head, cell: Cell, end: str) -> str:
    value = getattr(cell, end)
    if value is None or cell.status != Status.SHOWN or too_small(value, head, report):
        return ""
    return _plain(value, head)


def _plain(value: float | None, head: Head) -> str:
    """No thousands, no sign but minus, whole numbers of stays, four digits of a share."""
    if value is None:
        return ""
    said = f"{value:.0f}" if is_count(head) or head.unit == "days" else f"{value:.4f}"
    return said.removeprefix("-") if not said.strip("-0.") else said


def _status(report: Report, row: Row) -> str:
    untold = [
        f"{head.key} {UNTOLD[cell.status]}"
        for head, cell in zip(report.heads, row.cells, strict=True)
        if cell.status != Status.SHOWN
    ]
    return "; ".join(untold) or "complete"


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
