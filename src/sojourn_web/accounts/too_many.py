"""Too many tries to sign in, from one address or for one name: a page, and how long to wait.

allauth counts (30 sign-ins a minute and 10 wrong ones from an address, 5 wrong ones in five minutes
for a name); this answers.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

WAIT = 300  # seconds: the longest of allauth's windows


def answer(request: HttpRequest) -> HttpResponse:
    found = render(request, "429.html", status=429)
    found["Retry-After"] = str(WAIT)
    found["Cache-Control"] = "no-store"
    return found
