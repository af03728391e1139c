"""Opening a case, the people in it, and coming back to it by reference and code.

In: what is known of people, in their own words. Out: a case with its own key, blind indexes of
its people, a code. Raises RefusedError for a case that would be opened after the event, for
dates that stand for "unknown", and for a wrong reference or code.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.db.models import QuerySet

from sojourn_web.cases.dates import PartialDate, parse_stored, read_birth_date
from sojourn_web.cases.errors import KeysAwayError, NotAllowedError, RefusedError
from sojourn_web.cases.indexes import digest, digests_of_person, name_parts, plain_number, sound_of
from sojourn_web.cases.models import (
    AccessCode,
    BlindIndex,
    Case,
    Document,
    Invitation,
    Office,
    Person,
)
from sojourn_web.cases.references import derive_code, digest_code, make_reference, read_reference
from sojourn_web.cases.services.room import (
    Done,
    Room,
    count,
    done,
    once,
    person_of,
    record,
    service,
    take,
    today_in,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import COUNSELLING, Action, Actor, visible_to
from sojourn_web.cases.vocabulary import IndexKind, PersonKind, Who

TRIES = 5
PAUSE = timedelta(minutes=15)
LONGEST_NAME = 200
LONG_NAME = f"Expected a name of {LONGEST_NAME} letters at most, found more."
WRONG_CODE = (
    "Reference and code do not belong together: look at both again. After five wrong codes there "
    "is a pause of 15 minutes; your counsellor can give you a new code."
)
YOUNG_ALONE = "under 18 by the date they wrote: find a guardian, ask who decides for them"
C = TypeVar("C", AccessCode, Invitation)


@dataclass(frozen=True)
class NewPerson:
    """As told. ``birth_date``: only the parts that are known; ``confirmed_date``: a document
    shows a date that usually stands for "unknown". ``travels_alone``: a child without an adult."""

    names: str = ""
    names_latin: str = ""
    birth_date: str = ""
    confirmed_date: bool = False
    nationality: str = ""
    contact: str = ""
    kind: PersonKind = PersonKind.APPLICANT
    language: str = ""
    travels_alone: bool = False


@dataclass(frozen=True)
class Opened:
    """``code`` is given to an applicant who opened the case alone; staff issue one by itself."""

    done: Done
    person_id: UUID
    code: str = ""


@dataclass(frozen=True)
class Hint:
    """A case that may be of the same person. ``reasons``: which parts agree."""

    case_id: UUID
    reference: str
    state: str
    reasons: tuple[str, ...]


@service
def open_case(
    room: Room, actor: Actor, office_id: UUID, people: Sequence[NewPerson], *, key: str,
    language: str, left_on: date | None = None,
) -> Opened:  # fmt: skip
    """A new enquiry. ``left_on``: a departure that has already been, which is refused."""
    office = Office.objects.get(pk=office_id)
    if actor.who is not Who.APPLICANT and (
        actor.who not in COUNSELLING | {Who.SYSTEM} or actor.office_id != office_id
    ):
        raise NotAllowedError("expected a counsellor of this office, or the person themselves")
    if left_on is not None:
        raise RefusedError(
            "They have left already: a case is not opened after the event. Help after arrival is "
            "asked of the partner in that country."
        )
    if not people:
        raise RefusedError("Expected at least one person: a name can come later.")
    row, repeated = once(
        room, actor, "open_case", key, Case,
        lambda new: _make_case(room, actor, new, office, people, language),
    )  # fmt: skip
    first = Person.objects.filter(case=row).order_by("position")[0]
    code = ""
    if actor.who is Who.APPLICANT:
        code = derive_code(room.keys.index_secret(), str(first.pk), key)
        if not repeated:
            keep_code(room, actor, row, first, code)
    return Opened(done(row, row, repeated=repeated), first.pk, code)


def _make_case(
    room: Room, actor: Actor, new: UUID, office: Office, people: Sequence[NewPerson], language: str
) -> Case:
    case = Case(
        id=new, made_at=room.now, reference=make_reference(), state=State.ENQUIRY,
        state_since=room.now, office=office, language=language, key_id=room.keys.create(),
        counsellor_id=actor.user_id if actor.who is Who.COUNSELLOR else None, version=0,
    )  # fmt: skip
    try:
        case.save(force_insert=True)
        for place, person in enumerate(people):
            make_person(room, actor, case, person, place)
        record(room, actor, case, "open_case", columns="people")
        count(office.pk, room.now, "opened")
    except BaseException:
        with suppress(KeysAwayError):  # the first error is told
            room.keys.destroy(case.key_id)  # the key store knows no transactions
        raise
    return case


def make_person(
    room: Room, actor: Actor, case: Case, new: NewPerson, place: int, row_id: UUID | None = None
) -> Person:
    today = today_in(case.office, room.now)
    born = read_birth_date(new.birth_date, today, confirmed=new.confirmed_date)
    person = Person(
        id=row_id or uuid4(), made_at=room.now, case=case, key_id=case.key_id,
        made_by=actor.label, kind=new.kind, position=place, language=new.language or case.language,
    )  # fmt: skip
    _write_person(room, person, new, born, today)
    person.save(force_insert=True)
    index_person(room, case, person)
    return person


def _write_person(
    room: Room, person: Person, new: NewPerson, born: PartialDate, today: date
) -> None:
    names, latin = " ".join(new.names.split()), " ".join(new.names_latin.split())
    if max(len(names), len(latin)) > LONGEST_NAME:
        raise RefusedError(LONG_NAME)
    known = born.is_child_on(today)
    person.is_child = True if new.kind is PersonKind.CHILD and known is None else known
    person.unaccompanied = bool(person.is_child) and new.travels_alone
    person.named = bool(names or latin)
    person.seal(
        room.keys, names=names, names_latin=latin, birth_date=str(born),
        nationality=new.nationality.strip().upper(), contact=new.contact.strip(),
    )  # fmt: skip


@service
def add_person(room: Room, actor: Actor, case_id: UUID, new: NewPerson, *, key: str) -> Done:
    """Somebody joins the plan: a partner, a child. Another adult joins by their own yes:
    see ``family``."""
    case = take(room, actor, case_id, Action.ANSWER)
    if actor.who is Who.APPLICANT and new.kind is not PersonKind.CHILD:
        raise NotAllowedError("an adult is added by their own yes: make an invitation for them")

    def make(row_id: UUID) -> Person:
        place = Person.objects.filter(case=case).count()
        return make_person(room, actor, case, new, place, row_id)

    found, repeated = once(room, actor, "add_person", key, Person, make)
    if not repeated:
        # Whoever invited an adult is not told by the log that somebody of theirs came.
        record(room, actor, case, "add_person", columns="people", private_to=actor.person_id)
    return done(case, found, repeated=repeated)


@service
def change_person(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, new: NewPerson,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Particulars put right, whole: pass what stays the same too. ``version`` as it was shown."""
    case = take(room, actor, case_id, Action.ANSWER, version)
    person = person_of(case, person_id)
    if actor.who is Who.APPLICANT and not (
        person.pk == actor.person_id or person.kind == PersonKind.CHILD
    ):
        raise NotAllowedError("each adult changes their own particulars")
    if actor.who is Who.APPLICANT and new.kind != person.kind:
        raise NotAllowedError("what somebody is in the plan is changed by the office")
    today = today_in(case.office, room.now)
    # A date that stands already was confirmed when it was written.
    confirmed = new.confirmed_date or new.birth_date == person.birth_date.open(room.keys)
    born = read_birth_date(new.birth_date, today, confirmed=confirmed)
    person.kind, was_child = new.kind, person.is_child
    _write_person(room, person, new, born, today)
    if actor.who is Who.APPLICANT and person.kind != PersonKind.CHILD:
        _guard_the_young(room, actor, case, person, was_child, new)
    person.save()
    index_person(room, case, person)
    columns = "names, birth date, nationality, contact"
    record(room, actor, case, "change_person", columns=columns, private_to=_private(person))
    return done(case, person)


