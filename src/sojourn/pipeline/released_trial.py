"""Do public estimates hold the truth as often as they say? Small countries, released, tell.

In: kinds of country, how many, a seed, policy. Out: one row a cell and country, and ``Line``s: how
often the interval held the truth, how wide it was, how often nothing could be told. Each country's
counts are made noisy as the gate would (the same scales, the same draws at the same ages; by a
generator with a seed in the place of the operating system's randomness), and estimates see the
noisy numbers alone.

    python tools/trial_public_estimates.py --countries 300 --epsilon 1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.noisy import EVENTS, NoisyReentries, Released, Steps
from sojourn.measure.noisy_estimates import estimate_released
from sojourn.policy import Policy, ReleasePolicy
from sojourn.release.calendar import age_of
from sojourn.release.cells import OTHER, REENTRIES, UNKNOWN
from sojourn.release.noise import scale_of, variance_of
from sojourn.simulate.small import NEVER, build_small
from sojourn.simulate.small_counts import NATIONALITIES, SmallOffice
from sojourn.simulate.small_reentries import count_rearrivals
from sojourn.simulate.small_world import CLASSES, MODES, Kind, draw_world
from sojourn.vocabulary import Mode, Outcome, Quantity, Span

Array = NDArray[np.float64]

TRUTH = {
    Quantity.OVERSTAY_RATE: "rate", Quantity.PROBABLY_STILL_HERE: "still_here",
    Quantity.LEFT_UNRECORDED: "unrecorded",
}  # fmt: skip
DAYS = (560, 700)  # of the question, since the country began
_ALL = tuple(m.value for m in Mode)
_CLASSES = (*CLASSES, OTHER, UNKNOWN)
_NATIONS = (*NATIONALITIES, OTHER, UNKNOWN)
_OF = {
    Outcome.DEPARTED_IN_TIME: 1, Outcome.DEPARTED_LATE: 2, Outcome.STATUS_CHANGED: 3,
    Outcome.NO_DEPARTURE_RECORDED: 0,
}  # fmt: skip
_DIMS = ("nationality", "mode", "admission_class")


def draw_laplace(scale: float, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Discrete Laplace noise: the difference of two geometric numbers. For trials alone: what
    leaves an office is drawn by the gate.
    """
    chance = 1.0 - float(np.exp(-1.0 / scale))
    return np.asarray(rng.geometric(chance, shape) - rng.geometric(chance, shape), np.float64)


def release_small(
    office: SmallOffice, day: int, policy: ReleasePolicy, rng: np.random.Generator
) -> Released:
    """What releases would have told by the end of ``day``, had they been made daily."""
    today, ages = office.date_of(day), policy.month_ages
    vintages = office.vintages(day)
    every = sorted(vintages["period"].unique())
    reached = {m: age_of(ages, Span.MONTH, m, today) for m in every}
    months = tuple(m for m in every if reached[m] >= 0)
    age = np.array([reached[m] for m in months], np.int64)
    shape = (len(EVENTS), len(_NATIONS), len(_ALL) * len(_CLASSES))
    upto = np.stack([_exact(vintages, months, a, shape) for a in ages], axis=1)
    drawn = np.arange(len(ages))[None, :] <= age[:, None]  # months x ages
    new = np.diff(upto, axis=1, prepend=0.0) * drawn[:, :, None, None, None]
    month = Span.MONTH
    top, mid, fine = (scale_of(policy, t, month) for t in policy.tables)
    mask = drawn[:, :, None, None, None]
    fine_noise = draw_laplace(fine, new.shape, rng) * mask
    mid_noise = draw_laplace(mid, new.shape[:-1], rng) * mask[..., 0]
    top_noise = draw_laplace(top, new.shape[:-2], rng) * mask[..., 0, 0]
    times = (age + 1.0)[:, None] * np.ones(len(EVENTS))
    cells = (new + fine_noise).sum(axis=1)
    nations = (new.sum(axis=4) + mid_noise).sum(axis=1)
    total = (new.sum(axis=(3, 4)) + top_noise).sum(axis=1)
    spreads = [variance_of(fine) * shape[1] * shape[2], variance_of(mid) * shape[1],
               variance_of(top)]  # fmt: skip
    weights = np.array([1.0 / v for v in spreads])
    noise = (
        weights[0] * fine_noise.sum(axis=(3, 4)) + weights[1] * mid_noise.sum(axis=3)
        + weights[2] * top_noise
    ) / weights.sum()  # fmt: skip
    added = np.where(drawn[:, :, None], new.sum(axis=(3, 4)) + noise, np.nan)
    return Released(
        months, age, len(ages), _NATIONS,
        tuple((m, c) for m in _ALL for c in _CLASSES), cells, times * variance_of(fine), nations,
        times * variance_of(mid), total, times * variance_of(top),
        Steps(added, np.full(added.shape, 1.0 / weights.sum())),
        _reentries(office, day, policy, rng),
    )  # fmt: skip


