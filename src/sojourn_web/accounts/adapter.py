"""allauth here: accounts are given, nobody signs up; who works on cases begins there."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from sojourn_web.accounts.roles import READ_CASE_LOG, SEE_CASES


class OfficeAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where somebody begins whose role has a room of its own."""
        for permission, name in ((SEE_CASES, "cases"), (READ_CASE_LOG, "case-log")):
            if request.user.has_perm(permission):
                return reverse(name)
        return str(super().get_login_redirect_url(request))
