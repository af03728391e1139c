"""The languages of the person's pages, and the words that stand in code rather than in templates.

In: a language's code. Out: ``Language``. ``words`` marks a phrase for the catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language, gettext

from sojourn_web.cases.tongues import direction_of

OFFICIAL = "en"


@dataclass(frozen=True)
class Language:
    """``reviewed``: whether people who answer for it have read the translation."""

    code: str
    name: str
    right_to_left: bool

    @property
    def reviewed(self) -> bool:
        return self.code == OFFICIAL

    @property
    def direction(self) -> str:
        return "rtl" if self.right_to_left else "ltr"


def words(phrase: str) -> str:
    """A phrase that is translated where it is shown."""
    return phrase


def all_languages() -> tuple[Language, ...]:
    return tuple(
        Language(code, str(name), direction_of(code) == "rtl") for code, name in settings.LANGUAGES
    )


def find_language(code: str) -> Language | None:
    return next((x for x in all_languages() if x.code == code), None)


def current_language() -> Language:
    """The one in which the page is being made."""
    return find_language(get_language() or OFFICIAL) or all_languages()[0]


def prefer(accepted: str) -> Language:
    """The first of a browser's ``Accept-Language`` that there is; English otherwise.

    Kurdish says where it is written: ``kmr`` is Kurmanji, ``prs`` is Dari, read in Persian.
    """
    same = {"kmr": "ku", "prs": "fa", "sdh": "ckb"}
    for part in accepted.lower().split(","):
        code = part.split(";")[0].strip().split("-")[0]
        if found := find_language(same.get(code, code)):
            return found
    return all_languages()[0]


def translate(phrase: str) -> tuple[str, bool]:
    """The phrase in the page's language, and whether the catalogue has it."""
    found = gettext(phrase) if phrase else phrase
    return found, found != phrase or current_language().reviewed
