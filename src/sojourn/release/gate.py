"""The one door through which anything leaves.

In: bounded changes of counts (``contributions``) and a request that two people made. Out: noisy
counts, stored; or a refusal with its reason, and the budget as it was. Order, load-bearing: what
a release spends is committed in a transaction of its own, with what crossings have contributed,
*before* anything is drawn. A crash in between loses those counts for good (they are told as lost),
and no privacy. Whoever comes second finds the primary key taken and is refused.

Raises PrivacyError; AlreadyReleasedError where what is asked for has been released.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial

import numpy as np
import polars as pl
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from sojourn.errors import AlreadyReleasedError, PrivacyError
from sojourn.policy import ReleasePolicy
from sojourn.release import nodes, store
from sojourn.release.again import ONCE, REENTRY_EVENTS, Recount, check_recount, take_reentries
from sojourn.release.budget import Spent, loss_of_year
from sojourn.release.calendar import due_periods, is_open
from sojourn.release.cells import (
    CodeLists,
    ReleaseTable,
    cell_key_tables_of,
    reentry_table,
    tables_of,
)
from sojourn.release.checks import (
    EVENTS,
    check_changes,
    check_clock,
    check_closed,
    check_people,
    check_untouched,
    check_words,
    microseconds,
)
from sojourn.release.closed import as_figures, tally
from sojourn.release.contributions import Contributions
from sojourn.release.mechanisms import Counts, LaplaceNoise, perturb, perturbation_table, record_key
from sojourn.release.noise import bound_of, scale_of
from sojourn.release.requests import CellKeyRequest, Request
from sojourn.release.waiting import WAITING, drop_closed, put_waiting, take_waiting
from sojourn.vocabulary import Span

BEGUN, DRAWN, MADE, LOST = "begun", "drawn", "made", "lost"
# A release that has begun and drawn nothing for so long is given up.
GIVEN_UP_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Block:
    """One table's nodes of one span that are drawn together: exact counts, confidential."""

    table: ReleaseTable
    span: Span
    periods: tuple[date, ...]
    noise: LaplaceNoise
    exact: Counts  # by period, event and cell
    recorded: str
    events: tuple[str, ...] = EVENTS


@dataclass(frozen=True)
class Gated:
    """What a release did."""

    release_id: str
    nodes: int
    cells: int
    epsilon: float  # what it added to a stay's loss
    too_late: int  # changes of periods that are not drawn any more
    dropped: int  # changes above a stay's bound


