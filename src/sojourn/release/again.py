"""Re-entries: how many who came again had been seen to leave, drawn once for each month.

In: counts of re-entries by month of the second arrival, mode and class of the stay before it
(``Recount``), as the last assessment of linking left them: counts alone, no row of anybody. Out:
the months that are due, exact, for the gate; what was drawn, noisy (``Reentered``); FIGURES.

Who arrives again must have left: the share that was seen to leave tells what share of departures
is recorded and linked, which estimates of overstays need. A month is drawn when it is
``reentry_days`` old and an assessment since then has counted it, and never again, whatever later
assessments say: its nodes have ``ONCE`` in the place of a recorded day, so that the key of
``spends`` forbids a second draw. ``proof.md`` says what a stay can change.

Raises PrivacyError.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from sojourn.errors import PrivacyError
from sojourn.policy import ReleasePolicy
from sojourn.release import store
from sojourn.release.calendar import last_months
from sojourn.release.cells import OTHER, REENTRIES, UNKNOWN, CodeLists, ReleaseTable
from sojourn.release.noise import LEVEL, reach_of, share_of_budget, variance_of
from sojourn.release.series import Lists
from sojourn.schemas import FIGURES
from sojourn.vocabulary import LinkageCount, LinkageGroup, ReentryEvent, Span

Counts = NDArray[np.int64]
ONCE = "once"
REENTRY_EVENTS = (ReentryEvent.SEEN.value, ReentryEvent.NOT_SEEN.value)
RECOUNT = pl.Schema(
    {"period": pl.Date, "mode": pl.String, "admission_class": pl.String, "event": pl.String,
     "count": pl.Int64}
)  # fmt: skip
_CELL = ("period", "mode", "admission_class", "event")


@dataclass(frozen=True)
class Recount:
    """Exact, confidential. ``counted_on``: the day of the assessment; None: there was none."""

    counts: pl.DataFrame  # RECOUNT
    counted_on: date | None


def recount_of(linkage: pl.DataFrame, counted_on: date | None, lists: CodeLists) -> Recount:
    """LINKAGE_QUALITY's re-arrivals, as cells of the code lists. Each lies in one cell."""
    held = linkage.filter(pl.col("group_kind") == LinkageGroup.MODE_CLASS.value).with_columns(
        name=pl.col("group_name").str.splitn("/", 2)
    )
    asked, closed = (
        pl.col("value").filter(pl.col("what").cast(pl.String) == what.value).sum()
        for what in (LinkageCount.REARRIVALS, LinkageCount.REARRIVALS_CLOSED)
    )
    words = held.with_columns(
        mode=pl.col("name").struct.field("field_0"),
        admission_class=pl.col("name").struct.field("field_1").fill_null(UNKNOWN),
    ).with_columns(
        admission_class=pl.when(pl.col("admission_class").is_in(lists.admission_class))
        .then("admission_class").otherwise(pl.lit(OTHER))
    ).filter(pl.col("mode").is_in(lists.mode))  # fmt: skip
    seen, not_seen = REENTRY_EVENTS
    wide = words.group_by("period", "mode", "admission_class").agg(asked=asked, closed=closed)
    wide = wide.select(
        "period", "mode", "admission_class",
        pl.col("closed").alias(seen), (pl.col("asked") - pl.col("closed")).alias(not_seen),
    )  # fmt: skip
    long = wide.unpivot(
        index=["period", "mode", "admission_class"], variable_name="event", value_name="count"
    )
    kept = long.filter(pl.col("count") != 0).cast(RECOUNT).select(list(RECOUNT))
    return Recount(kept.sort(_CELL), counted_on)


def check_recount(recount: Recount | None, lists: CodeLists) -> None:
    """Raises PrivacyError unless these are whole numbers by month and cell of the code lists."""
    if recount is None:
        return
    counts = recount.counts
    if counts.schema != RECOUNT or counts.null_count().sum_horizontal().item():
        raise PrivacyError(f"re-entries: expected the columns {', '.join(RECOUNT)}, none empty")
    for name, known in (("mode", lists.mode), ("admission_class", lists.admission_class),
                        ("event", REENTRY_EVENTS)):  # fmt: skip
        if not counts[name].is_in(list(known)).all():
            raise PrivacyError(f"re-entries: {name}: expected words of its code list alone")
    if counts.select(_CELL).is_duplicated().any() or (counts["count"] < 0).any():
        raise PrivacyError("re-entries: expected each cell once, and no number below none")
    if (counts["period"].dt.day() != 1).any():
        raise PrivacyError("re-entries: period: expected first days of months")


def due_months(
    policy: ReleasePolicy, counted_on: date | None, through: date, drawn: set[date]
) -> tuple[date, ...]:
    """Months that a release through ``through`` draws, in order; ``drawn``: drawn before.

    Neither hangs on what was counted. A month that no assessment has counted since it was old
    enough waits for the next.
    """
    if not policy.reentry_share or counted_on is None:
        return ()
    until = min(through, counted_on) - timedelta(days=policy.reentry_days)
    return tuple(m for m in last_months(policy.first_months, until) if m not in drawn)


