"""The case: its start, the questions, the ways on, withdrawing."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from sojourn_web.cases.applicant.calendars import Calendar
from sojourn_web.cases.applicant.dating import date_context, typed_date
from sojourn_web.cases.applicant.gate import CHANGED, Asked, Wrong, mine
from sojourn_web.cases.applicant.home import MOVES, is_to_be_handed_back, make_home
from sojourn_web.cases.applicant.questions import Question, find_question, next_question
from sojourn_web.cases.errors import ConflictError, NotVisibleError, RefusedError
from sojourn_web.cases.services import answers, moving, particulars
from sojourn_web.cases.states import Move, find_transition


@mine
def home(asked: Asked) -> HttpResponse:
    """What is done, what is next, what was decided by whom."""
    return asked.page("home", home=make_home(asked), saved="saved" in asked.request.GET,
                      zone=asked.case.office.time_zone)  # fmt: skip


@mine
def question(asked: Asked, section: str, name: str) -> HttpResponse:
    """One question. What is saved is saved; the next one follows."""
    found = find_question(section, name)
    if found is None:
        raise NotVisibleError
    if not asked.sent:
        return _ask(asked, found)
    try:
        changed = _save(asked, found)
    except RefusedError as refusal:
        return _ask(asked, found, 409, refusal.reasons)
    except ConflictError:
        return _ask(asked, found, 409, (CHANGED,))
    # A date of another calendar is shown both ways first; saved again as it stands, one goes on.
    if changed and found.kind == "date" and asked.typed.get("calendar") != Calendar.GREGORIAN:
        return redirect(f"{_place(found)}?saved=1&calendar={asked.typed.get('calendar', '')[:20]}")
    following = next_question(found)
    return redirect(f"{_place(following) if following else reverse('return-home')}?saved=1")


def _place(found: Question) -> str:
    return reverse("return-question", args=(found.section, found.name))


def _save(asked: Asked, found: Question) -> bool:
    """One call of one service. Whether anything was changed by it."""
    typed, actor, case_id, person_id = asked.typed, asked.actor, asked.case.pk, asked.person.pk
    if version := typed.get("choose", ""):
        answers.settle_conflict(asked.room, actor, case_id, person_id, found.section, found.name,
                                int(version) if version.isdecimal() else 0)  # fmt: skip
        return True
    value = typed_date(asked.typed) if found.kind == "date" else typed.get("value", "")
    if found.kind == "choice" and value not in {"", *(c for c, _ in found.choices)}:
        raise NotVisibleError
    if found.particular:
        repeated = particulars.set_particular(
            asked.room, actor, case_id, person_id, found.name, value,
            seen=typed.get("seen", ""), confirmed=typed.get("confirmed") == "yes",
        ).repeated  # fmt: skip
    else:
        seen = typed.get("seen", "0")
        repeated = answers.save_answer(
            asked.room, actor, case_id, person_id, found.section, found.name, value,
            based_on=int(seen) if seen.isdecimal() else 0, key=typed.get("key", ""),
        ).repeated  # fmt: skip
    return not repeated


def _ask(
    asked: Asked, found: Question, status: int = 200, errors: tuple[str, ...] = ()
) -> HttpResponse:
    told = tuple(Wrong(e, _first_field(found)) for e in errors)
    context: dict[str, object] = {"question": found, "errors": told, "typed": asked.typed,
                                  "saved": "saved" in asked.request.GET}  # fmt: skip
    if found.particular:
        stored = particulars.open_particular(asked.room, asked.person, found.name)
        context |= {"stored": stored, "seen": particulars.mark_of(stored)}
        if found.kind == "date":
            context |= date_context(asked, stored)
    else:
        versions = [
            v
            for v in answers.read_answers(asked.room, asked.actor, asked.case, asked.person.pk,
                                          found.section)
            if v.question == found.name
        ]  # fmt: skip
        current = next((v for v in versions if v.is_current), None)
        context |= {
            "stored": current.value if current else "", "seen": current.version if current else 0,
            "versions": versions if len(versions) > 1 else (),
        }  # fmt: skip
    # What was typed and is not saved stays in the form; what others changed meanwhile is shown.
    context["value"] = asked.typed.get("value", context["stored"])
    context["sound"] = f"{found.section}_{found.name}"
    return asked.page("question", status, **context)


def _first_field(found: Question) -> str:
    if found.kind == "date":
        return "day"
    return f"value-{found.choices[0][0]}" if found.choices else "value"


@mine
def move(asked: Asked) -> HttpResponse:
    """Apply, come back, or back to talking."""
    name = asked.typed.get("move", "")
    stays = asked.person.left_plan_at is None
    if asked.sent and stays and name in {m.value for m in MOVES}:
        wanted = Move(name)
        if asked.case.state != find_transition(wanted).goal:  # a second click is none
            moving.move(asked.room, asked.actor, asked.case.pk, wanted)
    return redirect("return-home")


@mine
def withdraw(asked: Asked) -> HttpResponse:
    """One button, without a reason, on every page."""
    if not asked.sent:
        return redirect("return-home")
    moving.withdraw(asked.room, asked.actor, asked.case.pk)
    return asked.page("withdrawn", can_withdraw=False, hand_back=is_to_be_handed_back(asked))


@mine
def rejoin(asked: Asked) -> HttpResponse:
    """Back into the family's plan; every consent is asked again."""
    if asked.sent:
        moving.rejoin_plan(asked.room, asked.actor, asked.case.pk, asked.person.pk)
    return redirect("return-home")
