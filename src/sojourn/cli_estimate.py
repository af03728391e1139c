"""The command estimate: what records cannot say, with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.cli_printing import AsJson, Database, Home, Seed, out, print_json, print_table, say
from sojourn.vocabulary import Quantity, Span, Standing

MONTHS = 12
CROSSED = (Quantity.DEPARTURES_BY_MODE, Quantity.DEPARTURES_BY_LISTS, Quantity.ARRIVALS_BY_LISTS,
           Quantity.BOOKINGS_NEVER_FLOWN)  # fmt: skip


def estimate_command(
    home: Home = Path("office"),
    database: Database = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Estimate anew: who left unrecorded, who is probably still here, and how sure that is.

    Each number has two ranges: for the truth, and for what will be told when all records are in.
    Needs to know how sure linking is: run sojourn quality --assess first. Cells under 10 are
    hidden. Nothing is told of a stay.

    Example: sojourn estimate --home office
    """
    from sojourn.pipeline import find_office
    from sojourn.pipeline.estimating import read_estimates, refresh_estimates

    office = find_office(home, statistics_url=database)
    with say.status("estimating"):
        refresh_estimates(office, np.random.default_rng(seed))
    made = read_estimates(office)
    made = made.filter(pl.col("known_at") == pl.col("known_at").max())
    if as_json:
        dated = made.with_columns(pl.col("period", "known_at").cast(pl.String))
        print_json(dated.to_dicts())
        return
    _print(made)
    unjudged = (pl.col("why") == "linking_unjudged") & (pl.col("standing") == Standing.CANNOT.value)
    if made.filter(unjudged).height:
        out.print("Nobody has looked yet how sure linking is, so there is no rate.")
        out.print(f"Run sojourn quality --assess --home {home}, then this again.", soft_wrap=True)


def _print(made: pl.DataFrame) -> None:
    total = made.filter(
        (pl.col("nationality") == "") & (pl.col("mode") == "") & (pl.col("admission_class") == "")
    )
    for span in (Span.YEAR, Span.MONTH):
        rows = total.filter(pl.col("span") == span.value)
        periods = rows["period"].unique().sort().to_list()[-MONTHS:]
        told = [row for p in periods if (row := _row(rows.filter(pl.col("period") == p)))]
        if told:
            heads = ("period", "expected", "overstay rate", "truth, 19 in 20", "final, 19 in 20",
                     "records alone")  # fmt: skip
            _print_noted(f"by {span.value}, in total", heads, told, words=1)
    _print_crossed(made)
    if not total.height:
        out.print("nothing to estimate yet: no month of permitted stays is over")


def _print_crossed(made: pl.DataFrame) -> None:
    """The last year that is over, by the crossing's mode."""
    rows = made.filter(pl.col("quantity").is_in([q.value for q in CROSSED]))
    over = rows.filter(pl.col("why") != "to_date")
    rows = (over if over.height else rows).filter(pl.col("period") == pl.col("period").max())
    told = [
        (str(r["period"])[:7], str(r["mode"]), str(r["quantity"]).replace("_", " "),
         _number(r["value"], False), _range(r["lower"], r["upper"], False),
         _range(r["bound_lower"], r["bound_upper"], False),
         "" if r["standing"] == Standing.MADE else f"{r['standing']}: {r['why']}".replace("_", " "))
        for r in rows.sort("mode", "quantity").iter_rows(named=True)
    ]  # fmt: skip
    if told:
        heads = ("year", "mode", "what", "number", "19 in 20", "bounds")
        _print_noted("what lists of crossings say", heads, told, words=3)


def _print_noted(
    title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, words: int
) -> None:
    """A row's last cell is its remark. Remarks stand below, numbered: beside so many numbers a
    terminal has no room for words.
    """
    notes = list(dict.fromkeys(row[-1] for row in rows if row[-1]))
    marked = [(*row[:-1], str(notes.index(row[-1]) + 1) if row[-1] else "") for row in rows]
    print_table(title, (*heads, "note"), marked, words=words)
    for number, note in enumerate(notes, 1):
        out.print(f"  {number}  {note}")


def _row(period: pl.DataFrame) -> tuple[str, ...] | None:
    """Of a period that is over."""
    by = {str(r["quantity"]): r for r in period.iter_rows(named=True)}
    rate, naive = by.get(Quantity.OVERSTAY_RATE), by.get(Quantity.RECORDED_RATE)
    expected = by.get(Quantity.EXPECTED_DEPARTURES)
    if rate is None or naive is None or expected is None:
        return None
    remark = "" if rate["standing"] == Standing.MADE else f"{rate['standing']}: {rate['why']}"
    return (
        str(rate["period"])[:7], _number(expected["value"], False), _number(rate["value"], True),
        _range(rate["lower"], rate["upper"], True),
        _range(rate["later_lower"], rate["later_upper"], True), _number(naive["value"], True),
        remark.replace("_", " "),
    )  # fmt: skip


def _range(lower: object, upper: object, rate: bool) -> str:
    return "" if lower is None else f"{_number(lower, rate)} to {_number(upper, rate)}"


def _number(value: object, rate: bool) -> str:
    if not isinstance(value, float):
        return "not told"
    return f"{value:.2%}" if rate else f"{value:,.0f}"
