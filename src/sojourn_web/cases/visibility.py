"""Who may see which case, and who may do what with it. The one place that decides.

In: an ``Actor``. Out: ``visible_to``, a query of cases; ``may``, yes or no. Lists, single pages,
searches, files and services all start from these. Nobody has a way around: the administrator
sees no case, the auditor sees the log without what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import rules
from django.db.models import Exists, OuterRef, Q, QuerySet

from sojourn_web.cases.errors import NotAllowedError
from sojourn_web.cases.models import (
    AccessEvent,
    Attachment,
    AuditEvent,
    Case,
    Grant,
    Office,
    Person,
    Screening,
    StaffProfile,
    Transfer,
)
from sojourn_web.cases.vocabulary import PersonKind, ScreeningResult, TransferState, Who

untyped_rules: Any = rules


@dataclass(frozen=True)
class Actor:
    """Somebody who asks. Staff: ``user_id`` and ``office_id``; an applicant: case and person.

    Another system: ``token_id`` and the office to which its token is bound.
    """

    who: Who
    user_id: int | None = None
    office_id: UUID | None = None
    name: str = ""
    case_id: UUID | None = None
    person_id: UUID | None = None
    token_id: UUID | None = None
    caseload_only: bool | None = None  # None: not known, the office is asked
    holds_grants: bool | None = None  # False: never broke glass; None: not known
    time_zone: str | None = None  # of the office; None: not known

    @property
    def label(self) -> str:
        """As events hold it: a role and a number."""
        if self.who is Who.APPLICANT:
            return f"applicant:{self.person_id.hex[:16] if self.person_id else 'new'}"
        if self.who is Who.SYSTEM:
            return f"system:{self.token_id.hex[:16] if self.token_id else 'none'}"
        return f"{self.who.value}:{self.user_id}"


NOWHERE = UUID(int=0)  # no office has it
VISITOR = Actor(Who.APPLICANT)


class Action(StrEnum):
    SEE = "see"
    MOVE = "move"
    WITHDRAW = "withdraw"
    CONSENT = "consent"
    CHECK = "check"
    SCREEN = "screen"
    CHILDREN = "children"
    STOP = "stop"
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"
    PLAN = "plan"
    CONFIRM = "confirm"
    ANSWER = "answer"
    WORK = "work"
    SHARE = "share"
    CODE = "code"
    MONEY = "money"
    PAPERS = "papers"
    SENSITIVE = "sensitive"
    ASK_ERASURE = "ask_erasure"
    ERASE = "erase"
    COMPLAIN = "complain"
    FILES = "files"
    LETTER = "letter"
    REMIND = "remind"
    READ_STATE = "read_state"


COUNSELLING = frozenset({Who.COUNSELLOR, Who.SUPERVISOR})
COUNTING = frozenset({Who.SUPERVISOR, Who.AUDITOR, Who.SYSTEM})
BOTH_SIDES = COUNSELLING | {Who.APPLICANT}
ALLOWED: dict[Action, frozenset[Who]] = {
    Action.SEE: BOTH_SIDES,
    Action.MOVE: BOTH_SIDES,
    Action.WITHDRAW: BOTH_SIDES,
    Action.CONSENT: BOTH_SIDES,
    Action.CHECK: COUNSELLING,
    Action.SCREEN: COUNSELLING | {Who.MEDICAL},
    Action.CHILDREN: COUNSELLING,
    Action.STOP: COUNSELLING | {Who.MEDICAL},
    Action.APPEAL: BOTH_SIDES,
    Action.DECIDE_APPEAL: frozenset({Who.SUPERVISOR}),
    # Another system of the organisation adds documents and bookings; it moves no case.
    Action.PLAN: COUNSELLING | {Who.SYSTEM},
    Action.CONFIRM: COUNSELLING,
    Action.ANSWER: BOTH_SIDES,
    Action.WORK: COUNSELLING,
    Action.SHARE: COUNSELLING,
    # A code lets its holder in as the person themselves: never by break-glass.
    Action.CODE: COUNSELLING,
    Action.MONEY: COUNSELLING,
    # Who has a passport, and that it was handed back, is said by the office that keeps it.
    Action.PAPERS: COUNSELLING,
    Action.SENSITIVE: BOTH_SIDES | {Who.MEDICAL},
    Action.ASK_ERASURE: BOTH_SIDES | {Who.CLOCK},
    Action.ERASE: COUNSELLING,
    Action.COMPLAIN: BOTH_SIDES,
    Action.FILES: BOTH_SIDES,
    Action.LETTER: BOTH_SIDES,
    Action.REMIND: COUNSELLING | {Who.CLOCK},
    Action.READ_STATE: COUNSELLING | {Who.SYSTEM},
}
# What an account may do with a case that is open to it by break-glass alone.
WITH_GRANT = frozenset({Action.SEE, Action.WITHDRAW, Action.SENSITIVE, Action.WORK, Action.FILES})


def actor_of(user: Any) -> Actor:
    """The signed-in member of staff. Raises NotAllowedError for accounts without a place here.

    One query tells all that a page asks of its reader again and again.
    """
    found = StaffProfile.objects.filter(user_id=user.pk, left_at=None)
    granted: Any = Exists(Grant.objects.filter(user_id=OuterRef("user_id")))
    profile: Any = found.select_related("office").annotate(holds_grants=granted).first()
    if profile is None or not untyped_rules.is_group_member(profile.role).test(user):
        raise NotAllowedError(
            "this account has no place in voluntary return: an administrator gives it a role and "
            "an office"
        )
    office: Office | None = profile.office
    return Actor(
        Who(profile.role), user.pk, profile.office_id, profile.name,
        caseload_only=office.caseload_only if office else None,
        holds_grants=profile.holds_grants, time_zone=office.time_zone if office else "UTC",
    )  # fmt: skip


def visible_to(actor: Actor, now: datetime) -> QuerySet[Case]:
    """The cases that ``actor`` may see at ``now``; erased ones are nobody's."""
    return Case.objects.filter(seen_by(actor, now))


