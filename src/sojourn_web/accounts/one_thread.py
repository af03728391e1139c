"""The innermost middleware: it knows no async, so Django runs all of them in one thread.

Each step of an asynchronous chain goes to a thread and back, about fifteen times a page, and each
time waits for its turn. Our pages are synchronous but one (``figures.views.live_events``), whose
stream runs on the event loop all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware

Answers = Callable[[HttpRequest], HttpResponseBase]


@sync_only_middleware
def in_one_thread(get_response: Answers) -> Answers:
    def answer(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return answer
