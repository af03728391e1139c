"""The fixed calendar: days in months in years, and which of them take an increment when.

In: days and the policy's ages. Out: periods by their first day. Dates are the port's local dates;
a period is drawn when a release reaches a day that lies one of the policy's ages after the
period's last day, so the schedule never depends on what happened.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sojourn.policy import ReleasePolicy
from sojourn.vocabulary import Span


def first_day(span: Span, day: date) -> date:
    """The first day of the period that holds ``day``: a period's name."""
    if span == Span.DAY:
        return day
    return day.replace(day=1) if span == Span.MONTH else day.replace(month=1, day=1)


def days_of(month: date) -> tuple[date, ...]:
    """Every day of a month, named by its first."""
    return tuple(month + timedelta(days=n) for n in range(monthrange(month.year, month.month)[1]))


def months_of(year: date) -> tuple[date, ...]:
    return tuple(date(year.year, month, 1) for month in range(1, 13))


def ages_of(policy: ReleasePolicy, span: Span) -> tuple[int, ...]:
    return policy.day_ages if span == Span.DAY else policy.month_ages


def due_periods(
    policy: ReleasePolicy, span: Span, last: date | None, through: date
) -> tuple[date, ...]:
    """The periods that take an increment in the release through ``through``, in order.

    ``last``: the day through which the release before went. Without one, this is the first: it
    draws each of the policy's first periods once.
    """
    ages = ages_of(policy, span)
    if last is None:
        return tuple(_first_periods(policy, span, through - timedelta(days=ages[0])))
    due = {
        period
        for age in ages
        for period in _ending(span, last - timedelta(days=age), through - timedelta(days=age))
    }
    return tuple(sorted(due))


def is_open(policy: ReleasePolicy, span: Span, period: date, through: date) -> bool:
    """Whether a later release than the one through ``through`` will still draw ``period``."""
    return span.last_day(period) + timedelta(days=ages_of(policy, span)[-1]) > through


def age_of(ages: Sequence[int], span: Span, period: date, day: date) -> int:
    """How many of the ages, less one, a period has reached by ``day``: which of its draws is the
    last. Below none: not one has been due."""
    old = (day - span.last_day(period)).days
    return sum(old >= age for age in ages) - 1


def _first_periods(policy: ReleasePolicy, span: Span, until: date) -> Iterator[date]:
    if span == Span.DAY:
        yield from _ending(span, until - timedelta(days=policy.first_days), until)
        return
    yield from last_months(policy.first_months, until)


def last_months(count: int, until: date) -> Sequence[date]:
    """The last ``count`` months that ended by ``until``, in order."""
    return _ending(Span.MONTH, until - timedelta(days=31 * (count + 2)), until)[-count:]


def _ending(span: Span, after: date, until: date) -> Sequence[date]:
    """Periods whose last day lies after ``after`` and not after ``until``."""
    found, period = [], first_day(span, after)
    while (end := span.last_day(period)) <= until:
        if end > after:
            found.append(period)
        period = end + timedelta(days=1)
    return found
