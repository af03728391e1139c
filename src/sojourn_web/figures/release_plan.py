"""What a release will cost and how much noise it will carry, for pages: the gate's own answers.

In: this office's policy, what has been spent. Out: ``Plan``s and ``ExpectedNoise``.
"""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from sojourn import release
from sojourn.policy import ReleasePolicy
from sojourn.release import ExpectedNoise, Plan, PlanRow, Spent, expected_noise, plan_release
from sojourn_web.figures.public_reading import office_policy

__all__ = [
    "ExpectedNoise",
    "Plan",
    "PlanRow",
    "Spent",
    "expected_noise",
    "plan_release",
    "policy_of",
    "read_spent",
]


def policy_of() -> ReleasePolicy:
    return office_policy().release


def read_spent(engine: Engine) -> tuple[Spent, ...]:
    """What was spent so far; nothing, where there is no ledger yet."""
    try:
        return release.read_spent(engine)
    except DBAPIError:
        return ()
