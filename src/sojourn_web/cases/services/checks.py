"""The legal information, screenings, children who travel alone, and the referral that stops.

In: what was talked about or found. Out: rows that the guards read. Screenings are answered by
whoever may; their answers are sealed and open by ``looking.open_sensitive`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import Case, ChecklistItem, ChildSafeguard, Referral, Screening
from sojourn_web.cases.services.facts import open_referral
from sojourn_web.cases.services.moving import take_step
from sojourn_web.cases.services.room import (
    Done,
    Room,
    done,
    must_say,
    once,
    person_of,
    record,
    service,
    take,
    today_in,
)
from sojourn_web.cases.states import BEFORE_DEPARTURE, Move, State, find_transition
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import (
    AppealState,
    Check,
    CheckAnswer,
    ScreeningKind,
    ScreeningResult,
    Who,
)

# How long a screening may hold at most. An office's assumption, not a rule of any law.
LONGEST: dict[ScreeningKind, timedelta] = {
    ScreeningKind.VULNERABILITY: timedelta(days=180),
    ScreeningKind.FITNESS: timedelta(days=30),
}
TOLD_ONLY = frozenset({Check.LEGAL_INFORMATION, Check.CONSEQUENCES})


@service
def complete_check(
    room: Room, actor: Actor, case_id: UUID, check: Check, answer: CheckAnswer, *, language: str,
    key: str, notes: str = "",
) -> Done:  # fmt: skip
    """One point of the list. ``needs_advice`` holds the case until it is answered anew."""
    case = take(room, actor, case_id, Action.CHECK)
    _before_departure(case)
    wrong = CheckAnswer.NOTHING_PENDING if check in TOLD_ONLY else CheckAnswer.TOLD
    if answer is wrong:
        raise RefusedError(
            "This point asks what there is, not whether it was told: nothing pending, or needs "
            "advice."
            if answer is CheckAnswer.TOLD
            else "This point is told: told, or needs advice."
        )
    if not language:
        raise RefusedError("Say in which language it was talked through.")

    def make(row_id: UUID) -> ChecklistItem:
        for old in ChecklistItem.objects.filter(case=case, check_kind=check, replaced_at=None):
            old.replaced_at = room.now
            old.save()
        item = ChecklistItem(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            check_kind=check, answer=answer, language=language,
        )  # fmt: skip
        item.seal(room.keys, notes=notes.strip())
        item.save(force_insert=True)
        record(room, actor, case, f"talked about {check}", columns="checklist")
        return item

    row, repeated = once(room, actor, "complete_check", key, ChecklistItem, make)
    return done(case, row, repeated=repeated)


@service
def ask_screening(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, kind: ScreeningKind, *, key: str
) -> Done:
    """Ask for a screening; from then on the office's medical service sees that it waits."""
    case = take(room, actor, case_id, Action.WORK)
    person = person_of(case, person_id)

    def make(row_id: UUID) -> Screening:
        row = Screening.objects.create(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, kind=kind,
        )  # fmt: skip
        record(room, actor, case, f"asked for a screening: {kind}", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "ask_screening", key, Screening, make)
    return done(case, row, repeated=repeated)


@service
def screen(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, kind: ScreeningKind,
    result: ScreeningResult, *, key: str, valid_until: date | None = None,
    answers: Mapping[str, str] | None = None, support: str = "",
) -> Done:  # fmt: skip
    """The result of a screening. ``valid_until``: the last day on which it holds.

    Fitness to travel is found by the medical service alone.
    """
    case = take(room, actor, case_id, Action.SCREEN)
    person = person_of(case, person_id)
    _before_departure(case)
    if kind is ScreeningKind.FITNESS and actor.who is not Who.MEDICAL:
        raise NotAllowedError("fitness to travel is found by the medical service")
    if result is ScreeningResult.ASKED:
        raise RefusedError("Expected a result: clear, with support, or not now.")
    if result is not ScreeningResult.NOT_NOW:
        today = today_in(case.office, room.now)
        last = today + LONGEST[kind]
        if valid_until is None or not today <= valid_until <= last:
            raise RefusedError(
                f"Expected the last day on which it holds, from today to {last}: a screening is "
                "not valid for ever, and not after the event."
            )
    if result is ScreeningResult.WITH_SUPPORT:
        must_say(support, "what the journey needs")

    def make(row_id: UUID) -> Screening:
        for old in Screening.objects.filter(person=person, kind=kind, replaced_at=None):
            old.replaced_at = room.now
            old.save()
        row = Screening(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, kind=kind, result=result, done_at=room.now,
            valid_until=None if result is ScreeningResult.NOT_NOW else valid_until,
        )  # fmt: skip
        row.seal_json(room.keys, answers=dict(answers or {}))
        row.seal(room.keys, support=support.strip())
        row.save(force_insert=True)
        record(room, actor, case, f"screened: {kind}", columns="screening", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "screen", key, Screening, make)
    return done(case, row, repeated=repeated)


