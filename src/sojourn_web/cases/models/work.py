"""The counsellors' day: tasks, notes, hand-over, transfer, files; and people's voice on it."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, Row, word
from sojourn_web.cases.models.office import Office
from sojourn_web.cases.vocabulary import TransferState


class Task(CaseRow):
    """``due_on`` is a day of the office. Nothing happens by itself when it passes."""

    what = models.CharField(max_length=120)  # the kind of work, in clear; never a person's words
    detail = SealedField()
    due_on = models.DateField(null=True, db_index=True)
    for_user_id = models.BigIntegerField(null=True, db_index=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=("for_user_id", "due_on"), condition=models.Q(done_at=None),
                name="task_to_do",
            )
        ]  # fmt: skip


class ClockStop(CaseRow):
    """A time in which others keep us waiting: it does not count in the time of a state."""

    reason = models.CharField(max_length=60)
    stopped_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=("stopped_at",), condition=models.Q(started_at=None), name="clock_stands"
            )
        ]


class Note(CaseRow):
    text = SealedField()
    sensitive = models.BooleanField(default=False)


class HandOver(Row):
    """The end of a shift: a counsellor's open cases go to another one of the office."""

    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    from_user_id = models.BigIntegerField()
    to_user_id = models.BigIntegerField()
    cases = models.PositiveIntegerField()


class HandOverNote(CaseRow):
    """What the next counsellor needs to know of one case; drawn from what was done, kept inside."""

    hand_over = models.ForeignKey(HandOver, on_delete=models.CASCADE, related_name="notes")
    text = SealedField()


class Transfer(CaseRow):
    """To another office, with the person's consent; nothing is seen there before it is accepted."""

    from_office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    to_office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    state = word(TransferState, TransferState.ASKED)
    reason = SealedField()
    answered_at = models.DateTimeField(null=True)


class Complaint(CaseRow):
    """Goes to the supervisor, past the counsellor. The words are sealed.

    ``counsellor_id``: the account that counselled the case when it was written; it does not answer
    it, whoever counsels afterwards.
    """

    person = models.ForeignKey(
        "cases.Person", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = SealedField()
    answer = SealedField()
    answered_at = models.DateTimeField(null=True)
    counsellor_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=("made_at",), condition=models.Q(answered_at=None), name="complaint_open"
            )
        ]


class Rating(PersonRow):
    """People's own view of the counselling, 1 to 5. Never of a counsellor by name."""

    listened = models.PositiveSmallIntegerField(null=True)
    understood = models.PositiveSmallIntegerField(null=True)
    free_to_say_no = models.PositiveSmallIntegerField(null=True)
    words = SealedField()


class Attachment(CaseRow):
    """A file, encrypted. ``media_type`` is what the bytes are, not what they claim to be."""

    person = models.ForeignKey(
        "cases.Person", null=True, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=40)
    name = SealedField()
    content = SealedField()
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    scanned_at = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
