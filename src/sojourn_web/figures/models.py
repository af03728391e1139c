"""The release calendar: days on which figures will be published, announced before."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Announcement(models.Model):
    """A release to come; stewards announce it, everybody can see it."""

    day = models.DateField(unique=True)
    through = models.DateField()  # the last recorded day that will be in it
    note = models.CharField(max_length=200, blank=True)
    announced_at = models.DateTimeField(auto_now_add=True)
    announced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"a release on {self.day}"
