"""Words of the desk's pages, in English whatever language a person reads."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sojourn_web.cases.applicant.calendars import NAMES, OF_LANGUAGE, Calendar, both_ways
from sojourn_web.cases.applicant.questions import known_question
from sojourn_web.cases.tongues import tongue
from sojourn_web.cases.unsent import stamp_of

register = template.Library()


register.filter(tongue)


@register.filter
def check_name(code: str) -> str:
    """A point of the checklist as people say it."""
    return code.replace("re_entry", "re-entry").replace("_", " ")


@register.filter
def about(stored: str) -> str:
    """``~1991`` as 'about 1991'."""
    return f"about {stored[1:]}" if stored.startswith("~") else stored


@register.simple_tag
def born(stored: str, language: str) -> SafeString:
    """A birth date both ways where the person's language has a calendar of its own."""
    calendar = OF_LANGUAGE.get(language, Calendar.GREGORIAN)
    ours, theirs = both_ways(stored, calendar)
    if not theirs:
        return format_html("<bdi>{}</bdi>", about(ours))
    return format_html(
        "<bdi>{}</bdi> = <bdi>{}</bdi> ({})", about(ours), about(theirs), NAMES[calendar]
    )


@register.simple_tag
def asked(section: str, name: str) -> str:
    """A question as the person met it; its short name where staff asked it themselves."""
    found = known_question(section, name)
    return found.asks if found else name.replace("_", " ").capitalize()


@register.simple_tag
def answered(section: str, name: str, value: str) -> str:
    """An answer in words: a choice is kept as its short name."""
    found = known_question(section, name)
    words = dict(found.choices).get(value, value) if found else value
    return words or "Left empty"


@register.simple_tag(takes_context=True)
def whose(context: Any) -> SafeString:
    """Hidden columns of a form that goes to another address: who opened it, and on which page.

    With them what was typed survives a session that ends (``cases.unsent``).
    """
    request = context["request"]
    return format_html(
        '<input type="hidden" name="stamp" value="{}"><input type="hidden" name="page" value="{}">',
        stamp_of(request), request.path,
    )  # fmt: skip
