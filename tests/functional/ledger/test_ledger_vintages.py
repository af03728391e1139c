"""Vintages are what was known at the end of each day: differences, never rewritten silently."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lib.offices import NOW, ClockedOffice, hand_in, small_country
from sojourn.encode import FileKeyProvider
from sojourn.errors import HorizonError
from sojourn.ledger import Ledger, vintages
from sojourn.measure import count_stays
from sojourn.pipeline import Desk
from sojourn.pipeline.checkup import check_up
from sojourn.pipeline.measuring import measure_at, refresh_with
from sojourn.pipeline.office import key_file
from sojourn.pipeline.reconciling import reconcile_with
from sojourn.schemas import MEASURES, VINTAGES, Span

CELL = [n for n in VINTAGES.key if n != "known_at"]
LONG = (Span.MONTH, Span.YEAR)
START = NOW - timedelta(days=30)
GAPS = (0, 1, 1, 2, 9, 1, 0, 5, 1)  # days between deliveries


def live_office(home: Path, url: str | None = None, seed: int = 3) -> ClockedOffice:
    """An office that took a country in as it happened, with days off, corrections, a reconcile."""
    clocked = ClockedOffice(home, url, START)
    country = small_country(stays=260, seed=seed, extensions=0.3)
    rows = country.crossings.sort("event_time", "crossing_id")
    parts = list(rows.iter_slices(-(-rows.height // len(GAPS))))
    with Desk(clocked.office) as desk:
        for number, (part, gap) in enumerate(zip(parts, GAPS, strict=True)):
            clocked.now += timedelta(days=gap)
            again = parts[number - 1].head(8) if number else part.clear()
            moved = again.head(4).with_columns(pl.col("event_time") + pl.duration(hours=40))
            gone = again.tail(4).with_columns(withdrawn=pl.lit(value=True))
            given = pl.concat([part, moved, gone]).unique(
                ["source", "crossing_id"], keep="last", maintain_order=True
            )
            changes = country.status_changes.slice(number * 9, 9)
            hand_in(desk, clocked.office, given, f"part {number}", changes)
        reconcile_with(desk.ledger, clocked.office)
        clocked.now += timedelta(days=3)
        refresh_with(desk.ledger, clocked.office)
    return clocked


def other_records(stays: int, seed: int) -> pl.DataFrame:
    """Of other stays than the live office's, under ids of their own."""
    named = pl.concat_str(pl.lit("other-"), "crossing_id").alias("crossing_id")
    return small_country(stays=stays, seed=seed).crossings.with_columns(named)


def cells_of(found: pl.DataFrame, day: date) -> pl.DataFrame:
    """What vintages say of a day."""
    known = found.filter(pl.col("known_at") <= day).sort("known_at")
    last = known.unique(CELL, keep="last", maintain_order=True).filter(pl.col("value") != 0)
    return last.select(*CELL, "value").sort(CELL)


def months_folded(ledger: Ledger, day: date) -> pl.DataFrame:
    counted = count_stays(ledger.fold(day), day)
    months = counted.with_columns(pl.col("counts_on").dt.month_start().alias("period"))
    summed = months.group_by(CELL).agg(pl.col("value").sum().cast(pl.Int64))
    return summed.select(*CELL, "value").sort(CELL)


def test_each_vintage_is_the_fold_of_its_day(tmp_path: Path, statistics_url: str) -> None:
    clocked = live_office(tmp_path, statistics_url)
    with clocked.office.open_ledger() as ledger:
        found = ledger.vintages()
        kept = ledger.vintages_kept()
        assert (kept.since, kept.last) == (START.date(), clocked.now.date() - timedelta(days=1))
        for back in range((kept.last - kept.since).days + 1):
            day = kept.last - timedelta(days=back)
            assert_frame_equal(cells_of(found, day), months_folded(ledger, day))
        before = found.sort("known_at").with_columns(
            pl.col("value").shift(1).over(CELL).alias("was")
        )
        assert before.filter(pl.col("was") == pl.col("value")).is_empty(), "differences alone"
        assert before.filter(pl.col("was").is_null() & (pl.col("value") == 0)).is_empty()


def test_a_second_time_on_the_same_day_changes_nothing(tmp_path: Path) -> None:
    clocked = live_office(tmp_path)
    with clocked.office.open_ledger() as ledger:
        found = ledger.vintages()
        assert ledger.close_days() == 0
        refresh_with(ledger, clocked.office)
        assert_frame_equal(ledger.vintages(), found)


