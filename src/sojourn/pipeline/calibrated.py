"""What a calibration found, summed up: coverage and its error, width, bias, score.

In: one row a cell and country: value, intervals, truth, final vintage. Out: ``Summary``.
Shares are over countries first: a country's cells are not independent of each other, so errors
are of countries' means. The weighted interval score is that of one central 95% interval and the
median (Bracher et al. 2021), as a share of the number expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from sojourn.measure.spans import LENGTH
from sojourn.vocabulary import Quantity, Span, Standing

ALPHA = 0.05
LEAST_EXPECTED = 100.0  # stays: smaller cells are not judged
LEAST_CELLS = 50
RECENT_MONTHS = 3


@dataclass(frozen=True)
class Line:
    """A group of cells of one kind of country. Rates are shares of expected departures."""

    kind: str
    group: str  # total, year; air, year; ...
    quantity: str
    cells: int
    cannot: float  # share of cells without a number
    widened: float
    coverage: float  # of the truth, by the confidence interval
    coverage_error: float
    later_coverage: float  # of the final vintage, by the prediction interval
    later_coverage_error: float
    in_bounds: float  # truth within the bounds
    width: float  # mean, as a share of the number expected
    later_width: float
    truth: float  # mean share
    bias: float  # mean estimate less truth, as a share of the mean truth
    bias_error: float
    revision: float  # mean size of later less now, as a share of the number expected
    score: float  # weighted interval score
    naive_bias: float


@dataclass(frozen=True)
class Summary:
    countries: Mapping[str, int]
    lines: tuple[Line, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"countries": dict(self.countries), "lines": [asdict(line) for line in self.lines]}

    def worst(self, kind: str) -> Line | None:
        """The stratum (mode or class, year) whose confidence interval held the truth least."""
        held = [
            line for line in self.lines
            if line.kind == kind and line.quantity == Quantity.OVERSTAY_RATE.value
            and line.group.endswith(", year") and not line.group.startswith("total")
        ]  # fmt: skip
        return min(held, key=lambda line: line.coverage, default=None)


def summarise(cells: pl.DataFrame, countries: Mapping[Any, int]) -> Summary:
    """Lines by kind, quantity and group: in total, by mode and class, nationalities together."""
    rate = pl.col("quantity") == Quantity.OVERSTAY_RATE.value
    unit = pl.when(rate).then(1.0).otherwise(pl.col("expected"))
    made = cells.filter(pl.col("expected") >= LEAST_EXPECTED).with_columns(
        group=_group(),
        **{
            n: pl.col(n) / unit
            for n in ("value", "lower", "upper", "later_lower", "later_upper", "bound_lower",
                      "bound_upper", "truth", "final")
        },
    )  # fmt: skip
    slack = 1e-9
    judged = made.with_columns(
        held=(pl.col("truth") >= pl.col("lower") - slack)
        & (pl.col("truth") <= pl.col("upper") + slack),
        later_held=(pl.col("final") >= pl.col("later_lower") - slack)
        & (pl.col("final") <= pl.col("later_upper") + slack),
        bounded=(pl.col("truth") >= pl.col("bound_lower") - slack)
        & (pl.col("truth") <= pl.col("bound_upper") + slack),
        width=pl.col("upper") - pl.col("lower"),
        later_width=pl.col("later_upper") - pl.col("later_lower"),
        error=pl.col("value") - pl.col("truth"),
        revised=(pl.col("final") - pl.col("value")).abs(),
        none=pl.col("standing") == Standing.CANNOT.value,
        wide=pl.col("standing") == Standing.WIDENED.value,
        naive_error=pl.col("naive") - pl.col("truth"),
        score=_score(),
    )
    keys = ["kind", "group", "quantity"]
    means = judged.group_by([*keys, "country"]).agg(
        cells=pl.len(),
        **{
            n: pl.col(n).mean()
            for n in ("held", "later_held", "bounded", "width", "later_width", "error", "revised",
                      "none", "wide", "naive_error", "score", "truth")
        },
    )  # fmt: skip
    summed = means.group_by(keys).agg(
        pl.col("cells").sum(),
        pl.col("held", "later_held", "bounded", "width", "later_width", "error", "revised", "none",
               "wide", "naive_error", "score", "truth").mean(),
        held_error=pl.col("held").std() / pl.col("held").count().sqrt(),
        later_error=pl.col("later_held").std() / pl.col("later_held").count().sqrt(),
        error_error=pl.col("error").std() / pl.col("error").count().sqrt(),
    )  # fmt: skip
    lines = [_line(row) for row in summed.sort(keys).to_dicts() if row["cells"] >= LEAST_CELLS]
    return Summary({str(k): n for k, n in countries.items()}, tuple(lines))


KEY = ("span", "period", "nationality", "mode", "admission_class")
TOLD = (
    Quantity.OVERSTAY_RATE, Quantity.PROBABLY_STILL_HERE, Quantity.LEFT_UNRECORDED,
    Quantity.DEPARTED_IN_TIME, Quantity.DEPARTED_LATE, Quantity.NO_DEPARTURE_RECORDED,
)  # fmt: skip


def beside(now: pl.DataFrame, final: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """ESTIMATES of a day beside their ``final`` values, the ``truth``, the naive rate and the
    number expected. Both are told by KEY and quantity.
    """
    naive, size = (
        now.filter(pl.col("quantity") == q.value).select(*KEY, pl.col("value").alias(name))
        for q, name in ((Quantity.RECORDED_RATE, "naive"),
                        (Quantity.EXPECTED_DEPARTURES, "expected"))
    )  # fmt: skip
    kept = now.filter(
        pl.col("quantity").is_in([q.value for q in TOLD]) & (pl.col("why") != "to_date")
    )
    return (
        kept.join(final, on=[*KEY, "quantity"], how="left")
        .join(naive, on=list(KEY), how="left").join(size, on=list(KEY), how="left")
        .join(truth, on=[*KEY, "quantity"], how="left")
    )  # fmt: skip


def over_by(day: date) -> pl.Expr:
    """Years that are not over are another cell later: left out."""
    end = pl.when(pl.col("span") == Span.YEAR.value).then(
        pl.col("period").dt.offset_by(LENGTH[Span.YEAR])
    ).otherwise(pl.col("period").dt.offset_by(LENGTH[Span.MONTH]))  # fmt: skip
    return end <= day


def _group() -> pl.Expr:
    name = (
        pl.when(pl.col("mode") != "").then(pl.col("mode"))
        .when(pl.col("admission_class") != "").then(pl.col("admission_class"))
        .when(pl.col("nationality") != "").then(pl.lit("nationality"))
        .otherwise(pl.lit("total"))
    )  # fmt: skip
    month = pl.col("span") == Span.MONTH.value
    ago = (pl.col("known_at") - pl.col("period")).dt.total_days()
    recent = month & (ago <= 31 * (RECENT_MONTHS + 1))
    return name + pl.when(recent).then(pl.lit(", recent month")).when(month).then(
        pl.lit(", month")
    ).otherwise(pl.lit(", year"))


def _score() -> pl.Expr:
    low, high, true = pl.col("lower"), pl.col("upper"), pl.col("truth")
    outside = (low - true).clip(0.0) + (true - high).clip(0.0)
    interval = (high - low) + 2 / ALPHA * outside
    middle = (pl.col("value") - true).abs()
    return (0.5 * middle + ALPHA / 2 * interval) / 1.5


def _line(row: dict[str, Any]) -> Line:
    truth = row["truth"] or 0.0

    def number(name: str) -> float:
        return float(row[name]) if row[name] is not None else float("nan")

    def share(name: str) -> float:
        return number(name) / truth if truth else float("nan")

    return Line(
        row["kind"], row["group"], row["quantity"], row["cells"], number("none"), number("wide"),
        number("held"), number("held_error"), number("later_held"), number("later_error"),
        number("bounded"), number("width"), number("later_width"), truth, share("error"),
        share("error_error"), number("revised"), number("score"), share("naive_error"),
    )  # fmt: skip
