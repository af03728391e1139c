"""What every page needs to know of the installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from sojourn_web.accounts.roles import (
    GIVE_ACCOUNTS,
    READ_CASE_LOG,
    RELEASE,
    RUN_FEEDS,
    SCREEN,
    SEE_CASES,
    SEE_FIGURES,
    SUPERVISE,
)


def installation(request: HttpRequest) -> dict[str, bool]:
    """Whether the red band is shown, and which parts of the menu."""
    user = getattr(request, "user", None)
    return {
        "synthetic": settings.DEMO,
        "sees_figures": bool(user and user.has_perm(SEE_FIGURES)),
        "runs_feeds": bool(user and user.has_perm(RUN_FEEDS)),
        "sees_cases": bool(user and user.has_perm(SEE_CASES)),
        "reads_case_log": bool(user and user.has_perm(READ_CASE_LOG)),
        "releases": bool(user and user.has_perm(RELEASE)),
        "supervises": bool(user and user.has_perm(SUPERVISE)),
        "screens": bool(user and user.has_perm(SCREEN)),
        "gives_accounts": bool(user and user.has_perm(GIVE_ACCOUNTS)),
    }
