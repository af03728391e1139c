"""Words of the desk's pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sojourn_web.cases.tongues import tongue
from sojourn_web.cases.unsent import stamp_of

register = template.Library()


register.filter(tongue)


@register.filter
def check_name(code: str) -> str:
    """A point of the checklist as people say it."""
    return code.replace("re_entry", "re-entry").replace("_", " ")


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
