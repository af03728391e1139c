"""Documents, journeys, holds, money, departure and arrival.

In: what an authority, a carrier or the person showed. Out: rows, and the moves that follow.
Refused, with what to do instead: blank or expired documents, journeys in the past, a departure
without proof. A departure is never looked up in border records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sojourn_web.cases.errors import NotVisibleError, RefusedError
from sojourn_web.cases.indexes import plain_number
from sojourn_web.cases.models import (
    Arrival,
    Case,
    DepartureProof,
    Document,
    Hold,
    Journey,
    MoneyLine,
    Person,
)
from sojourn_web.cases.services.consents import holds_consent
from sojourn_web.cases.services.facts import current_journey
from sojourn_web.cases.services.moving import ENDED, ask_papers_back, take_step
from sojourn_web.cases.services.opening import index_person
from sojourn_web.cases.services.room import (
    Done,
    Room,
    count,
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
from sojourn_web.cases.vocabulary import DocumentKind, Holder, MoneyKind, ProofKind, Purpose

NOTHING_HELD = "Nothing is held for who has withdrawn, or after a case has ended."
# What forms hold where there is no document, without blanks and strokes.
BLANKS = frozenset({
    "UNKNOWN", "NOTKNOWN", "NONE", "NIL", "NULL", "NOTAVAILABLE", "NOTAPPLICABLE", "NODOCUMENT",
    "NOPASSPORT", "NONUMBER", "LOST", "STOLEN", "PENDING", "TEST", "DUMMY",
})  # fmt: skip
SLACK = timedelta(hours=6)  # a carrier may leave a little early, by its own clock


@service
def add_document(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, kind: DocumentKind, *, number: str,
    country: str, expires_on: date, key: str, issued_on: date | None = None, authority: str = "",
    holder: Holder = Holder.PERSON,
) -> Done:  # fmt: skip
    """A document that exists. One that was asked for and came: ``receive_document``."""
    case = take(room, actor, case_id, Action.PLAN)
    person = person_of(case, person_id)
    _check_document(room, case, number, expires_on, issued_on)

    def make(row_id: UUID) -> Document:
        row = Document(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, kind=kind, issued_on=issued_on, expires_on=expires_on, holder=holder,
        )  # fmt: skip
        row.seal(room.keys, country=country.upper(), authority=authority.strip())
        _fill_number(room, case, person, row, number)
        _ask_back(room, actor, case, row)
        record(room, actor, case, f"document: {kind}", columns="document", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "add_document", key, Document, make)
    return done(case, row, repeated=repeated)


@service
def request_document(
    room: Room, actor: Actor, case_id: UUID, person_id: UUID, *, authority: str, country: str,
    key: str,
) -> Done:  # fmt: skip
    """Ask the authority of the person's country. Only with their consent to that contact."""
    case = take(room, actor, case_id, Action.PLAN)
    person = person_of(case, person_id)
    if State(case.state) not in BEFORE_DEPARTURE:
        raise RefusedError(
            "The embassy is asked while a return is prepared: this case is stopped or has ended."
        )
    if not holds_consent(case, Purpose.EMBASSY, person):
        raise RefusedError(
            "Contact with the person's embassy has a consent of its own: ask for it first."
        )
    asked = must_say(authority, "the authority that is asked")

    def make(row_id: UUID) -> Document:
        row = Document(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, kind=DocumentKind.TRAVEL_DOCUMENT, asked_at=room.now,
            holder=Holder.AUTHORITY,
        )  # fmt: skip
        row.seal(room.keys, authority=asked, country=country.upper())
        row.save(force_insert=True)
        record(room, actor, case, "asked for a document", private_to=person.pk)
        return row

    row, repeated = once(room, actor, "request_document", key, Document, make)
    return done(case, row, repeated=repeated)


@service
def receive_document(
    room: Room, actor: Actor, case_id: UUID, document_id: UUID, *, number: str, expires_on: date,
    issued_on: date | None = None, holder: Holder = Holder.PERSON,
) -> Done:  # fmt: skip
    """What was asked for has come."""
    case = take(room, actor, case_id, Action.PLAN)
    row = _document(case, document_id)
    _check_document(room, case, number, expires_on, issued_on)
    row.expires_on, row.issued_on, row.holder = expires_on, issued_on, holder
    _fill_number(room, case, row.person, row, number)
    _ask_back(room, actor, case, row)
    record(room, actor, case, "a document came", columns="document", private_to=row.person_id)
    return done(case, row)


