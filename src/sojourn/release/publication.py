"""From draws to the public tables: figures, years, estimates. May be done again after a crash.

In: a release whose counts are drawn. Out: rows of ``figures``; the release's note says ``made``.
Raises PrivacyError where the release was given up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl
from sqlalchemy import Engine

from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.again import figures_of, read_reentries
from sojourn.release.assembling import COMPUTED, Settled, assemble
from sojourn.release.calendar import months_of
from sojourn.release.cells import ALL, REENTRIES, UNKNOWN, ReleaseTable, reentry_table
from sojourn.release.checks import EVENTS
from sojourn.release.gate import DRAWN, MADE, move_note
from sojourn.release.noise import LEVEL
from sojourn.schemas import COUNTS, ESTIMATES, FIGURES
from sojourn.vocabulary import Outcome, Span, StayEvent

# COUNTS of one table's months into ESTIMATES of them: made from noisy counts, so free.
Estimator = Callable[[pl.DataFrame], pl.DataFrame]
_KEPT = tuple(q.value for q in COMPUTED)
_CELL = ("release_table", "span", "period", *RELEASE_DIMENSIONS, "quantity")


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
    figures, settled = assemble(engine, tables, policy, through, release_id)
    years = _years(engine, figures, through, release_id)
    parts = [figures, years, _reentries(engine, tables, policy, through, release_id)]
    if estimator is not None:
        parts += _estimates(settled, estimator, through, release_id)
    whole = pl.concat(parts)
    with engine.begin() as connection:
        store.lock(connection)
        move_note(connection, release_id, DRAWN, MADE)
        store.write(connection, store.figures, store.as_stored(whole))
    return whole.height


def _reentries(
    engine: Engine, tables: Sequence[ReleaseTable], policy: ReleasePolicy, through: date,
    release_id: str,
) -> pl.DataFrame:  # fmt: skip
    drawn = read_reentries(engine, reentry_table(tables[0].lists), through)
    told = store.read(
        engine, "SELECT DISTINCT period FROM figures WHERE release_table = :name", name=REENTRIES
    )
    days = {date.fromisoformat(period) for (period,) in told}
    return figures_of(drawn, policy, through, release_id, days)


def _years(engine: Engine, fresh: pl.DataFrame, through: date, release_id: str) -> pl.DataFrame:
    """Years so far, of those that have a new month: sums of their months' last vintages.

    A year is told from January on, as far as months go without a gap; its vintage says when.
    """
    new = fresh.filter((pl.col("span") == Span.MONTH.value) & pl.col("quantity").is_in(_KEPT))
    parts = []
    for (year,), _ in new.group_by(pl.col("period").dt.year(), maintain_order=True):
        months = months_of(date(int(str(year)), 1, 1))
        held = store.read_figures(
            engine,
            "span = 'month' AND period >= :first AND period <= :last AND vintage < :vintage",
            first=months[0].isoformat(), last=months[-1].isoformat(), vintage=through.isoformat(),
        )  # fmt: skip
        every = pl.concat([held.filter(pl.col("quantity").is_in(_KEPT)), new])
        latest = (
            every.filter(pl.col("period").dt.year() == months[0].year)
            .sort("vintage")
            .unique(_CELL, keep="last", maintain_order=True)
        )
        parts.append(_year(latest, months, through, release_id))
    return pl.concat([FIGURES.empty(), *parts])


def _year(
    months: pl.DataFrame, wanted: Sequence[date], through: date, release_id: str
) -> pl.DataFrame:
    there = set(months["period"].unique())
    run = [m for n, m in enumerate(wanted) if all(w in there for w in wanted[: n + 1])]
    reach = (pl.col("upper") - pl.col("value")).pow(2).sum().sqrt()
    summed = (
        months.filter(pl.col("period").is_in(run))
        .group_by("release_table", *RELEASE_DIMENSIONS, "quantity", maintain_order=True)
        .agg(
            pl.col("value").sum().round(3),
            # A sum is nearer to normal than its parts: this reach holds at least so often.
            reach=reach,
            noise_sd=pl.col("noise_sd").pow(2).sum().sqrt(),
            lost=pl.col("value").is_null().any(),
        )
    )
    known = pl.when(~pl.col("lost"))
    return FIGURES.conform(
        summed.with_columns(value=known.then("value")).with_columns(
            span=pl.lit(Span.YEAR.value), period=pl.lit(wanted[0]), vintage=pl.lit(through),
            lower=pl.col("value") - pl.col("reach"), upper=pl.col("value") + pl.col("reach"),
            noise_sd=known.then("noise_sd"), level=pl.lit(LEVEL), epsilon=pl.lit(0.0),
            method=pl.when("lost").then(pl.lit(store.LOST)).otherwise(pl.lit(store.COMPUTED)),
            release_id=pl.lit(release_id),
        )
    )  # fmt: skip


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
