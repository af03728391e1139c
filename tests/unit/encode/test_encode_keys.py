"""Secrets run forward only, sit in a file that nobody else reads, and are never said aloud."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from sojourn.encode import FileKeyProvider, MemoryKeyProvider
from sojourn.encode.keys import EPOCH_ZERO, Purpose, epoch_of, epoch_start, kind_secrets
from sojourn.errors import KeyProviderError
from sojourn.schemas import KeyKind


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "office.json"
    FileKeyProvider.create(path)
    return path


def test_a_new_key_file_is_for_its_owner_only(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyProviderError, match=f"expected mode 0600, found {mode:04o}"):
        FileKeyProvider(key_file)


def test_a_key_file_opened_to_others_later_is_refused_at_the_next_use(key_file: Path) -> None:
    keys = FileKeyProvider(key_file)
    key_file.chmod(0o644)
    with pytest.raises(KeyProviderError, match="chmod 600"):
        keys.secret(Purpose.MATCH, 0)


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyProviderError, match="exists"):
        FileKeyProvider.create(key_file)
    assert key_file.read_bytes() == before


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyProviderError, match="sojourn keys new"):
        FileKeyProvider(tmp_path / "none.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: "not json",
        lambda raw: json.dumps({**raw, "version": 2}),
        lambda raw: json.dumps({"version": 1, "chains": {"match": raw["chains"]["match"]}}),
        lambda raw: json.dumps(raw).replace(raw["chains"]["match"]["secret"], "ab12"),
        lambda raw: "[]",
    ],
)
def test_a_damaged_key_file_is_refused_without_its_text(key_file: Path, damage) -> None:  # type: ignore[no-untyped-def]
    raw = json.loads(key_file.read_text())
    key_file.write_text(damage(raw))
    with pytest.raises(KeyProviderError, match="not a Sojourn key file") as caught:
        FileKeyProvider(key_file)
    assert raw["chains"]["match"]["secret"] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_two_copies_of_a_key_file_agree_on_every_epoch_to_come(
    key_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(key_file.read_bytes())
    copy.chmod(0o600)
    edge, centre = FileKeyProvider(key_file), FileKeyProvider(copy)
    edge.destroy_before(Purpose.MATCH, 3)
    for epoch in (3, 4, 40):
        assert edge.secret(Purpose.MATCH, epoch) == centre.secret(Purpose.MATCH, epoch)


def test_a_destroyed_epoch_is_gone_and_the_next_ones_are_unchanged(key_file: Path) -> None:
    keys = FileKeyProvider(key_file)
    later = keys.secret(Purpose.MATCH, 6)
    held = json.loads(key_file.read_text())["chains"]["match"]["secret"]
    keys.destroy_before(Purpose.MATCH, 5)
    assert keys.first_epoch(Purpose.MATCH) == 5
    assert keys.secret(Purpose.MATCH, 6) == later
    with pytest.raises(KeyProviderError, match="epoch 4 has been destroyed"):
        keys.secret(Purpose.MATCH, 4)
    assert held not in key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in key_file.parent.iterdir()] == [key_file.name]


def test_keys_run_forward_only(key_file: Path) -> None:
    keys = FileKeyProvider(key_file)
    keys.destroy_before(Purpose.REFERENCE, 9)
    keys.destroy_before(Purpose.REFERENCE, 2)
    assert keys.first_epoch(Purpose.REFERENCE) == 9
    assert keys.first_epoch(Purpose.MATCH) == 0, "each purpose has a chain of its own"


def test_no_two_uses_of_a_key_are_alike() -> None:
    keys = MemoryKeyProvider(b"seed")
    secrets = [keys.secret(p, e) for p in Purpose for e in range(4)]
    secrets += kind_secrets(keys.secret(Purpose.MATCH, 0), tuple(KeyKind)).values()
    assert len(set(secrets)) == len(secrets)
    assert {len(s) for s in secrets} == {32}


@pytest.mark.parametrize("epoch_days", [1, 91, 3653])
def test_epochs_are_steps_from_2000(epoch_days: int) -> None:
    for epoch in (0, 1, 7):
        start = epoch_start(epoch, epoch_days)
        assert epoch_of(start, epoch_days) == epoch
        assert epoch_of(start + timedelta(days=epoch_days - 1), epoch_days) == epoch
        assert epoch_of(start + timedelta(days=epoch_days), epoch_days) == epoch + 1
    assert epoch_start(0, epoch_days) == EPOCH_ZERO
    assert epoch_of(date(1950, 1, 1), epoch_days) == 0
