"""What each source had told on each past day, laid out for completing days.

In: REPORTING of one direction, the day of the question. Out: ``Triangles``: by source, how many
records of each of the last days were in after so many days, and the share that is in by then.

The share is ``delays``' (reverse-time hazards), with three things added. Weekdays are told apart,
by the event's, for files that come Monday to Friday; but delays of LATE days and more are learned
from all alike. What comes later than the longest delay that could yet be seen is reckoned with:
delays are taken to fall off as an exponential does from the first half of the history to the
second. And the error of the share is told (Greenwood's).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.delays import LONGEST, Trouble, longest_quiet

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

WINDOW = 182  # days: from these weekdays are learned, and past questions asked
LATE = 28  # days
WEEKDAYS_FROM = 56  # days of history: with fewer, weekdays are not told apart
MOST_TAIL = 0.9  # of records: as good as nothing is known
UNTOLD, UNTOLD_DAYS = 0.01, 92  # share in of such days, where nothing at all is known
STRAY = 0.005  # of records: older ones do not make a history
EXPECTED = 20.0  # records: that none came, where so many should have, is no chance
GAPS = 14  # so many must have been seen to know a source's longest


@dataclass(frozen=True)
class Triangles:
    """Sources x ... Ages are days from the event to the question, 0 .. LONGEST."""

    sources: tuple[str, ...]
    seen: Array  # x age: records in
    known: Array  # x age x days since the event, both below WINDOW: records in by then
    share: Array  # x weekday x days since the event: of records, in by then
    doubt: Array  # the same: squared relative error of the share, were each record by itself
    tail: Array  # share of records that come later than any could yet be seen
    history: Whole  # days
    records: Array
    quiet: Whole  # days since it was last heard, where it should have been; nought elsewhere
    stopped: Whole  # age of the last day of which such a source told; nought elsewhere
    ended: Whole  # the same of sources long gone that ``find_trouble`` does not miss
    weekday: Whole  # by age: the event's

    def share_after(self, days: Whole, ages: Whole) -> tuple[Array, Array]:
        """Share in, and its doubt, after ``days`` of events ``ages`` old (both sources x n)."""
        at = np.clip(days, 0, LONGEST)
        each = np.arange(len(self.sources))[:, None]
        weekday = self.weekday[np.clip(ages, 0, LONGEST)]
        share = np.where(days >= 0, self.share[each, weekday, at], 0.0)
        return share, np.where(days >= 0, self.doubt[each, weekday, at], 0.0)


@dataclass(frozen=True)
class _Rows:
    """One source's, of the last LONGEST days; ``told``: not handed over as a history."""

    age: Whole
    delay: Whole
    records: Array
    told: NDArray[np.bool_]


def lay_triangles(
    reporting: pl.DataFrame, fresh: pl.DataFrame, known_at: date, trouble: Trouble
) -> Triangles | None:
    """``fresh``: REPORTING ``without_history``. None where nothing was told of the last days."""
    rows = _by_source(reporting, fresh, known_at)
    if not rows:
        return None
    weekday = (known_at.weekday() - np.arange(LONGEST + 1)) % 7
    seen: Array = np.stack(
        [np.bincount(r.age, r.records, LONGEST + 1) for r in rows.values()], dtype=np.float64
    )
    known = np.zeros((len(rows), WINDOW, WINDOW))
    share, doubt = np.zeros((2, len(rows), 7, LONGEST + 1))
    tail, history = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    for at, r in enumerate(rows.values()):
        near = (r.age < WINDOW) & (r.delay < WINDOW)
        place = r.age[near] * WINDOW + r.delay[near]
        known[at] = np.bincount(place, r.records[near], WINDOW**2).reshape(WINDOW, WINDOW)
        history[at] = _history(r)
        share[at], doubt[at], tail[at] = _shares(r, known[at], int(history[at]), weekday)
    np.cumsum(known, axis=2, out=known)
    records = np.array([r.records[r.told].sum() for r in rows.values()])
    rate = records / np.maximum(history, 1)
    quiet, over = _quiet(fresh, tuple(rows), rate, known_at, trouble)
    last = np.argmax(seen > 0, axis=1)
    stopped, ended = np.where(quiet > 0, last, 0), np.where(over, last, 0)
    return Triangles(
        tuple(rows), seen, known, share, doubt, tail, history, records, quiet, stopped, ended,
        weekday,
    )  # fmt: skip


