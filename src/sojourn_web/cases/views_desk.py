"""The desk: what needs me today, a new case, hand-over, transfers, break-glass, caseload."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sojourn_web.cases.acts.basis import LANGUAGES, Bench, line, select, text
from sojourn_web.cases.acts.born import typed_in
from sojourn_web.cases.acts.daily import PersonForm, typed_person
from sojourn_web.cases.desk import at_desk, say_saved
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.pages import read_number
from sojourn_web.cases.services import looking, opening, sharing, shift, today
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.unsent import stamp_of, take_back
from sojourn_web.cases.views_case import SAID_AGAIN, field_rows
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import PersonKind, Who

FORM = ["GET", "HEAD", "POST"]
LONGEST_WORD = 2000


@require_safe
@at_desk()
def today_page(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """The home of a counsellor and a supervisor; the medical service has its screenings."""
    if actor.who is Who.MEDICAL:
        return redirect("screenings")
    found = today.what_needs_me(room, actor)
    return render(request, "cases/counsellor/today.html", {"today": found})


class NewCaseForm(PersonForm):
    """Somebody's first visit."""

    language = select("Language they want to speak", LANGUAGES)


def _empty_bench(request: HttpRequest) -> Bench:
    return Bench(UUID(int=0), "", 0, "", (), request.GET.dict())


@require_http_methods(FORM)
@at_desk()
def new_case(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """An enquiry. Cases that may be of the same person are shown before a second one opens:
    ``looked`` says that they were."""
    if actor.office_id is None or actor.who is Who.MEDICAL:
        raise NotAllowedError("expected a counsellor or a supervisor of an office")
    kept = take_back(request) if request.method != "POST" else None
    form = NewCaseForm(_empty_bench(request), request.POST or kept,
                       {"kind": PersonKind.APPLICANT.value})  # fmt: skip
    hints: tuple[opening.Hint, ...] = ()
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            f = form.cleaned_data
            names = f"{f['names']} {f['names_latin']}"
            hints = opening.find_duplicates(room, actor, names, f["birth_date"])
            if not hints or request.POST.get("looked") == "on":
                try:
                    opened = opening.open_case(
                        room, actor, actor.office_id, [typed_person(f)], key=f["key"],
                        language=f["language"],
                    )  # fmt: skip
                except RefusedError as refusal:
                    for reason in refusal.reasons:
                        form.add_error(None, reason)
                else:
                    say_saved(request, room)
                    return redirect("case", reference=opened.done.reference)
    context = {"form": form, "rows": field_rows(form), "stamp": stamp_of(request), "hints": hints,
               "notice": SAID_AGAIN if kept else ""}  # fmt: skip
    return render(request, "cases/counsellor/new.html", context, status=status)


@require_POST
@at_desk()
def hints(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """While a name is typed: cases that may be of the same person. By POST, for no name belongs
    into an address."""
    if actor.office_id is None or actor.who is Who.MEDICAL:
        raise NotAllowedError("expected a counsellor or a supervisor of an office")
    names = f"{request.POST.get('names', '')} {request.POST.get('names_latin', '')}"
    found = opening.find_duplicates(room, actor, names[:400], typed_in(request.POST))
    return render(request, "cases/counsellor/_hints.html", {"hints": found})


@require_http_methods(FORM)
@at_desk()
def hand_over(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """The end of a shift: drawn from what was done, handed to a colleague, kept inside."""
    kept = take_back(request) if request.method != "POST" else None
    typed: Any = request.POST or kept or {}
    days = shift.draft_hand_over(room, actor)
    others = [c for c in today.colleagues(actor) if c[0] != actor.user_id]
    problems: tuple[str, ...] = ()
    chosen = set(typed.getlist("case")) if typed else {str(d.id) for d in days if d.touched}
    if request.method == "POST":
        to, ids = typed.get("colleague", ""), _ids(typed.getlist("case"))
        words = {i: typed.get(f"words-{i}", "") for i in ids}
        try:
            colleague = read_number(to)
            if colleague is None:
                raise RefusedError("Choose a colleague.")
            if max(map(len, words.values()), default=0) > LONGEST_WORD:
                raise RefusedError(f"Expected {LONGEST_WORD} letters on a case at most: write the "
                                   "rest as a note.")  # fmt: skip
            went = shift.hand_over_shift(
                room, actor, colleague, key=typed.get("key", ""), case_ids=ids, words=words
            )
        except RefusedError as refusal:
            problems = refusal.reasons
        else:
            say_saved(request, room, (f"cases handed over: {went}",))
            return redirect("today")
    lines = [(d, str(d.id) in chosen, typed.get(f"words-{d.id}", "")) for d in days]
    context = {"lines": lines, "colleagues": others, "problems": problems,
               "key": typed.get("key") or uuid4().hex, "stamp": stamp_of(request),
               "to": typed.get("colleague", "")}  # fmt: skip
    return render(request, "cases/counsellor/hand_over.html", context,
                  status=422 if problems else 200)  # fmt: skip


def _ids(typed: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in typed]
    except ValueError:
        raise NotVisibleError from None


@require_POST
@at_desk()
def answer_transfer(request: HttpRequest, room: Room, actor: Actor, row: UUID) -> HttpResponse:
    done = sharing.answer_transfer(room, actor, row, accept=request.POST.get("answer") == "accept")
    say_saved(request, room)
    if request.POST.get("answer") == "accept":
        return redirect("case", reference=done.reference)
    return redirect("today")


class BreakGlassForm(forms.Form):
    reference = line("The whole reference", "Such as K7WX-2MDQ.", longest=12)
    reason = text("Why can it not wait for the case's own office?",
                  "One whole sentence. The person reads it, with your name.")  # fmt: skip


@require_http_methods(FORM)
@at_desk()
def break_glass(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """One case of another office, for three hours, with a reason that its person reads."""
    if actor.who not in (Who.COUNSELLOR, Who.SUPERVISOR):
        raise NotAllowedError("expected a counsellor or a supervisor")
    form = BreakGlassForm(request.POST or take_back(request))
    if request.method == "POST" and form.is_valid():
        try:
            grant = looking.break_glass(
                room, actor, form.cleaned_data["reference"], reason=form.cleaned_data["reason"]
            )
        except RefusedError as refusal:
            for reason in refusal.reasons:
                form.add_error(None, reason)
        except NotVisibleError:
            form.add_error("reference", "There is no case with this reference: look at it again.")
        else:
            messages.info(request, "Open to you for three hours. You may see and write, "
                          "not decide.")  # fmt: skip
            return redirect("case", reference=grant.case.reference)
    context = {"form": form, "rows": field_rows(form), "stamp": stamp_of(request)}
    return render(request, "cases/counsellor/break_glass.html", context,
                  status=422 if request.method == "POST" else 200)  # fmt: skip


@require_safe
@at_desk()
def caseload(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """Who has how much, in the order of names: so that nobody has too much."""
    if actor.who is not Who.SUPERVISOR:
        raise NotAllowedError("expected a supervisor")
    rows = today.caseloads(room, actor)
    return render(request, "cases/counsellor/caseload.html", {"rows": rows})
