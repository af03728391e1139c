"""Languages: by name for the staff's pages, and which way each is written.

``settings.LANGUAGES`` and ``settings.LANGUAGES_BIDI`` are the one list of each; everything that
asks for a language starts from here.
"""

from __future__ import annotations

from babel import Locale
from django.conf import settings

NAMES = Locale("en").languages


def tongue(code: str) -> str:
    """``fr`` as French; a code that nobody knows stays a code."""
    return str(NAMES.get(code, code))


def codes() -> tuple[str, ...]:
    """The languages of people's pages, English first."""
    return tuple(code for code, _ in settings.LANGUAGES)


def choices() -> list[tuple[str, str]]:
    """For a list: the code, and 'French – français', so that both of them find it."""
    return [
        (code, str(name) if tongue(code) == name else f"{tongue(code)} – {name}")
        for code, name in settings.LANGUAGES
    ]


def direction_of(code: str) -> str:
    """``rtl`` or ``ltr``; ``fa-AF`` is written as ``fa`` is."""
    return "rtl" if code.split("-", maxsplit=1)[0] in settings.LANGUAGES_BIDI else "ltr"