def _by_source(reporting: pl.DataFrame, fresh: pl.DataFrame, known_at: date) -> Mapping[str, _Rows]:
    start = fresh.group_by("source").agg(pl.col("event_day").min().alias("start"))
    age = (pl.lit(known_at) - pl.col("event_day")).dt.total_days()
    rows = (
        reporting.lazy()
        .filter(
            (pl.col("event_day") <= known_at)
            & (pl.col("event_day") >= known_at - timedelta(days=LONGEST))
            & (pl.col("delay_days") >= 0)
        )
        .with_columns(age=age, delay=pl.col("delay_days").cast(pl.Int64).clip(0, LONGEST))
        .filter(pl.col("delay_days") <= pl.col("age"))
        .join(start.lazy(), on="source", how="left")
        .select("source", "age", "delay", pl.col("records").cast(pl.Float64),
                told=(pl.col("event_day") >= pl.col("start")).fill_null(value=False))
        .collect()
    )  # fmt: skip
    return {
        str(source): _Rows(*(part[name].to_numpy() for name in ("age", "delay", "records", "told")))
        for (source,), part in sorted(rows.partition_by("source", as_dict=True).items())
    }


def _history(rows: _Rows) -> int:
    """Days over which a source has been watched."""
    by_age = np.cumsum(np.bincount(rows.age[rows.told], rows.records[rows.told]))
    if not by_age.size or by_age[-1] <= 0:
        return 0
    return int(np.argmax(by_age >= (1 - STRAY) * by_age[-1]))


def _shares(
    rows: _Rows, near: Array, history: int, weekday: Whole
) -> tuple[Array, Array, float]:  # fmt: skip
    """Share and doubt (weekday x days since), and what comes later than could be seen."""
    told = rows.told
    if not told.any():
        share = np.where(np.arange(LONGEST + 1) < UNTOLD_DAYS, UNTOLD, 1.0)
        return np.tile(share, (7, 1)), np.zeros((7, LONGEST + 1)), 0.0
    most = int(rows.delay[told].max()) + 1
    place = rows.age[told] * most + rows.delay[told]
    whole = np.bincount(place, rows.records[told], (LONGEST + 1) * most).astype(np.float64)
    new, upto = _watched(whole.reshape(LONGEST + 1, most))
    new, upto = (np.tile(np.append(x, np.zeros(LONGEST + 1 - most)), (7, 1)) for x in (new, upto))
    if history >= WEEKDAYS_FROM:
        oldest = min(int(rows.age[told].max()) + 1, WINDOW)
        for day in range(7):
            new[day, :LATE], upto[day, :LATE] = _watched(
                near[:oldest, :LATE] * (weekday[:oldest] == day)[:, None]
            )
    hazard = np.divide(new, upto, out=np.zeros_like(new), where=upto > 0)
    hazard = np.minimum(hazard, 1 - 1e-6)
    each = np.divide(hazard / (1 - hazard), upto, out=np.zeros_like(new), where=upto > 0)
    share = np.append(_later(np.log1p(-hazard)), np.zeros((7, 1)), axis=1)
    doubt = np.append(_later(each), np.zeros((7, 1)), axis=1)
    share = np.exp(share)
    second = 1 - float(share[:, history // 2].mean())
    # What a few days did not show is not thereby impossible.
    falls = max(second / max(1 - second, 0.05), 1 / (history + 1))
    tail = min(falls**2, MOST_TAIL)
    return share * (1 - tail), doubt, tail


def _watched(records: Array) -> tuple[Array, Array]:
    """By delay, of events that old (age x delay): records of that delay, and of up to it."""
    ages, delays = records.shape
    old = np.arange(ages)[:, None] >= np.arange(delays)
    return (records * old).sum(axis=0), (np.cumsum(records, axis=1) * old).sum(axis=0)


def _later(values: Array) -> Array:
    """Of delays 0, 1, ...: sums over all that are longer, from the first on."""
    return np.asarray(np.cumsum(values[:, :0:-1], axis=1)[:, ::-1])


def _quiet(
    fresh: pl.DataFrame, sources: tuple[str, ...], rate: Array, known_at: date, trouble: Trouble
) -> tuple[Whole, NDArray[np.bool_]]:
    """Days since sources were heard that are silent, or quiet for longer than they ever were;
    and which are quiet for so long that ``find_trouble`` would tell, and did not.

    ``rate``: records a day, by source.
    """
    silent = {s.source for s in trouble.silent}
    learned = pl.col("event_day").to_physical() + pl.col("delay_days")  # since 1970: quicker so
    heard = fresh.lazy().select("source", learned=learned).unique()
    gone = {
        s: np.array(of)
        for s, of in heard.group_by("source").agg(pl.col("learned").sort()).collect().rows()
    }
    today = (known_at - date(1970, 1, 1)).days
    out, over = np.zeros(len(sources), dtype=np.int64), np.zeros(len(sources), dtype=np.bool_)
    for at, source in enumerate(sources):
        if source not in gone:
            continue
        last, gaps = int(today - gone[source][-1]), pl.Series(np.diff(gone[source]))
        told = longest_quiet(gaps)
        longest = float(gaps.tail(WINDOW).max() or 0.0)  # type: ignore[arg-type]
        unheard = len(gaps) >= GAPS and last * rate[at] >= EXPECTED and longest < last <= told
        out[at] = max(last, 0) if source in silent or unheard else 0
        over[at] = last > told and source not in silent
    return out, over
