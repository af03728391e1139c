"""ESTIMATES for tests of reports: honest numbers, parts that sum, every vintage from one truth.

In: a seed, sizes. Out: ESTIMATES of months and years, in total, by nationality, by class and by
both. A later vintage knows more departures than an earlier one; nothing else differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from sojourn.schemas import ESTIMATES, Quantity, Span, Standing

NATIONS = ("ALB", "BRA", "CAN")
CLASSES = ("VISIT", "STUDY", "B1", "CREW")
KNOWN_AT = (date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31))
YEAR = date(2025, 1, 1)


def build_estimates(
    *,
    size: int = 4000,
    seed: int = 1,
    known_at: Sequence[date] = KNOWN_AT,
    nations: Sequence[str] = NATIONS,
    classes: Sequence[str] = CLASSES,
    smallest: int = 10,
) -> pl.DataFrame:
    """``size``: expected departures of the first cell in a month; the others have fewer."""
    rng = np.random.default_rng(seed)
    base = {
        (month, nation, admission): _parts(rng, size // (1 + i) // (1 + 2 * j))
        for month in range(1, 13)
        for i, nation in enumerate(nations)
        for j, admission in enumerate(classes)
    }
    rows = []
    for day in known_at:
        for span in (Span.MONTH, Span.YEAR):
            for nation in ("", *nations):
                for admission in ("", *classes):
                    for month in range(1, 13) if span == Span.MONTH else (1,):
                        picked = [
                            _as_known(parts, date(2025, key[0], 28), day)
                            for key, parts in base.items()
                            if (span == Span.YEAR or key[0] == month)
                            and nation in ("", key[1])
                            and admission in ("", key[2])
                        ]
                        summed = np.sum(picked, axis=0)
                        place = {"span": span.value, "period": date(2025, month, 1),
                                 "nationality": nation, "mode": "", "admission_class": admission,
                                 "known_at": day}  # fmt: skip
                        rows += [{**place, **r} for r in _told(summed, smallest)]
    return ESTIMATES.conform(pl.DataFrame(rows, infer_schema_length=None)).sort(ESTIMATES.key)


def _parts(rng: np.random.Generator, size: int) -> np.ndarray:
    """In time, late, left unrecorded, still here, changed."""
    return rng.multinomial(size, (0.955, 0.004, 0.012, 0.009, 0.02)).astype(float)


def _as_known(parts: np.ndarray, ended: date, day: date) -> np.ndarray:
    """Soon after the end, one in fifty departures is not known yet and looks unrecorded."""
    soon = day - ended < timedelta(days=60)
    late = np.floor(parts[0] * 0.02) if soon else 0.0
    return parts + np.array([-late, 0, late, 0, 0])


def _told(parts: np.ndarray, smallest: int) -> list[dict[str, object]]:
    in_time, late, left, here, changed = (float(p) for p in parts)
    expected = float(parts.sum())
    exact = {
        Quantity.ARRIVALS: expected * 1.1, Quantity.EXPECTED_DEPARTURES: expected,
        Quantity.DEPARTED_IN_TIME: in_time, Quantity.DEPARTED_LATE: late,
        Quantity.STATUS_CHANGED: changed, Quantity.NO_DEPARTURE_RECORDED: left + here,
    }  # fmt: skip
    guessed = {
        Quantity.DEPARTURES: (in_time + late) * 1.01,
        Quantity.LEFT_UNRECORDED: left, Quantity.PROBABLY_STILL_HERE: here,
    }  # fmt: skip
    rates = {Quantity.OVERSTAY_RATE: late + here, Quantity.RECORDED_RATE: late + left + here}
    rows = [_row(q, v, 0.0, smallest) for q, v in exact.items()]
    rows += [_row(q, v, 0.2, smallest) for q, v in guessed.items()]
    for quantity, number in rates.items():
        share = number / expected if expected else 0.0
        rows.append(_row(quantity, share, 0.2, 0))
    return rows


def _row(quantity: Quantity, value: float, width: float, smallest: int) -> dict[str, object]:
    if value < smallest:
        return {"quantity": quantity.value, "standing": Standing.CANNOT.value, "why": "small"}
    return {
        "quantity": quantity.value, "value": value, "lower": value * (1 - width),
        "upper": value * (1 + width), "later_lower": value * (1 - width / 2),
        "later_upper": value * (1 + 2 * width), "standing": Standing.MADE.value, "why": "",
    }  # fmt: skip
