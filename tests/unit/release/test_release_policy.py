"""What an office may decide about releases, and what it may not."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from lib.releasing import small_policy
from sojourn.errors import PolicyError
from sojourn.policy import _check_release
from sojourn.release import Spent, loss_of_life, plan_release
from sojourn.release.budget import asked_by, loss_of_year

WRONG: list[tuple[dict[str, object], str]] = [
    ({"table_shares": (0.5, 0.3, 0.3)}, "overspend"),
    ({"span_shares": (0.7, 0.4)}, "overspend"),
    ({"table_shares": (0.0, 0.3, 0.3)}, "above 0"),
    ({"table_shares": (0.5, 0.3)}, "3 entries"),
    ({"epsilon_per_year": 0.0}, "epsilon_per_year"),
    ({"epsilon_per_year": 9.0}, "epsilon_per_year"),
    ({"epsilon_per_year": float("nan")}, "epsilon_per_year"),
    ({"max_contributions": 7}, "8 or more"),
    ({"max_corrections": 2}, "12 or more"),
    ({"max_corrections": -1}, "max_contributions"),
    ({"tables": ("total", "total", "b")}, "none named twice"),
    ({"table_dimensions": ("", "nationality", "sex")}, "unknown: sex"),
    ({"table_dimensions": ("", "nationality mode", "mode nationality")}, "same dimensions"),
    ({"table_spans": ("day month", "week", "day")}, "unknown: week"),
    ({"table_spans": ("day month", "", "day")}, "a span for each"),
    ({"spans": ("day", "hour")}, "unknown: hour"),
    ({"day_ages": ()}, "day_ages"),
    ({"day_ages": (7, 0)}, "day_ages"),
    ({"month_ages": (-1, 3)}, "month_ages"),
    ({"first_days": 0}, "first_days"),
    ({"admission_classes": ("VISIT", "VISIT")}, "none twice"),
    ({"nationalities": ("FRA", "unknown")}, "none twice"),
    ({"cell_key_tables": ("x",), "cell_key_dimensions": ("nationality",)}, "same dimensions"),
    ({"cell_key_tables": ("x",)}, "1 entries"),
    ({"cell_key_threshold": 9}, "cell_key_threshold"),
    ({"cell_key_reach": 10}, "cell_key_reach"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "what"), WRONG)
def test_a_policy_that_cannot_be_is_refused(changed: dict[str, object], what: str) -> None:
    with pytest.raises(PolicyError, match=what):
        _check_release("mine.toml [release]", small_policy(**changed))


@pytest.mark.parametrize("epsilon", [0.25, 1.0, 2.0, 0.3])
def test_a_year_under_one_policy_never_costs_more_than_it_has(epsilon: float) -> None:
    policy = small_policy(epsilon_per_year=epsilon)
    first = plan_release(policy, (), [date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)])
    assert first.affordable
    assert set(first.left_after) == {2026, 2027}
    assert all(0 <= left < 0.02 * epsilon for left in first.left_after.values())
    again = plan_release(policy, asked_by(policy, 2026), [date(2026, 6, 1)])
    assert again.cost == 0
    assert [r.release_table for r in again.rows] == list(policy.tables)
    assert all(r.after <= r.share for r in again.rows)


def test_what_is_spent_is_the_larger_of_all_that_was_drawn() -> None:
    """Two policies in a year: a stay may have used the one's bound at the other's loss."""
    spent = [Spent(2026, "total", "day", 0.125, 8), Spent(2026, "total", "day", 0.0625, 16)]
    assert loss_of_year(spent, 2026) == Fraction(2)
    assert loss_of_year(spent, 2027) == 0
    later = [*spent, Spent(2027, "total", "day", 0.25, 4), Spent(2027, "total", "month", 0.5, 4)]
    assert loss_of_year(later, 2027) == Fraction(3)
    assert loss_of_life(later) == Fraction(1, 4) * 16 + 2


def test_a_table_that_policy_has_no_more_still_counts() -> None:
    spent = [Spent(2026, "gone", "day", 0.1, 8)]
    found = plan_release(small_policy(), spent, [date(2026, 3, 1)])
    assert not found.affordable
    assert {r.release_table: r.before for r in found.rows}["gone"] == pytest.approx(0.8)
