"""What an office keeps in order: erasures by two people, rules, reports, other systems."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sojourn_web.accounts.roles import (
    READ_CASE_REPORTS,
    SEE_CASES,
    SUPERVISE,
    needs,
    signed_in,
)
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import RuleChange
from sojourn_web.cases.pages import answers_refusals, find_case, read_number, staff
from sojourn_web.cases.services import erasing, keeping, reporting, tokens
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.services.tokens import SCOPES, Scope
from sojourn_web.cases.unsent import gives_back, keeps_typed
from sojourn_web.cases.vocabulary import Outcome


@require_safe
@never_cache
@needs(SEE_CASES)
@gives_back
@answers_refusals
def erasures(request: HttpRequest) -> HttpResponse:
    """What waits for two people, and what is due and not asked for yet."""
    room, actor = room_now(), staff(request)
    waiting = keeping.waiting_erasures(room, actor)
    asked = {w.reference for w in waiting}
    due = [d for d in erasing.due_for_erasure(room, actor) if d.reference not in asked][:200]
    return render(request, "cases/papers/erasures.html", {"waiting": waiting, "due": due})


@require_POST
@never_cache
@needs(SEE_CASES)
@answers_refusals
def ask_erasure(request: HttpRequest, reference: str) -> HttpResponse:
    room, actor = room_now(), staff(request)
    erasing.ask_erasure(room, actor, find_case(room, actor, reference))
    return redirect("erasures")


@require_POST
@never_cache
@needs(SEE_CASES)
@answers_refusals
def approve_erasure(request: HttpRequest, reference: str) -> HttpResponse:
    """One person's yes. The second, by another account, erases at once."""
    room, actor = room_now(), staff(request)
    case_id = find_case(room, actor, reference)
    if any(w.mine and w.case_id == case_id for w in keeping.waiting_erasures(room, actor)):
        messages.info(request, "Your yes is there already: somebody else says the second one.")
        return redirect("erasures")
    if request.POST.get("sure") != "yes":
        raise RefusedError("Tick that you have looked at the case: what is erased is gone.")
    erasing.erase(room, actor, case_id)
    return redirect("erasures")


@require_POST
@never_cache
@keeps_typed
@needs(SEE_CASES)
@answers_refusals
def refuse_erasure(request: HttpRequest, reference: str) -> HttpResponse:
    room, actor = room_now(), staff(request)
    reason = request.POST.get("reason", "")
    erasing.refuse_erasure(room, actor, find_case(room, actor, reference), reason=reason)
    return redirect("erasures")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@keeps_typed
@needs(READ_CASE_REPORTS)
@gives_back
@answers_refusals
def keeping_rules(request: HttpRequest) -> HttpResponse:
    """How long cases are kept. A supervisor changes it with a reason; the history stays."""
    room, actor = room_now(), staff(request)
    if request.method == "POST":
        outcome, days = request.POST.get("outcome", ""), request.POST.get("days", "").strip()
        wanted, before = read_number(days), read_number(request.POST.get("before", ""))
        if outcome not in Outcome._value2member_map_ or wanted is None or before is None:
            raise RefusedError("Expected a whole number of days.")
        reason = request.POST.get("reason", "")
        keeping.set_retention(room, actor, Outcome(outcome), wanted, reason=reason, before=before)
        return redirect("keeping")
    context = {
        "rules": keeping.kept_for(), "changes": RuleChange.objects.order_by("-made_at")[:50],
        "may_change": signed_in(request).has_perm(SUPERVISE),
    }  # fmt: skip
    return render(request, "cases/papers/keeping.html", context)


@require_safe
@never_cache
@needs(READ_CASE_REPORTS)
@answers_refusals
def reports(request: HttpRequest) -> HttpResponse:
    report = reporting.make_report(room_now(), staff(request))
    return render(request, "cases/papers/reports.html", {"report": report})


@require_safe
@never_cache
@needs(READ_CASE_REPORTS)
@answers_refusals
def reports_csv(request: HttpRequest) -> HttpResponse:
    """The same hidden counts as the page."""
    report = reporting.make_report(room_now(), staff(request))
    answer = HttpResponse(reporting.report_as_csv(report), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="voluntary-return.csv"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@keeps_typed
@needs(SUPERVISE)
@gives_back
@answers_refusals
def systems(request: HttpRequest) -> HttpResponse:
    """Tokens of this office's other systems. A new one is shown on this answer alone."""
    room, actor = room_now(), staff(request)
    token = ""
    if request.method == "POST":
        chosen = frozenset(
            Scope(s) for s in request.POST.getlist("scope") if s in Scope._value2member_map_
        )
        token = tokens.make_token(room, actor, request.POST.get("name", ""), chosen)
    rows = [(t, t.scopes.split()) for t in tokens.list_tokens(actor)]
    return render(
        request, "cases/papers/systems.html", {"rows": rows, "token": token, "scopes": SCOPES}
    )


@require_POST
@never_cache
@needs(SUPERVISE)
@answers_refusals
def revoke_system(request: HttpRequest, token_id: UUID) -> HttpResponse:
    tokens.revoke_token(room_now(), staff(request), token_id)
    return redirect("case-systems")
