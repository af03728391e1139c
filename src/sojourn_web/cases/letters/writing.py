"""One letter put together: paragraphs in the person's language, the counsellor's beside them.

In: what the letter tells (``Told``) and two languages. Out: ``Letter``: pairs of paragraphs, each a
run of pieces; what was put in (a name, a day, a code) is a piece of its own, so that a page can set
it apart from the direction of the words around it. Pure, but for the wordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.letters.wordings import FALLBACK, Phrases, find_phrases


class LetterKind(StrEnum):
    ITINERARY = "itinerary"
    APPOINTMENT = "appointment"
    ENDED = "ended"


@dataclass(frozen=True)
class Told:
    """What one letter tells one person. ``moment``: when they leave, or the appointment (UTC)."""

    kind: LetterKind
    reference: str
    name: str
    office: str
    time_zone: str
    written_at: datetime
    signed_by: str
    moment: datetime | None = None
    place: str = ""
    children: tuple[str, ...] = ()
    legs: tuple[Mapping[str, str], ...] = ()
    booking: str = ""


@dataclass(frozen=True)
class Piece:
    """``put_in``: a name, a day or a code; not a word of the sentence."""

    text: str
    put_in: bool = False


@dataclass(frozen=True)
class Side:
    """One language's half. ``note`` says whether its wording is reviewed."""

    language: str
    direction: str
    title: str
    reference: str
    day: str
    paragraphs: tuple[tuple[Piece, ...], ...]
    closing: str
    note: str
    is_reviewed: bool
    headings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Letter:
    """``wanted``: the person's language, where there is no wording in it yet."""

    told: Told
    sides: tuple[Side, ...]
    wanted: str = ""


BODIES: dict[LetterKind, tuple[str, ...]] = {
    LetterKind.ITINERARY: (
        "greeting", "itinerary_1", "leaves", "children", "bring", "can_stop", "itinerary_2"
    ),
    LetterKind.APPOINTMENT: (
        "greeting", "appointment_1", "appointment_place", "appointment_2", "can_stop"
    ),
    LetterKind.ENDED: ("greeting", "ended_1", "ended_2", "ended_3"),
}  # fmt: skip
LEG_COLUMNS = ("from", "to", "leaves", "arrives", "with", "number")
# What a leg's parts may be called where it was written down.
LEG_NAMES = {
    "from": ("from", "place_from", "origin"), "to": ("to", "place_to", "destination"),
    "leaves": ("leaves", "leaves_at", "departs"), "arrives": ("arrives", "arrives_at"),
    "with": ("carrier", "with"), "number": ("service", "number", "flight"),
}  # fmt: skip
HOLE = re.compile(r"\{(\w+)\}")


def write_letter(told: Told, language: str, beside: str) -> Letter:
    """``language``: the person's; ``beside``: the counsellor's. One half where they are one."""
    first, second = find_phrases(language), find_phrases(beside)
    fallback = find_phrases(FALLBACK)
    if fallback is None:
        raise RefusedError("There is no English wording of letters: restore the shipped files.")
    halves = [first or fallback, second or fallback]
    if halves[0].language == halves[1].language:
        halves = halves[:1]
    sides = tuple(_side(told, phrases) for phrases in halves)
    return Letter(told, sides, wanted="" if first else language)


def leg_values(leg: Mapping[str, str]) -> tuple[str, ...]:
    """In the order of ``LEG_COLUMNS``; empty where a part is not told."""
    return tuple(
        next((str(leg[name]) for name in LEG_NAMES[column] if leg.get(name)), "")
        for column in LEG_COLUMNS
    )


def _side(told: Told, phrases: Phrases) -> Side:
    names = [n for n in BODIES[told.kind] if _is_told(told, n)]
    title = f"title_{told.kind}"
    headings = {c: phrases.texts[f"leg_{c}"] for c in LEG_COLUMNS} if told.legs else {}
    headings["booking"] = phrases.texts["booking"]
    used = {title, "reference", "closing", *names, *(f"leg_{c}" for c in LEG_COLUMNS), "booking"}
    is_reviewed = used <= phrases.reviewed
    values = _values(told, phrases.language)
    return Side(
        language=phrases.language, direction=phrases.direction, title=phrases.texts[title],
        reference=phrases.texts["reference"],
        day=_day(told.written_at, told.time_zone, phrases.language),
        paragraphs=tuple(_pieces(phrases.texts[n], values) for n in names),
        closing=phrases.texts["closing"],
        note=phrases.texts["wording_reviewed" if is_reviewed else "wording_draft"],
        is_reviewed=is_reviewed, headings=headings,
    )  # fmt: skip


def _is_told(told: Told, name: str) -> bool:
    if name == "children":
        return bool(told.children)
    return bool(told.place) if name == "appointment_place" else True


def _values(told: Told, language: str) -> dict[str, str]:
    moment = told.moment
    return {
        "name": told.name, "place": told.place, "names": ", ".join(told.children),
        "day": _day(moment, told.time_zone, language) if moment else "",
        "time": _time(moment, told.time_zone, language) if moment else "",
    }  # fmt: skip


def _pieces(sentence: str, values: Mapping[str, str]) -> tuple[Piece, ...]:
    pieces, at = [], 0
    for hole in HOLE.finditer(sentence):
        pieces.append(Piece(sentence[at : hole.start()]))
        pieces.append(Piece(values.get(hole[1], ""), put_in=True))
        at = hole.end()
    pieces.append(Piece(sentence[at:]))
    return tuple(p for p in pieces if p.text)


def _day(moment: datetime, zone: str, language: str) -> str:
    local = moment.astimezone(ZoneInfo(zone)).date()
    return format_date(local, format="long", locale=_locale(language))


def _time(moment: datetime, zone: str, language: str) -> str:
    """24 hours, with the zone's distance from UTC, so that no clock is guessed."""
    local = moment.astimezone(ZoneInfo(zone))
    shift = local.strftime("%z")
    clock = format_time(local, "HH:mm", tzinfo=local.tzinfo, locale=_locale(language))
    return f"{clock} (UTC{shift[:3]}:{shift[3:]})"


def _locale(language: str) -> Locale:
    try:
        return Locale.parse("en_GB" if language == "en" else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK)
