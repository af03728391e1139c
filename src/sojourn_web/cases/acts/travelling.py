"""Acts of the journey: documents, the itinerary, holds, money, departure and arrival."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from sojourn_web.cases.acts.basis import (
    Act,
    Bench,
    CaseForm,
    RowOnly,
    amount,
    asked_id,
    day,
    line,
    moment,
    radios,
    select,
    text,
    words_of,
)
from sojourn_web.cases.services import letting_go, standing, travel
from sojourn_web.cases.services.room import Done, Room
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import DocumentKind, Holder, MoneyKind, ProofKind

HOLDERS = words_of(Holder, Holder.AUTHORITY)


class DocumentForm(CaseForm):
    person = select("Whose?")
    kind = radios("What is it?", words_of(DocumentKind))
    number = line("Number", longest=40)
    country = line("Country", "Three letters, as on the document.", longest=3)
    issued_on = day("Issued on", required=False)
    expires_on = day("Expires on")
    authority = line("Authority", required=False)
    holder = radios("Who has it now?", HOLDERS)


def _document(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.add_document(
        room, actor, case_id, UUID(str(f["person"])), DocumentKind(f["kind"]), number=f["number"],
        country=f["country"], expires_on=f["expires_on"], key=f["key"], issued_on=f["issued_on"],
        authority=f["authority"], holder=Holder(f["holder"]),
    )  # fmt: skip


class RequestForm(CaseForm):
    person = select("For whom?")
    authority = line("Which authority?", "The embassy or consulate.")
    country = line("Country", "Three letters.", longest=3)


def _request(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.request_document(
        room, actor, case_id, UUID(str(f["person"])), authority=f["authority"],
        country=f["country"], key=f["key"],
    )  # fmt: skip


class ReceiveForm(RowOnly):
    number = line("Number", longest=40)
    issued_on = day("Issued on", required=False)
    expires_on = day("Expires on")
    holder = radios("Who has it now?", HOLDERS)


def _receive(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.receive_document(
        room, actor, case_id, f["row"], number=f["number"], expires_on=f["expires_on"],
        issued_on=f["issued_on"], holder=Holder(f["holder"]),
    )  # fmt: skip


class KeepForm(RowOnly):
    holder = radios("Who has the document now?", words_of(Holder))


def _keep(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.keep_document(room, actor, case_id, f["row"], Holder(f["holder"]))


class JourneyForm(CaseForm):
    leaves_at = moment("Leaves at")
    country = line("Country of arrival", "Three letters.", longest=3)
    legs = forms.CharField(
        label="Legs", help_text="One on each line: carrier, service, from, to, time. For "
        "example: SN, SN 241, BRU, CKY, 12:00.",
        widget=forms.Textarea(attrs={"class": "govuk-textarea", "rows": "4"}),
    )  # fmt: skip
    booking = line("Booking", "The carrier's own code.", required=False)

    def clean_legs(self) -> list[dict[str, str]]:
        names = ("carrier", "service", "from", "to", "time")
        rows = [r for r in self.cleaned_data["legs"].splitlines() if r.strip()]
        legs = [
            {n: part.strip() for n, part in zip(names, row.split(","), strict=False)
             if part.strip()} for row in rows
        ]  # fmt: skip
        if not all(len(leg) >= 2 for leg in legs):
            raise forms.ValidationError(
                "Expected at least a carrier and a service on each line, with a comma between."
            )
        return legs


def _journey(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.plan_journey(
        room, actor, case_id, legs=f["legs"], leaves_at=f["leaves_at"], country=f["country"],
        key=f["key"], booking=f["booking"],
    )  # fmt: skip


class HoldForm(CaseForm):
    what = line("What is kept free?", "A seat, a bed, an escort. No name.", longest=60)
    person = select("For whom?", required=False, empty="The whole plan")
    until = moment("Until", required=False)
    booking = line("Booking", required=False)


def _hold(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    person = UUID(str(f["person"])) if f["person"] else None
    return travel.hold(
        room, actor, case_id, f["what"], key=f["key"], person_id=person, until=f["until"],
        booking=f["booking"],
    )  # fmt: skip


def _release(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return letting_go.release_hold(room, actor, case_id, f["row"])


class MoneyForm(CaseForm):
    kind = radios("Held or paid?", words_of(MoneyKind))
    what = line("What for?", "The kind of cost, no name.", longest=60)
    amount = amount("Amount", "With a minus to put a payment right.")
    currency = line("Currency", "Three letters.", longest=3)
    detail = line("Detail", required=False)


def _money(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.add_money(
        room, actor, case_id, MoneyKind(f["kind"]), f["what"], f["amount"], f["currency"],
        key=f["key"], detail=f["detail"],
    )  # fmt: skip


def _release_money(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return letting_go.release_money(room, actor, case_id, f["row"])


class DepartureForm(CaseForm):
    kind = radios("How is it known?", [
        ("receipt", "The person's own receipt"),
        ("carrier", "The carrier's confirmation of this booking, with consent"),
    ])  # fmt: skip
    left_at = moment("Left at")
    detail = line("What the receipt or confirmation says", required=False)


def _departure(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.confirm_departure(
        room, actor, case_id, ProofKind(f["kind"]), left_at=f["left_at"], key=f["key"],
        detail=f["detail"],
    )  # fmt: skip


class ReasonForm(CaseForm):
    reason = text("Reason", "The person reads this.")


def _undo(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.undo_departure(room, actor, case_id, reason=f["reason"])


class ArrivalForm(CaseForm):
    arrived_at = moment("Arrived at")
    confirmed_by = line("Who confirms it?", "The reception or the partner there.")


def _arrival(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return travel.confirm_arrival(
        room, actor, case_id, arrived_at=f["arrived_at"], confirmed_by=f["confirmed_by"],
        key=f["key"],
    )  # fmt: skip


def _in_hand(room: Room, bench: Bench) -> Mapping[str, Any]:
    return {"holder": Holder.PERSON.value}


def _document_now(room: Room, bench: Bench) -> Mapping[str, Any]:
    row = asked_id(bench, "row")
    return standing.document_as_written(room, bench.case_id, row) if row else {}


ACTS = (
    Act("document", "Add a document", DocumentForm, _document, "travel", initial=_in_hand,
        intro="One that exists. A document that is kept for somebody is handed back when they "
        "withdraw, at once."),
    Act("request-document", "Ask the authority for a document", RequestForm, _request, "travel",
        button="Ask", intro="Only with the person's consent to contact with their embassy."),
    Act("receive-document", "The document has come", ReceiveForm, _receive, "travel",
        initial=_in_hand, written=_document_now, edits=True),
    Act("keep-document", "Who has the document?", KeepForm, _keep, "travel"),
    Act("journey", "Plan the journey", JourneyForm, _journey, "travel",
        intro="A changed journey is a new one: its seats are let go and its consents are asked "
        "again."),
    Act("hold", "Keep something free", HoldForm, _hold, "travel",
        intro="Withdrawing lets every one go."),
    Act("release-hold", "Let this go", RowOnly, _release, "travel", button="Let it go"),
    Act("money", "Money held or paid", MoneyForm, _money, "money"),
    Act("release-money", "Let this sum go", RowOnly, _release_money, "money",
        button="Let it go"),
    Act("confirm-departure", "Confirm the departure", DepartureForm, _departure, "travel",
        button="Confirm the departure", intro="From the person's own receipt, or from what the "
        "carrier says of this booking, with consent. Nobody looks it up anywhere else. No "
        "receipt proves nothing: neither that they left nor that they stayed."),
    Act("undo-departure", "Take the confirmation back", ReasonForm, _undo, "travel",
        button="Take it back", intro="A slip is put right here. It is counted back."),
    Act("confirm-arrival", "Confirm the arrival", ArrivalForm, _arrival, "after",
        button="Confirm the arrival", intro="Said by the reception. The follow-ups after 1, 3, "
        "6 and 12 months are then put on the calendar."),
)  # fmt: skip
