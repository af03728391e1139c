"""Is a report plausible? What cannot be right in it, found before it is printed.

In: a ``Report``, and the same report of the vintage before where there is one. Out: ``Finding``s.
None means: nothing found, not: all is right. The trap it is made for: a table taken out of
somebody's PDF whose rows sum to 2.9% less, or 9% more, than its printed total.

How far a sum may be off: half a unit of rounding per number; where numbers have 95% intervals, 3.1
standard errors of all of them together (one false alarm in 500); a hidden cell may hold anything
it could, as it was hidden: up to the smallest cell, or up to its row's first column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from sojourn.reports.report import Block, Cell, Finding, Head, Kind, Report, Row, Status, Unit

WIDER = 3.1 / 1.96  # of a 95% interval: what chance alone may do once in 500 times
NOISE_REACHES = 4.0  # half-widths of a 95% interval: one in 100,000, were the noise Laplace
JUMP = 10.0  # an order of magnitude
LEAST_TO_JUMP = 100.0  # smaller numbers may
_ROUNDING = 0.5
_RATE_ROUNDING = 0.051  # one printed decimal, halved
_EPSILON = 1e-9
_FIRST = ("empty", "missing", "duplicate")


def check_report(report: Report, before: Report | None = None) -> tuple[Finding, ...]:
    """All that does not fit: what is missing or there twice first, then as on the page."""
    found: list[Finding] = []
    if not any(block.rows for block in report.blocks):
        found.append(Finding("empty", report.title, "has no rows at all"))
    for block in report.blocks:
        found += _rows_once(block)
        for row in block.all_rows:
            found += _numbers(report, block, row)
            found += _sums(report, block, row)
            found += _shares(report, block, row)
        found += _totals(report, block)
    if before is not None:
        found += _against(report, before)
    return tuple(sorted(found, key=lambda f: f.rule not in _FIRST))


def checked(report: Report, before: Report | None = None) -> Report:
    """The report with what was found in it."""
    return replace(
        report,
        findings=check_report(report, before),
        compared_with=before.known_at if before else report.compared_with,
    )


def _place(block: Block, row: Row, head: Head | None = None) -> str:
    where = f"{block.title}: {row.label}"
    return where if head is None else f"{where}, {head.label.lower()}"


def _rows_once(block: Block) -> list[Finding]:
    keys, labels = Counter(r.key for r in block.rows), Counter(r.label for r in block.rows)
    twice = [r.label for r in block.rows if keys[r.key] > 1 or labels[r.label] > 1]
    return [
        Finding("duplicate", f"{block.title}: {label}", "stands there more than once")
        for label in dict.fromkeys(twice)
    ]


def _numbers(report: Report, block: Block, row: Row) -> list[Finding]:
    found = []
    for head, cell in zip(report.heads, row.cells, strict=True):
        if cell.value is None:
            continue
        at, value = _place(block, row, head), cell.value
        outside = head.unit == Unit.PERCENT and not -_EPSILON <= value <= 100 + _EPSILON
        if outside and not _noise_may(report, cell):
            found.append(Finding("rate", at, "is outside 0 to 100%"))
        counted = head.unit in (Unit.STAYS, Unit.CROSSINGS) and not head.signed
        if counted and value < 0 and report.kind == Kind.STEWARD:
            found.append(Finding("negative", at, "is below nought"))
        found += [
            Finding("interval", at, f"lies outside its {name}")
            for name, lower, upper in (
                ("95% interval", cell.lower, cell.upper),
                ("bounds", cell.bound_lower, cell.bound_upper),
            )
            if not _holds(value, lower, upper)
        ]
        if not _holds(None, cell.later_lower, cell.later_upper):
            found.append(Finding("interval", at, "has a prediction interval that ends before it "
                                 "begins"))  # fmt: skip
    return found


def _noise_may(report: Report, cell: Cell) -> bool:
    """Whether noise alone took a released share out of what a share can be.

    One interval in twenty lies aside, and a report has dozens: noise may reach further.
    """
    if report.kind == Kind.STEWARD:
        return False
    if cell.value is None or cell.lower is None or cell.upper is None:
        return False
    reach = NOISE_REACHES * (cell.upper - cell.lower) / 2
    return cell.value - reach <= 100 and cell.value + reach >= 0


def _holds(value: float | None, lower: float | None, upper: float | None) -> bool:
    """One end alone is no interval; a value may lie on an end."""
    if lower is None and upper is None:
        return True
    if lower is None or upper is None or lower > upper:
        return False
    slack = _EPSILON * max(1.0, abs(lower), abs(upper))
    return value is None or lower - slack <= value <= upper + slack


def _sums(report: Report, block: Block, row: Row) -> list[Finding]:
    found = []
    for rule in report.sums:
        whole = report.cell(row, rule.whole)
        parts = [report.cell(row, part) for part in rule.parts]
        fits = _fit(report, [(part, row) for part in parts], whole)
        if fits is not None:
            head = report.heads[report.at[rule.whole]]
            said = " and ".join(report.heads[report.at[p]].label.lower() for p in rule.parts)
            found.append(Finding("parts", _place(block, row, head), f"{said} sum to {fits}"))
    return found


def _totals(report: Report, block: Block) -> list[Finding]:
    if block.total is None or not block.rows:
        return []
    found = []
    for head in report.heads:
        if not head.additive:
            continue
        parts = [(report.cell(row, head.key), row) for row in block.rows]
        fits = _fit(report, parts, report.cell(block.total, head.key))
        if fits is not None:
            at = f"{block.title}: {head.label.lower()}"
            found.append(Finding("total", at, f"the rows sum to {fits} of the total"))
    return found


def _fit(report: Report, parts: Sequence[tuple[Cell, Row]], whole: Cell) -> str | None:
    """None where the parts fit the whole; else what they are of it, in words."""
    if whole.value is None or any(c.status == Status.CANNOT for c, _ in parts):
        return None
    told = [c for c, _ in parts if c.value is not None]
    if not told:
        return None
    summed = sum(c.value or 0.0 for c in told)
    chance = WIDER * sqrt(sum(c.slack**2 for c in (*told, whole)))
    off = chance + _ROUNDING * (len(told) + 1)
    room = sum(_hidden_room(report, cell, row) for cell, row in parts)
    if whole.value - room - off <= summed <= whole.value + off:
        return None
    # A sum that is itself short by a hidden cell's worth need not be told to the unit.
    return f"{summed / whole.value:.1%}" if whole.value else "something, the whole is nought"


def _hidden_room(report: Report, cell: Cell, row: Row) -> float:
    """The most that a cell that is not told can hold."""
    if cell.status == Status.HIDDEN:
        return float(report.smallest)
    if cell.status != Status.GUARDING:
        return 0.0
    first = row.cells[0].value
    return float("inf") if first is None else max(first, float(report.smallest))


def _shares(report: Report, block: Block, row: Row) -> list[Finding]:
    found = []
    for rule in report.ratios:
        share, whole = report.cell(row, rule.share), report.cell(row, rule.whole)
        parts = [report.cell(row, key) for key in rule.parts]
        more = [report.cell(row, key) for key in rule.and_up_to]
        needed = [c.value for c in (share, whole, *parts, *more)]
        if share.value is None or not whole.value or whole.value < 0 or None in needed:
            continue
        least = sum(c.value or 0.0 for c in parts)
        most = least + sum(c.value or 0.0 for c in more)
        off = WIDER * sqrt(sum(c.slack**2 for c in (*parts, *more))) + _ROUNDING * len(parts)
        off = 100 * off / whole.value + _RATE_ROUNDING + WIDER * share.slack * bool(more)
        lower, upper = 100 * least / whole.value - off, 100 * most / whole.value + off
        if not lower <= share.value <= upper:
            head = report.heads[report.at[rule.share]]
            what = "is not what its numbers make"
            found.append(Finding("share", _place(block, row, head), what))
    return found


def _against(report: Report, before: Report) -> list[Finding]:
    """Rows that went, blocks that went, numbers that jumped since the vintage before."""
    found: list[Finding] = []
    now = {block.key: block for block in report.blocks}
    for old in before.blocks:
        block = now.get(old.key)
        if block is None:
            found.append(Finding("missing", old.title, "was there in the vintage before"))
            continue
        rows = {row.key: row for row in block.all_rows}
        # Of months, a year's window moves on: what fell off its far end is not missing.
        first = min(rows, default="") if report.shape == "monthly" else ""
        for was in old.all_rows:
            row = rows.get(was.key)
            if row is None and was.key >= first:
                at = f"{block.title}: {was.label}"
                found.append(Finding("missing", at, "was there in the vintage before"))
            elif row is not None and not _running(before, was):
                found += _jumps(report, before, block, row, was)
    return found


def _running(before: Report, was: Row) -> bool:
    """A month or year that was not over then: its numbers had hardly begun."""
    if "age" in before.at:
        return before.cell(was, "age").status == Status.CANNOT
    return before.until is not None


def _may_be_one(cell: Cell, earlier: Cell) -> bool:
    """Whether their intervals meet: of few stays an estimate may be near nought and then not."""
    if cell.slack == 0.0 or earlier.slack == 0.0:
        return False
    now, was = ((c.lower or 0.0, c.upper or 0.0) for c in (cell, earlier))
    return now[0] <= was[1] and was[0] <= now[1]


def _jumps(report: Report, before: Report, block: Block, row: Row, was: Row) -> list[Finding]:
    found = []
    for head in report.heads:
        if head.signed or head.unit in (Unit.DAYS, Unit.POINTS) or head.key not in before.at:
            continue
        cell, earlier = report.cell(row, head.key), before.cell(was, head.key)
        one, two = cell.value, earlier.value
        if one is None or two is None or _may_be_one(cell, earlier):
            continue
        low, high = sorted((abs(one), abs(two)))
        # A share of few stays may do anything: as many must be behind it as behind a number.
        stays = high if head.unit != Unit.PERCENT else high / 100 * (row.cells[0].value or 0.0)
        if stays >= LEAST_TO_JUMP and high >= JUMP * low:
            way = "more" if abs(one) > abs(two) else "less"
            what = f"is ten times {way} than in the vintage before, or further off"
            found.append(Finding("jump", _place(block, row, head), what))
    return found
