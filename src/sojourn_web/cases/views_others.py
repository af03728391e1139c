"""Pages of the medical service, the auditor and the administrator. None of them shows a case."""

from __future__ import annotations

import secrets
from datetime import date
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import CASE_ROLES, GIVE_ACCOUNTS, READ_CASE_LOG, Role
from sojourn_web.cases.acts.basis import day, line, radios, select, text, words_of
from sojourn_web.cases.desk import at_desk, say_saved
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.pages import read_number
from sojourn_web.cases.references import read_reference
from sojourn_web.cases.services import accounts, checks, reading_log, today
from sojourn_web.cases.services.room import Room, was_done
from sojourn_web.cases.unsent import stamp_of, take_back
from sojourn_web.cases.views_case import field_rows
from sojourn_web.cases.visibility import Actor, visible_screenings
from sojourn_web.cases.vocabulary import ScreeningKind, ScreeningResult, Who

FORM = ["GET", "HEAD", "POST"]


@require_safe
@at_desk()
def screenings(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """What waits for the office's medical service, oldest first; references, no names."""
    if actor.who is not Who.MEDICAL:
        raise NotAllowedError("expected the medical service")
    rows = visible_screenings(actor, room.now).select_related("case", "person")[:200]
    return render(request, "cases/counsellor/screenings.html", {"rows": rows})


class ScreenForm(forms.Form):
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    result = radios("Result", words_of(ScreeningResult, ScreeningResult.ASKED))
    valid_until = day("Last day on which it holds", required=False)
    told = text("What was found", "Stays closed: it opens with a reason, and the person reads who "
                "opened it and why.", required=False)  # fmt: skip
    support = line("What the journey needs", "For 'with support': a seat, an escort, oxygen.",
                   required=False)  # fmt: skip


@require_http_methods(FORM)
@at_desk()
def screen(request: HttpRequest, room: Room, actor: Actor, row: UUID) -> HttpResponse:
    """Answer one screening that waits."""
    if actor.who is not Who.MEDICAL:
        raise NotAllowedError("expected the medical service")
    asked = visible_screenings(actor, room.now).select_related("case", "person")
    found = asked.filter(pk=row).first()
    if found is None:
        if was_done(actor, "screen", request.POST.get("key", "")):  # a second click
            return redirect("screenings")
        raise NotVisibleError
    kind = ScreeningKind(found.kind)
    kept = take_back(request) if request.method != "POST" else None
    form = ScreenForm(request.POST or kept, initial={"key": secrets.token_hex(16)})
    longest = checks.LONGEST[kind].days
    form.fields["valid_until"].help_text = (
        f"At most {longest} days from {today.office_day(actor, room.now):%-d %B %Y}. Empty for "
        "'not now'."
    )
    if request.method == "POST" and form.is_valid():
        f = form.cleaned_data
        until: date | None = f["valid_until"]
        try:
            checks.screen(
                room, actor, found.case_id, found.person_id, kind, ScreeningResult(f["result"]),
                key=f["key"], valid_until=until, support=f["support"],
                answers={"told": f["told"]} if f["told"] else {},
            )  # fmt: skip
        except RefusedError as refusal:
            for reason in refusal.reasons:
                form.add_error(None, reason)
        else:
            say_saved(request, room)
            return redirect("screenings")
    context = {"form": form, "rows": field_rows(form), "row": found, "stamp": stamp_of(request)}
    return render(request, "cases/counsellor/screen.html", context,
                  status=422 if request.method == "POST" else 200)  # fmt: skip


@require_safe
@at_desk(READ_CASE_LOG)
def log_page(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """The auditor's: who changed and opened what, when; a page at a time, by reference or who."""
    number, typed = request.GET.get("page", "1"), request.GET.get("reference", "").strip()
    who, kind = request.GET.get("who", ""), request.GET.get("kind", "changes")
    problem, reference = "", ""
    if typed:
        try:
            reference = read_reference(typed)
        except RefusedError as refusal:
            problem = str(refusal)
    page = reading_log.read_page(
        actor, read_number(number) or 1, looks=kind == "looks",
        reference=reference, who=who if who in Who._value2member_map_ else "",
    )  # fmt: skip
    context = {"page": page, "typed": typed, "who": who, "kind": kind, "problem": problem,
               "roles": words_of(Who), "accounts": accounts.account_changes(actor)}  # fmt: skip
    return render(request, "cases/counsellor/log.html", context)


class AccountForm(forms.Form):
    name = line("Name that people of a case read", longest=120)
    role = select("Role", words_of(Role, Role.ANALYST, Role.OPERATOR))
    office = select("Office", [], "For counsellors, supervisors and the medical service.",
                    required=False, empty="No office")  # fmt: skip
    new_office = line("Or a new office", required=False, longest=120)

    def fill(self) -> None:
        found = [(o.name, o.name) for o in accounts.offices()]
        self.fields["office"].choices = [("", "No office"), *found]  # type: ignore[attr-defined]


class NewAccountForm(AccountForm):
    username = line("User name", "For signing in. Letters, digits and . _ - only.", longest=60)
    field_order = ("username",)

    def clean_username(self) -> str:
        plain = str(self.cleaned_data["username"])
        if not all(c.isalnum() or c in "._-" for c in plain):
            raise forms.ValidationError("Expected letters, digits and . _ - only.")
        if get_user_model().objects.filter(username=plain).exists():
            raise forms.ValidationError("There is such an account: choose another user name.")
        return plain


@require_http_methods(FORM)
@at_desk(GIVE_ACCOUNTS)
def account_list(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    """Everybody with a place here, and a form for a new account; no case."""
    form = NewAccountForm(request.POST or take_back(request))
    form.fill()
    if request.method == "POST" and form.is_valid():
        f = form.cleaned_data
        password = secrets.token_urlsafe(12)
        try:
            role = _checked(f)
            made = make_person(f["username"], password, role, demo=False)
            accounts.place(room, actor, made.pk, f["name"], Who(role.value), _office(f))
        except RefusedError as refusal:
            for reason in refusal.reasons:
                form.add_error(None, reason)
        else:
            say_saved(request, room, (f"First password, shown this once: {password}",))
            return redirect("accounts")
    context = {"lines": accounts.list_accounts(actor), "form": form, "rows": field_rows(form),
               "stamp": stamp_of(request),
               "changes": accounts.account_changes(actor, 20)}  # fmt: skip
    return render(request, "cases/counsellor/accounts.html", context,
                  status=422 if request.method == "POST" else 200)  # fmt: skip


def _office(f: dict[str, str]) -> str:
    return f["new_office"].strip() or f["office"]


def _checked(f: dict[str, str]) -> Role:
    """Before an account is made: what the place would refuse afterwards."""
    role = Role(f["role"])
    if role not in CASE_ROLES:
        raise RefusedError("Expected a role of voluntary return.")
    if Who(role.value) in accounts.WITH_OFFICE and not _office(f):
        raise RefusedError("This role works in an office: choose one.")
    return role


@require_http_methods(FORM)
@at_desk(GIVE_ACCOUNTS)
def account(request: HttpRequest, room: Room, actor: Actor, number: int) -> HttpResponse:
    """Another role or office for somebody; nobody's own."""
    found = accounts.account_of(actor, number)
    first = {"name": found.name, "role": found.role, "office": found.office}
    form = AccountForm(request.POST or take_back(request), initial=first)
    form.fill()
    if request.method == "POST" and form.is_valid():
        f = form.cleaned_data
        try:
            role = _checked(f)
            accounts.place(room, actor, number, f["name"], Who(role.value), _office(f))
        except RefusedError as refusal:
            for reason in refusal.reasons:
                form.add_error(None, reason)
        else:
            _regroup(number, role)
            say_saved(request, room)
            return redirect("accounts")
    context = {"line": found, "form": form, "rows": field_rows(form), "stamp": stamp_of(request)}
    return render(request, "cases/counsellor/account.html", context,
                  status=422 if request.method == "POST" else 200)  # fmt: skip


def _regroup(number: int, role: Role) -> None:
    """The account's one role, in the accounts' own database."""
    from django.contrib.auth.models import Group

    user = get_user_model().objects.filter(pk=number).first()
    if user is not None:
        user.groups.set([Group.objects.get_or_create(name=role.value)[0]])


@require_POST
@at_desk(GIVE_ACCOUNTS)
def end_account(request: HttpRequest, room: Room, actor: Actor, number: int) -> HttpResponse:
    accounts.end(room, actor, number)
    messages.success(request, "Ended: this account sees no case any more.")
    return redirect("accounts")
