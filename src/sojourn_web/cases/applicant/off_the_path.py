"""Pages for what no view answers: below ``return/`` in the person's language, with the way out.

In: an address that there is not, or a view that failed. Out: a page, 404 or 500. Elsewhere the
pages of staff and of the public, as before.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from sojourn_web.cases.applicant.gate import PATH, not_now, show, spoken


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PATH):
        return _no_such_page(request)
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(PATH):
        return _went_wrong(request)
    return defaults.server_error(request)


@spoken
def _no_such_page(request: HttpRequest) -> HttpResponse:
    return show(request, "not_found", 404)


@spoken
def _went_wrong(request: HttpRequest) -> HttpResponse:
    return not_now(request, 500)
