"""How late each source tells: what is still to come, and whether delays can be trusted at all.

In: REPORTING and the day of the question. Out: the share of a day's records that is in by now
(``Completeness``), and sources that are silent, whose clock jumped, or whose delays changed.

Delays of recent events are seen only where they were short, so the plain distribution is too
quick. The reverse-time hazard is free of that: of records with a delay of at most t days, those
of exactly t, among events at least t days old (Lagakos, Barraj & De Gruttola 1988; Kalbfleisch &
Lawless 1989, 1991). The share in by t is the product of one less the hazards beyond t. Assumes
that delays do not change with the event's day; ``changed`` looks whether they did. What comes
later than the longest delay yet seen is not reckoned with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.taken_over import SILENT_SHARE, Monthly, share_at_stop, taken_over
from sojourn.vocabulary import Direction

Array = NDArray[np.float64]

LONGEST = 400
RECENT_DAYS = 28  # delays of events this old at most ...
SETTLE_DAYS = 28  # ... and at least this old are set beside those before
CLEAR = 5.0  # standard errors
JUMPED_SHARE = 0.01
SILENT_TIMES = 4.0  # so many of its usual gaps
LEAST_SILENT_DAYS = 5
HISTORY_DAYS = 60  # so many days' events, learned on one day ...
HISTORY_SHARE = 0.05  # ... and so much of a source: its history
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Completeness:
    """Share of a source's records of a direction that is in, by days since the event."""

    share: Array  # 0 .. LONGEST days
    records: float

    def at(self, days: int) -> float:
        return float(self.share[min(max(days, 0), LONGEST)])

    def days_until(self, share: float) -> int:
        """Days after which that share of records is in."""
        return int(np.argmax(self.share >= min(share, float(self.share[-1]))))

    def recent_mean(self, days: int) -> float:
        """Of events spread evenly over the last ``days``."""
        return float(self.share[: min(max(days, 0), LONGEST) + 1].mean())


@dataclass(frozen=True)
class Silent:
    """A source that should have spoken by now."""

    source: str
    since: date  # the last day of which it told; it may have told so for weeks
    share: float  # of the departures recorded in the months before it stopped


@dataclass(frozen=True)
class Trouble:
    """What makes delays no guide. Days are the first that may be affected."""

    silent: tuple[Silent, ...]
    jumped: tuple[str, ...]
    jumped_share: float
    changed: tuple[str, ...]
    slower: float  # by how much the odds of being late changed, at worst


def reverse_hazards(records: Array) -> Array:
    """Share in by each delay, from a triangle: event days (oldest first; the last is today) x
    delays. Cells that cannot have been seen yet are left out.
    """
    days, delays = records.shape
    age = np.arange(days - 1, -1, -1)
    cumulated = np.cumsum(records, axis=1)
    left = np.ones(delays)
    for delay in range(1, delays):
        old = age >= delay
        upto = cumulated[old, delay].sum()
        left[delay] = 1.0 - records[old, delay].sum() / upto if upto > 0 else 1.0
    beyond = np.cumprod(left[::-1])[::-1]
    return np.asarray(np.append(beyond[1:], 1.0))


def completeness(
    reporting: pl.DataFrame, known_at: date, direction: Direction
) -> Mapping[str, Completeness]:
    """By source. Events after ``known_at`` and delays below nought are left out."""
    out = {}
    for (source,), part in sorted(_usable(reporting, known_at, direction).partition_by(
        "source", as_dict=True
    ).items()):  # fmt: skip
        days = (pl.lit(known_at) - pl.col("event_day")).dt.total_days()
        rows = part.select(days.alias("age"), "delay_days", "records")
        age, delay = rows["age"].to_numpy(), rows["delay_days"].to_numpy()
        longest = min(int(age.max()), LONGEST * 2)
        most = min(int(delay.max()), LONGEST)
        triangle = np.zeros((longest + 1, most + 1))
        np.add.at(
            triangle,
            (longest - np.minimum(age, longest), np.minimum(delay, most)),
            rows["records"].to_numpy(),
        )
        share = np.append(reverse_hazards(triangle), np.ones(LONGEST - most))
        out[str(source)] = Completeness(share, float(triangle.sum()))
    return out


def pooled(by_source: Mapping[str, Completeness]) -> Completeness | None:
    """All sources, weighed by their records; None where there is none."""
    total = sum(c.records for c in by_source.values())
    if total <= 0:
        return None
    share = sum((c.share * (c.records / total) for c in by_source.values()), np.zeros(LONGEST + 1))
    return Completeness(np.asarray(share), total)


def without_history(reporting: pl.DataFrame) -> pl.DataFrame:
    """REPORTING without what a source handed over as its history, and all that happened before.

    Such records were learned on one day whenever they happened: that day says nothing of how late
    the source tells. A day on which so many days' events came at once is taken for one.
    """
    learned = pl.col("event_day") + pl.duration(days=pl.col("delay_days"))
    by_day = reporting.group_by("source", learned=learned).agg(
        pl.col("event_day").n_unique().alias("days"), pl.col("records").sum()
    )
    whole = pl.col("records").sum().over("source")
    loaded = by_day.filter(
        (pl.col("days") >= HISTORY_DAYS) & (pl.col("records") >= HISTORY_SHARE * whole)
    )
    since = loaded.group_by("source").agg(pl.col("learned").max())
    return reporting.join(since, on="source", how="left").filter(
        pl.col("learned").is_null() | (pl.col("event_day") > pl.col("learned"))
    ).drop("learned")  # fmt: skip


