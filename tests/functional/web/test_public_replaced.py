"""A database that is replaced while pages are asked: nothing of the one is told of the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from sqlalchemy import create_engine, text

from lib.published import Country, all_figures, fill
from sojourn.release import nodes
from sojourn.release.picking import Wanted
from sojourn_web.figures import public_marks, public_reading
from sojourn_web.figures.public_caching import answers
from sojourn_web.figures.statistics import open_statistics

pytestmark = pytest.mark.django_db
ONE = "/api/v1/figures/total/month/2026-10-01/departed/all/all/all?vintage=2026-10-31"
OTHER = ONE.replace("departed", "arrived")
LIST = (
    "/api/v1/figures?vintage=2026-10-31&release_table=total&span=month"
    "&period=2026-10-01&quantity=departed"
)


@pytest.fixture
def files(tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, Path]]:
    """The file that is served, and another with the same names of releases."""
    first, second = tmp_path / "statistics.sqlite3", tmp_path / "backup.sqlite3"
    fill(f"sqlite:///{first}")
    fill(f"sqlite:///{second}", replace(Country(), seed=2))
    settings.STATISTICS_URL = f"sqlite:///{first}"
    settings.DOWNLOADS = tmp_path / "downloads"
    answers.clear()
    public_marks.forget()
    yield first, second
    open_statistics(settings.STATISTICS_URL).dispose()
    open_statistics.cache_clear()


def value_of(path: Path, quantity: str) -> float:
    found = all_figures(f"sqlite:///{path}")
    return float(
        found.filter(
            release_table="total", span="month", quantity=quantity
        ).cast({"period": str, "vintage": str})
        .filter(period="2026-10-01", vintage="2026-10-31")["value"].item()
    )  # fmt: skip


def ask(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_a_file_that_is_replaced_is_not_read_any_more(
    client: Client, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, backup = files
    engine = open_statistics(f"sqlite:///{served}")
    with engine.connect(), engine.connect():  # two that wait in the pool
        pass
    old, new = value_of(served, "departed"), value_of(backup, "departed")
    assert old != new
    first = client.get(ONE)
    assert json.loads(first.content)["value"] == old
    kept = served.with_name("kept.sqlite3")
    shutil.copy(served, kept)
    backup.replace(served)
    monkeypatch.setattr(public_marks, "FRESH", 0.0)
    again = client.get(ONE, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, json.loads(again.content)["value"]) == (200, new)
    assert ask(client, LIST)["items"][0]["value"] == new
    kept.replace(served)
    assert ask(client, ONE)["value"] == old
    assert client.get(ONE, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_a_file_that_is_gone_and_comes_back_is_read_again(
    files: tuple[Path, Path], client: Client
) -> None:
    served, _ = files
    value = ask(client, ONE)["value"]
    away = served.with_name("away.sqlite3")
    served.replace(away)
    answers.clear()
    public_marks.forget()
    assert client.get(ONE).status_code == 404
    away.replace(served)
    assert ask(client, ONE)["value"] == value


@pytest.mark.parametrize("address", [OTHER, LIST])
def test_an_answer_after_a_replacement_is_not_kept_under_the_old_mark(
    address: str, client: Client, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks are asked for every few seconds only: an answer made in between is the new file's."""
    served, backup = files
    quantity = "arrived" if address == OTHER else "departed"
    old, new = value_of(served, quantity), value_of(backup, quantity)
    ask(client, ONE)
    kept = served.with_name("kept.sqlite3")
    shutil.copy(served, kept)
    backup.replace(served)
    between = client.get(address)
    said = json.loads(between.content)
    assert said.get("items", [said])[0]["value"] == new != old
    kept.replace(served)
    monkeypatch.setattr(public_marks, "FRESH", 0.0)
    again = client.get(address, headers={"If-None-Match": between["ETag"]})
    assert again.status_code == 200
    said = json.loads(again.content)
    assert said.get("items", [said])[0]["value"] == old
    assert "immutable" in again["Cache-Control"]


def test_a_question_that_failed_is_asked_again(files: tuple[Path, Path]) -> None:
    served, _ = files
    url = f"sqlite:///{served}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cell_lists RENAME TO elsewhere"))
    nodes._known.clear()
    assert public_reading.read_shelf(url).nationalities == ()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO cell_lists"))
    engine.dispose()
    shelf = public_reading.read_shelf(url)
    assert shelf.nationalities
    wanted, day = Wanted(release_table="total"), shelf.vintages[0]

    def asked() -> list[object]:
        return [
            public_reading.read_periods(url, shelf, "total", "month"),
            public_reading.read_noise(url, shelf),
            public_reading.count_figures(url, shelf, wanted, day),
        ]

    away = served.with_name("away.sqlite3")
    served.replace(away)
    assert not any(asked())
    away.replace(served)
    assert all(asked())
