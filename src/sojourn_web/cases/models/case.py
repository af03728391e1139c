"""The case itself: state, dates, office and language in clear; everything personal elsewhere."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, Row, code, word
from sojourn_web.cases.models.office import Office
from sojourn_web.cases.states import State
from sojourn_web.cases.vocabulary import IndexKind, PersonKind


class Case(Row):
    """``version`` rises with every change; a page sends back the one that it showed.

    ``counsellor_id`` is an account's number. ``last_move`` is the transition that led here.
    """

    reference = models.CharField(max_length=9, unique=True)
    state = word(State, State.ENQUIRY)
    last_move = models.CharField(max_length=30, default="")
    state_since = models.DateTimeField()
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    counsellor_id = models.BigIntegerField(null=True)
    language = code(12)
    key_id = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=30, default="")
    ended_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    code_failures = models.PositiveIntegerField(default=0)
    code_locked_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=("office", "state", "-made_at"), name="case_by_office"),
            models.Index(fields=("counsellor_id", "state"), name="case_by_counsellor"),
            # The list of cases and the count of its pages, with and without a state.
            models.Index(
                fields=("office", "-state_since", "id"), condition=models.Q(erased_at=None),
                name="case_list",
            ),
            models.Index(
                fields=("office", "state", "-state_since", "id"), name="case_list_of_state",
                condition=models.Q(erased_at=None),
            ),
            models.Index(fields=("state", "ended_at"), name="case_by_end"),
        ]  # fmt: skip


class Person(CaseRow):
    """Somebody in the case. ``is_child`` None: the age is not known.

    ``left_plan_at``: an adult who has left the family's plan. It is told to nobody by the system:
    see ``visibility.people_for``.
    """

    kind = word(PersonKind, PersonKind.APPLICANT)
    position = models.PositiveSmallIntegerField(default=0)
    names = SealedField()  # as the person writes them, any script
    names_latin = SealedField()  # as the document shows them
    birth_date = SealedField()  # PartialDate as text: 1987, 1987-03, ~1987, or nothing
    nationality = SealedField()
    contact = SealedField()  # how to reach them safely
    gender = SealedField()  # in their own words; decides nothing
    is_child = models.BooleanField(null=True)
    unaccompanied = models.BooleanField(default=False)
    named = models.BooleanField(default=False)
    language = code(12)
    left_plan_at = models.DateTimeField(null=True)


class AccessCode(PersonRow):
    """The code by which a person comes back. Kept as a keyed digest, shown once."""

    digest = models.CharField(max_length=64)
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)


class BlindIndex(PersonRow):
    """Keyed digests for hints and search; see ``indexes``. Deleted when the case is erased."""

    office = models.ForeignKey(Office, on_delete=models.CASCADE, related_name="+")
    kind = word(IndexKind)
    digest = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=("office", "kind", "digest"), name="blind_index")]


class Answer(PersonRow):
    """One answer to one question, one row for each version; none is written over.

    ``is_current``: what counts. ``conflicts_with``: the version that was current when this one
    came in and that its writer had not seen: both are shown until somebody chooses.
    """

    section = models.CharField(max_length=40)
    question = models.CharField(max_length=60)
    version = models.PositiveIntegerField()
    value = SealedField()
    is_current = models.BooleanField(default=True)
    conflicts_with = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("person", "section", "question", "version"), name="one_answer_version"
            )
        ]
        indexes = [
            models.Index(
                fields=("made_at",), name="answered_twice",
                condition=models.Q(settled_at=None, conflicts_with__isnull=False),
            )
        ]  # fmt: skip
