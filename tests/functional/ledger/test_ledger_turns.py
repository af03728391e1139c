"""Several processes on one ledger: a watcher, a reconcile at night, a purge, a load by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from functional.ledger.test_ledger_consistency import check_all_agree
from lib.offices import ClockedOffice, comparable, hand_in, small_country, small_office
from sojourn.errors import OvertakenError
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.overtaken import LINK, MERGE, Changes, still_true
from sojourn.pipeline.reconciling import reconcile_with

PARTS = 8


def parts_of(seed: int = 3) -> list[pl.DataFrame]:
    crossings = small_country(stays=240, seed=seed).crossings.sort("recorded_at", "crossing_id")
    return list(crossings.iter_slices(-(-crossings.height // PARTS)))


def alone(office: Office, parts: list[pl.DataFrame]) -> pl.DataFrame:
    with Desk(office) as desk:
        for number, part in enumerate(parts):
            hand_in(desk, office, part, f"part {number}")
        return comparable(desk.ledger.stays())


def test_two_writers_decide_as_one(tmp_path: Path, statistics_url: str) -> None:
    """Each has opened the ledger before the other wrote; parts go to the one and the other."""
    parts = parts_of()
    expected = alone(small_office(tmp_path / "alone"), parts)
    office = small_office(tmp_path / "both", statistics_url)
    with Desk(office) as one, Desk(office) as other:
        for number, part in enumerate(parts):
            hand_in((one, other)[number % 2], office, part, f"part {number}")
        check_all_agree(one.ledger)
        assert_frame_equal(comparable(other.ledger.stays()), expected)


def test_who_is_overtaken_decides_anew(
    tmp_path: Path, statistics_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process commits between the look at the open stays and the commit."""
    parts = parts_of()
    expected = alone(small_office(tmp_path / "alone"), parts)
    office = small_office(tmp_path / "both", statistics_url)
    with Desk(office) as one, Desk(office) as other:
        for number, part in enumerate(parts[:-2]):
            hand_in(one, office, part, f"part {number}")
        append, meanwhile = one.ledger.append, [parts[-2]]

        def overtaken(batch: Any) -> Any:
            if meanwhile:
                hand_in(other, office, meanwhile.pop(), "in between")
            return append(batch)

        monkeypatch.setattr(one.ledger, "append", overtaken)
        hand_in(one, office, parts[-1], "last")
        check_all_agree(one.ledger)
        assert_frame_equal(comparable(one.ledger.stays()), expected)


