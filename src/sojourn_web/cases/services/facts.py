"""What the guards need to know of a case, gathered from its tables.

In: a case and a moment. Out: ``CaseFacts``. Opens no sealed column.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Value

from sojourn_web.cases.guards import CaseFacts, PersonFacts
from sojourn_web.cases.models import (
    Arrival,
    Case,
    ChecklistItem,
    ChildSafeguard,
    Consent,
    DepartureProof,
    Document,
    Journey,
    Person,
    Referral,
    ReintegrationPlan,
    Screening,
)
from sojourn_web.cases.services.room import today_in
from sojourn_web.cases.states import Move
from sojourn_web.cases.vocabulary import (
    AppealState,
    Check,
    CheckAnswer,
    Holder,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)

# The consent of the travel day is asked at most this long before leaving.
TRAVEL_DAY = timedelta(hours=24)


def gather_facts(case: Case, now: datetime) -> CaseFacts:
    """``now``: UTC."""
    today = today_in(case.office, now)
    journey = current_journey(case)
    items = list(ChecklistItem.objects.filter(case=case, replaced_at=None))
    referral = open_referral(case)
    held = _held(case, journey)
    return CaseFacts(
        now=now,
        today=today,
        people=_people(case, journey),
        has_counsellor=case.counsellor_id is not None,
        checks_missing=frozenset(Check) - {Check(i.check_kind) for i in items},
        needs_advice=frozenset(
            Check(i.check_kind) for i in items if i.answer == CheckAnswer.NEEDS_ADVICE
        ),
        referred=referral is not None,
        appeal_open=referral is not None and referral.appeal == AppealState.OPEN,
        appeal_upheld="upheld" in held and referral is None,
        travel_date=journey.leaves_on if journey else None,
        leaves_at=journey.leaves_at if journey else None,
        proof="proof" in held,
        arrival="arrival" in held,
        plan_or_declined="plan" in held,
        outcome_told=bool(case.outcome),
        was_not_departed=case.last_move == Move.NOT_DEPARTED,
    )


def _held(case: Case, journey: Journey | None) -> set[str]:
    """Which of four things there are, by one query: a page asks this each time."""
    proofs = DepartureProof.objects.filter(case=case, journey=journey, taken_back_at=None)
    parts: dict[str, QuerySet[Any]] = {
        "upheld": Referral.objects.filter(case=case, appeal=AppealState.UPHELD),
        "arrival": Arrival.objects.filter(case=case, taken_back_at=None),
        "plan": ReintegrationPlan.objects.filter(case=case, replaced_at=None),
    }
    if journey is not None:
        parts["proof"] = proofs
    first, *rest = (
        rows.order_by().annotate(what=Value(name)).values_list("what")
        for name, rows in parts.items()
    )
    return {what for (what,) in first.union(*rest)}


def current_journey(case: Case) -> Journey | None:
    return Journey.objects.filter(case=case, ended_at=None).order_by("-made_at").first()


def open_referral(case: Case) -> Referral | None:
    return Referral.objects.filter(case=case, ended_at=None).order_by("-made_at").first()


def people_in_plan(case: Case) -> list[Person]:
    return list(Person.objects.filter(case=case, left_plan_at=None).order_by("position"))


def _people(case: Case, journey: Journey | None) -> tuple[PersonFacts, ...]:
    consents = _consents(case, journey)
    screened, fit, held = _screenings(case)
    papers: dict[UUID, date] = {}
    # A request without a document is none; one that an authority still holds is none yet.
    for paper in Document.objects.filter(case=case, ended_at=None).exclude(expires_on=None):
        if paper.number and paper.holder != Holder.AUTHORITY and paper.expires_on:
            papers[paper.person_id] = max(papers.get(paper.person_id, date.min), paper.expires_on)
    guarded = {s.person_id: s for s in ChildSafeguard.objects.filter(case=case)}
    found = []
    for person in people_in_plan(case):
        safe = guarded.get(person.pk)
        found.append(
            PersonFacts(
                is_child=bool(person.is_child),
                unaccompanied=person.unaccompanied,
                named=person.named,
                consents=frozenset(consents[person.pk]),
                screened_until=screened.get(person.pk),
                fit_until=fit.get(person.pk),
                held_by_health=person.pk in held,
                document_until=papers.get(person.pk),
                guardian=bool(safe and safe.guardian_at),
                best_interests=bool(safe and safe.best_interests_at),
                reception=bool(safe and safe.reception_at),
            )
        )
    return tuple(found)


def _consents(case: Case, journey: Journey | None) -> dict[UUID, set[Stage]]:
    """The stages for which each person's consent to return is current."""
    found: dict[UUID, set[Stage]] = defaultdict(set)
    for consent in Consent.objects.filter(case=case, purpose=Purpose.RETURN).select_related(
        "declaration"
    ):
        if is_current(consent, journey):
            found[consent.person_id].add(Stage(consent.stage))
    return found


def is_current(consent: Consent, journey: Journey | None) -> bool:
    """Whether a consent to return holds for the journey as it is planned now.

    A withdrawal after the person has left does not undo that they left with their consent; a
    wording that was retired before they left must be asked again.
    """
    for ended in (consent.withdrawn_at, consent.declaration.retired_at):
        if ended is not None and (journey is None or ended <= journey.leaves_at):
            return False
    if consent.stage == Stage.APPLICATION:
        return True
    if journey is None or consent.journey_id != journey.pk:
        return False
    if consent.stage == Stage.BOOKING:
        return True
    return journey.leaves_at - TRAVEL_DAY <= consent.given_at <= journey.leaves_at


def _screenings(case: Case) -> tuple[dict[UUID, date], dict[UUID, date], set[UUID]]:
    """Valid until, by person: vulnerability, fitness; and whom a screening holds back."""
    until: dict[str, dict[UUID, date]] = {k.value: {} for k in ScreeningKind}
    held: set[UUID] = set()
    for row in Screening.objects.filter(case=case, replaced_at=None):
        if row.result == ScreeningResult.NOT_NOW:
            held.add(row.person_id)
        elif row.result != ScreeningResult.ASKED and row.valid_until:
            until[row.kind][row.person_id] = row.valid_until
    return until[ScreeningKind.VULNERABILITY], until[ScreeningKind.FITNESS], held