def seen_by(actor: Actor, now: datetime, path: str = "") -> Any:
    """``visible_to`` as a condition. ``path``: ``case__`` for rows that have a case."""

    def where(**wanted: object) -> Any:
        return Q(**{f"{path}{name}": value for name, value in wanted.items()})

    nothing = where(pk__in=())
    alive = where(erased_at=None)
    office = where(office_id=actor.office_id)
    if actor.who is Who.APPLICANT:
        return alive & where(pk=actor.case_id) if actor.case_id else nothing
    if actor.who in (Who.SYSTEM, Who.CLOCK):
        return alive & office
    if actor.who in COUNSELLING and actor.user_id is not None and actor.office_id is not None:
        if actor.who is not Who.SUPERVISOR and _has_own_alone(actor):
            # A case that went to another office is no longer one's own there.
            office &= where(counsellor_id=actor.user_id)
        # The few grants are read first: with a join, PostgreSQL reads every case of the office.
        if actor.holds_grants is not False:
            open_now = Grant.objects.filter(user_id=actor.user_id, ends_at__gt=now)
            if granted := list(open_now.values_list("case_id", flat=True)):
                office |= where(pk__in=granted)
        return alive & office
    if actor.who is Who.MEDICAL:
        return alive & office & where(pk__in=Screening.objects.values("case_id"))
    return nothing


def _has_own_alone(actor: Actor) -> bool:
    if actor.caseload_only is not None:
        return actor.caseload_only
    return Office.objects.filter(pk=actor.office_id or NOWHERE, caseload_only=True).exists()


def gone_from(actor: Actor) -> list[int]:
    """Accounts that counsel in the actor's office no more: who left, or went to another one."""
    here = Q(office_id=actor.office_id, left_at=None, role__in=[w.value for w in COUNSELLING])
    return list(StaffProfile.objects.exclude(here).values_list("user_id", flat=True))


def visible_screenings(actor: Actor, now: datetime) -> QuerySet[Screening]:
    """What waits for the medical service of the actor's office, oldest first."""
    cases = visible_to(actor, now)
    return Screening.objects.filter(
        case__in=cases, result=ScreeningResult.ASKED, replaced_at=None
    ).order_by("made_at")


def incoming_transfers(actor: Actor) -> QuerySet[Transfer]:
    """Asked of the actor's office; nothing of the case but its reference is shown yet."""
    found = Transfer.objects.filter(state=TransferState.ASKED).select_related("case")
    return found.filter(to_office_id=actor.office_id) if actor.who in COUNSELLING else found.none()


def people_for(actor: Actor, case: Case) -> QuerySet[Person]:
    """The people whose particulars ``actor`` may open.

    An applicant: themselves and the children; never another adult of the family, so that nobody
    learns from the system that somebody has left the plan. Who has left it themselves sees no
    child that was added afterwards.
    """
    people = Person.objects.filter(case=case).order_by("position", "made_at")
    if actor.who is Who.APPLICANT and actor.person_id is not None:
        gone = Person.objects.filter(pk=actor.person_id, left_plan_at__lt=OuterRef("made_at"))
        rule: Any = Q(kind=PersonKind.CHILD) & ~Q(Exists(gone))
        return people.filter(Q(pk=actor.person_id) | rule)
    return people if actor.who in COUNSELLING else people.none()


def files_for(actor: Actor, case: Case) -> QuerySet[Attachment]:
    """The files that ``actor`` may see, in a list or one by one; contents are not read yet.

    An applicant: their own and the children's; those of the whole case where there is no other
    adult, for a file may speak of them. Who has left the family's plan: of the children's those
    that were there when they left.
    """
    found = Attachment.objects.filter(case=case).defer("content").order_by("-made_at", "pk")
    if actor.who is Who.APPLICANT:
        mine = list(people_for(actor, case).values_list("pk", flat=True))
        rule: Any = Q(person_id__in=mine)
        if not Person.objects.filter(case=case).exclude(pk__in=mine).exists():
            rule |= Q(person_id=None)
        if left := left_at(actor):
            rule &= Q(person_id=actor.person_id) | Q(made_at__lte=left)
        return found.filter(rule)
    return found if actor.who in COUNSELLING else found.none()


