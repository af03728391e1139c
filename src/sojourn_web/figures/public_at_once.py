"""A figure at a vintage, answered before sessions, forms and sign-in are looked at.

In: a request for a figure's permanent address in the API, with a vintage and nothing else. Out: its
answer, the same for everybody; whatever else is asked goes on to Django's views and ``public_api``.
What stands before it in MIDDLEWARE (security headers, the content policy) holds for it as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware

from sojourn_web.figures import public_reading
from sojourn_web.figures.public_caching import find_kept, keep_for_ever
from sojourn_web.figures.public_marks import mark_at
from sojourn_web.figures.public_pages import address_of
from sojourn_web.figures.public_reading import NoSuchKeyError

Answers = Callable[[HttpRequest], HttpResponseBase]
JSON = "application/json; charset=utf-8"
ROOT, ASKED = "/api/v1", "vintage="
_FIGURES = f"{ROOT}/figures/"
_PLAIN = str.maketrans("", "", "/_-")
_PARTS = 7
METHODS = ("GET", "HEAD")


@sync_only_middleware
def figures_at_once(get_response: Answers) -> Answers:
    """The middleware."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(_FIGURES) and request.method in METHODS:
            found = _find(request)
            if found is not None:
                return found
        return get_response(request)

    return answer


def _find(request: HttpRequest) -> HttpResponse | None:
    """The answer; None where it is no such figure, or asked for in another way."""
    query = request.META.get("QUERY_STRING", "")
    parts = tuple(request.path_info.removeprefix(_FIGURES).split("/"))
    if len(parts) != _PARTS or not all(parts) or not query.startswith(ASKED):
        return None
    request.get_host()  # a host that is not ours is refused, as everywhere
    vintage = query.removeprefix(ASKED)
    url, address = settings.STATISTICS_URL, f"{request.path}?{query}"
    mark = mark_at(url, vintage)
    if not mark:
        return None
    response = find_kept(request, address, mark) or _make(request, parts, vintage, address, mark)
    if response is not None:
        response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        if response.status_code == 200:
            response["Content-Length"] = str(len(response.content))
    return response


def _make(
    request: HttpRequest, parts: tuple[str, ...], vintage: str, address: str, mark: str
) -> HttpResponse | None:
    try:
        key = public_reading.parse_key(parts)
        day = public_reading.parse_day("vintage", vintage)
    except NoSuchKeyError:
        return None
    found = public_reading.find_figure(settings.STATISTICS_URL, key, day, mark)
    if found is None:
        return None
    # The page's address is this one without the API's; making it anew takes longer.
    plain = request.path.translate(_PLAIN).isalnum() and request.path == request.path_info
    page = address.removeprefix(ROOT) if plain else address_of(key, day)
    body = json.dumps({**found, "page": page})
    return keep_for_ever(request, HttpResponse(body, content_type=JSON), address, mark)
