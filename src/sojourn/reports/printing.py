"""Print a report, if it is plausible: by the ending of its file, HTML, PDF or CSV.

In: a checked ``Report``, the ending. Out: bytes. Raises ReportError where the check found
something and nobody said to print despite it, UsageError of another ending.
"""

from __future__ import annotations

from sojourn.errors import ReportError, UsageError
from sojourn.reports.as_csv import render_csv
from sojourn.reports.as_html import render_html
from sojourn.reports.as_pdf import render_pdf
from sojourn.reports.report import Report

ENDINGS = (".html", ".pdf", ".csv")
_SHOWN = 10


def render(report: Report, ending: str, *, despite_check: bool = False) -> bytes:
    """The report as ``ending`` says; with ``despite_check`` it says on its face that it failed."""
    if ending not in ENDINGS:
        raise UsageError(f"expected a file that ends in {', '.join(ENDINGS)}; found {ending!r}")
    if report.findings and not despite_check:
        told = [f"  {f.where} {f.what}" for f in report.findings[:_SHOWN]]
        more = len(report.findings) - _SHOWN
        told += [f"  and {more} more"] if more > 0 else []
        raise ReportError(
            "the report fails its plausibility check and is not printed:\n"
            + "\n".join(told)
            + "\nMend what it is made of, or print it with --despite-check: then it says so itself"
        )
    if ending == ".pdf":
        return render_pdf(report)
    return render_csv(report).encode() if ending == ".csv" else render_html(report).encode()
