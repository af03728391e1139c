"""A letter, or a person's own record, as PDF: A4, two languages, laid out by WeasyPrint.

In: a ``Letter`` or a page. Out: bytes. Nothing is fetched and nothing is kept. Columns are cells of
a table: floats and lists come out in the wrong order where the page runs from right to left.
Raises SetupError where WeasyPrint or Pango is not there.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.template.loader import render_to_string

from sojourn.errors import SetupError
from sojourn_web.cases.letters.writing import LEG_COLUMNS, Letter, leg_values


def render_letter(letter: Letter) -> bytes:
    return print_page(as_html(letter))


def print_page(page: str) -> bytes:
    """PDF/UA-1: its text is tagged for those who listen to it. ``page``: HTML with its style."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise SetupError(
            f"a letter needs WeasyPrint and the system's Pango ({type(error).__name__}): install "
            "'sojourn[web]' and libpango-1.0-0, libpangoft2-1.0-0 (Debian's names)"
        ) from None
    made: bytes = HTML(string=page, url_fetcher=_refuse).write_pdf(pdf_variant="pdf/ua-1")
    return made


def as_html(letter: Letter) -> str:
    """The page that is laid out; texts are escaped by the template."""
    legs = [leg_values(leg) for leg in letter.told.legs]
    # A column that no leg has is left out.
    kept = [i for i in range(len(LEG_COLUMNS)) if any(leg[i] for leg in legs)]
    headings = [
        [side.headings[LEG_COLUMNS[i]] for i in kept] for side in letter.sides if side.headings
    ] if legs else []  # fmt: skip
    # Paragraph by paragraph, so that both languages stand beside each other.
    rows = list(zip(*(s.paragraphs for s in letter.sides), strict=True))
    return render_to_string(
        "cases/papers/letter.html",
        {
            "letter": letter, "sides": letter.sides, "rows": [
                list(zip(letter.sides, row, strict=True)) for row in rows
            ],
            "headings": list(zip(*headings, strict=True)) if headings else [],
            "legs": [[leg[i] for i in kept] for leg in legs], "style": style_of("letter"),
        },
    )  # fmt: skip


@lru_cache
def style_of(name: str) -> str:
    """A shipped style: ``letter``, ``record``."""
    return (Path(__file__).parent / f"{name}.css").read_text("utf-8")


def _refuse(address: str, *_: object, **__: object) -> dict[str, object]:
    raise SetupError(f"a letter fetches nothing, yet its page asks for {address[:40]}")
