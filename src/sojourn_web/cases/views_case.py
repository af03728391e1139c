"""A case's page in parts, its acts, and sensitive answers that open with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from sojourn_web.cases.acts import ACTS, Act, Bench, CaseForm
from sojourn_web.cases.acts.basis import ASKED, text
from sojourn_web.cases.acts.born import BirthDateWidget, TypedDate, as_typed
from sojourn_web.cases.acts.sent import mark_shown
from sojourn_web.cases.desk import at_desk, closed_bench, open_bench, say_saved
from sojourn_web.cases.errors import ConflictError, NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.pages import find_case
from sojourn_web.cases.services import looking
from sojourn_web.cases.services.room import Room, was_done
from sojourn_web.cases.services.sheet import read_sheet
from sojourn_web.cases.services.sheet_parts import Part
from sojourn_web.cases.unsent import stamp_of, take_back
from sojourn_web.cases.visibility import Actor, visible_to
from sojourn_web.cases.vocabulary import Purpose, Stage, Who

PARTS: tuple[tuple[Part, str], ...] = (
    (Part.OVERVIEW, "Overview"), (Part.TOLD, "What they told"), (Part.SAFEGUARDS, "Safeguards"),
    (Part.CONSENTS, "Consents"), (Part.TRAVEL, "Documents and journey"), (Part.MONEY, "Money"),
    (Part.WORK, "Notes and tasks"), (Part.AFTER, "Afterwards"),
)  # fmt: skip
SAID_AGAIN = ("You were signed out in between. What you wrote is below; nothing of it has been "
              "saved yet.")  # fmt: skip
BOTH_BELOW = (
    "Nothing is overwritten: where the two differ, both are below. Save again to keep yours."
)
CHANGED_ROW = f"A colleague changed this while you wrote. {BOTH_BELOW}"
CHANGED_BY_FORM = f"You have saved this form before. {BOTH_BELOW}"
CHANGED_CASE = (
    "This case has changed while you wrote, and nothing is done yet: look at it in another "
    "window, then press again."
)
# Consents to ask for by a link: purpose and stage.
TO_ASK: tuple[tuple[Purpose, Stage | None], ...] = (
    (Purpose.RETURN, Stage.APPLICATION), (Purpose.RETURN, Stage.BOOKING),
    (Purpose.RETURN, Stage.TRAVEL_DAY), (Purpose.EMBASSY, None), (Purpose.CARRIER, None),
    (Purpose.RECEPTION, None), (Purpose.TRANSFER, None), (Purpose.SURVEY, None),
)  # fmt: skip


@dataclass(frozen=True)
class FieldRow:
    """A field as the template draws it. ``now``: what a colleague has written meanwhile."""

    field: BoundField
    look: str
    now: str = ""
    inline: bool = False
    typed: TypedDate | None = None


@require_safe
@at_desk()
def case_page(
    request: HttpRequest, room: Room, actor: Actor, reference: str, part: str = "overview"
) -> HttpResponse:
    """One part of a case. Beside a step that is not open stands why."""
    case_id = find_case(room, actor, reference)
    if part not in Part._value2member_map_:
        raise NotVisibleError
    sheet = read_sheet(room, actor, case_id, Part(part))
    context = {"sheet": sheet, "case": sheet.view, "parts": PARTS, "to_ask": TO_ASK}
    if part == Part.MONEY:
        bench = closed_bench(request, room, actor, case_id)
        form = ACTS["money"].form(bench)
        context |= {"money_form": form, "rows": field_rows(form), "stamp": stamp_of(request)}
    return render(request, f"cases/counsellor/{part}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk()
def act_page(
    request: HttpRequest, room: Room, actor: Actor, reference: str, name: str
) -> HttpResponse:
    """One form. A refusal shows it again, with what was typed and what to do."""
    act = ACTS.get(name)
    if act is None:
        raise NotVisibleError
    try:
        case_id = find_case(room, actor, reference)
    except NotVisibleError:
        if was_done(actor, f"act:{act.name}", request.POST.get("key", "")):
            return redirect("today")  # the second click on giving a case away
        raise
    if actor.who not in act.who:
        raise NotAllowedError("this role has no such form")
    if request.method != "POST":
        bench = open_bench(request, room, actor, case_id, act.title)
        kept = take_back(request)
        form = act.form(bench, kept, act.first_values(room, bench))
        return _show(request, room, act, bench, form, notice=SAID_AGAIN if kept else "")
    form = act.form(closed_bench(request, room, actor, case_id), request.POST)
    against: tuple[str, ...] = ()
    stale = False
    if form.is_valid():
        try:
            done = act.do(room, actor, _asking(form.bench, request.POST), form.cleaned_data)
        except RefusedError as refusal:
            against = refusal.reasons
        except ConflictError:
            stale = True
        else:
            say_saved(request, room, done.remarks)
            if not visible_to(actor, room.now).filter(pk=case_id).exists():
                return redirect("today")  # given away, where one sees one's own alone
            return _back(reference, act.part)
    return _again(request, room, actor, act, case_id, against, stale)


def _back(reference: str, part: str) -> HttpResponse:
    if part == Part.OVERVIEW:
        return redirect("case", reference=reference)
    return redirect("case-part", reference=reference, part=part)


def _again(
    request: HttpRequest, room: Room, actor: Actor, act: Act, case_id: UUID,
    against: Iterable[str], stale: bool,
) -> HttpResponse:  # fmt: skip
    bench = open_bench(request, room, actor, case_id, act.title)
    data = request.POST.copy()
    data["key"] = uuid4().hex  # nothing was done by this click; an earlier one may have its key
    now: dict[str, Any] = {}
    notice = ""
    if stale:
        data["version"] = str(bench.version)
        now = act.held(room, _asking(bench, data))
        data["shown"] = mark_shown(now)
        if now and stands_already(act.form(bench, data), now):
            say_saved(request, room)
            return _back(bench.reference, act.part)
        own = was_done(actor, f"act:{act.name}", request.POST.get("key", ""))
        notice = CHANGED_BY_FORM if own and now else CHANGED_ROW if now else CHANGED_CASE
    form = act.form(bench, data)
    form.is_valid()
    whose = "It says now" if notice == CHANGED_BY_FORM else ""
    for reason in against:
        form.add_error(None, reason)
    return _show(request, room, act, bench, form, notice=notice, now=now, whose=whose,
                 status=409 if stale else 422)  # fmt: skip


def _asking(bench: Bench, data: Any) -> Bench:
    """The bench as the form's own person asks it."""
    return Bench(
        bench.case_id,
        bench.reference,
        bench.version,
        bench.language,
        bench.people,
        {**bench.asked, **{name: str(data[name]) for name in ASKED if name in data}},
        bench.colleagues,
        bench.offices,
        bench.reader,
    )


