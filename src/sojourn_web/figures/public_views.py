"""Public pages of what is published: no sign-in. Parse, ask, render."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import wraps

import polars as pl
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sojourn.release.formats import NOTE, final_from
from sojourn.release.noise import LEVEL
from sojourn.release.picking import Wanted
from sojourn.vocabulary import Span
from sojourn_web.figures import public_chart, public_pages, public_reading, release_plan
from sojourn_web.figures import public_words as words
from sojourn_web.figures.models import Announcement
from sojourn_web.figures.public_files import KINDS
from sojourn_web.figures.public_overstays import read_overstays
from sojourn_web.figures.public_reading import Key, NoSuchKeyError, Shelf

PAGE_ROWS = 60
CHART_DAYS = 60
SPLITS = ("period", "mode", "admission_class", "nationality")
CHARTED = ("departures", "departed")  # the first that is published by day
View = Callable[..., HttpResponse]


def shared(view: View) -> View:
    """Caches may keep the page for a minute, where nobody is signed in."""

    @wraps(view)
    def marked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        everybody = settings.SESSION_COOKIE_NAME not in request.COOKIES
        response["Cache-Control"] = "public, max-age=60" if everybody else "private, no-cache"
        return response

    return marked


@require_safe
@shared
def home(request: HttpRequest) -> HttpResponse:
    url = settings.STATISTICS_URL
    shelf = public_reading.read_shelf(url)
    context: dict[str, object] = {"shelf": shelf, "here": "home", **_next_release()}
    if shelf.newest is not None:
        context |= _newest_figures(url, shelf)
        context["tables"] = [
            (table, words.table_of(table), [(s, words.span_of(s)) for s in shelf.spans(table)])
            for table in shelf.tables
        ]
    return render(request, "public/home.html", context)


def _newest_figures(url: str, shelf: Shelf) -> dict[str, object]:
    """Headlines of the newest month that is over, and the newest days as a chart."""
    vintage = shelf.vintages[0]
    months = [m for m in public_reading.read_periods(url, shelf, "total", "month")
              if Span.MONTH.last_day(m) <= vintage]  # fmt: skip
    month = months[0] if months else None
    days = public_reading.read_periods(url, shelf, "total", "day")[:CHART_DAYS]
    over = Wanted(release_table="total", span="month", period=month)
    headlines = (
        public_pages.build_headlines(public_reading.read_figures(url, over, as_of=vintage))
        if month
        else []
    )
    points, charted = [], CHARTED[0]
    if days:
        wanted = Wanted(release_table="total", span="day")
        found = public_reading.read_figures(url, wanted, as_of=vintage)
        charted = next((q for q in CHARTED if (found["quantity"] == q).any()), charted)
        points = public_pages.build_points(
            found.filter((found["period"] >= days[-1]) & (found["quantity"] == charted))
        )
    return {
        "month": words.period_of("month", month) if month else "",
        "headlines": headlines,
        "drawings": public_chart.draw(points),
        "points": points[::-1],
        "charted": words.label_of(charted),
        "overstays": read_overstays(url, shelf, vintage),
    }


@require_safe
@shared
def tables(request: HttpRequest) -> HttpResponse:
    """One table, one kind of period: rows of cells, or of periods where there is one cell."""
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    context: dict[str, object] = {"shelf": shelf, "here": "tables"}
    if shelf.newest is not None:
        context |= _chosen_table(shelf, request.GET)
    return render(request, "public/tables.html", context)


def _chosen_table(shelf: Shelf, query: QueryDict) -> dict[str, object]:
    url = settings.STATISTICS_URL
    table = _one_of(query, "table", shelf.tables)
    span = _one_of(query, "span", shelf.spans(table), usual="month")
    vintage = date.fromisoformat(_one_of(query, "vintage", _iso(shelf.vintages)))
    periods = public_reading.read_periods(url, shelf, table, span)
    wanted = Wanted(release_table=table, span=span)
    split = _one_of(query, "by", SPLITS) if table == public_pages.ESTIMATES else ""
    dimensions = _split_by(split) or public_pages.dimensions_of(
        public_reading.read_figures(url, wanted, limit=1)
    )
    period = nationality = ""
    if dimensions:
        period = _one_of(query, "period", _iso(periods))
        wanted = replace(wanted, period=date.fromisoformat(period))
    if len(dimensions) > 1 and "nationality" in dimensions:
        nationality = _one_of(query, "nationality", shelf.nationalities)
        wanted = replace(wanted, nationality=nationality)
    figures = public_reading.read_figures(url, wanted, as_of=vintage)
    if split:  # estimates have cells of several kinds in one table
        figures = public_pages.cells_of(figures, dimensions)
    quantities = words.columns_of(set(figures["quantity"]))
    by = tuple(d for d in dimensions if d != "nationality" or not nationality) or ("period",)
    years = _years_in_words(url, figures, vintage) if span == Span.YEAR else {}
    rows = public_pages.build_rows(
        figures, quantities, by, vintage=vintage if "vintage" in query else None, periods=years
    )
    page, last = _page(query, len(rows))
    said = [words.table_of(table)]
    said += [words.place_of("nationality", nationality)] if nationality else []
    if period:
        first = date.fromisoformat(period)
        said.append(years.get(first) or words.period_of(span, first))
    return {
        "table": table, "span": span, "period": period, "vintage": vintage.isoformat(),
        "as_of": vintage, "nationality": nationality,
        "nationalities": sorted(((n, words.place_of("nationality", n))
                                 for n in shelf.nationalities), key=lambda n: n[1])
        if nationality else [],
        "split": split,
        "splits": [(s, {"period": "Period", **words.DIMENSIONS}[s]) for s in SPLITS if split],
        "choices": [(t, words.table_of(t)) for t in shelf.tables],
        "spans": [(s, words.span_of(s)) for s in shelf.spans(table)],
        "periods": [(p.isoformat(), words.period_of(span, p)) for p in periods] if period else [],
        "vintages": [(v.isoformat(), words.say_day(v)) for v in shelf.vintages],
        "quantities": [(words.label_of(q), words.definition_of(q)) for q in quantities],
        "heads": ", ".join({"period": "Period", **words.DIMENSIONS}[d] for d in by),
        "title": ", ".join(said), "page": page, "last": last, "query": _without_page(query),
        "rows": rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], "count": len(rows),
    }  # fmt: skip


def _years_in_words(url: str, figures: pl.DataFrame, vintage: date) -> dict[date, str]:
    """By first day, of which months each year is the sum: those of the total, for a cell may have
    joined within the year."""
    first = figures.unique("period", keep="first", maintain_order=True)
    return {
        row["period"]: public_reading.say_period(url, key, vintage, row["method"], total=True)
        for row in first.iter_rows(named=True)
        for key in (public_pages.key_of(row),)
    }


def _split_by(split: str) -> tuple[str, ...]:
    return () if split in ("", SPLITS[0]) else (split,)


def _iso(days: tuple[date, ...]) -> tuple[str, ...]:
    return tuple(d.isoformat() for d in days)


@require_safe
@shared
def figure(request: HttpRequest, **parts: str) -> HttpResponse:
    """One figure: what it is, what it is made of, how sure, how it was revised, who made it."""
    url = settings.STATISTICS_URL
    key, asked = _parse(parts, request.GET)
    shelf = public_reading.read_shelf(url)
    history = public_reading.read_history(url, key)
    shown = history if asked is None else history.filter(history["vintage"] == asked)
    if shown.is_empty():
        known = ", ".join(str(v) for v in history["vintage"])
        raise Http404(
            f"vintage: expected one of {known}" if known else "no such figure was published"
        )
    row = shown.row(0, named=True)
    vintage = row["vintage"]
    beside = public_reading.read_figures(
        url, Wanted(**{**vars(key.wanted), "quantity": None, "vintage": vintage})
    )
    method, about_method = words.method_of(row["method"])
    period = public_reading.say_period(url, key, vintage, row["method"])
    release = next((r for r in shelf.releases if r.release_id == row["release_id"]), None)
    # Another policy's release is not measured by the present one's budget.
    present = release and release.policy_digest == public_reading.office_policy().digest
    context = {
        "here": "tables", "key": key, "row": row, "said": words.say_figure(row),
        "title": public_pages.title_of(key, period),
        "exact": words.say_figure(row).value if words.is_share(key.quantity)
        else words.say_exact(row["value"]),
        "definition": words.definition_of(key.quantity), "vintage": vintage,
        "newest": vintage == history["vintage"][0], "final": _final_day(shown),
        "share": words.is_share(key.quantity),
        "table": words.table_of(key.release_table), "span": words.span_of(key.span),
        "period": period,
        "covers": words.say_cell({n: getattr(key, n) for n in words.DIMENSIONS}),
        "method": method, "about_method": about_method, "level": round(100 * row["level"]),
        "release": release,
        "history": public_pages.build_history(history, shelf),
        "parts": public_pages.build_parts(row, beside, vintage),
        "reentries": public_reading.say_reentries(url, row),
        "budget": release_plan.policy_of().epsilon_per_year if present else None,
        "name": public_pages.name_of(key, vintage),
        "permanent": request.build_absolute_uri(public_pages.address_of(key)),
        "cited": request.build_absolute_uri(public_pages.address_of(key, vintage)),
        "api": request.build_absolute_uri(
            f"{reverse('api-v1:figure', args=key.parts)}?vintage={vintage}"
        ),
        "kinds": KINDS, "publication": public_reading.publication(),
        "around": _tables_address(key),
    }  # fmt: skip
    return render(request, "public/figure.html", context)


@require_safe
@shared
def method(request: HttpRequest) -> HttpResponse:
    policy = release_plan.policy_of()
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    drawn = set(words.DRAWN.values())
    quantities = [
        (words.label_of(q), words.definition_of(q)) for q in words.ORDER if q not in drawn
    ]
    context = {"here": "method", "policy": policy, "shelf": shelf, "quantities": quantities}
    return render(request, "public/method.html", context)


@require_safe
@shared
def errors(request: HttpRequest) -> HttpResponse:
    """How large the noise is: what was published, and what the policy gives."""
    url = settings.STATISTICS_URL
    shelf = public_reading.read_shelf(url)
    measured = public_reading.read_noise(url, shelf)
    context = {
        "here": "errors", "shelf": shelf,
        "measured": sorted(measured, key=lambda m: (shelf.tables.index(m[0]), m[1])),
        "expected": [(words.table_of(n.release_table), words.span_of(n.span), n)
                     for n in release_plan.expected_noise(release_plan.policy_of())],
    }  # fmt: skip
    return render(request, "public/errors.html", context)


@require_safe
@shared
def metadata(request: HttpRequest) -> HttpResponse:
    """What the ESMS asks an office to say of its figures."""
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    about = public_reading.publication()
    context = {
        "here": "metadata", "shelf": shelf, "publication": about, "final": about.final_after,
        "policy": release_plan.policy_of(), "level": round(100 * LEVEL),
        "dimensions": tuple(words.DIMENSIONS.values()),
        "tables": [words.table_of(t) for t in shelf.tables],
    }  # fmt: skip
    return render(request, "public/metadata.html", context)


@require_safe
@shared
def calendar(request: HttpRequest) -> HttpResponse:
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    context = {
        "here": "calendar", "shelf": shelf, "today": datetime.now(UTC).date(),
        "coming": Announcement.objects.filter(day__gte=datetime.now(UTC).date()).order_by("day"),
    }  # fmt: skip
    return render(request, "public/calendar.html", context)


@require_safe
@shared
def downloads(request: HttpRequest) -> HttpResponse:
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    context = {
        "here": "downloads", "shelf": shelf, "kinds": KINDS, "note": NOTE,
        "publication": public_reading.publication(),
        "root": request.build_absolute_uri("/").rstrip("/"),
    }  # fmt: skip
    return render(request, "public/downloads.html", context)


def _final_day(shown: pl.DataFrame) -> date | None:
    """The recorded day that takes the last increment of a figure; None: it is final."""
    found: date | None = shown.select(final_from(public_reading.publication().final_after)).item(
        0, 0
    )
    return found


def _parse(parts: dict[str, str], query: QueryDict) -> tuple[Key, date | None]:
    try:
        key = public_reading.parse_key(tuple(parts.values()))
        asked = query.get("vintage")
        return key, public_reading.parse_day("vintage", asked) if asked is not None else None
    except NoSuchKeyError as refusal:
        raise Http404(str(refusal)) from None


def _next_release() -> dict[str, object]:
    today = datetime.now(UTC).date()
    return {"next": Announcement.objects.filter(day__gte=today).order_by("day").first()}


def _tables_address(key: Key) -> str:
    query = f"table={key.release_table}&span={key.span}&period={key.period}"
    return f"{reverse('public-tables')}?{query}"


def _one_of(query: QueryDict, name: str, known: tuple[str, ...], usual: str = "") -> str:
    """What was asked for where it exists; else the usual one, the first, or nothing."""
    asked = query.get(name, "")
    if asked in known:
        return asked
    return usual if usual in known else (known[0] if known else "")


def _page(query: QueryDict, rows: int) -> tuple[int, int]:
    asked = query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
    last = max(1, -(-rows // PAGE_ROWS))
    return min(max(1, number), last), last


def _without_page(query: QueryDict) -> str:
    kept = query.copy()
    kept.pop("page", None)
    return kept.urlencode()
