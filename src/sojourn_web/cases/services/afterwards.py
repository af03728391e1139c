"""After the return: follow-ups, help in kind, the reintegration survey, and how a case ends.

In: what was told or given. Out: rows. A follow-up in which nobody was reached is written down as
that; a question that was not answered is kept as not answered and never counted as a low one.

The survey's three parts are those of the IOM Reintegration Handbook (2019, module 1): economic,
social, psychosocial. The questions here are Sojourn's own, five to a part, 1 to 5 points each;
they are no validated scale, and nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.models import Case, FollowUp, InKindHelp, SurveyAnswer
from sojourn_web.cases.services.consents import holds_consent
from sojourn_web.cases.services.moving import is_second_click, take_step
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
from sojourn_web.cases.states import Move, State, find_transition
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import Outcome, Purpose, SurveyPart

QUESTIONS: dict[SurveyPart, tuple[tuple[str, str], ...]] = {
    SurveyPart.ECONOMIC: (
        ("income", "I have what I need to live on."),
        ("work", "I have work, or a way to earn, that will last."),
        ("debt", "What I owe does not weigh on me."),
        ("food", "There is enough to eat in my household."),
        ("skills", "I can use what I have learned."),
    ),
    SurveyPart.SOCIAL: (
        ("home", "Where I live is good enough."),
        ("school", "The children, or I, can go to school."),
        ("health_care", "I can see a doctor when I need one."),
        ("papers", "I have the papers that I need here."),
        ("justice", "I can get help from an office or a court."),
    ),
    SurveyPart.PSYCHOSOCIAL: (
        ("belonging", "I feel that I belong here."),
        ("safety", "I feel safe."),
        ("people", "There are people who help me."),
        ("family", "My family and I get on well."),
        ("staying", "I can stay here if I want to."),
    ),
}
POINTS = range(1, 6)


@dataclass(frozen=True)
class PartResult:
    """``points``: the mean of the answers, 1 to 5, to one decimal; None where none was given."""

    part: SurveyPart
    answered: int
    asked: int
    points: float | None


@service
def record_follow_up(
    room: Room, actor: Actor, case_id: UUID, month: int, *, reached: bool, notes: str = ""
) -> Done:
    """Month 1, 3, 6 or 12. Not reached is an answer too; tried again, it may become reached."""
    case = take(room, actor, case_id, Action.WORK)
    row = _follow_up(case, month)
    if row.reached and not reached:
        raise RefusedError("They were reached already: write a note instead.")
    row.reached, row.done_at = reached, room.now
    if notes.strip():
        row.seal(room.keys, notes=notes.strip())
    row.save()
    what = f"follow-up, month {month}: {'reached' if reached else 'not reached'}"
    record(room, actor, case, what, columns="follow-up")
    return done(case, row)


@service
def answer_survey(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, month: int,
    points: Mapping[str, int | None], *, key: str,
) -> Done:  # fmt: skip
    """Every question gets a row, the unanswered too. Asked again, the newest counts."""
    case = take(room, actor, case_id, Action.WORK)
    person, follow_up = person_of(case, person_id), _follow_up(case, month)
    if not holds_consent(case, Purpose.SURVEY, person):
        raise RefusedError("The survey has a consent of its own: ask every adult first.")
    asked = {name: part for part, rows in QUESTIONS.items() for name, _ in rows}
    if set(points) - set(asked) or any(p is not None and p not in POINTS for p in points.values()):
        raise RefusedError("Expected the survey's questions, each with 1 to 5 or nothing.")

    def make(row_id: UUID) -> SurveyAnswer:
        rows = []
        for place, (name, part) in enumerate(asked.items()):
            value = points.get(name)
            row = SurveyAnswer(
                made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
                person=person, follow_up=follow_up, part=part, question=name,
                answered=value is not None,
            )  # fmt: skip
            if place == 0:
                row.id = row_id
            row.seal(room.keys, points="" if value is None else str(value))
            row.save(force_insert=True)
            rows.append(row)
        record(room, actor, case, f"survey, month {month}", columns="survey", private_to=person.pk)
        return rows[0]

    row, repeated = once(room, actor, "answer_survey", key, SurveyAnswer, make)
    return done(case, row, repeated=repeated)


def survey_results(room: Room, case: Case, follow_up: FollowUp, person_id: UUID
                   ) -> tuple[PartResult, ...]:  # fmt: skip
    """By part; empty where the survey was not asked. ``case``: from a service, access noted."""
    newest: dict[str, SurveyAnswer] = {}
    rows = SurveyAnswer.objects.filter(case=case, follow_up=follow_up, person_id=person_id)
    for row in rows.order_by("made_at"):
        newest[row.question] = row
    if not newest:
        return ()
    found = []
    for part in SurveyPart:
        mine = [r for r in newest.values() if r.part == part]
        given = [int(r.points.open(room.keys)) for r in mine if r.answered]
        mean = round(sum(given) / len(given), 1) if given else None
        found.append(PartResult(part, len(given), len(mine), mean))
    return tuple(found)


@service
def give_help(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, what: str, *, key: str,
    detail: str = "", given_on: date | None = None,
) -> Done:  # fmt: skip
    """Help in kind. ``what``: its kind, in clear; ``given_on`` None: promised, not yet given."""
    case = take(room, actor, case_id, Action.WORK)
    person = person_of(case, person_id)
    kind = must_say(what, "what kind of help it is")[:60]
    if given_on is not None and given_on > today_in(case.office, room.now):
        raise RefusedError("Expected a day that has been, or none for help that is promised.")

    def make(row_id: UUID) -> InKindHelp:
        row = InKindHelp(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, what=kind, given_on=given_on,
        )  # fmt: skip
        row.seal(room.keys, detail=detail.strip())
        row.save(force_insert=True)
        said = "gave help in kind" if given_on else "promised help in kind"
        record(room, actor, case, said, columns="help", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "give_help", key, InKindHelp, make)
    return done(case, row, repeated=repeated)


@service
def close_with(
    room: Room, actor: Actor, case_id: UUID, outcome: Outcome, *, version: int | None = None
) -> Done:
    """How did it end: the one question that closing asks. Follow-ups stay on the calendar."""
    case = take(room, actor, case_id, Action.MOVE)
    stopped = case.state == State.STOPPED or case.last_move == Move.CLOSE_STOPPED
    goal = Move.CLOSE_STOPPED if stopped else Move.CLOSE
    if is_second_click(actor, case, goal, version) and case.outcome == outcome:
        return done(case, repeated=True)
    if outcome in (Outcome.WITHDRAWN, Outcome.STOPPED):
        raise RefusedError("Withdrawing and stopping say so themselves: choose how it ended.")
    case.outcome = outcome
    # The guards read what is stored; a refusal takes this back with the transaction.
    case.save()
    take_step(room, actor, case, find_transition(goal))
    booked = FollowUp.objects.filter(case=case, done_at=None).order_by("month")
    remarks = tuple(f"Follow-up after {f.month} months: {f.due_on}" for f in booked)
    return done(case, remarks=remarks)


def _follow_up(case: Case, month: int) -> FollowUp:
    found = FollowUp.objects.filter(case=case, month=month).first()
    if found is None:
        raise NotVisibleError
    return found
