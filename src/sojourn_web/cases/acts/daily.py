"""Acts of the day: people, notes, tasks, waiting, sharing, codes, complaints, answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from sojourn_web.cases.acts.basis import (
    LANGUAGES,
    Act,
    Bench,
    CaseForm,
    KeyOnly,
    RowOnly,
    asked_id,
    day,
    given,
    hidden,
    line,
    radios,
    select,
    somebody,
    text,
    tick,
    words_of,
)
from sojourn_web.cases.acts.born import BirthDateField
from sojourn_web.cases.applicant.questions import known_question
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.services import answers, moving, opening, sharing, standing, work
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Done, Room
from sojourn_web.cases.states import Move
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import PersonKind, Who

BORN = ("In the calendar in which they know it, and only the parts that are known. A year alone "
        "is enough; leave it empty if nothing is known.")  # fmt: skip


class PersonForm(CaseForm):
    names = line("Names", "As the person writes them, in any script. One word is enough.",
                 required=False)  # fmt: skip
    names_latin = line("Names in Latin letters", "As the document shows them.", required=False)
    birth_date = BirthDateField(label="Birth date", help_text=BORN, required=False)
    confirmed_date = tick("A document shows this date indeed")
    nationality = line("Nationality", "Three letters.", required=False, longest=3)
    contact = line("How to reach them safely", required=False)
    language = select("Language", LANGUAGES, required=False, empty="The case's")
    kind = radios("In this plan they are", words_of(PersonKind))
    travels_alone = tick("A child without an adult in this plan")


def typed_person(f: dict[str, Any]) -> NewPerson:
    return NewPerson(
        f["names"], f["names_latin"], f["birth_date"], confirmed_date=f["confirmed_date"],
        nationality=f["nationality"], contact=f["contact"], kind=PersonKind(f["kind"]),
        language=f["language"], travels_alone=f["travels_alone"],
    )  # fmt: skip


class ChangeForm(PersonForm):
    person = somebody()


def _add_person(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return opening.add_person(room, actor, case_id, typed_person(f), key=f["key"])


def _change_person(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return opening.change_person(
        room, actor, case_id, UUID(str(f["person"])), typed_person(f), version=f["version"]
    )


def _as_it_is(room: Room, bench: Bench) -> Mapping[str, Any]:
    person_id = asked_id(bench, "person")
    return standing.person_as_written(room, bench.case_id, person_id) if person_id else {}


class NoteForm(CaseForm):
    words = text("Note", "Written once: it cannot be changed afterwards.")
    sensitive = tick("Sensitive: opens with a reason alone")


def _note(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.add_note(room, actor, case_id, f["words"], key=f["key"], sensitive=f["sensitive"])


class TaskForm(CaseForm):
    what = line("What is there to do?", "The kind of work, no name.", longest=120)
    due_on = day("By", required=False)
    detail = text("Particulars", "Sealed with the case.", required=False)


def _task(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.plan_task(
        room, actor, case_id, f["what"], key=f["key"], due_on=f["due_on"], detail=f["detail"]
    )


def _finish(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.finish_task(room, actor, case_id, f["row"])


class StopClockForm(CaseForm):
    waits_for = line("What is waited for?", "For example: the consulate's answer. No name.",
                     longest=60)  # fmt: skip


def _stop_clock(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.stop_clock(room, actor, case_id, f["waits_for"])


def _start_clock(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.start_clock(room, actor, case_id)


class AssignForm(CaseForm):
    colleague = select("Who counsels this case?")


def _assign(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return sharing.assign(room, actor, case_id, int(f["colleague"]))


def _take_it(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return sharing.assign(room, actor, case_id, actor.user_id or 0)


class TransferForm(CaseForm):
    office = select("To which office?")
    reason = text("Reason", "The person reads this.")


def _transfer(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return sharing.request_transfer(
        room, actor, case_id, UUID(f["office"]), reason=f["reason"], key=f["key"]
    )


def _revoke(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return sharing.revoke_transfer(room, actor, case_id, f["row"])


class ComplaintForm(RowOnly):
    answer = text("Answer", "The person reads this.")


def _complaint(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return work.answer_complaint(room, actor, case_id, f["row"], f["answer"])


def _answered_now(room: Room, bench: Bench) -> Mapping[str, Any]:
    row = asked_id(bench, "row")
    return standing.answer_as_written(room, bench.reader, bench.case_id, row) if row else {}


class AnswerForm(CaseForm):
    person = select("Who?")
    section = hidden()
    question = line("Question", "A short name: wishes, needs, worries.", longest=60)
    value = text("Answer", "In their words.", required=False)
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def prepare(self) -> None:
        self.initial.setdefault("section", "counselling")
        self.initial.setdefault("based_on", 0)
        place = [str(self.data.get(n) or self.initial.get(n, "")) for n in ("section", "question")]
        asked = known_question(*place)
        if asked is None:
            return
        # One of the person's own questions: asked in its words, answered as they answer it.
        self.fields["question"].widget = forms.HiddenInput()
        if asked.choices:
            self.fields["value"] = radios(asked.asks, list(asked.choices), required=False)
        self.fields["value"].label = asked.asks

    def clean_question(self) -> str:
        return "_".join(str(self.cleaned_data["question"]).lower().split())


def _answer(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    saved = answers.save_answer(
        room, actor, case_id, UUID(str(f["person"])), f["section"][:40], f["question"], f["value"],
        based_on=f["based_on"] or 0, key=f["key"],
    )  # fmt: skip
    remarks: tuple[str, ...] = ()
    if saved.conflict_with is not None:
        remarks = ("A colleague had answered in the meantime. Both versions are kept and shown: "
                   "choose one.",)  # fmt: skip
    return Done(case_id, "", "", 0, repeated=saved.repeated, remarks=remarks)


class SettleForm(CaseForm):
    person = somebody()
    section = hidden()
    question = hidden()
    choose = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


def _settle(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return answers.settle_conflict(
        room, actor, case_id, UUID(str(f["person"])), f["section"], f["question"], f["choose"]
    )


class CodeForm(CaseForm):
    person = somebody()


def _code(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    code = opening.issue_code(room, actor, case_id, UUID(str(f["person"])), key=f["key"])
    if not code:
        raise RefusedError("No code was made: load the page again.")
    return Done(case_id, "", "", 0, remarks=(f"The new code, shown this once: {code}",))


class MoveForm(CaseForm):
    move = given(Move)
    reason = text("Reason", "The person reads this.")


def _move(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return moving.move(
        room, actor, case_id, Move(f["move"]), reason=f["reason"], version=f["version"]
    )


ACTS = (
    Act("move", "The next step", MoveForm, _move, "overview", button="Go on"),
    Act("add-person", "Add somebody to the plan", PersonForm, _add_person, "overview",
        intro="A family is one plan: one record for each person."),
    Act("change-person", "Particulars", ChangeForm, _change_person, "overview",
        initial=_as_it_is, edits=True),
    Act("note", "Write a note", NoteForm, _note, "work"),
    Act("task", "Plan a task", TaskForm, _task, "work",
        intro="Nothing happens by itself when the day passes."),
    Act("finish-task", "Finish this task", RowOnly, _finish, "work", button="It is done"),
    Act("stop-clock", "Stop the clock", StopClockForm, _stop_clock, "work",
        button="Stop the clock", intro="While others keep us waiting, the time does not count."),
    Act("start-clock", "Start the clock", KeyOnly, _start_clock, "work",
        button="Start the clock"),
    Act("assign", "Give to a colleague", AssignForm, _assign, "overview", button="Give"),
    Act("take-case", "Take this case", KeyOnly, _take_it, "overview", button="Take this case"),
    Act("transfer", "Ask another office to take over", TransferForm, _transfer, "work",
        button="Ask", intro="With every adult's consent to it. Until that office accepts it "
        "sees the reference alone."),
    Act("revoke-transfer", "Take the request back", RowOnly, _revoke, "work",
        button="Take it back"),
    Act("answer-complaint", "Answer the complaint", ComplaintForm, _complaint, "work",
        who=frozenset({Who.SUPERVISOR}), button="Answer", initial=_answered_now, edits=True),
    Act("answer", "What they told", AnswerForm, _answer, "told"),
    Act("settle", "Choose this version", SettleForm, _settle, "told", button="Choose it"),
    Act("code", "Give a new code", CodeForm, _code, "overview", button="Make a new code",
        intro="For coming back by reference and code. It is shown once; older ones end."),
)  # fmt: skip