def _guard_the_young(
    room: Room, actor: Actor, case: Case, person: Person, was_child: bool | None, new: NewPerson
) -> None:
    """Somebody counted as an adult says that they are under 18: nobody decides for them until a
    counsellor has asked who does. A date that is taken away makes nobody an adult."""
    if was_child and person.is_child is None:
        person.is_child, person.unaccompanied = True, new.travels_alone
    elif person.is_child and not was_child:
        person.unaccompanied = True
        add_task(room, actor, case, YOUNG_ALONE)


def _private(person: Person) -> UUID | None:
    return None if person.kind == PersonKind.CHILD else person.pk


def index_person(room: Room, case: Case, person: Person) -> None:
    """Write the person's blind indexes anew, in the scope of the case's office now."""
    BlindIndex.objects.filter(person=person).delete()
    if person.left_plan_at is not None:
        return
    born = parse_stored(person.birth_date.open(room.keys))
    names = (person.names.open(room.keys), person.names_latin.open(room.keys))
    secret, scope = room.keys.index_secret(), str(case.office_id)
    found = list(digests_of_person(secret, scope, names, born.year))
    for paper in Document.objects.filter(person=person, ended_at=None):
        if number := plain_number(paper.number.open(room.keys)):
            found.append((IndexKind.DOCUMENT, digest(secret, scope, IndexKind.DOCUMENT, number)))
    BlindIndex.objects.bulk_create(
        BlindIndex(
            made_at=room.now, case=case, key_id=case.key_id, person=person,
            office_id=case.office_id, kind=kind, digest=text,
        )
        for kind, text in dict.fromkeys(found)
    )  # fmt: skip


