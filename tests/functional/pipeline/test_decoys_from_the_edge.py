"""An edge on its own machine sends decoys: counted as if the centre had made them, never kept."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from lib.offices import NOW, small_country
from sojourn.cli import build_app
from sojourn.encode import FileKeyProvider
from sojourn.errors import ReadError
from sojourn.pipeline import Desk, Office, load_files, open_office
from sojourn.pipeline.edge import encode_all
from sojourn.pipeline.edge_files import decoys_beside, in_turn, write_decoys
from sojourn.pipeline.office import key_file
from sojourn.pipeline.watching import REFUSED, Taken, take_waiting
from sojourn.policy import load_policy
from sojourn.schemas import DECOYS, ENCODINGS, LINKAGE_QUALITY, check_table
from sojourn.simulate.files import INPUT_COLUMNS
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with keys, a plain file and what it makes of it."""
    home = tmp_path_factory.mktemp("edge")
    FileKeyProvider.create(key_file(home))
    plain = home / "plain.parquet"
    small_country(stays=2_500, seed=21).crossings.select(INPUT_COLUMNS).write_parquet(plain)
    made = CliRunner().invoke(
        build_app(),
        ["encode", str(plain), "--out", str(home / "day.parquet"), "--home", str(home)],
    )
    assert made.exit_code == 0, made.output
    return home


def office_of(home: Path, edge: Path, url: str | None = None) -> Office:
    """An office that happens to hold the edge's keys, so that plain files can be compared."""
    return open_office(
        home, statistics_url=url, keys=FileKeyProvider(key_file(edge)), clock=lambda: NOW,
        policy=load_policy(),
    )  # fmt: skip


def counts(office: Office) -> pl.DataFrame:
    with office.open_ledger() as ledger:
        return ledger.linkage().sort(LINKAGE_QUALITY.key)


def total(found: pl.DataFrame, what: What) -> int:
    held = (pl.col("what") == what.value) & (pl.col("group_kind") == Group.ALL.value)
    return int(found.filter(held)["value"].sum())


def land(office: Office, file: Path, name: str) -> None:
    folder = office.inbox / "booths"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder / name)


def take_all(office: Office) -> list[Taken]:
    with Desk(office) as desk:
        return list(take_waiting(desk, office, office.inbox))


def test_what_an_edge_sends_beside_is_of_nobody_and_says_little(edge: Path) -> None:
    file = edge / "day.decoys.parquet"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    decoys, real = pl.read_parquet(file), pl.read_parquet(edge / "day.parquet")
    check_table(decoys, DECOYS)
    leaving = real.filter(pl.col("direction") == "departure").height
    assert 0.02 * leaving < decoys.height < 0.06 * leaving
    assert decoys["family"].any()
    assert not decoys["family"].all()
    assert not set(DECOYS.names) & {"event_time", "recorded_at", "port", "source", "age_band"}
    assert decoys["decoy_ref"].is_sorted()
    assert not decoys["decoy_ref"].is_in(real["crossing_ref"].implode()).any()
    assert "decoy" not in real["source"].to_list()
    assert real.height == pl.read_parquet(edge / "plain.parquet").height


def test_the_same_file_gives_the_same_decoys(edge: Path) -> None:
    again = encode_all([edge / "plain.parquet"], edge, load_policy(), source=None, mapping=None)
    assert again.decoys.equals(pl.read_parquet(edge / "day.decoys.parquet"))


def test_counts_are_those_of_the_plain_file_and_no_decoy_is_kept(
    edge: Path, tmp_path: Path, statistics_url: str
) -> None:
    plain = office_of(tmp_path / "plain", edge)
    load_files(plain, [edge / "plain.parquet"])
    wanted = counts(plain)
    office = office_of(tmp_path / "centre", edge, statistics_url)
    real = edge / "day.parquet"
    # As a shell lists them: decoys first. They are asked after their records all the same.
    done = load_files(office, [decoys_beside(real), real])
    found = counts(office)
    assert found.equals(wanted)
    assert done.decoys == total(found, What.DECOYS) + total(found, What.FAMILY_DECOYS) > 0
    assert done.records == pl.read_parquet(real).height
    again = load_files(office, [real, decoys_beside(real)])
    assert (again.parts, again.decoys) == (0, 0)
    assert counts(office).equals(wanted)
    decoys = pl.read_parquet(decoys_beside(real))["decoy_ref"]
    with office.open_ledger() as ledger:
        held = pl.concat(list(ledger.all_reports()))
        assert ledger.reports(decoys).is_empty()
        assert not ledger.events()["crossing_ref"].is_in(decoys.implode()).any()
        assert held.height == done.records
        assert not {s.source for s in ledger.source_silence(NOW)} & {"decoy", "day.decoys"}
        assert ledger.quality()["records"].sum() >= done.records


