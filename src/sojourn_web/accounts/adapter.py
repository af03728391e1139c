"""allauth here: accounts are given, nobody signs up; who works on cases begins there."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from sojourn_web.accounts.roles import GIVE_ACCOUNTS, READ_CASE_LOG, SEE_CASES

HOMES = ((SEE_CASES, "today"), (READ_CASE_LOG, "case-log"), (GIVE_ACCOUNTS, "accounts"))


class OfficeAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Who works on cases begins with what needs them today."""
        for permission, name in HOMES:
            if request.user.has_perm(permission):
                return reverse(name)
        return str(super().get_login_redirect_url(request))
