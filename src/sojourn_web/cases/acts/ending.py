"""Acts of the time afterwards: plan, help in kind, follow-ups, the survey, closing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from sojourn_web.cases.acts.basis import (
    Act,
    Bench,
    CaseForm,
    day,
    line,
    radios,
    select,
    text,
    tick,
    words_of,
)
from sojourn_web.cases.services import afterwards, standing, work
from sojourn_web.cases.services.afterwards import POINTS, QUESTIONS
from sojourn_web.cases.services.room import Done, Room
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Outcome

NOT_ANSWERED = "none"


class PlanForm(CaseForm):
    person = select("Whose?")
    declined = tick("They want no plan", "An answer too.")
    plan = text("The plan", "What they want to do, and what helps.", required=False)


def _plan(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.plan_reintegration(
        room, actor, case_id, UUID(str(f["person"])), key=f["key"], plan=f["plan"],
        declined=f["declined"],
    )  # fmt: skip


class HelpForm(CaseForm):
    person = select("For whom?")
    what = line("What kind of help?", "Tools, a room, school things. No name.", longest=60)
    given_on = day("Given on", "Empty: promised, not yet given.", required=False)
    detail = line("Detail", required=False)


def _help(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return afterwards.give_help(
        room, actor, case_id, UUID(str(f["person"])), f["what"], key=f["key"], detail=f["detail"],
        given_on=f["given_on"],
    )  # fmt: skip


class FollowUpForm(CaseForm):
    month = forms.IntegerField(widget=forms.HiddenInput)
    reached = radios("Were they reached?", [("yes", "Yes"), ("no", "No: that is written down "
                                                                    "too")])  # fmt: skip
    notes = text("How are they?", "In their words.", required=False)


def _follow_up(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return afterwards.record_follow_up(
        room, actor, case_id, f["month"], reached=f["reached"] == "yes", notes=f["notes"]
    )


def _follow_up_now(room: Room, bench: Bench) -> Mapping[str, Any]:
    month = bench.asked.get("month", "")
    if not month.isdecimal():
        return {}
    return standing.follow_up_as_written(room, bench.case_id, int(month[:3]))


class SurveyForm(CaseForm):
    """Fifteen questions, none of which must be answered."""

    month = forms.IntegerField(widget=forms.HiddenInput)
    person = select("Who answers?")

    def prepare(self) -> None:
        found = [(str(n), str(n)) for n in POINTS]
        for part, questions in QUESTIONS.items():
            for name, words in questions:
                self.fields[f"q_{name}"] = radios(
                    f"{part.capitalize()}: {words}", [*found, (NOT_ANSWERED, "no answer")],
                    "1: not at all. 5: fully.", required=False,
                )  # fmt: skip


def _survey(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    names = [name for rows in QUESTIONS.values() for name, _ in rows]
    given = {n: f.get(f"q_{n}", "") for n in names}
    points = {n: int(v) if v.isdecimal() else None for n, v in given.items()}
    return afterwards.answer_survey(
        room, actor, case_id, UUID(str(f["person"])), f["month"], points, key=f["key"]
    )


class CloseForm(CaseForm):
    outcome = radios(
        "How did it end?", words_of(Outcome, Outcome.WITHDRAWN, Outcome.STOPPED),
    )  # fmt: skip


def _close(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return afterwards.close_with(room, actor, case_id, Outcome(f["outcome"]), version=f["version"])


ACTS = (
    Act("plan", "Plan for afterwards", PlanForm, _plan, "after"),
    Act("help", "Help in kind", HelpForm, _help, "after"),
    Act("follow-up", "Ask how they are", FollowUpForm, _follow_up, "after",
        initial=_follow_up_now, edits=True),
    Act("survey", "How is it going?", SurveyForm, _survey, "after",
        intro="With consent to it. Nothing must be answered, and nothing is decided by it."),
    Act("close", "Close this case", CloseForm, _close, "overview", button="Close",
        intro="One question. The follow-ups stay on the calendar."),
)  # fmt: skip
