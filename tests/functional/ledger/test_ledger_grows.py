"""A ledger that an earlier Sojourn made is brought up to date when it is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect, text

from lib.offices import small_office
from sojourn.ledger import engine as ledger_engine

MIGRATIONS = Path(ledger_engine.__file__).parent / "migrations"


def _upgraded(url: str, revision: str) -> Engine:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    opened = ledger_engine.open_engine(url)
    with opened.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return opened


def test_a_ledger_of_before_gets_room_for_changes_that_wait(
    tmp_path: Path, statistics_url: str
) -> None:
    """As an earlier Sojourn left it: neither the table nor the column nor the indexes."""
    opened = _upgraded(statistics_url, "0005")
    with opened.begin() as connection:
        for index in ("reports_left_on", "statuses_other_ref"):
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text("ALTER TABLE statuses DROP COLUMN other_ref"))
    with small_office(tmp_path, statistics_url).open_ledger() as ledger:
        assert not ledger.waiting_changes().height
    found = inspect(opened)
    assert "other_ref" in {c["name"] for c in found.get_columns("statuses")}
    assert "reports_left_on" in {i["name"] for i in found.get_indexes("reports")}
    assert "statuses_other_ref" in {i["name"] for i in found.get_indexes("statuses")}
    opened.dispose()


def test_a_first_ledger_gets_what_came_later(tmp_path: Path, statistics_url: str) -> None:
    opened = _upgraded(statistics_url, "0001")
    assert "linkage_quality" not in inspect(opened).get_table_names()
    with small_office(tmp_path, statistics_url).open_ledger() as ledger:
        assert not ledger.linkage().height
    assert "linkage_quality" in inspect(opened).get_table_names()
    opened.dispose()
