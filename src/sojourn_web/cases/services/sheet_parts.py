"""The parts of a case's page, each read on its own so that a page stays short and quick.

In: room, actor, the case (locked and noted by ``sheet.read_sheet``), people's names by id. Out:
a frozen body. Answers of screenings and sensitive notes are told as present, never opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from sojourn_web.cases.models import (
    Arrival,
    Case,
    ChecklistItem,
    ChildSafeguard,
    ClockStop,
    Complaint,
    DepartureProof,
    Document,
    HandOverNote,
    Hold,
    Journey,
    MoneyLine,
    Note,
    Person,
    Referral,
    Screening,
    StaffProfile,
    Task,
    Transfer,
)
from sojourn_web.cases.services.room import Room, today_in
from sojourn_web.cases.services.work import is_about
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Check, MoneyKind, TransferState, Who

Names = dict[UUID, str]


class Part(StrEnum):
    OVERVIEW = "overview"
    TOLD = "told"
    SAFEGUARDS = "safeguards"
    CONSENTS = "consents"
    TRAVEL = "travel"
    MONEY = "money"
    WORK = "work"
    AFTER = "after"


@dataclass(frozen=True)
class CheckLine:
    check: str
    answer: str
    language: str
    at: datetime | None
    notes: str


@dataclass(frozen=True)
class ScreeningLine:
    """``has_answers``, ``has_support``: they are there and open with a reason alone."""

    id: UUID
    who: str
    kind: str
    result: str
    asked_at: datetime
    valid_until: date | None
    late: bool
    has_answers: bool
    has_support: bool


@dataclass(frozen=True)
class ChildLine:
    person_id: UUID
    who: str
    alone: bool
    guardian: str
    best_interests: str
    reception: str


@dataclass(frozen=True)
class ReferralLine:
    reason: str
    referred_to: str
    at: datetime
    appeal: str
    appeal_text: str
    decision: str
    open: bool


@dataclass(frozen=True)
class Safeguards:
    checks: tuple[CheckLine, ...]
    screenings: tuple[ScreeningLine, ...]
    children: tuple[ChildLine, ...]
    referrals: tuple[ReferralLine, ...]


def read_safeguards(room: Room, actor: Actor, case: Case, names: Names) -> Safeguards:
    keys, today = room.keys, today_in(case.office, room.now)
    items = {i.check_kind: i for i in ChecklistItem.objects.filter(case=case, replaced_at=None)}
    checks = tuple(
        CheckLine(c.value, i.answer, i.language, i.made_at, i.notes.show(keys))
        if (i := items.get(c.value)) else CheckLine(c.value, "", "", None, "")
        for c in Check
    )  # fmt: skip
    screenings = tuple(
        ScreeningLine(s.pk, names.get(s.person_id, ""), s.kind, s.result, s.made_at,
                      s.valid_until, bool(s.valid_until and s.valid_until < today),
                      bool(s.answers), bool(s.support))
        for s in Screening.objects.filter(case=case, replaced_at=None).order_by("kind", "made_at")
    )  # fmt: skip
    guarded = {g.person_id: g for g in ChildSafeguard.objects.filter(case=case)}
    children = []
    for person in Person.objects.filter(case=case, is_child=True).order_by("position"):
        g = guarded.get(person.pk)
        told = [getattr(g, n).show(keys) if g else ""
                for n in ("guardian", "best_interests", "reception")]  # fmt: skip
        children.append(ChildLine(person.pk, names[person.pk], person.unaccompanied, *told))
    referrals = tuple(
        ReferralLine(r.reason.show(keys), r.referred_to.show(keys), r.made_at, r.appeal,
                     r.appeal_text.show(keys), r.decision.show(keys), r.ended_at is None)
        for r in Referral.objects.filter(case=case).order_by("-made_at")
    )  # fmt: skip
    return Safeguards(checks, screenings, tuple(children), referrals)


@dataclass(frozen=True)
class PaperLine:
    """``asked_back``: the person wants it and does not have it yet."""

    id: UUID
    who: str
    kind: str
    number: str
    authority: str
    country: str
    asked_at: datetime | None
    expires_on: date | None
    holder: str
    came: bool
    asked_back: bool


@dataclass(frozen=True)
class HoldLine:
    id: UUID
    what: str
    who: str
    until: datetime | None
    released_at: datetime | None


@dataclass(frozen=True)
class Travel:
    papers: tuple[PaperLine, ...]
    journey: Journey | None
    legs: tuple[tuple[tuple[str, str], ...], ...]
    booking: str
    country: str
    holds: tuple[HoldLine, ...]
    proofs: tuple[DepartureProof, ...]
    arrivals: tuple[Arrival, ...]


def read_travel(room: Room, actor: Actor, case: Case, names: Names) -> Travel:
    keys = room.keys
    papers = tuple(
        PaperLine(d.pk, names.get(d.person_id, ""), d.kind, d.number.show(keys),
                  d.authority.show(keys), d.country.show(keys), d.asked_at, d.expires_on,
                  d.holder, d.expires_on is not None,
                  d.hand_back_asked_at is not None and d.handed_back_at is None)
        for d in Document.objects.filter(case=case, ended_at=None).order_by("made_at")
    )  # fmt: skip
    journey = Journey.objects.filter(case=case, ended_at=None).order_by("-made_at").first()
    legs: list[tuple[tuple[str, str], ...]] = []
    if journey is not None:
        legs = [tuple(leg.items()) for leg in journey.itinerary.open_json(keys) or []]
    holds = tuple(
        HoldLine(h.pk, h.what, names.get(h.person_id, "") if h.person_id else "the whole plan",
                 h.until, h.released_at)
        for h in Hold.objects.filter(case=case).order_by("released_at", "made_at")
    )  # fmt: skip
    return Travel(
        papers, journey, tuple(legs), journey.booking.show(keys) if journey else "",
        journey.country.show(keys) if journey else "", holds,
        tuple(DepartureProof.objects.filter(case=case).order_by("-made_at")),
        tuple(Arrival.objects.filter(case=case).order_by("-made_at")),
    )  # fmt: skip


@dataclass(frozen=True)
class Sum:
    """By currency; what is held and not let go, and what is paid."""

    currency: str
    held: Decimal
    paid: Decimal


@dataclass(frozen=True)
class MoneyRow:
    id: UUID
    kind: str
    what: str
    amount: Decimal
    currency: str
    detail: str
    at: datetime
    released: bool


@dataclass(frozen=True)
class Money:
    sums: tuple[Sum, ...]
    held: tuple[MoneyRow, ...]
    paid: tuple[MoneyRow, ...]


def read_money(room: Room, actor: Actor, case: Case, names: Names) -> Money:
    rows = [
        MoneyRow(m.pk, m.kind, m.what, m.amount, m.currency, m.detail.show(room.keys), m.made_at,
                 m.released_at is not None)
        for m in MoneyLine.objects.filter(case=case).order_by("currency", "made_at")
    ]  # fmt: skip
    sums = []
    for currency, group in groupby(rows, key=lambda r: r.currency):
        mine = list(group)
        held = sum((r.amount for r in mine if r.kind == MoneyKind.HELD and not r.released),
                   Decimal(0))  # fmt: skip
        paid = sum((r.amount for r in mine if r.kind == MoneyKind.PAID), Decimal(0))
        sums.append(Sum(currency, held, paid))
    held_rows = tuple(r for r in rows if r.kind == MoneyKind.HELD)
    return Money(tuple(sums), held_rows, tuple(r for r in rows if r.kind == MoneyKind.PAID))


@dataclass(frozen=True)
class TextLine:
    """``text`` is empty where ``hidden``: it opens with a reason alone."""

    id: UUID
    at: datetime
    by: str
    text: str
    hidden: bool = False
    answer: str = ""
    answered: bool = False


@dataclass(frozen=True)
class TaskLine:
    id: UUID
    what: str
    detail: str
    due_on: date | None
    done_at: datetime | None
    late: bool


@dataclass(frozen=True)
class Work:
    tasks: tuple[TaskLine, ...]
    notes: tuple[TextLine, ...]
    hand_overs: tuple[TextLine, ...]
    stops: tuple[ClockStop, ...]
    transfers: tuple[Transfer, ...]
    complaints: tuple[TextLine, ...]


def staff_names(labels: list[str]) -> dict[str, str]:
    """``counsellor:12`` as the name that people read."""
    numbers = {int(x.split(":")[1]): x for x in labels if x.split(":")[-1].isdecimal()}
    found = StaffProfile.objects.filter(user_id__in=numbers)
    return {numbers[p.user_id]: p.name for p in found}


def read_work(room: Room, actor: Actor, case: Case, names: Names) -> Work:
    keys, today = room.keys, today_in(case.office, room.now)
    notes = list(Note.objects.filter(case=case).order_by("-made_at"))
    handed = list(HandOverNote.objects.filter(case=case).order_by("-made_at")[:5])
    by = staff_names([n.made_by for n in notes] + [h.made_by for h in handed])
    complaints: list[Complaint] = []
    if actor.who is Who.SUPERVISOR:  # it goes past the counsellor
        rows = Complaint.objects.filter(case=case).order_by("-made_at")
        complaints = [c for c in rows if not is_about(c, case, actor.user_id)]
    return Work(
        tuple(
            TaskLine(t.pk, t.what, t.detail.show(keys), t.due_on, t.done_at,
                     bool(t.done_at is None and t.due_on and t.due_on < today))
            for t in Task.objects.filter(case=case).order_by("done_at", "due_on")
        ),
        tuple(
            TextLine(n.pk, n.made_at, by.get(n.made_by, n.made_by),
                     "" if n.sensitive else n.text.show(keys), n.sensitive)
            for n in notes
        ),
        tuple(TextLine(h.pk, h.made_at, by.get(h.made_by, h.made_by), h.text.show(keys))
              for h in handed),
        tuple(ClockStop.objects.filter(case=case).order_by("-stopped_at")),
        tuple(Transfer.objects.filter(case=case, state=TransferState.ASKED)
              .select_related("to_office")),
        tuple(
            TextLine(c.pk, c.made_at, "the person", c.text.show(keys), False,
                     c.answer.show(keys), c.answered_at is not None)
            for c in complaints
        ),
    )  # fmt: skip


def read_overview(room: Room, actor: Actor, case: Case, names: Names) -> tuple[TaskLine, ...]:
    """The open tasks; the rest of the overview is in the sheet itself."""
    today = today_in(case.office, room.now)
    return tuple(
        TaskLine(t.pk, t.what, "", t.due_on, None, bool(t.due_on and t.due_on < today))
        for t in Task.objects.filter(case=case, done_at=None).order_by("due_on")
    )
