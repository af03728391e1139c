"""The page that says how sure linking is: in words, with small groups hidden and gaps told."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client

from sojourn.link import Trial
from sojourn.measure import SMALLEST_SHOWN
from sojourn.pipeline import Office, assess
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group
from sojourn_web.figures.linking import build_linking

BACKEND = "sojourn_web.accounts.backends.OfficeBackend"


def rows(
    kind: Group, name: str, size: int, documents: int, names: int, both: int
) -> list[tuple[str, str, str, str, int]]:
    """As many trials of links as crossings; none of them found a partner."""
    found = {
        What.DEPARTURES: size, What.DEPARTURES_LINKED: both, What.ARRIVALS: size,
        What.ARRIVALS_LINKED: size, What.FOUND_BY_DOCUMENTS: documents,
        What.FOUND_BY_NAMES: names, What.FOUND_BY_BOTH: both, What.REENTRIES: size,
        What.REENTRIES_CLOSED: size, What.ARRIVALS_WITHHELD: size, What.DEPARTURES_WITHHELD: size,
    }  # fmt: skip
    return [("2025-01-01", kind.value, name, w.value, n) for w, n in found.items()]


def test_the_page_says_what_the_counts_say(
    client: Client, analyst: AbstractBaseUser, statistics: Office
) -> None:
    assess(statistics, np.random.default_rng(1), trial=Trial(0.2, 1))
    client.force_login(analyst, backend=BACKEND)
    page = client.get("/how-sure").content.decode()
    assert "Wrong links, estimated" in page
    assert "stays recorded at both ends" in page
    assert 'aria-current="page">How sure' in page
    assert "how sure linking is" in client.get("/").content.decode()


def test_no_small_group_is_on_the_page(
    client: Client, analyst: AbstractBaseUser, statistics: Office
) -> None:
    assess(statistics, np.random.default_rng(1), trial=Trial(0.2, 1))
    client.force_login(analyst, backend=BACKEND)
    page = client.get("/how-sure").content.decode()
    sizes = re.findall(r'</th><td class="[^"]*numeric">([\d,]+)</td>', page)
    assert sizes
    assert min(int(s.replace(",", "")) for s in sizes) >= SMALLEST_SHOWN
    with statistics.open_ledger() as ledger:
        counts = ledger.linkage()
    nations = counts.filter(pl.col("group_kind") == Group.NATIONALITY.value)
    assert nations["group_name"].n_unique() > 10
    assert len(re.findall(r"<th scope=\"row\"[^>]*>[A-Z]{3}</th>", page)) < 3


def test_a_gap_is_told_in_words() -> None:
    parts = rows(Group.ALL, "", 20_000, 18_000, 19_000, 17_500)
    parts += rows(Group.SCRIPT, "Latn", 10_000, 9_900, 9_950, 9_890)
    parts += rows(Group.SCRIPT, "Arab", 10_000, 7_000, 8_500, 6_000)
    (told,) = build_linking(parts).gaps
    assert told.startswith("Script of names Arabic: 9")
    assert re.search(r"against (99|100)\.\d\d% elsewhere", told)


def test_small_estimates_are_not_told_exactly() -> None:
    parts = rows(Group.ALL, "", 20_000, 18_000, 19_000, 17_500)
    parts += rows(Group.SEX, "F", 10_000, 9_900, 9_950, 9_890)
    parts += rows(Group.SEX, "M", 10_000, 9_900, 9_950, 9_890)
    said = build_linking(parts)
    wrong = said.headlines[1]
    assert wrong.value == "fewer than 10"
    assert wrong.note.startswith("at most ")
    (table,) = (table for _, table in said.tables if table)
    assert [row.name for row in table] == ["Female", "Male"]
    assert all(row.false_links == "fewer than 10" for row in table)


@pytest.mark.parametrize("size", [0, SMALLEST_SHOWN - 1])
def test_too_little_says_nothing(size: int) -> None:
    assert build_linking(rows(Group.ALL, "", size, size, size, size)).headlines == ()
    assert build_linking([]).headlines == ()


def test_counts_of_the_page_are_counts_alone() -> None:
    assert set(LINKAGE_QUALITY.names) == {"period", "group_kind", "group_name", "what", "value"}
    assert LINKAGE_QUALITY.schema["period"] == pl.Date
