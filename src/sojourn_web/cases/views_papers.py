"""Files and letters of one case: pages, and what is handed over to the browser."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sojourn_web.accounts.roles import SEE_CASES, needs
from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.letters.printing import render_letter
from sojourn_web.cases.letters.wordings import shipped_languages
from sojourn_web.cases.letters.writing import LetterKind
from sojourn_web.cases.models import Office
from sojourn_web.cases.pages import answers_refusals, find_case, staff
from sojourn_web.cases.scanning import installed_scanner
from sojourn_web.cases.services import files, letters, looking
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.sniffing import LARGEST
from sojourn_web.cases.unsent import gives_back, keeps_typed
from sojourn_web.cases.visibility import Actor

FILE_KINDS = ("identity document", "letter", "receipt of the journey", "medical", "other")


@require_safe
@never_cache
@needs(SEE_CASES)
@answers_refusals
def files_page(request: HttpRequest, reference: str) -> HttpResponse:
    """The case's files, whether each opens, and a form for another one."""
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    context = {
        "reference": reference, "lines": files.list_files(room, actor, case_id),
        "has_scanner": installed_scanner().is_configured, "key": uuid4().hex,
        "people": looking.look(room, actor, case_id, "the page of files").people,
        "kinds": FILE_KINDS, "largest": LARGEST // 2**20,
    }  # fmt: skip
    return render(request, "cases/papers/files.html", context)


@require_POST
@never_cache
@needs(SEE_CASES)
@answers_refusals
def add_file(request: HttpRequest, reference: str) -> HttpResponse:
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    given = request.FILES.get("file")
    if not isinstance(given, UploadedFile):
        raise RefusedError("Expected a file of 10 MB at most: choose one, or a smaller one.")
    files.hand_in(
        room, actor, case_id, given.read(), installed_scanner(), name=given.name or "",
        kind=request.POST.get("kind", ""), key=request.POST.get("key", ""),
        person_id=_uuid(request.POST.get("person", "")),
    )  # fmt: skip
    return redirect("case-files", reference=reference)


@require_safe
@never_cache
@needs(SEE_CASES)
@answers_refusals
def download(request: HttpRequest, reference: str, file_id: UUID) -> HttpResponse:
    """To be saved, never shown inside a page: a file is not trusted because it was scanned."""
    room, actor = room_now(), staff(request)
    opened = files.open_file(room, actor, find_case(room, actor, reference), file_id)
    return _hand_over(opened.content, opened.media_type, opened.name)


@require_safe
@never_cache
@needs(SEE_CASES)
@gives_back
@answers_refusals
def letters_page(request: HttpRequest, reference: str) -> HttpResponse:
    return _letters(request, reference)


def _letters(request: HttpRequest, reference: str, reasons: tuple[str, ...] = ()) -> HttpResponse:
    """The form; after a refusal with why, and with what was typed."""
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    context = {
        "reference": reference, "kinds": list(LetterKind), "languages": shipped_languages(),
        "people": looking.look(room, actor, case_id, "the page of letters").people,
        "reasons": reasons, "typed": request.POST, "beside": request.POST.get("beside") or "en",
    }  # fmt: skip
    return render(request, "cases/papers/letters.html", context, status=422 if reasons else 200)


@require_POST
@never_cache
@keeps_typed
@needs(SEE_CASES)
@answers_refusals
def make_letter(request: HttpRequest, reference: str) -> HttpResponse:
    """The letter as PDF. It is kept nowhere: make it again where it is lost."""
    try:
        return _make_letter(request, reference)
    except RefusedError as refusal:
        return _letters(request, reference, refusal.reasons)


def _make_letter(request: HttpRequest, reference: str) -> HttpResponse:
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    kind = request.POST.get("kind", "")
    if kind not in LetterKind._value2member_map_:
        raise RefusedError("Expected one kind of letter: choose one.")
    person_id = _uuid(request.POST.get("person", ""))
    if person_id is None:
        raise RefusedError("Expected the person whom the letter is for: choose one.")
    letter = letters.make_letter(
        room, actor, case_id, person_id, LetterKind(kind),
        language=request.POST.get("language", "")[:12],
        beside=request.POST.get("beside", "en")[:12] or "en",
        moment=_moment(request, actor), place=request.POST.get("place", "")[:200],
    )  # fmt: skip
    return _hand_over(render_letter(letter), "application/pdf", f"letter {reference}.pdf")


def _moment(request: HttpRequest, actor: Actor) -> datetime | None:
    """Day and time as typed, on the office's clock."""
    day, time = request.POST.get("day", ""), request.POST.get("time", "")
    if not day and not time:
        return None
    try:
        typed = datetime.fromisoformat(f"{day.strip()}T{time.strip()}")
    except ValueError:
        raise RefusedError("Expected a day such as 2026-03-20 and a time such as 14:30.") from None
    office = Office.objects.get(pk=actor.office_id) if actor.office_id else None
    return typed.replace(tzinfo=ZoneInfo(office.time_zone if office else "UTC"))


def _uuid(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise NotVisibleError from None


def _hand_over(content: bytes, media_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
