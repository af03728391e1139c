"""Languages by their English names, for the staff's pages."""

from __future__ import annotations

from babel import Locale

NAMES = Locale("en").languages


def tongue(code: str) -> str:
    """``fr`` as French; a code that nobody knows stays a code."""
    return str(NAMES.get(code, code))