def test_past_months_are_measured_from_vintages_as_from_the_fold(tmp_path: Path) -> None:
    clocked = live_office(tmp_path)
    day = clocked.now.date() - timedelta(days=12)
    whole = measure_at(clocked.office, day)
    months = measure_at(clocked.office, day, LONG)
    assert months.height > 20
    assert_frame_equal(months, whole.filter(pl.col("span").cast(pl.String) != "day"))


def test_a_clock_that_jumps_back_rewrites_no_vintage_and_is_told(
    tmp_path: Path, statistics_url: str
) -> None:
    clocked = live_office(tmp_path, statistics_url)
    right = clocked.now
    late = other_records(40, 77)
    with Desk(clocked.office) as desk:
        found, last = desk.ledger.vintages(), desk.ledger.vintages_kept().last
        assert last is not None
        clocked.now = right - timedelta(days=6)
        hand_in(desk, clocked.office, late.head(30), "while the clock is wrong")
        refresh_with(desk.ledger, clocked.office)
        assert_frame_equal(desk.ledger.vintages(), found)
        kept = desk.ledger.vintages_kept()
        assert (kept.refused, kept.last, kept.doubted_until) == (1, last, last)
        assert not kept.hold(last)
        assert "in the future" in _clock_finding(clocked).found
        # The fold is asked for the days that are doubted.
        day = last - timedelta(days=1)
        assert_frame_equal(
            measure_at(clocked.office, day, LONG).sort(MEASURES.key),
            measure_at(clocked.office, day)
            .filter(pl.col("span").cast(pl.String) != "day").sort(MEASURES.key),
        )  # fmt: skip
        # Once the clock is right again, vintages go on and hold.
        clocked.now = right
        assert not _clock_finding(clocked).fine
        assert "1 commit " in _clock_finding(clocked).found
        clocked.now = right + timedelta(days=2)
        hand_in(desk, clocked.office, late.tail(30), "later")
        kept = desk.ledger.vintages_kept()
        assert kept.last == clocked.now.date() - timedelta(days=1)
        assert kept.hold(kept.last)
        assert_frame_equal(
            cells_of(desk.ledger.vintages(), kept.last), months_folded(desk.ledger, kept.last)
        )


def test_a_clock_that_was_wrong_before_the_first_day_does_no_harm(tmp_path: Path) -> None:
    clocked = ClockedOffice(tmp_path, None, NOW + timedelta(days=9_000))
    clocked.office.open_ledger().close()
    clocked.now = NOW
    with Desk(clocked.office) as desk:
        hand_in(desk, clocked.office, small_country(stays=40, seed=2).crossings, "one")
        clocked.now += timedelta(days=1)
        assert desk.ledger.close_days() > 0
        kept = desk.ledger.vintages_kept()
        assert (kept.last, kept.refused) == (NOW.date(), 0)
        assert_frame_equal(
            cells_of(desk.ledger.vintages(), NOW.date()), months_folded(desk.ledger, NOW.date())
        )


def _clock_finding(clocked: ClockedOffice):  # type: ignore[no-untyped-def]
    office = clocked.office
    if not key_file(office.home).exists():
        FileKeyProvider.create(key_file(office.home))
    findings = check_up(office.home, office.statistics_url, now=clocked.now)
    return next(f for f in findings if f.what == "clock")


def test_history_lets_vintages_begin_again(tmp_path: Path, statistics_url: str) -> None:
    clocked = live_office(tmp_path, statistics_url)
    old = other_records(60, 78).filter(pl.col("recorded_at") < clocked.now)
    with Desk(clocked.office) as desk:
        clocked.now += timedelta(days=1)
        hand_in(desk, clocked.office, old, "history", as_recorded=True)
        day = clocked.now.date()
        clocked.now += timedelta(days=2)
        desk.ledger.close_days()
        found, kept = desk.ledger.vintages(), desk.ledger.vintages_kept()
        assert kept.since == day
        assert not kept.hold(day - timedelta(days=1))
        assert found["known_at"].min() == day
        for at in (day, day + timedelta(days=1)):
            assert_frame_equal(cells_of(found, at), months_folded(desk.ledger, at))


