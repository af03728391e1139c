"""What happened, who looked, what is gone, and the counts that stay.

``AuditEvent`` and ``AccessEvent`` are written with the change they tell of, in its transaction,
and are never changed. They stay after an erasure, without their sealed words.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from sojourn_web.cases.errors import CaseError
from sojourn_web.cases.fields import SealedField, SealedRow
from sojourn_web.cases.models.base import Row
from sojourn_web.cases.models.case import Case
from sojourn_web.cases.models.office import Office


class Event(Row, SealedRow):
    """``private_to``: the one person of the case who may read this; null for all of them.

    ``actor`` is a role and an account's number; ``name`` what the person reads.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    key_id = models.CharField(max_length=32)
    actor = models.CharField(max_length=40)
    name = models.CharField(max_length=120, default="")
    what = models.CharField(max_length=60)
    reason = SealedField()
    private_to = models.UUIDField(null=True)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise CaseError("the trail is written once: expected a new event, found an old one")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise CaseError("the trail is never deleted, row by row or at all")


class AuditEvent(Event):
    """A change. ``columns``: which were changed, never to what."""

    from_state = models.CharField(max_length=30, default="")
    to_state = models.CharField(max_length=30, default="")
    columns = models.CharField(max_length=200, default="")
    version = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=("case", "made_at"), name="audit_by_case")]


class AccessEvent(Event):
    """Somebody opened something: the case's page, a sensitive answer, a file."""

    class Meta:
        indexes = [models.Index(fields=("case", "made_at"), name="access_by_case")]


class Grant(Row, SealedRow):
    """Break-glass: one account sees one case for a few hours, with a reason the person can read."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="grants")
    key_id = models.CharField(max_length=32)
    user_id = models.BigIntegerField(db_index=True)
    reason = SealedField()
    ends_at = models.DateTimeField()


class ErasureRequest(Row):
    """Two people erase. ``first`` and ``second`` are actors and never the same account."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=40)
    rule = models.CharField(max_length=40)
    first = models.CharField(max_length=40, default="")
    second = models.CharField(max_length=40, default="")
    ended_at = models.DateTimeField(null=True)


class Tombstone(Row):
    """What remains of an erased case. ``key_id``: to destroy the key again after a restore."""

    reference = models.CharField(max_length=9, unique=True)
    key_id = models.CharField(max_length=32)
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=30, default="")
    opened_month = models.DateField()
    rule = models.CharField(max_length=40)
    first = models.CharField(max_length=40)
    second = models.CharField(max_length=40)


class RetentionRule(Row):
    """Days after its end that a case of this outcome is kept; then it is due, for two people."""

    outcome = models.CharField(max_length=30, unique=True)
    days = models.PositiveIntegerField()


class RuleChange(Row):
    """How long cases are kept was changed: by whom, from, to and why. Never written over."""

    outcome = models.CharField(max_length=30)
    days_before = models.PositiveIntegerField()
    days_after = models.PositiveIntegerField()
    actor = models.CharField(max_length=40)
    reason = models.CharField(max_length=200)


class MonthlyCount(models.Model):
    """Coarse counts that outlive cases: an office, a month, what happened. Nobody in them."""

    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    what = models.CharField(max_length=40)
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("office", "month", "what"), name="one_count_a_month")
        ]

    def __str__(self) -> str:
        return "a monthly count"


class OnceKey(Row):
    """An idempotency key: the same actor, service and key give the same row, and make it once."""

    actor = models.CharField(max_length=40)
    service = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    result = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("actor", "service", "key"), name="one_service_once")
        ]
