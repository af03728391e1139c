"""The schedule and the rules of keeping: reminders, what is due, and how long cases are kept.

In: a moment. Out: tasks for people, requests for erasure that two people answer, files scanned,
keys destroyed again after a restore. Nothing is decided by time: the schedule reminds and lists.
Run it as often as you like: what it did once it does not do again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import connection

from sojourn_web.cases.errors import (
    CaseKeyError,
    ErasedError,
    KeyMissingError,
    KeysAwayError,
    NotAllowedError,
    RefusedError,
)
from sojourn_web.cases.models import (
    Case,
    Document,
    ErasureRequest,
    FollowUp,
    Hold,
    Journey,
    Office,
    RetentionRule,
    RuleChange,
    Task,
    Tombstone,
)
from sojourn_web.cases.scanning import Scanner, Verdict
from sojourn_web.cases.services.erasing import DEFAULT_DAYS, ask_erasure, due_for_erasure
from sojourn_web.cases.services.files import files_waiting, scan_again
from sojourn_web.cases.services.room import (
    Room,
    must_say,
    once,
    record,
    service,
    take,
    today_in,
)
from sojourn_web.cases.services.tasks import add_task
from sojourn_web.cases.states import BEFORE_DEPARTURE, State
from sojourn_web.cases.visibility import NOWHERE, Action, Actor, visible_to
from sojourn_web.cases.vocabulary import Outcome, Who

SOON = timedelta(days=7)
EXPIRES = timedelta(days=60)
TRAVELS = timedelta(days=2)
# A refused erasure is not asked for again by the schedule before this; the person may at any time.
ASK_AGAIN = timedelta(days=90)
SHORTEST, LONGEST = 7, 3650
FOLLOW_UP = "a follow-up is due"
EXPIRY = "a document expires"
TRAVEL_DAY = "they travel soon: ask on the day whether they want to"
HOLD_ENDS = "what was held is not held any more: look at it"


@dataclass(frozen=True)
class Ticked:
    """What one run did. ``waiting``: files that no scanner has looked at. ``keys_missing``: cases
    that nobody erased and whose key is not there, as after a restore from an older backup. Both
    numbers of keys are None where the key service did not answer."""

    reminders: int = 0
    asked: int = 0
    scanned: int = 0
    waiting: int = 0
    keys_destroyed: int | None = 0
    keys_missing: int | None = 0


@dataclass(frozen=True)
class Reminder:
    """One thing to do, once: ``key`` names the row and the day that it is about."""

    case_id: UUID
    key: str
    what: str
    due_on: date
    private_to: UUID | None = None


@dataclass(frozen=True)
class KeptFor:
    """One outcome's rule. ``chosen``: by somebody here; else it is the one that ships."""

    outcome: str
    days: int
    chosen: bool


@dataclass(frozen=True)
class WaitingErasure:
    """A request that waits for two people. ``mine``: the first yes is the reader's own."""

    case_id: UUID
    reference: str
    outcome: str
    state: str
    asked_at: datetime
    rule: str
    first: str
    mine: bool
    has_ended: bool


def clock_of(office: Office) -> Actor:
    return Actor(Who.CLOCK, office_id=office.pk, name="the schedule")


def tick(room: Room, scanner: Scanner) -> Ticked:
    """One run over every office. Each step is a transaction of its own."""
    reminders = asked = scanned = waiting = 0
    for office in Office.objects.order_by("name"):
        clock = clock_of(office)
        for reminder in find_reminders(room, clock, today_in(office, room.now)):
            reminders += remind(room, clock, reminder)
        asked += _ask_for_due(room, clock)
        looked_at = _scan_waiting(room, clock, scanner)
        scanned += looked_at.count(True)
        waiting += looked_at.count(False)
    _clear_sessions(room.now)
    done = Ticked(reminders, asked, scanned, waiting)
    try:
        return replace(done, keys_destroyed=destroy_keys_again(room), keys_missing=_missing(room))
    except KeysAwayError:  # nothing else of the run waits for the key service
        return replace(done, keys_destroyed=None, keys_missing=None)


def _scan_waiting(room: Room, clock: Actor, scanner: Scanner) -> list[bool]:
    """Of each file of an office that waited: whether a scanner has looked at it."""
    found: list[bool] = []
    for case in visible_to(clock, room.now).filter(pk__in=_with_waiting_files()):
        for file_id in files_waiting(case):
            try:
                verdict = scan_again(room, clock, case.pk, file_id, scanner)
            except (ErasedError, KeyMissingError):  # one case's trouble ends no run
                continue
            except CaseKeyError:  # nor does the key service's: the next run looks at them
                return found
            found.append(verdict is not Verdict.NOT_SCANNED)
    return found


def _missing(room: Room) -> int:
    """How many living cases have no key; the store is asked once for all of them."""
    clocks = [clock_of(office) for office in Office.objects.order_by("name")]
    held = (visible_to(c, room.now).values_list("key_id", flat=True).iterator() for c in clocks)
    return room.keys.missing(chain.from_iterable(held))


def _clear_sessions(now: datetime) -> None:
    """Those that are over: some hold a form that was not sent. A machine that serves no pages has
    no such table."""
    if Session._meta.db_table in connection.introspection.table_names():
        Session.objects.filter(expire_date__lt=now).delete()


