"""The page of estimates and the dashboard's strip: parse, authorise, ask, render."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sojourn_web.accounts.roles import SEE_FIGURES, needs
from sojourn_web.figures import (
    estimate_pages,
    estimate_revisions,
    estimate_triangles,
    pages,
    statistics,
    wording,
)
from sojourn_web.figures import estimate_words as words

MONTHS_SHOWN = 24
DAYS_BEHIND = 7
SOURCES_NAMED = 3
SPANS = {"month": "Month", "year": "Year"}
BREAKDOWNS = {k: v for k, v in wording.BREAKDOWNS.items() if k != "total"}


@require_safe
@needs(SEE_FIGURES)
def estimates(request: HttpRequest) -> HttpResponse:
    url, now = settings.STATISTICS_URL, datetime.now(UTC)
    known_at = statistics.newest_estimates(url)
    if not known_at:
        return render(request, "figures/estimates.html", {"now": now})
    rows = statistics.read_estimates(url, known_at, "total")
    headlines = estimate_pages.build_headlines(rows, known_at)
    revisions = statistics.read_revisions(url, "overstay_rate")
    by_mode = statistics.read_estimates(url, known_at, "mode", "year")
    crossed_year, crossed = estimate_pages.build_crossed(by_mode, known_at)
    context = {
        "now": now,
        "headlines": headlines,
        "histories": [
            estimate_revisions.build_history(revisions, span, period)
            for span, period in _revised(headlines, revisions)
        ],
        "triangles": [
            estimate_triangles.build_triangle(of, name, MONTHS_SHOWN)
            for name, of in (
                ("overstay_rate", revisions),
                ("recorded_rate", statistics.read_revisions(url, "recorded_rate")),
            )
        ],
        "month_size": _month_size(headlines, revisions, known_at),
        "past": estimate_revisions.say_past(revisions),
        "months": estimate_pages.build_months(rows, known_at, MONTHS_SHOWN),
        "crossed": crossed,
        "crossed_year": crossed_year,
        "nowcast": estimate_pages.build_now(rows, known_at),
        "columns": estimate_pages.COLUMN_NAMES,
        **_groups_context(request, url, rows, known_at),
        **_freshness(url, known_at, now),
    }
    return render(request, "figures/estimates.html", context)


@require_safe
@needs(SEE_FIGURES)
def strip(request: HttpRequest) -> HttpResponse:
    """The dashboard's strip alone: htmx asks for it when new estimates were told."""
    return render(request, "figures/_estimates_strip.html", strip_context(settings.STATISTICS_URL))


def strip_context(url: str) -> dict[str, object]:
    known_at = statistics.newest_estimates(url)
    rows = statistics.read_estimates(url, known_at, "total") if known_at else []
    return {
        "headlines_estimated": estimate_pages.build_headlines(rows, known_at),
        "estimated_at": known_at and words.say_day(date.fromisoformat(known_at)),
    }


def _groups_context(
    request: HttpRequest, url: str, rows: list[statistics.Estimated], known_at: str
) -> dict[str, object]:
    """One period's groups, as the form asks."""
    asked = request.GET
    by = asked.get("by", "")
    by = by if by in BREAKDOWNS else "mode"
    periods = {
        (r.span, r.period) for r in rows
        if r.span in SPANS and r.quantity == "expected_departures" and r.period <= known_at
    }  # fmt: skip
    choices = [
        (f"{span}:{period}", words.say_period(span, period))
        for span, period in sorted(periods, key=lambda p: (p[0] == "month", p[1]), reverse=True)
    ]
    usual = estimate_pages.pick_period((p for s, p in periods if s == "year"), "year", known_at)
    when = asked.get("when", "")
    when = when if when in dict(choices) else f"year:{usual}"
    span, _, period = when.partition(":")
    found = statistics.read_estimates(url, known_at, by, span, period) if period else []
    return {
        "by": by, "breakdowns": BREAKDOWNS, "when": when, "choices": choices,
        "groups": estimate_pages.build_groups(found, by),
        "groups_name": f"{words.say_period(span, period)}, by {BREAKDOWNS[by].lower()}"
        if period else "", "group_head": BREAKDOWNS[by],
    }  # fmt: skip


def _freshness(url: str, known_at: str, now: datetime) -> dict[str, object]:
    sources = pages.build_sources(statistics.read_sources(url), [], now)
    behind = [row for row in sources if _is_behind(row, known_at)]
    made = statistics.estimated_at(url)
    return {
        "known_at": words.say_day(date.fromisoformat(known_at)),
        "known_day": known_at,
        "days_old": (now.date() - date.fromisoformat(known_at)).days,
        "made": made and wording.say_ago(made, now),
        "silent": [row for row in sources if row.quiet],
        "behind": behind,
        "behind_named": behind[:SOURCES_NAMED],
        "behind_more": len(behind[SOURCES_NAMED:]),
        "heard": len(sources),
    }


def _revised(
    headlines: list[estimate_pages.Headline], revisions: list[statistics.Estimated]
) -> list[tuple[str, str]]:
    """The periods of the headlines, and the month before: it has been estimated more often."""
    out = [(h.span, h.period) for h in headlines]
    months = {r.period for r in revisions if r.span == "month"}
    for span, period in list(out):
        before = max((m for m in months if m < period), default="")
        if span == "month" and before:
            out.append((span, before))
    return out


def _month_size(
    headlines: list[estimate_pages.Headline], revisions: list[statistics.Estimated], known_at: str
) -> str:
    """Of the headline's month, once it is over and has a rate."""
    for told in headlines:
        if told.span == "month" and told.rate and not told.running:
            return estimate_triangles.say_size(revisions, told.period, known_at)
    return ""


def _is_behind(row: pages.SourceRow, known_at: str) -> bool:
    """Whether a source sends, but nothing of the days before the estimate."""
    last = row.source.last_event_time
    since = date.fromisoformat(known_at) - timedelta(days=DAYS_BEHIND)
    return not row.quiet and last is not None and last.date() < since
