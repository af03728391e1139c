"""What stands in a row that a form writes over, so that two who edit it see both versions.

In: a case that the actor has opened (``looking.look``), and which row. Out: the form's first values
by name; empty where nothing was written yet.
"""

from __future__ import annotations

from uuid import UUID

from sojourn_web.cases.models import ChildSafeguard, Complaint, Document, FollowUp, Person
from sojourn_web.cases.services.room import Room


def child_as_written(room: Room, case_id: UUID, person_id: UUID) -> dict[str, str]:
    """Guardian, best interests and reception of a child who travels alone."""
    row = ChildSafeguard.objects.filter(case_id=case_id, person_id=person_id).first()
    names = ("guardian", "best_interests", "reception")
    return {n: getattr(row, n).show(room.keys) for n in names} if row else {}


def person_as_written(room: Room, case_id: UUID, person_id: UUID) -> dict[str, str | bool]:
    """Somebody's particulars, whole."""
    row = Person.objects.filter(case_id=case_id, pk=person_id).first()
    if row is None:
        return {}
    names = ("names", "names_latin", "birth_date", "nationality", "contact")
    sealed = {n: getattr(row, n).show(room.keys) for n in names}
    return {"person": str(row.pk), **sealed, "language": row.language, "kind": row.kind,
            "travels_alone": row.unaccompanied}  # fmt: skip


def follow_up_as_written(room: Room, case_id: UUID, month: int) -> dict[str, str]:
    """Whether they were reached, and what they said; nothing before it was asked."""
    row = FollowUp.objects.filter(case_id=case_id, month=month).exclude(done_at=None).first()
    if row is None:
        return {}
    return {"reached": "yes" if row.reached else "no", "notes": row.notes.show(room.keys)}


def answer_as_written(room: Room, case_id: UUID, complaint_id: UUID) -> dict[str, str]:
    """What a supervisor has answered to a complaint."""
    row = Complaint.objects.filter(case_id=case_id, pk=complaint_id).first()
    return {"answer": row.answer.show(room.keys)} if row else {}


def document_as_written(room: Room, case_id: UUID, document_id: UUID) -> dict[str, str]:
    """A document that was asked for and has come; nothing before that."""
    row = Document.objects.filter(case_id=case_id, pk=document_id).first()
    if row is None or row.expires_on is None:
        return {}
    return {"number": row.number.show(room.keys), "issued_on": str(row.issued_on or ""),
            "expires_on": str(row.expires_on), "holder": row.holder}  # fmt: skip
