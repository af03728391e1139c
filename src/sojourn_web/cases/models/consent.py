"""Consents and what must be told before them."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, code, word
from sojourn_web.cases.models.office import Declaration
from sojourn_web.cases.vocabulary import Check, CheckAnswer, Purpose


class Consent(PersonRow):
    """A record after ISO/IEC TS 27560: who, for what, in which wording, how, from when, until when.

    ``stage`` is set for the consent to return alone. ``journey``: the itinerary that was shown;
    a new itinerary needs a new consent. ``interpreter`` is sealed, for it names somebody.
    ``guardian``: who consents for a child that travels alone.
    """

    purpose = word(Purpose)
    stage = models.CharField(max_length=20, default="")
    declaration = models.ForeignKey(Declaration, on_delete=models.PROTECT, related_name="+")
    language = code(12, blank=False)  # the language it was understood in
    interpreted = models.BooleanField(default=False)
    interpreter = SealedField()
    guardian = SealedField()
    journey = models.ForeignKey(
        "cases.Journey", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=("case", "purpose", "stage"), name="consent_by_case")]


class ChecklistItem(CaseRow):
    """One point of the legal information, and what came of it. The newest of a kind counts."""

    check_kind = word(Check)
    answer = word(CheckAnswer)
    language = code(12)
    notes = SealedField()
    replaced_at = models.DateTimeField(null=True)
