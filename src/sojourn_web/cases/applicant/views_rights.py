"""What the person may always do: read, export, consent and take back, complain, be forgotten."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string

from sojourn.errors import SetupError
from sojourn_web.cases.applicant.agreeing import make_consents
from sojourn_web.cases.applicant.gate import Asked, Wrong, mine
from sojourn_web.cases.applicant.languages import current_language, words
from sojourn_web.cases.applicant.telling import tell_held, tell_line
from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.letters.printing import print_page, style_of
from sojourn_web.cases.limits import Rate, TooManyError, count
from sojourn_web.cases.services import checks, consents, erasing, looking, particulars, work
from sojourn_web.cases.services.facts import open_referral
from sojourn_web.cases.services.particulars import Wish
from sojourn_web.cases.vocabulary import AppealState, Purpose, Stage

SAY_IT = words("Write something first.")
READ_IT = words("Say how you understood the wording.")
# Where on the page of a consent each is put right; the others are no mistake in a field.
PLACES = {READ_IT: "by-interpreter", consents.NAME_INTERPRETER: "interpreter"}
LINES = 1000  # of who opened it, on paper: each takes 6 ms of a processor to lay out
PDFS = Rate(6, 60)  # for one person: each takes seconds of a processor
NO_PDF = words("This copy cannot be made here now. Save one of the others.")


@mine
def held(asked: Asked) -> HttpResponse:
    """Everything that is held on the person who asks."""
    rows = tell_held(looking.what_is_held(asked.room, asked.actor))
    return asked.page("held", rows=rows, zone=asked.case.office.time_zone)


@mine
def log(asked: Asked) -> HttpResponse:
    """Who opened and changed what, when and why; break-glass too."""
    lines = [tell_line(asked, x) for x in looking.read_log(asked.room, asked.actor)]
    return asked.page("log", lines=lines, zone=asked.case.office.time_zone)


@mine
def export_json(asked: Asked) -> HttpResponse:
    """Their own record for another program. Times are UTC."""
    body = {
        "reference": asked.case.reference, "made_at": asked.room.now.isoformat(),
        "held": [{"what": h.table, "at": h.at.isoformat(), "values": dict(h.values)}
                 for h in looking.what_is_held(asked.room, asked.actor)],
        "log": [{"at": x.at.isoformat(), "who": x.who, "what": x.what, "reason": x.reason}
                for x in looking.read_log(asked.room, asked.actor, 10_000)],
    }  # fmt: skip
    answer = HttpResponse(json.dumps(body, ensure_ascii=False, indent=1), "application/json")
    answer["Content-Disposition"] = 'attachment; filename="my-record.json"'
    return answer


@mine
def export_page(asked: Asked) -> HttpResponse:
    """Their own record for reading and printing, in one file without anything around it."""
    answer = asked.page(
        "export", rows=tell_held(looking.what_is_held(asked.room, asked.actor)),
        lines=[tell_line(asked, x) for x in looking.read_log(asked.room, asked.actor, 10_000)],
        made_at=asked.room.now, zone=asked.case.office.time_zone,
    )  # fmt: skip
    answer["Content-Disposition"] = 'attachment; filename="my-record.html"'
    return answer


@mine
def export_pdf(asked: Asked) -> HttpResponse:
    """Their own record to print and to hand over, in their language and in English. It is made in
    memory, handed over and kept nowhere; six a minute at most."""
    try:
        count("pdf", str(asked.person.pk), PDFS, asked.room.now)
    except TooManyError as full:
        refused = asked.page("refused", 429, reasons=(NO_PDF,))
        refused["Retry-After"] = str(full.wait)
        return refused
    lines = [tell_line(asked, x) for x in looking.read_log(asked.room, asked.actor, LINES + 1)]
    page = render_to_string("cases/applicant/record.html", {
        "rows": tell_held(looking.what_is_held(asked.room, asked.actor)),
        "lines": lines[:LINES], "more": len(lines) > LINES,
        "case": asked.case, "made_at": asked.room.now, "zone": asked.case.office.time_zone,
        "language": current_language(), "style": style_of("record"),
    })  # fmt: skip
    _give_connections_back()
    try:
        made = print_page(page)
    except SetupError:
        return asked.page("refused", 503, reasons=(NO_PDF,))
    answer = HttpResponse(made, "application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="my-record.pdf"'
    return answer


def _give_connections_back() -> None:
    """To the pool, before seconds without a question to a database. The next question takes one."""
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close()


@mine
def agreements(asked: Asked) -> HttpResponse:
    """Every consent: whether it was given, and where it is asked."""
    return asked.page("consents", consents=make_consents(asked), zone=asked.case.office.time_zone)


@mine
def agree(asked: Asked, purpose: str) -> HttpResponse:
    """One consent, in a reviewed wording or through a named interpreter; and taking it back."""
    if purpose not in Purpose._value2member_map_:
        raise NotVisibleError
    errors: tuple[Wrong, ...] = ()
    if asked.sent:
        try:
            _give(asked, Purpose(purpose))
            return redirect("return-consents")
        except RefusedError as refusal:
            errors = tuple(Wrong(r, PLACES.get(r, "")) for r in refusal.reasons)
    each = next(c for c in make_consents(asked) if c.purpose == purpose)
    # A recording reads out a reviewed wording of this language or nothing: never a draft.
    sound = f"consent_{purpose}_{each.wording.version}" if each.wording and each.translated else ""
    return asked.page("consent", 409 if errors else 200, each=each, errors=errors, sound=sound,
                      zone=asked.case.office.time_zone)  # fmt: skip


def _give(asked: Asked, purpose: Purpose) -> None:
    typed = asked.typed
    stage = typed.get("stage", "")
    if stage not in {"", *Stage}:
        raise NotVisibleError
    language = typed.get("understood", "")
    if language not in {"en", current_language().code}:
        raise RefusedError(READ_IT)
    consents.give_consent(
        asked.room, asked.actor, asked.case.pk, asked.person.pk, purpose,
        declaration_id=_id(typed.get("declaration", "")), language=language,
        key=typed.get("key", ""), stage=Stage(stage) if stage else None,
        interpreter="" if language == "en" else typed.get("interpreter", ""),
    )  # fmt: skip


@mine
def take_back(asked: Asked) -> HttpResponse:
    """A consent ends, without a reason."""
    if asked.sent:
        consent = _id(asked.typed.get("consent", ""))
        consents.withdraw_consent(asked.room, asked.actor, asked.case.pk, consent)
    return redirect("return-consents")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotVisibleError from None


@mine
def ask(asked: Asked) -> HttpResponse:
    """An interpreter, or a call."""
    wish = asked.typed.get("wish", "")
    if not asked.sent or wish not in Wish.__members__:
        return redirect("return-home")
    particulars.ask_for(asked.room, asked.actor, asked.case.pk, Wish[wish],
                        key=asked.typed.get("key", ""), detail=current_language().code)  # fmt: skip
    return asked.page("told", what="ask")


@mine
def complain(asked: Asked) -> HttpResponse:
    """Past the counsellor, to somebody else."""
    return _write(
        asked, "complain",
        lambda text: work.complain(
            asked.room, asked.actor, asked.case.pk, text, key=asked.typed.get("key", "")
        ),
        outside=settings.RETURN_COMPLAINTS, zone=asked.case.office.time_zone,
        nobody=not work.who_answers(asked.case),
        earlier=work.complaints_of(asked.room, asked.case, asked.person),
    )  # fmt: skip


@mine
def appeal(asked: Asked) -> HttpResponse:
    """Against "not safe": somebody else decides."""
    referral = open_referral(asked.case)
    left = asked.person.left_plan_at
    if referral is None or (left is not None and referral.made_at > left):
        raise NotVisibleError
    return _write(
        asked, "appeal",
        lambda text: checks.appeal(asked.room, asked.actor, asked.case.pk, text=text),
        waiting=referral.appeal == AppealState.OPEN, decided=referral.decided_at is not None,
        decision=referral.decision.show(asked.room.keys),
    )  # fmt: skip


def _write(asked: Asked, name: str, send: object, **context: Any) -> HttpResponse:
    """A page with one field of free words."""
    errors: tuple[str, ...] = ()
    if asked.sent and not asked.typed.get("value", "").strip():
        errors = (SAY_IT,)
    elif asked.sent and callable(send):
        try:
            send(asked.typed.get("value", ""))
            return asked.page("told", what=name, **context)
        except RefusedError as refusal:
            errors = refusal.reasons
    return asked.page(name, 409 if errors else 200, errors=errors,
                      value=asked.typed.get("value", ""), **context)  # fmt: skip


@mine
def rate(asked: Asked) -> HttpResponse:
    """One's own view of the counselling; nothing must be answered."""
    if asked.sent:
        points = [_points(asked.typed.get(x, "")) for x in ("listened", "understood", "free")]
        work.rate(
            asked.room, asked.actor, asked.case.pk, key=asked.typed.get("key", ""),
            listened=points[0], understood=points[1], free_to_say_no=points[2],
            words=asked.typed.get("value", ""),
        )  # fmt: skip
        return asked.page("told", what="rate")
    return asked.page("rate", value=asked.typed.get("value", ""), typed=asked.typed,
                      points=("1", "2", "3", "4", "5"))  # fmt: skip


def _points(text: str) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


@mine
def erase(asked: Asked) -> HttpResponse:
    """To be forgotten: asked here, done by two people."""
    if asked.sent:
        erasing.ask_erasure(asked.room, asked.actor, asked.case.pk)
        return asked.page("told", what="erase")
    return asked.page("erase")