class Gate:
    """Draws each node once. One for each release; any number of processes may hold one."""

    def __init__(
        self, engine: Engine, policy: ReleasePolicy, lists: CodeLists,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._engine, self._policy, self._clock = engine, policy, clock
        self._lists, self._again = lists, reentry_table(lists)
        self.tables = tables_of(policy, lists)
        self._closed_tables = {t.name: t for t in cell_key_tables_of(policy, lists)}

    def last_through(self) -> date | None:
        """The last recorded day that any release covered."""
        return _last_through(store.read(self._engine, _LAST)[0][0])

    def release(
        self, request: Request, contributions: Contributions, *, since: date | None,
        recount: Recount | None = None,
    ) -> Gated:  # fmt: skip
        """Spend, draw and store. ``since``: ``last_through`` when the state was read.

        Raises PrivacyError where anything is not as it must be; the budget is then unchanged.
        """
        check_people(request.asked_by, request.approved_by)
        tables = self._tables_asked(request.tables)
        check_changes(contributions.changes, request.through, self._lists)
        check_recount(recount, self._lists)
        release_id = f"{store.LAPLACE}-{request.through.isoformat()}"
        try:
            with self._engine.begin() as connection:
                store.lock(connection)
                now = self._check_time(connection, request.through, since)
                _give_up(connection, now)
                blocks, too_late = self._take(
                    connection, tables, contributions.changes, request.through, since
                )
                blocks += self._once(connection, recount, request.through)
                cost = self._spend(connection, blocks, request, release_id, now)
                store.write_state(connection, contributions.state)
        except IntegrityError:
            raise AlreadyReleasedError(
                f"the release through {request.through} has been drawn already: nothing is drawn "
                "twice, and nothing was spent"
            ) from None
        self._draw(blocks, release_id)
        return Gated(
            release_id, sum(len(b.periods) * len(b.events) for b in blocks),
            sum(b.exact.size for b in blocks), cost, too_late, contributions.dropped,
        )  # fmt: skip

    def check_day(self, through: date, since: date | None) -> None:
        """Refuse at once what ``release`` would refuse for its day. Spends nothing."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            self._check_time(connection, through, since)

    def release_cell_key(self, request: CellKeyRequest, records: pl.DataFrame) -> int:
        """One closed period of a table that noise never touched; returns how many figures.

        ``records``: crossing_ref, event, day and dimensions, one for each count that a stay adds.
        Outside differential privacy: see proof.md. Raises PrivacyError.
        """
        check_people(request.asked_by, request.approved_by)
        table = self._closed_table(request)
        inside = records.filter(
            (pl.col("day") >= request.period)
            & (pl.col("day") <= request.span.last_day(request.period))
        )
        check_words(inside, self._lists)
        counts, keys = tally(table, inside, record_key)
        changes = perturbation_table(self._policy.cell_key_reach)
        made = perturb(counts, keys, changes, self._policy.cell_key_threshold)
        try:
            with self._engine.begin() as connection:
                store.lock(connection)
                now = self._clock().astimezone(UTC)
                self._check_closed(connection, request, now)
                _note_release(connection, request.release_id, store.CELL_KEY, 0.0, now,
                              vintage=now.date(), asked=request, note=MADE)  # fmt: skip
                spent = [
                    (table.name, request.span.value, request.period.isoformat(), "closed", event,
                     store.CELL_KEY, " ".join(table.dimensions), now.year, 0.0, 0.0, 0, 0.0,
                     microseconds(now), request.release_id)
                    for event in EVENTS
                ]  # fmt: skip
                store.write(connection, store.spends, store.rows_of(store.spends, spent))
                figures = as_figures(made, table, request.span, request.period, now.date(),
                                     request.release_id, self._policy)  # fmt: skip
                nodes.write_figures(connection, figures)
        except IntegrityError:
            raise AlreadyReleasedError(_said_already(request)) from None
        return figures.height

    def check_cell_key(self, request: CellKeyRequest) -> ReleaseTable:
        """Refuse at once what ``release_cell_key`` would; the table that it would release."""
        check_people(request.asked_by, request.approved_by)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            self._check_closed(connection, request, self._clock().astimezone(UTC))
        return self._closed_table(request)

    # -- what is checked -------------------------------------------------------------------

    def _closed_table(self, request: CellKeyRequest) -> ReleaseTable:
        table = self._closed_tables.get(request.table)
        if table is None or request.span not in table.spans:
            raise PrivacyError(
                f"table {request.table} by {request.span.value}: policy gives the cell key none "
                "such ([release] cell_key_tables; months and years)"
            )
        return table

    def _check_closed(self, connection: Connection, request: CellKeyRequest, now: datetime) -> None:
        check_clock(connection, now)
        check_closed(self._policy, request.span, request.period, now.date())
        check_untouched(connection, self._closed_table(request), store.LAPLACE)
        if store.ask(connection, _MADE_BEFORE, id=request.release_id):
            raise AlreadyReleasedError(_said_already(request))

    def _tables_asked(self, names: tuple[str, ...] | None) -> tuple[ReleaseTable, ...]:
        if names is None:
            return self.tables
        known = {t.name: t for t in self.tables}
        if unknown := sorted(set(names) - set(known)):
            raise PrivacyError(
                f"tables {', '.join(unknown)}: policy releases {', '.join(known)} alone. A wider "
                "table needs a policy that gives it a share of the budget"
            )
        if set(names) != set(known):
            raise PrivacyError(
                "a release draws all of policy's tables together: the others' counts of these "
                "days would be lost"
            )
        return self.tables

    def _check_time(self, connection: Connection, through: date, since: date | None) -> datetime:
        now = self._clock().astimezone(UTC)
        check_clock(connection, now)
        last = _last_through(store.ask(connection, _LAST)[0][0])
        if last is not None and through <= last:
            raise AlreadyReleasedError(
                f"days through {last} have been released: ask for a later day than that"
            )
        if last != since:
            raise PrivacyError("another release came in between: ask again. Nothing was spent")
        if through >= now.date():
            raise PrivacyError(
                f"{through} is not over (UTC): a release goes through {now.date() - _DAY} at most"
            )
        return now

    # -- what is taken and spent -----------------------------------------------------------

    def _take(
        self, connection: Connection, tables: tuple[ReleaseTable, ...], changes: pl.DataFrame,
        through: date, since: date | None,
    ) -> tuple[tuple[Block, ...], int]:  # fmt: skip
        """The exact counts of all nodes that are due; what is not yet due waits."""
        blocks: list[Block] = []
        too_late = 0
        for word in self._policy.spans:
            span = Span(word)
            due = due_periods(self._policy, span, since, through)
            fresh = changes.with_columns(span=pl.lit(word), period=_PERIOD[span]).select(
                *WAITING, "count"
            )
            is_left = partial(is_open, self._policy, span, through=through)
            still_open = {p for p in fresh["period"].unique() if is_left(p)}
            now = pl.col("period").is_in(list(due))
            later = ~now & pl.col("period").is_in(list(still_open))
            too_late += int(fresh.filter(~now & ~later)["count"].abs().sum())
            held = take_waiting(connection, span, due)
            too_late += drop_closed(connection, span, is_left)
            put_waiting(connection, fresh.filter(later))
            counts = pl.concat([fresh.filter(now), held])
            for table in tables:
                if span in table.spans and due:
                    noise = LaplaceNoise.of_scale(scale_of(self._policy, table.name, span))
                    exact = _dense(table, due, counts)
                    blocks.append(Block(table, span, due, noise, exact, through.isoformat()))
        return tuple(blocks), too_late

    def _once(
        self, connection: Connection, recount: Recount | None, through: date
    ) -> tuple[Block, ...]:
        """Months of re-entries that are due and were never drawn."""
        due, exact = take_reentries(connection, self._policy, self._again, recount, through)
        if not due:
            return ()
        noise = LaplaceNoise.of_scale(scale_of(self._policy, self._again.name, Span.MONTH))
        return (Block(self._again, Span.MONTH, due, noise, exact, ONCE, REENTRY_EVENTS),)

    def _spend(
        self, connection: Connection, blocks: tuple[Block, ...], request: Request,
        release_id: str, now: datetime,
    ) -> float:  # fmt: skip
        """Write a row for each node, and what the release adds to the year's loss.

        Raises PrivacyError where that comes to more than the year has.
        """
        year = request.through.year
        spent = list(store.spent_by(connection))
        before = loss_of_year(spent, year)
        nodes: list[tuple[object, ...]] = []
        for block in blocks:
            name, unit = block.table.name, block.noise.loss(1)
            bound = bound_of(self._policy, name)
            check_untouched(connection, block.table, store.CELL_KEY)
            was = loss_of_year(spent, year)
            spent.append(Spent(year, name, block.span.value, unit, bound))
            added = float(loss_of_year(spent, year) - was)
            for period in block.periods:
                for event in block.events:
                    nodes.append((
                        name, block.span.value, period.isoformat(), block.recorded, event,
                        store.LAPLACE, " ".join(block.table.dimensions), year, added, unit,
                        bound, block.noise.scale, microseconds(now), release_id,
                    ))  # fmt: skip
                    added = 0.0
        after, budget = loss_of_year(spent, year), Fraction(str(self._policy.epsilon_per_year))
        if after > budget:
            raise PrivacyError(
                f"this release would bring {year} to a privacy loss of {float(after):.6g}, policy "
                f"allows {float(budget):.6g} and {float(before):.6g} is spent: nothing was drawn. "
                "Policy may have changed within the year: go back to the one before"
            )
        cost = float(after - before)
        _note_release(connection, release_id, store.LAPLACE, cost, now, vintage=request.through,
                      asked=request, note=BEGUN)  # fmt: skip
        store.write(connection, store.spends, store.rows_of(store.spends, nodes))
        return cost

    # -- what is drawn ---------------------------------------------------------------------

    def _draw(self, blocks: tuple[Block, ...], release_id: str) -> None:
        rows: list[tuple[object, ...]] = []
        for block in blocks:
            noisy, digest = block.noise.add(block.exact).astype("<i8"), block.table.digest
            for at, period in enumerate(block.periods):
                for which, event in enumerate(block.events):
                    rows.append((block.table.name, block.span.value, period.isoformat(),
                                 block.recorded, event, digest,
                                 noisy[at, which].tobytes()))  # fmt: skip
        with self._engine.begin() as connection:
            store.lock(connection)
            for table in dict.fromkeys(b.table for b in blocks):
                nodes.note_cells(connection, table.digest, table.cells)
            store.write(connection, store.draws, store.rows_of(store.draws, rows))
            move_note(connection, release_id, BEGUN, DRAWN)


_DAY = timedelta(days=1)
_PERIOD = {Span.DAY: pl.col("day"), Span.MONTH: pl.col("day").dt.month_start()}
_LAST = "SELECT MAX(vintage) FROM releases WHERE method = 'laplace'"
_MADE_BEFORE = "SELECT 1 FROM releases WHERE release_id = :id"


def _said_already(request: CellKeyRequest) -> str:
    return f"{request.release_id} is released already: nothing is released twice"


def move_note(connection: Connection, release_id: str, before: str, after: str) -> None:
    """Move a release on. Raises PrivacyError where another process gave it up meanwhile."""
    found = store.ask(
        connection,
        "UPDATE releases SET note = :after WHERE release_id = :id AND note = :before "
        "RETURNING release_id",
        id=release_id, before=before, after=after,
    )  # fmt: skip
    if not found:
        raise PrivacyError(
            f"the release {release_id} was given up before it was done: what it spent is lost"
        )


def _give_up(connection: Connection, now: datetime) -> None:
    """A release that was cut off after it had spent: its counts are lost. One that is still
    being made keeps others waiting."""
    for release_id, at in store.ask(
        connection, "SELECT release_id, released_at FROM releases WHERE note = 'begun'"
    ):
        if datetime.fromtimestamp(at / 1e6, UTC) + GIVEN_UP_AFTER > now:
            raise PrivacyError(
                "another release is being made, or was cut off just now: try again in ten "
                "minutes. Nothing was spent"
            )
        move_note(connection, release_id, BEGUN, LOST)


def _dense(table: ReleaseTable, due: tuple[date, ...], counts: pl.DataFrame) -> Counts:
    """Counts by period, event and cell: every cell there is, most of them nothing."""
    placed = table.place(counts)
    out = np.zeros((len(due), len(EVENTS), table.cells.height), np.int64)
    at = {period: n for n, period in enumerate(due)}
    which = {event: n for n, event in enumerate(EVENTS)}
    where = (
        placed["period"].replace_strict(at, return_dtype=pl.Int64).to_numpy(),
        placed["event"].replace_strict(which, return_dtype=pl.Int64).to_numpy(),
        placed["cell"].to_numpy(),
    )
    np.add.at(out, where, placed["count"].to_numpy())
    return out


def _note_release(
    connection: Connection, release_id: str, method: str, cost: float, now: datetime,
    *, vintage: date, asked: Request | CellKeyRequest, note: str,
) -> None:  # fmt: skip
    row = (release_id, microseconds(now), vintage.isoformat(), asked.policy_digest, method, cost,
           asked.asked_by, asked.approved_by, note, asked.run)  # fmt: skip
    store.write(connection, store.releases, store.rows_of(store.releases, [row]))


def _last_through(found: str | None) -> date | None:
    return date.fromisoformat(found) if found else None
