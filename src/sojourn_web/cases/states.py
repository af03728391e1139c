"""The states of a case and every way between them: one table.

In: a state, who asks, and the facts. Out: the transitions there are, and for each the reasons
why it is not open now. Nothing here decides by time: no transition has a timer. The table is
drawn into ``docs/reference/case-states.md`` by ``tools/build_docs.py``.

Withdrawing leads out of every state before departure, needs no reason and meets no guard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sojourn_web.cases import guards
from sojourn_web.cases.guards import CaseFacts, Guard
from sojourn_web.cases.vocabulary import Who


class State(StrEnum):
    ENQUIRY = "enquiry"
    APPLICATION = "application"
    COUNSELLING = "counselling"
    SAFEGUARDS = "safeguards"
    CONSENT = "consent"
    DOCUMENTS = "documents"
    TRAVEL = "travel"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


MEANING: dict[State, str] = {
    State.ENQUIRY: "Somebody asks what there is. Nothing is decided.",
    State.APPLICATION: "The person writes down what they want to tell.",
    State.COUNSELLING: "Talking: the legal information, claims, bans, consequences, pressure.",
    State.SAFEGUARDS: "Vulnerability is screened; children get their procedure.",
    State.CONSENT: "Each adult decides, alone, in a wording they understand.",
    State.DOCUMENTS: "Travel documents, fitness, the journey's plan and a second consent.",
    State.TRAVEL: "The journey is booked. The consent is asked once more on the day.",
    State.DEPARTED: "A receipt or the carrier shows that they left.",
    State.ARRIVED: "Reception has confirmed the arrival.",
    State.FOLLOW_UP: "Reintegration, asked about after 1, 3, 6 and 12 months.",
    State.CLOSED: "It has ended and how is written down.",
    State.WITHDRAWN: "The person has ended it. No reason is asked. They may come back.",
    State.STOPPED: "Return is not safe. There is an appeal.",
}
BEFORE_DEPARTURE: tuple[State, ...] = (
    State.ENQUIRY, State.APPLICATION, State.COUNSELLING, State.SAFEGUARDS, State.CONSENT,
    State.DOCUMENTS, State.TRAVEL,
)  # fmt: skip


class Move(StrEnum):
    APPLY = "apply"
    START_COUNSELLING = "start_counselling"
    START_SAFEGUARDS = "start_safeguards"
    ASK_CONSENT = "ask_consent"
    PREPARE_DOCUMENTS = "prepare_documents"
    BOOK = "book"
    CONFIRM_DEPARTURE = "confirm_departure"
    UNDO_DEPARTURE = "undo_departure"
    NOT_DEPARTED = "not_departed"
    UNDO_NOT_DEPARTED = "undo_not_departed"
    CONFIRM_ARRIVAL = "confirm_arrival"
    UNDO_ARRIVAL = "undo_arrival"
    START_FOLLOW_UP = "start_follow_up"
    CLOSE = "close"
    REOPEN = "reopen"
    RECONSIDER = "reconsider"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    WITHDRAW = "withdraw"
    COME_BACK = "come_back"
    STOP = "stop"
    APPEAL_UPHELD = "appeal_upheld"
    CLOSE_STOPPED = "close_stopped"
    STOP_AGAIN = "stop_again"


@dataclass(frozen=True)
class Transition:
    """``reversible_by`` names the moves that take this one back; ``reason`` must then be given
    where it says so. ``own_service``: pages offer it, ``move`` refuses it, for it does more."""

    move: Move
    label: str
    sources: tuple[State, ...]
    goal: State
    who: frozenset[Who]
    guards: tuple[Guard, ...] = ()
    reason: bool = False
    reversible_by: tuple[Move, ...] = ()
    own_service: bool = False


@dataclass(frozen=True)
class Choice:
    """A transition as one person meets it: open, or the reasons why not."""

    transition: Transition
    why_not: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return not self.why_not


COUNSELLORS = frozenset({Who.COUNSELLOR, Who.SUPERVISOR})
WITH_PERSON = COUNSELLORS | {Who.APPLICANT}
SUPERVISOR = frozenset({Who.SUPERVISOR})
READY_TO_TRAVEL = (
    guards.SOMEBODY, guards.NOT_REFERRED, guards.CHECKLIST, guards.ADVICE,
    guards.CONSENT_APPLICATION, guards.ITINERARY, guards.TRAVEL_AHEAD, guards.CONSENT_BOOKING,
    guards.DOCUMENTS, guards.FIT, guards.STILL_SCREENED, guards.NO_HEALTH_HOLD, guards.CHILDREN,
    guards.ACCOMPANIED,
)  # fmt: skip

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Move.APPLY, "Apply", (State.ENQUIRY,), State.APPLICATION, WITH_PERSON,
               (guards.NAMED,), reversible_by=(Move.WITHDRAW,)),
    Transition(Move.START_COUNSELLING, "Start counselling", (State.APPLICATION,),
               State.COUNSELLING, COUNSELLORS, (guards.HAS_COUNSELLOR, guards.NAMED),
               reversible_by=(Move.WITHDRAW,)),
    Transition(Move.START_SAFEGUARDS, "Go on to safeguards", (State.COUNSELLING,),
               State.SAFEGUARDS, COUNSELLORS, (guards.CHECKLIST, guards.ADVICE),
               reversible_by=(Move.RECONSIDER, Move.WITHDRAW)),
    Transition(Move.ASK_CONSENT, "Ask for consent", (State.SAFEGUARDS,), State.CONSENT,
               COUNSELLORS,
               (guards.SOMEBODY, guards.NOT_REFERRED, guards.CHECKLIST, guards.ADVICE,
                guards.SCREENED, guards.NO_HEALTH_HOLD, guards.CHILDREN, guards.ACCOMPANIED),
               reversible_by=(Move.RECONSIDER, Move.WITHDRAW)),
    Transition(Move.PREPARE_DOCUMENTS, "Prepare documents", (State.CONSENT,), State.DOCUMENTS,
               COUNSELLORS,
               (guards.SOMEBODY, guards.NOT_REFERRED, guards.CHECKLIST, guards.ADVICE,
                guards.CONSENT_APPLICATION, guards.CHILDREN, guards.ACCOMPANIED),
               reversible_by=(Move.RECONSIDER, Move.WITHDRAW)),
    Transition(Move.BOOK, "Book the journey", (State.DOCUMENTS,), State.TRAVEL, COUNSELLORS,
               READY_TO_TRAVEL, reversible_by=(Move.NOT_DEPARTED, Move.RECONSIDER, Move.WITHDRAW)),
    Transition(Move.CONFIRM_DEPARTURE, "Confirm the departure", (State.TRAVEL,), State.DEPARTED,
               COUNSELLORS,
               (guards.SOMEBODY, guards.NOT_REFERRED, guards.CONSENT_APPLICATION,
                guards.CONSENT_BOOKING, guards.CONSENT_TRAVEL_DAY, guards.FIT, guards.CHILDREN,
                guards.ACCOMPANIED, guards.LEFT, guards.PROOF),
               reversible_by=(Move.UNDO_DEPARTURE,), own_service=True),
    Transition(Move.UNDO_DEPARTURE, "Take the confirmation back", (State.DEPARTED,), State.TRAVEL,
               COUNSELLORS, reason=True, reversible_by=(Move.CONFIRM_DEPARTURE,),
               own_service=True),
    Transition(Move.NOT_DEPARTED, "They did not leave", (State.TRAVEL,), State.DOCUMENTS,
               WITH_PERSON, reason=True, reversible_by=(Move.UNDO_NOT_DEPARTED,)),
    Transition(Move.UNDO_NOT_DEPARTED, "Take 'did not leave' back", (State.DOCUMENTS,),
               State.TRAVEL, COUNSELLORS,
               (guards.WAS_NOT_DEPARTED, guards.SOMEBODY, guards.NOT_REFERRED, guards.CHECKLIST,
                guards.ADVICE, guards.CONSENT_APPLICATION, guards.ITINERARY,
                guards.CONSENT_BOOKING, guards.NO_HEALTH_HOLD, guards.CHILDREN,
                guards.ACCOMPANIED),
               reason=True, reversible_by=(Move.NOT_DEPARTED,)),
    Transition(Move.CONFIRM_ARRIVAL, "Confirm the arrival", (State.DEPARTED,), State.ARRIVED,
               COUNSELLORS, (guards.ARRIVAL,), reversible_by=(Move.UNDO_ARRIVAL,)),
    Transition(Move.UNDO_ARRIVAL, "Take the arrival back", (State.ARRIVED,), State.DEPARTED,
               COUNSELLORS, reason=True, reversible_by=(Move.CONFIRM_ARRIVAL,)),
    Transition(Move.START_FOLLOW_UP, "Start the follow-up", (State.ARRIVED,), State.FOLLOW_UP,
               COUNSELLORS, (guards.PLAN,), reversible_by=(Move.CLOSE,)),
    Transition(Move.CLOSE, "Close", (State.ARRIVED, State.FOLLOW_UP), State.CLOSED, COUNSELLORS,
               (guards.OUTCOME,), reversible_by=(Move.REOPEN,)),
    Transition(Move.REOPEN, "Open again", (State.CLOSED,), State.FOLLOW_UP, SUPERVISOR,
               (guards.ARRIVAL,), reason=True, reversible_by=(Move.CLOSE,)),
    Transition(Move.RECONSIDER, "Back to counselling",
               (State.SAFEGUARDS, State.CONSENT, State.DOCUMENTS, State.TRAVEL),
               State.COUNSELLING, WITH_PERSON, reversible_by=(Move.START_SAFEGUARDS,)),
    Transition(Move.CONSENT_WITHDRAWN, "Consent was withdrawn",
               (State.DOCUMENTS, State.TRAVEL), State.CONSENT, WITH_PERSON,
               reversible_by=(Move.PREPARE_DOCUMENTS,), own_service=True),
    Transition(Move.WITHDRAW, "Withdraw", (*BEFORE_DEPARTURE, State.STOPPED), State.WITHDRAWN,
               WITH_PERSON, reversible_by=(Move.COME_BACK,), own_service=True),
    Transition(Move.COME_BACK, "Come back", (State.WITHDRAWN,), State.APPLICATION, WITH_PERSON,
               reversible_by=(Move.WITHDRAW,)),
    Transition(Move.STOP, "Return is not safe", BEFORE_DEPARTURE, State.STOPPED,
               COUNSELLORS | {Who.MEDICAL}, reason=True, reversible_by=(Move.APPEAL_UPHELD,),
               own_service=True),
    Transition(Move.APPEAL_UPHELD, "The appeal is upheld", (State.STOPPED,), State.COUNSELLING,
               SUPERVISOR, (guards.APPEAL_UPHELD,), reason=True, reversible_by=(Move.STOP,),
               own_service=True),
    Transition(Move.CLOSE_STOPPED, "Close: helped otherwise", (State.STOPPED,), State.CLOSED,
               COUNSELLORS, (guards.NO_APPEAL_OPEN, guards.OUTCOME),
               reversible_by=(Move.STOP_AGAIN,)),
    Transition(Move.STOP_AGAIN, "Open again, stopped", (State.CLOSED,), State.STOPPED, SUPERVISOR,
               (guards.REFERRED,), reason=True, reversible_by=(Move.CLOSE_STOPPED,)),
)  # fmt: skip


def find_transition(move: Move) -> Transition:
    return next(t for t in TRANSITIONS if t.move is move)


def choices(state: State, who: Who, facts: CaseFacts) -> tuple[Choice, ...]:
    """Every transition that ``who`` meets in ``state``, closed ones with their reasons."""
    return tuple(
        Choice(t, why_not(t, state, who, facts))
        for t in TRANSITIONS
        if state in t.sources and who in t.who
    )


def guards_asked(state: State, who: Who) -> frozenset[str]:
    """The names of the guards that ``choices`` asks."""
    meets = (t for t in TRANSITIONS if state in t.sources and who in t.who)
    return frozenset(g.name for t in meets for g in t.guards)


def why_not(transition: Transition, state: State, who: Who, facts: CaseFacts) -> tuple[str, ...]:
    """The reasons against ``transition`` now; empty where it is open."""
    if state not in transition.sources:
        return (f"From '{state}' there is no way to '{transition.goal}'.",)
    if who not in transition.who:
        return ("Somebody else decides this: " + ", ".join(sorted(transition.who)) + ".",)
    return tuple(g.why_not for g in transition.guards if not g.holds(facts))
