"""Keys of cases whose wrapping keys never leave a key service: for production.

In: a key's id. Out: 32 secret bytes. Each case's key is wrapped by a wrapping key of its own, which
the service makes and keeps; the wrapped key lies in a folder. Both are needed to read a case: the
folder, and a service that still has the wrapping key and takes our token. Destroying a case's key
destroys the wrapping key first. Then neither a backup of the database nor one of the folder brings
the case back; after a restore of the *service*, ``destroy_again`` destroys it again.

What was unwrapped is held for this object's life, at most ``HELD`` keys for ``SECONDS`` each, and
is never written. An object lives for one request (``keys.case_keys``).

Raises ErasedError where a tombstone says that the key was destroyed, KeyMissingError where it is
not there all the same, KeysAwayError where the service does not answer, CaseKeyError for what
trying again does not mend. A service that does not answer, or that was restored from an older
backup, is never taken for an erasure.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from sojourn_web.cases.errors import CaseKeyError, KeysAwayError
from sojourn_web.cases.key_files import (
    KEY_BYTES,
    WRAPPED_INDEX,
    FileCaseKeys,
    IsErased,
    check_private,
    path_of,
    shred,
    why_missing,
    write_new,
)
from sojourn_web.cases.key_service import KeyService, ServiceAddress

INDEX = "sojourn-index"
PREFIX = "sojourn-case-"
HELD, SECONDS = 16, 30.0


class WrappedCaseKeys:
    """A folder: ``index.wrapped`` and ``xx/<id>.wrapped`` for each case; the rest is elsewhere."""

    def __init__(
        self, folder: Path, service: KeyService, clock: Callable[[], float] = time.monotonic,
        is_erased: IsErased | None = None,
    ) -> None:  # fmt: skip
        for path in (folder, folder / WRAPPED_INDEX):
            check_private(path)
        self._folder, self._service, self._clock = folder, service, clock
        self._is_erased = is_erased
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    @staticmethod
    def open_or_create(
        folder: Path, service: KeyService, index: bytes | None = None,
        is_erased: IsErased | None = None,
    ) -> WrappedCaseKeys:  # fmt: skip
        """The store in ``folder``; made where there is none, with ``index`` or a new secret."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / "master.key").exists():
            raise CaseKeyError(
                "the keys of cases in this folder are files under a master key: name an empty "
                "folder in SOJOURN_CASES_KEYS and run 'sojourn cases keys-to-service --files' with "
                "this one, or take SOJOURN_CASES_KEY_SERVICE away"
            )
        if not (folder / WRAPPED_INDEX).exists():
            service.make(INDEX, may_be_destroyed=False)
            wrapped = service.wrap(INDEX, index or secrets.token_bytes(KEY_BYTES))
            write_new(folder / WRAPPED_INDEX, wrapped.encode(), may_exist=True)
        return WrappedCaseKeys(folder, service, is_erased=is_erased)

    def create(self) -> str:
        key_id = secrets.token_hex(16)
        self._adopt(key_id, secrets.token_bytes(KEY_BYTES))
        return key_id

    def take_over(self, files: FileCaseKeys) -> int:
        """Every key of ``files``, wrapped here too; how many were not here yet. The files stay, for
        somebody to look at a case first. May be run again."""
        if self.index_secret() != files.index_secret():
            raise CaseKeyError(
                "this folder has an index secret of its own, and codes and search would end: name "
                "an empty folder in SOJOURN_CASES_KEYS"
            )
        found = [k for k in files.key_ids() if not self._path(k).exists()]
        for key_id in found:
            self._adopt(key_id, files.data_key(key_id))
        return len(found)

    def _adopt(self, key_id: str, key: bytes) -> None:
        self._service.make(PREFIX + key_id, may_be_destroyed=True)
        path = self._path(key_id)
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            write_new(path, self._service.wrap(PREFIX + key_id, key).encode())
        except BaseException:
            with suppress(KeysAwayError):  # a name that nobody knows; the first error is told
                self._service.destroy(PREFIX + key_id)
            raise

    def data_key(self, key_id: str) -> bytes:
        path = self._path(key_id)
        return self._read(PREFIX + key_id, path)

    def destroy(self, key_id: str) -> None:
        path = self._path(key_id)
        self._held.pop(PREFIX + key_id, None)
        self._service.destroy(PREFIX + key_id)
        shred(path)

    def destroy_again(self, key_ids: Iterable[str]) -> int:
        there = self._service.names()
        found = [k for k in key_ids if PREFIX + k in there or self._path(k).exists()]
        for key_id in found:
            self.destroy(key_id)
        return len(found)

    def missing(self, key_ids: Iterable[str]) -> int:
        there = self._service.names()
        return sum(PREFIX + k not in there or not self._path(k).exists() for k in key_ids)

    def index_secret(self) -> bytes:
        return self._read(INDEX, self._folder / WRAPPED_INDEX)

    def _read(self, name: str, path: Path) -> bytes:
        now = self._clock()
        held = self._held.get(name)
        if held is not None and held[0] > now:
            return held[1]
        try:
            wrapped = path.read_text("ascii")
        except FileNotFoundError:
            raise self._missing(name) from None
        except ValueError:
            raise self._damaged() from None
        key = self._service.unwrap(name, wrapped)
        if key is None:
            raise self._why_closed(name)
        self._held[name] = (now + SECONDS, key)
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        return key

    def _why_closed(self, name: str) -> Exception:
        """Missing or erased only where the service is the right one and has no such key."""
        if self._service.has(name):
            return self._damaged()
        if name != INDEX and self._service.has(INDEX):
            return self._missing(name)
        return CaseKeyError(
            f"the key service has no key '{INDEX}': look at the address and the mount in "
            "SOJOURN_CASES_KEY_SERVICE, or restore the service's own backup"
        )

    def _missing(self, name: str) -> Exception:
        return why_missing(name.removeprefix(PREFIX), self._is_erased)

    @staticmethod
    def _damaged() -> CaseKeyError:
        return CaseKeyError(
            "a case's wrapped key does not open under its wrapping key: restore the folder and the "
            "key service from backups of one time"
        )

    def _path(self, key_id: str) -> Path:
        return path_of(self._folder, key_id, "wrapped")


def open_service(
    folder: Path, url: str, token_file: str, ca: str, index: bytes | None = None,
    is_erased: IsErased | None = None,
) -> WrappedCaseKeys:  # fmt: skip
    """As the settings name it. The token is read anew each time: renewing it needs no restart."""
    path = Path(token_file)
    if not token_file or not path.is_file():
        raise CaseKeyError("SOJOURN_CASES_KEY_TOKEN: expected a file that holds the token")
    check_private(path)
    address = ServiceAddress(url, path.read_text("utf-8").strip(), Path(ca) if ca else None)
    return WrappedCaseKeys.open_or_create(folder, KeyService(address), index, is_erased)


def take_over_files(
    files_folder: Path, folder: Path, url: str, token_file: str, ca: str
) -> int:  # fmt: skip
    """From a folder of file keys to the service that the settings name; how many were new."""
    files = FileCaseKeys(files_folder)
    return open_service(folder, url, token_file, ca, files.index_secret()).take_over(files)
