"""From one state to the next, and out again.

In: a transition's name. Out: ``Done``. ``move`` asks the role and every guard; the moves that do
more than change a state have services of their own. ``withdraw`` asks nobody for a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from sojourn_web.cases.errors import ConflictError, NotAllowedError, RefusedError
from sojourn_web.cases.models import (
    Arrival,
    AuditEvent,
    Case,
    Consent,
    Document,
    FollowUp,
    Hold,
    Journey,
    MoneyLine,
    Person,
    Transfer,
)
from sojourn_web.cases.services.facts import Known, gather_facts, people_in_plan, takes_people
from sojourn_web.cases.services.opening import index_person
from sojourn_web.cases.services.room import (
    Done,
    Room,
    count,
    done,
    must_say,
    person_of,
    record,
    service,
    take,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.states import (
    BEFORE_DEPARTURE,
    Choice,
    Move,
    State,
    Transition,
    choices,
    find_transition,
    guards_asked,
    why_not,
)
from sojourn_web.cases.visibility import CAME_BACK, LEFT, Action, Actor
from sojourn_web.cases.vocabulary import (
    Holder,
    MoneyKind,
    Outcome,
    Purpose,
    TransferState,
    Who,
)

HAND_BACK = "hand the passport back"
TALK_IN_PRIVATE = "the plan has changed for one person: speak with them in private"
FOLLOW_UP_MONTHS = (1, 3, 6, 12)
ENDED = frozenset({State.CLOSED, State.WITHDRAWN, State.STOPPED})
# Asked for a journey that is to come: neither asked nor kept once there is none.
OF_THE_JOURNEY = frozenset({Purpose.EMBASSY, Purpose.CARRIER, Purpose.RECEPTION})
AFTER_DEPARTURE = frozenset(State) - {*BEFORE_DEPARTURE, State.WITHDRAWN, State.STOPPED}
# To somebody who left a family's plan; it does not say that the others have travelled.
GONE = "Nobody can be added now. Ask to be called: your counsellor plans it anew with everybody."
WITHDRAWABLE = frozenset({*BEFORE_DEPARTURE, State.STOPPED})


def open_choices(
    room: Room, actor: Actor, case: Case, known: Known | None = None
) -> tuple[Choice, ...]:
    """Every transition that the actor meets on the case's page, closed ones with reasons.

    For showing: ``move`` gathers every fact anew.
    """
    state = State(case.state)
    asked = guards_asked(state, actor.who)
    return choices(state, actor.who, gather_facts(case, room.now, known, asked, actor.person_id))


@service
def move(
    room: Room, actor: Actor, case_id: UUID, name: Move, *, reason: str = "",
    version: int | None = None,
) -> Done:  # fmt: skip
    """Take one transition. Raises RefusedError with every reason against it. Twice is once."""
    case = take(room, actor, case_id, Action.MOVE)
    if is_second_click(actor, case, name, version):
        return done(case, repeated=True)
    transition = find_transition(name)
    if transition.own_service:
        raise RefusedError(f"'{transition.label}' has a form of its own: use that.")
    take_step(room, actor, case, transition, reason)
    return done(case)


def is_second_click(actor: Actor, case: Case, name: Move, version: int | None) -> bool:
    """Whether the actor has taken this step since the page at ``version`` was shown, and it stands.
    Raises ConflictError where somebody else has changed the case since."""
    if version is None or version == case.version:
        return False
    mine = AuditEvent.objects.filter(
        case=case, actor=actor.label, what=name, version__gt=version
    ).exists()
    if not mine or case.last_move != name:
        raise ConflictError
    return True


def take_step(
    room: Room, actor: Actor, case: Case, transition: Transition, reason: str = "",
    private_to: UUID | None = None,
) -> None:  # fmt: skip
    """Within a service: guards, effects, state, trail. The case is locked already."""
    facts = gather_facts(case, room.now, asker=actor.person_id)
    against = why_not(transition, State(case.state), actor.who, facts)
    if against:
        raise RefusedError(*against)
    if transition.reason:
        reason = must_say(reason, "a reason")
    before = case.state
    if effect := EFFECTS.get(transition.move):
        effect(room, actor, case)
    case.state, case.state_since = transition.goal, room.now
    case.last_move = transition.move
    case.ended_at = room.now if transition.goal in ENDED else None
    count(case.office_id, room.now, f"to {transition.goal}")
    record(
        room, actor, case, transition.move, from_state=before, reason=reason,
        private_to=private_to,
    )  # fmt: skip


@service
def withdraw(room: Room, actor: Actor, case_id: UUID, person_id: UUID | None = None) -> Done:
    """The person ends it, without a reason, from every state before departure.

    An applicant withdraws themselves: where other adults stay in the plan, they leave it alone
    and the system tells none of them. A counsellor names the ``person_id`` who asked for it, or
    nobody for the whole plan. Twice is once.
    """
    case = take(room, actor, case_id, Action.WITHDRAW)
    leaving = actor.person_id if actor.who is Who.APPLICANT else person_id
    if case.state == State.WITHDRAWN:
        return done(case, repeated=True)
    if State(case.state) not in WITHDRAWABLE:
        raise RefusedError(
            "They have left already: withdrawing is for the time before. A counsellor can take "
            "a mistaken departure back."
        )
    if leaving is not None:
        person = person_of(case, leaving)
        if person.left_plan_at is not None:
            return done(case, repeated=True)
        others = [p for p in people_in_plan(case) if not p.is_child and p.pk != person.pk]
        if others:
            return done(case, person, remarks=_leave_plan(room, actor, case, person))
    take_step(room, actor, case, find_transition(Move.WITHDRAW))
    remarks = (HAND_BACK,) if _papers_to_hand_back(case).exists() else ()
    return done(case, remarks=remarks)


def _leave_plan(room: Room, actor: Actor, case: Case, person: Person) -> tuple[str, ...]:
    """One adult leaves; the others' plan, state and page stay as they were."""
    person.left_plan_at = room.now
    person.save()
    index_person(room, case, person)
    _end_consents(room, case, person)
    _release(room, Hold.objects.filter(case=case, person=person, released_at=None))
    handed = ask_papers_back(room, actor, case, person)
    add_task(room, actor, case, TALK_IN_PRIVATE)
    record(room, actor, case, LEFT, private_to=person.pk)
    count(case.office_id, room.now, "left a family's plan")
    return (HAND_BACK,) if handed else ()


