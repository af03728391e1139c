"""Virus scanners: what a file must pass before anybody opens it.

In: a file's bytes. Out: ``Verdict``. ``ClamdScanner`` speaks to ClamAV's daemon over its socket
(INSTREAM: four bytes of length before each piece, a length of nothing at the end). Where no scanner
is configured or it does not answer, the verdict is NOT_SCANNED: the file is kept sealed and waits.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

PIECE = 1 << 16
WAIT = 20.0  # seconds


class Verdict(StrEnum):
    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not_scanned"


class Scanner(Protocol):
    @property
    def is_configured(self) -> bool:
        """False: the page says that files wait until an administrator sets a scanner up."""
        ...

    def scan(self, content: bytes) -> Verdict:
        """Never raises: what cannot be scanned is NOT_SCANNED."""
        ...


class NoScanner:
    is_configured = False

    def scan(self, content: bytes) -> Verdict:
        return Verdict.NOT_SCANNED


@dataclass(frozen=True)
class ClamdScanner:
    """``address``: ``unix:/run/clamav/clamd.ctl`` or ``host:port``, on a network of one's own."""

    address: str
    wait: float = WAIT
    is_configured: bool = True

    def scan(self, content: bytes) -> Verdict:
        try:
            with self._connect() as line:
                line.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), PIECE):
                    piece = content[start : start + PIECE]
                    line.sendall(struct.pack(">I", len(piece)) + piece)
                line.sendall(struct.pack(">I", 0))
                return _read_verdict(_read_all(line))
        except (OSError, ValueError):
            return Verdict.NOT_SCANNED

    def _connect(self) -> socket.socket:
        if self.address.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self.wait)
            try:
                line.connect(self.address.removeprefix("unix:"))
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=self.wait)


def _read_all(line: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 1000:
        piece = line.recv(400)
        if not piece:
            break
        answer += piece
    return answer


def _read_verdict(answer: bytes) -> Verdict:
    """``stream: OK``, ``stream: <name> FOUND``, or something went wrong."""
    plain = answer.rstrip(b"\0\n ")
    if plain == b"stream: OK":
        return Verdict.CLEAN
    return Verdict.INFECTED if plain.endswith(b" FOUND") else Verdict.NOT_SCANNED


def installed_scanner() -> Scanner:
    """From ``settings.CASES_CLAMD``."""
    from django.conf import settings

    return ClamdScanner(settings.CASES_CLAMD) if settings.CASES_CLAMD else NoScanner()