@service
def keep_document(
    room: Room, actor: Actor, case_id: UUID, document_id: UUID, holder: Holder
) -> Done:
    """Who holds the document now. ``person``: handed back, which ends every wait for it."""
    case = take(room, actor, case_id, Action.PAPERS)
    row = _document(case, document_id)
    row.holder = holder
    row.handed_back_at = room.now if holder is Holder.PERSON else None
    if holder is not Holder.PERSON:
        row.hand_back_asked_at = None
    row.save()
    _ask_back(room, actor, case, row)
    columns = "holder"
    record(room, actor, case, f"document with: {holder}", columns=columns, private_to=row.person_id)
    return done(case, row)


def papers_waiting(case: Case) -> list[Document]:
    """What was asked back and is not yet in the person's hands."""
    return list(
        Document.objects.filter(case=case, handed_back_at=None).exclude(hand_back_asked_at=None)
    )


@service
def plan_journey(
    room: Room, actor: Actor, case_id: UUID, *, legs: Sequence[Mapping[str, str]],
    leaves_at: datetime, country: str, key: str, booking: str = "",
) -> Done:  # fmt: skip
    """An itinerary. A changed one is a new one, and its consents are asked again.

    ``leaves_at``: with its time zone. ``legs``: carrier, service, places, times as texts.
    """
    case = take(room, actor, case_id, Action.PLAN)
    if case.state != State.DOCUMENTS:
        raise RefusedError(
            "A journey is planned while documents are prepared: go back there first."
        )
    if leaves_at.tzinfo is None or leaves_at <= room.now:
        raise RefusedError("Expected a time to come, with its time zone: look at day and year.")
    if not legs:
        raise RefusedError("Expected one leg at least.")

    def make(row_id: UUID) -> Journey:
        for old in Journey.objects.filter(case=case, ended_at=None):
            old.ended_at = room.now
            old.save()
            for hold in Hold.objects.filter(journey=old, released_at=None):
                hold.released_at = room.now
                hold.save()
        row = Journey(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            leaves_at=leaves_at, leaves_on=today_in(case.office, leaves_at),
        )  # fmt: skip
        row.seal_json(room.keys, itinerary=[dict(leg) for leg in legs])
        row.seal(room.keys, booking=booking, country=country.upper())
        row.save(force_insert=True)
        record(room, actor, case, "planned a journey", columns="journey")
        return row

    row, repeated = once(room, actor, "plan_journey", key, Journey, make)
    return done(case, row, repeated=repeated)


@service
def hold(
    room: Room, actor: Actor, case_id: UUID, what: str, *, key: str, person_id: UUID | None = None,
    until: datetime | None = None, booking: str = "",
) -> Done:  # fmt: skip
    """Keep something free for the plan, or for one person of it."""
    case = take(room, actor, case_id, Action.PLAN)
    person = person_of(case, person_id) if person_id else None
    if State(case.state) in ENDED or (person is not None and person.left_plan_at is not None):
        raise RefusedError(NOTHING_HELD)

    def make(row_id: UUID) -> Hold:
        row = Hold(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            person=person, journey=current_journey(case), what=what, until=until,
        )  # fmt: skip
        row.seal(room.keys, booking=booking)
        row.save(force_insert=True)
        record(room, actor, case, "holds something", columns="hold")
        return row

    row, repeated = once(room, actor, "hold", key, Hold, make)
    return done(case, row, repeated=repeated)


@service
def add_money(
    room: Room, actor: Actor, case_id: UUID, kind: MoneyKind, what: str, amount: Decimal,
    currency: str, *, key: str, detail: str = "",
) -> Done:  # fmt: skip
    """Held or paid. What was paid is put right by another line, never by changing one."""
    case = take(room, actor, case_id, Action.MONEY)
    if kind is MoneyKind.HELD and amount <= 0:
        raise RefusedError("Expected an amount above nothing.")
    if kind is MoneyKind.HELD and State(case.state) in ENDED:
        raise RefusedError(NOTHING_HELD)

    def make(row_id: UUID) -> MoneyLine:
        row = MoneyLine(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            kind=kind, what=what, amount=amount, currency=currency.upper(),
        )  # fmt: skip
        row.seal(room.keys, detail=detail)
        row.save(force_insert=True)
        record(room, actor, case, f"money {kind}", columns="money")
        return row

    row, repeated = once(room, actor, "add_money", key, MoneyLine, make)
    return done(case, row, repeated=repeated)


