"""The stewards' page: budget, what a release will cost, asking, approving, the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from sojourn_web.accounts.roles import RELEASE, needs, signed_in
from sojourn_web.figures import public_reading, release_plan
from sojourn_web.figures.models import Announcement
from sojourn_web.figures.release_plan import Plan
from sojourn_web.figures.statistics import open_statistics
from sojourn_web.runs import release_requests
from sojourn_web.runs.models import OPEN, ReleaseRequest
from sojourn_web.runs.release_requests import RequestRefusedError

LOG_ROWS = 50
FIRST_DAYS = 60  # what a first release plans for where nothing was released before


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RELEASE)
def release(request: HttpRequest) -> HttpResponse:
    """See what it costs; a POST asks for it."""
    today = datetime.now(UTC).date()
    shelf = public_reading.read_shelf(settings.STATISTICS_URL)
    last = shelf.vintages[0] if shelf.newest else None
    given = request.POST if request.method == "POST" else request.GET
    through, refusal = _day(given.get("through"), today - timedelta(days=1))
    plan = _plan(last, through)
    if request.method == "POST" and not refusal:
        try:
            release_requests.ask(
                through, signed_in(request), last_released=last, today=today,
                affordable=plan.affordable,
            )  # fmt: skip
        except RequestRefusedError as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"Asked for a release through {through}. "
                             "Somebody else has to approve it.")  # fmt: skip
            return redirect("release")
    return _page(request, last, through, plan, refusal)


def _page(
    request: HttpRequest, last: date | None, through: date, plan: Plan, refusal: str,
    announcing: str = "",
) -> HttpResponse:  # fmt: skip
    every = ReleaseRequest.objects.select_related("asked_by", "approved_by").order_by("-pk")
    context = {
        "through": through, "plan": plan, "last": last, "refusal": refusal,
        "announcing": announcing,
        "years": [(year, plan.budget, plan.left_before[year], plan.left_after[year])
                  for year in sorted(plan.left_before)],
        "noise": release_plan.expected_noise(release_plan.policy_of()),
        "waiting": [(r, r.asked_by_id == request.user.pk) for r in every.filter(state__in=OPEN)],
        "log": every.prefetch_related("steps__by")[:LOG_ROWS],
        "releases": public_reading.read_log(settings.STATISTICS_URL),
        "coming": Announcement.objects.filter(day__gte=datetime.now(UTC).date()).order_by("day"),
    }  # fmt: skip
    status = 400 if refusal or announcing else 200
    return render(request, "runs/release.html", context, status=status)


@require_POST
@needs(RELEASE)
def decide(request: HttpRequest, request_id: int, decision: str) -> HttpResponse:
    """Approve or withdraw."""
    found = get_object_or_404(ReleaseRequest, pk=request_id)
    if decision not in ("approve", "withdraw"):
        raise Http404("expected approve or withdraw")
    try:
        if decision == "approve":
            release_requests.approve(found, signed_in(request))
            messages.success(request, "Approved. It is made within seconds; see the log below.")
        else:
            release_requests.withdraw(found, signed_in(request))
            messages.success(request, "Withdrawn. No budget was spent.")
    except RequestRefusedError as refused:
        messages.error(request, f"Not done: {refused}.")
    return redirect("release")


@require_POST
@needs(RELEASE)
def announce(request: HttpRequest) -> HttpResponse:
    """Put a day into the public calendar of releases."""
    today = datetime.now(UTC).date()
    day, wrong = _day(request.POST.get("day"), None)
    through, wrong_too = _day(request.POST.get("announced_through"), None)
    refusal = wrong or wrong_too
    if not refusal and not today <= day:
        refusal = "Day of the release: expected today or later"
    elif not refusal and through >= day:
        refusal = "Records through: expected a day before the release"
    elif not refusal and Announcement.objects.filter(day=day).exists():
        refusal = "Day of the release: one is announced for that day already"
    if refusal:
        shelf = public_reading.read_shelf(settings.STATISTICS_URL)
        last = shelf.vintages[0] if shelf.newest else None
        usual = today - timedelta(days=1)
        return _page(request, last, usual, _plan(last, usual), "", refusal)
    note = request.POST.get("note", "").strip()[:200]
    Announcement.objects.create(
        day=day, through=through, note=note, announced_by=signed_in(request)
    )
    messages.success(request, f"A release on {day} is announced.")
    return redirect("release")


def _plan(last: date | None, through: date) -> Plan:
    begin = last + timedelta(days=1) if last else through - timedelta(days=FIRST_DAYS)
    days = [begin + timedelta(days=n) for n in range((through - begin).days + 1)] or [through]
    spent = release_plan.read_spent(open_statistics(settings.STATISTICS_URL))
    return release_plan.plan_release(release_plan.policy_of(), spent, days)


def _day(text: str | None, usual: date | None) -> tuple[date, str]:
    """The day that was written; else the usual one, and what is wrong."""
    fallback = usual or datetime.now(UTC).date()
    if text is None and usual is not None:
        return fallback, ""
    try:
        return date.fromisoformat(text or ""), ""
    except ValueError:
        return fallback, "expected a day, as 2026-10-31"
