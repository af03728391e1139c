"""Other systems of the organisation: their tokens, and the answers that were given once."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.models.base import Row
from sojourn_web.cases.models.office import Office


class ApiToken(Row):
    """Bound to an office. ``digest``: SHA-256 of 256 random bits; the token is shown once.

    ``scopes``: words with blanks between them. ``name`` is what people of a case read.
    """

    office = models.ForeignKey(Office, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=200)
    made_by = models.CharField(max_length=40)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class ApiReply(Row):
    """What a create answered, for the same key again. ``body_digest`` is keyed: bodies hold names.

    ``answer``: JSON with references and ids, never with what was told.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("token", "key"), name="one_reply_a_key")]
