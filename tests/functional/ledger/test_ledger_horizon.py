"""Nothing person-level outlives the horizon: matched or not, rows, keys, bytes, backups."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import create_engine, text

from lib.offices import NOW, hand_in, small_country, small_office
from lib.specs import CAST, SpecOffice, all_specs
from sojourn.ledger import Ledger
from sojourn.ledger.horizon import destroy_expired_backups, horizon_of
from sojourn.measure import assign_outcomes, count_stays, measure
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.measuring import measure_at, purge
from sojourn.schemas import Span

AFTER = NOW.date() + timedelta(days=420)  # some stays are past their horizon, some are not
PERSON_TABLES = ("events", "reports", "match_keys", "statuses", "contributed",
                 "waiting_changes")  # fmt: skip


def filled(office: Office) -> Office:
    country = small_country(stays=400, seed=11, days=300, extensions=0.1)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "all", country.status_changes)
    return office


def held_bytes(url: str) -> dict[str, set[bytes]]:
    """Every binary value in every table of persons."""
    engine = create_engine(url)
    found: dict[str, set[bytes]] = {}
    with engine.connect() as connection:
        for table in PERSON_TABLES:
            for row in connection.execute(text(f"SELECT * FROM {table}")).fetchall():
                for value in row:
                    if isinstance(value, bytes | memoryview):
                        found.setdefault(table, set()).add(bytes(value))
    engine.dispose()
    return found


def split_by_horizon(ledger: Ledger, office: Office) -> tuple[set[bytes], set[bytes]]:
    stays = ledger.stays().with_columns(due=horizon_of(office.policy.ledger) <= AFTER)
    refs = {}
    for due in (True, False):
        part = stays.filter(pl.col("due") == due)
        ends = pl.concat([part["arrival_ref"], part["departure_ref"]]).drop_nulls()
        refs[due] = set(ends.to_list())
    return refs[True], refs[False]


def test_rows_and_keys_of_stays_past_the_horizon_are_gone_matched_or_not(
    tmp_path: Path, statistics_url: str
) -> None:
    office = filled(small_office(tmp_path, statistics_url))
    with office.open_ledger() as ledger:
        gone, kept = split_by_horizon(ledger, office)
        due = ledger.stays().filter(horizon_of(office.policy.ledger) <= AFTER)
        assert due["departure_ref"].null_count() > 0, "unmatched stays are among them"
        assert due["departure_ref"].drop_nulls().len() > 0, "matched stays are among them"
        keys = dict(zip(*_key_rows(statistics_url), strict=True))
    # A traveller who came again has the same keys at a stay that is kept; a change that waits has
    # a horizon of its own.
    of_kept = {blob for ref, blob in keys.items() if ref not in gone}
    of_kept |= held_bytes(statistics_url).get("waiting_changes", set())
    assert gone
    assert kept
    purge(office, AFTER)
    left = held_bytes(statistics_url)
    everything = set().union(*left.values())
    assert not gone & everything
    assert not {blob for ref, blob in keys.items() if ref in gone} - of_kept & everything
    assert kept <= left["reports"], "stays within their horizon stay"


def _key_rows(url: str) -> tuple[list[bytes], list[bytes]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT crossing_ref, keys FROM match_keys")).fetchall()
    engine.dispose()
    return [bytes(r[0]) for r in rows], [bytes(r[1]) for r in rows]


def test_no_byte_of_them_stays_in_the_file(tmp_path: Path) -> None:
    office = filled(small_office(tmp_path))
    file = tmp_path / "statistics.sqlite3"
    with office.open_ledger() as ledger:
        gone, _ = split_by_horizon(ledger, office)
    purge(office, AFTER)
    raw = b"".join(p.read_bytes() for p in tmp_path.glob("statistics.sqlite3*"))
    assert file.stat().st_size > 0
    assert not [ref for ref in gone if ref in raw]


def test_cells_stay_the_same_when_their_stays_are_gone(tmp_path: Path, statistics_url: str) -> None:
    office = filled(small_office(tmp_path, statistics_url))
    with office.open_ledger() as ledger:
        counts = count_stays(ledger.stays(), AFTER)
        before = measure(counts, ledger.closed_cells(), AFTER, office.policy.measure)
    purge(office, AFTER)
    after = measure_at(office, AFTER)
    months = pl.col("span") != Span.DAY.value
    assert_frame_equal(after.filter(months), before.filter(months))
    in_total = (pl.col("nationality") == "") & (pl.col("mode") == "")
    days = ~months & in_total & (pl.col("admission_class") == "")
    assert_frame_equal(after.filter(days), before.filter(days))


def test_a_purge_that_is_run_again_adds_nothing(tmp_path: Path, statistics_url: str) -> None:
    office = filled(small_office(tmp_path, statistics_url))
    first = purge(office, AFTER)
    with office.open_ledger() as ledger:
        cells = ledger.closed_cells().sort(pl.all())
    again = purge(office, AFTER)
    assert first.stays > 0
    assert (again.stays, again.rows) == (0, 0)
    with office.open_ledger() as ledger:
        assert_frame_equal(ledger.closed_cells().sort(pl.all()), cells)


def test_a_purge_cut_short_goes_on_and_counts_nobody_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled(small_office(tmp_path / "whole"))
    purge(whole, AFTER)
    office = filled(small_office(tmp_path / "cut"))
    monkeypatch.setattr("sojourn.ledger.horizon.STAYS_AT_ONCE", 50)
    asked = 0

    def fails_in_the_middle(stays: pl.DataFrame, day: date) -> pl.DataFrame:
        nonlocal asked
        asked += 1
        if asked == 12:
            raise KeyboardInterrupt
        return assign_outcomes(stays, day)

    url, settings = office.statistics_url, office.policy.ledger
    with (
        Ledger.open(url, settings, office.clock, assign_outcomes) as ledger,
        pytest.raises(KeyboardInterrupt),
    ):
        ledger._outcomes = fails_in_the_middle
        ledger.purge(AFTER)
    purge(office, AFTER)
    with office.open_ledger() as one, whole.open_ledger() as other:
        assert_frame_equal(one.closed_cells().sort(pl.all()), other.closed_cells().sort(pl.all()))


def test_backups_say_when_they_must_go_and_go(tmp_path: Path, statistics_url: str) -> None:
    office = filled(small_office(tmp_path, statistics_url))
    folder = tmp_path / "backups"
    folder.mkdir()
    with office.open_ledger() as ledger:
        note = ledger.backup(folder / "one")
        earliest = ledger.stays().select(horizon_of(office.policy.ledger).min()).item()
    assert note.destroy_by == earliest.isoformat()
    assert (folder / "one").stat().st_mode & 0o077 == 0
    assert destroy_expired_backups(folder, earliest - timedelta(days=1)) == []
    assert destroy_expired_backups(folder, earliest) == [folder / "one"]
    assert list(folder.iterdir()) == []


def test_a_backup_of_changes_that_wait_alone_says_their_day(
    tmp_path: Path, statistics_url: str
) -> None:
    """No stay is held, but match keys are: they have a horizon of their own."""
    country = small_country(stays=100, seed=9, extensions=0.4)
    changes = country.status_changes.filter(pl.col("recorded_at") <= NOW)
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings.head(0), "changes", changes)
    with office.open_ledger() as ledger:
        assert ledger.stays().is_empty()
        note = ledger.backup(tmp_path / "one")
        first = ledger.waiting_changes()["effective_date"].min()
    months = office.policy.ledger.horizon_months
    expected = pl.select(pl.lit(first).dt.offset_by(f"{months}mo")).item()
    assert note.destroy_by == expected.isoformat()


def test_past_days_whose_rows_are_gone_cannot_be_asked_for(tmp_path: Path) -> None:
    office = filled(small_office(tmp_path))
    purge(office, AFTER)
    from sojourn.errors import HorizonError

    with office.open_ledger() as ledger, pytest.raises(HorizonError, match="past their horizon"):
        ledger.fold(AFTER - timedelta(days=1))


def test_an_office_that_purges_before_its_first_file_can_still_load_its_history(
    tmp_path: Path, statistics_url: str
) -> None:
    office = small_office(tmp_path, statistics_url)
    assert purge(office, NOW.date()).rows == 0
    history = small_country(stays=60, seed=2, days=300).crossings
    with Desk(office) as desk:
        hand_in(desk, office, history, "history", as_recorded=True)
        quality = dict(desk.ledger.quality().select("issue", "records").iter_rows())
        assert desk.ledger.state().reports == history.height
    assert "rejected" not in quality


@pytest.mark.parametrize(
    ("name", "first_day_gone"),
    [
        ("62-a-death-without-a-last-day", date(2027, 3, 14)),  # a year after the death
        ("61-a-naturalisation-ends-a-stay", date(2027, 12, 31)),  # ... after the last permitted day
        ("53-change-where-no-day-was-known", date(2032, 1, 5)),  # residence: as open-ended
    ],
)
def test_the_horizon_of_a_stay_that_ended_here_is_not_an_open_ended_one(
    tmp_path: Path, name: str, first_day_gone: date
) -> None:
    taken = SpecOffice(tmp_path, CAST)
    taken.take(next(s for s in all_specs() if s.name == name))
    office = taken.office
    purge(office, first_day_gone - timedelta(days=1))
    with office.open_ledger() as ledger:
        assert ledger.stays().height == 1
    purge(office, first_day_gone)
    with office.open_ledger() as ledger:
        assert ledger.stays().height == 0
        cells = ledger.closed_cells().filter(pl.col("span") == Span.MONTH.value)
        assert cells["outcome"].to_list() == ["status_changed"]
