"""What the start of the case shows: where it stands, what is next, what was decided by whom.

In: an open case and its person. Out: frozen dataclasses with phrases for the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sojourn_web.cases.applicant.gate import Asked
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.applicant.questions import QUESTIONS, Question
from sojourn_web.cases.applicant.telling import Told, tell_line
from sojourn_web.cases.services import looking
from sojourn_web.cases.services.answers import Version, read_answers
from sojourn_web.cases.services.facts import current_journey
from sojourn_web.cases.services.particulars import open_particular
from sojourn_web.cases.services.travel import papers_waiting
from sojourn_web.cases.states import Move, State, find_transition
from sojourn_web.cases.visibility import left_at, people_for

# What each state is called here, and what comes next.
STANDS: dict[State, tuple[str, str]] = {
    State.ENQUIRY: (
        words("You are asking"),
        words("Answer what you like. Then press “Apply”, if you want to go on."),
    ),
    State.APPLICATION: (
        words("You have applied"),
        words("A counsellor will speak with you. You need not do anything."),
    ),
    State.COUNSELLING: (
        words("Counselling"),
        words("Your counsellor explains your rights, and what returning means for you."),
    ),
    State.SAFEGUARDS: (
        words("Safety"),
        words("We ask whether the journey and the return are safe for you."),
    ),
    State.CONSENT: (
        words("Your decision"),
        words("Read what you would agree to. Say yes only if you want to."),
    ),
    State.DOCUMENTS: (
        words("Documents and journey"),
        words("We prepare papers and the journey. You will be asked again."),
    ),
    State.TRAVEL: (
        words("The journey is booked"),
        words("You will be asked once more on the last day. You can still stop."),
    ),
    State.DEPARTED: (
        words("You have left"),
        words("The partner who meets you will tell us that you arrived."),
    ),
    State.ARRIVED: (words("You have arrived"), words("We speak with you about the time after.")),
    State.FOLLOW_UP: (
        words("The time after"),
        words("We ask how you are after 1, 3, 6 and 12 months. You need not answer."),
    ),
    State.CLOSED: (
        words("It has ended"),
        words("You can still read, export and erase what is held."),
    ),
    State.WITHDRAWN: (
        words("You have withdrawn"),
        words("Nothing goes on. You may come back at any time."),
    ),
    State.STOPPED: (
        words("Stopped: return is not safe"),
        words("You can ask that somebody else looks at this again."),
    ),
}
MOVES = {
    Move.APPLY: words("Apply"),
    Move.COME_BACK: words("Come back"),
    Move.RECONSIDER: words("Talk it over again first"),
}
DECISIONS = {find_transition(m).move.value.replace("_", " "): find_transition(m).label
             for m in Move}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A question in the list. ``open``: two answers wait for a choice."""

    question: Question
    answered: bool
    open: bool


@dataclass(frozen=True)
class Home:
    """``hand_back``: the office holds a paper of theirs that was asked back. ``send_receipt``: the
    planned hour has been, and nothing shows yet whether they left."""

    stands: str
    next: str
    lines: tuple[Line, ...]
    answered: int
    decisions: tuple[Told, ...]
    moves: tuple[tuple[str, str], ...]
    leaves_at: datetime | None
    left_plan: bool
    may_appeal: bool
    hand_back: bool
    send_receipt: bool


def make_home(asked: Asked) -> Home:
    state = State(asked.case.state)
    lines = make_lines(asked)
    left = asked.person.left_plan_at is not None
    # Who has left the plan neither sees nor moves what goes on in it.
    stands, following = ("", "") if left else STANDS[state]
    journey = None if left else current_journey(asked.case)
    return Home(
        stands=stands, next=following, lines=lines, answered=sum(x.answered for x in lines),
        decisions=make_decisions(asked),
        moves=tuple((m.value, label) for m, label in MOVES.items()
                    if state in find_transition(m).sources and not left),
        leaves_at=journey.leaves_at if journey else None,
        left_plan=left,
        may_appeal=state is State.STOPPED and not left,
        hand_back=is_to_be_handed_back(asked),
        send_receipt=state is State.TRAVEL and journey is not None
        and journey.leaves_at <= asked.room.now,
    )  # fmt: skip


def is_to_be_handed_back(asked: Asked) -> bool:
    """Their own papers and the children's; for who has left the plan their own alone: a child's
    would tell what the others have decided."""
    mine = set(people_for(asked.actor, asked.case).values_list("pk", flat=True))
    if left_at(asked.actor) is not None:
        mine = {asked.person.pk}
    return any(p.person_id in mine for p in papers_waiting(asked.case))


def make_lines(asked: Asked) -> tuple[Line, ...]:
    found: dict[str, list[Version]] = {}
    for section in dict.fromkeys(q.section for q in QUESTIONS if not q.particular):
        for version in read_answers(asked.room, asked.actor, asked.case, asked.person.pk, section):
            found.setdefault(f"{section}/{version.question}", []).append(version)
    lines = []
    for question in QUESTIONS:
        if question.particular:
            answered = bool(open_particular(asked.room, asked.person, question.name))
            lines.append(Line(question, answered, False))
        else:
            versions = found.get(question.place, [])
            lines.append(Line(question, any(v.value for v in versions), len(versions) > 1))
    return tuple(lines)


def make_decisions(asked: Asked) -> tuple[Told, ...]:
    """Every move of the case, newest first, and who made it."""
    return tuple(
        tell_line(asked, replace(x, what=DECISIONS[x.what]))
        for x in looking.read_log(asked.room, asked.actor)
        if x.what in DECISIONS
    )
