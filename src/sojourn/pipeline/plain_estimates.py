"""A plain estimate for the example reports: one cause of error, no delays, no revisions.

In: COUNTS and LINKAGE_QUALITY of one year. Out: ESTIMATES of the year, in total, by class, by
nationality, and by both. It knows only departures that were not recorded, whose share it takes
from re-entries by class; its prediction intervals are empty. It stands here until the estimators of
``sojourn.measure`` take over: ``reporting.example_report`` calls it in one place.

Assumes exact counts, that those who come again are like the others (bounds: odds three times
higher or lower), and that late leavers go unrecorded as often as others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.linkage import UNLIKE
from sojourn.schemas import COUNTS, ESTIMATES, Outcome, Quantity, Span, Standing, check_table
from sojourn.vocabulary import LinkageCount, LinkageGroup

DRAWS = 4000
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _Cells:
    """One column per nationality and class; of draws, one row each."""

    nationality: list[str]
    admission_class: list[str]
    in_time: Numbers
    late: Numbers
    still_open: Numbers
    left: Numbers  # draws
    left_late: Numbers  # draws
    left_bounds: tuple[Numbers, Numbers]


def estimate_plainly(
    counts: pl.DataFrame,
    linkage: pl.DataFrame,
    year: date,
    known_at: date,
    smallest: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """ESTIMATES; counts under ``smallest`` are null. Raises SchemaError for other tables."""
    check_table(counts, COUNTS)
    cells = _draw(counts, linkage, rng)
    nations, classes = sorted(set(cells.nationality)), sorted(set(cells.admission_class))
    rows = []
    for nation in ("", *nations):
        for admission in ("", *classes):
            picked = np.array(
                [
                    nation in ("", n) and admission in ("", c)
                    for n, c in zip(cells.nationality, cells.admission_class, strict=True)
                ]
            )
            if picked.any():
                common = {"span": Span.YEAR.value, "period": year, "nationality": nation,
                          "mode": "", "admission_class": admission,
                          "known_at": known_at}  # fmt: skip
                rows += [{**common, **row} for row in _told(cells, picked, smallest)]
    return ESTIMATES.conform(pl.DataFrame(rows, infer_schema_length=None)).sort(ESTIMATES.key)


def _draw(counts: pl.DataFrame, linkage: pl.DataFrame, rng: np.random.Generator) -> _Cells:
    wide = (
        counts.group_by("nationality", "admission_class", "outcome")
        .agg(pl.col("value").sum())
        .with_columns(pl.col("outcome").cast(pl.String))
        .pivot("outcome", index=["nationality", "admission_class"], values="value")
        .fill_null(0.0)
        .sort("nationality", "admission_class")
    )

    def column(outcome: Outcome) -> Numbers:
        held = outcome.value in wide.columns
        return wide[outcome.value].to_numpy() if held else np.zeros(wide.height)

    in_time, late = column(Outcome.DEPARTED_IN_TIME), column(Outcome.DEPARTED_LATE)
    still_open = column(Outcome.NO_DEPARTURE_RECORDED)
    classes = wide["admission_class"].to_list()
    gone = in_time + late
    left = np.zeros((DRAWS, wide.height))
    odds = np.ones(wide.height)
    for name in dict.fromkeys(classes):
        own = np.array([c == name for c in classes])
        closed, back = _reentries(linkage, name)
        left[:, own] = _left(gone[own], closed, back, rng)
        odds[own] = (closed + 0.5) / (back - closed + 0.5)
    left = np.minimum(left, still_open)
    left_late = rng.binomial(left.astype(np.int64), late / np.maximum(gone, 1))
    ends = tuple(np.minimum(gone / (odds * factor), still_open) for factor in (UNLIKE, 1 / UNLIKE))
    return _Cells(
        wide["nationality"].to_list(), classes, in_time, late, still_open,
        left.astype(np.float64), left_late.astype(np.float64), (ends[0], ends[1]),
    )  # fmt: skip


def _left(gone: Numbers, closed: int, back: int, rng: np.random.Generator) -> Numbers:
    """Draws of who left unrecorded, by cell of one class; all cells share the class's coverage.

    Of those who came again it is known how many left unrecorded; only the others are drawn.
    """
    coverage = rng.beta(closed + 0.5, back - closed + 0.5, DRAWS)
    others = np.maximum(gone.sum() - closed, 1)
    unseen = back - closed + rng.negative_binomial(others, coverage)
    shares = np.maximum(gone, 1e-9) / np.maximum(gone, 1e-9).sum()
    return rng.multinomial(unseen, shares).astype(np.float64)


def _reentries(linkage: pl.DataFrame, admission_class: str) -> tuple[int, int]:
    """Closed and all, of every mode of arrival."""
    own = linkage.filter(
        pl.col("group_kind") == LinkageGroup.MODE_CLASS.value,
        pl.col("group_name").str.ends_with(f"/{admission_class}"),
    )
    closed, back = (
        int(own.filter(pl.col("what") == what.value)["value"].sum())
        for what in (LinkageCount.REENTRIES_CLOSED, LinkageCount.REENTRIES)
    )
    return closed, back


def _told(cells: _Cells, picked: NDArray[np.bool_], smallest: int) -> list[dict[str, object]]:
    in_time, late, still_open = (
        float(x[picked].sum()) for x in (cells.in_time, cells.late, cells.still_open)
    )
    expected = in_time + late + still_open
    left = cells.left[:, picked].sum(axis=1)
    here = still_open - left
    rate = (late + cells.left_late[:, picked].sum(axis=1) + here) / expected
    share = late / max(in_time + late, 1.0)
    low_left, high_left = (float(end[picked].sum()) for end in cells.left_bounds)
    bounds = tuple((late + still_open - end * (1 - share)) / expected for end in
                   (high_left, low_left))  # fmt: skip
    plain = {
        Quantity.EXPECTED_DEPARTURES: expected,
        Quantity.DEPARTED_IN_TIME: in_time,
        Quantity.DEPARTED_LATE: late,
        Quantity.NO_DEPARTURE_RECORDED: still_open,
        Quantity.RECORDED_RATE: (late + still_open) / expected,
    }
    drawn: dict[Quantity, Numbers] = {
        Quantity.LEFT_UNRECORDED: left,
        Quantity.PROBABLY_STILL_HERE: here,
        Quantity.OVERSTAY_RATE: rate,
    }
    rows = [_row(q, v, None, smallest) for q, v in plain.items()]
    for quantity, numbers in drawn.items():
        row = _row(quantity, float(numbers.mean()), numbers, smallest)
        if quantity == Quantity.OVERSTAY_RATE and row["value"] is not None:
            low, high = min(bounds[0], float(rate.mean())), max(bounds[1], float(rate.mean()))
            row |= {"bound_lower": low, "bound_upper": high}
        rows.append(row)
    return rows


def _row(
    quantity: Quantity, value: float, numbers: Numbers | None, smallest: int
) -> dict[str, object]:
    counted = quantity not in (Quantity.RECORDED_RATE, Quantity.OVERSTAY_RATE)
    if counted and value < smallest:
        return {"quantity": quantity.value, "value": None, "lower": None, "upper": None,
                "standing": Standing.CANNOT.value, "why": "small"}  # fmt: skip
    ends = (value, value) if numbers is None else np.quantile(numbers, (0.025, 0.975))
    return {
        "quantity": quantity.value, "value": value, "lower": float(min(ends[0], value)),
        "upper": float(max(ends[1], value)), "standing": Standing.MADE.value, "why": "",
    }  # fmt: skip
