"""Notes, tasks, waiting for others, complaints, ratings, the plan afterwards. Files: ``files``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    Case,
    ClockStop,
    Complaint,
    Note,
    Person,
    Rating,
    ReintegrationPlan,
    StaffProfile,
    Task,
)
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
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import Who


@dataclass(frozen=True)
class Complained:
    """A complaint as its writer reads it again. ``answer``: empty until there is one."""

    at: datetime
    text: str
    answer: str


@service
def add_note(
    room: Room, actor: Actor, case_id: UUID, text: str, *, key: str, sensitive: bool = False
) -> Done:
    """Written once. ``sensitive``: opens with a reason alone."""
    case = take(room, actor, case_id, Action.WORK)

    def make(row_id: UUID) -> Note:
        row = Note(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            sensitive=sensitive,
        )  # fmt: skip
        row.seal(room.keys, text=must_say(text, "a note"))
        row.save(force_insert=True)
        record(room, actor, case, "wrote a note", columns="note")
        return row

    row, repeated = once(room, actor, "add_note", key, Note, make)
    return done(case, row, repeated=repeated)


@service
def plan_task(
    room: Room, actor: Actor, case_id: UUID, what: str, *, key: str, due_on: date | None = None,
    detail: str = "",
) -> Done:  # fmt: skip
    """``what``: the kind of work, in clear; a person's particulars go into ``detail``."""
    case = take(room, actor, case_id, Action.WORK)

    def make(row_id: UUID) -> Task:
        say = must_say(what, "what there is to do")
        row = add_task(room, actor, case, say, due_on, detail, row_id)
        record(room, actor, case, "planned a task", columns="task")
        return row

    row, repeated = once(room, actor, "plan_task", key, Task, make)
    return done(case, row, repeated=repeated)


@service
def finish_task(room: Room, actor: Actor, case_id: UUID, task_id: UUID) -> Done:
    """Done; twice is once."""
    case = take(room, actor, case_id, Action.WORK)
    task = Task.objects.filter(case=case, pk=task_id).first()
    if task is None:
        raise NotVisibleError
    if task.done_at is None:
        task.done_at = room.now
        task.save()
        record(room, actor, case, "finished a task", columns="task")
    return done(case, task)


@service
def stop_clock(room: Room, actor: Actor, case_id: UUID, reason: str) -> Done:
    """Others keep us waiting from now; ``start_clock`` ends it."""
    case = take(room, actor, case_id, Action.WORK)
    standing = ClockStop.objects.filter(case=case, started_at=None).first()
    if standing is not None:
        if standing.reason == reason.strip()[:60]:  # a second click
            return done(case, standing, repeated=True)
        raise RefusedError("The clock stands already: start it first.")
    row = ClockStop.objects.create(
        made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
        reason=must_say(reason, "what is waited for")[:60], stopped_at=room.now,
    )  # fmt: skip
    record(room, actor, case, "stopped the clock", columns="clock")
    return done(case, row)


@service
def start_clock(room: Room, actor: Actor, case_id: UUID) -> Done:
    """The others have answered. Twice is once."""
    case = take(room, actor, case_id, Action.WORK)
    stopped = list(ClockStop.objects.filter(case=case, started_at=None))
    if not stopped:
        return done(case, repeated=True)
    for row in stopped:
        row.started_at = room.now
        row.save()
    record(room, actor, case, "started the clock", columns="clock")
    return done(case)


@service
def complain(room: Room, actor: Actor, case_id: UUID, text: str, *, key: str) -> Done:
    """To the supervisor, past the counsellor; the trail of the others does not show it."""
    case = take(room, actor, case_id, Action.COMPLAIN)

    def make(row_id: UUID) -> Complaint:
        row = Complaint(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person_id=actor.person_id, counsellor_id=case.counsellor_id,
        )  # fmt: skip
        row.seal(room.keys, text=must_say(text, "what happened"))
        row.save(force_insert=True)
        record(room, actor, case, "complained", private_to=actor.person_id)
        return row

    row, repeated = once(room, actor, "complain", key, Complaint, make)
    return done(case, row, repeated=repeated)


