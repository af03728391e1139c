"""A ledger that an earlier Sojourn made is brought up to date when it is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from lib.offices import small_office
from sojourn.ledger import engine as ledger_engine

MIGRATIONS = Path(ledger_engine.__file__).parent / "migrations"


def test_a_first_ledger_gets_what_came_later(tmp_path: Path, statistics_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    opened = ledger_engine.open_engine(statistics_url)
    with opened.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    assert "linkage_quality" not in inspect(opened).get_table_names()
    with small_office(tmp_path, statistics_url).open_ledger() as ledger:
        assert not ledger.linkage().height
    assert "linkage_quality" in inspect(opened).get_table_names()
    opened.dispose()
