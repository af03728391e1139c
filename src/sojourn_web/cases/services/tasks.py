"""A task for a case's counsellor, written beside whatever makes it necessary."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from sojourn_web.cases.models import Case, Task
from sojourn_web.cases.services.room import Room, today_in
from sojourn_web.cases.visibility import Actor


def add_task(
    room: Room, actor: Actor, case: Case, what: str, due_on: date | None = None, detail: str = "",
    row_id: UUID | None = None,
) -> Task:  # fmt: skip
    """For the case's counsellor; due today where no day is given."""
    task = Task(
        id=row_id or uuid4(), made_at=room.now, case=case, key_id=case.key_id,
        made_by=actor.label, what=what, due_on=due_on or today_in(case.office, room.now),
        for_user_id=case.counsellor_id,
    )  # fmt: skip
    task.seal(room.keys, detail=detail)
    task.save()
    return task
