"""The public JSON API, version 1: releases, figures, code lists. Read-only, no sign-in, no key.

In: filters. Out: JSON, or a problem (RFC 9457) that says what was expected. A figure at a vintage
never changes and may be kept for ever; what follows the newest release may be kept for a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Query, Schema
from ninja.decorators import decorate_view
from ninja.errors import ValidationError

from sojourn.release.picking import Wanted
from sojourn.schemas import Span
from sojourn_web.figures import public_reading
from sojourn_web.figures.public_caching import FOR_A_MINUTE, FOR_EVER, with_etag
from sojourn_web.figures.public_pages import address_of, key_of
from sojourn_web.figures.public_reading import ALL, Key, NoSuchKeyError, Shelf

PAGE_LARGEST = 1000
PROBLEM = "application/problem+json"
View = Callable[..., Any]

api = NinjaAPI(
    title="Sojourn: published figures", version="1", urls_namespace="api-v1", docs_url=None,
    description="Figures that were released, with interval, noise and revision history. Noise was "
    "added to every count before it was published: counts may be negative. No departure recorded "
    "is not still here.",
)  # fmt: skip


class ReleaseOut(Schema):
    release_id: str
    released_at: datetime = Field(description="UTC")
    vintage: date = Field(description="The last recorded day that is in it")
    policy_digest: str
    method: str
    epsilon: float = Field(description="Privacy loss that the release added")
    run: str


class FigureOut(Schema):
    """One published number; '' in a dimension is the total over it."""

    release_table: str
    span: str
    period: date = Field(description="First day of the span")
    nationality: str = Field(description="ICAO 9303 code")
    mode: str
    admission_class: str
    quantity: str
    vintage: date
    value: float | None = Field(description="As published: may be negative")
    lower: float | None
    upper: float | None
    level: float
    noise_sd: float | None = Field(description="Of the noise alone; null for estimates")
    epsilon: float
    method: str
    release_id: str
    page: str = Field(description="The figure's page at this vintage, on this site")


class FiguresOut(Schema):
    """A page of figures in the order of their key."""

    count: int | None = Field(
        description="Figures that match, on all pages; null where more than 10,000"
    )
    vintage: date | None = Field(description="Figures are as of this vintage")
    next: str | None = Field(description="The next page; null on the last")
    items: list[FigureOut]


class CodeOut(Schema):
    id: str
    name: str
    description: str


class CodeListOut(Schema):
    id: str
    name: str
    codes: list[CodeOut]


class Problem(Schema):
    """RFC 9457. ``detail`` says what was expected."""

    type: str
    title: str
    status: int
    detail: str


class Filters(Schema):
    """Leave one out and any matches. In a dimension, 'all' is the total over it."""

    release_table: str | None = None
    span: Span | None = None
    period: date | None = None
    nationality: str | None = None
    mode: str | None = None
    admission_class: str | None = None
    quantity: str | None = None
    vintage: date | None = Field(None, description="A released one; default: the newest")
    limit: int = Field(100, ge=1, le=PAGE_LARGEST)
    after: str | None = Field(
        None, max_length=400, description="The page begins behind this figure: see 'next'"
    )


class ExpectedError(Exception):
    """What was asked for is not there, or is not asked like that."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


TITLES = {400: "Not understood", 404: "Not found"}


def _read(path: str, **said: Any) -> Callable[[View], View]:
    """GET, and HEAD with it, which the description need not name."""

    def both(view: View) -> View:
        api.api_operation(["HEAD"], path, include_in_schema=False, **said)(view)
        api.get(path, **said)(view)
        return view

    return both


@_read("releases", response=list[ReleaseOut], summary="All releases, newest first")
@decorate_view(with_etag)
def releases(request: HttpRequest, response: HttpResponse) -> list[dict[str, Any]]:
    response["Cache-Control"] = FOR_A_MINUTE
    return [vars(r) for r in _shelf().releases]


