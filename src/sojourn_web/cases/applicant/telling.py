"""What is held and what happened, told in words: names of tables, who it was.

In: rows of ``looking``. Out: phrases for the page. What has no phrase is told as it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sojourn_web.cases import vocabulary
from sojourn_web.cases.applicant.agreeing import STAGES, TITLES
from sojourn_web.cases.applicant.gate import Asked
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.applicant.questions import known_question
from sojourn_web.cases.services import looking
from sojourn_web.cases.services.looking import HeldValue, LogLine
from sojourn_web.cases.states import TRANSITIONS
from sojourn_web.cases.visibility import VISITOR

YOUR_CASE = words("Your case")
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
    "check kind": words("Kind"),
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
OPENED = words("Opened")
OPENED_ELSEWHERE = words("Opened from another office")
# What a line of the trail is about: the first beginning that fits counts. A line without one is
# told as it is written, in English.
ABOUT: tuple[tuple[tuple[str, ...], str], ...] = (
    (("break glass", looking.ELSEWHERE), OPENED_ELSEWHERE),
    (("consent to", "withdrew consent"), TABLES["consent"]),
    (("screened", "screening", "asked for a screening"), TABLES["screening"]),
    (("talked about",), TABLES["checklist item"]),
    (("safeguards of a child", "a child"), TABLES["child safeguard"]),
    (("document", "a document", "asked for a document"), TABLES["document"]),
    (("planned a journey",), TABLES["journey"]),
    (("holds something", "let a hold"), TABLES["hold"]),
    (("money", "let held money"), TABLES["money line"]),
    (("wrote a note", "note"), TABLES["note"]),
    (("attached a file", "a file", "the list of files", "the page of files"), TABLES["attachment"]),
    (("complained", "answered a complaint"), TABLES["complaint"]),
    (("answered", "chose an answer"), TABLES["answer"]),
    (("rated",), TABLES["rating"]),
    (("started the clock", "stopped the clock"), TABLES["clock stop"]),
    (("asked for a transfer", "transfer"), TABLES["transfer"]),
    (("appeal",), words("Ask that somebody else looks again")),
    (("issue code",), words("Code")),
    (("change person", "add person"), TABLES["person"]),
    (("invited", "joined the plan"), words("My family")),
    (("reintegration plan",), TABLES["reintegration plan"]),
    (("follow", "survey"), TABLES["follow up"]),
    (("erasure",), words("Have everything erased")),
    (("asks for an interpreter",), words("Ask for an interpreter")),
    (("asks to be called",), words("Ask to be called")),
    (("leave plan",), words("You have left the family's plan. We tell nobody.")),
    (("rejoin plan",), words("Come back into the plan")),
    (("open case",), words("Ask for help")),
)
MOVES = {t.move.value.replace("_", " "): t.label for t in TRANSITIONS}
# Words of the tables, which are written with strokes between them.
CODES = frozenset(
    str(word) for kind in vars(vocabulary).values()
    if isinstance(kind, type) and issubclass(kind, StrEnum) for word in kind
)  # fmt: skip
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
    """``who``: a phrase where ``phrased``, else a name. ``what``: as the trail has it, in English;
    ``about``: phrases that say it in the page's language, as far as there are any."""

    at: datetime
    who: str
    phrased: bool
    what: str
    reason: str
    about: tuple[str, ...] = ()


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
        plain = value.replace("_", " ") if value in CODES else value
        return (YES_NO[value], True) if value in YES_NO else (plain, False)
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
    about = what_about(line.what)
    if line.who in (asked.actor.label, VISITOR.label):
        return Told(line.at, YOU, True, line.what, line.reason, about)
    if line.who.startswith("applicant:"):
        return Told(line.at, ANOTHER, True, line.what, line.reason, about)
    return Told(line.at, line.who, False, line.what, line.reason, about)


def what_about(line: str) -> tuple[str, ...]:
    """Phrases for a line of the trail; what was opened and has none is the case's page."""
    if line in MOVES:
        return (MOVES[line],)
    rest = line.removeprefix("opened ")
    opened = rest != line and line != looking.ELSEWHERE
    found = next((p for starts, p in ABOUT if (rest if opened else line).startswith(starts)), "")
    if opened:
        return (OPENED, found or YOUR_CASE)
    return (found,) if found else ()
