"""Files that people hand in: taken in, scanned, listed, opened.

In: bytes, a name that is not believed, a scanner. Out: an ``Attachment`` sealed under the case's
key. Nobody opens a file before a scanner has found it clean. The list and the single file obey one
rule: ``visibility.files_for``. Every opening is an event that the person reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.models import Attachment, Case, Person
from sojourn_web.cases.scanning import Scanner, Verdict
from sojourn_web.cases.services.room import (
    Done,
    Room,
    done,
    note_access,
    once,
    record,
    service,
    take,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.sniffing import clean_name, sniff
from sojourn_web.cases.visibility import Action, Actor, files_for, people_for
from sojourn_web.cases.vocabulary import Who

SENT = "the person sent a file: look at it"
WAITS = (
    "This file has not been scanned for viruses yet, so it cannot be opened. It is kept safely; "
    "it opens when the scanner has looked at it."
)


@dataclass(frozen=True)
class FileLine:
    """A file in a list. ``opens``: it was scanned and is clean."""

    id: UUID
    name: str
    kind: str
    media_type: str
    size: int
    at: datetime
    of: str
    opens: bool


@dataclass(frozen=True)
class OpenedFile:
    name: str
    media_type: str
    content: bytes


@service
def hand_in(
    room: Room, actor: Actor, case_id: UUID, content: bytes, scanner: Scanner, *, name: str,
    kind: str, key: str, person_id: UUID | None = None,
) -> Done:  # fmt: skip
    """Keep a file. One with a virus is not kept; one that could not be scanned waits."""
    case = take(room, actor, case_id, Action.FILES)
    media_type = sniff(content, name)
    about = actor.person_id if actor.who is Who.APPLICANT else person_id
    person = people_for(actor, case).filter(pk=about).first() if about else None
    if about and person is None:
        raise NotVisibleError

    def make(row_id: UUID) -> Attachment:
        verdict = scanner.scan(content)
        if verdict is Verdict.INFECTED:
            raise RefusedError(
                "The scanner found a virus in this file, so it was not kept. Take a photograph of "
                "the page with another device."
            )
        row = Attachment(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, kind=kind.strip()[:40] or "file", media_type=media_type,
            size=len(content), scanned_at=room.now if verdict is Verdict.CLEAN else None,
        )  # fmt: skip
        row.seal(room.keys, name=clean_name(name, media_type), content=content)
        row.save(force_insert=True)
        if actor.who is Who.APPLICANT:
            add_task(room, actor, case, SENT)
        record(room, actor, case, "attached a file", columns="attachment", private_to=about)
        return row

    row, repeated = once(room, actor, "hand_in", key, Attachment, make)
    remarks = () if row.scanned_at else (WAITS,)
    return done(case, row, repeated=repeated, remarks=remarks)


@service
def list_files(room: Room, actor: Actor, case_id: UUID) -> tuple[FileLine, ...]:
    """Names, sizes, whether each opens. For staff the looking is an event."""
    case = take(room, actor, case_id, Action.FILES)
    rows = list(files_for(actor, case).select_related("person"))
    if actor.who is not Who.APPLICANT:
        note_access(room, actor, case, "the list of files")
    return tuple(
        FileLine(
            r.pk, r.name.show(room.keys), r.kind, r.media_type, r.size, r.made_at,
            _name_of(room, r.person), r.scanned_at is not None and not r.refused,
        )
        for r in rows
    )  # fmt: skip


@service
def open_file(room: Room, actor: Actor, case_id: UUID, file_id: UUID) -> OpenedFile:
    """The file's bytes. Raises NotVisibleError for another's, RefusedError before the scan."""
    case = take(room, actor, case_id, Action.FILES)
    row = files_for(actor, case).filter(pk=file_id).first()
    if row is None:
        raise NotVisibleError
    if row.refused:
        raise RefusedError("The scanner found a virus in this file: nobody can open it.")
    if row.scanned_at is None:
        raise RefusedError(WAITS)
    if actor.who is not Who.APPLICANT:
        note_access(room, actor, case, "a file", private_to=row.person_id)
    return OpenedFile(
        row.name.open(room.keys), row.media_type, row.content.open_bytes(room.keys)
    )  # fmt: skip


@service
def scan_again(room: Room, actor: Actor, case_id: UUID, file_id: UUID, scanner: Scanner) -> Verdict:
    """For a file that waits: by the schedule or by hand. Infected: its bytes are not kept."""
    case = take(room, actor, case_id, Action.REMIND)
    row = Attachment.objects.select_for_update().filter(case=case, pk=file_id).first()
    if row is None:
        raise NotVisibleError
    if row.scanned_at is not None:
        return Verdict.INFECTED if row.refused else Verdict.CLEAN
    verdict = scanner.scan(row.content.open_bytes(room.keys))
    if verdict is Verdict.NOT_SCANNED:
        return verdict
    row.scanned_at, row.refused = room.now, verdict is Verdict.INFECTED
    if row.refused:
        row.seal(room.keys, content=b"")
    row.save()
    what = "a file was scanned: a virus, not kept" if row.refused else "a file was scanned: clean"
    record(room, actor, case, what, columns="attachment", private_to=row.person_id)
    return verdict


def files_waiting(case: Case) -> list[UUID]:
    return list(Attachment.objects.filter(case=case, scanned_at=None).values_list("pk", flat=True))


def _name_of(room: Room, person: Person | None) -> str:
    return person.names.show(room.keys) if person else ""
