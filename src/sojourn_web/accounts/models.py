"""What kind of installation this is, and which people exist for its demo alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Kind(models.TextChoices):
    DEMO = "demo"
    OFFICE = "office"


class Installation(models.Model):
    """One row: a database says itself whether it is a demo's, wherever it is copied to."""

    kind = models.CharField(max_length=10, choices=Kind.choices)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(models.Value(1), name="one_installation")]

    def __str__(self) -> str:
        return str(self.kind)


class DemoPerson(models.Model):
    """Marks an account whose password is printed by the demo."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return "a demo account"
