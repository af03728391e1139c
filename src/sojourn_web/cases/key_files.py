"""The keys of cases: one for each case, kept apart from the database and from its backups.

In: a key's id. Out: 32 secret bytes, never cached. Destroying a key is what erases a case: every
copy of the database, earlier backups too, then holds ciphertext that nobody can read.

``FileCaseKeys`` keeps one file for each case, mode 0600, wrapped by AES-256-GCM under a master
key (the key's id is authenticated, so files cannot be exchanged). It is for small offices and
the demo; in ``wrapped_keys`` the wrapping keys never leave a key service. Backups of the key
folder bring destroyed keys back: keep none longer than a week, and call ``destroy_again`` with the
tombstones' key ids after one is restored.

Raises CaseKeyError where the store is missing, open to others or damaged. Of a key that is not
there ``is_erased`` asks the tombstones: ErasedError where one has its id, else KeyMissingError, for
a store that was restored from an older backup lacks keys too.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sojourn_web.cases.errors import CaseKeyError, ErasedError, KeyMissingError

KEY_BYTES = 32
NONCE_BYTES = 12
WRAPPED_INDEX = "index.wrapped"
ID = re.compile(r"[0-9a-f]{32}")
IsErased = Callable[[str], bool]


class CaseKeys(Protocol):
    """What cases need of a key store."""

    def create(self) -> str:
        """A new case's key; returns its id, 32 hexadecimal digits."""
        ...

    def data_key(self, key_id: str) -> bytes:
        """32 bytes. Raises ErasedError where a tombstone says that it was destroyed, and
        KeyMissingError where it is not there all the same."""
        ...

    def destroy(self, key_id: str) -> None:
        """For good. Destroying twice is no error."""
        ...

    def destroy_again(self, key_ids: Iterable[str]) -> int:
        """After a restore: destroy what tombstones name. How many were there again."""
        ...

    def missing(self, key_ids: Iterable[str]) -> int:
        """How many of these are not there; none is opened."""
        ...

    def index_secret(self) -> bytes:
        """The secret of blind indexes and of access codes; one for the installation."""
        ...


class FileCaseKeys:
    """A folder: ``master.key``, ``index.key`` and ``xx/<id>.key`` for each case."""

    def __init__(self, folder: Path, is_erased: IsErased | None = None) -> None:
        self._folder, self._is_erased = folder, is_erased
        for path in (folder, self._master, self._index):
            check_private(path)

    @staticmethod
    def open_or_create(folder: Path, is_erased: IsErased | None = None) -> FileCaseKeys:
        """The store in ``folder``; made, with new secrets, where there is none."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / WRAPPED_INDEX).exists():
            raise CaseKeyError(
                "the keys of cases in this folder are wrapped by a key service, and none is named: "
                "set SOJOURN_CASES_KEY_SERVICE as before"
            )
        for name in ("master.key", "index.key"):
            if not (folder / name).exists():
                write_new(folder / name, secrets.token_bytes(KEY_BYTES), may_exist=True)
        return FileCaseKeys(folder, is_erased)

    @property
    def _master(self) -> Path:
        return self._folder / "master.key"

    @property
    def _index(self) -> Path:
        return self._folder / "index.key"

    def create(self) -> str:
        key_id = secrets.token_hex(16)
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = AESGCM(_read(self._master)).encrypt(
            nonce, secrets.token_bytes(KEY_BYTES), _bound_to(key_id)
        )
        path = self._path(key_id)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        write_new(path, nonce + wrapped)
        return key_id

    def data_key(self, key_id: str) -> bytes:
        try:
            kept = self._path(key_id).read_bytes()
        except FileNotFoundError:
            raise why_missing(key_id, self._is_erased) from None
        try:
            return AESGCM(_read(self._master)).decrypt(
                kept[:NONCE_BYTES], kept[NONCE_BYTES:], _bound_to(key_id)
            )
        except InvalidTag:
            raise CaseKeyError(
                "a case's key file does not open under the master key: restore both from one backup"
            ) from None

    def destroy(self, key_id: str) -> None:
        shred(self._path(key_id))

    def key_ids(self) -> Iterator[str]:
        """Of every case's key that is here."""
        return (p.stem for p in sorted(self._folder.glob("??/*.key")) if ID.fullmatch(p.stem))

    def destroy_again(self, key_ids: Iterable[str]) -> int:
        """After a backup of the keys was restored: destroy what tombstones name. How many."""
        found = [k for k in key_ids if self._path(k).exists()]
        for key_id in found:
            self.destroy(key_id)
        return len(found)

    def missing(self, key_ids: Iterable[str]) -> int:
        return sum(not self._path(k).exists() for k in key_ids)

    def index_secret(self) -> bytes:
        return _read(self._index)

    def _path(self, key_id: str) -> Path:
        return path_of(self._folder, key_id, "key")


def why_missing(key_id: str, is_erased: IsErased | None) -> Exception:
    """Erased only where a tombstone says so; who asks nobody is told that it is missing."""
    return ErasedError() if is_erased and is_erased(key_id) else KeyMissingError()


def path_of(folder: Path, key_id: str, ending: str) -> Path:
    """Where a key's file is; refuses what is no id."""
    if not ID.fullmatch(key_id):
        raise CaseKeyError("expected a key's id of 32 hexadecimal digits, found something else")
    return folder / key_id[:2] / f"{key_id}.{ending}"


def _bound_to(key_id: str) -> bytes:
    return f"sojourn-case-key|{key_id}".encode()


def _read(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise CaseKeyError(f"{path.name}: expected {KEY_BYTES} bytes, found {len(found)}")
    return found


def shred(path: Path) -> None:
    """Write over a file and take it away; nothing where there is none."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    descriptor = os.open(path, os.O_WRONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(size))  # a disk may keep the old block all the same
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_new(path: Path, data: bytes, *, may_exist: bool = False) -> None:
    """Whole or not at all: a second process never meets half a key."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        if not may_exist:
            raise CaseKeyError(f"{path.name} exists: a key is never written over") from None
    finally:
        fresh.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        raise CaseKeyError(
            f"no key store of cases at {path}: 'sojourn serve' makes one where there is none; "
            "restore it from its own backup where there was"
        ) from None
    if mode & 0o077:
        raise CaseKeyError(
            f"{path}: expected mode 0700 or 0600, found {mode:04o}: others could read it"
        )
