"""Today and this month: arrivals and departures, completed for reports that are still to come.

In: ``Evidence``, the day. Out: ESTIMATES rows of ARRIVALS and DEPARTURES: the last days in total,
months in total and by mode.

How many records a day will once have is ``daily``'s. What is to come is taken for a gamma, never
narrower than chance, and its ends are rounded outward to whole records. A crossing may be in two
lists: LISTS says how many crossings a record is, month by month, and the newest months that are
over are used for the days. Departures that nobody ever records are not in it: these are what
sources will tell, not who left. Where sources that should have told have not, and theirs is
SILENT_SHARE of a day or month, or a clock jumped, there is no number; with less, a wider range.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.special import gammaincinv

from sojourn.measure.bounded import ENDS
from sojourn.measure.daily import Days, complete_days, no_days
from sojourn.measure.delays import LONGEST, Trouble, find_trouble, without_history
from sojourn.measure.evidence import Evidence
from sojourn.measure.spans import month_end
from sojourn.measure.taken_over import SILENT_SHARE
from sojourn.measure.triangles import lay_triangles
from sojourn.policy import Policy
from sojourn.schemas import ESTIMATES
from sojourn.vocabulary import Direction, Quantity, Span, Standing

DAYS_BACK = 31
LEAST_SHARE = 0.02  # of a day's records: with less in, the day cannot be told
WIDEST = 1.0  # a range as wide as its number says next to nothing
_QUANTITY = {
    Direction.ARRIVAL: Quantity.ARRIVALS, Direction.DEPARTURE: Quantity.DEPARTURES,
}  # fmt: skip


@dataclass(frozen=True)
class _Told:
    """A day, a month, or a mode's part of it: records, or crossings."""

    seen: float
    final: float
    variance: float
    owed: float = 0.0  # of sources that should have told

    def times(self, factor: float) -> _Told:
        return _Told(
            self.seen * factor, self.final * factor, self.variance * factor**2, self.owed * factor
        )

    def ends(self) -> tuple[float, float]:
        come = max(self.final - self.seen, 0.0)
        if come <= 0:
            return self.seen, self.seen + self.owed
        shape = come**2 / max(self.variance, come)
        low, high = (float(gammaincinv(shape, end)) * come / shape for end in ENDS)
        return self.seen + np.floor(low), self.seen + np.ceil(high) + self.owed


@dataclass(frozen=True)
class _Scene:
    """What all rows of a direction share."""

    quantity: Quantity
    known_at: date
    smallest: int
    days: Days
    trouble: Trouble
    why: str  # of all young rows

    def why_of(self, told: _Told, upset: str) -> tuple[str, bool]:
        """The code, and whether there can be no number."""
        low, high = told.ends()
        why, cannot = upset, True
        if upset == "clock_jumped":
            return why, cannot
        if told.owed > 0 and told.owed >= SILENT_SHARE * (told.final + told.owed):
            why = "source_silent"
        elif told.seen < LEAST_SHARE * told.final or high - low > WIDEST * told.final:
            why = "too_early"
        else:
            cannot = False
            why = "source_silent" if round(told.owed) > 0 else upset
        return why, cannot


def nowcast(evidence: Evidence, known_at: date, policy: Policy, smallest: int) -> pl.DataFrame:
    """ESTIMATES rows; none where nothing was reported."""
    rows: list[dict[str, object]] = []
    for direction, quantity in _QUANTITY.items():
        reporting = evidence.reporting.filter(pl.col("direction") == direction.value)
        if not reporting.height:
            continue
        trouble = find_trouble(
            reporting, known_at, direction, retired=policy.estimate.retired_sources
        )
        laid = lay_triangles(reporting, without_history(reporting), known_at, trouble)
        days = no_days() if laid is None else complete_days(laid, trouble)
        why = "short_history" if days.short else "delays_changed" if days.changed else ""
        if trouble.jumped or days.jumped:
            why = "clock_jumped"
        scene = _Scene(quantity, known_at, smallest, days, trouble, why)
        each = _crossings_each(evidence.lists, days, direction, known_at)
        for ago in range(DAYS_BACK, -1, -1):
            told = _Told(
                float(days.seen[ago]), float(days.final[ago]),
                float(days.variance[ago] + days.common[ago] ** 2), float(days.owed[ago]),
            )  # fmt: skip
            if told.final + told.owed > 0:
                rows.append(_day(scene, known_at - timedelta(days=ago), told, each))
        rows += _months(evidence.lists, scene, direction)
    return ESTIMATES.conform(pl.DataFrame(rows, schema=_ROW)) if rows else ESTIMATES.empty()


