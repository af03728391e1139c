"""What the gate asks before anything is spent. Every answer that is no is a PrivacyError.

In: who asks, what would be counted, what was released before. Messages name tables, columns and
days of release, never a word or a number of a cell.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Connection

from sojourn.errors import PrivacyError
from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.calendar import first_day
from sojourn.release.cells import REENTRIES, CodeLists, ReleaseTable
from sojourn.release.contributions import CELL, CHANGES
from sojourn.vocabulary import Span, StayEvent

EVENTS = tuple(e.value for e in StayEvent)


def check_people(asked_by: str, approved_by: str) -> None:
    """Two people make a release. Raises PrivacyError where there is one."""
    asked, approved = asked_by.strip().casefold(), approved_by.strip().casefold()
    if not asked or not approved or asked == approved:
        raise PrivacyError(
            "a release is asked for by one person and approved by another: name both"
        )


def check_clock(connection: Connection, now: datetime) -> None:
    """Raises PrivacyError where a release is later than now."""
    latest = store.ask(connection, "SELECT COALESCE(MAX(released_at), 0) FROM releases")[0][0]
    if microseconds(now) < latest:
        raise PrivacyError(
            f"the clock says {now:%Y-%m-%d %H:%M}, which is before the last release: set it "
            "right. Nothing was spent"
        )


def microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def check_changes(changes: pl.DataFrame, through: date, lists: CodeLists) -> None:
    """Raises PrivacyError unless these are whole numbers by cell, of days that are over."""
    if changes.schema != CHANGES:
        raise PrivacyError(f"changes: expected the columns {', '.join(CHANGES)}, typed so")
    if changes.null_count().sum_horizontal().item():
        raise PrivacyError("changes: expected no empty value")
    if not changes["event"].is_in(list(EVENTS)).all():
        raise PrivacyError(f"changes: event: expected one of {', '.join(EVENTS)}")
    check_words(changes, lists)
    if changes.height and changes["day"].max() > through:  # type: ignore[operator]
        raise PrivacyError(f"changes: day: expected none after {through}")
    if changes.select(CELL).is_duplicated().any():
        raise PrivacyError("changes: expected each cell once")


def check_words(counts: pl.DataFrame, lists: CodeLists) -> None:
    """Raises PrivacyError where a cell is outside the code lists."""
    for dimension in RELEASE_DIMENSIONS:
        if not counts[dimension].is_in(list(lists.of(dimension))).all():
            raise PrivacyError(
                f"{dimension}: expected words of its code list alone; found another: nothing was "
                "drawn. Add it to the list, or count it as other"
            )


def check_closed(policy: ReleasePolicy, span: Span, period: date, today: date) -> None:
    """Raises PrivacyError unless a period is over and its last revision is past."""
    if period != first_day(span, period):
        raise PrivacyError(f"{period}: expected the first day of a {span.value}")
    until = span.last_day(period) + timedelta(days=policy.month_ages[-1])
    if today <= until:
        raise PrivacyError(
            f"the {span.value} of {period} is open until {until}: a cell key would tell whoever "
            "compares two days that somebody was added. Closed periods only"
        )


def check_untouched(connection: Connection, table: ReleaseTable, method: str) -> None:
    """Raises PrivacyError where the other method has released the same table under any name.

    Re-entries are counts of something else, whatever their dimensions.
    """
    rows = store.ask(
        connection,
        "SELECT DISTINCT release_table, dimensions FROM spends WHERE method = :method",
        method=method,
    )
    for name, dimensions in rows:
        if REENTRIES in (name, table.name):
            continue
        if name == table.name or set(str(dimensions).split()) == set(table.dimensions):
            raise PrivacyError(
                f"table {table.name}: released by the method {method} before. Two methods over one "
                "table would tell more than either: nothing was drawn"
            )
