"""Two more parts of a case's page: what comes after the return, and what people answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from sojourn_web.cases.models import Answer, Case, FollowUp, InKindHelp, ReintegrationPlan
from sojourn_web.cases.services.afterwards import PartResult, survey_results
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.services.sheet_parts import Names, staff_names
from sojourn_web.cases.visibility import Actor


@dataclass(frozen=True)
class SurveyLine:
    who: str
    parts: tuple[PartResult, ...]


@dataclass(frozen=True)
class FollowUpLine:
    month: int
    due_on: date
    done_at: datetime | None
    reached: bool | None
    notes: str
    surveys: tuple[SurveyLine, ...]


@dataclass(frozen=True)
class HelpLine:
    who: str
    what: str
    detail: str
    given_on: date | None


@dataclass(frozen=True)
class PlanLine:
    person_id: UUID
    who: str
    told: bool
    declined: bool
    plan: str


@dataclass(frozen=True)
class After:
    plans: tuple[PlanLine, ...]
    helps: tuple[HelpLine, ...]
    follow_ups: tuple[FollowUpLine, ...]


def read_after(room: Room, actor: Actor, case: Case, names: Names) -> After:
    keys = room.keys
    plans = {p.person_id: p for p in ReintegrationPlan.objects.filter(case=case, replaced_at=None)}
    lines = tuple(
        PlanLine(i, name, i in plans, bool(i in plans and plans[i].declined),
                 plans[i].plan.show(keys) if i in plans else "")
        for i, name in names.items()
    )  # fmt: skip
    helps = tuple(
        HelpLine(names.get(h.person_id, ""), h.what, h.detail.show(keys), h.given_on)
        for h in InKindHelp.objects.filter(case=case).order_by("made_at")
    )
    follow_ups = tuple(
        FollowUpLine(
            f.month, f.due_on, f.done_at, f.reached, f.notes.show(keys),
            tuple(SurveyLine(name, survey_results(room, case, f, i)) for i, name in names.items())
            if f.done_at else (),
        )
        for f in FollowUp.objects.filter(case=case).order_by("month")
    )  # fmt: skip
    return After(lines, helps, follow_ups)


@dataclass(frozen=True)
class Told:
    """One question's versions: the current one, and those that wait beside it."""

    person_id: UUID
    who: str
    section: str
    question: str
    current: int
    versions: tuple[tuple[int, str, str, bool], ...]  # version, text, by, is current

    @property
    def in_conflict(self) -> bool:
        return len(self.versions) > 1


def read_told(room: Room, actor: Actor, case: Case, names: Names) -> tuple[Told, ...]:
    rows = [
        a for a in Answer.objects.filter(case=case, person_id__in=names)
        .order_by("person__position", "section", "question", "version")
        if a.is_current or (a.conflicts_with_id and a.settled_at is None)
    ]  # fmt: skip
    by = staff_names([a.made_by for a in rows])
    found = []
    for (person_id, section, question), group in groupby(
        rows, key=lambda a: (a.person_id, a.section, a.question)
    ):
        mine = list(group)
        current = next((a.version for a in mine if a.is_current), mine[-1].version)
        versions = tuple(
            (a.version, a.value.show(room.keys), by.get(a.made_by, "the person"), a.is_current)
            for a in mine
        )
        found.append(Told(person_id, names[person_id], section, question, current, versions))
    return tuple(found)
