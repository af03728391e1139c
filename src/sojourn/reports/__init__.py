"""The tables that offices publish, with what those lack: intervals, and a check before printing.

In: ESTIMATES (for the steward alone: confidential, cells of 10 and more) or FIGURES (for the
public: released). Out: a ``Report``, and it as HTML, PDF or CSV. Pure. What one is: ``report``.
Where numbers are looked up: ``book``. Which are not told: ``guarding``. The tables: ``us``, ``uk``,
``monthly``. What cannot be right: ``checking``.
"""

from sojourn.reports.as_csv import render_csv
from sojourn.reports.as_html import render_html
from sojourn.reports.as_pdf import render_pdf
from sojourn.reports.book import Book, book_of_estimates, book_of_figures, vintages
from sojourn.reports.checking import check_report, checked
from sojourn.reports.monthly import monthly_report
from sojourn.reports.printing import ENDINGS, render
from sojourn.reports.report import Cell, Finding, Kind, Report, Shape, Status
from sojourn.reports.uk import uk_report
from sojourn.reports.us import us_report
from sojourn.reports.wording import UK_GROUPS, US_GROUPS, ClassGroup

__all__ = [
    "ENDINGS",
    "UK_GROUPS",
    "US_GROUPS",
    "Book",
    "Cell",
    "ClassGroup",
    "Finding",
    "Kind",
    "Report",
    "Shape",
    "Status",
    "book_of_estimates",
    "book_of_figures",
    "check_report",
    "checked",
    "monthly_report",
    "render",
    "render_csv",
    "render_html",
    "render_pdf",
    "uk_report",
    "us_report",
    "vintages",
]
