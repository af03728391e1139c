"""How the person's pages speak: translated phrases, pictures, recordings, moments.

``say`` shows a phrase in the page's language; what is put into it stands in ``<bdi>``, so that
codes, dates and names keep their own direction. A phrase without a translation is shown in
English and marked as English.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from sojourn_web.cases.applicant.languages import current_language, translate

register = template.Library()
STATIC = Path(__file__).parents[2] / "static" / "sojourn" / "applicant"
PLACE = re.compile(r"\{(\w+)\}")
NAME = re.compile(r"[a-z0-9_]{1,40}")


@register.simple_tag
def say(phrase: str, **values: object) -> SafeString:
    """For the page's body."""
    text, known = translate(phrase)
    inner = PLACE.sub(
        lambda m: f"<bdi>{escape(values.get(m[1], ''))}</bdi>", escape(text)
    )  # every part is escaped
    if known:
        return mark_safe(inner)
    return mark_safe(f'<span lang="en" dir="ltr">{inner}</span>')


@register.simple_tag
def say_both(phrase: str) -> SafeString:
    """On paper that somebody else reads too: in the page's language, the English below it."""
    text, known = translate(phrase)
    if not known or text == phrase:
        return format_html('<span lang="en" dir="ltr">{}</span>', phrase)
    return format_html(
        '<span>{}</span> <span class="also" lang="en" dir="ltr">{}</span>', text, phrase
    )


@register.simple_tag
def say_plain(phrase: str, **values: object) -> str:
    """For titles, options and attributes, where no element may stand."""
    text, _ = translate(phrase)
    return PLACE.sub(lambda m: str(values.get(m[1], "")), text)


@register.filter
def way(text: str) -> str:
    """``rtl`` where the first letter runs so; numbers alone are ``ltr``. For paper: what lays it
    out lets a telephone number run with the page."""
    for letter in text:
        if (kind := unicodedata.bidirectional(letter)) in ("R", "AL"):
            return "rtl"
        if kind == "L":
            break
    return "ltr"


@register.simple_tag
def picture(name: str) -> SafeString:
    """A drawing of our own, in the page; it says nothing that the text does not say."""
    return mark_safe(_drawing(name))


@lru_cache(maxsize=32)
def _drawing(name: str) -> str:
    path = STATIC / "pictures" / f"{name}.svg"
    return path.read_text("utf-8") if NAME.fullmatch(name) and path.exists() else ""


@register.simple_tag
def recording(name: str) -> str:
    """The address of a recording of this page in this language; empty where there is none."""
    place = f"{current_language().code}/{name}.mp3"
    found = NAME.fullmatch(name) and (STATIC / "audio" / place).exists()
    return static(f"sojourn/applicant/audio/{place}") if found else ""


@register.simple_tag
def moment(value: datetime | None, zone: str = "UTC") -> SafeString:
    """A moment in the office's time, apart from the text's direction."""
    if value is None:
        return mark_safe("")
    local = value.astimezone(ZoneInfo(zone))
    return format_html(
        '<bdi><time datetime="{}">{}</time></bdi>', local.isoformat(timespec="minutes"),
        f"{local:%Y-%m-%d %H:%M}",
    )  # fmt: skip