def countable(actor: Actor) -> QuerySet[Case]:
    """For reports: cases to be counted, never to be shown. Small counts are hidden afterwards."""
    alive = Case.objects.filter(erased_at=None)
    return alive if actor.who in COUNTING else alive.none()


# As the trail calls it that an adult goes out of the family's plan, and comes back into it.
LEFT, CAME_BACK = "leave_plan", "rejoin_plan"
# Changes of the whole record: told also to an adult who has left the family's plan.
OF_THE_RECORD = (
    "break glass", "asked for a transfer", "transfer accepted", "transfer declined",
    "transfer revoked", "erasure asked for", "erasure: first yes", "erasure refused",
)  # fmt: skip


def visible_log(actor: Actor) -> tuple[QuerySet[AuditEvent], QuerySet[AccessEvent]]:
    """Changes and looks, newest first: all for the auditor, one's own case's for a person.

    Of what came while they were out of the family's plan, a person reads what they did themselves,
    what is about them, what befell the whole record, and which member of staff opened it; also
    once they have come back.
    """
    changes, looks = (
        AuditEvent.objects.order_by("-made_at"),
        AccessEvent.objects.order_by("-made_at"),
    )
    if actor.who is Who.AUDITOR:
        return changes, looks
    if actor.who is Who.APPLICANT and actor.case_id:
        mine = Q(case_id=actor.case_id) & (Q(private_to=None) | Q(private_to=actor.person_id))
        times, out = times_out(actor), Q(pk__in=())
        if not times:
            return changes.filter(mine), looks.filter(mine)
        for left, back in times:
            out |= Q(made_at__gt=left) & (Q(made_at__lt=back) if back else Q())
        own = ~out | Q(private_to=actor.person_id) | Q(actor=actor.label)
        by_machine = Q(actor__startswith=f"{Who.SYSTEM}:") | Q(actor__startswith=f"{Who.CLOCK}:")
        return (
            changes.filter(mine & (own | Q(what__in=OF_THE_RECORD))),
            looks.filter(mine & (own | ~by_machine)),
        )
    return changes.none(), looks.none()


def left_at(actor: Actor) -> datetime | None:
    """When the person who asks left the family's plan; None while they are in it, and for staff."""
    if actor.who is not Who.APPLICANT or actor.person_id is None:
        return None
    return Person.objects.filter(pk=actor.person_id).values_list("left_plan_at", flat=True).first()


def times_out(actor: Actor) -> tuple[tuple[datetime, datetime | None], ...]:
    """From when until when the person who asks was out of the family's plan, as the trail has it;
    the last one without an end while they are out. Empty for staff."""
    if actor.who is not Who.APPLICANT or actor.person_id is None or actor.case_id is None:
        return ()
    rows = AuditEvent.objects.filter(
        case_id=actor.case_id, private_to=actor.person_id, what__in=(LEFT, CAME_BACK)
    ).order_by("made_at", "version")  # fmt: skip
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    for what, at in rows.values_list("what", "made_at"):
        if what == LEFT:
            since = since or at
        elif since is not None:
            found.append((since, at))
            since = None
    left = left_at(actor)
    return (*found, (left, None)) if left else tuple(found)


def is_out(moment: datetime, times: tuple[tuple[datetime, datetime | None], ...]) -> bool:
    """Whether ``moment`` is in one of ``times`` (from ``times_out``)."""
    return any(left < moment and (back is None or moment < back) for left, back in times)


def is_at_home(actor: Actor, case: Case) -> bool:
    """The person's own case, or one of the actor's office; one's own alone where the office says
    that counsellors see those alone. What is seen by break-glass is not at home."""
    if actor.who is Who.APPLICANT:
        return actor.case_id == case.pk
    if actor.office_id is None or actor.office_id != case.office_id:
        return False
    if actor.who is not Who.COUNSELLOR or case.counsellor_id == actor.user_id:
        return True
    return not _has_own_alone(actor)


def _rule_of(action: Action) -> Any:
    def role_holds(actor: Actor, case: Case) -> bool:
        return actor.who in ALLOWED[action]

    role = untyped_rules.predicate(role_holds, name=f"cases.{action.value}")
    return role if action in WITH_GRANT else role & untyped_rules.predicate(is_at_home)


for _action in Action:
    untyped_rules.add_rule(f"cases.{_action.value}", _rule_of(_action))


def may(actor: Actor, action: Action, case: Case) -> bool:
    """Of a case that is visible: may this be done. Start from ``visible_to``, then ask this."""
    return bool(untyped_rules.test_rule(f"cases.{action.value}", actor, case))
