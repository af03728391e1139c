"""A release: stays as they stood at the close of a day, through the gate, into public figures.

In: an office, the last recorded day that goes in, two people. Out: ``Released``. Days since the
release before go in together, as one increment: each draw adds its noise, so a day's own increment
for each day that nobody released would only blur it. Raises PrivacyError as the gate does, and
HorizonError where rows of that day are gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version

import polars as pl
from sqlalchemy import Engine

from sojourn.errors import HorizonError, UsageError
from sojourn.ledger import Ledger
from sojourn.ledger.engine import open_engine
from sojourn.ledger.horizon import horizon_of
from sojourn.measure import assign_outcomes
from sojourn.pipeline.measuring import first_day
from sojourn.pipeline.office import Office
from sojourn.pipeline.public_estimates import public_estimator
from sojourn.policy import RELEASE_DIMENSIONS
from sojourn.read.nations import KNOWN
from sojourn.release import (
    CellKeyRequest,
    CodeLists,
    Estimator,
    Explanation,
    Gate,
    Plan,
    Request,
    check_people,
    contribute,
    explain,
    place_stays,
    plan_release,
    publish,
    read_spent,
    read_state,
    recount_of,
    unfinished,
)
from sojourn.release.checks import EVENTS
from sojourn.vocabulary import Span


@dataclass(frozen=True)
class Released:
    """What a release did. Nothing in it is an exact count of anything."""

    release_id: str
    through: date
    nodes: int
    figures: int
    epsilon: float  # what it added to a stay's privacy loss
    left: float  # of the year's budget
    finished: tuple[str, ...]  # earlier releases whose figures had not been written


def code_lists(office: Office) -> CodeLists:
    """What a released cell may be: known nationalities, modes, the policy's classes."""
    return CodeLists.build(tuple(KNOWN), office.policy.release)


def plan(office: Office, through: date) -> Plan:
    """What the release through a day costs, before it is made."""
    with _opened(office) as (_, engine):
        return plan_release(office.policy.release, read_spent(engine), [through])


def check_reached(office: Office, through: date) -> None:
    """Raise UsageError where the ledger begins after a day: noise would be drawn of nothing."""
    first = first_day(office)
    if first is None:
        raise UsageError(
            f"nothing is to be released up to {through}: no record has been taken in yet. "
            "Take some in first (sojourn load)"
        )
    if through < first:
        raise UsageError(
            f"nothing is to be released up to {through}: expected {first}, the first day in the "
            "ledger, or a later one. Take such a day"
        )


def make_release(
    office: Office, through: date, asked_by: str, approved_by: str,
    *, estimator: Estimator | None = None,
) -> Released:  # fmt: skip
    """Spend, draw, store, publish. ``estimator``: of what was drawn, free (None: the usual one).

    Earlier releases that were cut off after their draw are published first: their counts are
    drawn, so this draws nothing.
    """
    check_people(asked_by, approved_by)
    settings, lists = office.policy.release, code_lists(office)
    estimator = estimator or public_estimator(office.policy)
    with _opened(office) as (ledger, engine):
        gate = Gate(engine, settings, lists, office.clock)
        finished = []
        for release_id, day in unfinished(engine):
            publish(engine, gate.tables, settings, day, release_id, estimator)
            finished.append(release_id)
        since, state = gate.last_through(), read_state(engine)
        gate.check_day(through, since)
        stays = assign_outcomes(ledger.stays_at_close(through), through)
        places = place_stays(stays, through, lists, horizon_of(office.policy.ledger))
        # In this order: counts that came in between are newer than the day, never older.
        counted_on = ledger.linkage_counted_on()
        done = gate.release(
            Request(through, asked_by, approved_by, run_of(office), office.policy.digest),
            contribute(places, _living(state, places, office.clock().date()), settings),
            since=since,
            recount=recount_of(ledger.linkage(), counted_on, lists),
        )
        figures = publish(engine, gate.tables, settings, through, done.release_id, estimator)
        after = plan_release(settings, read_spent(engine), [through])
    return Released(done.release_id, through, done.nodes, figures, done.epsilon,
                    after.left_before[through.year], tuple(finished))  # fmt: skip


def _living(state: pl.DataFrame, places: pl.DataFrame, today: date) -> pl.DataFrame:
    """STATE without what the day's purge destroys, or has just destroyed: no withdrawal."""
    return state.filter(
        (pl.col("dies_on") > today) | pl.col("crossing_ref").is_in(places["crossing_ref"].implode())
    )


