"""A key service over HTTP: it wraps and unwraps keys by keys of its own that never leave it.

In: names of wrapping keys, 32 secret bytes to wrap, wrapped text to unwrap. Out: wrapped text, the
bytes. The protocol is the part of the transit engine of HashiCorp Vault and OpenBao that is needed
(``docs/how-to/keep-case-keys-in-a-service.md`` has all of it):

    POST   keys/<name>          make a wrapping key (aes256-gcm96, never exportable)
    POST   keys/<name>/config   {"deletion_allowed": true}
    GET    keys/<name>          200 where it is, 404 where not
    GET    keys?list=true       {"data": {"keys": [...]}}, 404 where there are none
    DELETE keys/<name>          for good
    POST   encrypt/<name>       {"plaintext": base64} gives {"data": {"ciphertext": text}}
    POST   decrypt/<name>       {"ciphertext": text} gives {"data": {"plaintext": base64}}

Each request carries ``X-Vault-Token``. Nothing that was sent or answered stands in an error or a
log. Redirects and proxies are not followed. Keys cross the line in clear within TLS: plain HTTP is
refused but on this machine itself.

Raises KeysAwayError where the service does not answer in time, is sealed or busy; CaseKeyError for
everything that trying again does not mend.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from sojourn_web.cases.errors import CaseKeyError, KeysAwayError
from sojourn_web.cases.key_files import KEY_BYTES

SECONDS = 3.0  # of each wait for the service, and of reading all of an answer
LARGEST = 16 * 2**20  # an answer: a list of 300,000 names is about that long
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
AWAY = frozenset({429, 472, 473, 500, 502, 503, 504})


@dataclass(frozen=True)
class ServiceAddress:
    """``url``: with the mount, such as ``https://keys.example.org:8200/v1/transit``. ``ca``: a file
    of certificates, where the system's own do not know the service."""

    url: str
    token: str = field(repr=False)
    ca: Path | None = None
    seconds: float = SECONDS


