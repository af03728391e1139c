"""From the ledger's stays to cells, and what happens to stays at their horizon."""

from __future__ import annotations

from datetime import date

import polars as pl

from sojourn.encode import Purpose, epoch_of
from sojourn.ledger import Ledger, Purged
from sojourn.measure import assign_outcomes, measure
from sojourn.pipeline.office import Office


def refresh_measures(office: Office) -> int:
    """Make the cells anew from all stays; returns how many cells were written."""
    with office.open_ledger() as ledger:
        return refresh_with(ledger, office)


def refresh_with(ledger: Ledger, office: Office) -> int:
    cells = measure(
        ledger.stays(), ledger.closed_cells(), office.clock().date(), office.policy.measure
    )
    ledger.write_measures(cells)
    return cells.height


def measure_at(office: Office, known_at: date) -> pl.DataFrame:
    """MEASURES as they would have been at the end of ``known_at``."""
    with office.open_ledger() as ledger:
        return measure(
            ledger.fold(known_at), ledger.closed_cells(), known_at, office.policy.measure
        )


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
    purged = ledger.purge(today, assign_outcomes)
    settings = office.policy
    correction = epoch_of(today, settings.encode.reference_epoch_days)
    kept = -(-settings.ledger.correction_days // settings.encode.reference_epoch_days)
    office.keys.destroy_before(Purpose.REFERENCE, max(0, correction - kept))
    return purged