@_read(
    "figures",
    response={200: FiguresOut, 400: Problem, 404: Problem},
    summary="Figures, filtered",
)
@decorate_view(with_etag)
def figures(
    request: HttpRequest, response: HttpResponse, filters: Query[Filters]
) -> dict[str, Any]:
    """Of each figure the newest vintage up to the one that was asked for."""
    if set(request.GET) - set(Filters.model_fields):
        raise ExpectedError(400, f"filters: expected some of {', '.join(Filters.model_fields)}")
    shelf = _shelf()
    vintage = filters.vintage or (shelf.vintages[0] if shelf.newest else None)
    if filters.vintage is not None and filters.vintage not in shelf.vintages:
        raise _no_vintage(shelf)
    fixed = filters.vintage is not None and shelf.is_settled(filters.vintage)
    response["Cache-Control"] = FOR_EVER if fixed else FOR_A_MINUTE
    if vintage is None:
        return {"count": 0, "vintage": None, "next": None, "items": []}
    wanted, url = _wanted(filters), settings.STATISTICS_URL
    count = public_reading.count_figures(url, shelf, wanted, vintage)
    found = public_reading.read_figures(
        url, wanted, as_of=vintage, limit=filters.limit + 1, after=_after(filters)
    )
    items = [_figure_out(row) for row in found.head(filters.limit).iter_rows(named=True)]
    query = request.GET.copy()
    if further := found.height > filters.limit:
        query["after"] = "/".join(key_of(items[-1]).parts)
    return {
        "count": count, "vintage": vintage,
        "next": f"{request.path}?{query.urlencode()}" if further else None,
        "items": items,
    }  # fmt: skip


@_read(
    "figures/{release_table}/{span}/{period}/{quantity}/{nationality}/{mode}/{admission_class}",
    response={200: FigureOut, 400: Problem, 404: Problem}, url_name="figure",
    summary="One figure, by its permanent address",
)  # fmt: skip
@decorate_view(with_etag)
def figure(
    request: HttpRequest, response: HttpResponse, release_table: str, span: str, period: str,
    quantity: str, nationality: str, mode: str, admission_class: str, vintage: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """With a vintage the answer never changes; without, it is the newest.

    What is asked with a vintage alone is answered before: ``public_at_once``.
    """
    key = _key((release_table, span, period, quantity, nationality, mode, admission_class))
    history = public_reading.read_history(settings.STATISTICS_URL, key)
    if history.is_empty():
        raise ExpectedError(404, "expected the address of a published figure; see /api/v1/figures")
    shown = history if vintage is None else history.filter(history["vintage"] == vintage)
    if shown.is_empty():
        known = ", ".join(str(v) for v in history["vintage"])
        raise ExpectedError(404, f"vintage: expected one of {known}")
    response["Cache-Control"] = FOR_A_MINUTE
    return _figure_out(shown.row(0, named=True))


@_read("codes", response=list[CodeListOut], summary="All code lists")
@decorate_view(with_etag)
def codes(request: HttpRequest, response: HttpResponse) -> list[dict[str, Any]]:
    """The codes of files; here, as in their addresses, totals are 'all' and '' in figures."""
    response["Cache-Control"] = FOR_A_MINUTE
    lists = public_reading.code_lists(_shelf())
    return [
        {"id": found.id, "name": found.name, "codes": [vars(c) for c in found.codes]}
        for found in lists.by_column.values()
    ]


@api.exception_handler(ExpectedError)
def told(request: HttpRequest, error: ExpectedError) -> HttpResponse:
    return _problem(request, error.status, error.detail)


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Which parameter, and what it should be; never what it was."""
    said = [f"{e['loc'][-1]}: {_expected(e)}" for e in error.errors]
    return _problem(request, 400, "; ".join(said))


def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Every other address below the API's."""
    return _problem(request, 404, "expected an address that /api/v1/openapi.json names")


def _problem(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail}
    response = api.create_response(request, body, status=status)
    response["Content-Type"] = PROBLEM
    return response


def _expected(error: dict[str, Any]) -> str:
    return str(error["msg"]).replace("Input should be", "expected")


def _wanted(filters: Filters) -> Wanted:
    def place(code: str | None) -> str | None:
        return "" if code == ALL else code

    return Wanted(
        release_table=filters.release_table, span=filters.span.value if filters.span else None,
        period=filters.period, quantity=filters.quantity, nationality=place(filters.nationality),
        mode=place(filters.mode), admission_class=place(filters.admission_class),
    )  # fmt: skip


def _after(filters: Filters) -> Key | None:
    if filters.after is None:
        return None
    parts = tuple(filters.after.split("/"))
    if len(parts) != len(fields(Key)):
        raise ExpectedError(400, "after: expected what 'next' of the page before says")
    return _key(parts)


def _key(parts: tuple[str, ...]) -> Key:
    try:
        return public_reading.parse_key(parts)
    except NoSuchKeyError as refusal:
        raise ExpectedError(400, str(refusal)) from None


def _figure_out(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "page": address_of(key_of(row), row["vintage"])}


def _shelf() -> Shelf:
    return public_reading.read_shelf(_url())


def _url() -> str:
    url: str = settings.STATISTICS_URL
    return url


def _no_vintage(shelf: Shelf) -> ExpectedError:
    known = ", ".join(str(v) for v in shelf.vintages[:24])
    return ExpectedError(404, f"vintage: expected a released one ({known or 'none yet'})")
