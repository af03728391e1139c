"""From draws to the public tables: figures, years, estimates. May be done again after a crash.

In: a release whose counts are drawn. Out: its figures, kept; the release's note says ``made``.
Raises PrivacyError where the release was given up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from itertools import takewhile

import numpy as np
import polars as pl
from sqlalchemy import Engine

from sojourn.policy import ReleasePolicy
from sojourn.release import store
from sojourn.release.again import figures_of, read_reentries
from sojourn.release.assembling import COMPUTED, assemble
from sojourn.release.calendar import first_day, months_of
from sojourn.release.cells import ESTIMATES, REENTRIES, ReleaseTable, reentry_table
from sojourn.release.drawn import Drawn, read_drawn
from sojourn.release.gate import DRAWN, MADE, move_note
from sojourn.release.nodes import Cells, Node, Numbers, node_of, pack, read_nodes, write
from sojourn.release.noise import LEVEL
from sojourn.schemas import FIGURES
from sojourn.vocabulary import Quantity, Span

# What was drawn so far, the months that were drawn now, those of which estimates are told, the
# release's name; into FIGURES.
Estimator = Callable[[Drawn, Sequence[date], AbstractSet[date], str], pl.DataFrame]
HISTORY_MONTHS = 26  # so far back months tell estimators how counts grow
_KEPT = tuple(q.value for q in COMPUTED)


def unfinished(engine: Engine) -> tuple[tuple[str, date], ...]:
    """Releases whose counts are drawn and whose figures are not written: (id, last day)."""
    rows = store.read(
        engine, "SELECT release_id, vintage FROM releases WHERE note = :note ORDER BY vintage",
        note=DRAWN,
    )  # fmt: skip
    return tuple((release_id, date.fromisoformat(day)) for release_id, day in rows)


def publish(
    engine: Engine, tables: Sequence[ReleaseTable], policy: ReleasePolicy, through: date,
    release_id: str, estimator: Estimator | None = None,
) -> int:  # fmt: skip
    """Write the figures of a release; returns how many."""
    made = assemble(engine, tables, policy, through, release_id)[0]
    fresh = {date.fromisoformat(n.period) for n in made if n.span == Span.MONTH.value}
    made += _years(engine, made, through, release_id)
    made += pack(_reentries(engine, tables, policy, through, release_id))
    if estimator is not None and fresh:
        first = first_day(Span.MONTH, through - timedelta(days=31 * HISTORY_MONTHS))
        drawn = read_drawn(engine, tables, min(first, *fresh), through)
        told = _months_told(engine, through)
        made += pack(FIGURES.conform(estimator(drawn, sorted(fresh), told, release_id)))
    with engine.begin() as connection:
        store.lock(connection)
        move_note(connection, release_id, DRAWN, MADE)
        return write(connection, made)


def _months_told(engine: Engine, through: date) -> frozenset[date]:
    """Months of which estimates were published, by their newest vintage. One that could not be
    told has its reason as the method of all its figures."""
    rows = store.read(
        engine, "SELECT period, vintage, method FROM figure_nodes WHERE release_table = :name AND "
        "span = 'month' AND quantity = :size AND vintage < :through ORDER BY vintage",
        name=ESTIMATES, size=Quantity.EXPECTED_DEPARTURES.value, through=through.isoformat(),
    )  # fmt: skip
    newest = {period: vintage for period, vintage, _ in rows}
    return frozenset(
        date.fromisoformat(period)
        for period, vintage, method in rows
        if vintage == newest[period] and method == store.ESTIMATED
    )


def _reentries(
    engine: Engine, tables: Sequence[ReleaseTable], policy: ReleasePolicy, through: date,
    release_id: str,
) -> pl.DataFrame:  # fmt: skip
    drawn = read_reentries(engine, reentry_table(tables[0].lists), through)
    told = store.read(
        engine,
        "SELECT DISTINCT period FROM figure_nodes WHERE release_table = :name",
        name=REENTRIES,
    )
    days = {date.fromisoformat(period) for (period,) in told}
    return figures_of(drawn, policy, through, release_id, days)


def _years(engine: Engine, fresh: Sequence[Node], through: date, release_id: str) -> list[Node]:
    """Years so far, of those that have a new month: sums of their months' last vintages.

    A year is told from January on, as far as months go without a gap; its vintage says when.
    """
    new = [n for n in fresh if n.span == Span.MONTH.value and n.quantity in _KEPT]
    out = []
    for year in dict.fromkeys(n.period[:4] for n in new):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = read_nodes(
                connection, "span = 'month' AND period >= :first AND period <= :last AND "
                "vintage < :vintage AND release_table <> :own", own=ESTIMATES,
                first=f"{year}-01-01", last=f"{year}-12-31", vintage=through.isoformat(),
            )  # fmt: skip
        every = [*(n for n in held if n.quantity in _KEPT),
                 *(n for n in new if n.period[:4] == year)]  # fmt: skip
        latest = {(n.release_table, n.quantity, n.period): n
                  for n in sorted(every, key=lambda n: n.vintage)}  # fmt: skip
        out += _year(latest, date(int(year), 1, 1), through, release_id)
    return out


def _year(
    latest: dict[tuple[str, str, str], Node], year: date, through: date, release_id: str
) -> list[Node]:
    there = {period for _, _, period in latest}
    run = list(takewhile(there.__contains__, (m.isoformat() for m in months_of(year))))
    out = []
    for table, quantity in dict.fromkeys((t, q) for t, q, p in latest if p in run):
        months = [latest[table, quantity, p] for p in run if (table, quantity, p) in latest]
        cells, numbers = _summed(months)
        known = ~np.isnan(numbers[:, 0])
        for kept, method in ((known, store.COMPUTED), (~known, store.LOST)):
            if kept.any():
                head = (table, Span.YEAR.value, year.isoformat(), quantity, through.isoformat(),
                        method)  # fmt: skip
                own = cells if kept.all() else Cells.of(cells.frame.filter(kept))
                out.append(node_of(head, own, numbers[kept], level=LEVEL, epsilon=0.0,
                                   release_id=release_id))  # fmt: skip
    return out


def _summed(months: Sequence[Node]) -> tuple[Cells, Numbers]:
    """NUMBERS of all cells that any of the months has; none where a month's is lost."""
    cells = months[-1].cells
    if len({m.cells.digest for m in months}) > 1:  # code lists changed within the year
        every = pl.concat([cells.frame, *(m.cells.frame for m in months)])
        cells = Cells.of(every.unique(maintain_order=True))
    value, reach, noise = (np.zeros(cells.frame.height) for _ in range(3))
    for month in months:
        same = month.cells.digest == cells.digest
        at = slice(None) if same else [cells.places[w] for w in month.cells.places]
        whole = month.whole()
        value[at] += whole[:, 0]
        # A sum is nearer to normal than its parts: this reach holds at least so often.
        reach[at] += (whole[:, 2] - whole[:, 0]) ** 2
        noise[at] += whole[:, 3] ** 2
    value, reach = np.round(value, 3) + 0.0, np.sqrt(reach)
    return cells, np.stack([value, value - reach, value + reach, np.sqrt(noise)], axis=1)
