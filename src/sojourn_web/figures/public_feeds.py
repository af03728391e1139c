"""Releases as an Atom feed (RFC 4287), those to come as a calendar (iCalendar, RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from sojourn_web.figures import public_reading
from sojourn_web.figures import public_words as words
from sojourn_web.figures.models import Announcement
from sojourn_web.figures.public_caching import with_etag

ATOM = "http://www.w3.org/2005/Atom"
NEWEST = 50


@require_safe
@with_etag
def releases_atom(request: HttpRequest) -> HttpResponse:
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    about = public_reading.publication()
    page = request.build_absolute_uri(reverse("public-calendar"))
    feed = ElementTree.Element("feed", xmlns=ATOM)
    _add(feed, "id", page)
    _add(feed, "title", f"{about.publisher}: releases of figures")
    newest = shelf.newest.released_at if shelf.newest else datetime(1970, 1, 1, tzinfo=UTC)
    _add(feed, "updated", newest.isoformat())
    ElementTree.SubElement(feed, "link", rel="self", href=request.build_absolute_uri())
    ElementTree.SubElement(feed, "link", rel="alternate", href=page)
    _add(feed, "rights", about.licence)
    _add(ElementTree.SubElement(feed, "author"), "name", about.publisher)
    for release in shelf.releases[:NEWEST]:
        entry = ElementTree.SubElement(feed, "entry")
        _add(entry, "id", f"{page}#{release.release_id}")
        _add(entry, "title", f"Figures through {words.say_day(release.vintage)}")
        _add(entry, "updated", release.released_at.isoformat())
        ElementTree.SubElement(entry, "link", rel="alternate", href=f"{page}#{release.release_id}")
        _add(entry, "summary", f"Release {release.release_id}, policy {release.policy_digest}.")
    body = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return HttpResponse(body, content_type="application/atom+xml; charset=utf-8")


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


@require_safe
@with_etag
def calendar_ics(request: HttpRequest) -> HttpResponse:
    host = request.get_host().split(":")[0]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sojourn//Release calendar//EN",
             "CALSCALE:GREGORIAN", "X-WR-CALNAME:Releases of figures"]  # fmt: skip
    for coming in Announcement.objects.order_by("day"):
        stamp = coming.announced_at.astimezone(UTC)
        lines += [
            "BEGIN:VEVENT",
            f"UID:release-{coming.pk}@{host}",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{coming.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{coming.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{escape('Figures through ' + words.say_day(coming.through))}",
            *([f"DESCRIPTION:{escape(coming.note)}"] if coming.note else []),
            f"URL:{request.build_absolute_uri(reverse('public-calendar'))}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    body = "\r\n".join(part for line in lines for part in fold(line)) + "\r\n"
    return HttpResponse(body.encode(), content_type="text/calendar; charset=utf-8")


def escape(text: str) -> str:
    """RFC 5545, 3.3.11."""
    out = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return out.replace("\r\n", "\\n").replace("\n", "\\n")


def fold(line: str) -> list[str]:
    """Lines of 75 bytes at most, the further ones begun by a space; no letter is cut in two."""
    out, now = [], ""
    for letter in line:
        if len((now + letter).encode()) > 75:
            out.append(now)
            now = " "
        now += letter
    return [*out, now]