def is_about(row: Complaint, case: Case, user_id: int | None) -> bool:
    """Whether a complaint is about this account too: it counsels the case, or did when the
    complaint was written. Giving the case away changes nothing."""
    return user_id is not None and user_id in (case.counsellor_id, row.counsellor_id)


def who_answers(case: Case, row: Complaint | None = None) -> set[int]:
    """The supervisors of the case's office whom a complaint is not about. ``row`` None: one that
    would be written now."""
    here = StaffProfile.objects.filter(office=case.office_id, role=Who.SUPERVISOR, left_at=None)
    about = {case.counsellor_id, row.counsellor_id if row else None}
    return set(here.values_list("user_id", flat=True)) - about


def complaints_of(room: Room, case: Case, person: Person) -> tuple[Complained, ...]:
    """Their own, the newest first. ``case`` and ``person``: from queries of ``visible_to``."""
    return tuple(
        Complained(c.made_at, c.text.show(room.keys), c.answer.show(room.keys))
        for c in Complaint.objects.filter(case=case, person=person).order_by("-made_at")
    )


@service
def answer_complaint(
    room: Room, actor: Actor, case_id: UUID, complaint_id: UUID, answer: str
) -> Done:
    """By a supervisor who does not counsel the case, and did not when it was written."""
    case = take(room, actor, case_id, Action.DECIDE_APPEAL)
    row = Complaint.objects.filter(case=case, pk=complaint_id).first()
    if row is None:
        raise NotVisibleError
    if is_about(row, case, actor.user_id):
        raise NotAllowedError(
            "a complaint is answered by somebody who does not counsel the case, and did not when "
            "it was written: ask another supervisor; where there is none, an administrator "
            "appoints one"
        )
    row.seal(room.keys, answer=must_say(answer, "an answer"))
    row.answered_at = room.now
    row.save()
    record(room, actor, case, "answered a complaint", private_to=row.person_id)
    return done(case, row)


@service
def rate(
    room: Room, actor: Actor, case_id: UUID, *, key: str, listened: int | None = None,
    understood: int | None = None, free_to_say_no: int | None = None, words: str = "",
) -> Done:  # fmt: skip
    """The person's own view of the counselling, 1 to 5 each; nothing must be answered."""
    case = take(room, actor, case_id, Action.COMPLAIN)
    if actor.who is not Who.APPLICANT or actor.person_id is None:
        raise NotAllowedError("people rate the counselling themselves")
    for points in (listened, understood, free_to_say_no):
        if points is not None and points not in range(1, 6):
            raise RefusedError("Expected a number from 1 to 5, or nothing.")
    person = person_of(case, actor.person_id)

    def make(row_id: UUID) -> Rating:
        row = Rating(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, listened=listened, understood=understood,
            free_to_say_no=free_to_say_no,
        )  # fmt: skip
        row.seal(room.keys, words=words.strip())
        row.save(force_insert=True)
        record(room, actor, case, "rated the counselling", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "rate", key, Rating, make)
    return done(case, row, repeated=repeated)


@service
def plan_reintegration(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, *, key: str, plan: str = "",
    declined: bool = False,
) -> Done:  # fmt: skip
    """The plan for afterwards, or that the person wants none. A new one replaces the old."""
    case = take(room, actor, case_id, Action.WORK)
    person = person_of(case, person_id)
    if not declined:
        must_say(plan, "a plan, or that none is wanted")

    def make(row_id: UUID) -> ReintegrationPlan:
        for old in ReintegrationPlan.objects.filter(person=person, replaced_at=None):
            old.replaced_at = room.now
            old.save()
        row = ReintegrationPlan(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, declined=declined,
        )  # fmt: skip
        row.seal(room.keys, plan=plan.strip())
        row.save(force_insert=True)
        record(room, actor, case, "reintegration plan", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "plan_reintegration", key, ReintegrationPlan, make)
    return done(case, row, repeated=repeated)
