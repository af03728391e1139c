"""Bad input to linking is a clear error or a counted, visible state; never a silent non-match."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from lib.offices import NOW, hand_in, small_country, small_office
from sojourn.cli import build_app
from sojourn.encode import FileKeyProvider, MemoryKeyProvider, Purpose
from sojourn.encode.keys import epoch_of, epoch_start
from sojourn.errors import LinkageError, PolicyError
from sojourn.link import dump_weights, load_weights
from sojourn.pipeline import Desk, open_office
from sojourn.pipeline.intake import OLD_STAYS, TOO_OLD, Delivered, encode_readings
from sojourn.pipeline.office import key_file
from sojourn.policy import load_policy
from sojourn.read import Reading
from sojourn.schemas import REJECTS, SOURCE_QUALITY, STATUS_CHANGES
from sojourn.simulate.files import INPUT_COLUMNS

DEFAULT = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
POLICY = load_policy()


def issues(home: Path) -> dict[str, int]:
    """What ``sojourn quality`` shows, over all sources."""
    with small_office(home).open_ledger() as ledger:
        counted = ledger.quality().group_by("issue").agg(pl.col("records").sum())
    return dict(counted.iter_rows())


def test_an_office_whose_policy_names_an_unknown_kind_does_not_open(tmp_path: Path) -> None:
    wrong = DEFAULT.replace('"BIRTH"]', '"BIRTH", "SHOE_SIZE"]')
    (tmp_path / "policy.toml").write_text(wrong)
    with pytest.raises(
        PolicyError, match=r"\[encode\] kinds: unknown: SHOE_SIZE; known: BIRTH, DOC"
    ):
        open_office(tmp_path, keys=MemoryKeyProvider(b"x"))


@pytest.mark.parametrize("kinds", ["[]", '["DOCUMENT", "DOCUMENT"]'])
def test_a_policy_without_kinds_or_with_one_twice_is_refused(kinds: str, tmp_path: Path) -> None:
    (line,) = [x for x in DEFAULT.splitlines() if x.startswith("kinds = ")]
    (tmp_path / "policy.toml").write_text(DEFAULT.replace(line, f"kinds = {kinds}"))
    with pytest.raises(PolicyError, match="kinds: expected at least one and none twice"):
        open_office(tmp_path, keys=MemoryKeyProvider(b"x"))


def test_an_office_does_not_open_with_weights_of_another_encode_policy(tmp_path: Path) -> None:
    table = load_weights()
    other = replace(table, provenance=replace(table.provenance, encode_digest="0" * 16))
    with pytest.raises(LinkageError, match=r"digest 0{16}, this policy's is .*sojourn train"):
        open_office(tmp_path, keys=MemoryKeyProvider(b"x"), weights=other)
    fewer = DEFAULT.replace(', "BIRTH"]', "]")
    (tmp_path / "policy.toml").write_text(fewer)
    with pytest.raises(LinkageError, match="learned under another"):
        open_office(tmp_path, keys=MemoryKeyProvider(b"x"))


def test_evaluate_says_that_weights_and_policy_do_not_belong_together(tmp_path: Path) -> None:
    country = small_country(stays=1600)
    country.crossings.select(INPUT_COLUMNS).write_parquet(tmp_path / "crossings.parquet")
    country.truth.write_parquet(tmp_path / "truth.parquet")
    table = load_weights()
    other = replace(table, provenance=replace(table.provenance, encode_digest="0" * 16))
    (tmp_path / "other.npz").write_bytes(dump_weights(other))
    words = ["evaluate", str(tmp_path / "crossings.parquet"), str(tmp_path / "truth.parquet")]
    done = CliRunner().invoke(build_app(), [*words, "--weights", str(tmp_path / "other.npz")])
    assert isinstance(done.exception, LinkageError)
    assert CliRunner().invoke(build_app(), words).exit_code == 0


def test_records_of_a_destroyed_epoch_are_rejects_that_say_so(tmp_path: Path) -> None:
    """Of one part, the records whose reference key is gone; the others are taken in."""
    office = small_office(tmp_path)
    country = small_country(stays=60)
    middle = epoch_of(NOW.date() - timedelta(days=100), POLICY.encode.reference_epoch_days)
    office.keys.destroy_before(Purpose.REFERENCE, middle)
    first = epoch_start(middle, POLICY.encode.reference_epoch_days)
    old = int((country.crossings["local_date"] < first).sum())
    assert 0 < old < country.crossings.height
    reading = Reading(
        country.crossings, STATUS_CHANGES.empty(), REJECTS.empty(), SOURCE_QUALITY.empty()
    )
    (intake,) = encode_readings([Delivered("part", "test", reading)], office)
    assert intake.rejects["reason"].to_list() == [TOO_OLD] * old
    assert intake.encodings.height == country.crossings.height - old


def test_departures_that_cannot_meet_stays_of_a_destroyed_epoch_are_counted(
    tmp_path: Path,
) -> None:
    policy = replace(POLICY, encode=replace(POLICY.encode, epoch_days=3150, overlap_days=300))
    office = small_office(tmp_path, policy=policy)
    country = small_country(stays=80)
    start = epoch_start(3, 3150)
    assert date(2025, 12, 1) > start > date(2025, 1, 1), "NOW lies early in an epoch"
    with Desk(office) as desk:
        hand_in(desk, office, country.crossings, "before")
    assert OLD_STAYS not in issues(tmp_path)
    office.keys.destroy_before(Purpose.MATCH, 3)
    young = country.crossings.filter(pl.col("local_date") >= start)
    leaving = young.filter(pl.col("direction") == "departure").height
    assert leaving > 20
    with Desk(office) as desk:
        hand_in(desk, office, young, "after")
    assert issues(tmp_path)[OLD_STAYS] == leaving


def test_crossings_without_any_usable_key_are_taken_in_and_counted(tmp_path: Path) -> None:
    """No document, no birth date, two names: not one kind of key is left."""
    office = small_office(tmp_path)
    country = small_country(stays=60)
    bare = country.crossings.with_columns(
        surname=pl.lit("DOE"), given_names=pl.lit("JO"), birth_date=pl.lit(None, pl.String),
        document_number=pl.lit(None, pl.String),
    )  # fmt: skip
    with Desk(office) as desk:
        hand_in(desk, office, bare, "bare")
    assert issues(tmp_path)["without_usable_key"] == bare.height
    with office.open_ledger() as ledger:
        assert ledger.stays()["arrival_ref"].null_count() > 0
        assert ledger.state().reports == bare.height


def test_the_edge_says_what_it_left_out_and_what_has_no_key(tmp_path: Path) -> None:
    keys = FileKeyProvider.create(key_file(tmp_path / "office"))
    middle = epoch_of(NOW.date() - timedelta(days=100), POLICY.encode.reference_epoch_days)
    keys.destroy_before(Purpose.REFERENCE, middle)
    first = epoch_start(middle, POLICY.encode.reference_epoch_days)
    crossings = small_country(stays=60).crossings
    old = int((crossings["local_date"] < first).sum())
    nobody = crossings["local_date"] == crossings["local_date"].max()
    spoilt = crossings.with_columns(
        pl.when(nobody).then(None).otherwise(n).alias(n) for n in ("birth_date", "document_number")
    ).with_columns(
        pl.when(nobody).then(pl.lit("DOE")).otherwise(n).alias(n)
        for n in ("surname", "given_names")
    )
    spoilt.select(INPUT_COLUMNS).write_parquet(tmp_path / "crossings.parquet")
    done = CliRunner().invoke(
        build_app(),
        ["encode", str(tmp_path / "crossings.parquet"), "--home", str(tmp_path / "office"),
         "--out", str(tmp_path / "encodings.parquet")],
    )  # fmt: skip
    assert done.exit_code == 0, done.exception
    held = pl.read_parquet(tmp_path / "encodings.parquet")
    assert held.height == crossings.height - old
    assert f"{old} crossings left out: the key of their day is destroyed" in done.stderr
    assert f"{nobody.sum()} crossings without a usable key" in done.stderr
