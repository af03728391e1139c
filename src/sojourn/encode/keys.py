"""Secrets: where they come from, how they change, how they are destroyed.

In: a purpose and an epoch. Out: 32 secret bytes. Nothing here is cached or logged.

A chain of keys runs forward only: ``chain[n+1] = HKDF(chain[n], "next")`` and the secret of
epoch n is ``HKDF(chain[n], purpose)`` (HKDF-SHA-256, RFC 5869). Replacing the stored link by
a later one destroys every earlier epoch for good, and a copy of the file on a second machine
gives the same secrets for all epochs to come. The two purposes have chains of their own,
because references die after the correction window and match keys at the horizon.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sojourn.errors import KeyProviderError
from sojourn.schemas import KeyKind

SECRET_BYTES = 32
EPOCH_ZERO = date(2000, 1, 1)
FILE_VERSION = 1


class Purpose(StrEnum):
    MATCH = "match"
    REFERENCE = "reference"


class KeyProvider(Protocol):
    """What the encoder needs of a key store: a file here, PKCS#11 or a KMS in production."""

    def secret(self, purpose: Purpose, epoch: int) -> bytes:
        """32 bytes. Raises KeyProviderError where the epoch's key is destroyed or missing."""
        ...

    def first_epoch(self, purpose: Purpose) -> int:
        """The earliest epoch whose key still exists."""
        ...

    def destroy_before(self, purpose: Purpose, epoch: int) -> None:
        """Make every epoch before ``epoch`` impossible to derive again."""
        ...


def epoch_of(day: date, epoch_days: int) -> int:
    """Days since 2000-01-01 in steps of ``epoch_days``; never negative."""
    return max(0, (day - EPOCH_ZERO).days // epoch_days)


def epoch_start(epoch: int, epoch_days: int) -> date:
    return EPOCH_ZERO + timedelta(days=epoch * epoch_days)


def derive(secret: bytes, info: str) -> bytes:
    """HKDF-SHA-256 without salt: the input is uniformly random already (RFC 5869, 3.1)."""
    return HKDF(hashes.SHA256(), SECRET_BYTES, salt=None, info=f"sojourn/{info}".encode()).derive(
        secret
    )


def kind_secrets(secret: bytes, kinds: tuple[KeyKind, ...]) -> Mapping[KeyKind, bytes]:
    """A key of its own for each kind: equal text under two kinds never gives equal keys."""
    return {kind: derive(secret, f"kind/{kind.name}") for kind in kinds}


@dataclass(frozen=True)
class ChainLink:
    epoch: int
    secret: bytes

    def at(self, epoch: int, purpose: Purpose) -> ChainLink:
        if epoch < self.epoch:
            raise KeyProviderError(
                f"the {purpose} key of epoch {epoch} has been destroyed; the earliest left is "
                f"{self.epoch}. Records that old can no longer be taken in or corrected."
            )
        current = self.secret
        for _ in range(epoch - self.epoch):
            current = derive(current, "next")
        return ChainLink(epoch, current)


class MemoryKeyProvider:
    """Chains held in memory: for tests, evaluation and the demo's throw-away data."""

    def __init__(self, seed: bytes) -> None:
        self._chains = {p: ChainLink(0, derive(seed, f"chain/{p}")) for p in Purpose}

    def secret(self, purpose: Purpose, epoch: int) -> bytes:
        return derive(self._chains[purpose].at(epoch, purpose).secret, f"use/{purpose}")

    def first_epoch(self, purpose: Purpose) -> int:
        return self._chains[purpose].epoch

    def destroy_before(self, purpose: Purpose, epoch: int) -> None:
        if epoch > self._chains[purpose].epoch:
            self._chains[purpose] = self._chains[purpose].at(epoch, purpose)


class FileKeyProvider:
    """Chains in one JSON file of mode 0600: for development and small offices.

    Raises KeyProviderError where the file is missing, open to others, or not a key file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read()

    @staticmethod
    def create(path: Path) -> FileKeyProvider:
        """Make a new key file; refuses to overwrite one."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        chains = {p: ChainLink(0, secrets.token_bytes(SECRET_BYTES)) for p in Purpose}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyProviderError(
                f"{path} exists: a new key would make every open stay unmatchable. "
                "Move it away if that is what you want."
            ) from None
        with os.fdopen(descriptor, "w") as file:
            file.write(_dump(chains))
        return FileKeyProvider(path)

    def secret(self, purpose: Purpose, epoch: int) -> bytes:
        return derive(self._read()[purpose].at(epoch, purpose).secret, f"use/{purpose}")

    def first_epoch(self, purpose: Purpose) -> int:
        return self._read()[purpose].epoch

    def destroy_before(self, purpose: Purpose, epoch: int) -> None:
        chains = self._read()
        if epoch <= chains[purpose].epoch:
            return
        chains[purpose] = chains[purpose].at(epoch, purpose)
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_dump(chains))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _read(self) -> dict[Purpose, ChainLink]:
        try:
            mode = self._path.stat().st_mode & 0o777
            text = self._path.read_text("utf-8")
        except OSError:
            raise KeyProviderError(
                f"no readable key file at {self._path}: make one with 'sojourn keys new'"
            ) from None
        if mode & 0o077:
            raise KeyProviderError(
                f"{self._path}: expected mode 0600, found {mode:04o}: others could read it. "
                f"Run: chmod 600 {self._path}"
            )
        return _parse(text, self._path)


def _dump(chains: Mapping[Purpose, ChainLink]) -> str:
    return json.dumps(
        {
            "version": FILE_VERSION,
            "chains": {
                str(p): {"epoch": c.epoch, "secret": c.secret.hex()} for p, c in chains.items()
            },
        },
        indent=1,
    )


def _parse(text: str, path: Path) -> dict[Purpose, ChainLink]:
    try:
        raw = json.loads(text)
        if raw["version"] != FILE_VERSION:
            raise ValueError
        chains = {
            p: ChainLink(int(raw["chains"][p]["epoch"]), bytes.fromhex(raw["chains"][p]["secret"]))
            for p in Purpose
        }
        if any(len(c.secret) != SECRET_BYTES for c in chains.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        # From None: the original error would quote the file's text.
        raise KeyProviderError(f"{path}: not a Sojourn key file of version 1") from None
    return chains