def test_a_batch_stamped_before_midnight_belongs_to_its_day(tmp_path: Path) -> None:
    clocked = ClockedOffice(tmp_path, None, START.replace(hour=23, minute=59, second=59))
    rows = small_country(stays=60, seed=5).crossings
    ticks = iter([timedelta(0), timedelta(seconds=2), timedelta(0)])
    with Desk(clocked.office) as desk:
        append = desk.ledger.append
        desk.ledger.append = lambda batch: _later(clocked, ticks, lambda: append(batch))  # type: ignore[method-assign]
        hand_in(desk, clocked.office, rows.head(40), "first")
        hand_in(desk, clocked.office, rows.slice(40, 30), "across midnight")
        assert clocked.now.date() == START.date() + timedelta(days=1)
        hand_in(desk, clocked.office, rows.tail(10), "next day")
        kept = desk.ledger.vintages_kept()
        assert (kept.last, kept.refused) == (START.date(), 0)
        assert_frame_equal(
            cells_of(desk.ledger.vintages(), START.date()), months_folded(desk.ledger, START.date())
        )


def _later(clocked: ClockedOffice, ticks, step):  # type: ignore[no-untyped-def]
    clocked.now += next(ticks)
    return step()


def test_vintages_outlive_the_rows_in_months_alone(tmp_path: Path, statistics_url: str) -> None:
    clocked = live_office(tmp_path, statistics_url)
    day = clocked.now.date() - timedelta(days=2)
    with clocked.office.open_ledger() as ledger:
        before = cells_of(ledger.vintages(), day)
    clocked.now += timedelta(days=640)
    today = clocked.now.date()
    with Desk(clocked.office) as desk:
        assert desk.purge(today).stays > 50
        found = desk.ledger.vintages()
        final = found.filter(
            (pl.col("period") < today.replace(day=1) - timedelta(days=366))
            & pl.col("outcome").cast(pl.String).is_in([o.value for o in vintages.DATED])
        )
        assert final.height > 5
        ends = pl.col("known_at").dt.month_end() == pl.col("known_at")
        assert final.filter(~ends & (pl.col("known_at") < today - timedelta(days=1))).is_empty()
        # No cell that never was large is told by group; in total nothing is lost.
        by_group = final.filter(pl.col("nationality") != vintages.SMALL)
        largest = by_group.group_by(CELL).agg(pl.col("value").max())
        assert largest.filter(pl.col("value") < 10).is_empty()
        whole = ["period", "outcome"]
        wanted = before.group_by(whole).agg(pl.col("value").sum())
        month_end = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        told = cells_of(found, month_end).group_by(whole).agg(pl.col("value").sum())
        late = pl.col("outcome").cast(pl.String) == "departed_late"
        assert_frame_equal(told.filter(late).sort(whole), wanted.filter(late).sort(whole))
        # A second purge on a later day leaves what is final as it is.
        desk.purge(today + timedelta(days=1))
        again = desk.ledger.vintages()
        assert_frame_equal(again.join(final, on=VINTAGES.names, how="semi").sort(VINTAGES.key),
                           final.sort(VINTAGES.key))  # fmt: skip


def test_days_past_the_horizon_can_be_asked_for_in_months(tmp_path: Path) -> None:
    clocked = live_office(tmp_path)
    day = clocked.now.date() - timedelta(days=2)
    clocked.now += timedelta(days=200)
    with Desk(clocked.office) as desk:
        before = measure_at(clocked.office, day, LONG)
        desk.purge(clocked.now.date())
        assert_frame_equal(measure_at(clocked.office, day, LONG), before)
        with pytest.raises(HorizonError):
            measure_at(clocked.office, day)


def test_a_silent_source_is_told_beside_its_usual_gap(tmp_path: Path, statistics_url: str) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    rows = small_country(stays=90, seed=4).crossings
    with Desk(clocked.office) as desk:
        for number in range(6):
            hand_in(desk, clocked.office, rows.slice(number * 20, 20), f"part {number}")
            hand_in(desk, clocked.office, rows.slice(150 + number, 1), f"second part {number}")
            clocked.now += timedelta(hours=6)
        clocked.now += timedelta(days=3)
        (told,) = [s for s in desk.ledger.source_silence(clocked.now) if s.source == "test"]
    assert told.hours == pytest.approx(78)
    assert told.gaps == 5
    assert told.usual_gap_hours is not None
    assert 3 < told.usual_gap_hours < 12
