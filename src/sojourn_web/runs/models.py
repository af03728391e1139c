"""Feed tokens and what was handed over under which key."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FeedToken(models.Model):
    """Lets one source hand files over, and nothing else. The token itself is not kept."""

    source = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"a token of {self.source}"


class HandOver(models.Model):
    """An idempotency key and the digest of what came under it."""

    token = models.ForeignKey(FeedToken, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("token", "key"), name="one_key_once")]

    def __str__(self) -> str:
        return "a hand-over"


class State(models.TextChoices):
    """Where a release that was asked for stands; ``release_requests`` says what may follow."""

    ASKED = "asked"
    APPROVED = "approved"
    MAKING = "making"
    MADE = "made"
    REFUSED = "refused"  # by the gate, with its reason; the budget is as it was
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


OPEN = (State.ASKED.value, State.APPROVED.value, State.MAKING.value)


class ReleaseRequest(models.Model):
    """A release that one person asks for and another approves. Never deleted: it is the log."""

    through = models.DateField()  # the last recorded day that will be in it
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)
    release_id = models.CharField(max_length=60, blank=True)
    told = models.TextField(blank=True)  # why it was refused or failed

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(approved_by=models.F("asked_by")), name="two_people_release"
            ),
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(state__in=OPEN), name="one_open_request"
            ),
        ]

    def __str__(self) -> str:
        return f"a release through {self.through}"


class ReleaseStep(models.Model):
    """One move of a request: rows are only added."""

    request = models.ForeignKey(ReleaseRequest, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=10, choices=State.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.state)