def test_who_never_gets_a_turn_is_told(
    tmp_path: Path, statistics_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of()
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as one, Desk(office) as other:
        append, count = one.ledger.append, iter(range(99))

        def overtaken(batch: Any) -> Any:
            at = next(count)
            hand_in(other, office, parts[1].slice(at, 1), f"in between {at}")
            return append(batch)

        monkeypatch.setattr(one.ledger, "append", overtaken)
        with pytest.raises(OvertakenError, match="another process"):
            hand_in(one, office, parts[0], "never")
        assert one.ledger.committed("never") is None
        check_all_agree(one.ledger)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_ledger_is_reconciled_while_a_watcher_writes(
    tmp_path: Path, statistics_url: str, seed: int
) -> None:
    parts = parts_of(seed)
    whole = small_office(tmp_path / "alone")
    alone(whole, parts)
    with Desk(whole) as desk:
        reconcile_with(desk.ledger, whole)
        expected = comparable(desk.ledger.stays())
    office = small_office(tmp_path / "both", statistics_url)
    with Desk(office) as desk, office.open_ledger() as ledger:
        for number, part in enumerate(parts[:-3]):
            hand_in(desk, office, part, f"part {number}")
        coming = list(enumerate(parts))[-3:]

        def meanwhile(_: int) -> None:
            if coming:
                number, part = coming.pop(0)
                hand_in(desk, office, part, f"part {number}")

        reconcile_with(ledger, office, rows_at_once=100, progress=meanwhile)
        assert not coming
        check_all_agree(ledger)
        reconcile_with(ledger, office)
        check_all_agree(ledger)
        assert_frame_equal(comparable(ledger.stays()), expected)


def test_what_another_process_destroyed_leaves_memory(tmp_path: Path, statistics_url: str) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    with Desk(clocked.office) as desk, clocked.office.open_ledger() as ledger:
        for number, part in enumerate(parts_of()):
            hand_in(desk, clocked.office, part, f"part {number}")
        before = desk.open_reports
        clocked.now += timedelta(days=2_000)
        assert ledger.purge(clocked.now.date()).rows > 0
        desk.follow()
        with Desk(clocked.office) as fresh:
            assert desk.open_reports == fresh.open_reports < before


@pytest.mark.parametrize("what", ["purge", "withdraw"])
def test_what_goes_while_a_ledger_is_reconciled_does_not_come_back(
    tmp_path: Path, statistics_url: str, what: str
) -> None:
    """Reports are destroyed or withdrawn after the reconcile has read them."""
    parts = parts_of()
    clocked = ClockedOffice(tmp_path, statistics_url)
    with Desk(clocked.office) as desk, clocked.office.open_ledger() as ledger:
        # The latest first: much is for a reconcile to put right.
        for number, part in enumerate(reversed(parts)):
            hand_in(desk, clocked.office, part, f"part {number}")
        left = [True]

        def meanwhile(_: int) -> None:
            if not left:
                return
            left.pop()
            if what == "purge":
                clocked.now += timedelta(days=500)
                assert desk.purge(clocked.now.date()).rows
            else:
                gone = pl.concat(parts).with_columns(withdrawn=pl.lit(value=True))
                hand_in(desk, clocked.office, gone.head(300), "taken back")

        reconcile_with(ledger, clocked.office, rows_at_once=100, progress=meanwhile)
        assert not left
        held = pl.concat(list(ledger.all_reports()))
        known = held["crossing_ref"].implode()
        assert held["partner_ref"].drop_nulls().is_in(known).all()
        stays = ledger.stays()
        assert stays["departure_ref"].drop_nulls().is_in(known).all()
        reconcile_with(ledger, clocked.office)
        again = reconcile_with(ledger, clocked.office)
        assert (again.asserted, again.withdrawn, again.merged, again.separated) == (0, 0, 0, 0)


REFS = [bytes([n]) * 16 for n in range(12)]
ARRIVALS, DEPARTURES = REFS[:6], REFS[6:]


@st.composite
def matchings(draw: st.DrawFn) -> dict[bytes, bytes]:
    """Departures by arrivals: one to one."""
    departures = draw(st.permutations(DEPARTURES))
    return {a: d for a, d in zip(ARRIVALS, departures, strict=True) if draw(st.booleans())}


def links(pairs: set[tuple[bytes, bytes]]) -> pl.DataFrame:
    return pl.DataFrame(sorted(pairs), schema=dict.fromkeys(LINK, pl.Binary), orient="row")


@given(was=matchings(), found=matchings(), now=matchings())
def test_changes_that_still_hold_leave_one_departure_to_an_arrival(
    was: dict[bytes, bytes], found: dict[bytes, bytes], now: dict[bytes, bytes]
) -> None:
    """From ``was`` to ``found`` was to be changed; the ledger holds ``now``."""
    nobody = pl.DataFrame(schema=dict.fromkeys(MERGE, pl.Binary))
    changes = Changes(
        links({*found.items()} - {*was.items()}), links({*was.items()} - {*found.items()}),
        nobody, nobody,
    )  # fmt: skip
    partner = {**now, **{d: a for a, d in now.items()}}
    held = pl.DataFrame(
        [(r, None, partner.get(r)) for r in REFS], orient="row",
        schema=dict.fromkeys(("crossing_ref", "merged_into", "partner_ref"), pl.Binary),
    )  # fmt: skip
    kept = still_true(changes, held)
    withdrawn, asserted = set(kept.withdrawn.iter_rows()), set(kept.asserted.iter_rows())
    assert withdrawn <= {*now.items()}
    after = ({*now.items()} - withdrawn) | asserted
    assert len({a for a, _ in after}) == len(after) == len({d for _, d in after})
    assert len(after) == len(now) - len(withdrawn) + len(asserted)
    if now == was:
        assert after == {*found.items()}, "nobody wrote in between: all of it holds"
