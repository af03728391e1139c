"""From the ledger's stays to cells, and what happens to stays at their horizon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sojourn.encode import Purpose, epoch_of
from sojourn.ledger import Ledger, Purged
from sojourn.measure import count_stays, measure
from sojourn.pipeline.office import Office
from sojourn.schemas import CLOSED_CELLS, COUNTS, VINTAGES, Span


def refresh_measures(office: Office) -> int:
    """Make the cells anew from all stays; returns how many cells were written."""
    with office.open_ledger() as ledger:
        return refresh_with(ledger, office)


def refresh_with(ledger: Ledger, office: Office) -> int:
    ledger.close_days()
    cells = _measure_now(ledger, office, office.clock().date(), tuple(Span))
    ledger.write_measures(cells)
    return cells.height


def _measure_now(
    ledger: Ledger, office: Office, today: date, spans: Sequence[Span]
) -> pl.DataFrame:
    """From the counts that every batch has kept: no stay is looked at."""
    counts, closed = ledger.counts(today), ledger.closed_cells()
    return measure(counts, closed, today, office.policy.measure, spans=spans)


def measure_at(office: Office, known_at: date, spans: Sequence[Span] = tuple(Span)) -> pl.DataFrame:
    """MEASURES as they would have been at the end of ``known_at``.

    Today's are made from the counts. Past months and years from the vintage of that day, where
    there is one that holds: days past the horizon too. (Of periods past theirs, vintages tell the
    end of the month before, with small cells under ``small``.) All else is folded anew. Raises
    HorizonError where no way is left.
    """
    with office.open_ledger() as ledger:
        ledger.close_days()
        if known_at >= office.clock().date():
            return _measure_now(ledger, office, known_at, spans)
        if Span.DAY not in spans and ledger.vintages_kept().hold(known_at):
            counts, closed = _of_vintage(ledger.vintages(), known_at), CLOSED_CELLS.empty()
        else:
            counts, closed = count_stays(ledger.fold(known_at), known_at), ledger.closed_cells()
    return measure(counts, closed, known_at, office.policy.measure, spans=spans)


def first_day(office: Office) -> date | None:
    """The first day of which anything is recorded; None before the first record."""
    with office.open_ledger() as ledger:
        days = ledger.totals()["day"]
    return None if days.is_empty() else days.sort()[0]


def _of_vintage(vintages: pl.DataFrame, known_at: date) -> pl.DataFrame:
    """COUNTS of months: of each cell the last value by then."""
    cell = [n for n in VINTAGES.key if n != "known_at"]
    last = (
        vintages.filter(pl.col("known_at") <= known_at)
        .sort("known_at")
        .unique(cell, keep="last", maintain_order=True)
        .filter(pl.col("value") != 0)
    )
    return COUNTS.conform(last.rename({"period": "counts_on"}).with_columns(noise_variance=0.0))


def purge(office: Office, today: date) -> Purged:
    """The horizon: stays past it live on only in cells; then the keys of dead epochs go too."""
    with office.open_ledger() as ledger:
        return purge_with(ledger, office, today)


def purge_with(ledger: Ledger, office: Office, today: date) -> Purged:
    """The same with an open ledger.

    An empty ledger has nothing to destroy, and its office may still load its history: the keys
    that this needs stay until there is something in it.
    """
    if not ledger.state().batches:
        return Purged(0, 0, 0)
    purged = ledger.purge(today)
    settings = office.policy
    correction = epoch_of(today, settings.encode.reference_epoch_days)
    kept = -(-settings.ledger.correction_days // settings.encode.reference_epoch_days)
    office.keys.destroy_before(Purpose.REFERENCE, max(0, correction - kept))
    return purged
