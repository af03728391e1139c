"""A report as one page of HTML: self-contained, without script, fit for screen, print and PDF.

In: a ``Report``. Out: text. Tables have captions and scoped headers, WCAG 2.2 AA; an interval is
told in numbers and drawn as a bar. A report that fails its check says so before anything else.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from itertools import groupby

from sojourn.reports.bars import draw, scale_of
from sojourn.reports.report import Block, Cell, Head, Kind, Report, Row, Status
from sojourn.reports.telling import tell, tell_bounds, tell_interval, tell_untold, tell_why
from sojourn.reports.wording import say_day

_BANDS = {
    Kind.PUBLIC: "<strong>Public.</strong> Made of released figures, which carry noise so that "
    "nobody can be found in them.",
    Kind.STEWARD: "<strong>Confidential.</strong> For the steward alone. Numbers under {smallest} "
    "are hidden, and those from which they could be worked out.",
}
_INVENTED = " <strong>Invented people:</strong> a simulated country."
_SAMPLE = Cell(50.0, 30.0, 70.0)


def render_html(report: Report) -> str:
    """The whole page."""
    style = files("sojourn").joinpath("reports/report.css").read_text("utf-8")
    title = f"{report.title}, {report.period}"
    body = "".join(
        (
            _band(report),
            f'<h1>{escape(report.title)}</h1><p class="lead">{escape(report.subtitle)}: '
            f"{escape(report.period)}.</p>",
            _findings(report),
            _facts(report),
            _legend(report),
            *(_section(report, block) for block in report.blocks),
            _notes(report),
            _terms(report),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _band(report: Report) -> str:
    said = _BANDS[report.kind].format(smallest=report.smallest)
    whom = "Public" if report.kind == Kind.PUBLIC else "Confidential: for the steward alone"
    running = f"{report.title}, {report.period}. {whom}."
    if report.findings:
        running += " FAILS ITS CHECK."
    return (
        f'<p class="band band--{report.kind.value}">{said}{_INVENTED if report.synthetic else ""}'
        f'</p><div class="running vh" aria-hidden="true">{escape(running)}</div>'
    )


def _findings(report: Report) -> str:
    if not report.findings:
        return ""
    items = "".join(f"<li>{escape(f.where)} {escape(f.what)}.</li>" for f in report.findings)
    return (
        '<section class="findings" aria-labelledby="findings"><h2 id="findings">This report fails '
        "its own check</h2><p>It was printed despite that. Do not publish or quote it before each "
        f"of these is explained.</p><ul>{items}</ul></section>"
    )


def _facts(report: Report) -> str:
    facts = [
        ("Period", report.period),
        ("Known at the end of", say_day(report.known_at)),
        ("Compared with what was known on",
         say_day(report.compared_with) if report.compared_with else "no vintage before"),
        ("Plausibility check",
         f"{len(report.findings)} found" if report.findings else "nothing found"),
        ("Policy", report.policy_digest),
    ]  # fmt: skip
    items = "".join(f"<div><dt>{a}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    return f'<dl class="facts">{items}</dl>'


def _legend(report: Report) -> str:
    drawn = [h for h in report.heads if h.drawn]
    if not drawn:
        return ""
    head = drawn[0]
    words = f"{head.label}: the dot is the estimate, the box its 95% interval"
    if any(report.cell(r, head.key).later_lower is not None for b in report.blocks for r in b.rows):
        words += ", the thin line where its final figure will lie"
    if head.mark:
        words += f", the upright stroke {report.heads[report.at[head.mark]].label.lower()}"
    return f'<p class="legend">{draw(_SAMPLE, 85.0, 100.0)}<span>{escape(words)}.</span></p>'


def _section(report: Report, block: Block) -> str:
    scale = scale_of(report, block)
    caption = f"{report.period[:1].upper()}{report.period[1:]}."
    if scale:
        caption += f" Bars run from 0 to {scale:g}%."
    head = escape(block.title)
    key = escape(block.key, quote=True)
    foot = "" if block.total is None else f"<tfoot>{_row(report, block.total, scale)}</tfoot>"
    return (
        f'<section><div class="scroll" role="region" tabindex="0" aria-labelledby="h-{key}">'
        f'<table><caption><div class="caption"><h2 id="h-{key}">{head}</h2>{escape(caption)}'
        "</div></caption>"
        f"{_thead(report, block)}<tbody>{''.join(_row(report, r, scale) for r in block.rows)}"
        f"</tbody>{foot}</table></div></section>"
    )


def _thead(report: Report, block: Block) -> str:
    groups = "".join(
        f'<th scope="colgroup" class="first-of-group" colspan="{len(list(held))}">'
        f"{escape(name)}</th>"
        for name, held in groupby(report.heads, key=lambda h: h.group)
    )
    firsts = _firsts(report)
    columns = "".join(
        f'<th scope="col"{_class(i in firsts)}>{escape(h.label)}{_term(h)}'
        f'<span class="unit">{escape(h.unit.value)}</span></th>'
        for i, h in enumerate(report.heads)
    )
    corner = f'<th scope="col">{escape(block.row_head)}</th>'
    return f'<thead><tr class="groups"><td></td>{groups}</tr><tr>{corner}{columns}</tr></thead>'


def _term(head: Head) -> str:
    return f'<span class="term">“{escape(head.office_term)}”</span>' if head.office_term else ""


def _firsts(report: Report) -> set[int]:
    groups = [h.group for h in report.heads]
    return {i for i, group in enumerate(groups) if i == 0 or groups[i - 1] != group}


def _class(first: bool) -> str:
    return ' class="first-of-group"' if first else ""


def _row(report: Report, row: Row, scale: float) -> str:
    firsts = _firsts(report)
    cells = "".join(
        f"<td{_class(i in firsts)}>{_cell(report, row, head, cell, scale)}</td>"
        for i, (head, cell) in enumerate(zip(report.heads, row.cells, strict=True))
    )
    return f'<tr><th scope="row">{escape(row.label)}</th>{cells}</tr>'


def _cell(report: Report, row: Row, head: Head, cell: Cell, scale: float) -> str:
    why = tell_why(cell)
    said = f'<span class="said">{escape(why)}</span>' if why else ""
    if cell.value is None or cell.status != Status.SHOWN:
        return f'<span class="none">{tell_untold(cell, report)}</span>{said}'
    out = f'<span class="value">{tell(cell.value, head)}</span>'
    if interval := tell_interval(cell, head, report):
        out += f'<span class="interval">{interval}</span>'
    if head.drawn:
        mark = report.cell(row, head.mark).value if head.mark else None
        out += draw(cell, mark, scale)
        if bounds := tell_bounds(cell, head, report):
            out += f'<span class="interval">{bounds}</span>'
    return out + said


def _notes(report: Report) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>' if items else ""


def _terms(report: Report) -> str:
    items = "".join(
        f"<dt>{escape(d.term)}</dt><dd>{escape(d.meaning[:1].upper() + d.meaning[1:])}."
        + (f" <cite>After: {escape(d.source)}</cite>" if d.source else "")
        + "</dd>"
        for d in report.definitions
    )
    return f'<section><h2>What the words mean</h2><dl class="terms">{items}</dl></section>'
