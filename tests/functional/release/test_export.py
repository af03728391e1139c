"""``sojourn export``: what was released, as files, from both databases."""

from __future__ import annotations

import csv
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from lib.offices import small_office
from lib.published import Country, all_figures, fill
from sojourn.cli import build_app
from sojourn.encode import FileKeyProvider
from sojourn.errors import LedgerError, UsageError
from sojourn.pipeline.exporting import Format, export
from sojourn.pipeline.office import key_file, open_office
from sojourn.release import published
from sojourn.release.picking import Wanted
from sojourn.schemas import FIGURES


def test_each_format_holds_the_same_figures(statistics_url: str, tmp_path: Path) -> None:
    country = fill(statistics_url)
    office = small_office(tmp_path / "office", statistics_url)
    done = export(office, tmp_path / "out", tuple(Format))
    newest = all_figures(statistics_url).filter(pl.col("vintage") == country.vintages[-1])
    assert done.vintage == country.vintages[-1]
    assert done.figures == newest.height
    parquet = pl.read_parquet(tmp_path / "out" / "figures.parquet")
    assert parquet["value"].sum() == pytest.approx(newest["value"].sum())
    for name, column in (("sdmx/figures.csv", "OBS_VALUE"), ("csvw/figures.csv", "value")):
        with (tmp_path / "out" / name).open(encoding="utf-8") as file:
            values = [float(r[column]) for r in csv.DictReader(file)]
        assert sum(values) == pytest.approx(newest["value"].sum())
        assert len(values) == newest.height
    again = export(office, tmp_path / "again", tuple(Format))
    assert [p.read_bytes() for p in done.files] == [p.read_bytes() for p in again.files]


def test_an_older_vintage_stays_as_it_was_and_history_has_them_all(
    statistics_url: str, tmp_path: Path
) -> None:
    country = fill(statistics_url)
    office = small_office(tmp_path / "office", statistics_url)
    export(office, tmp_path / "then", (Format.PARQUET,), vintage=country.vintages[0])
    then = pl.read_parquet(tmp_path / "then" / "figures.parquet")
    assert set(then["vintage"]) == {country.vintages[0]}
    export(office, tmp_path / "all", (Format.PARQUET,), history=True)
    assert (
        pl.read_parquet(tmp_path / "all" / "figures.parquet").height
        == all_figures(statistics_url).height
    )
    with pytest.raises(UsageError, match="expected a released one"):
        export(office, tmp_path / "none", (Format.CSV,), vintage=date(2026, 1, 1))
    assert not (tmp_path / "none").exists()


def test_an_older_vintage_names_no_class_that_came_later(
    statistics_url: str, tmp_path: Path
) -> None:
    """Its files are the same bytes whatever was released since, code lists included."""
    first, *rest = Country().vintages
    fill(statistics_url, Country(vintages=(first,)))
    office = small_office(tmp_path / "office", statistics_url)
    done = export(office, tmp_path / "then", tuple(Format), vintage=first)
    fill(statistics_url, Country(vintages=tuple(rest), classes=("VISIT", "WORK", "CREW")))
    again = export(office, tmp_path / "now", tuple(Format), vintage=first)
    assert [p.read_bytes() for p in done.files] == [p.read_bytes() for p in again.files]
    newest = export(office, tmp_path / "newest", (Format.SDMX,))
    assert any(b"CREW" in p.read_bytes() for p in newest.files)


def test_before_the_first_release_it_says_so(statistics_url: str, tmp_path: Path) -> None:
    office = small_office(tmp_path / "office", statistics_url)
    office.open_ledger().close()
    with pytest.raises(LedgerError, match="nothing has been released yet"):
        export(office, tmp_path / "out", tuple(Format))


def test_the_command_writes_one_format_and_refuses_an_unknown_one(tmp_path: Path) -> None:
    home = tmp_path / "office"
    home.mkdir()
    FileKeyProvider.create(key_file(home))
    url = f"sqlite:///{home / 'statistics.sqlite3'}"
    open_office(home).open_ledger().close()
    fill(url)
    words = ["export", "--home", str(home), "--database", url, "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(build_app(), [*words, "--format", "csv"])
    assert done.exit_code == 0, done.output
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"csvw"}
    wrong = CliRunner().invoke(build_app(), [*words, "--format", "xls"])
    assert isinstance(wrong.exception, UsageError)


def test_figures_are_counted_up_to_a_limit_and_read_on_behind_any_key(statistics_url: str) -> None:
    country = fill(statistics_url)
    engine = create_engine(statistics_url)
    last = country.vintages[-1]
    with engine.connect() as connection:
        every = published.read_figures(connection, Wanted(), as_of=last)
        ask = partial(published.count_figures, connection, Wanted(), as_of=last)
        assert ask(most=every.height) == every.height
        assert ask(most=every.height - 1) is None
        for at in (0, 17, every.height - 2):
            behind = tuple(str(v) for n, v in every.row(at, named=True).items()
                           if n in FIGURES.key and n != "vintage")  # fmt: skip
            order = [n for n in FIGURES.names if n in FIGURES.key and n != "vintage"]
            place = dict(zip(order, behind, strict=True))
            after = tuple(place[n] for n in FIGURES.key if n != "vintage")
            further = published.read_figures(connection, Wanted(), as_of=last, limit=1, after=after)
            assert further.equals(every.slice(at + 1, 1))
    engine.dispose()
