"""The key store, and columns that open in their own place alone."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn_web.cases.errors import CaseKeyError, ErasedError, KeyMissingError
from sojourn_web.cases.keys import FileCaseKeys
from sojourn_web.cases.models import Note, Person

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def stones() -> set[str]:
    """The ids that tombstones name."""
    return set()


@pytest.fixture
def keys(tmp_path: Path, stones: set[str]) -> FileCaseKeys:
    return FileCaseKeys.open_or_create(tmp_path / "keys", stones.__contains__)


def test_a_key_is_one_s_own_and_private(keys: FileCaseKeys, tmp_path: Path) -> None:
    one, other = keys.create(), keys.create()
    assert keys.data_key(one) == keys.data_key(one) != keys.data_key(other)
    for path in (tmp_path / "keys").rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert keys.data_key(one) not in path.read_bytes()


def test_a_destroyed_key_is_gone_and_destroying_twice_is_no_error(
    keys: FileCaseKeys, tmp_path: Path, stones: set[str]
) -> None:
    one = keys.create()
    stones.add(one)
    kept = next((tmp_path / "keys" / one[:2]).iterdir())
    copy = kept.read_bytes()
    keys.destroy(one)
    keys.destroy(one)
    with pytest.raises(ErasedError, match="nobody can read"):
        keys.data_key(one)
    kept.write_bytes(copy)  # a backup of the keys came back: the tombstones destroy it again
    assert keys.destroy_again([one, "0" * 32]) == 1
    with pytest.raises(ErasedError):
        keys.data_key(one)


def test_key_files_cannot_be_exchanged(keys: FileCaseKeys, tmp_path: Path) -> None:
    one, other = keys.create(), keys.create()
    files = [tmp_path / "keys" / k[:2] / f"{k}.key" for k in (one, other)]
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(CaseKeyError, match="master key"):
        keys.data_key(one)


def test_a_store_that_others_could_read_is_refused(keys: FileCaseKeys, tmp_path: Path) -> None:
    (tmp_path / "keys" / "master.key").chmod(0o644)
    with pytest.raises(CaseKeyError, match="0644"):
        FileCaseKeys.open_or_create(tmp_path / "keys")


def test_a_forged_key_id_reaches_no_other_file(keys: FileCaseKeys) -> None:
    with pytest.raises(CaseKeyError, match="hexadecimal"):
        keys.data_key("../master")


def test_a_sealed_column_shows_nothing_until_it_is_opened(keys: FileCaseKeys) -> None:
    person = Person(made_at=NOW, key_id=keys.create())
    person.seal(keys, names="Amina Diallo")
    assert "Amina" not in f"{person.names} {person.names!r} {person.__dict__}"
    assert person.names.open(keys) == "Amina Diallo"
    assert person.contact.open(keys) == ""
    assert not person.contact
    with pytest.raises(TypeError, match="is sealed"):
        person.names = "plain"  # type: ignore[assignment]
    person.seal(keys, names="")
    assert person.names.data is None


def test_a_ciphertext_opens_in_its_own_column_and_row_alone(keys: FileCaseKeys) -> None:
    key_id = keys.create()
    one, other = Person(made_at=NOW, key_id=key_id), Person(made_at=NOW, key_id=key_id)
    one.seal(keys, names="Amina", contact="by her sister")
    other.names = one.names.data  # type: ignore[assignment]
    with pytest.raises(CaseKeyError, match="changed or moved"):
        other.names.open(keys)
    one.contact = one.names.data  # type: ignore[assignment]
    with pytest.raises(CaseKeyError):
        one.contact.open(keys)
    note = Note(id=one.pk, made_at=NOW, key_id=key_id)
    note.text = one.names.data  # type: ignore[assignment]
    with pytest.raises(CaseKeyError):
        note.text.open(keys)


def test_equal_texts_give_different_ciphertexts_and_changed_ones_do_not_open(
    keys: FileCaseKeys,
) -> None:
    person = Person(made_at=NOW, key_id=keys.create())
    person.seal(keys, names="Amina", names_latin="Amina")
    assert person.names.data != person.names_latin.data
    data = bytearray(person.names.data or b"")
    data[-1] ^= 1
    person.names = bytes(data)  # type: ignore[assignment]
    with pytest.raises(CaseKeyError):
        person.names.open(keys)


def test_erased_is_told_only_where_a_tombstone_says_so(
    keys: FileCaseKeys, stones: set[str]
) -> None:
    person = Person(made_at=NOW, key_id=keys.create())
    person.seal(keys, names="Amina")
    keys.destroy(person.key_id)
    with pytest.raises(KeyMissingError, match="older backup"):  # a folder that was restored
        person.names.show(keys)
    stones.add(person.key_id)
    assert person.names.show(keys) == "[erased]"
    with pytest.raises(ErasedError):
        person.seal(keys, names="again")
