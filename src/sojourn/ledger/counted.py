"""What a ledger says in counts alone: no row, no reference, nobody.

The half of the ledger's door behind which nothing is person-level: totals, cells, COUNTS,
VINTAGES, REPORTING, LISTS, how sure linking is, how sources behave. ``store`` has the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from sojourn.errors import LedgerError
from sojourn.ledger import (
    counts,
    estimates,
    linkage,
    lists,
    reporting,
    snapshot,
    sources,
    vintages,
)
from sojourn.ledger.counts import Outcomes
from sojourn.ledger.engine import fetch, open_engine, redact
from sojourn.ledger.notes import note_day, noted_day
from sojourn.ledger.totals import put_outbox
from sojourn.ledger.vintages import Kept
from sojourn.policy import LedgerPolicy
from sojourn.schemas import CLOSED_CELLS

Clock = Callable[[], datetime]
COUNTED_ON = "linkage_counted_on"


class CountedLedger:
    """An open ledger, as far as it counts. Safe to use from one thread at a time."""

    def __init__(self, url: str, policy: LedgerPolicy, clock: Clock, outcomes: Outcomes) -> None:
        self._url, self._policy, self._clock = url, policy, clock
        self._outcomes = outcomes
        self._engine: Engine = open_engine(url)
        self._written = snapshot.nothing_written()
        self._states = counts.Remembered()

    def close(self) -> None:
        self._engine.dispose()

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _noting(self) -> Iterator[Connection]:
        """A transaction whose failure tells no value."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise LedgerError(
                f"the ledger at {redact(self._url)} refused the counts "
                f"({type(error.orig).__name__}): nothing was kept"
            ) from without_values(error)

    # -- writing ---------------------------------------------------------------------------

    def add_linkage(self, found: pl.DataFrame) -> None:
        """Add LINKAGE_QUALITY of decoys to what is kept. Raises LedgerError."""
        with self._noting() as connection:
            linkage.add_counts(connection, found)

    def replace_linkage(self, found: pl.DataFrame) -> None:
        """Put LINKAGE_QUALITY in the place of what is kept; the decoys' counts stay."""
        with self._noting() as connection:
            linkage.replace_counts(connection, found)
            note_day(connection, COUNTED_ON, self._clock().date())
            put_outbox(connection, "linkage", {}, self._clock())

    def write_measures(self, cells: pl.DataFrame) -> int:
        """Replace the snapshot of MEASURES that pages read; returns how many cells changed."""
        with self._noting() as connection:
            self._written, changed = snapshot.write(connection, cells, self._written)
            put_outbox(connection, "measures", {}, self._clock())
        return changed

    def write_estimates(self, made: pl.DataFrame, known_at: date) -> None:
        """Keep ESTIMATES of a day; those that were made earlier on it go."""
        with self._noting() as connection:
            estimates.replace_day(connection, made, known_at)
            put_outbox(connection, "estimates", {}, self._clock())

    def estimates(self) -> pl.DataFrame:
        """ESTIMATES of the newest day, and what is kept of the days before."""
        with self._reading() as connection:
            return estimates.read_estimates(connection)

    def close_days(self) -> int:
        """Write the vintages of days that have ended; returns how many rows. Idempotent."""
        today = self._clock().date()
        with self._noting() as connection:
            reporting.sum_old_days(connection, today)
            return vintages.close_days(connection, today)

    # -- asking ----------------------------------------------------------------------------

    def counts(self, known_at: date) -> pl.DataFrame:
        """COUNTS of the stays that are held, as they are recorded now, at the end of ``known_at``.

        For what was known on a past day: ``vintages``, or a fold that is counted. Closed cells are
        apart (``closed_cells``).
        """
        with self._reading() as connection:
            return counts.counts_at(self._states.read(connection), known_at)

    def vintages(self) -> pl.DataFrame:
        """VINTAGES: months, closed cells among them, as known at the end of each day."""
        with self._reading() as connection:
            return vintages.read_vintages(connection)

    def vintages_kept(self) -> Kept:
        """From when to when there are vintages, and what is doubted."""
        with self._reading() as connection:
            return vintages.read_kept(connection)

    def reporting(self) -> pl.DataFrame:
        """REPORTING: how late each source tells."""
        with self._reading() as connection:
            return reporting.read_reporting(connection)

    def lists(self) -> pl.DataFrame:
        """LISTS: which lists hold a crossing."""
        with self._reading() as connection:
            return lists.read_lists(connection)

    def totals(self) -> pl.DataFrame:
        """day, name, value: what the live page shows."""
        with self._reading() as connection:
            rows = fetch(connection, "SELECT day, name, value FROM live_totals ORDER BY day, name")
        frame = pl.DataFrame(
            [tuple(r) for r in rows],
            schema={"day": pl.String, "name": pl.String, "value": pl.Int64}, orient="row",
        )  # fmt: skip
        return frame.with_columns(pl.col("day").str.to_date()).filter(pl.col("value") != 0)

    def closed_cells(self) -> pl.DataFrame:
        """CLOSED_CELLS: what is left of stays past their horizon."""
        with self._reading() as connection:
            rows = fetch(connection, f"SELECT {', '.join(CLOSED_CELLS.names)} FROM closed_cells")
        schema = CLOSED_CELLS.schema
        return pl.DataFrame([tuple(r) for r in rows], schema=schema, orient="row")

    def quality(self) -> pl.DataFrame:
        """SOURCE_QUALITY: reads, repairs and rejects by source."""
        with self._reading() as connection:
            return sources.read_quality(connection)

    def linkage(self) -> pl.DataFrame:
        """LINKAGE_QUALITY: counts that say how sure linking is."""
        with self._reading() as connection:
            return linkage.read_counts(connection)

    def linkage_counted_on(self) -> date | None:
        """The day (UTC) of the last assessment; None before the first."""
        with self._reading() as connection:
            return noted_day(connection, COUNTED_ON)

    def state(self) -> sources.State:
        """Counts for ``sojourn doctor``: batches, open arrivals, the last commit."""
        with self._reading() as connection:
            return sources.read_state(connection)

    def source_silence(self, now: datetime) -> tuple[sources.Silence, ...]:
        """How long each source has been silent at ``now`` (UTC), beside its usual gap."""
        with self._reading() as connection:
            return sources.read_silence(connection, now)

    def purged_until(self) -> date | None:
        """The day of the last purge."""
        with self._reading() as connection:
            return noted_day(connection, "purged_until")


def without_values(error: DBAPIError) -> BaseException:
    """The driver's message quotes parameters: only its kind goes on."""
    return RuntimeError(type(error.orig).__name__)