@dataclass(frozen=True)
class ClosedPlan:
    """What the second method would release: nothing of the budget, but no promise either."""

    release_table: str
    span: Span
    period: date
    dimensions: tuple[str, ...]
    cells: int  # of each of the six counts
    reach: int  # a count is changed by so much at most
    threshold: int  # a count under it is not told


def plan_closed_period(
    office: Office, table: str, span: Span, period: date, asked_by: str, approved_by: str
) -> ClosedPlan:
    """What ``release_closed_period`` would do. Raises what it would."""
    settings = office.policy.release
    with _opened(office) as (ledger, engine):
        _check_held(office, ledger, span, period)
        gate = Gate(engine, settings, code_lists(office), office.clock)
        found = gate.check_cell_key(_closed(office, table, span, period, asked_by, approved_by))
    return ClosedPlan(found.name, span, period, found.dimensions, found.cells.height,
                      settings.cell_key_reach, settings.cell_key_threshold)  # fmt: skip


def release_closed_period(
    office: Office, table: str, span: Span, period: date, asked_by: str, approved_by: str
) -> Released:
    """The second method: one closed period of a table that the first method never touched.

    Raises HorizonError where stays of the period may be gone already: it would be too small.
    """
    settings, lists = office.policy.release, code_lists(office)
    today = office.clock().date()
    request = _closed(office, table, span, period, asked_by, approved_by)
    with _opened(office) as (ledger, engine):
        gate = Gate(engine, settings, lists, office.clock)
        # First: who was told to wait for the period's close would find its stays gone then.
        _check_held(office, ledger, span, period)
        gate.check_cell_key(request)
        stays = assign_outcomes(ledger.stays(), today)
        places = place_stays(stays, today, lists, horizon_of(office.policy.ledger))
        figures = gate.release_cell_key(
            request, places.select("crossing_ref", "event", "day", *RELEASE_DIMENSIONS)
        )
        left = plan_release(settings, read_spent(engine), [today]).left_before[today.year]
    return Released(request.release_id, period, len(EVENTS), figures, 0.0, left, ())


def _closed(
    office: Office, table: str, span: Span, period: date, asked_by: str, approved_by: str
) -> CellKeyRequest:
    return CellKeyRequest(
        table, span, period, asked_by, approved_by, run_of(office), office.policy.digest
    )


def _check_held(office: Office, ledger: Ledger, span: Span, period: date) -> None:
    """No stay of the period can have been destroyed. Stays are kept for the horizon's months from
    the end of what they permitted, which is the period's first day at the earliest."""
    purged = ledger.purged_until()
    months = office.policy.ledger.horizon_months
    gone = pl.select(pl.lit(period).dt.offset_by(f"{months}mo")).item()
    if purged is not None and gone <= purged:
        age = office.policy.release.month_ages[-1]
        never = (
            f" It closes {age} days after its end: with a horizon of {months} months its first "
            "stays never last so long."
            if gone <= span.last_day(period) + timedelta(days=age)
            else ""
        )
        raise HorizonError(
            f"the {span.value} of {period}: its first stays are past their horizon ({gone}) and "
            f"gone (last purge {purged}): its counts would be too small.{never} Release its "
            "months, each while its stays are held"
        )


def explain_figure(office: Office, name: str) -> Explanation:
    """How a figure came about: ``sojourn.release.explain``."""
    with _opened(office) as (_, engine):
        return explain(engine, office.policy.release, name, digest=office.policy.digest)


def run_of(office: Office) -> str:
    """Which Sojourn ran when; never which batch: a batch is a flight."""
    try:
        own = version("sojourn")
    except PackageNotFoundError:
        own = "from source"
    return f"sojourn {own} at {office.clock():%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _opened(office: Office) -> Iterator[tuple[Ledger, Engine]]:
    """The ledger, its schema brought up to date, and an engine on the same database."""
    with office.open_ledger() as ledger:
        engine = open_engine(office.statistics_url)
        try:
            yield ledger, engine
        finally:
            engine.dispose()


__all__ = ["ClosedPlan", "Released", "check_reached", "code_lists", "explain_figure",
           "make_release", "plan", "plan_closed_period", "release_closed_period",
           "run_of"]  # fmt: skip
