"""Encrypted columns: AES-256-GCM under the case's key, bound to table, column, row and key.

In: text or bytes, sealed with ``row.seal(keys, column=...)``. Out: ``Sealed``, which shows nothing
until ``open(keys)``. A row holds ciphertext only: neither keys nor plaintext are kept on it, so
what was not opened cannot reach a log, a list or a template. A ciphertext that is copied to
another row or column does not open.

Raises ErasedError where the key is destroyed, CaseKeyError where the bytes are not what was
sealed here.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models

from sojourn_web.cases.errors import CaseKeyError, ErasedError
from sojourn_web.cases.keys import NONCE_BYTES, CaseKeys

VERSION = b"\x01"
ERASED = "[erased]"

if TYPE_CHECKING:
    BinaryColumn = models.BinaryField["Sealed | bytes | None", "Sealed"]
else:
    BinaryColumn = models.BinaryField


@dataclass(frozen=True)
class Sealed:
    """A ciphertext and what it is bound to. Empty where nothing was written."""

    data: bytes | None = field(repr=False)
    key_id: str = field(repr=False)
    bound_to: bytes = field(repr=False)

    def __str__(self) -> str:
        return "[sealed]" if self.data else ""

    def __bool__(self) -> bool:
        return bool(self.data)

    def open_bytes(self, keys: CaseKeys) -> bytes:
        if not self.data:
            return b""
        key = keys.data_key(self.key_id)
        nonce, rest = self.data[1 : 1 + NONCE_BYTES], self.data[1 + NONCE_BYTES :]
        try:
            if self.data[:1] != VERSION:
                raise InvalidTag
            return AESGCM(key).decrypt(nonce, rest, self.bound_to)
        except InvalidTag:
            raise CaseKeyError(
                "a sealed value does not open in its place: it was changed or moved"
            ) from None

    def open(self, keys: CaseKeys) -> str:
        return self.open_bytes(keys).decode()

    def open_json(self, keys: CaseKeys) -> Any:
        """What ``seal_json`` sealed; None where nothing was."""
        text = self.open(keys)
        return json.loads(text) if text else None

    def show(self, keys: CaseKeys) -> str:
        """For pages: the text, or that it is erased."""
        try:
            return self.open(keys)
        except ErasedError:
            return ERASED


class _Attribute:
    """The column on a row: reads as Sealed, takes ciphertext alone."""

    def __init__(self, column: models.Field[Any, Any]) -> None:
        self._name = column.attname

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        if self._name not in row.__dict__:  # a query that left it out
            row.refresh_from_db(fields=[self._name])
        data = row.__dict__[self._name]
        return Sealed(data, row.key_id, _bound_to(row, self._name))  # type: ignore[attr-defined]

    def __set__(self, row: models.Model, value: Any) -> None:
        if isinstance(value, str):
            raise TypeError(f"{self._name} is sealed: use row.seal(keys, {self._name}=...)")
        if isinstance(value, Sealed):
            value = value.data
        row.__dict__[self._name] = None if value is None else bytes(value)


class SealedField(BinaryColumn):
    """Null where nothing was written. On a row with ``id`` (UUID) and ``key_id``."""

    descriptor_class = _Attribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("null", None)
        return name, path, args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value.data if isinstance(value, Sealed) else value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        plain = value.data if isinstance(value, Sealed) else value
        return super().get_db_prep_value(plain, connection, prepared)


class SealedRow(models.Model):
    """A row with sealed columns: ``seal`` writes them, ``row.column.open(keys)`` reads one."""

    class Meta:
        abstract = True

    def seal(self, keys: CaseKeys, **values: str | bytes) -> None:
        """Encrypt each value into its column; empty text or bytes empty it. Does not save."""
        key_id: str = self.key_id  # type: ignore[attr-defined]
        # No key is read where nothing is written: most events carry no reason.
        key = AESGCM(keys.data_key(key_id)) if any(values.values()) else None
        for name, value in values.items():
            if not isinstance(self._meta.get_field(name), SealedField):
                raise TypeError(f"{name} is no sealed column")
            plain = value.encode() if isinstance(value, str) else value
            if key is None or not plain:
                setattr(self, name, None)
                continue
            nonce = secrets.token_bytes(NONCE_BYTES)
            setattr(self, name, VERSION + nonce + key.encrypt(nonce, plain, _bound_to(self, name)))

    def seal_json(self, keys: CaseKeys, **values: object) -> None:
        self.seal(keys, **{k: json.dumps(v, ensure_ascii=False) for k, v in values.items()})


def _bound_to(row: models.Model, name: str) -> bytes:
    return "|".join((row._meta.db_table, name, str(row.pk), row.key_id)).encode()  # type: ignore[attr-defined]