def test_the_inbox_takes_decoys_after_the_records_that_wait_with_them(
    edge: Path, tmp_path: Path, statistics_url: str
) -> None:
    real, nobody = edge / "day.parquet", edge / "day.decoys.parquet"
    office = office_of(tmp_path / "centre", edge, statistics_url)
    land(office, nobody, "a.decoys.parquet")
    land(office, real, "b.parquet")
    taken = take_all(office)
    assert [t.refusal for t in taken] == [None, None]
    assert [sum(r.records for r in t.receipts) for t in taken] == [pl.read_parquet(real).height, 0]
    assert not [f for f in (office.inbox / "booths").iterdir() if f.is_file()]
    loaded = office_of(tmp_path / "loaded", edge)
    load_files(loaded, [real, nobody])
    assert counts(office).equals(counts(loaded))
    land(office, nobody, "again.decoys.parquet")
    assert [t.refusal for t in take_all(office)] == [None]
    assert counts(office).equals(counts(loaded))


@pytest.mark.parametrize("kind", ["decoys as records", "records as decoys", "rubbish as decoys"])
def test_neither_passes_for_the_other(kind: str, edge: Path, tmp_path: Path) -> None:
    office = office_of(tmp_path / "centre", edge)
    file, name = {
        "decoys as records": (edge / "day.decoys.parquet", "day.parquet"),
        "records as decoys": (edge / "day.parquet", "day.decoys.parquet"),
        "rubbish as decoys": (tmp_path / "rubbish", "x.decoys.parquet"),
    }[kind]
    (tmp_path / "rubbish").write_bytes(b"PAR1 and nothing more")
    land(office, file, name)
    renamed = tmp_path / name
    shutil.copy(file, renamed)
    with pytest.raises(ReadError, match="decoys"):
        load_files(office, [renamed])
    (taken,) = take_all(office)
    assert taken.refusal is not None
    assert (office.inbox / REFUSED / name).exists()
    said = json.loads((office.inbox / ".receipts" / f"{taken.digest}.json").read_text("utf-8"))
    assert said["taken"] is False
    assert counts(office).is_empty()
    with office.open_ledger() as ledger:
        assert not list(ledger.all_reports()) or not pl.concat(list(ledger.all_reports())).height


def test_columns_and_mark_must_agree(edge: Path, tmp_path: Path) -> None:
    office = office_of(tmp_path / "centre", edge)
    decoys, real = (pl.read_parquet(edge / f"day{e}.parquet") for e in (".decoys", ""))
    unmarked = tmp_path / "unmarked.decoys.parquet"
    decoys.write_parquet(unmarked)
    mixed = tmp_path / "mixed.decoys.parquet"
    write_decoys(decoys.with_columns(crossing_ref="decoy_ref"), mixed)
    posing = tmp_path / "posing.parquet"
    write_decoys(real.select(ENCODINGS.names), posing)
    bare = tmp_path / "bare.parquet"
    decoys.write_parquet(bare)
    for file in (unmarked, mixed, posing, bare):
        with pytest.raises(ReadError, match="decoys"):
            load_files(office, [file])
    assert counts(office).is_empty()


def test_an_edge_that_made_no_decoys_hands_over_an_empty_file(tmp_path: Path, edge: Path) -> None:
    file = tmp_path / "none.decoys.parquet"
    write_decoys(DECOYS.empty(), file)
    done = load_files(office_of(tmp_path / "centre", edge), [file])
    assert (done.parts, done.decoys) == (0, 0)


def test_each_file_of_decoys_follows_its_own_records() -> None:
    names = ("b.decoys.parquet", "z.decoys.parquet", "b.parquet", "a.parquet", "a.decoys.parquet")
    turned = [p.name for p in in_turn([Path(n) for n in names])]
    assert turned == [
        "b.parquet", "b.decoys.parquet", "a.parquet", "a.decoys.parquet", "z.decoys.parquet",
    ]  # fmt: skip
