"""From draws to the public tables: figures, years, estimates. May be done again after a crash.

In: a release whose counts are drawn. Out: rows of ``figures``; the release's note says ``made``.
Raises PrivacyError where the release was given up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import polars as pl
from sqlalchemy import Engine

from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.again import figures_of, read_reentries
from sojourn.release.assembling import COMPUTED, assemble
from sojourn.release.calendar import first_day, months_of
from sojourn.release.cells import ESTIMATES, REENTRIES, ReleaseTable, reentry_table
from sojourn.release.drawn import Drawn, read_drawn
from sojourn.release.gate import DRAWN, MADE, move_note
from sojourn.release.noise import LEVEL
from sojourn.schemas import FIGURES
from sojourn.vocabulary import Span

# What was drawn so far, the months that were drawn now, the release's name; into FIGURES.
Estimator = Callable[[Drawn, Sequence[date], str], pl.DataFrame]
HISTORY_MONTHS = 26  # so far back months tell estimators how counts grow
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
    figures = assemble(engine, tables, policy, through, release_id)[0]
    years = _years(engine, figures, through, release_id)
    parts = [figures, years, _reentries(engine, tables, policy, through, release_id)]
    fresh = figures.filter(pl.col("span") == Span.MONTH.value)["period"].unique().to_list()
    if estimator is not None and fresh:
        first = first_day(Span.MONTH, through - timedelta(days=31 * HISTORY_MONTHS))
        drawn = read_drawn(engine, tables, min(first, *fresh), through)
        parts.append(FIGURES.conform(estimator(drawn, sorted(fresh), release_id)))
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
            "span = 'month' AND period >= :first AND period <= :last AND vintage < :vintage AND "
            "release_table <> :own", first=months[0].isoformat(), last=months[-1].isoformat(),
            vintage=through.isoformat(), own=ESTIMATES,
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
