"""Today and this month: arrivals and departures, completed for reports that are still to come.

In: ``Evidence``, the day. Out: ESTIMATES rows of ARRIVALS and DEPARTURES: the last days in total,
months in total and by mode.

Each source's day is divided by the share of its records that is in by that age (``delays``); what
is to come is negative binomial given what is in, and half as wide again, for days and sources
scatter. A crossing may be in two lists: LISTS says how many crossings a record is, month by
month, and the newest month with enough is used for the days. Departures that nobody ever records
are not in it: these are what sources will tell, not who left. A source that is silent, or whose
clock jumped, takes the days from then on with it.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from sojourn.measure.delays import (
    LONGEST,
    Completeness,
    completeness,
    find_trouble,
    pooled,
)
from sojourn.measure.estimate import Z95
from sojourn.measure.evidence import Evidence
from sojourn.policy import Policy
from sojourn.schemas import ESTIMATES
from sojourn.vocabulary import Direction, Quantity, Span, Standing

DAYS_BACK = 31
LEAST_SHARE = 0.02  # of a day's records: with less in, the day cannot be told
LEAST_RECORDS = 200  # from which delays are learned
EXTRA = 1.5  # dispersion of records to come, in days and sources of an office
_QUANTITY = {
    Direction.ARRIVAL: Quantity.ARRIVALS, Direction.DEPARTURE: Quantity.DEPARTURES,
}  # fmt: skip


def nowcast(evidence: Evidence, known_at: date, policy: Policy, smallest: int) -> pl.DataFrame:
    """ESTIMATES rows; none where nothing was reported."""
    rows: list[dict[str, object]] = []
    trouble = find_trouble(evidence.reporting, known_at)
    quiet_since = min((s.since for s in trouble.silent), default=None)
    for direction, quantity in _QUANTITY.items():
        by_source = completeness(evidence.reporting, known_at, direction)
        whole = pooled(by_source)
        if whole is None:
            continue
        upset = ""
        if trouble.jumped:
            upset = "clock_jumped"
        elif whole.records < LEAST_RECORDS:
            upset = "short_history"
        daily = _daily(evidence.reporting, by_source, known_at, direction)
        each = _crossings_each(evidence.lists, daily, direction, known_at)
        for day, (seen, final, variance, share) in sorted(daily.items()):
            if (known_at - day).days > DAYS_BACK:
                continue
            why = upset or ("source_silent" if _after(day, quiet_since) else "")
            if share < LEAST_SHARE:
                why = why or "too_early"
            rows.append(
                _row(Span.DAY, day, "", quantity, seen * each, final * each,
                     variance * each**2, why, known_at, smallest)
            )  # fmt: skip
        rows += _months(
            evidence.lists, daily, direction, quantity, known_at, upset, quiet_since, smallest
        )
    return ESTIMATES.conform(pl.DataFrame(rows, schema=_ROW)) if rows else ESTIMATES.empty()


_ROW = {
    name: pl.String if isinstance(dtype, pl.Enum) else dtype
    for name, dtype in ESTIMATES.schema.items()
}


def _after(day: date, since: date | None) -> bool:
    return since is not None and day >= since


def _daily(
    reporting: pl.DataFrame, by_source: object, known_at: date, direction: Direction
) -> dict[date, tuple[float, float, float, float]]:
    """By day: records in, records once all are in, variance of these, share in."""
    shares: dict[str, Completeness] = dict(by_source)  # type: ignore[call-overload]
    counted = (
        reporting.filter(
            (pl.col("direction") == direction.value) & (pl.col("event_day") <= known_at)
            & (pl.col("event_day") > known_at - timedelta(days=LONGEST))
        )
        .group_by("event_day", "source").agg(pl.col("records").sum()).sort("event_day", "source")
    )  # fmt: skip
    out: dict[date, tuple[float, float, float, float]] = {}
    for day, source, records in counted.rows():
        if source not in shares:
            continue
        share = max(shares[source].at((known_at - day).days), 1e-3)
        seen, final, variance, _ = out.get(day, (0.0, 0.0, 0.0, 1.0))
        seen, final = seen + records, final + records / share
        variance += records * (1 - share) / share**2 * EXTRA
        out[day] = (seen, final, variance, seen / final)
    return out


def _crossings_each(
    lists: pl.DataFrame, daily: dict[date, tuple[float, float, float, float]],
    direction: Direction, known_at: date,
) -> float:  # fmt: skip
    """Crossings to a record, over the last three months that are over."""
    since = (known_at.replace(day=1) - timedelta(days=92)).replace(day=1)
    held = _crossed(lists, direction).filter(
        (pl.col("period") >= since) & (pl.col("period") < known_at.replace(day=1))
    )
    crossings = float(held["value"].sum() or 0)
    records = sum(d[0] for day, d in daily.items() if since <= day < known_at.replace(day=1))
    return crossings / records if crossings > 0 and records > 0 else 1.0


def _crossed(lists: pl.DataFrame, direction: Direction) -> pl.DataFrame:
    return lists.filter(
        (pl.col("direction") == direction.value) & (pl.col("in_border") | pl.col("in_carrier"))
    )


def _months(
    lists: pl.DataFrame, daily: dict[date, tuple[float, float, float, float]],
    direction: Direction, quantity: Quantity, known_at: date, upset: str,
    quiet_since: date | None, smallest: int,
) -> list[dict[str, object]]:  # fmt: skip
    held = (
        _crossed(lists, direction).group_by("period", "mode").agg(pl.col("value").sum())
        .sort("period", "mode")
    )  # fmt: skip
    out: list[dict[str, object]] = []
    for (month,), part in sorted(held.partition_by("period", as_dict=True).items()):
        if not isinstance(month, date) or month > known_at:
            continue
        inside = [d for day, d in daily.items() if day.replace(day=1) == month]
        seen = sum(d[0] for d in inside)
        factor = sum(d[1] for d in inside) / seen if seen else 1.0
        spread = sum(d[2] for d in inside) / max(seen, 1.0) ** 2
        why = upset if (known_at - month).days < 3 * DAYS_BACK else ""
        last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        why = why or ("source_silent" if _after(last, quiet_since) else "")
        if not why and last >= known_at:
            why = "to_date"
        modes = dict(part.select("mode", "value").rows())
        small = [m for m, v in modes.items() if v < smallest]
        if len(small) == 1 and len(modes) > 1:
            small.append(min((m for m in modes if m not in small), key=lambda m: modes[m]))
        for mode, value in [("", sum(modes.values())), *sorted(modes.items())]:
            base = 0.0 if mode in small else float(value)
            share = value / max(sum(modes.values()), 1)
            noise = spread * value**2 / max(share, 1e-9)
            out.append(
                _row(Span.MONTH, month, mode, quantity, base, base * factor, noise, why,
                     known_at, smallest)
            )  # fmt: skip
    return out


def _row(
    span: Span, period: date, mode: str, quantity: Quantity, seen: float, final: float,
    variance: float, why: str, known_at: date, smallest: int,
) -> dict[str, object]:  # fmt: skip
    small = seen < smallest
    cannot = small or why in ("clock_jumped", "source_silent", "too_early")
    reach = Z95 * float(np.sqrt(max(variance, 0.0)))
    low, high = max(seen, final - reach), final + reach
    standing = (
        Standing.CANNOT if cannot else Standing.WIDENED if why == "short_history" else Standing.MADE
    )
    if why == "short_history":
        high += final - seen + reach
    numbers = (None,) * 5 if cannot else (final, low, high, low, high)
    names = ("value", "lower", "upper", "later_lower", "later_upper")
    return {
        "span": span.value, "period": period, "nationality": "", "mode": mode,
        "admission_class": "", "quantity": quantity.value, "bound_lower": None,
        "bound_upper": None, "standing": standing.value, "why": "small" if small else why,
        "known_at": known_at, **dict(zip(names, numbers, strict=True)),
    }  # fmt: skip
