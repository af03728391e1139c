"""What the guards need to know of a case, gathered from its tables.

In: a case and a moment; for a page also what it has read already and which guards it asks. Out:
``CaseFacts``. Opens no sealed column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from sojourn_web.cases.states import BEFORE_DEPARTURE, Move, State
from sojourn_web.cases.vocabulary import (
    AppealState,
    Check,
    CheckAnswer,
    Holder,
    PersonKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)

# The consent of the travel day is asked at most this long before leaving.
TRAVEL_DAY = timedelta(hours=24)
# While these last somebody may come into a plan, or back into it: see ``takes_people``.
OPEN = frozenset(BEFORE_DEPARTURE) - {State.TRAVEL}


# Which guards ask for what is read by a query of its own; the others ask for what ``know`` reads.
ASKED_OF: dict[str, frozenset[str]] = {
    "items": frozenset({"checklist", "advice"}),
    "referrals": frozenset({"not_referred", "referred", "appeal_upheld", "no_appeal_open"}),
    "screenings": frozenset({"screened", "still_screened", "no_health_hold", "fit"}),
    "papers": frozenset({"documents"}),
    "safeguards": frozenset({"children"}),
    "ends": frozenset({"proof", "arrival", "plan"}),
}
ASKED_OF_KNOWN = frozenset({
    "named", "has_counsellor", "accompanied", "somebody", "consent_application",
    "consent_booking", "consent_travel_day", "itinerary", "travel_ahead", "left", "outcome",
    "was_not_departed",
})  # fmt: skip


@dataclass(frozen=True)
class Known:
    """People in their order, the journey that is planned, consents (the newest first)."""

    people: tuple[Person, ...]
    journey: Journey | None
    consents: tuple[Consent, ...]

    @property
    def in_plan(self) -> list[Person]:
        return [p for p in self.people if p.left_plan_at is None]


def know(case: Case, people: Sequence[Person] | None = None) -> Known:
    """``people``: all of the case, where they were read already."""
    if people is None:
        people = list(Person.objects.filter(case=case).order_by("position", "made_at"))
    given = Consent.objects.filter(case=case).select_related("declaration").order_by("-given_at")
    return Known(tuple(people), current_journey(case), tuple(given))


def gather_facts(
    case: Case, now: datetime, known: Known | None = None, asked: frozenset[str] | None = None,
    asker: UUID | None = None,
) -> CaseFacts:  # fmt: skip
    """``now``: UTC. ``asked``: the names of the guards that these facts are for, all if None; what
    none of them asks is not read and must not be looked at. ``asker``: the person who asks, if not
    staff: whether another adult has a name is not told to them."""

    def is_asked(part: str) -> bool:
        return asked is None or bool(ASKED_OF[part] & asked)

    known = known or know(case)
    journey = known.journey
    items = ChecklistItem.objects.filter(case=case, replaced_at=None)
    told = list(items) if is_asked("items") else []
    referred = Referral.objects.filter(case=case).order_by("-made_at")
    referrals = list(referred) if is_asked("referrals") else []
    referral = next((r for r in referrals if r.ended_at is None), None)
    ends = _ends(case, journey) if is_asked("ends") else set()
    return CaseFacts(
        now=now,
        today=today_in(case.office, now),
        people=_people(case, known, is_asked, asker),
        has_counsellor=case.counsellor_id is not None,
        checks_missing=frozenset(Check) - {Check(i.check_kind) for i in told},
        needs_advice=frozenset(
            Check(i.check_kind) for i in told if i.answer == CheckAnswer.NEEDS_ADVICE
        ),
        referred=referral is not None,
        appeal_open=referral is not None and referral.appeal == AppealState.OPEN,
        appeal_upheld=referral is None and any(r.appeal == AppealState.UPHELD for r in referrals),
        travel_date=journey.leaves_on if journey else None,
        leaves_at=journey.leaves_at if journey else None,
        proof="proof" in ends,
        arrival="arrival" in ends,
        plan_or_declined="plan" in ends,
        outcome_told=bool(case.outcome),
        was_not_departed=case.last_move == Move.NOT_DEPARTED,
    )


def _ends(case: Case, journey: Journey | None) -> set[str]:
    """Which of three things there are, by one query."""
    parts: dict[str, QuerySet[Any]] = {
        "arrival": Arrival.objects.filter(case=case, taken_back_at=None),
        "plan": ReintegrationPlan.objects.filter(case=case, replaced_at=None),
    }
    if journey is not None:
        parts["proof"] = DepartureProof.objects.filter(
            case=case, journey=journey, taken_back_at=None
        )
    first, *rest = (
        rows.order_by().annotate(what=Value(name)).values_list("what")
        for name, rows in parts.items()
    )
    return {what for (what,) in first.union(*rest)}


def current_journey(case: Case) -> Journey | None:
    return Journey.objects.filter(case=case, ended_at=None).order_by("-made_at").first()


def takes_people(case: Case) -> bool:
    """Whether somebody may come into the plan: no journey is planned to which others said yes."""
    return State(case.state) in OPEN and current_journey(case) is None


def open_referral(case: Case) -> Referral | None:
    return Referral.objects.filter(case=case, ended_at=None).order_by("-made_at").first()


def people_in_plan(case: Case) -> list[Person]:
    return list(Person.objects.filter(case=case, left_plan_at=None).order_by("position"))


def _people(
    case: Case, known: Known, is_asked: Callable[[str], bool], asker: UUID | None
) -> tuple[PersonFacts, ...]:
    consents = _consents(known)
    screened, fit, held = _screenings(case) if is_asked("screenings") else ({}, {}, set())
    papers = _papers(case) if is_asked("papers") else {}
    in_plan = known.in_plan
    guarded: dict[UUID, ChildSafeguard] = {}
    if is_asked("safeguards") and any(p.is_child for p in in_plan):
        guarded = {s.person_id: s for s in ChildSafeguard.objects.filter(case=case)}
    found = []
    for person in in_plan:
        safe = guarded.get(person.pk)
        told = asker in (None, person.pk) or person.kind == PersonKind.CHILD
        found.append(
            PersonFacts(
                is_child=bool(person.is_child),
                unaccompanied=person.unaccompanied,
                named=person.named or not told,
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


def _papers(case: Case) -> dict[UUID, date]:
    """By person, the day until which their document is valid."""
    papers: dict[UUID, date] = {}
    # A request without a document is none; one that an authority still holds is none yet.
    for paper in Document.objects.filter(case=case, ended_at=None).exclude(expires_on=None):
        if paper.number and paper.holder != Holder.AUTHORITY and paper.expires_on:
            papers[paper.person_id] = max(papers.get(paper.person_id, date.min), paper.expires_on)
    return papers


def _consents(known: Known) -> dict[UUID, set[Stage]]:
    """The stages for which each person's consent to return is current."""
    found: dict[UUID, set[Stage]] = defaultdict(set)
    for consent in known.consents:
        if consent.purpose == Purpose.RETURN and is_current(consent, known.journey):
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
    return is_travel_day(consent.given_at, journey)


def serves(consent: Consent, journey: Journey | None) -> bool:
    """Whether a consent to anything but the return holds now. The carrier of another booking was
    another question: it is asked anew for each journey that is planned."""
    if consent.withdrawn_at is not None or consent.declaration.retired_at is not None:
        return False
    new = journey is not None and consent.given_at < journey.made_at
    return consent.purpose != Purpose.CARRIER or not new


def is_travel_day(moment: datetime, journey: Journey) -> bool:
    """Whether the last consent can be given at ``moment``."""
    return journey.leaves_at - TRAVEL_DAY <= moment <= journey.leaves_at


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
