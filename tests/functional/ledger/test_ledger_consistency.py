"""Fold, projection and live totals say the same, whatever came in, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lib.offices import NOW, comparable, hand_in, recounted, small_country, small_office
from sojourn.ledger import Ledger
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.reconciling import reconcile_with

PARTS = 9


def check_all_agree(ledger: Ledger) -> None:
    today = NOW.date() + timedelta(days=1)
    folded = ledger.fold(today)
    assert_frame_equal(comparable(folded), comparable(ledger.stays()))
    assert_frame_equal(
        ledger.totals().sort("day", "name"), recounted(ledger, today), check_dtypes=False
    )


def messy_parts(seed: int) -> list[pl.DataFrame]:
    """A country's crossings in parts: repeats, corrections and withdrawals among them."""
    rng = np.random.default_rng(seed)
    crossings = small_country(stays=220, seed=seed).crossings.sort("recorded_at", "crossing_id")
    parts = list(crossings.iter_slices(-(-crossings.height // PARTS)))
    for at in range(2, len(parts)):
        earlier = parts[at - 2].sample(min(12, parts[at - 2].height), seed=int(rng.integers(1e6)))
        moved = earlier.head(4).with_columns(event_time=pl.col("event_time") + pl.duration(hours=1))
        renamed = earlier.slice(4, 3).with_columns(surname=pl.lit("ZZYZX"), birth_date=None)
        taken_back = earlier.slice(7, 3).with_columns(withdrawn=pl.lit(value=True))
        parts[at] = pl.concat([parts[at], moved, renamed, taken_back, earlier.slice(10)])
        parts[at] = parts[at].unique(["source", "crossing_id"], keep="last", maintain_order=True)
    return parts


@pytest.mark.parametrize("seed", [1, 2])
def test_fold_projection_and_totals_agree_after_every_batch(
    tmp_path: Path, statistics_url: str, seed: int
) -> None:
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as desk:
        for number, part in enumerate(messy_parts(seed)):
            hand_in(desk, office, part, f"part {number}")
            check_all_agree(desk.ledger)
        reconcile_with(desk.ledger, office)
        check_all_agree(desk.ledger)


def test_status_changes_are_in_the_fold_and_the_projection(
    tmp_path: Path, statistics_url: str
) -> None:
    country = small_country(stays=900, seed=5, extensions=0.2)
    office = small_office(tmp_path, statistics_url)
    changes = country.status_changes.filter(pl.col("recorded_at") <= NOW)
    with Desk(office) as desk:
        before = country.crossings.filter(pl.col("event_time") <= NOW - timedelta(days=60))
        hand_in(desk, office, before, "before")
        hand_in(desk, office, before.head(0), "changes", changes)
        assert desk.ledger.stays()["status_kind"].drop_nulls().len() > 0
        check_all_agree(desk.ledger)


def test_what_was_known_on_a_past_day_can_be_asked_for(tmp_path: Path, statistics_url: str) -> None:
    crossings = small_country(stays=250, seed=3).crossings.sort("recorded_at")
    day = (NOW - timedelta(days=60)).date()
    known = crossings.filter(pl.col("recorded_at").dt.date() <= day)
    office = small_office(tmp_path / "a", statistics_url)
    with Desk(office) as desk:
        hand_in(desk, office, known, "known by then", as_recorded=True)
        then = desk.ledger.fold(day)
        later = crossings.filter(pl.col("recorded_at").dt.date() > day)
        hand_in(desk, office, later, "later", as_recorded=True)
        arrivals = set(then["arrival_ref"].drop_nulls())
        again = desk.ledger.fold(day)
        assert set(again["arrival_ref"].drop_nulls()) == arrivals
        assert again["departure_ref"].drop_nulls().len() <= then["departure_ref"].drop_nulls().len()
        assert desk.ledger.fold(NOW.date()).height > then.height


def test_the_same_digest_again_changes_nothing(tmp_path: Path, statistics_url: str) -> None:
    crossings = small_country(stays=120).crossings
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as desk:
        hand_in(desk, office, crossings, "once")
        before = desk.ledger.events(), desk.ledger.totals()
        hand_in(desk, office, crossings, "once")
        assert_frame_equal(desk.ledger.events(), before[0])
        assert_frame_equal(desk.ledger.totals(), before[1])


def test_the_same_records_under_another_digest_are_counted_as_repeated(
    tmp_path: Path, statistics_url: str
) -> None:
    crossings = small_country(stays=120).crossings
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as desk:
        hand_in(desk, office, crossings, "once")
        events, totals = desk.ledger.events(), desk.ledger.totals()
        hand_in(desk, office, crossings, "twice")
        assert_frame_equal(desk.ledger.events(), events)
        assert_frame_equal(desk.ledger.totals(), totals)
        quality = desk.ledger.quality().filter(pl.col("issue") == "repeated")
        assert quality["records"].sum() == crossings.height


def _stays_of(office: Office, parts: list[pl.DataFrame]) -> pl.DataFrame:
    with Desk(office) as desk:
        for number, part in enumerate(parts):
            hand_in(desk, office, part, f"part {number}")
        reconcile_with(desk.ledger, office)
        again = reconcile_with(desk.ledger, office)
        assert (again.asserted, again.withdrawn, again.merged, again.separated) == (0, 0, 0, 0)
        return comparable(desk.ledger.stays())


@pytest.mark.parametrize("seed", [7, 8])
def test_batch_splits_and_order_do_not_matter_after_a_reconcile(tmp_path: Path, seed: int) -> None:
    crossings = small_country(stays=300, seed=seed).crossings
    whole = _stays_of(small_office(tmp_path / "whole"), [crossings])
    split = [*crossings.sort("recorded_at").iter_slices(97)]
    shuffled = crossings.sample(fraction=1.0, shuffle=True, seed=seed)
    assert_frame_equal(_stays_of(small_office(tmp_path / "split"), split), whole)
    parts = [*shuffled.iter_slices(211)]
    assert_frame_equal(_stays_of(small_office(tmp_path / "shuffled"), parts), whole)


def _links_of(office: Office) -> set[tuple[bytes, bytes]]:
    with office.open_ledger() as ledger:
        linked = ledger.stays().drop_nulls("departure_ref")
    return set(linked.select("arrival_ref", "departure_ref").iter_rows())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_ledger_is_reconciled_block_by_block(
    tmp_path: Path, statistics_url: str, seed: int
) -> None:
    """As when all is linked at once, but for few; what was put right stays as it is."""
    parts = messy_parts(seed)
    whole = small_office(tmp_path / "whole")
    _stays_of(whole, parts)
    office = small_office(tmp_path / "blocks", statistics_url)
    told: list[int] = []
    with Desk(office) as desk:
        for number, part in enumerate(parts):
            hand_in(desk, office, part, f"part {number}")
        done = reconcile_with(desk.ledger, office, rows_at_once=60, progress=told.append)
        assert len(told) >= done.reports / 60 > 3
        assert told == sorted(told)
        assert told[-1] == done.reports
        again = reconcile_with(desk.ledger, office, rows_at_once=60)
        assert (again.asserted, again.withdrawn, again.merged, again.separated) == (0, 0, 0, 0)
        check_all_agree(desk.ledger)
    one, other = _links_of(whole), _links_of(office)
    assert len(one & other) > 0.98 * len(one | other)