def _usable(reporting: pl.DataFrame, known_at: date, direction: Direction) -> pl.DataFrame:
    return without_history(reporting).filter(
        (pl.col("direction") == direction.value)
        & (pl.col("event_day") <= known_at)
        & (pl.col("delay_days") >= 0)
        & (pl.col("event_day") + pl.duration(days=pl.col("delay_days")) <= known_at)
    )


def find_trouble(
    reporting: pl.DataFrame, known_at: date, direction: Direction = Direction.DEPARTURE,
    retired: Collection[str] = (),
) -> Trouble:  # fmt: skip
    """Who fell silent, whose clock jumped, whose delays changed.

    Not silent is whom a new source took over, nor who is ``retired``: stopped for good, and known
    to have.
    """
    gone = without_history(reporting).filter(pl.col("direction") == direction.value)
    total = float(gone["records"].sum() or 0)
    last, jumped, changed, slower, wrong = {}, [], [], 1.0, 0.0
    for (source,), part in sorted(gone.partition_by("source", as_dict=True).items()):
        share = float(part["records"].sum()) / max(total, 1.0)
        odd = part.filter(
            (pl.col("delay_days") < 0)
            | (pl.col("event_day") > known_at)
            | (pl.col("event_day") + pl.duration(days=pl.col("delay_days")) > known_at)
        )
        if float(odd["records"].sum() or 0) > JUMPED_SHARE * float(part["records"].sum()):
            jumped.append(str(source))
            wrong += share
            continue
        if (heard := _silence(part, known_at)) is not None:
            last[str(source)] = _last_day(part, heard)
            continue
        ratio, clear = _change(part, known_at)
        if clear:
            changed.append(str(source))
            slower = max(slower, ratio, 1 / ratio)
    monthly = Monthly.of(gone)
    missed = sorted(last.keys() - taken_over(monthly, last, known_at) - set(retired))
    silent = tuple(Silent(s, last[s], share_at_stop(monthly, s, last[s])) for s in missed)
    return Trouble(silent, tuple(jumped), wrong, tuple(changed), slower)


def _last_day(part: pl.DataFrame, heard: date) -> date:
    """The last event day of which a source told by the day it was last ``heard``."""
    last = part.filter(pl.col("event_day") <= heard)["event_day"].max()
    return last if isinstance(last, date) else heard


def watched_days(reporting: pl.DataFrame, known_at: date, direction: Direction) -> int:
    """For how long every large source has told of what happened since; 0 where one handed over
    its history alone, or none has told anything.
    """
    told = reporting.filter(pl.col("direction") == direction.value)
    by_source = told.group_by("source").agg(pl.col("records").sum())
    large = by_source.filter(pl.col("records") >= SILENT_SHARE * pl.col("records").sum())
    live = _usable(reporting, known_at, direction)
    since = large.join(
        live.group_by("source").agg(pl.col("event_day").min()), on="source", how="left"
    )["event_day"]
    last = since.max()
    return (known_at - last).days if isinstance(last, date) and not since.has_nulls() else 0


def _silence(part: pl.DataFrame, known_at: date) -> date | None:
    """The last day a source was heard, where that is too long ago; None where it is not."""
    heard = (
        (part["event_day"] + pl.Series(part["delay_days"]).cast(pl.Int64) * timedelta(days=1))
        .cast(pl.Date).unique().sort()
    )  # fmt: skip
    gaps = heard.diff().drop_nulls().dt.total_days()
    last = heard.max()
    if not isinstance(last, date):
        return None
    return last if (known_at - last).days > longest_quiet(gaps) else None


def longest_quiet(gaps: pl.Series) -> float:
    """Days for which a source may be quiet and not be silent; ``gaps``: days between those on
    which it was heard.
    """
    usual = float(gaps.quantile(0.95) or 1.0) if len(gaps) else 1.0
    return max(SILENT_TIMES * usual, LEAST_SILENT_DAYS)


def _change(part: pl.DataFrame, known_at: date) -> tuple[float, bool]:
    """Odds ratio of a delay of a week and more (of those up to SETTLE_DAYS), now against before."""
    age = (pl.lit(known_at) - pl.col("event_day")).dt.total_days()
    settled = part.filter((age >= SETTLE_DAYS) & (pl.col("delay_days") <= SETTLE_DAYS))
    usual = _median(settled)
    late = settled.with_columns(
        late=pl.col("delay_days") > usual, now=age < RECENT_DAYS + SETTLE_DAYS
    )

    def number(*, now: bool, late_ones: bool) -> float:
        of = late.filter((pl.col("now") == now) & (pl.col("late") == late_ones))
        return float(of["records"].sum() or 0) + 0.5

    a, b = number(now=True, late_ones=True), number(now=True, late_ones=False)
    c, d = number(now=False, late_ones=True), number(now=False, late_ones=False)
    log_ratio = float(np.log(a * d / (b * c)))
    error = float(np.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    return float(np.exp(log_ratio)), abs(log_ratio) > max(CLEAR * error, float(np.log(1.5)))


def _median(part: pl.DataFrame) -> int:
    by_delay = part.group_by("delay_days").agg(pl.col("records").sum()).sort("delay_days")
    if not by_delay.height:
        return 0
    running = by_delay["records"].cum_sum()
    half = float(running[-1]) / 2
    return int(by_delay.filter(running >= half)["delay_days"][0])
