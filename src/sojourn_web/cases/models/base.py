"""What all rows of a case share: an id that is known before it is saved, the case, its key's id.

``key_id`` stands on each row so that a sealed column opens without another query.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import uuid4

from django.db import models

from sojourn_web.cases.fields import SealedRow


def word(kind: type[StrEnum], default: StrEnum | None = None, *, db_index: bool = False) -> Any:
    """A column that holds one word of ``kind``. Choices are left out: words are checked by the
    services, and a new word then needs no migration."""
    longest = 30
    if default is None:
        return models.CharField(max_length=longest, db_index=db_index)
    return models.CharField(max_length=longest, default=default.value, db_index=db_index)


def code(length: int, *, blank: bool = True) -> Any:
    """A short code in clear: a language, a country, a currency."""
    return models.CharField(max_length=length, default="", blank=blank)


class Row(models.Model):
    """``made_at`` is UTC and given by the caller: the clock is an argument."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    made_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"


class CaseRow(Row, SealedRow):
    """A row that belongs to one case and goes with it."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="+")
    key_id = models.CharField(max_length=32)
    made_by = models.CharField(max_length=40, default="")  # an actor's name: counsellor:12

    class Meta:
        abstract = True


class PersonRow(CaseRow):
    """A row about one person of the case."""

    person = models.ForeignKey("cases.Person", on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True
