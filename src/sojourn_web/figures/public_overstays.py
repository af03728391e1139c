"""The overstay rate on the public home page: the newest that is told, and months before it.

In: the address of the statistics database, what is on the shelf. Out: ``Overstays``: a rate with
its range, the records' own rate beside it, a chart of months; None where nothing was estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from sojourn.release.picking import Wanted
from sojourn.release.years import SIZE, run_of, say_year
from sojourn_web.figures import public_chart, public_reading
from sojourn_web.figures import public_words as words
from sojourn_web.figures.public_chart import MONTHLY_SHARES, Drawing, Point
from sojourn_web.figures.public_pages import ESTIMATES, Headline, address_of, key_of
from sojourn_web.figures.public_reading import Shelf

RATE, NAIVE = "overstay_rate", "recorded_rate"
SHOWN = (RATE, NAIVE, "probably_still_here", "expected_departures")
SPANS = ("year", "month")  # a year is told with less noise than a month


@dataclass(frozen=True)
class Overstays:
    """``period``: what the headlines are of, in words. ``why``: why there is no rate, if so."""

    period: str
    headlines: tuple[Headline, ...]
    sentence: str
    why: str
    points: tuple[Point, ...]  # newest first
    drawings: tuple[Drawing, ...]


def read_overstays(url: str, shelf: Shelf, vintage: date) -> Overstays | None:
    """Of the newest year or month with a rate; else of the newest, with the reason."""
    if ESTIMATES not in shelf.tables:
        return None
    total = Wanted(release_table=ESTIMATES, nationality="", mode="", admission_class="")
    found = public_reading.read_figures(url, total, as_of=vintage)
    rates = found.filter(pl.col("quantity") == RATE).sort("period", descending=True)
    if rates.is_empty():
        return None
    row = _chosen(rates)
    beside = found.filter((pl.col("span") == row["span"]) & (pl.col("period") == row["period"]))
    rows = {r["quantity"]: r for r in beside.iter_rows(named=True)}
    told = row["value"] is not None
    months = rates.filter(pl.col("span") == "month").sort("period")
    points = [_point(r) for r in months.iter_rows(named=True)]
    return Overstays(
        _period(row, found),
        tuple(_headline(rows[q]) for q in SHOWN if q in rows and rows[q]["value"] is not None),
        _sentence(row, rows.get(NAIVE)) if told else "",
        "" if told else words.method_of(row["method"])[1],
        tuple(points[::-1]), public_chart.draw(points, MONTHLY_SHARES),
    )  # fmt: skip


def _chosen(rates: pl.DataFrame) -> dict[str, Any]:
    told = rates.filter(pl.col("value").is_not_null())
    settled = rates.filter(pl.col("method") != "too_young")
    for some in (told, settled, rates):
        for span in SPANS:
            of = some.filter(pl.col("span") == span)
            if of.height:
                return of.row(0, named=True)
    raise ValueError("expected a rate at least")


def _period(row: dict[str, Any], found: pl.DataFrame) -> str:
    """The period in words; of a year that is not whole, the months that are in it."""
    if row["span"] != "year":
        return words.period_of(row["span"], row["period"])
    months = found.filter(pl.col("span") == "month", pl.col("quantity") == SIZE)
    year = row["period"].year
    return say_year(year, run_of(months, year, estimated=True))


def _headline(row: dict[str, Any]) -> Headline:
    return Headline(
        words.label_of(row["quantity"]), words.say_figure(row), address_of(key_of(row)),
        words.definition_of(row["quantity"]),
    )  # fmt: skip


def _sentence(row: dict[str, Any], naive: dict[str, Any] | None) -> str:
    """What a newspaper may print."""
    said = words.say_figure(row)
    text = (
        f"Of 1,000 stays whose permission ended, about {1000 * row['value']:,.0f} ran past their "
        f"end: between {1000 * row['lower']:,.0f} and {1000 * row['upper']:,.0f}."
    )
    if naive is None or naive["value"] is None:
        return text
    return (
        f"{text} The records alone would say {words.say_figure(naive).value} instead of "
        f"{said.value}, because not every departure is recorded."
    )


def _point(row: dict[str, Any]) -> Point:
    said = words.say_figure(row)
    told = f"{words.period_of('month', row['period'])}: {said.value}"
    if said.interval:
        told += f", range {said.interval}"
    value, low, high = (None if row[n] is None else 100 * row[n]
                        for n in ("value", "lower", "upper"))  # fmt: skip
    return Point(row["period"], value, low, high, told, said)
