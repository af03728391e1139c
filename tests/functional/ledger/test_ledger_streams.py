"""What is streamed is all that is held, on each database, whatever the size of its parts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from lib.offices import hand_in, small_country, small_office
from sojourn.ledger import store
from sojourn.pipeline import Desk


@pytest.mark.parametrize("part", [7, 100_000])
def test_every_report_is_streamed_the_oldest_too(
    tmp_path: Path, statistics_url: str, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(store, "CHUNK", part)
    office = small_office(tmp_path, statistics_url)
    country = small_country(stays=100, seed=8)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "one")
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    with office.open_ledger() as ledger:
        every = pl.concat(list(ledger.all_reports()))
        waiting = pl.concat(list(ledger.open_reports(long_ago)))
    assert every.height == waiting.height == country.crossings.height
    assert every["crossing_ref"].is_unique().all()
    assert every["event_time"].min() == country.crossings["event_time"].min()
