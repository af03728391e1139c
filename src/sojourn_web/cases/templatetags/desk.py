"""Words of the desk's pages."""

from __future__ import annotations

from django import template

from sojourn_web.cases.tongues import tongue

register = template.Library()


register.filter(tongue)


@register.filter
def check_name(code: str) -> str:
    """A point of the checklist as people say it."""
    return code.replace("re_entry", "re-entry").replace("_", " ")
