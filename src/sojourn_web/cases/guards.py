"""The safeguards as pure predicates, each with the sentence that a page shows beside a grey button.

In: ``CaseFacts``, what is known of a case at one moment. Out: yes, or why not and what to do.
No table, no clock, no key here: ``services.facts`` gathers the facts, these judge them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sojourn_web.cases.vocabulary import Check, Stage


@dataclass(frozen=True)
class PersonFacts:
    """One person who is still in the plan. Dates are inclusive; None is not known or not done."""

    is_child: bool = False
    unaccompanied: bool = False
    named: bool = True
    consents: frozenset[Stage] = frozenset()
    screened_until: date | None = None
    fit_until: date | None = None
    held_by_health: bool = False
    document_until: date | None = None
    guardian: bool = False
    best_interests: bool = False
    reception: bool = False

    @property
    def must_consent(self) -> bool:
        """Adults for themselves; for a child alone, its guardian."""
        return not self.is_child or self.unaccompanied


@dataclass(frozen=True)
class CaseFacts:
    """``now`` is UTC; ``today`` and ``travel_date`` are days in the office's time zone."""

    now: datetime
    today: date
    people: tuple[PersonFacts, ...] = ()
    has_counsellor: bool = False
    checks_missing: frozenset[Check] = frozenset(Check)
    needs_advice: frozenset[Check] = frozenset()
    referred: bool = False
    appeal_open: bool = False
    appeal_upheld: bool = False
    travel_date: date | None = None
    leaves_at: datetime | None = None
    proof: bool = False
    arrival: bool = False
    plan_or_declined: bool = False
    outcome_told: bool = False
    was_not_departed: bool = False

    @property
    def adults(self) -> tuple[PersonFacts, ...]:
        return tuple(p for p in self.people if not p.is_child)


@dataclass(frozen=True)
class Guard:
    """``why_not`` says what is missing and what to do, in words for anybody."""

    name: str
    why_not: str
    holds: Callable[[CaseFacts], bool]


def _all(test: Callable[[PersonFacts], bool]) -> Callable[[CaseFacts], bool]:
    """For everybody in the plan; a plan of nobody passes nothing."""
    return lambda facts: bool(facts.people) and all(test(p) for p in facts.people)


def _on_travel_day(read: Callable[[PersonFacts], date | None]) -> Callable[[CaseFacts], bool]:
    def test(facts: CaseFacts) -> bool:
        day = facts.travel_date
        found = [read(p) for p in facts.people]
        return day is not None and bool(found) and all(f is not None and f >= day for f in found)

    return test


def _consented(stage: Stage) -> Callable[[CaseFacts], bool]:
    return _all(lambda p: not p.must_consent or stage in p.consents)


def _child_is_safe(person: PersonFacts) -> bool:
    return not (person.is_child and person.unaccompanied) or (
        person.guardian and person.best_interests and person.reception
    )


def _has_somebody_to_consent(facts: CaseFacts) -> bool:
    return any(p.must_consent for p in facts.people)


def _children_have_somebody(facts: CaseFacts) -> bool:
    return bool(facts.adults) or all(p.unaccompanied for p in facts.people)


NAMED = Guard(
    "named",
    "Everybody in the plan needs a name first: ask for it, or write what is known.",
    _all(lambda p: p.named),
)
HAS_COUNSELLOR = Guard(
    "has_counsellor",
    "Nobody counsels this case yet: a counsellor or supervisor takes it first.",
    lambda f: f.has_counsellor,
)
CHECKLIST = Guard(
    "checklist",
    "The legal information is not complete: talk through every point of the list.",
    lambda f: not f.checks_missing,
)
ADVICE = Guard(
    "advice",
    "A point of the list needs advice: settle the claim, ban or pressure first.",
    lambda f: not f.needs_advice,
)
SCREENED = Guard(
    "screened",
    "Somebody has no valid vulnerability screening: ask for one.",
    lambda f: (
        bool(f.people)
        and all(p.screened_until is not None and p.screened_until >= f.today for p in f.people)
    ),
)
STILL_SCREENED = Guard(
    "still_screened",
    "A vulnerability screening is not valid on the travel day: screen again, or change the day.",
    _on_travel_day(lambda p: p.screened_until),
)
NO_HEALTH_HOLD = Guard(
    "no_health_hold",
    "A screening says: not now. Wait for a new one.",
    _all(lambda p: not p.held_by_health),
)
CHILDREN = Guard(
    "children",
    "A child travels alone only with a guardian, a best-interests procedure and a confirmed "
    "reception: complete all three.",
    _all(_child_is_safe),
)
ACCOMPANIED = Guard(
    "accompanied",
    "A child is left without an adult in the plan: begin the safeguards of a "
    "child who travels alone.",
    _children_have_somebody,
)
NOT_REFERRED = Guard(
    "not_referred",
    "A referral says that return is not safe: the case is stopped.",
    lambda f: not f.referred,
)
REFERRED = Guard("referred", "This case was not closed after a referral.", lambda f: f.referred)
SOMEBODY = Guard(
    "somebody",
    "Nobody in the plan can consent: add an adult, or a child's guardian.",
    _has_somebody_to_consent,
)
CONSENT_APPLICATION = Guard(
    "consent_application",
    "The consent to return is missing or withdrawn for somebody: ask each adult alone.",
    _consented(Stage.APPLICATION),
)
CONSENT_BOOKING = Guard(
    "consent_booking",
    "The consent to this journey is missing or withdrawn: show the itinerary and ask again.",
    _consented(Stage.BOOKING),
)
CONSENT_TRAVEL_DAY = Guard(
    "consent_travel_day",
    "The consent of the travel day is missing or withdrawn: ask within 24 hours before leaving.",
    _consented(Stage.TRAVEL_DAY),
)
ITINERARY = Guard(
    "itinerary", "No journey is planned: enter an itinerary.", lambda f: f.leaves_at is not None
)
TRAVEL_AHEAD = Guard(
    "travel_ahead",
    "The planned day lies in the past: plan the journey anew.",
    lambda f: f.travel_date is not None and f.travel_date >= f.today,
)
DOCUMENTS = Guard(
    "documents",
    "Somebody has no document that is valid on the travel day: ask the authority.",
    _on_travel_day(lambda p: p.document_until),
)
FIT = Guard(
    "fit",
    "Fitness to travel is not confirmed for the travel day: ask the medical service.",
    _on_travel_day(lambda p: p.fit_until),
)
LEFT = Guard(
    "left",
    "The time of leaving has not come: confirm afterwards.",
    lambda f: f.leaves_at is not None and f.leaves_at <= f.now,
)
PROOF = Guard(
    "proof",
    "Nothing shows a departure: the person's own receipt, or the carrier's confirmation "
    "with consent. No receipt proves nothing.",
    lambda f: f.proof,
)
ARRIVAL = Guard("arrival", "Reception has not confirmed the arrival.", lambda f: f.arrival)
PLAN = Guard(
    "plan",
    "Write the reintegration plan, or that the person wants none.",
    lambda f: f.plan_or_declined,
)
OUTCOME = Guard("outcome", "Say how it ended.", lambda f: f.outcome_told)
APPEAL_UPHELD = Guard(
    "appeal_upheld",
    "Only an appeal that was upheld lets a stopped case go on.",
    lambda f: f.appeal_upheld,
)
NO_APPEAL_OPEN = Guard(
    "no_appeal_open",
    "An appeal waits for its answer: decide it first.",
    lambda f: not f.appeal_open,
)
WAS_NOT_DEPARTED = Guard(
    "was_not_departed", "There is no 'not departed' to take back.", lambda f: f.was_not_departed
)