class KeyService:
    """One line to the service, kept for as long as this object lives: a request of a person."""

    def __init__(
        self, address: ServiceAddress, clock: Callable[[], float] = time.monotonic
    ) -> None:
        parts = urlsplit(address.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CaseKeyError(
                "SOJOURN_CASES_KEY_SERVICE: expected an address such as "
                "https://keys.example.org:8200/v1/transit, found something else"
            )
        if parts.scheme == "http" and parts.hostname not in HERE:
            raise CaseKeyError(
                "SOJOURN_CASES_KEY_SERVICE: keys would cross the network in clear: use https"
            )
        if not TOKEN.fullmatch(address.token):
            raise CaseKeyError("the key service's token: expected one line of text in its file")
        self._address, self._clock = address, clock
        self._parts, self._base = parts, parts.path.rstrip("/")
        self._line: HTTPConnection | None = None
        self._lock = Lock()

    def make(self, name: str, *, may_be_destroyed: bool) -> None:
        """A wrapping key under ``name``; the one that is there stays."""
        body = {"type": "aes256-gcm96", "exportable": False, "allow_plaintext_backup": False}
        self._must("POST", f"keys/{name}", body)
        if may_be_destroyed:
            self._must("POST", f"keys/{name}/config", {"deletion_allowed": True})

    def wrap(self, name: str, key: bytes) -> str:
        found = self._must("POST", f"encrypt/{name}", {"plaintext": b64encode(key).decode()})
        text = _part(found, "ciphertext")
        if not text:
            raise CaseKeyError("the key service wrapped a key and gave no 'ciphertext'")
        return text

    def unwrap(self, name: str, wrapped: str) -> bytes | None:
        """The key; None where the service cannot open it: no such wrapping key, or another's."""
        status, found = self._ask("POST", f"decrypt/{name}", {"ciphertext": wrapped})
        if status in (400, 404):
            return None
        self._check(status, "decrypt")
        try:
            key = b64decode(_part(found, "plaintext"), validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise CaseKeyError(f"the key service: expected a key of {KEY_BYTES} bytes, found none")
        return key

    def has(self, name: str) -> bool:
        status, _ = self._ask("GET", f"keys/{name}")
        if status == 404:
            return False
        self._check(status, "keys")
        return True

    def names(self) -> frozenset[str]:
        """Of every wrapping key that there is."""
        status, found = self._ask("GET", "keys?list=true")
        if status == 404:
            return frozenset()
        self._check(status, "keys")
        data = found.get("data")
        listed = data.get("keys") if isinstance(data, dict) else None
        return frozenset(str(n) for n in listed) if isinstance(listed, list) else frozenset()

    def destroy(self, name: str) -> None:
        """For good; nothing where there is none."""
        if self.has(name):
            status, _ = self._ask("DELETE", f"keys/{name}")
            if status != 404:  # repeated: the first one did it
                self._check(status, "keys")

    def _must(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        status, found = self._ask(method, path, body)
        self._check(status, path.split("/", maxsplit=1)[0])
        return found

    def _check(self, status: int, what: str) -> None:
        if 200 <= status < 300:
            return
        if status in AWAY:
            raise KeysAwayError(f"the key service is sealed or busy ({status}): try again soon")
        if status in (401, 403):
            raise CaseKeyError(
                f"the key service refuses this token for '{what}' ({status}): renew it, or let its "
                "policy allow what docs/how-to/keep-case-keys-in-a-service.md lists"
            )
        raise CaseKeyError(
            f"the key service answered '{what}' with {status}: look at the address and the mount "
            "in SOJOURN_CASES_KEY_SERVICE"
        )

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Once; once more where a line that was kept had been closed meanwhile. Every request may
        be repeated: the second of two makes nothing new."""
        with self._lock:
            kept = self._line is not None
            try:
                return self._once(method, path, body)
            except (OSError, HTTPException) as error:
                self._hang_up()
                if not kept or isinstance(error, TimeoutError):
                    raise self._away(error) from None
            try:
                return self._once(method, path, body)
            except (OSError, HTTPException) as error:
                self._hang_up()
                raise self._away(error) from None

    def _away(self, error: Exception) -> KeysAwayError:
        if isinstance(error, ssl.SSLCertVerificationError):
            what = "its certificate is not known here: set SOJOURN_CASES_KEY_CA"
        else:
            what = f"{type(error).__name__}: look whether it runs and can be reached"
        return KeysAwayError(
            f"expected an answer of the key service at {self._parts.hostname} within "
            f"{self._address.seconds:g} seconds, found none ({what})"
        )

    def _once(
        self, method: str, path: str, body: dict[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        until = self._clock() + self._address.seconds
        if self._line is None:
            self._line = self._dial()
        headers = {"X-Vault-Token": self._address.token, "Accept": "application/json"}
        sent = None
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        self._line.request(method, f"{self._base}/{path}", sent, headers)
        answer = self._line.getresponse()
        read = bytearray()
        while chunk := answer.read1(65_536):  # a slow answer has the same time as none
            read += chunk
            if len(read) > LARGEST or self._clock() > until:
                raise TimeoutError
        answer.close()  # the line stays: all of it was read
        try:
            found = json.loads(read) if read else {}
        except ValueError:
            found = {}
        return answer.status, found if isinstance(found, dict) else {}

    def _dial(self) -> HTTPConnection:
        host, port, seconds = self._parts.hostname or "", self._parts.port, self._address.seconds
        if self._parts.scheme == "http":
            return HTTPConnection(host, port, timeout=seconds)
        trusted = ssl.create_default_context(cafile=self._address.ca)
        return HTTPSConnection(host, port, timeout=seconds, context=trusted)

    def _hang_up(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.close()
        self._line = None

    def __del__(self) -> None:
        with suppress(AttributeError):
            self._hang_up()


def _part(found: dict[str, Any], name: str) -> str:
    data = found.get("data")
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""