@service
def confirm_departure(
    room: Room, actor: Actor, case_id: UUID, kind: ProofKind, *, left_at: datetime, key: str,
    detail: str = "",
) -> Done:  # fmt: skip
    """From the person's receipt, or the carrier's confirmation of this booking with consent."""
    case = take(room, actor, case_id, Action.CONFIRM)
    journey = current_journey(case)
    if journey is None:
        raise RefusedError("No journey is planned: there is nothing to confirm.")
    if kind is ProofKind.CARRIER and not holds_consent(case, Purpose.CARRIER):
        raise RefusedError("The carrier is asked with the person's consent alone: ask for it.")
    if not journey.leaves_at - SLACK <= left_at <= room.now:
        raise RefusedError("Expected a time of leaving between the planned one and now.")

    def make(row_id: UUID) -> DepartureProof:
        row = DepartureProof(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            kind=kind, journey=journey, left_at=left_at,
        )  # fmt: skip
        row.seal(room.keys, detail=detail)
        row.save(force_insert=True)
        take_step(room, actor, case, find_transition(Move.CONFIRM_DEPARTURE))
        count(case.office_id, room.now, "departures confirmed")
        return row

    row, repeated = once(room, actor, "confirm_departure", key, DepartureProof, make)
    return done(case, row, repeated=repeated)


@service
def undo_departure(room: Room, actor: Actor, case_id: UUID, *, reason: str) -> Done:
    """The confirmation was a mistake: taken back, with a reason, and counted back."""
    case = take(room, actor, case_id, Action.CONFIRM)
    why = must_say(reason, "a reason")
    take_step(room, actor, case, find_transition(Move.UNDO_DEPARTURE), why)
    for proof in DepartureProof.objects.filter(case=case, taken_back_at=None):
        proof.taken_back_at = room.now
        proof.seal(room.keys, taken_back_reason=why)
        proof.save()
        count(case.office_id, proof.made_at, "departures confirmed", -1)
    return done(case)


@service
def confirm_arrival(
    room: Room, actor: Actor, case_id: UUID, *, arrived_at: datetime, confirmed_by: str, key: str
) -> Done:
    """Reception says that they came; the follow-ups are put on the calendar."""
    case = take(room, actor, case_id, Action.CONFIRM)
    if arrived_at > room.now:
        raise RefusedError("Expected a time that has been: confirm afterwards.")
    named = must_say(confirmed_by, "who confirms it")

    def make(row_id: UUID) -> Arrival:
        row = Arrival(
            id=row_id, made_at=room.now, case=case, key_id=case.key_id, made_by=actor.label,
            arrived_at=arrived_at,
        )  # fmt: skip
        row.seal(room.keys, confirmed_by=named)
        row.save(force_insert=True)
        take_step(room, actor, case, find_transition(Move.CONFIRM_ARRIVAL))
        return row

    row, repeated = once(room, actor, "confirm_arrival", key, Arrival, make)
    return done(case, row, repeated=repeated)


def _document(case: Case, document_id: UUID) -> Document:
    found = Document.objects.filter(case=case, pk=document_id).select_related("person").first()
    if found is None:
        raise NotVisibleError
    return found


def _ask_back(room: Room, actor: Actor, case: Case, row: Document) -> None:
    """What the office holds of somebody who has withdrawn is asked back at once."""
    if row.holder != Holder.OFFICE or row.handed_back_at is not None:
        return
    if State(case.state) in ENDED or row.person.left_plan_at is not None:
        ask_papers_back(room, actor, case, row.person)


def _check_document(
    room: Room, case: Case, number: str, expires_on: date, issued_on: date | None
) -> None:
    today = today_in(case.office, room.now)
    plain = plain_number(number)
    if len(plain) < 3 or len(set(plain)) == 1 or plain in BLANKS or plain in "0123456789":
        raise RefusedError(
            "Expected the document's number, found a blank: without a document, ask the authority "
            "for a travel document instead."
        )
    if expires_on < today:
        raise RefusedError("This document has expired: ask the authority for a new one.")
    if issued_on is not None and (issued_on > today or issued_on > expires_on):
        raise RefusedError("Expected a day of issue before today and before it expires.")


def _fill_number(room: Room, case: Case, person: Person, row: Document, number: str) -> None:
    row.seal(room.keys, number=number.strip())
    row.save()
    index_person(room, case, person)
