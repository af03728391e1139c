"""The command estimate: what records cannot say, with how sure it is, and how it was revised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import polars as pl
import typer

from sojourn.cli_printing import AsJson, Database, Home, Seed, out, print_json, print_table, say
from sojourn.measure.revision_triangle import (
    MonthVintage,
    RevisionTriangle,
    lay_revisions,
    moved_since_as_old,
    name_ages,
    tell_lack,
)
from sojourn.reports.wording import say_why
from sojourn.vocabulary import Quantity, Span, Standing

if TYPE_CHECKING:
    from sojourn.pipeline import Office

MONTHS = 12
CROSSED = (Quantity.DEPARTURES_BY_MODE, Quantity.DEPARTURES_BY_LISTS, Quantity.ARRIVALS_BY_LISTS,
           Quantity.BOOKINGS_NEVER_FLOWN)  # fmt: skip


def estimate_command(
    home: Home = Path("office"),
    database: Database = None,
    revisions: Annotated[
        bool,
        typer.Option("--revisions", help="Estimate nothing: how months were revised, by age."),
    ] = False,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Estimate anew: who left unrecorded, who is probably still here, and how sure that is.

    Each number has two ranges: for the truth, and for what will be told when all records are in.
    Needs to know how sure linking is: run sojourn quality --assess first. Cells under 10 are
    hidden. Nothing is told of a stay.

    With --revisions: a row for each month, a column for each age (whole months between its end
    and the day on which it was said), and how far numbers of that age moved to the newest; of
    the estimated rate, and of what the records alone would have said.

    Example: sojourn estimate --home office

    Example: sojourn estimate --home office --revisions
    """
    from sojourn.pipeline import find_office
    from sojourn.pipeline.estimating import rates_of_months, read_estimates, refresh_estimates

    office = find_office(home, statistics_url=database)
    if revisions:
        _tell_revisions(office, as_json=as_json)
        return
    with say.status("estimating"):
        refresh_estimates(office, np.random.default_rng(seed))
    kept = read_estimates(office)
    made = kept.filter(pl.col("known_at") == pl.col("known_at").max())
    if as_json:
        dated = made.with_columns(pl.col("period", "known_at").cast(pl.String))
        print_json(dated.to_dicts())
        return
    _print(made)
    if size := say_size(rates_of_months(kept), office.clock().date()):
        out.print(size, soft_wrap=True)
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


def say_size(said: tuple[MonthVintage, ...], known_at: date) -> str:
    """How far other months moved since they were as young as the newest of ``known_at`` is now."""
    new = [v for v in said if v.known_at == known_at and v.value is not None]
    newest = max((v.month for v in new if v.month < known_at.replace(day=1)), default=None)
    moved = None if newest is None else moved_since_as_old(said, newest, known_at)
    if newest is None or moved is None or moved.middle is None:
        return ""
    return (
        f"{newest:%Y-%m} may be revised. Of other months since as young: {moved.months} said "
        f"again, {moved.rose} rose, {moved.fell} fell; moved by {100 * moved.middle:.2f} points, "
        "the middle case."
    )


def _tell_revisions(office: Office, *, as_json: bool) -> None:
    from sojourn.pipeline.estimating import read_revisions

    found = read_revisions(office)
    triangles = {
        Quantity.OVERSTAY_RATE: lay_revisions(found.estimated),
        Quantity.RECORDED_RATE: lay_revisions(found.recorded),
    }
    if as_json:
        laid = {q.value: asdict(t) | {"lacks": tell_lack(t)} for q, t in triangles.items()}
        print_json({"ages": name_ages(), **laid})
        return
    titles = ("overstay rate, estimated", "the records alone: late, or no departure recorded")
    for title, triangle in zip(titles, triangles.values(), strict=True):
        _print_triangle(title, triangle)
    if not any(triangle.rows for triangle in triangles.values()):
        return
    out.print(
        "Columns: whole months between a month's end and the day of the figure; the first number "
        "of each age, and the newest. Of those that were said again on a later day: how many rose, "
        "how many fell, and how far they moved to the newest, in percentage points, in the middle "
        "case.", style="dim", soft_wrap=True,
    )  # fmt: skip


def _print_triangle(title: str, triangle: RevisionTriangle) -> None:
    if lack := tell_lack(triangle):
        out.print(f"{title}. {lack}", soft_wrap=True)
    if not triangle.rows:
        return
    shown = [(*row.cells, row.newest) for row in triangle.rows[:MONTHS]]
    whys = list(dict.fromkeys(c.why for cells in shown for c in cells if c and c.value is None))
    rows = [
        (f"{row.month:%Y-%m}", *(_cell(c, whys) for c in cells))
        for row, cells in zip(triangle.rows, shown, strict=False)
    ]
    if not lack:
        told = triangle.moved
        rows += [
            ("said again", *(f"{m.months}" for m in told), ""),
            ("rose", *(f"{m.rose}" if m.months else "" for m in told), ""),
            ("fell", *(f"{m.fell}" if m.months else "" for m in told), ""),
            ("moved", *("" if m.middle is None else f"{100 * m.middle:.2f}" for m in told), ""),
        ]
    print_table(title, ("month", *name_ages(), "newest"), rows, words=1)
    for number, why in enumerate(whys, 1):
        out.print(f"  ({number})  {_say_missing(why)}")
    if len(triangle.rows) > MONTHS:
        out.print(f"  {MONTHS} months are shown; the last rows reckon with {len(triangle.rows)}.")


def _say_missing(why: str) -> str:
    if why == "small":
        return "hidden, for it is small or would give a small one away"
    return f"no number: {say_why(why)}"


def _cell(said: MonthVintage | None, whys: Sequence[str]) -> str:
    if said is None:
        return ""
    return f"({whys.index(said.why) + 1})" if said.value is None else _number(said.value, True)


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
