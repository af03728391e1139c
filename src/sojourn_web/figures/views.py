"""The dashboard, cells, sources, how sure linking is: parse, authorise, ask, render."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from sojourn_web.accounts.roles import SEE_FIGURES, needs
from sojourn_web.figures import linking, pages, public_views, statistics, wording
from sojourn_web.figures.estimate_views import strip_context
from sojourn_web.figures.live import broadcaster

DAYS_SHOWN = 30
TOP_ROWS = 8


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What is published, for everybody; who may see the live figures finds them here."""
    return dashboard(request) if request.user.has_perm(SEE_FIGURES) else public_views.home(request)


@require_safe
@needs(SEE_FIGURES)
def dashboard(request: HttpRequest) -> HttpResponse:
    now = datetime.now(UTC)
    url = settings.STATISTICS_URL
    totals = statistics.read_totals(url, now.date() - timedelta(days=DAYS_SHOWN))
    days = pages.build_days(totals, now.date(), DAYS_SHOWN)
    rows = pages.build_sources(statistics.read_sources(url), statistics.read_quality(url), now)
    chart = {
        "days": [d.day.isoformat() for d in days],
        "departures": [d.departures for d in days],
        "expected": [d.expected for d in days],
    }
    context = {
        "now": now,
        "headlines": pages.build_headlines(totals, now.date()),
        "days": days[::-1],
        "chart": chart,
        "linked": pages.share_linked(totals),
        "sources": rows,
        "latest": max((r.source.last_batch_at for r in rows), default=None),
        **_cells_context(url),
        **strip_context(url),
    }
    return render(request, "figures/dashboard.html", context)


@require_safe
@needs(SEE_FIGURES)
def cells_fragment(request: HttpRequest) -> HttpResponse:
    """The dashboard's cells alone: htmx asks for them when a refresh was told."""
    return render(request, "figures/_cells.html", _cells_context(settings.STATISTICS_URL))


def _cells_context(url: str) -> dict[str, object]:
    """This month's cells (the newest past or present month's), by each dimension."""
    today = datetime.now(UTC).date().isoformat()
    period = next((p for p in statistics.read_periods(url, "month") if p <= today), None)
    tables = []
    known_at = None
    for breakdown in ("nationality", "mode", "admission_class"):
        cells = statistics.read_cells(url, "month", period, breakdown) if period else []
        known_at = cells[0].known_at if cells else known_at
        rows = pages.build_cells(cells, breakdown)
        tables.append((breakdown, wording.BREAKDOWNS[breakdown], rows[:TOP_ROWS], len(rows)))
    shown = [wording.OUTCOMES[o] for o in pages.SHOWN]
    return {"period": period, "tables": tables, "outcomes": shown, "known_at": known_at}


async def live_events(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Totals as they change, as server-sent events."""
    user = await request.auser()
    if not await sync_to_async(user.has_perm)(SEE_FIGURES):
        return HttpResponse(status=403 if user.is_authenticated else 401)
    # A watcher stays for hours: the connection that knew who it is goes back to its pool now.
    await sync_to_async(close_old_connections)()
    response = StreamingHttpResponse(broadcaster().watch(), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@require_GET
@needs(SEE_FIGURES)
def measures(request: HttpRequest) -> HttpResponse:
    url = settings.STATISTICS_URL
    span = _one_of(request.GET.get("span"), wording.SPANS, "month")
    breakdown = _one_of(request.GET.get("by"), wording.BREAKDOWNS, "nationality")
    periods = statistics.read_periods(url, span)
    today = datetime.now(UTC).date().isoformat()
    usual = next((p for p in periods if p <= today), periods[0] if periods else "")
    period = _one_of(request.GET.get("period"), dict.fromkeys(periods, ""), usual)
    cells = statistics.read_cells(url, span, period, breakdown) if period else []
    context = {
        "span": span, "spans": wording.SPANS, "breakdown": breakdown,
        "breakdowns": wording.BREAKDOWNS, "period": period, "periods": periods,
        "rows": pages.build_cells(cells, breakdown),
        "outcomes": [wording.OUTCOMES[o] for o in (*pages.SHOWN, *pages.OTHER)],
        "known_at": cells[0].known_at if cells else None,
    }  # fmt: skip
    return render(request, "figures/measures.html", context)


@require_safe
@needs(SEE_FIGURES)
def sources(request: HttpRequest) -> HttpResponse:
    now = datetime.now(UTC)
    url = settings.STATISTICS_URL
    quality = statistics.read_quality(url)
    rows = pages.build_sources(statistics.read_sources(url), quality, now)
    return render(request, "figures/sources.html", {"now": now, "rows": rows, "quality": quality})


@require_safe
@needs(SEE_FIGURES)
def how_sure(request: HttpRequest) -> HttpResponse:
    found = linking.build_linking(statistics.read_linkage(settings.STATISTICS_URL))
    return render(request, "figures/how_sure.html", {"linking": found})


def _one_of(asked: str | None, known: dict[str, str], usual: str) -> str:
    return asked if asked in known else usual
