"""The auditor's log, a page at a time: who, what, when, whether there was a reason.

In: filters. Out: lines without what they were about. Reasons stay sealed for everybody but the
person of the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from sojourn_web.cases.errors import NotAllowedError
from sojourn_web.cases.services.looking import LogLine
from sojourn_web.cases.visibility import Actor, visible_log
from sojourn_web.cases.vocabulary import Who

PAGE = 50


@dataclass(frozen=True)
class ReferencedLine:
    reference: str
    line: LogLine


@dataclass(frozen=True)
class LogPage:
    lines: tuple[ReferencedLine, ...]
    number: int
    more: bool


def read_page(
    actor: Actor, number: int, *, looks: bool = False, reference: str = "", who: str = ""
) -> LogPage:
    """``looks``: what was opened, else what was changed. Newest first, ``PAGE`` at a time."""
    if actor.who is not Who.AUDITOR:
        raise NotAllowedError("expected the auditor")
    changes, seen = visible_log(actor)
    rows: QuerySet[Any] = seen if looks else changes
    if reference:
        rows = rows.filter(case__reference=reference)
    if who:
        rows = rows.filter(actor__startswith=f"{who}:")
    number = max(1, number)
    start = (number - 1) * PAGE
    found = list(rows.select_related("case")[start : start + PAGE + 1])
    lines = tuple(
        ReferencedLine(e.case.reference, LogLine(
            e.made_at, e.actor, f"opened {e.what}" if looks else e.what.replace("_", " "),
            "given" if e.reason else "",
        ))
        for e in found[:PAGE]
    )  # fmt: skip
    return LogPage(lines, number, len(found) > PAGE)
