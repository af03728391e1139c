"""A person who is signed in to their own case: no account, no session of staff. And the
invitation by which another adult of the family says yes or no alone."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.models.base import PersonRow
from sojourn_web.cases.models.case import AccessCode


class Visit(PersonRow):
    """``digest``: of the cookie's secret. ``code``: the one that opened it; when that is revoked,
    the visit is over. ``seen_at``: the last page, to the minute."""

    code = models.ForeignKey(AccessCode, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Invitation(PersonRow):
    """Made by ``person`` for another adult. ``digest``: as of a code. ``joined``: who said yes;
    a no leaves nothing but ``used_at``. Whoever made it is told neither."""

    digest = models.CharField(max_length=64)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    joined = models.UUIDField(null=True)
