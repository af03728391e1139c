"""After the return: plan, help, follow-ups, survey."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, word
from sojourn_web.cases.vocabulary import SurveyPart


class ReintegrationPlan(PersonRow):
    """``declined``: the person wants none, which is an answer too."""

    declined = models.BooleanField(default=False)
    plan = SealedField()
    replaced_at = models.DateTimeField(null=True)


class FollowUp(CaseRow):
    """``month``: 1, 3, 6 or 12 after arrival. Not reached is written down, not left out."""

    month = models.PositiveSmallIntegerField()
    due_on = models.DateField(db_index=True)
    done_at = models.DateTimeField(null=True)
    reached = models.BooleanField(null=True)
    notes = SealedField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("case", "month"), name="one_follow_up_a_month")
        ]
        indexes = [
            models.Index(fields=("due_on",), condition=models.Q(done_at=None), name="to_follow_up")
        ]


class SurveyAnswer(PersonRow):
    """One question of the reintegration survey; ``points`` 1 to 5, null where not answered."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="+")
    part = word(SurveyPart)
    question = models.CharField(max_length=40)
    points = SealedField()
    answered = models.BooleanField(default=False)


class InKindHelp(PersonRow):
    """Help that is not money: tools, a room, school things. ``given_on`` null: promised."""

    what = models.CharField(max_length=60)  # the kind of help, in clear
    detail = SealedField()
    given_on = models.DateField(null=True)
