"""Roles, as rules. Of figures: analysts see them, operators also see how feeds run, stewards
release them. Of voluntary return: counsellors, supervisors and the medical service work on cases,
the auditor reads the log, the administrator gives accounts; what each sees of a case is decided
in ``cases.visibility``.

Nobody holds roles of both sides: figures and cases share no person-level data and no page.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rules.permissions import add_perm
from rules.predicates import is_group_member


class Role(StrEnum):
    ANALYST = "analyst"
    OPERATOR = "operator"
    STEWARD = "steward"
    COUNSELLOR = "counsellor"
    SUPERVISOR = "supervisor"
    MEDICAL = "medical"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# Who has a place in voluntary return, and who of them works in an office.
CASE_ROLES = (
    Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL, Role.AUDITOR, Role.ADMINISTRATOR,
)  # fmt: skip
OFFICE_ROLES = (Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL)

SEE_FIGURES = "figures.see"
RUN_FEEDS = "runs.operate"
SEE_CASES = "cases.see"
READ_CASE_LOG = "cases.log"
RELEASE = "release.make"
GIVE_ACCOUNTS = "cases.accounts"
SUPERVISE = "cases.supervise"
SCREEN = "cases.screen"
READ_CASE_REPORTS = "cases.reports"

is_analyst: Any = is_group_member(Role.ANALYST.value)
is_operator: Any = is_group_member(Role.OPERATOR.value)
is_steward: Any = is_group_member(Role.STEWARD.value)
add_perm(SEE_FIGURES, is_analyst | is_operator | is_steward)  # type: ignore[no-untyped-call]
add_perm(RUN_FEEDS, is_operator)  # type: ignore[no-untyped-call]
add_perm(RELEASE, is_steward)  # type: ignore[no-untyped-call]

is_counsellor: Any = is_group_member(Role.COUNSELLOR.value)
is_supervisor: Any = is_group_member(Role.SUPERVISOR.value)
is_medical: Any = is_group_member(Role.MEDICAL.value)
is_auditor: Any = is_group_member(Role.AUDITOR.value)
add_perm(SEE_CASES, is_counsellor | is_supervisor | is_medical)  # type: ignore[no-untyped-call]
is_administrator: Any = is_group_member(Role.ADMINISTRATOR.value)
add_perm(READ_CASE_LOG, is_auditor)  # type: ignore[no-untyped-call]
add_perm(GIVE_ACCOUNTS, is_administrator)  # type: ignore[no-untyped-call]
add_perm(SUPERVISE, is_supervisor)  # type: ignore[no-untyped-call]
add_perm(SCREEN, is_medical)  # type: ignore[no-untyped-call]
add_perm(READ_CASE_REPORTS, is_supervisor | is_auditor)  # type: ignore[no-untyped-call]

View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """Sign-in first; then 403 for those whose role does not hold ``permission``."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate


def signed_in(request: HttpRequest) -> User:
    """Who asks. For views behind ``needs``."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