@service
def rejoin_plan(room: Room, actor: Actor, case_id: UUID, person_id: UUID) -> Done:
    """An adult who left the plan comes back into it. Every consent is asked again.

    By themselves while anybody may come in: afterwards the others' journey is planned, and another
    adult's consents would be missing to it. A counsellor may until the others have departed.
    """
    case = take(room, actor, case_id, Action.WITHDRAW)
    person = person_of(case, person_id)
    if actor.who is Who.APPLICANT and actor.person_id != person.pk:
        raise NotAllowedError("each adult decides for themselves")
    if person.left_plan_at is None:
        return done(case, person, repeated=True)
    alone = actor.who is Who.APPLICANT
    if State(case.state) in AFTER_DEPARTURE or (alone and not takes_people(case)):
        raise RefusedError(GONE)
    person.left_plan_at = None
    person.save()
    index_person(room, case, person)
    record(room, actor, case, CAME_BACK, private_to=person.pk)
    return done(case, person)


@service
def tell_outcome(room: Room, actor: Actor, case_id: UUID, outcome: Outcome) -> Done:
    """How it ended: asked once, before closing."""
    case = take(room, actor, case_id, Action.WORK)
    if outcome in (Outcome.WITHDRAWN, Outcome.STOPPED):
        raise RefusedError("Withdrawing and stopping say so themselves: choose how it ended.")
    case.outcome = outcome
    record(room, actor, case, "tell_outcome", columns="outcome")
    return done(case)


def release_all(room: Room, actor: Actor, case: Case) -> None:
    """Every seat, bed, escort and held sum is let go; the planned journey ends."""
    _release(room, Hold.objects.filter(case=case, released_at=None))
    _release(room, MoneyLine.objects.filter(case=case, kind=MoneyKind.HELD, released_at=None))
    for journey in Journey.objects.filter(case=case, ended_at=None):
        journey.ended_at = room.now
        journey.save()


