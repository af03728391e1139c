"""What is held and what happened, told in words: names of tables, who it was.

In: rows of ``looking``. Out: phrases for the page. What has no phrase is told as it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sojourn_web.cases.applicant.agreeing import STAGES, TITLES
from sojourn_web.cases.applicant.gate import Asked
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.applicant.questions import known_question
from sojourn_web.cases.services.looking import HeldValue, LogLine
from sojourn_web.cases.visibility import VISITOR

YOU, ANOTHER = words("you"), words("Another person in your plan")
TABLES = {
    "person": words("You and your children"),
    "answer": words("Answer"),
    "consent": words("Consent"),
    "checklist item": words("Legal information"),
    "screening": words("Safety and health"),
    "child safeguard": words("Protection of a child"),
    "referral": words("Return is not safe"),
    "document": words("Document"),
    "journey": words("Journey"),
    "hold": words("Booked for you"),
    "money line": words("Money"),
    "departure proof": words("Departure"),
    "arrival": words("Arrival"),
    "reintegration plan": words("Plan for the time after"),
    "follow up": words("Question about how you are"),
    "survey answer": words("Question about how you are"),
    "note": words("Note of the office"),
    "attachment": words("File"),
    "complaint": words("Complaint"),
    "rating": words("Your view of the counselling"),
    "clock stop": words("Waiting for others"),
    "transfer": words("To another office"),
}
# What columns hold. One that has no phrase is told by its own name, in English.
COLUMNS = {
    "person": words("About whom"),
    "kind": words("Kind"),
    "names": words("Name"),
    "names latin": words("Name in Latin letters"),
    "birth date": words("Birth date"),
    "nationality": words("Nationality"),
    "contact": words("How to reach you"),
    "is child": words("Child"),
    "language": words("Language"),
    "question": words("Question"),
    "value": words("Answer"),
    "answer": words("Answer"),
    "purpose": words("For what"),
    "stage": words("When it was asked"),
    "given at": words("Given on"),
    "withdrawn at": words("Taken back on"),
    "interpreter": words("Name of the interpreter"),
    "result": words("Result"),
    "valid until": words("Valid until"),
    "expires on": words("Valid until"),
    "number": words("Number"),
    "country": words("Country"),
    "reason": words("Why"),
    "decision": words("Decision"),
    "text": words("Note"),
    "notes": words("Note"),
}
YES_NO = {"True": words("Yes"), "False": words("No")}


@dataclass(frozen=True)
class HeldRow:
    """``title``: a phrase, or the table's name. ``values``: the column's phrase or name, what
    stands in it, and whether that is a phrase of the pages."""

    title: str
    at: datetime
    values: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Told:
    """``who``: a phrase where ``phrased``, else a name."""

    at: datetime
    who: str
    phrased: bool
    what: str
    reason: str


def tell_held(rows: tuple[HeldValue, ...]) -> tuple[HeldRow, ...]:
    """The moment stands in the title already."""
    return tuple(
        HeldRow(TABLES.get(r.table, r.table), r.at,
                tuple((COLUMNS.get(n, n), *_phrase(r, n, v))
                      for n, v in r.values if n != "made at"))
        for r in rows
    )  # fmt: skip


def _phrase(row: HeldValue, name: str, value: str) -> tuple[str, bool]:
    """A question, a choice, a consent as they were asked; the rest as it is stored."""
    if row.table == "consent" and name in ("purpose", "stage"):
        known = {k.value: asked for k, asked in (*TITLES.items(), *STAGES.items())}
        return (known[value], True) if value in known else (value, False)
    if row.table != "answer" or name not in ("question", "value"):
        return (YES_NO[value], True) if value in YES_NO else (value, False)
    stored = dict(row.values)
    asked = known_question(stored.get("section", ""), stored.get("question", ""))
    if asked is None:
        return value, False
    if name == "question":
        return asked.asks, True
    words = dict(asked.choices).get(value)
    return (words, True) if words else (value, False)


def tell_line(asked: Asked, line: LogLine) -> Told:
    """Who opened the case by themselves was nobody yet: it was the person."""
    if line.who in (asked.actor.label, VISITOR.label):
        return Told(line.at, YOU, True, line.what, line.reason)
    if line.who.startswith("applicant:"):
        return Told(line.at, ANOTHER, True, line.what, line.reason)
    return Told(line.at, line.who, False, line.what, line.reason)
