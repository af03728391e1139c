"""A birth date as staff write it: in one of three calendars, whole, in part, or not at all.

In: five parts of a form, or the text that is stored. Out: the text that the services take, such as
``1991-05-17``, ``1991``, ``~1991`` or nothing. Raises forms.ValidationError with what to write
instead. The international calendar is the one that stands chosen, whatever the person's language:
a passport's year that was read as an Ethiopian one would be a wrong date that nobody notices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from sojourn_web.cases.applicant.calendars import NAMES, Calendar, both_ways, write_date
from sojourn_web.cases.dates import parse_stored
from sojourn_web.cases.errors import RefusedError

PARTS = ("calendar", "day", "month", "year", "about")
OTHERS = tuple(c for c in Calendar if c is not Calendar.GREGORIAN)


@dataclass(frozen=True)
class TypedDate:
    """The parts as they were typed. As text: the date as far as it can be read, or nothing."""

    calendar: str = Calendar.GREGORIAN.value
    year: str = ""
    month: str = ""
    day: str = ""
    about: bool = False

    def write(self) -> str:
        """What the services take. Raises RefusedError."""
        known = self.calendar in Calendar._value2member_map_
        calendar = Calendar(self.calendar) if known else Calendar.GREGORIAN
        return write_date(calendar, self.year, self.month, self.day, about=self.about)

    def __str__(self) -> str:
        try:
            return self.write()
        except RefusedError:
            return ""

    @property
    def elsewhere(self) -> tuple[tuple[str, str], ...]:
        """The same date in the other calendars, each with the calendar's name; ours first."""
        text = str(self)
        if not text:
            return ()
        ours = ((NAMES[Calendar.GREGORIAN], text),)
        return ours + tuple((NAMES[c], both_ways(text, c)[1]) for c in OTHERS)


def from_stored(text: str) -> TypedDate:
    """In our own calendar, so that saving it again loses nothing."""
    known = parse_stored(text)
    parts = str(known).removeprefix("~").split("-") if known.year else []
    year, month, day = [*parts, "", "", ""][:3]
    return TypedDate(year=year, month=month, day=day, about=known.about)


class BirthDateWidget(forms.Widget):
    """Drawn by ``_fields.html``: five inputs, named ``<name>_year`` and so on."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> TypedDate:
        calendar, day, month, year, about = (
            str(data.get(f"{name}_{part}", "")).strip()[:20] for part in PARTS
        )
        return TypedDate(calendar or Calendar.GREGORIAN.value, year, month, day, bool(about))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(f"{name}_{part}" in data for part in PARTS)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}_day"


class BirthDateField(forms.Field):
    """Cleans to the text that the services take; dates that stand for 'unknown' they refuse."""

    widget = BirthDateWidget
    calendars = tuple((c.value, name) for c, name in NAMES.items())

    def clean(self, value: Any) -> str:
        try:
            return as_typed(value).write()
        except RefusedError as refusal:
            raise forms.ValidationError(list(refusal.reasons)) from None


def as_typed(value: Any) -> TypedDate:
    """A form's value: typed just now, or stored."""
    return value if isinstance(value, TypedDate) else from_stored(str(value or ""))


def typed_in(data: Any, name: str = "birth_date") -> str:
    """What can be read of a form that is still being filled; nothing where it is no date yet."""
    return str(BirthDateWidget().value_from_datadict(data, {}, name))