def _exact(
    vintages: pl.DataFrame, months: Sequence[date], age: int, shape: tuple[int, ...]
) -> Array:
    """Months x EVENTS x nationalities x strata, as known so many days after each month."""
    out = np.zeros((len(months), *shape))
    place = {m: n for n, m in enumerate(months)}
    due = pl.col("period").dt.month_end().dt.offset_by(f"{age}d")
    held = vintages.filter(pl.col("known_at") <= due).sort("known_at")
    latest = held.group_by("period", *_DIMS, "outcome").agg(pl.col("value").last())
    for period, nation, mode, kind, outcome, value in latest.iter_rows():
        if period not in place:
            continue
        at = place[period], _NATIONS.index(nation)
        stratum = _ALL.index(mode) * len(_CLASSES) + _CLASSES.index(kind)
        event = _OF[Outcome(outcome)]
        out[at[0], 0, at[1], stratum] += value  # permission ended: of any outcome
        if event:
            out[at[0], event, at[1], stratum] += value
    return out


def _reentries(
    office: SmallOffice, day: int, policy: ReleasePolicy, rng: np.random.Generator
) -> NoisyReentries:
    months, counts = count_rearrivals(office.country, policy.reentry_days, day)
    scale = scale_of(policy, REENTRIES, Span.MONTH)
    whole = np.zeros((len(months), 2, len(_ALL), len(_CLASSES)))
    for at, mode in enumerate(MODES):
        whole[:, :, _ALL.index(mode), : len(CLASSES)] = counts[:, :, at]
    noisy = (whole + draw_laplace(scale, whole.shape, rng)).reshape(len(months), 2, -1)
    return NoisyReentries(
        months, noisy[:, 0], noisy[:, 1], np.full(len(months), variance_of(scale))
    )


def try_country(
    kind: Kind, country: int, seed: int, policy: Policy, stays: tuple[int, int]
) -> pl.DataFrame:
    """One country: estimates beside the truth. ``stays``: fewest and most, in two and a half
    years.
    """
    rng = np.random.default_rng([seed, list(Kind).index(kind), country])
    world = draw_world(kind, rng)
    size = int(np.exp(rng.uniform(*np.log(stays))))
    office = SmallOffice(build_small(replace(world, stays=size), rng))
    day = int(rng.integers(*DAYS))
    released = release_small(office, day, policy.release, rng)
    made = estimate_released(released, released.months[-13:], policy.estimate, rng)
    truth = _truth(office, day, policy.release, {m.year: m for m in released.months})
    size_of = made.filter(pl.col("quantity") == Quantity.EXPECTED_DEPARTURES.value)
    key = ["span", "period", *_DIMS]
    return (
        made.filter(pl.col("quantity").is_in([q.value for q in TRUTH]))
        .join(size_of.select(*key, expected="value"), on=key)
        .join(truth, on=[*key, "quantity"], how="left")
        .filter(pl.col("truth").is_not_null())
        .with_columns(kind=pl.lit(kind.value), country=pl.lit(country), stays=pl.lit(size))
    )