@service
def safeguard_child(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, *, guardian: str = "",
    best_interests: str = "", reception: str = "",
) -> Done:  # fmt: skip
    """Write down one or more of the three; what is empty stays as it was."""
    case = take(room, actor, case_id, Action.CHILDREN)
    person = person_of(case, person_id)
    if not (person.is_child and person.unaccompanied):
        raise RefusedError("This procedure is for a child that travels alone: say so first.")
    row = ChildSafeguard.objects.filter(person=person).first() or ChildSafeguard(
        made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label, person=person
    )
    given = {"guardian": guardian, "best_interests": best_interests, "reception": reception}
    for name, text in given.items():
        if text.strip():
            row.seal(room.keys, **{name: text.strip()})
            setattr(row, f"{name}_at", room.now)
    row.save()
    written = ", ".join(n for n, t in given.items() if t.strip())
    record(room, actor, case, "safeguards of a child", columns=written)
    return done(case, row)


@service
def travels_alone(room: Room, actor: Actor, case_id: UUID, person_id: UUID, *, alone: bool) -> Done:
    """Whether a child is without an adult in the plan; True begins its procedure."""
    case = take(room, actor, case_id, Action.CHILDREN)
    person = person_of(case, person_id)
    person.unaccompanied, person.is_child = alone, True
    person.save()
    record(room, actor, case, "a child travels alone" if alone else "a child is accompanied")
    return done(case, person)


@service
def refer_not_safe(
    room: Room, actor: Actor, case_id: UUID, *, reason: str, key: str, referred_to: str = ""
) -> Done:
    """Return is not safe: the case stops, holds are released, the person may appeal."""
    case = take(room, actor, case_id, Action.STOP)
    why = must_say(reason, "why return is not safe")

    def make(row_id: UUID) -> Referral:
        take_step(room, actor, case, find_transition(Move.STOP), why)
        row = Referral(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            stopped_by=actor.label,
        )  # fmt: skip
        row.seal(room.keys, reason=why, referred_to=referred_to.strip())
        row.save(force_insert=True)
        return row

    row, repeated = once(room, actor, "refer_not_safe", key, Referral, make)
    return done(case, row, repeated=repeated)


@service
def appeal(room: Room, actor: Actor, case_id: UUID, *, text: str) -> Done:
    """The person asks that 'not safe' be looked at again, by somebody else."""
    case = take(room, actor, case_id, Action.APPEAL)
    referral = open_referral(case)
    if referral is None:
        raise RefusedError("There is no 'not safe' to appeal against.")
    if referral.appeal == AppealState.OPEN:
        return done(case, referral, repeated=True)
    referral.appeal, referral.appealed_at = AppealState.OPEN, room.now
    referral.seal(room.keys, appeal_text=must_say(text, "what should be looked at again"))
    referral.save()
    record(room, actor, case, "appeal", columns="appeal")
    return done(case, referral)


@service
def decide_appeal(room: Room, actor: Actor, case_id: UUID, *, upheld: bool, decision: str) -> Done:
    """By a supervisor who has not stopped the case. Upheld: counselling begins anew."""
    case = take(room, actor, case_id, Action.DECIDE_APPEAL)
    referral = open_referral(case)
    if referral is None or referral.appeal != AppealState.OPEN:
        raise RefusedError("No appeal waits for an answer.")
    if referral.stopped_by == actor.label:
        raise NotAllowedError("an appeal is decided by somebody who has not stopped the case")
    why = must_say(decision, "the reasons of the decision")
    referral.appeal = AppealState.UPHELD if upheld else AppealState.DISMISSED
    referral.decided_by, referral.decided_at = actor.label, room.now
    referral.seal(room.keys, decision=why)
    if upheld:
        referral.ended_at = room.now
    referral.save()
    if upheld and case.state == State.STOPPED:
        take_step(room, actor, case, find_transition(Move.APPEAL_UPHELD), why)
    else:
        record(room, actor, case, "appeal decided", columns="appeal", reason=why)
    return done(case, referral)


def screening_of(case: Case, screening_id: UUID) -> Screening:
    """Raises NotVisibleError for a forged id."""
    found = Screening.objects.filter(case=case, pk=screening_id).first()
    if found is None:
        raise NotVisibleError
    return found


def _before_departure(case: Case) -> None:
    if State(case.state) not in BEFORE_DEPARTURE:
        raise RefusedError(
            "This belongs before the departure and cannot be filled in afterwards: write a note."
        )
