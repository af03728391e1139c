"""Revision triangles on the page of estimates: every number at its age, every gap in words."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import polars as pl
import pytest
from django.test import Client

from lib.kept_estimates import keep_estimates, made_estimates
from sojourn.measure.revision_triangle import (
    AGES,
    MonthVintage,
    lay_revisions,
    moved_since_as_old,
)
from sojourn.pipeline import Office
from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.estimate_triangles import say_size
from sojourn_web.figures.statistics import Estimated

NOTHING = "nothing was said then"
NO_NUMBER = pl.lit(None, dtype=pl.Float64)


def months_of(quantity: str) -> pl.DataFrame:
    """Of the small country's ESTIMATES, in total."""
    return pl.concat(made_estimates()).filter(
        pl.col("span") == "month", pl.col("quantity") == quantity,
        *(pl.col(n) == "" for n in ("nationality", "mode", "admission_class")),
    )  # fmt: skip


def said(quantity: str) -> list[MonthVintage]:
    rows = months_of(quantity).select("period", "known_at", "value", "why").rows()
    return [MonthVintage(*row) for row in rows]


def rows_of(quantity: str) -> list[Estimated]:
    texts = ("period", "known_at", "span", "quantity", "standing")
    dated = months_of(quantity).with_columns(pl.col(texts).cast(pl.String))
    return [Estimated(**row) for row in dated.iter_rows(named=True)]


def table_of(page: str, quantity: str) -> str:
    return page.split(f'<caption id="triangle-{quantity}"')[1].split("</table>", maxsplit=1)[0]


def lines_of(table: str) -> list[list[str]]:
    """Rows of the body and the foot: cells as they are read aloud."""
    aloud = re.sub(r'<span aria-hidden="true">.*?</span>', "", table.split("</thead>")[1])
    rows = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r) for r in aloud.split("</tr>"))
    return [[unescape(re.sub(r"<[^>]+>", " ", c)).strip() for c in row] for row in rows if row]


@pytest.mark.parametrize("quantity", ["overstay_rate", "recorded_rate"])
def test_each_number_stands_at_its_age_and_what_was_not_said_is_told_aloud(
    quantity: str, reader: Client, bare: Office
) -> None:
    keep_estimates(bare)
    table = table_of(reader.get("/estimates").content.decode(), quantity)
    *months, last = lines_of(table)
    triangle = lay_revisions(said(quantity))
    assert len(months) == len(triangle.rows) > 10
    for line, row in zip(months, triangle.rows, strict=True):
        name, *cells, newest = line
        assert name == f"{row.month:%B %Y}"
        assert newest == words.say_number(quantity, row.newest.value)
        for cell, vintage in zip(cells, row.cells, strict=True):
            told = NOTHING if vintage is None else words.say_number(quantity, vintage.value)
            assert cell == told
    assert NOTHING in table
    for cell, moved in zip(last[1:], triangle.moved, strict=False):
        assert moved.middle is not None
        assert words.say_points(moved.middle) in cell
        assert f"{moved.rose} up, {moved.fell} down of {moved.months}" in cell


def test_columns_and_rows_are_named_for_who_cannot_see_them(reader: Client, bare: Office) -> None:
    keep_estimates(bare)
    page = reader.get("/estimates").content.decode()
    for quantity in ("overstay_rate", "recorded_rate"):
        assert f'role="region" aria-labelledby="triangle-{quantity}"' in page
        table = table_of(page, quantity)
        assert table.count('scope="col"') == len(AGES) + 2
        assert f'scope="colgroup" colspan="{len(AGES)}"' in table
        assert table.count('scope="row"') == table.count("<tr") - 2
        assert "by how many whole months after the month's end" in unescape(table)


def test_a_number_that_was_refused_or_hidden_is_its_reason(reader: Client, bare: Office) -> None:
    first, last = made_estimates()[0], made_estimates()[-1]
    rate = pl.col("quantity") == "overstay_rate"
    none = {"standing": "cannot", "why": "source_silent"}
    keep_estimates(bare, first, last.with_columns(
        pl.when(rate).then(NO_NUMBER).otherwise("value").alias("value"),
        *(pl.when(rate).then(pl.lit(v, dtype=last.schema[n])).otherwise(n).alias(n)
          for n, v in none.items()),
    ))  # fmt: skip
    page = reader.get("/estimates").content.decode()
    table = table_of(page, "overstay_rate")
    lines = lines_of(table)
    assert all(line[-1] == "no number: a source is silent" for line in lines)
    assert "<tfoot" not in table
    assert "No month has been given a number on two days" in page
    assert "None" not in table
    small = said("recorded_rate")
    assert all(v.value is not None for v in small), "none is small here"
    keep_estimates(bare, first.with_columns(
        pl.when(pl.col("quantity") == "recorded_rate").then(NO_NUMBER).otherwise("value")
        .alias("value"), why=pl.lit("small"),
    ))  # fmt: skip
    hidden = table_of(reader.get("/estimates").content.decode(), "recorded_rate")
    assert "hidden, for it is small or would give a small one away" in hidden


def test_beside_a_new_month_stands_how_far_months_as_young_moved(
    reader: Client, bare: Office
) -> None:
    known_at = keep_estimates(bare)
    page = reader.get("/estimates").content.decode()
    months = said("overstay_rate")
    newest = lay_revisions(months).rows[0].month
    moved = moved_since_as_old(months, newest, known_at)
    assert moved.middle is not None
    assert (moved.months, moved.rose) == (1, 1)
    assert (
        "Since it was as young as this one is now, one other month moved by "
        f"{words.say_points(moved.middle)}, up."
    ) in page
    rows = rows_of("overstay_rate")
    sizes = {v: moved_since_as_old(months, v.month, v.known_at) for v in months}
    older, moved = max(sizes.items(), key=lambda pair: pair[1].months)
    assert moved.months > 1
    assert moved.middle is not None
    assert (
        f"{moved.months} other months moved by {words.say_points(moved.middle)} in the middle "
        f"case: {moved.rose} up, {moved.fell} down."
    ) in say_size(rows, str(older.month), str(older.known_at))
    assert say_size(rows[:1], str(newest), str(known_at)) == ""


def test_one_day_alone_and_months_that_run_have_no_revision_and_words_say_so(
    reader: Client, bare: Office
) -> None:
    last = made_estimates()[-1]
    keep_estimates(bare, last)
    page = reader.get("/estimates").content.decode()
    assert page.count("What was said on one day alone is kept") == 2
    assert 'id="triangle-' not in page
    assert "<tfoot" not in page
    assert "Since they were as young" not in page
    known_at = last["known_at"].max()
    running = last.filter(pl.col("span") == "month").with_columns(
        period=pl.lit(known_at).dt.truncate("1mo"), known_at=pl.lit(known_at) + timedelta(days=1)
    )
    with bare.open_ledger() as ledger:
        ledger.write_estimates(last.clear(), known_at)  # type: ignore[arg-type]
    keep_estimates(bare, running.unique(["quantity", "nationality", "mode", "admission_class"]))
    page = reader.get("/estimates").content.decode()
    assert page.count("Nothing has been said yet of a month that is over") == 2
    assert 'id="triangle-' not in page