def _show(
    request: HttpRequest, room: Room, act: Act, bench: Bench, form: CaseForm, *,
    notice: str = "", now: dict[str, Any] | None = None, whose: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    panel: dict[str, Any] = {}
    if act.panel_of:
        panel = dict(act.panel_of(room, _asking(bench, form.data) if form.is_bound else bench))
    context = {
        "act": act, "reference": bench.reference, "form": form, "notice": notice,
        "rows": field_rows(form, now or {}), "stamp": stamp_of(request), "panel": panel,
        "about": bench.person(), "whose": whose,
    }  # fmt: skip
    return render(request, "cases/counsellor/act.html", context, status=status)


def field_rows(form: forms.Form, now: dict[str, Any] | None = None) -> list[FieldRow]:
    """Visible fields with how to draw each."""
    looks: tuple[tuple[type[forms.Widget], str], ...] = (
        (forms.RadioSelect, "radios"), (forms.CheckboxInput, "tick"), (forms.Textarea, "text"),
        (forms.Select, "select"), (BirthDateWidget, "date"),
    )  # fmt: skip
    found = []
    for bound in form.visible_fields():
        look = next((n for k, n in looks if isinstance(bound.field.widget, k)), "line")
        theirs = _as_said((now or {}).get(bound.name))
        typed = as_typed(bound.value()) if look == "date" else None
        mine = _as_said(typed or bound.value())
        differs = bool(now) and bound.name in (now or {}) and theirs != mine
        found.append(FieldRow(bound, look, (theirs or "nothing") if differs else "",
                              look == "radios" and len(list(bound)) > 4, typed))  # fmt: skip
    return found


def stands_already(form: forms.Form, now: dict[str, Any]) -> bool:
    """Whether a colleague has written the very same: every field, and nothing else is typed."""
    return not any(
        row.now or (row.field.name not in now and _as_said(row.field.value()))
        for row in field_rows(form, now)
    )


def _as_said(value: object) -> str:
    """A value as two who differ read it; a line's end is one sign, whatever browser sent it."""
    if isinstance(value, bool):
        return "ticked" if value else ""
    return str(value or "").replace("\r\n", "\n").strip()


def _lines(value: str) -> list[str]:
    """A screening's answers are kept as JSON; the rest is text."""
    try:
        found = json.loads(value)
    except ValueError:
        return value.splitlines()
    return [str(v) for v in found.values()] if isinstance(found, dict) else [value]


class WhyForm(forms.Form):
    reason = text("Why do you open it?", "The person reads who opened it, when, and this.")


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk()
def open_sensitive(
    request: HttpRequest, room: Room, actor: Actor, reference: str, table: str, row: UUID,
    column: str,
) -> HttpResponse:  # fmt: skip
    """Ask for a reason, then show the one value on this page and nowhere else."""
    case_id = find_case(room, actor, reference)
    form = WhyForm(request.POST or take_back(request))
    value = ""
    if request.method == "POST" and form.is_valid():
        value = looking.open_sensitive(
            room, actor, case_id, table, row, column, reason=form.cleaned_data["reason"]
        )
    context = {"reference": reference, "form": form, "rows": field_rows(form),
               "stamp": stamp_of(request), "lines": _lines(value),
               "medical": actor.who is Who.MEDICAL,
               "opened": request.method == "POST" and form.is_valid()}  # fmt: skip
    return render(request, "cases/counsellor/sensitive.html", context)
