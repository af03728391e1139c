"""Status changes and outcomes against a slow twin: one stay at a time, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger.fold import STATUSES, count_totals
from sojourn.ledger.statuses import apply_statuses
from sojourn.measure import assign_outcomes
from sojourn.schemas import STAYS, Outcome, StatusKind, StayLimit

START = date(2026, 1, 5)
KNOWN_AT = START + timedelta(days=20)
ENDS = ("naturalised", "deceased")
_RANK = {"pending": 0, "naturalised": 2, "deceased": 2}


@dataclass(frozen=True)
class Stay:
    left: date | None
    limit: str
    until: date | None
    kind: str | None = None
    cls: str = "visit"


@dataclass(frozen=True)
class Change:
    kind: str
    day: date
    learned: int  # hours, for the order
    until: date | None
    cls: str | None


days = st.integers(0, 30).map(lambda n: START + timedelta(days=n))
limits = st.one_of(
    st.tuples(st.just("dated"), days), st.tuples(st.sampled_from(["none", "unknown"]), st.none())
)
stays = st.builds(lambda left, limit: Stay(left, *limit), st.one_of(st.none(), days), limits)
changes = st.builds(
    Change, st.sampled_from([k.value for k in StatusKind]), days, st.integers(0, 9),
    st.one_of(st.none(), days), st.sampled_from([None, "study"]),
)  # fmt: skip


def plain(stay: Stay, told: list[Change]) -> Stay:
    ordered = sorted(told, key=lambda c: (c.day, _RANK.get(c.kind, 1), c.learned))
    for change in ordered:
        stay = plain_one(stay, change)
    return stay


def plain_one(stay: Stay, change: Change) -> Stay:
    if stay.kind in ENDS:
        return stay
    if change.kind in ENDS:
        if stay.left is not None and stay.left <= change.day:
            return stay
        return replace(stay, limit="none", until=stay.until or change.day, kind=change.kind)
    if stay.left is not None and change.day > stay.left:
        return stay
    waiting = stay.kind == "pending"
    if change.kind == "refused":
        if not waiting:
            return stay
        if stay.limit != "dated" or stay.until is None:
            return replace(stay, kind="refused")
        return replace(stay, until=max(stay.until, change.until or change.day), kind="refused")
    late = stay.limit == "dated" and stay.until is not None and change.day > stay.until
    if late and not waiting:
        return stay
    if change.kind == "pending":
        return replace(stay, kind="pending")
    if change.until is not None:
        cls = stay.cls if change.kind == "extension" else change.cls or stay.cls
        return Stay(stay.left, "dated", change.until, change.kind, cls)
    if change.kind == "extension":
        return stay
    return replace(stay, limit="none", until=stay.until or change.day, kind=change.kind)


def plain_outcome(stay: Stay) -> tuple[Outcome, date]:
    if stay.until is None:
        if stay.left is None:
            return Outcome.OPEN_NO_LIMIT, START
        return Outcome.DEPARTED_NO_LIMIT, stay.left
    if stay.limit == "none":
        return Outcome.STATUS_CHANGED, stay.until
    if stay.left is not None and stay.left <= stay.until:
        return Outcome.DEPARTED_IN_TIME, stay.until
    if stay.left is None and stay.until >= KNOWN_AT:
        return Outcome.WITHIN_PERIOD, stay.until
    if stay.kind == "pending":
        return Outcome.STATUS_CHANGED, stay.until
    if stay.left is not None:
        return Outcome.DEPARTED_LATE, stay.until
    return Outcome.NO_DEPARTURE_RECORDED, stay.until


def fast(drawn: list[tuple[Stay, list[Change]]]) -> pl.DataFrame:
    refs = [n.to_bytes(16, "big") for n in range(len(drawn))]
    frame = pl.DataFrame(
        {
            "group": refs,
            "arrival_ref": refs,
            "departure_ref": [r if s.left else None for r, (s, _) in zip(refs, drawn, strict=True)],
            "arrival_date": [START] * len(drawn),
            "departure_date": pl.Series([s.left for s, _ in drawn], dtype=pl.Date),
            "admission_class": [s.cls for s, _ in drawn],
            "authorised_until": pl.Series([s.until for s, _ in drawn], dtype=pl.Date),
            "stay_limit": pl.Series([s.limit for s, _ in drawn], dtype=STAYS.schema["stay_limit"]),
        }
    )
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    rows = [
        (ref, c.day, noon + timedelta(hours=c.learned), c.cls, c.until, c.kind, None)
        for ref, (_, told) in zip(refs, drawn, strict=True) for c in told
    ]  # fmt: skip
    statuses = pl.DataFrame(rows, schema=STATUSES, orient="row")
    groups = pl.DataFrame({"crossing_ref": refs, "group": refs})
    return assign_outcomes(apply_statuses(frame, statuses, groups), KNOWN_AT)


@given(st.lists(st.tuples(stays, st.lists(changes, max_size=5)), min_size=1, max_size=12))
def test_status_changes_and_outcomes_are_as_the_rules_say(
    drawn: list[tuple[Stay, list[Change]]],
) -> None:
    found = fast(drawn)
    wanted = [plain(stay, told) for stay, told in drawn]
    assert found["authorised_until"].to_list() == [s.until for s in wanted]
    assert found["stay_limit"].to_list() == [s.limit for s in wanted]
    assert found["admission_class"].to_list() == [s.cls for s in wanted]
    assert found["status_kind"].to_list() == [s.kind for s in wanted]
    outcomes = list(zip(found["outcome"], found["counts_on"], strict=True))
    assert outcomes == [(o.value, day) for o, day in map(plain_outcome, wanted)]


@given(st.lists(st.tuples(stays, st.lists(changes, max_size=5)), min_size=1, max_size=12))
def test_live_totals_agree_with_outcomes(drawn: list[tuple[Stay, list[Change]]]) -> None:
    found = fast(drawn)
    totals = dict(count_totals(found).group_by("name").agg(pl.col("value").sum()).rows())
    counted = dict(found["outcome"].cast(pl.String).value_counts().rows())
    assert totals.get("departed_in_time", 0) == counted.get("departed_in_time", 0)
    assert totals.get("departed_late", 0) == counted.get("departed_late", 0)
    dated = (pl.col("stay_limit") == StayLimit.DATED) & pl.col("authorised_until").is_not_null()
    assert totals.get("expected_departures", 0) == found.filter(dated).height
