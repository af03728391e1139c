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
