"""Operators' pages: batches, rejects, feeds."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sojourn_web.accounts.roles import RUN_FEEDS, needs, signed_in
from sojourn_web.runs import operations
from sojourn_web.runs.models import FeedToken
from sojourn_web.runs.tokens import SourceNameError, make_token


@require_safe
@needs(RUN_FEEDS)
def batches(request: HttpRequest) -> HttpResponse:
    page = operations.read_batches(settings.STATISTICS_URL, _number(request))
    return render(request, "runs/batches.html", {"page": page})


@require_safe
@needs(RUN_FEEDS)
def rejects(request: HttpRequest) -> HttpResponse:
    page = operations.read_rejects(settings.STATISTICS_URL, _number(request))
    return render(request, "runs/rejects.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RUN_FEEDS)
def feeds(request: HttpRequest) -> HttpResponse:
    """Tokens by source; a POST makes one and shows it this once."""
    context: dict[str, object] = {}
    status = 200
    if request.method == "POST":
        asked = request.POST.get("source", "").strip()
        try:
            context = {"made": make_token(asked, signed_in(request)), "made_for": asked}
        except SourceNameError as refusal:
            context, status = {"refusal": str(refusal), "asked": asked}, 400
    tokens = FeedToken.objects.order_by("revoked_at", "source", "pk")
    return render(request, "runs/feeds.html", {"tokens": tokens, **context}, status=status)


@require_POST
@needs(RUN_FEEDS)
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(FeedToken, pk=token_id)
    if token.revoked_at is None:
        token.revoked_at = datetime.now(UTC)
        token.save(update_fields=["revoked_at"])
    return redirect("feeds")


def _number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
