"""Screenings, children who travel alone, and the referral that stops a case."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, word
from sojourn_web.cases.vocabulary import AppealState, ScreeningKind, ScreeningResult


class Screening(PersonRow):
    """Asked for, then answered by whoever may. ``answers`` open by ``open_sensitive`` alone.

    ``valid_until`` is the last day on which it holds. The newest of a kind counts.
    """

    kind = word(ScreeningKind)
    result = word(ScreeningResult, ScreeningResult.ASKED)
    done_at = models.DateTimeField(null=True)
    valid_until = models.DateField(null=True)
    answers = SealedField()
    support = SealedField()  # what the journey needs: a seat, an escort, oxygen
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=("made_at",), name="screening_asked",
                condition=models.Q(result=ScreeningResult.ASKED.value, replaced_at=None),
            )
        ]  # fmt: skip


class ChildSafeguard(PersonRow):
    """All three before a child travels alone. What names somebody is sealed."""

    guardian = SealedField()
    guardian_at = models.DateTimeField(null=True)
    best_interests = SealedField()
    best_interests_at = models.DateTimeField(null=True)
    reception = SealedField()
    reception_at = models.DateTimeField(null=True)


class Referral(CaseRow):
    """Return is not safe: why, who helps instead, and the appeal."""

    reason = SealedField()
    referred_to = SealedField()
    stopped_by = models.CharField(max_length=40)
    appeal = word(AppealState, AppealState.NONE)
    appeal_text = SealedField()
    appealed_at = models.DateTimeField(null=True)
    decision = SealedField()
    decided_by = models.CharField(max_length=40, default="")
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
