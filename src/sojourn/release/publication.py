"""From draws to the public tables: figures, years, estimates. May be done again after a crash.

In: a release whose counts are drawn. Out: its figures, kept; the release's note says ``made``.
Raises PrivacyError where the release was given up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import takewhile

import numpy as np
import polars as pl
from sqlalchemy import Engine

from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.assembling import COMPUTED, Settled, assemble
from sojourn.release.calendar import months_of
from sojourn.release.cells import ALL, UNKNOWN, ReleaseTable
from sojourn.release.checks import EVENTS
from sojourn.release.gate import DRAWN, MADE, move_note
from sojourn.release.nodes import Cells, Node, Numbers, node_of, pack, read_nodes, write
from sojourn.release.noise import LEVEL
from sojourn.schemas import COUNTS, ESTIMATES, FIGURES
from sojourn.vocabulary import Outcome, Span, StayEvent

# COUNTS of one table's months into ESTIMATES of them: made from noisy counts, so free.
Estimator = Callable[[pl.DataFrame], pl.DataFrame]
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
    made, settled = assemble(engine, tables, policy, through, release_id)
    made += _years(engine, made, through, release_id)
    if estimator is not None:
        for figures in _estimates(settled, estimator, through, release_id):
            made += pack(figures)
    with engine.begin() as connection:
        store.lock(connection)
        move_note(connection, release_id, DRAWN, MADE)
        return write(connection, made)


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
                "vintage < :vintage",
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


# -- estimates ---------------------------------------------------------------------------------

_OUTCOMES = (
    (Outcome.DEPARTED_IN_TIME, ((StayEvent.LEFT_IN_TIME, 1),)),
    (Outcome.DEPARTED_LATE, ((StayEvent.LEFT_LATE, 1),)),
    (Outcome.STATUS_CHANGED, ((StayEvent.STATUS_CHANGED, 1),)),
    (Outcome.NO_DEPARTURE_RECORDED,
     ((StayEvent.PERMISSION_ENDED, 1), (StayEvent.LEFT_IN_TIME, -1), (StayEvent.LEFT_LATE, -1),
      (StayEvent.STATUS_CHANGED, -1))),
)  # fmt: skip


def counts_of(settled: Settled) -> pl.DataFrame:
    """COUNTS of one period of one table, consistent, with the variance of their noise at most.

    A dimension that the table does not split is ``unknown``: nobody says.
    """
    vintage, parts = settled.vintage, []
    for outcome, made_of in _OUTCOMES:
        places = [EVENTS.index(e.value) for e, _ in made_of]
        if vintage.lost[places].any():
            continue
        value = sum(
            sign * settled.values[at] for at, (_, sign) in zip(places, made_of, strict=True)
        )
        parts.append(
            settled.table.cells.drop("cell").with_columns(
                pl.col(d).replace(ALL, UNKNOWN) for d in RELEASE_DIMENSIONS
            ).with_columns(
                pl.Series("value", value), counts_on=pl.lit(settled.period),
                outcome=pl.lit(outcome.value),
                noise_variance=pl.lit(sum(vintage.variance(p) for p in places)),
            )
        )  # fmt: skip
    return COUNTS.conform(pl.concat(parts)) if parts else COUNTS.empty()


def _estimates(
    settled: Sequence[Settled], estimator: Estimator, through: date, release_id: str
) -> list[pl.DataFrame]:
    """What the estimator says of each table's months, as figures; names already taken excepted."""
    out = []
    for table in dict.fromkeys(s.table for s in settled):
        months = [counts_of(s) for s in settled if s.table == table and s.span == Span.MONTH]
        if not months:
            continue
        found = estimator(pl.concat(months)).select(ESTIMATES.names)
        taken = [*_KEPT, *EVENTS]
        split = [d for d in RELEASE_DIMENSIONS if d in table.dimensions]
        own = pl.all_horizontal(
            *(pl.col(d) != ALL for d in split),
            *(pl.col(d) == ALL for d in RELEASE_DIMENSIONS if d not in split),
        )
        fresh = found.filter(
            ~pl.col("quantity").cast(pl.String).is_in(taken) & own & (pl.col("span") == "month")
        )
        out.append(
            FIGURES.conform(
                fresh.with_columns(
                    release_table=pl.lit(table.name), vintage=pl.lit(through),
                    quantity=pl.col("quantity").cast(pl.String), level=pl.lit(LEVEL),
                    noise_sd=pl.lit(None, pl.Float64), epsilon=pl.lit(0.0),
                    method=pl.lit(store.COMPUTED), release_id=pl.lit(release_id),
                )
            )
        )  # fmt: skip
    return out
