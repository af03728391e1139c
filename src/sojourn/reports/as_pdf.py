"""A report as PDF: the page of ``as_html``, laid out on A4 by WeasyPrint.

In: a ``Report``. Out: bytes. Raises SetupError where WeasyPrint or Pango is not there.
"""

from __future__ import annotations

from sojourn.errors import SetupError
from sojourn.reports.as_html import render_html
from sojourn.reports.report import Report


def render_pdf(report: Report) -> bytes:
    """The same report gives the same pages; nothing is fetched from anywhere."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise SetupError(
            f"a PDF needs WeasyPrint and the system's Pango ({type(error).__name__}). Install "
            "them: pip install 'sojourn[web]', and the package of Pango (libpango-1.0-0 and "
            "libpangoft2-1.0-0 on Debian). HTML and CSV need neither"
        ) from None
    made: bytes = HTML(string=render_html(report), url_fetcher=_refuse).write_pdf(
        pdf_variant="pdf/ua-1"
    )
    return made


def _refuse(address: str, *_: object, **__: object) -> dict[str, object]:
    raise SetupError(f"a report fetches nothing, yet its page asks for {address[:40]}")
