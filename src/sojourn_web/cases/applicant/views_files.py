"""The person's own files: what they hand in, and everything that is kept of theirs, to open.

In: a file from a telephone; its kind is read from its bytes, and its size is limited. Out: a page;
the file itself, to be saved. What was not looked through for viruses opens for nobody.
"""

from __future__ import annotations

from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from sojourn_web.cases.applicant.gate import TOO_MANY, Asked, mine, too_many
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.limits import Rate, TooManyError, count
from sojourn_web.cases.scanning import installed_scanner
from sojourn_web.cases.services import files as kept

HANDED_IN = Rate(20, 3600)  # by one person: each is sealed and looked through
KIND = "from the person"
CHOOSE = words("Choose a file first.")
# As the services say them, for the catalogues.
TOLD = (
    words(
        "This file has not been scanned for viruses yet, so it cannot be opened. It is kept "
        "safely; it opens when the scanner has looked at it."
    ),
    words(
        "Expected a PDF, a JPEG or a PNG, found another kind of file. Send a photograph of the "
        "page as JPEG instead."
    ),
    words("This file is empty: choose it again, or take the photograph again."),
    words("Expected 10 MB at most: send a smaller picture, or fewer pages."),
)


@mine
def files(asked: Asked) -> HttpResponse:
    """What there is, and a form for another one."""
    errors: tuple[str, ...] = ()
    if asked.sent:
        try:
            count("file", str(asked.person.pk), HANDED_IN, asked.room.now)
            _hand_in(asked)
            return _saved()
        except TooManyError:
            return too_many(asked.page("refused", 429, reasons=(TOO_MANY,)))
        except RefusedError as refusal:
            errors = refusal.reasons
    lines = kept.list_files(asked.room, asked.actor, asked.case.pk)
    return asked.page(
        "files", 409 if errors else 200, lines=lines, errors=errors,
        saved="saved" in asked.request.GET, zone=asked.case.office.time_zone,
    )  # fmt: skip


def _hand_in(asked: Asked) -> None:
    given = asked.request.FILES.get("file")
    if not isinstance(given, UploadedFile):
        raise RefusedError(CHOOSE)
    kept.hand_in(
        asked.room, asked.actor, asked.case.pk, given.read(), installed_scanner(),
        name=given.name or "", kind=KIND, key=asked.typed.get("key", ""),
    )  # fmt: skip


def _saved() -> HttpResponse:
    answer = redirect("return-files")
    answer["Location"] += "?saved=1"
    return answer


@mine
def open_file(asked: Asked, file_id: UUID) -> HttpResponse:
    """To be saved, never shown inside a page."""
    opened = kept.open_file(asked.room, asked.actor, asked.case.pk, file_id)
    answer = HttpResponse(opened.content, content_type=opened.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, opened.name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
