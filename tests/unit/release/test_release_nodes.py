"""Figures packed and unpacked: the same rows come back, whole, by page and one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import polars as pl
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sqlalchemy import Connection, create_engine, text

from lib.releasing import opened
from sojourn.ledger import engine as ledger_engine
from sojourn.release import nodes, published, store
from sojourn.release.nodes import pack, read_figures, unpack, write_figures
from sojourn.release.picking import Wanted
from sojourn.schemas import FIGURES

TABLES = {"total": (("",), ("",), ("",)), "wide": (("FRA", "UTO", "XXA"), ("air", ""), ("",))}
DAYS = (date(2026, 1, 1), date(2026, 2, 1))
VINTAGES = tuple(date(2026, 3, 1) + timedelta(days=n) for n in range(3))
CELL = ("release_table", "span", "period", "nationality", "mode", "admission_class", "quantity")


@st.composite
def figures(draw: st.DrawFn) -> pl.DataFrame:
    """Figures of some cells at some vintages: code lists that change, some lost, some hidden."""
    rows = []
    number = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
    for table, words in TABLES.items():
        for period, quantity, vintage in product(DAYS, ("arrived", "arrivals"), VINTAGES):
            if not draw(st.booleans()):
                continue
            alike, reach = draw(st.booleans()), draw(st.integers(0, 90))
            for cell in draw(st.lists(st.sampled_from(list(product(*words))), unique=True)):
                value = draw(st.none() | number)
                own = reach if alike else draw(st.integers(0, 90))
                known = value is not None
                rows.append((
                    table, "month", period, *cell, quantity, vintage, value,
                    value - own if known else None, value + own if known else None, 0.95,
                    1.5 if known else None, 0.25, "laplace" if known else "lost",
                    f"r{vintage}",
                ))  # fmt: skip
    return pl.DataFrame(rows, schema=FIGURES.schema, orient="row")


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """One database for all examples: made anew for each would be slow."""
    engine = create_engine("sqlite://")
    store.metadata.create_all(engine, tables=[store.figure_nodes, store.cell_lists])
    with engine.connect() as opened_:
        yield opened_
    engine.dispose()


def put(connection: Connection, figures: pl.DataFrame) -> None:
    connection.execute(text("DELETE FROM figure_nodes"))
    assert write_figures(connection, figures) == figures.height


@given(figures())
def test_what_is_packed_comes_back(figures: pl.DataFrame) -> None:
    back = unpack((node, None) for node in pack(figures))
    assert_frame_equal(back.sort(FIGURES.key), figures.sort(FIGURES.key))


@given(figures(), st.sampled_from(VINTAGES), st.none() | st.sampled_from(["FRA", ""]))
def test_as_of_a_day_is_the_newest_of_each_cell(
    connection: Connection, figures: pl.DataFrame, day: date, nationality: str | None
) -> None:
    put(connection, figures)
    slow = figures.filter(pl.col("vintage") <= day).sort("vintage").unique(
        CELL, keep="last", maintain_order=True
    )  # fmt: skip
    if nationality is not None:
        slow = slow.filter(pl.col("nationality") == nationality)
    slow = slow.sort(FIGURES.key)
    wanted = Wanted(nationality=nationality)
    assert_frame_equal(published.read_figures(connection, wanted, as_of=day), slow)
    assert published.count_figures(connection, wanted, as_of=day, most=1_000) == slow.height
    found, after = [FIGURES.empty()], None
    while True:
        page = published.read_figures(connection, wanted, as_of=day, limit=2, after=after)
        if page.is_empty():
            break
        assert page.height <= 2
        found.append(page)
        last = page.row(-1, named=True)
        after = tuple(str(last[n]) for n in FIGURES.key if n != "vintage")
    assert_frame_equal(pl.concat(found), slow)


@given(figures())
def test_each_figure_is_found_by_its_name(connection: Connection, figures: pl.DataFrame) -> None:
    put(connection, figures)
    for row in figures.iter_rows(named=True):
        key = {n: str(row[n]) for n in FIGURES.key}
        found = published.find_figure(connection, key)
        assert found is not None
        assert {n: found[n] for n in FIGURES.names} == {
            **row, **{n: str(row[n]) for n in ("period", "vintage")}
        }  # fmt: skip
        assert published.find_figure(connection, {**key, "nationality": "ZZZ"}) is None
    assert published.find_figure(connection, dict.fromkeys(FIGURES.key, "nothing")) is None


def test_a_condition_on_cells_and_one_on_nodes_give_the_same(statistics_url: str) -> None:
    engine = opened(statistics_url)
    rows = [
        ("t", "day", DAYS[0], n, "", "", "arrived", VINTAGES[0], v, v - 1, v + 1, 0.95, 0.5, 0.1,
         "laplace", "r")
        for n, v in (("FRA", 1.0), ("O'N", 2.0))
    ]  # fmt: skip
    made = pl.DataFrame(rows, schema=FIGURES.schema, orient="row")
    with engine.begin() as connection:
        write_figures(connection, made)
    assert_frame_equal(read_figures(engine), made)
    by_node = read_figures(engine, "vintage = :day AND span = 'day'", day=VINTAGES[0].isoformat())
    assert_frame_equal(by_node, made)
    by_cell = read_figures(engine, "nationality = :n AND value > :v", n="O'N", v=1.5)
    assert by_cell["value"].to_list() == [2.0]
    engine.dispose()


def test_what_was_published_before_the_packing_is_carried_over_and_back(
    statistics_url: str,
) -> None:
    engine = opened(statistics_url)
    known, lost = (-3.5, -5.5, -1.5, 1.25, "laplace"), (None, None, None, None, "lost")
    rows = []
    for d, n, q, v in product(DAYS, ("FRA", "UTO"), ("arrived", "left_late"), VINTAGES):
        value, low, high, sd, how = lost if (n, q) == ("UTO", "left_late") else known
        rows.append(
            ("t", "month", d, n, "air", "", q, v, value, low, high, 0.95, sd, 0.1, how, "r")
        )
    made = pl.DataFrame(rows, schema=FIGURES.schema, orient="row")
    with engine.begin() as connection:
        write_figures(connection, made)
    for revision in ("-1", "head"):
        with engine.begin() as connection:
            config = Config()
            place = ledger_engine.__file__.replace("engine.py", "migrations")
            config.set_main_option("script_location", place)
            config.attributes["connection"] = connection
            (command.downgrade if revision == "-1" else command.upgrade)(config, revision)
    assert_frame_equal(read_figures(engine), made.sort(FIGURES.key))
    assert tuple(c.name for c in store.figure_nodes.columns) == nodes.COLUMNS
    engine.dispose()
