"""What a year's pages say that it holds, and what is told of a budget that is another by now."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from sqlalchemy import create_engine, text

from lib.published import Country, figure, frame_of
from sojourn.release.nodes import write_figures
from sojourn_web.figures.public_reading import office_policy

pytestmark = pytest.mark.django_db
YEAR = date(2026, 1, 1)
HELD = "August to November 2026"


def put(
    *rows: tuple[str, str, date, str, str], method: str = "computed",
    vintage: date = date(2026, 11, 24),
) -> None:  # fmt: skip
    """Departures of a vintage: table, span, period, nationality, mode."""
    found: list[dict[str, Any]] = []
    for table, span, period, nationality, mode in rows:
        key = (table, span, period.isoformat(), nationality, mode, "")
        found.append(figure(key, "departures", vintage, 900.0, 25.0, 0.0, method, "r20261124"))
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        write_figures(connection, frame_of(found))
    engine.dispose()


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_code_that_joined_within_a_year_has_a_year_of_fewer_months(
    client: Client, published: Country
) -> None:
    """Its own page says which; the table's rows are of all nationalities."""
    joined = [("nationality", "month", date(2026, n, 1), "ABW", "") for n in (10, 11)]
    put(*joined, ("nationality", "year", YEAR, "ABW", ""), vintage=date(2026, 12, 1))
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO releases SELECT 'later', released_at + 1000000, '2026-12-01', "
            "policy_digest, method, epsilon, asked_by, approved_by, note, run FROM releases "
            "WHERE vintage = '2026-11-24'"
        ))  # fmt: skip
    engine.dispose()
    own = page(client, f"/figures/nationality/year/{YEAR}/departures/ABW/all/all")
    assert "October to November 2026" in own
    assert HELD in page(client, f"/figures/nationality/year/{YEAR}/departures/FRA/all/all")
    table = page(client, "/figures/tables?table=nationality&span=year")
    assert HELD in table
    assert "October to November 2026" not in table


def test_a_closed_year_by_cell_key_is_the_sum_of_no_months(
    client: Client, published: Country
) -> None:
    """Though some of its months were closed too: each is a tally of its own."""
    months = [("mode", "month", date(2026, n, 1), "", "air") for n in (1, 2, 3)]
    put(*months, ("mode", "year", YEAR, "", "air"), method="cell_key")
    own = page(client, f"/figures/mode/year/{YEAR}/departures/all/air/all")
    assert "March 2026" not in own
    table = page(client, "/figures/tables?table=mode&span=year")
    assert "March 2026" not in table
    assert HELD not in table


def test_a_budget_is_told_of_releases_under_the_present_policy_alone(
    client: Client, published: Country
) -> None:
    address = "/figures/total/month/2026-10-01/departed/all/all/all"
    assert " a year, for all counts" not in page(client, address)
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        digest = office_policy().digest
        connection.execute(text("UPDATE releases SET policy_digest = :d"), {"d": digest})
    engine.dispose()
    shown = page(client, address)
    at = shown.index("<dt>Budget")
    assert " a year, for all counts" in shown, shown[at : at + 300]
