"""Keys of cases wrapped by a key service, over a real line to one that listens on this machine."""

from __future__ import annotations

import logging
import shutil
import stat
import time
from base64 import b64encode
from collections.abc import Container, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.key_service import TOKEN, Vault, serve_keys
from sojourn_web.cases.errors import CaseKeyError, ErasedError, KeyMissingError, KeysAwayError
from sojourn_web.cases.key_service import KeyService, ServiceAddress
from sojourn_web.cases.keys import CaseKeys, FileCaseKeys
from sojourn_web.cases.models import Person
from sojourn_web.cases.wrapped_keys import (
    HELD,
    WrappedCaseKeys,
    open_service,
    take_over_files,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with serve_keys() as found:
        yield found


def store(
    vault: Vault, folder: Path, *, token: str = TOKEN, seconds: float = 2.0,
    stones: Container[str] = (),
) -> CaseKeys:  # fmt: skip
    """A new one each time, as each request has it. ``stones``: ids that tombstones name."""
    address = ServiceAddress(vault.url, token, seconds=seconds)
    return WrappedCaseKeys.open_or_create(
        folder / "keys", KeyService(address), is_erased=lambda key_id: key_id in stones
    )


def test_a_key_is_wrapped_by_one_that_never_leaves(vault: Vault, tmp_path: Path) -> None:
    keys = store(vault, tmp_path)
    one, other = keys.create(), keys.create()
    key = keys.data_key(one)
    assert len(key) == 32
    assert store(vault, tmp_path).data_key(one) == key != keys.data_key(other)
    assert store(vault, tmp_path).index_secret() == keys.index_secret()
    assert len(vault.keys) == 3  # the index, and one wrapping key for each case
    for path in (tmp_path / "keys").rglob("*.wrapped"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        held = path.read_bytes()
        for secret in (key, keys.index_secret(), *vault.keys.values()):
            assert secret not in held
            assert b64encode(secret) not in held


def test_columns_are_sealed_and_opened_with_it(vault: Vault, tmp_path: Path) -> None:
    keys = store(vault, tmp_path)
    person = Person(made_at=NOW, key_id=keys.create())
    person.seal(keys, names="Amina Diallo", contact="by her sister")
    fresh = store(vault, tmp_path)
    vault.asked.clear()
    assert (person.names.open(fresh), person.contact.open(fresh)) == (
        "Amina Diallo", "by her sister"
    )  # fmt: skip
    assert len(vault.asked) == 1  # asked once in a request, not once for each column
    keys.destroy(person.key_id)
    fresh = store(vault, tmp_path, stones={person.key_id})
    assert person.names.show(fresh) == "[erased]"


def test_a_destroyed_key_stays_destroyed_whatever_is_restored(vault: Vault, tmp_path: Path) -> None:
    keys = store(vault, tmp_path)
    one, stays = keys.create(), keys.create()
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    service = dict(vault.keys)
    keys.destroy(one)
    keys.destroy(one)
    with pytest.raises(ErasedError):
        store(vault, tmp_path, stones={one}).data_key(one)
    # A backup of the folder alone brings nothing back.
    shutil.copytree(tmp_path / "backup", tmp_path / "keys", dirs_exist_ok=True)
    with pytest.raises(ErasedError):
        store(vault, tmp_path, stones={one}).data_key(one)
    # One of the service as well does, until the tombstones destroy it again.
    vault.keys.update(service)
    assert store(vault, tmp_path).data_key(one)
    assert store(vault, tmp_path).destroy_again([one, "0" * 32]) == 1
    assert store(vault, tmp_path).destroy_again([one, "0" * 32]) == 0
    with pytest.raises(ErasedError):
        store(vault, tmp_path, stones={one}).data_key(one)
    assert store(vault, tmp_path).data_key(stays)


@pytest.mark.parametrize("part", ["service", "folder"])
def test_keys_of_an_older_backup_are_missing_and_nothing_is_erased(
    vault: Vault, tmp_path: Path, part: str
) -> None:
    """A key that was made after the backup is told as missing until the newest is restored."""
    before = store(vault, tmp_path).create()
    service = dict(vault.keys)
    one = store(vault, tmp_path).create()
    newest = dict(vault.keys)
    file = tmp_path / "keys" / one[:2] / f"{one}.wrapped"
    wrapped = file.read_bytes()
    if part == "service":
        vault.keys.clear()
        vault.keys.update(service)
    else:
        file.unlink()
    person = Person(made_at=NOW, key_id=one)
    person.names = b"\x01" + bytes(40)  # type: ignore[assignment]
    for read in (lambda: store(vault, tmp_path).data_key(one),
                 lambda: person.names.show(store(vault, tmp_path)),
                 lambda: person.seal(store(vault, tmp_path), contact="by her sister")):  # fmt: skip
        with pytest.raises(KeyMissingError, match="older backup"):
            read()
    assert store(vault, tmp_path).data_key(before)
    vault.keys.update(newest)
    file.write_bytes(wrapped)
    assert store(vault, tmp_path).data_key(one)


def test_a_service_that_is_away_is_no_erasure(vault: Vault, tmp_path: Path) -> None:
    one = store(vault, tmp_path).create()
    for status in (503, 500, 429):
        vault.status = status
        with pytest.raises(KeysAwayError, match=f"sealed or busy \\({status}\\)"):
            store(vault, tmp_path).data_key(one)
    vault.status = 0
    assert store(vault, tmp_path).data_key(one)
    with pytest.raises(KeysAwayError, match="look whether it runs"):
        gone = ServiceAddress("http://127.0.0.1:9/v1/transit", TOKEN)
        WrappedCaseKeys(tmp_path / "keys", KeyService(gone)).data_key(one)


@pytest.mark.parametrize("drips", [False, True])
def test_it_waits_so_long_and_no_longer(vault: Vault, tmp_path: Path, drips: bool) -> None:
    one = store(vault, tmp_path).create()
    vault.wait, vault.drips = (0.0, True) if drips else (30.0, False)
    keys = store(vault, tmp_path, seconds=0.4)
    started = time.monotonic()
    with pytest.raises(KeysAwayError, match=r"within 0\.4 seconds"):
        keys.data_key(one)
    assert time.monotonic() - started < 15


def test_a_wrong_mount_or_token_is_told_as_such(vault: Vault, tmp_path: Path) -> None:
    one = store(vault, tmp_path).create()
    vault.token = "another"
    with pytest.raises(CaseKeyError, match=r"refuses this token for 'decrypt' \(403\)"):
        store(vault, tmp_path).data_key(one)
    vault.token = TOKEN
    other = ServiceAddress(vault.url.replace("transit", "other"), TOKEN)
    with pytest.raises(CaseKeyError, match="no key 'sojourn-index'") as refusal:
        WrappedCaseKeys(tmp_path / "keys", KeyService(other)).data_key(one)
    assert not isinstance(refusal.value, KeysAwayError)
    vault.status = 302
    with pytest.raises(CaseKeyError, match="302"):
        store(vault, tmp_path).data_key(one)


def test_wrapped_keys_cannot_be_exchanged_or_changed(vault: Vault, tmp_path: Path) -> None:
    keys = store(vault, tmp_path)
    one, other = keys.create(), keys.create()
    files = [tmp_path / "keys" / k[:2] / f"{k}.wrapped" for k in (one, other)]
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(CaseKeyError, match="backups of one time"):
        store(vault, tmp_path).data_key(one)
    files[0].write_bytes(b"\xff\x00")
    with pytest.raises(CaseKeyError, match="backups of one time"):
        store(vault, tmp_path).data_key(one)


def test_few_keys_are_held_and_not_for_long(vault: Vault, tmp_path: Path) -> None:
    now = [0.0]
    store(vault, tmp_path)
    service = KeyService(ServiceAddress(vault.url, TOKEN))
    keys = WrappedCaseKeys(tmp_path / "keys", service, lambda: now[0])
    ids = [keys.create() for _ in range(HELD + 4)]
    for key_id in ids:
        keys.data_key(key_id)
    assert len(keys._held) == HELD
    vault.asked.clear()
    keys.data_key(ids[-1])
    assert vault.asked == []
    now[0] = 31.0
    keys.data_key(ids[-1])
    assert len(vault.asked) == 1


def test_no_key_and_no_token_in_a_log_or_an_error(
    vault: Vault, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = store(vault, tmp_path)
    one = keys.create()
    secrets = [keys.data_key(one), *vault.keys.values()]
    said = [repr(keys), repr(ServiceAddress(vault.url, TOKEN)), caplog.text]
    for status in (400, 403, 500):
        vault.status = status
        with pytest.raises(CaseKeyError) as refusal:
            store(vault, tmp_path).data_key(one)
        said.append(f"{refusal.value!r} {refusal.value.__cause__}")
    for text in said:
        assert TOKEN not in text
        assert not any(s.hex() in text or b64encode(s).decode() in text for s in secrets)


def test_what_would_be_unsafe_is_refused(vault: Vault, tmp_path: Path) -> None:
    for url in ("http://keys.example.org/v1/transit", "ftp://localhost/x", "localhost:8200"):
        with pytest.raises(CaseKeyError, match="SOJOURN_CASES_KEY_SERVICE"):
            KeyService(ServiceAddress(url, TOKEN))
    with pytest.raises(CaseKeyError, match="token"):
        KeyService(ServiceAddress(vault.url, "two\r\nlines"))
    with pytest.raises(CaseKeyError, match="hexadecimal"):
        store(vault, tmp_path).data_key("../master")
    token = tmp_path / "token"
    with pytest.raises(CaseKeyError, match="SOJOURN_CASES_KEY_TOKEN"):
        open_service(tmp_path / "keys", vault.url, str(token), "")
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o644)
    with pytest.raises(CaseKeyError, match="0644"):
        open_service(tmp_path / "keys", vault.url, str(token), "")
    token.chmod(0o600)
    assert open_service(tmp_path / "keys", vault.url, str(token), "").index_secret()


def test_files_and_a_service_are_not_mixed_by_a_slip(vault: Vault, tmp_path: Path) -> None:
    store(vault, tmp_path)
    with pytest.raises(CaseKeyError, match="SOJOURN_CASES_KEY_SERVICE as before"):
        FileCaseKeys.open_or_create(tmp_path / "keys")
    FileCaseKeys.open_or_create(tmp_path / "others" / "keys")
    with pytest.raises(CaseKeyError, match="name an empty folder"):
        store(vault, tmp_path / "others")


def test_an_office_brings_its_file_keys_over(vault: Vault, tmp_path: Path) -> None:
    files = FileCaseKeys.open_or_create(tmp_path / "files")
    ids = [files.create() for _ in range(3)]
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    where = (tmp_path / "keys", vault.url, str(token), "")
    assert take_over_files(tmp_path / "files", *where) == 3
    assert take_over_files(tmp_path / "files", *where) == 0  # again, after a stop in between
    keys = open_service(*where)
    assert [keys.data_key(k) for k in ids] == [files.data_key(k) for k in ids]
    assert keys.index_secret() == files.index_secret()
    FileCaseKeys.open_or_create(tmp_path / "others")
    with pytest.raises(CaseKeyError, match="codes and search would end"):
        take_over_files(tmp_path / "others", *where)


def test_over_tls_with_a_certificate_that_is_known_and_no_other(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    with serve_keys(files) as vault:
        known = KeyService(ServiceAddress(vault.url, TOKEN, ca=files[0]))
        keys = WrappedCaseKeys.open_or_create(tmp_path / "keys", known)
        assert keys.data_key(keys.create())
        with pytest.raises(KeysAwayError, match="SOJOURN_CASES_KEY_CA"):
            KeyService(ServiceAddress(vault.url, TOKEN)).has("anything")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                       critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    return files
