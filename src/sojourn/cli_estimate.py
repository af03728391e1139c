"""The command estimate: what records cannot say, with how sure it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

from sojourn.cli_printing import AsJson, out, print_json, print_table, say
from sojourn.vocabulary import Quantity, Span, Standing

MONTHS = 12
_RATES = (Quantity.OVERSTAY_RATE, Quantity.RECORDED_RATE)
_TOLD = (
    Quantity.EXPECTED_DEPARTURES, Quantity.LEFT_UNRECORDED, Quantity.PROBABLY_STILL_HERE, *_RATES
)  # fmt: skip


def estimate_command(
    home: Annotated[
        Path, typer.Option("--home", envvar="SOJOURN_HOME", help="The office's folder.")
    ] = Path("office"),
    database: Annotated[
        str | None,
        typer.Option(
            "--database", envvar="SOJOURN_STATISTICS_URL",
            help="The ledger's address; default: SQLite in the home folder.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same intervals.")] = 1,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Estimate anew: who left unrecorded, who is probably still here, and how sure that is.

    Each number has two ranges: for the truth, and for what will be told when all records are in.
    Needs to know how sure linking is: run sojourn quality --assess first. Cells under 10 are
    hidden. Nothing is told of a stay.

    Example: sojourn estimate --home office
    """
    from sojourn.pipeline import open_office
    from sojourn.pipeline.estimating import read_estimates, refresh_estimates

    office = open_office(home, statistics_url=database)
    with say.status("estimating"):
        refresh_estimates(office, np.random.default_rng(seed))
    made = read_estimates(office)
    made = made.filter(pl.col("known_at") == pl.col("known_at").max())
    if as_json:
        dated = made.with_columns(pl.col("period", "known_at").cast(pl.String))
        print_json(dated.to_dicts())
        return
    _print(made)


def _print(made: pl.DataFrame) -> None:
    total = made.filter(
        (pl.col("nationality") == "") & (pl.col("mode") == "") & (pl.col("admission_class") == "")
    )
    for span in (Span.YEAR, Span.MONTH):
        rows = total.filter(
            (pl.col("span") == span.value) & pl.col("quantity").is_in([q.value for q in _TOLD])
        )
        periods = rows["period"].unique().sort().to_list()[-MONTHS:]
        told = [_row(r) for r in rows.iter_rows(named=True) if r["period"] in periods]
        if told:
            heads = ("period", "what", "estimate", "truth, 19 in 20", "final, 19 in 20", "remark")
            print_table(f"by {span.value}, in total", heads, told, words=2)
    if not total.height:
        out.print("nothing to estimate yet: no month of permitted stays is over")


def _row(row: dict[str, object]) -> tuple[str, ...]:
    rate = row["quantity"] in _RATES
    standing = "" if row["standing"] == Standing.MADE else f"{row['standing']}: {row['why']}"
    return (
        str(row["period"])[:7], str(row["quantity"]).replace("_", " "), _number(row["value"], rate),
        _range(row["lower"], row["upper"], rate),
        _range(row["later_lower"], row["later_upper"], rate), standing,
    )  # fmt: skip


def _range(lower: object, upper: object, rate: bool) -> str:
    return "" if lower is None else f"{_number(lower, rate)} to {_number(upper, rate)}"


def _number(value: object, rate: bool) -> str:
    if not isinstance(value, float):
        return "hidden or unknown"
    return f"{value:.2%}" if rate else f"{value:,.0f}"
