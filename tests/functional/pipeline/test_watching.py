"""Bad input through the watcher: nothing lost, nothing half-counted, a receipt for each file."""

from __future__ import annotations

import io
import json
import os
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from lib.offices import NOW, small_country, small_office
from sojourn.encode import MemoryKeyProvider, encode, encode_status
from sojourn.pipeline import Desk, Office
from sojourn.pipeline.watching import REFUSED, RETURNED, Taken, sweep_unfinished, take_waiting
from sojourn.policy import build_policy, load_policy
from sojourn.simulate.files import INPUT_COLUMNS

HEADER = "crossing_id,direction,event_time,mode,port,surname,given_names,birth_date,nationality"
DAY = (NOW - timedelta(days=3)).strftime("%Y-%m-%dT10:00:00Z")


def row(number: int, **changes: str) -> str:
    said = {
        "crossing_id": f"C{number}", "direction": "arrival", "event_time": DAY, "mode": "air",
        "port": "UTA", "surname": "EXAMPLE", "given_names": f"PERSON {number}",
        "birth_date": "1980-01-02", "nationality": "UTO",
    } | changes  # fmt: skip
    return ",".join(said[name] for name in HEADER.split(","))


def table(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def land(office: Office, name: str, data: bytes, source: str = "booths") -> Path:
    folder = office.inbox / source
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


def take_all(office: Office) -> list[Taken]:
    with Desk(office) as desk:
        return list(take_waiting(desk, office, office.inbox))


def reports(office: Office) -> int:
    with office.open_ledger() as ledger:
        return ledger.state().reports


def parquet_cut_short(tmp_path: Path) -> bytes:
    file = tmp_path / "whole.parquet"
    small_country(stays=30).crossings.select(INPUT_COLUMNS).write_parquet(file)
    return file.read_bytes()[:-200]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("empty.csv", lambda _: b""),
        ("blank.csv", lambda _: b"  \n \n"),
        ("cut.parquet", parquet_cut_short),
        ("picture.csv", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
        ("other.csv", lambda _: b"a,b,c\n1,2,3\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_receipt_and_its_neighbour_is_taken(
    tmp_path: Path, name: str, make: object
) -> None:
    office = small_office(tmp_path)
    land(office, name, make(tmp_path))  # type: ignore[operator]
    land(office, "good.csv", table(row(1), row(2)))
    taken = {t.refusal is None: t for t in take_all(office)}
    assert reports(office) == 2
    refused = taken[False]
    assert refused.refusal
    assert (office.inbox / REFUSED / name).exists()
    receipt = json.loads((office.inbox / ".receipts" / f"{refused.digest}.json").read_text())
    assert receipt["taken"] is False
    assert receipt["refusal"] == refused.refusal
    assert list((office.inbox / "booths").iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [
        row(9, event_time="1900-01-01T00:00:00Z"),
        row(9, event_time="2099-01-01T00:00:00Z"),
        row(9, direction="sideways"),
        row(9, mode="teleport"),
        row(9, event_time="yesterday"),
        row(9, surname="X" * 70_000),
        "C9,arrival",
        row(9).replace("EXAMPLE", '"EXAMPLE'),
    ],
)
def test_one_bad_record_never_loses_its_neighbours(tmp_path: Path, bad: str) -> None:
    office = small_office(tmp_path)
    land(office, "mixed.csv", table(row(1), bad, row(2), row(3)))
    (taken,) = take_all(office)
    assert taken.refusal is None
    assert reports(office) == 3
    assert sum(r.rejects for r in taken.receipts) == 1


def test_other_encodings_and_unknown_ports_are_read_and_counted(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    land(office, "latin.csv", table(row(1, surname="MÜLLER")).decode().encode("latin-1"))
    land(office, "utf16.csv", table(row(2)).decode().encode("utf-16"))
    land(office, "port.csv", table(row(3, port="QQQ")))
    assert all(t.refusal is None for t in take_all(office))
    assert reports(office) == 3
    with office.open_ledger() as ledger:
        issues = set(ledger.quality()["issue"])
    assert "unknown_port" in issues


def test_an_id_with_other_contents_corrects_the_record_and_counts_once(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    land(office, "first.csv", table(row(1), row(2)))
    take_all(office)
    land(office, "second.csv", table(row(1, nationality="FRA", birth_date="1980-02-01")))
    take_all(office)
    assert reports(office) == 2
    with office.open_ledger() as ledger:
        found = dict(ledger.quality().select("issue", "records").iter_rows())
        assert sorted(ledger.stays()["nationality"].to_list()) == ["FRA", "UTO"]
    assert found["corrected"] == 1


def test_a_departure_that_comes_before_its_arrival_is_matched_when_the_arrival_comes(
    tmp_path: Path,
) -> None:
    office = small_office(tmp_path)
    later = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT10:00:00Z")
    land(office, "out.csv", table(row(1, crossing_id="D1", direction="departure",
                                      event_time=later, document="X")))  # fmt: skip
    take_all(office)
    with office.open_ledger() as ledger:
        assert ledger.stays()["arrival_ref"].null_count() == 1
    land(office, "in.csv", table(row(1)))
    take_all(office)
    with office.open_ledger() as ledger:
        stays = ledger.stays()
    assert stays.height == 1
    assert stays["arrival_ref"].null_count() + stays["departure_ref"].null_count() == 0


def test_originals_are_removed_or_returned_as_policy_says(tmp_path: Path) -> None:
    text = Path(load_policy.__code__.co_filename).with_name("policies") / "default.toml"
    returning = build_policy(
        text.read_text().replace('originals = "remove"', 'originals = "return"'), "test"
    )
    office = small_office(tmp_path / "a", policy=returning)
    path = land(office, "good.csv", table(row(1)))
    take_all(office)
    assert not path.exists()
    assert (office.inbox / RETURNED / "good.csv").exists()
    office = small_office(tmp_path / "b")
    path = land(office, "good.csv", table(row(1)))
    take_all(office)
    assert not path.exists()
    assert not (office.inbox / RETURNED).exists()


def test_the_same_file_twice_is_counted_once(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    land(office, "a.csv", table(row(1), row(2)))
    take_all(office)
    land(office, "again.csv", table(row(1), row(2)))
    (taken,) = take_all(office)
    assert [r.already for r in taken.receipts] == [True]
    assert reports(office) == 2


def test_small_files_share_a_commit_and_each_has_its_own_batch(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    for number in range(5):
        land(office, f"{number}.csv", table(row(number)), source=f"feed-{number}")
    taken = take_all(office)
    assert len(taken) == 5
    assert len({r.committed_at for t in taken for r in t.receipts}) == 1
    with office.open_ledger() as ledger:
        assert ledger.state().batches == 5
        assert set(ledger.quality().filter(pl.col("issue") == "read")["source"]) == {
            f"feed-{n}" for n in range(5)
        }


def test_hand_overs_that_were_never_finished_are_swept_after_a_day(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    old, young = land(office, ".a.part", b"x"), land(office, ".b.part", b"x")
    waiting = land(office, "c.csv", table(row(1)))
    long_ago = (NOW - timedelta(days=2)).timestamp()
    for path in (old, waiting):
        os.utime(path, (long_ago, long_ago))
    os.utime(young, (NOW.timestamp(), NOW.timestamp()))
    assert sweep_unfinished(office.inbox, NOW) == 1
    assert not old.exists()
    assert young.exists()
    assert waiting.exists()


def test_encodings_from_an_edge_are_taken_whatever_their_file_is_called(tmp_path: Path) -> None:
    country = small_country(stays=40)
    keys, settings = MemoryKeyProvider(b"edge"), load_policy().encode
    encodings = encode(country.crossings, keys, settings)
    changes = encode_status(country.status_changes, keys, settings)
    office = small_office(tmp_path)
    for name, table in (("0123abcd.data", encodings), ("changes.parquet", changes)):
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        land(office, name, buffer.getvalue())
    assert all(t.refusal is None for t in take_all(office))
    assert reports(office) == encodings.filter(~pl.col("withdrawn")).height
