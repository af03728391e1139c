"""The person's own files: what they hand in, and everything that is kept of theirs, to open.

In: a file from a telephone; its kind is read from its bytes, and its size is limited. Out: a page;
the file itself, to be saved. What was not looked through for viruses opens for nobody.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from sojourn_web.cases.applicant.gate import Asked, mine
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.limits import Rate, TooManyError, count
from sojourn_web.cases.scanning import installed_scanner
from sojourn_web.cases.services import files as kept

HANDED_IN = Rate(20, 3600)  # by one person: each is sealed and looked through
KIND = "from the person"
CHOOSE = words("Choose a file first.")
CHOOSE_AGAIN = words("The file was not sent. Choose it again, then send it.")
TOO_LARGE = words("Expected 10 MB at most: send a smaller picture, or fewer pages.")
TOO_MANY = words("You have sent many files. You can send more after an hour at most.")
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
    words(
        "The name of this file does not fit what it is. If you know where it is from, rename it "
        "so that it ends with .pdf, .jpg or .png, as it is."
    ),
    words("This file ends too early: send it again, perhaps nearer to the net."),
    words(
        "This PDF is locked, so that no scanner can look inside: print it to a new PDF. Send a "
        "photograph of the page as JPEG instead."
    ),
    words(
        "This PDF holds a program or another file inside it. Send a photograph of the page as "
        "JPEG instead."
    ),
    words(
        "The scanner found a virus in this file, so it was not kept. Take a photograph of the "
        "page with another device."
    ),
    words("The scanner found a virus in this file: nobody can open it."),
)


@mine
def files(asked: Asked) -> HttpResponse:
    """What there is, and a form for another one."""
    # A form that waited or was too old comes back without its file, whatever the page says else.
    errors: tuple[str, ...] = (CHOOSE_AGAIN,) if asked.typed.get("restored") else ()
    if asked.sent:
        try:
            count("file", str(asked.person.pk), HANDED_IN, asked.room.now)
            _hand_in(asked)
            return _saved()
        except TooManyError as full:
            answer = asked.page("refused", 429, reasons=(TOO_MANY,))
            answer["Retry-After"] = str(full.wait)
            return answer
        except RefusedError as refusal:
            errors = refusal.reasons
    lines = kept.list_files(asked.room, asked.actor, asked.case.pk)
    return asked.page(
        "files", 409 if errors else 200, lines=lines, errors=errors, restored=False,
        saved="saved" in asked.request.GET, zone=asked.case.office.time_zone,
    )  # fmt: skip


def _hand_in(asked: Asked) -> None:
    given = asked.request.FILES.get("file")
    if not isinstance(given, UploadedFile):
        raise RefusedError(TOO_LARGE if _is_dropped(asked) else CHOOSE)
    kept.hand_in(
        asked.room, asked.actor, asked.case.pk, given.read(), installed_scanner(),
        name=given.name or "", kind=KIND, key=asked.typed.get("key", ""),
    )  # fmt: skip


def _is_dropped(asked: Asked) -> bool:
    """Whether what came was larger than is kept in memory: then no file is handed over at all."""
    length = asked.request.META.get("CONTENT_LENGTH") or "0"
    return length.isdecimal() and int(length) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE


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