def take_reentries(
    connection: Connection, policy: ReleasePolicy, table: ReleaseTable, recount: Recount | None,
    through: date,
) -> tuple[tuple[date, ...], Counts]:  # fmt: skip
    """(the months that are due; their exact counts by month, event and cell). Within the gate's
    transaction: it locks others out.
    """
    drawn = store.ask(
        connection, "SELECT DISTINCT period FROM spends WHERE release_table = :name AND "
        "method = :method", name=table.name, method=store.LAPLACE,
    )  # fmt: skip
    before = {date.fromisoformat(period) for (period,) in drawn}
    due = due_months(policy, recount.counted_on if recount else None, through, before)
    out = np.zeros((len(due), len(REENTRY_EVENTS), table.cells.height), np.int64)
    if recount is None or not due:
        return due, out
    now = recount.counts.filter(pl.col("period").is_in(list(due)))
    placed = table.place(now.with_columns(nationality=pl.lit("")))
    at = {period: n for n, period in enumerate(due)}
    which = {event: n for n, event in enumerate(REENTRY_EVENTS)}
    where = (
        placed["period"].replace_strict(at, return_dtype=pl.Int64).to_numpy(),
        placed["event"].replace_strict(which, return_dtype=pl.Int64).to_numpy(),
        placed["cell"].to_numpy(),
    )
    np.add.at(out, where, placed["count"].to_numpy())
    return due, out


# -- what was drawn ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reentered:
    """Noisy counts of months that were drawn and not lost. Public."""

    table: ReleaseTable
    months: tuple[date, ...]
    counts: Counts  # by month, event (REENTRY_EVENTS) and cell
    scales: tuple[float, ...]  # by month
    releases: tuple[str, ...]  # by month
    lost: tuple[date, ...]  # spent on, and never seen


_NODES = """
SELECT s.period, s.event, s.scale, s.release_id, d.cells, d.counts FROM spends s
JOIN releases r ON r.release_id = s.release_id
LEFT JOIN draws d ON d.release_table = s.release_table AND d.span = s.span
  AND d.period = s.period AND d.recorded = s.recorded AND d.event = s.event
WHERE s.method = 'laplace' AND s.release_table = :name AND s.recorded = :once
  AND r.vintage <= :through ORDER BY s.period
"""


def read_reentries(engine: Engine, table: ReleaseTable, through: date) -> Reentered:
    """All that releases through ``through`` drew."""
    rows = store.read(engine, _NODES, name=table.name, once=ONCE, through=through.isoformat())
    lists, which = Lists(engine, table), {e: n for n, e in enumerate(REENTRY_EVENTS)}
    shape = (len(REENTRY_EVENTS), table.cells.height)
    held: dict[date, Counts] = {}
    about: dict[date, tuple[float, str]] = {}
    lost: set[date] = set()
    for period, event, scale, release_id, cells, counts in rows:
        month = date.fromisoformat(period)
        if counts is None:
            lost.add(month)
            continue
        into = held.setdefault(month, np.zeros(shape, np.int64))
        into[which[event]] = lists.aligned(cells, np.frombuffer(counts, "<i8"))
        about[month] = (float(scale), str(release_id))
    months = tuple(m for m in sorted(held) if m not in lost)
    numbers = np.zeros((len(months), *shape), np.int64)
    for place, month in enumerate(months):
        numbers[place] = held[month]
    return Reentered(
        table, months, numbers, tuple(about[m][0] for m in months),
        tuple(about[m][1] for m in months), tuple(sorted(lost)),
    )  # fmt: skip


def figures_of(
    drawn: Reentered, policy: ReleasePolicy, through: date, release_id: str, told: set[date]
) -> pl.DataFrame:
    """FIGURES of the months that ``release_id`` drew, and of lost ones that are not ``told``."""
    cells = drawn.table.cells.drop("cell")
    parts = [FIGURES.empty()]
    for month, counts, scale, made_by in zip(
        drawn.months, drawn.counts, drawn.scales, drawn.releases, strict=True
    ):
        if made_by == release_id:
            for event, numbers in zip(REENTRY_EVENTS, counts, strict=True):
                parts.append(_rows(cells, month, event, numbers, scale))
    parts += [
        _rows(cells, month, event, None, 0.0)
        for month in drawn.lost
        if month not in told
        for event in REENTRY_EVENTS
    ]
    share = float(share_of_budget(policy, REENTRIES, Span.MONTH))
    dressed = [
        part.with_columns(
            release_table=pl.lit(REENTRIES), span=pl.lit(Span.MONTH.value),
            vintage=pl.lit(through), level=pl.lit(LEVEL), epsilon=pl.lit(share),
            release_id=pl.lit(release_id),
        )
        for part in parts[1:]
    ]  # fmt: skip
    return pl.concat([parts[0], *(FIGURES.conform(part) for part in dressed)])


def _rows(
    cells: pl.DataFrame, month: date, event: str, numbers: Counts | None, scale: float
) -> pl.DataFrame:
    if numbers is None:
        none = pl.lit(None, pl.Float64)
        return cells.with_columns(
            period=pl.lit(month), quantity=pl.lit(event), value=none, lower=none, upper=none,
            noise_sd=none, method=pl.lit(store.LOST),
        )  # fmt: skip
    reach = float(reach_of([scale]))
    return cells.with_columns(
        pl.Series("value", numbers.astype(np.float64)), period=pl.lit(month),
        quantity=pl.lit(event), noise_sd=pl.lit(float(np.sqrt(variance_of(scale)))),
        method=pl.lit(store.LAPLACE),
    ).with_columns(lower=pl.col("value") - reach, upper=pl.col("value") + reach)  # fmt: skip
