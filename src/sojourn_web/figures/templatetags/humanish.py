"""Numbers and periods as people write them."""

from __future__ import annotations

from datetime import date

from django import template

from sojourn_web.figures import public_words

register = template.Library()


@register.filter
def thousands(value: int) -> str:
    return f"{value:,}"


@register.filter
def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


@register.filter
def plain(code: str) -> str:
    return code.replace("_", " ")


@register.filter
def released_table(name: str) -> str:
    return public_words.table_of(name)


@register.filter
def method_name(method: str) -> str:
    return public_words.method_of(method)[0]


@register.filter
def release_state(note: str) -> str:
    """How far a release came: its note in the log."""
    return {
        "begun": "being made, or cut off", "drawn": "drawn, figures not yet written",
        "lost": "lost: spent, never seen",
    }.get(note, "made")  # fmt: skip


@register.filter
def span_name(span: str) -> str:
    return public_words.span_of(span)


@register.filter
def period(first_day: str, span: str) -> str:
    """2026-11-01 as November 2026, 2026, or 1 November 2026."""
    day = date.fromisoformat(first_day)
    if span == "year":
        return str(day.year)
    return f"{day:%B %Y}" if span == "month" else f"{day.day} {day:%B %Y}"
