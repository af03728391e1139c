"""Acts of the safeguards: the checklist, screenings, children, 'not safe' and its appeal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sojourn_web.cases.acts.basis import (
    LANGUAGES,
    Act,
    Bench,
    CaseForm,
    asked_id,
    day,
    given,
    line,
    radios,
    select,
    somebody,
    text,
    tick,
    words_of,
)
from sojourn_web.cases.services import checks, standing
from sojourn_web.cases.services.room import Done, Room
from sojourn_web.cases.templatetags.desk import check_name
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    ScreeningKind,
    ScreeningResult,
    Who,
)

SUPERVISOR = frozenset({Who.SUPERVISOR})
HELP: dict[Check, str] = {
    Check.LEGAL_INFORMATION: "Which ways to stay there are, and free legal advice.",
    Check.PENDING_CLAIMS: "Asylum, residence, appeals, compensation, wages owed.",
    Check.RE_ENTRY_BANS: "Whether one exists, from when, and how it is lifted.",
    Check.CONSEQUENCES: "What leaving means for claims, family, debts and coming here again.",
    Check.DETENTION_AND_PRESSURE: "Whether anybody, or detention, makes them go.",
}


class CheckForm(CaseForm):
    check = given(Check)
    answer = radios("What came of it?", [])
    language = select("In which language was it talked through?", LANGUAGES)
    notes = text("Notes", "For the case alone. Leave empty if there is nothing.", required=False)

    def prepare(self) -> None:
        named = self.data.get("check") or self.initial.get("check", "")
        if named in Check._value2member_map_:
            check = Check(named)
            told_only = check in checks.TOLD_ONLY
            good = CheckAnswer.TOLD if told_only else CheckAnswer.NOTHING_PENDING
            self.fields["answer"].choices = [  # type: ignore[attr-defined]
                (good.value, good.value.replace("_", " ").capitalize()),
                (CheckAnswer.NEEDS_ADVICE.value, "Needs advice: the case waits until then"),
            ]  # fmt: skip
            self.fields["answer"].label = check_name(named).capitalize()
            self.fields["answer"].help_text = HELP[check]
        self.initial.setdefault("language", self.bench.language)


def _check(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.complete_check(
        room, actor, case_id, Check(f["check"]), CheckAnswer(f["answer"]),
        language=f["language"], key=f["key"], notes=f["notes"],
    )  # fmt: skip


class AskScreeningForm(CaseForm):
    person = select("Who?")
    kind = radios("Which screening?", words_of(ScreeningKind))


def _ask(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.ask_screening(
        room, actor, case_id, UUID(str(f["person"])), ScreeningKind(f["kind"]), key=f["key"]
    )


class ScreenForm(CaseForm):
    """Vulnerability, by the counsellor. Fitness is found by the medical service on its page."""

    person = select("Who?")
    result = radios("Result", words_of(ScreeningResult, ScreeningResult.ASKED))
    valid_until = day(
        "Last day on which it holds", "Empty for 'not now'. At most 180 days from today.",
        required=False,
    )  # fmt: skip
    needs = text(
        "What was told", "Stays closed: it opens with a reason, and the person reads who opened "
        "it and why.", required=False,
    )  # fmt: skip
    support = line("What the journey needs", "For 'with support': a seat, an escort.",
                   required=False)  # fmt: skip


def _screen(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.screen(
        room, actor, case_id, UUID(str(f["person"])), ScreeningKind.VULNERABILITY,
        ScreeningResult(f["result"]), key=f["key"], valid_until=f["valid_until"],
        answers={"told": f["needs"]} if f["needs"] else {}, support=f["support"],
    )  # fmt: skip


class ChildForm(CaseForm):
    person = somebody()
    guardian = line("Guardian", "Who, and by which decision.", required=False)
    best_interests = line("Best-interests procedure", "Who decided, when.", required=False)
    reception = line("Reception confirmed", "Who meets the child, and who confirmed it.",
                     required=False)  # fmt: skip


def _child(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.safeguard_child(
        room, actor, case_id, UUID(str(f["person"])), guardian=f["guardian"],
        best_interests=f["best_interests"], reception=f["reception"],
    )  # fmt: skip


def _child_now(room: Room, bench: Bench) -> Mapping[str, Any]:
    person_id = asked_id(bench, "person")
    return standing.child_as_written(room, bench.case_id, person_id) if person_id else {}


class AloneForm(CaseForm):
    person = somebody()
    alone = tick("The child is without an adult in this plan")


def _alone(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.travels_alone(room, actor, case_id, UUID(str(f["person"])), alone=f["alone"])


class NotSafeForm(CaseForm):
    reason = text("Why is return not safe?", "The person reads this.")
    referred_to = line("Who helps instead?", required=False)


def _not_safe(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.refer_not_safe(
        room, actor, case_id, reason=f["reason"], key=f["key"], referred_to=f["referred_to"]
    )


class AppealForm(CaseForm):
    words = text("What should be looked at again?", "In the person's words.")


def _appeal(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.appeal(room, actor, case_id, text=f["words"])


class DecideForm(CaseForm):
    answer = radios("Decision", [("upheld", "Upheld: counselling begins anew"),
                                 ("dismissed", "Dismissed: the case stays stopped")])  # fmt: skip
    decision = text("Reasons", "The person reads this.")


def _decide(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return checks.decide_appeal(
        room, actor, case_id, upheld=f["answer"] == "upheld", decision=f["decision"]
    )


ACTS = (
    Act("check", "A point of the checklist", CheckForm, _check, "safeguards",
        intro="Talk it through before any consent. Nobody is talked out of a claim."),
    Act("ask-screening", "Ask for a screening", AskScreeningForm, _ask, "safeguards",
        button="Ask", intro="Your office's medical service then sees that it waits: the "
        "reference and the kind, no name."),
    Act("screen", "Vulnerability screening", ScreenForm, _screen, "safeguards"),
    Act("child", "Safeguards of a child who travels alone", ChildForm, _child, "safeguards",
        initial=_child_now, edits=True,
        intro="All three before anything is booked. What is left empty stays as it was."),
    Act("alone", "Does the child travel alone?", AloneForm, _alone, "safeguards"),
    Act("not-safe", "Return is not safe", NotSafeForm, _not_safe, "safeguards", warning=True,
        button="Stop this case", intro="The case stops and every booking is let go. The person "
        "may appeal; somebody else decides."),
    Act("appeal", "Appeal against 'not safe'", AppealForm, _appeal, "safeguards",
        button="Send the appeal", intro="A supervisor who has not stopped the case decides."),
    Act("decide-appeal", "Decide the appeal", DecideForm, _decide, "safeguards",
        button="Decide", who=SUPERVISOR),
)  # fmt: skip
