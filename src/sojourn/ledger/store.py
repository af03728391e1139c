"""The ledger's one door: append a batch, ask what is known.

In: ``Batch``es. Out: receipts, STAYS, totals, reports. One transaction holds everything that
belongs to a batch, so a kill at any moment leaves a batch wholly there or not at all, and the
same digest a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from sojourn.errors import HorizonError, LedgerError
from sojourn.ledger import horizon, linkage, projection, sources, upkeep, waiting
from sojourn.ledger.counted import Clock, CountedLedger, without_values
from sojourn.ledger.counts import Outcomes, shift_states
from sojourn.ledger.differences import look_around
from sojourn.ledger.engine import fetch, insert_rows, migrate, redact
from sojourn.ledger.fold import fold_stays
from sojourn.ledger.lists import shift_lists
from sojourn.ledger.notes import noted
from sojourn.ledger.reporting import shift_reporting
from sojourn.ledger.rows import from_rows, to_rows, unpack_keys
from sojourn.ledger.totals import shift_totals, tell
from sojourn.ledger.turns import MARK, Turn, leave_mark, read_mark, take_turn
from sojourn.policy import LedgerPolicy
from sojourn.schemas import ENCODINGS, EVENTS, LINKAGE_QUALITY, STATUS_ENCODINGS

CHUNK = 100_000
EVENT_COLUMNS = EVENTS.names
HELD = ("merged_into", "partner_ref")
WEEK = 7 * 86_400_000_000  # microseconds
EVER = 15_000_000  # weeks: as many as event times can tell
INDEXED = (
    "crossing_ref", "source", "direction", "event_time", "recorded_at", "evidence", "nationality",
    "sex", "admission_class", *HELD,
)  # fmt: skip
# Blobs of keys ride along under a name of their own.
_JOINED = "FROM reports r JOIN match_keys k ON k.crossing_ref = r.crossing_ref"


@dataclass(frozen=True)
class Delivery:
    """One file, or one part of a large file, as a source handed it over."""

    digest: str
    source: str
    received_at: datetime
    records: int  # that could be read
    rejects: pl.DataFrame


@dataclass(frozen=True)
class Batch:
    """What one commit changes: new and corrected reports (ENCODINGS), EVENTS in order, the rest.

    Several small deliveries that wait together may share one commit. ``met``: references of
    status changes that waited and have found their stay. ``turn``: what it was decided from;
    without one it holds whatever else was written.
    """

    deliveries: tuple[Delivery, ...]
    encodings: pl.DataFrame
    events: pl.DataFrame
    quality: pl.DataFrame
    linkage: pl.DataFrame = field(default_factory=LINKAGE_QUALITY.empty)  # counts of decoys
    waiting: pl.DataFrame = field(default_factory=STATUS_ENCODINGS.empty)  # found no stay yet
    met: pl.Series = field(default_factory=lambda: STATUS_ENCODINGS.empty()["status_ref"])
    turn: Turn | None = None


@dataclass(frozen=True)
class Receipt:
    batch_id: int
    digest: str
    records: int
    rejects: int
    committed_at: datetime
    already: bool  # it had been committed before; nothing was changed


def microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def from_microseconds(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1_000_000, UTC)


class Ledger(CountedLedger):
    """An open ledger. A context manager; safe to use from one thread at a time."""

    @classmethod
    def open(cls, url: str, policy: LedgerPolicy, clock: Clock, outcomes: Outcomes) -> Ledger:
        """Open the ledger at ``url``, creating or upgrading its schema and its counts.

        ``outcomes`` says what a stay is counted as (``measure.assign_outcomes``). Raises
        LedgerError where the address, the server or the schema's version is not right.
        """
        ledger = cls(url, policy, clock, outcomes)
        migrate(ledger._engine)
        with ledger._noting() as connection:
            upkeep.bring_up_to_date(connection, outcomes, clock().date())
        return ledger

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- writing ---------------------------------------------------------------------------

    def committed(self, digest: str) -> Receipt | None:
        """The receipt of a batch that is in already."""
        with self._reading() as connection:
            rows = fetch(
                connection,
                "SELECT batch_id, digest, records, rejects, committed_at FROM batches "
                "WHERE digest = ?",
                (digest,),
            )
        if not rows:
            return None
        batch_id, found, records, rejects, at = rows[0]
        return Receipt(batch_id, found, records, rejects, from_microseconds(at), already=True)

    def append(self, batch: Batch) -> tuple[Receipt, ...]:
        """Commit a batch in one transaction; a digest that is there already changes nothing.

        Returns a receipt for each delivery. Raises LedgerError where the database refuses, or
        where one of several deliveries is there already: nothing of the batch is kept then. Raises
        OvertakenError where another writer came before its turn.
        """
        try:
            with self._engine.begin() as connection:
                return self._append(connection, batch)
        except IntegrityError as error:
            done = [self.committed(delivery.digest) for delivery in batch.deliveries]
            if len(done) == 1 and done[0] is not None:
                return (done[0],)
            raise LedgerError(
                "the batch contradicts the ledger (a report recorded twice?): nothing was kept"
            ) from without_values(error)
        except DBAPIError as error:
            raise LedgerError(
                f"the ledger at {redact(self._url)} refused the batch "
                f"({type(error.orig).__name__}): nothing was kept; the file may be sent again"
            ) from without_values(error)

    def count_decoys(self, delivery: Delivery, found: pl.DataFrame) -> Receipt:
        """Keep LINKAGE_QUALITY of a file of decoys, and that the file was here.

        It is no news of its source: state, quality and gaps stay as they are. Raises LedgerError,
        also where the digest is there already.
        """
        with self._noting() as connection:
            linkage.add_counts(connection, found)
            return _note_delivery(connection, delivery, self._clock())

    def _append(self, connection: Connection, batch: Batch) -> tuple[Receipt, ...]:
        now = self._clock()
        if batch.turn is None:
            leave_mark(connection)
        else:
            take_turn(connection, batch.turn)
        upkeep.begin_batch(connection, batch.events, now)
        receipts = tuple(_note_delivery(connection, d, now) for d in batch.deliveries)
        touched = _touched(batch.events)
        before = look_around(connection, touched)
        # Events of deliveries that share a commit bear the first one's number.
        number = receipts[0].batch_id
        rows = [(number, *row) for row in to_rows(batch.events, EVENT_COLUMNS)]
        insert_rows(connection, "events", ("batch_id", *EVENT_COLUMNS), rows)
        projection.apply_events(connection, batch.events, batch.encodings)
        after = look_around(connection, touched)
        days = shift_totals(connection, before.stays, after.stays)
        step = shift_states(connection, before.stays, after.stays, self._outcomes)
        self._states.note(step)
        shift_lists(connection, before.reports, after.reports)
        shift_reporting(connection, before.reports, after.reports)
        rejects = {d.source: 0 for d in batch.deliveries}
        for delivery in batch.deliveries:
            rejects[delivery.source] += delivery.rejects.height
        sources.note_batch(connection, rejects, batch.encodings, batch.quality, now)
        linkage.add_counts(connection, batch.linkage)
        waiting.let_go(connection, batch.met)
        waiting.hold(connection, batch.waiting, self._policy)
        tell(connection, days, now)
        return receipts

    # -- asking ----------------------------------------------------------------------------

    def reports(self, refs: pl.Series) -> pl.DataFrame:
        """ENCODINGS with merged_into and partner_ref, for those of ``refs`` that are known."""
        with self._engine.begin() as connection:
            projection.mark(connection, refs.to_list())
            rows = fetch(
                connection,
                f"SELECT {_columns()} FROM asked a CROSS JOIN reports r CROSS JOIN match_keys k "
                "WHERE a.ref = r.crossing_ref AND k.crossing_ref = r.crossing_ref",
            )
        return _encodings(rows)

    def together(self, refs: pl.Series) -> pl.DataFrame:
        """The same, for every report of the crossings that ``refs`` belong to."""
        with self._engine.begin() as connection:
            found = projection.together(connection, refs.to_list())
        return self.reports(found["crossing_ref"])

    def open_reports(self, since: datetime) -> Iterator[pl.DataFrame]:
        """What the live index starts from: reports without a partner, and all since ``since``.

        INDEXED columns of ENCODINGS alone, merged_into and partner_ref: a million must be read
        while people wait.
        """
        yield from self._stream(
            INDEXED,
            "WHERE (r.partner_ref IS NULL AND r.merged_into IS NULL) OR r.event_time >= ? "
            "ORDER BY r.event_time, r.crossing_ref",
            (microseconds(since),),
        )

    def ended_stays(self, since: date) -> Iterator[pl.DataFrame]:
        """Reports of arrivals whose traveller left on ``since`` or later: crossing_ref, keys."""
        left = (
            "(SELECT d.partner_ref FROM reports d WHERE d.direction = 'departure' "
            "AND d.local_date >= ?)"
        )
        days = ((since - date(1970, 1, 1)).days,)
        for column in ("crossing_ref", "merged_into"):
            yield from self._stream(("crossing_ref",), f"WHERE r.{column} IN {left}", days)

    def weeks(self) -> list[tuple[int, int]]:
        """How many reports the ledger holds of each week, counted from 1970 on; in order."""
        with self._reading() as connection:
            rows = fetch(
                connection,
                f"SELECT event_time / {WEEK}, count(*) FROM reports GROUP BY 1 ORDER BY 1",
            )
        return [(int(week), int(count)) for week, count in rows]

    def all_reports(self, since: int = 0, until: int = EVER) -> Iterator[pl.DataFrame]:
        """Every report before its horizon, of weeks ``since`` to ``until`` (the first, and the
        first not), by event time and reference: ENCODINGS, merged_into and partner_ref.

        Ask for few weeks at a time where each takes long: what is read holds up a purge.
        """
        names = projection.REPORT_COLUMNS
        tail = "WHERE r.event_time >= ? AND r.event_time < ? ORDER BY r.event_time, r.crossing_ref"
        for frame in self._stream(names, tail, (since * WEEK, until * WEEK)):
            whole = frame.with_columns(withdrawn=pl.lit(value=False))
            yield whole.select(*ENCODINGS.names, *HELD)

    def _stream(
        self, names: tuple[str, ...], tail: str, values: tuple[Any, ...]
    ) -> Iterator[pl.DataFrame]:
        picked = ", ".join([*(f"r.{n}" for n in names), "k.keys"])
        sql = f"SELECT {picked} {_JOINED} {tail}"
        if self._engine.dialect.name == "postgresql":
            sql = sql.replace("?", "%s")
        # PostgreSQL streams within a transaction alone; SQLite needs none.
        on_sqlite = self._engine.dialect.name == "sqlite"
        with self._reading() if on_sqlite else self._engine.connect() as connection:
            result = connection.execution_options(yield_per=CHUNK).exec_driver_sql(sql, values)
            if on_sqlite and result.cursor is not None:
                # The driver's own tuples: a wrapper for each row would cost a third of the time.
                while rows := result.cursor.fetchmany(CHUNK):
                    yield _with_keys(rows, names)
            else:
                # A streamed result has its first row in a buffer, which the driver's own cursor
                # does not give again: the oldest report would be lost.
                for part in result.partitions(CHUNK):
                    yield _with_keys([tuple(row) for row in part], names)
            result.close()

    def events(self) -> pl.DataFrame:
        """EVENTS as appended. For the fold; no surface gives them."""
        with self._reading() as connection:
            rows = fetch(
                connection,
                f"SELECT {', '.join(EVENT_COLUMNS)} FROM events ORDER BY sequence",
            )
        return from_rows(rows, EVENT_COLUMNS, EVENTS)

    def fold(self, known_at: date) -> pl.DataFrame:
        """STAYS as known at the end of ``known_at`` (UTC), rebuilt from the events.

        Raises HorizonError for a day before the last purge: its rows are gone.
        """
        self._check_held(known_at, known_at)
        return fold_stays(self.events(), known_at)

    def _check_held(self, known_at: date, needed: date) -> None:
        purged = self.purged_until()
        if purged is not None and needed < purged:
            raise HorizonError(
                f"rows that were known on {known_at} are past their horizon and gone; days from "
                f"{purged} can be asked for, and cells of closed stays for all days"
            )

    def stays(self) -> pl.DataFrame:
        """STAYS as known now, from the projection. Equals the fold of today."""
        with self._reading() as connection:
            return upkeep.everything(connection).stays

    def stays_at_close(self, day: date) -> pl.DataFrame:
        """STAYS as known at the end of ``day``: the present ones, where nothing came after it.

        For releases, which are made on the day after: what that day's purge destroyed is not in
        it, and is in no state of a release either. Raises HorizonError for earlier days.
        """
        after = microseconds(datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1))
        present = self.stays()  # before the question: what came in between is then seen
        with self._reading() as connection:
            rows = fetch(
                connection, "SELECT 1 FROM events WHERE recorded_at >= ? LIMIT 1", (after,)
            )
        if not rows:
            return present
        self._check_held(day, day + timedelta(days=1))
        return fold_stays(self.events(), day)

    def mark(self) -> str:
        """Another after every change of reports, whoever made it: see ``Turn``."""
        with self._reading() as connection:
            found = noted(connection, MARK)
        if found is not None:
            return found
        with self._engine.begin() as connection:
            return read_mark(connection)

    def waiting_changes(self) -> pl.DataFrame:
        """WAITING_CHANGES: status changes that have found no stay yet."""
        with self._reading() as connection:
            return waiting.read_waiting(connection)

    def told_changes(self, refs: pl.Series) -> pl.DataFrame:
        """Of status changes that have a stay, what was told last; EVENTS' columns, as in TOLD."""
        with self._engine.begin() as connection:
            return waiting.read_told(connection, refs)

    # -- the horizon -----------------------------------------------------------------------

    def purge(self, today: date) -> horizon.Purged:
        """Fold every stay past its horizon into cells and destroy its rows and keys."""
        self.close_days()
        return horizon.purge(self._engine, self.stays, self._policy, today, self._outcomes)

    def backup(self, path: Path) -> horizon.BackupNote:
        """A copy of the ledger with a note of the day by which it must be destroyed."""
        return horizon.back_up(self._engine, self.stays(), self._policy, path, self._clock())