def find_duplicates(
    room: Room, actor: Actor, names: str, birth_date: str = "", document: str = "", most: int = 5
) -> tuple[Hint, ...]:
    """Cases within the actor's visibility that may be of the same person; shows no name.

    A document's number is enough; else every part of the name, or sounds with the birth year.
    """
    if actor.who not in COUNSELLING or actor.office_id is None:
        return ()
    secret, scope = room.keys.index_secret(), str(actor.office_id)
    parts = name_parts(names)
    year = parse_stored(birth_date.strip()).year
    asked: dict[tuple[str, str], str] = {}
    for part in parts:
        asked[IndexKind.NAME, digest(secret, scope, IndexKind.NAME, part)] = "name"
        asked[IndexKind.SOUND, digest(secret, scope, IndexKind.SOUND, sound_of(part))] = "sound"
        if year:
            text = f"{sound_of(part)}|{year}"
            asked[IndexKind.BIRTH_YEAR, digest(secret, scope, IndexKind.BIRTH_YEAR, text)] = (
                "sound and birth year"
            )
    if number := plain_number(document):
        asked[IndexKind.DOCUMENT, digest(secret, scope, IndexKind.DOCUMENT, number)] = "document"
    rows = BlindIndex.objects.filter(
        office_id=actor.office_id, digest__in=[d for _, d in asked],
        kind__in={k for k, _ in asked},  # as the index is ordered: else all of an office is read
        case__in=visible_to(actor, room.now),
    ).select_related("case")  # fmt: skip
    found: dict[UUID, tuple[Case, list[str]]] = {}
    for row in rows:
        if reason := asked.get((IndexKind(row.kind), row.digest)):
            found.setdefault(row.person_id, (row.case, []))[1].append(reason)
    wanted = max(1, len(parts))
    hints = [
        Hint(case.pk, case.reference, case.state, tuple(sorted(set(reasons))))
        for case, reasons in found.values()
        if "document" in reasons
        or reasons.count("sound and birth year") >= min(2, wanted)
        or reasons.count("name") >= wanted
        or reasons.count("sound") >= max(2, wanted)
    ]
    return tuple(hints[:most])


@service
def issue_code(room: Room, actor: Actor, case_id: UUID, person_id: UUID, *, key: str) -> str:
    """A new code for one person, shown this once; their older ones end."""
    case = take(room, actor, case_id, Action.CODE)
    person = person_of(case, person_id)
    code = derive_code(room.keys.index_secret(), str(person.pk), actor.label, key)
    if digest_code(room.keys.index_secret(), case.reference, code) not in _digests(person):
        keep_code(room, actor, case, person, code)
        record(room, actor, case, "issue_code", private_to=_private(person))
    return code


def _digests(person: Person) -> set[str]:
    return set(
        AccessCode.objects.filter(person=person, revoked_at=None).values_list("digest", flat=True)
    )


def keep_code(room: Room, actor: Actor, case: Case, person: Person, code: str) -> None:
    for old in AccessCode.objects.filter(person=person, revoked_at=None):
        old.revoked_at = room.now
        old.save()
    AccessCode.objects.create(
        made_at=room.now, case=case, key_id=case.key_id, person=person, made_by=actor.label,
        digest=digest_code(room.keys.index_secret(), case.reference, code),
    )  # fmt: skip


def enter(room: Room, reference: str, code: str) -> Actor:
    """The applicant who holds ``reference`` and ``code``. Five wrong codes: a pause of 15 minutes.

    A reference that nobody has and a wrong code are told alike.
    """
    found = _try_code(room, read_reference(reference), code)
    if found is None:
        raise RefusedError(WRONG_CODE)
    return found


@service
def _try_code(room: Room, reference: str, code: str) -> Actor | None:
    kept = find_by_code(room, reference, code, AccessCode.objects.filter(revoked_at=None))
    if kept is None:
        return None
    kept.used_at = room.now
    kept.save(update_fields=["used_at"])
    return Actor(Who.APPLICANT, case_id=kept.case_id, person_id=kept.person_id)


def find_by_code(room: Room, reference: str, code: str, rows: QuerySet[C]) -> C | None:
    """Within a service: the one of ``rows`` that this code opens. A wrong one is counted."""
    case = Case.objects.select_for_update().filter(reference=reference, erased_at=None).first()
    if case is None or (case.code_locked_until and case.code_locked_until > room.now):
        return None
    kept = rows.filter(
        case=case, digest=digest_code(room.keys.index_secret(), reference, code)
    ).first()
    if kept is None:
        case.code_failures += 1
        if case.code_failures >= TRIES:
            case.code_failures, case.code_locked_until = 0, room.now + PAUSE
        case.save(update_fields=["code_failures", "code_locked_until"])
        return None
    if isinstance(kept, AccessCode):  # an invitation, which many may hold, ends no count of tries
        case.code_failures = 0
        case.save(update_fields=["code_failures"])
    return kept