def find_reminders(room: Room, actor: Actor, today: date) -> Iterator[Reminder]:
    """What an office has to be reminded of on ``today``, its own day."""
    visible = visible_to(actor, room.now)
    cases = visible.values("pk")
    open_cases = visible.filter(state__in=BEFORE_DEPARTURE).values("pk")
    for f in FollowUp.objects.filter(case__in=cases, done_at=None, due_on__lte=today + SOON):
        yield Reminder(f.case_id, f"follow-up:{f.pk}", FOLLOW_UP, f.due_on)
    papers = Document.objects.filter(
        case__in=open_cases, ended_at=None, expires_on__lte=today + EXPIRES
    )
    for d in papers:
        if d.expires_on:
            name = f"expiry:{d.pk}:{d.expires_on:%y%m%d}"
            yield Reminder(d.case_id, name, EXPIRY, d.expires_on, d.person_id)
    journeys = Journey.objects.filter(
        case__in=visible.filter(state=State.TRAVEL).values("pk"), ended_at=None,
        leaves_on__range=(today, today + TRAVELS),
    )  # fmt: skip
    for j in journeys:
        yield Reminder(j.case_id, f"travel:{j.pk}", TRAVEL_DAY, j.leaves_on)
    for h in Hold.objects.filter(case__in=open_cases, released_at=None, until__lte=room.now):
        yield Reminder(h.case_id, f"hold:{h.pk}", HOLD_ENDS, today)


@service
def remind(room: Room, actor: Actor, reminder: Reminder) -> bool:
    """A task for the case's counsellor; False where it was made before."""
    case = take(room, actor, reminder.case_id, Action.REMIND)
    _, repeated = once(
        room, actor, "remind", reminder.key, Task,
        partial(_make_task, room, actor, case, reminder),
    )  # fmt: skip
    return not repeated


def _make_task(room: Room, actor: Actor, case: Case, reminder: Reminder, row_id: UUID) -> Task:
    row = add_task(room, actor, case, reminder.what, reminder.due_on, row_id=row_id)
    record(room, actor, case, "reminded", columns="task", private_to=reminder.private_to)
    return row


def _ask_for_due(room: Room, clock: Actor) -> int:
    """Requests for what is due, withdrawn cases first; none where one waits or was refused."""
    asked = 0
    for due in due_for_erasure(room, clock):
        before = ErasureRequest.objects.filter(case_id=due.case_id)
        if before.filter(ended_at=None).exists():
            continue
        if before.filter(ended_at__gt=room.now - ASK_AGAIN).exists():
            continue
        ask_erasure(room, clock, due.case_id)
        asked += 1
    return asked


def _with_waiting_files() -> Iterable[UUID]:
    from sojourn_web.cases.models import Attachment

    return list(
        Attachment.objects.filter(scanned_at=None).values_list("case_id", flat=True).distinct()
    )


def destroy_keys_again(room: Room) -> int:
    """After a restored backup of the keys: what tombstones name is destroyed again. How many."""
    return room.keys.destroy_again(Tombstone.objects.values_list("key_id", flat=True).iterator())


def waiting_erasures(room: Room, actor: Actor) -> tuple[WaitingErasure, ...]:
    """Of the actor's own office: what people asked for first, then withdrawn cases, then others."""
    if actor.who not in (Who.COUNSELLOR, Who.SUPERVISOR):
        raise NotAllowedError("expected a counsellor or a supervisor")
    mine = visible_to(actor, room.now).filter(office_id=actor.office_id or NOWHERE)
    rows = ErasureRequest.objects.filter(case__in=mine, ended_at=None).select_related("case")
    found = [
        WaitingErasure(
            r.case_id, r.case.reference, r.case.outcome, r.case.state, r.made_at, r.rule, r.first,
            r.first == actor.label, r.case.ended_at is not None,
        )
        for r in rows
    ]  # fmt: skip
    found.sort(key=lambda w: (w.rule == "schedule", w.outcome != Outcome.WITHDRAWN, w.asked_at))
    return tuple(found)


def kept_for() -> tuple[KeptFor, ...]:
    rules = dict(RetentionRule.objects.values_list("outcome", "days"))
    return tuple(
        KeptFor(o.value, rules.get(o.value, DEFAULT_DAYS[o]), o.value in rules) for o in Outcome
    )


@service
def set_retention(
    room: Room, actor: Actor, outcome: Outcome, days: int, *, reason: str, before: int
) -> RetentionRule:
    """Days after its end that a case of ``outcome`` is kept, everywhere in this installation.

    ``before``: what the page showed; another number there means that somebody was quicker. Every
    change keeps who, when, from, to and why. Nothing is erased by it: more or fewer are due.
    """
    if actor.who is not Who.SUPERVISOR:
        raise NotAllowedError("a supervisor says how long cases are kept")
    why = must_say(reason, "why it is changed")
    if not SHORTEST <= days <= LONGEST:
        raise RefusedError(f"Expected {SHORTEST} to {LONGEST} days.")
    row = RetentionRule.objects.select_for_update().filter(outcome=outcome).first()
    held = row.days if row else DEFAULT_DAYS[outcome]
    if held != before:
        raise RefusedError(f"Somebody has changed it to {held} days: look at it again.")
    if row is None:
        row = RetentionRule(made_at=room.now, outcome=outcome)
    row.days = days
    row.save()
    RuleChange.objects.create(
        made_at=room.now, outcome=outcome, days_before=held, days_after=days, actor=actor.label,
        reason=why[:200],
    )  # fmt: skip
    return row
