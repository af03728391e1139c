"""Offices and the people who work there. Accounts live in another database: by number alone."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.models.base import Row, code, word
from sojourn_web.cases.vocabulary import Who, Wording


class Office(Row):
    name = models.CharField(max_length=120, unique=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    language = code(12)
    # True: counsellors see their own caseload; False: every case of the office.
    caseload_only = models.BooleanField(default=False)


class StaffProfile(Row):
    """``user_id``: the account's number. ``name`` is what the person of a case reads."""

    user_id = models.BigIntegerField(unique=True)
    office = models.ForeignKey(Office, null=True, on_delete=models.PROTECT, related_name="staff")
    role = word(Who)
    name = models.CharField(max_length=120)
    left_at = models.DateTimeField(null=True)


class Declaration(Row):
    """An official wording: one version in one language, reviewed or a draft.

    A consent is given in a reviewed one, else through a named interpreter of a reviewed one.
    """

    purpose = models.CharField(max_length=30)
    language = code(12, blank=False)
    version = models.PositiveIntegerField()
    state = word(Wording, Wording.DRAFT)
    text = models.TextField()
    reviewed_by = models.CharField(max_length=120, default="")
    reviewed_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("purpose", "language", "version"), name="one_wording_once"
            )
        ]


class AccountEvent(Row):
    """What an administrator did with an account: for the auditor. Written once."""

    actor = models.CharField(max_length=40)
    user_id = models.BigIntegerField()
    what = models.CharField(max_length=120)