_ROW = {
    name: pl.String if isinstance(dtype, pl.Enum) else dtype
    for name, dtype in ESTIMATES.schema.items()
}


def _day(scene: _Scene, day: date, told: _Told, each: float) -> dict[str, object]:
    why, cannot = scene.why_of(told, scene.why)
    whole = told.seen if not cannot else told.final + told.owed
    if whole * each < scene.smallest:
        why, cannot = "small", True
    ends = tuple(each * end for end in told.ends())
    return _row(scene, Span.DAY, day, "", told.final * each, ends, why, cannot=cannot)


def _crossings_each(lists: pl.DataFrame, days: Days, direction: Direction, known_at: date) -> float:
    """Crossings to a record, over the last three months that are over."""
    since = (known_at.replace(day=1) - timedelta(days=92)).replace(day=1)
    held = _crossed(lists, direction).filter(
        (pl.col("period") >= since) & (pl.col("period") < known_at.replace(day=1))
    )
    crossings = float(held["value"].sum() or 0)
    records = float(days.seen[known_at.day : (known_at - since).days + 1].sum())
    return crossings / records if crossings > 0 and records > 0 else 1.0


def _crossed(lists: pl.DataFrame, direction: Direction) -> pl.DataFrame:
    return lists.filter(
        (pl.col("direction") == direction.value) & (pl.col("in_border") | pl.col("in_carrier"))
    )


def _months(lists: pl.DataFrame, scene: _Scene, direction: Direction) -> list[dict[str, object]]:
    held = (
        _crossed(lists, direction).group_by("period", "mode").agg(pl.col("value").sum())
        .sort("period", "mode")
    )  # fmt: skip
    out: list[dict[str, object]] = []
    for (month,), part in sorted(held.partition_by("period", as_dict=True).items()):
        if isinstance(month, date) and month <= scene.known_at:
            out += _month(scene, month, dict(part.select("mode", "value").rows()))
    return out


def _month(scene: _Scene, month: date, modes: dict[str, int]) -> list[dict[str, object]]:
    days, known_at, last = scene.days, scene.known_at, month_end(month)
    inside = slice(max((known_at - last).days, 0), min((known_at - month).days, LONGEST) + 1)
    seen, final, owed = (float(x[inside].sum()) for x in (days.seen, days.final, days.owed))
    own, common = float(days.variance[inside].sum()), float(days.common[inside].sum()) ** 2
    per, total = max(seen, 1.0), max(sum(modes.values()), 1)
    upset = scene.why if (known_at - month).days < 3 * DAYS_BACK else ""
    why, cannot = scene.why_of(_Told(seen, final, own + common, owed), upset)
    if not seen:
        silent = [s for s in scene.trouble.silent if s.share >= SILENT_SHARE and s.since <= last]
        why, cannot = ("source_silent" if silent else upset), bool(silent)
    if not why and last >= known_at:
        why = "to_date"
    small = [m for m, v in modes.items() if v < scene.smallest]
    if len(small) == 1 and len(modes) > 1:
        small.append(min((m for m in modes if m not in small), key=lambda m: modes[m]))
    out = []
    for mode, value in [("", sum(modes.values())), *sorted(modes.items())]:
        # What one mode has of the whole's chance is the less sure the smaller it is.
        variance = (own * total / max(value, 1e-9) + common) / per**2
        told = _Told(1.0, final / per if seen else 1.0, variance, owed / per).times(value)
        hidden = mode in small or value < scene.smallest
        code = "small" if hidden else why
        out.append(
            _row(scene, Span.MONTH, month, mode, told.final, told.ends(), code,
                 cannot=cannot or hidden)
        )  # fmt: skip
    return out


def _row(
    scene: _Scene, span: Span, period: date, mode: str, value: float, ends: tuple[float, ...],
    why: str, *, cannot: bool,
) -> dict[str, object]:  # fmt: skip
    standing = (
        Standing.CANNOT if cannot else Standing.MADE if why in ("", "to_date")
        else Standing.WIDENED
    )  # fmt: skip
    numbers = (None,) * 5 if cannot else (value, *ends, *ends)
    names = ("value", "lower", "upper", "later_lower", "later_upper")
    return {
        "span": span.value, "period": period, "nationality": "", "mode": mode,
        "admission_class": "", "quantity": scene.quantity.value, "bound_lower": None,
        "bound_upper": None, "standing": standing.value, "why": why,
        "known_at": scene.known_at, **dict(zip(names, numbers, strict=True)),
    }  # fmt: skip