def _release(room: Room, rows: Iterable[Hold | MoneyLine]) -> None:
    for row in rows:
        row.released_at = room.now
        row.save()


def _end_consents(room: Room, case: Case, person: Person | None = None) -> None:
    given = Consent.objects.filter(case=case, withdrawn_at=None)
    for consent in given if person is None else given.filter(person=person):
        consent.withdrawn_at = room.now
        consent.save()


def end_journey_consents(room: Room, case: Case, person: Person | None = None) -> None:
    """Embassy, carrier and reception hear nothing more of whom no journey waits for; ``person``:
    of them alone."""
    given = Consent.objects.filter(case=case, purpose__in=OF_THE_JOURNEY, withdrawn_at=None)
    for consent in given if person is None else given.filter(person=person):
        consent.withdrawn_at = room.now
        consent.save()


def _papers_to_hand_back(case: Case, person: Person | None = None) -> QuerySet[Document]:
    papers = Document.objects.filter(case=case, holder=Holder.OFFICE, handed_back_at=None)
    return papers if person is None else papers.filter(person=person)


def ask_papers_back(room: Room, actor: Actor, case: Case, person: Person | None = None) -> bool:
    """What the office holds is to be handed back now: a task, due today, until it is done."""
    found = False
    for paper in _papers_to_hand_back(case, person):
        if paper.hand_back_asked_at is None:
            paper.hand_back_asked_at = room.now
            paper.save()
        found = True
    if found:
        add_task(room, actor, case, HAND_BACK)
    return found


def _on_withdraw(room: Room, actor: Actor, case: Case) -> None:
    release_all(room, actor, case)
    _end_consents(room, case)
    for transfer in Transfer.objects.filter(case=case, state=TransferState.ASKED):
        transfer.state, transfer.answered_at = TransferState.REVOKED, room.now
        transfer.save()
    ask_papers_back(room, actor, case)
    case.outcome = Outcome.WITHDRAWN


def _on_consent_withdrawn(room: Room, actor: Actor, case: Case) -> None:
    """Without a consent the office has no ground to keep what was handed in."""
    release_all(room, actor, case)
    end_journey_consents(room, case)
    ask_papers_back(room, actor, case)


def _on_stop(room: Room, actor: Actor, case: Case) -> None:
    release_all(room, actor, case)
    end_journey_consents(room, case)
    ask_papers_back(room, actor, case)
    case.outcome = Outcome.STOPPED


def _forget_outcome(room: Room, actor: Actor, case: Case) -> None:
    case.outcome = ""


def _on_book(room: Room, actor: Actor, case: Case) -> None:
    for journey in Journey.objects.filter(case=case, ended_at=None):
        journey.booked_at = room.now
        journey.save()


def _on_arrival(room: Room, actor: Actor, case: Case) -> None:
    arrived = Arrival.objects.filter(case=case, taken_back_at=None).order_by("-made_at")[0]
    for month in FOLLOW_UP_MONTHS:
        FollowUp.objects.get_or_create(
            case=case, month=month,
            defaults={"made_at": room.now, "key_id": case.key_id, "made_by": actor.label,
                      "due_on": _months_after(arrived.arrived_at.date(), month)},
        )  # fmt: skip


def _off_arrival(room: Room, actor: Actor, case: Case) -> None:
    for arrival in Arrival.objects.filter(case=case, taken_back_at=None):
        arrival.taken_back_at = room.now
        arrival.save()
    FollowUp.objects.filter(case=case, done_at=None).delete()


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, min(day.day, 28))


EFFECTS: dict[Move, Callable[[Room, Actor, Case], None]] = {
    Move.WITHDRAW: _on_withdraw,
    Move.COME_BACK: _forget_outcome,
    Move.STOP: _on_stop,
    Move.APPEAL_UPHELD: _forget_outcome,
    Move.STOP_AGAIN: _on_stop,
    Move.BOOK: _on_book,
    Move.CONFIRM_ARRIVAL: _on_arrival,
    Move.UNDO_ARRIVAL: _off_arrival,
    Move.CONSENT_WITHDRAWN: _on_consent_withdrawn,
    Move.RECONSIDER: release_all,
}
