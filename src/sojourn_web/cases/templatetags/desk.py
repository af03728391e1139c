"""Words of the desk's pages."""

from __future__ import annotations

from babel import Locale
from django import template

register = template.Library()
NAMES = Locale("en").languages


@register.filter
def tongue(code: str) -> str:
    """``fr`` as French; a code that nobody knows stays a code."""
    return str(NAMES.get(code, code))


@register.filter
def check_name(code: str) -> str:
    """A point of the checklist as people say it."""
    return code.replace("re_entry", "re-entry").replace("_", " ")