def _note_delivery(connection: Connection, delivery: Delivery, now: datetime) -> Receipt:
    counts = (delivery.records, delivery.rejects.height)
    batch_id = fetch(
        connection,
        "INSERT INTO batches (digest, source, received_at, committed_at, records, rejects) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING batch_id",
        (delivery.digest, delivery.source, microseconds(delivery.received_at), microseconds(now),
         *counts),
    )[0][0]  # fmt: skip
    insert_rows(
        connection, "rejects",
        ("batch_id", "file_digest", "position", "reason", "expected"),
        [(batch_id, *row) for row in delivery.rejects.rows()],
    )  # fmt: skip
    return Receipt(batch_id, delivery.digest, *counts, now, already=False)


def _columns() -> str:
    return ", ".join([f"r.{n}" for n in projection.REPORT_COLUMNS] + ["k.keys"])


def _encodings(rows: list[Any]) -> pl.DataFrame:
    keyed = _with_keys([tuple(row) for row in rows], projection.REPORT_COLUMNS)
    return keyed.with_columns(withdrawn=pl.lit(value=False)).select(*ENCODINGS.names, *HELD)


def _with_keys(rows: Sequence[tuple[Any, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    frame = from_rows(rows, names, ENCODINGS, and_blobs=True)
    return frame.with_columns(*unpack_keys([row[-1] for row in rows]))


def _touched(events: pl.DataFrame) -> list[bytes]:
    refs = pl.concat([events["crossing_ref"], events["other_ref"].drop_nulls()])
    found: list[bytes] = refs.unique().to_list()
    return found