def _truth(
    office: SmallOffice, day: int, policy: ReleasePolicy, years: dict[int, date]
) -> pl.DataFrame:  # fmt: skip
    """Of months that are over, and of years whose every month is.

    Who is still here is told as of a month's last draw: some of them leave after it.
    """
    c = office.country
    frame = pl.DataFrame(
        {
            "until": pl.Series(c.until).cast(pl.Int32),
            "nationality": pl.Series(NATIONALITIES).gather(c.nation),
            "mode": pl.Series(MODES).gather(c.mode),
            "admission_class": pl.Series(CLASSES).gather(c.kind),
            "left": c.left, "late": c.late & (c.changed == NEVER), "changed": c.changed != NEVER,
            "seen": c.seen,
        }
    )  # fmt: skip
    end, last = pl.col("until").dt.month_end(), office.date_of(day)
    asked = pl.min_horizontal(end.dt.offset_by(f"{policy.month_ages[-1]}d"), pl.lit(last))
    first = (c.world.start - date(1970, 1, 1)).days
    dated = frame.with_columns(until=(pl.col("until") + first).cast(pl.Date))
    gone = pl.col("left") <= (asked - pl.lit(c.world.start)).dt.total_days()
    stays = dated.filter(end < last).with_columns(
        expected=pl.lit(1), overstays=pl.col("late"), still_here=pl.col("late") & ~gone,
        unrecorded=~pl.col("changed") & gone & ~pl.col("seen"),
        month=pl.col("until").dt.truncate("1mo"),
    )  # fmt: skip
    cells = stays.group_by("month", *_DIMS).agg(
        pl.col("expected", "overstays", "still_here", "unrecorded").cast(pl.Int64).sum()
    )
    whole = [y for y, month in years.items() if month.month == 12]
    parts = []
    for span, length in ((Span.MONTH, "1mo"), (Span.YEAR, "1y")):
        kept = cells if span == Span.MONTH else cells.filter(pl.col("month").dt.year().is_in(whole))
        for dims in ((), ("mode",), ("admission_class",), ("nationality",)):
            keys = [pl.col("month").dt.truncate(length).alias("period"),
                    *(pl.col(d) if d in dims else pl.lit("").alias(d) for d in _DIMS)]  # fmt: skip
            summed = kept.group_by(keys).agg(
                pl.col("expected", "overstays", "still_here", "unrecorded").sum()
            )
            parts.append(summed.with_columns(span=pl.lit(span.value)))
    wide = pl.concat(parts).with_columns(rate=pl.col("overstays") / pl.col("expected"))
    return pl.concat(
        [
            wide.select("span", "period", *_DIMS, quantity=pl.lit(q.value),
                        truth=pl.col(name).cast(pl.Float64))
            for q, name in TRUTH.items()
        ]
    )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A group of cells. Widths of rates in points of a hundred; of counts as shares of expected."""

    group: str
    quantity: str
    cells: int
    told: float  # share of cells with a number
    coverage: float
    error: float  # of the coverage, over countries
    width: float
    truth: float
    bias: float


def sum_up(rows: pl.DataFrame) -> list[Line]:
    """By group: in total, by mode, class and nationality; years and months."""
    unit = pl.when(pl.col("quantity") == Quantity.OVERSTAY_RATE.value).then(1.0).otherwise(
        pl.col("expected")
    )  # fmt: skip
    group = (
        pl.when(pl.col("mode") != "").then(pl.lit("mode"))
        .when(pl.col("admission_class") != "").then(pl.lit("class"))
        .when(pl.col("nationality") != "").then(pl.lit("nationality"))
        .otherwise(pl.lit("total"))
    )  # fmt: skip
    judged = rows.with_columns(
        group=group + ", " + pl.col("span"),
        made=pl.col("value").is_not_null(),
        held=((pl.col("truth") >= pl.col("lower") - 1e-9)
              & (pl.col("truth") <= pl.col("upper") + 1e-9)).cast(pl.Float64),
        width=(pl.col("upper") - pl.col("lower")) / unit,
        share=pl.when(pl.col("value").is_not_null()).then(pl.col("truth") / unit),
        apart=(pl.col("value") - pl.col("truth")) / unit,
    )  # fmt: skip
    keys = ["group", "quantity"]
    means = judged.group_by([*keys, "country"]).agg(
        pl.len().alias("cells"), pl.col("made", "held", "width", "share", "apart").mean()
    )
    summed = means.group_by(keys).agg(
        pl.col("cells").sum(), pl.col("made", "width", "share", "apart").mean(),
        held=pl.col("held").mean(),
        error=pl.col("held").std() / pl.col("held").count().sqrt(),
    )  # fmt: skip
    return [
        Line(r["group"], r["quantity"], r["cells"], r["made"], _or_nan(r["held"]),
             _or_nan(r["error"]), _or_nan(r["width"]), _or_nan(r["share"]), _or_nan(r["apart"]))
        for r in summed.sort(keys).to_dicts()
    ]  # fmt: skip


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
