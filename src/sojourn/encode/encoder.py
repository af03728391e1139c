"""Columns of crossings into encodings: canonical fields, references, match keys by epoch.

Assumes what ``sojourn.read`` checked. Works on a batch at a time; nothing is kept between two
calls. Epochs (policy.encode): a record is keyed under the epoch of its event and, near the
epoch's start, under the one before as well, so that stays that began earlier still meet
their departures. The top bit of a key's kind is the parity of its epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sojourn.encode import kernel
from sojourn.encode.columns import Columns, Made, Secrets
from sojourn.encode.hmac256 import hmac_many, prepare
from sojourn.encode.keys import EPOCH_ZERO, KeyProvider, Purpose, epoch_start, kind_secrets
from sojourn.encode.matchkeys import NATION_LETTERS
from sojourn.encode.names import to_mrz_series
from sojourn.errors import PolicyError
from sojourn.policy import EncodePolicy
from sojourn.references import join_refs
from sojourn.schemas import (
    CROSSINGS,
    ENCODINGS,
    STATUS_CHANGES,
    STATUS_ENCODINGS,
    AgeBand,
    Direction,
    door,
    enum_of,
)

EPOCH_BIT = 0x80  # in key_kinds: set where the key's epoch is odd
KIND_MASK = 0x7F
ROWS_AT_ONCE = 1 << 15
_ZERO_DAY = (EPOCH_ZERO - date(1970, 1, 1)).days
_UNIT = "\x1f"  # separates source and id; a control character that neither may hold


@door(ENCODINGS, crossings=CROSSINGS)
def encode(crossings: pl.DataFrame, keys: KeyProvider, policy: EncodePolicy) -> pl.DataFrame:
    """CROSSINGS to ENCODINGS, row for row.

    Raises KeyProviderError where an epoch's key is gone: ask ``encodable`` first.
    """
    refs = _references(
        crossings["source"], crossings["crossing_id"], crossings["local_date"], keys, policy
    )
    closing = (crossings["direction"] == Direction.DEPARTURE).to_numpy()
    keyed = _keyed(crossings, crossings["local_date"], closing, keys, policy)
    return crossings.with_columns(refs, _age_band(), *keyed).select(ENCODINGS.names)


@door(STATUS_ENCODINGS, changes=STATUS_CHANGES)
def encode_status(changes: pl.DataFrame, keys: KeyProvider, policy: EncodePolicy) -> pl.DataFrame:
    """STATUS_CHANGES to STATUS_ENCODINGS, row for row; keyed like a crossing of that day."""
    if not changes.height:
        return STATUS_ENCODINGS.empty()
    refs = _references(
        changes["source"], changes["status_id"], changes["effective_date"], keys, policy
    )
    closing = np.ones(changes.height, np.bool_)
    keyed = _keyed(changes, changes["effective_date"], closing, keys, policy)
    return changes.with_columns(refs.alias("status_ref"), *keyed).select(STATUS_ENCODINGS.names)


def encodable(days: pl.Series, keys: KeyProvider, policy: EncodePolicy) -> pl.Series:
    """Which days' records can still be encoded: false where a key has been destroyed."""
    first = max(
        epoch_start(keys.first_epoch(Purpose.MATCH), policy.epoch_days),
        epoch_start(keys.first_epoch(Purpose.REFERENCE), policy.reference_epoch_days),
    )
    return days >= first


def _references(
    sources: pl.Series, ids: pl.Series, days: pl.Series, keys: KeyProvider, policy: EncodePolicy
) -> pl.Series:
    """16 bytes: HMAC of source and record id under the reference key of the event's epoch."""
    named = pl.select(pl.concat_str(sources, ids, separator=_UNIT)).to_series()
    epochs = _epochs(days, policy.reference_epoch_days)
    words = np.empty((len(named), 8), np.uint32)
    for epoch in np.unique(epochs):
        rows = np.flatnonzero(epochs == epoch)
        inner, outer = prepare(keys.secret(Purpose.REFERENCE, int(epoch)))
        offsets, buffer = _buffer(named[rows])
        part = np.empty((rows.size, 8), np.uint32)
        hmac_many(offsets, buffer, inner, outer, part)
        words[rows] = part
    pairs = words[:, :4].astype(np.uint64)
    high, low = (pairs[:, i] << np.uint64(32) | pairs[:, i + 1] for i in (0, 2))
    return join_refs(high, low).alias("crossing_ref")


def _keyed(
    records: pl.DataFrame, days: pl.Series, closing: NDArray[np.bool_], keys: KeyProvider,
    policy: EncodePolicy,
) -> list[pl.Series]:  # fmt: skip
    """The columns key_epoch, key_kinds, match_keys; ``closing`` records look back an epoch."""
    if policy.max_name_tokens > kernel.TOKENS_KEYED:
        raise PolicyError(
            f"encode.max_name_tokens: expected at most {kernel.TOKENS_KEYED}, "
            f"found {policy.max_name_tokens}"
        )
    columns = _columns(records)
    epochs = _epochs(days, policy.epoch_days)
    parts = [
        _Part(rows, *_under_epoch(_take(columns, rows), epoch, keys, policy))
        for epoch, rows in _epoch_rows(days, epochs, closing, keys, policy)
    ]
    counts = np.zeros(records.height, np.int64)
    for part in parts:
        counts[part.rows] += part.counts
    offsets = np.zeros(records.height + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    kinds, values = _gather(parts, offsets)
    return [
        pl.Series("key_epoch", epochs, dtype=pl.UInt16),
        _lists("key_kinds", offsets, kinds),
        _lists("match_keys", offsets, values),
    ]


class _Part(NamedTuple):
    """Some records' keys under one epoch, record after record."""

    rows: NDArray[np.int64]
    counts: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    values: NDArray[np.uint64]


def _under_epoch(
    columns: Columns, epoch: int, keys: KeyProvider, policy: EncodePolicy
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint64]]:
    """Counts, kinds and values of all records, a slice at a time: the kernel's room is wide."""
    secrets = _secrets(keys.secret(Purpose.MATCH, epoch), policy)
    count = columns.year.size
    room = min(count, ROWS_AT_ONCE)
    made = Made(
        np.zeros(room, np.int32),
        np.empty((room, kernel.KEYS_ROOM), np.uint8),
        np.empty((room, kernel.KEYS_ROOM), np.uint64),
    )
    counts = np.empty(count, np.int32)
    kinds, values = [np.empty(0, np.uint8)], [np.empty(0, np.uint64)]
    for start in range(0, count, ROWS_AT_ONCE):
        part = _frozen(_slice(columns, start, min(count, start + ROWS_AT_ONCE)))
        size = part.year.size
        kernel.match_keys(part, secrets, policy.max_name_tokens, made)
        counts[start : start + size] = made.counts[:size]
        total = int(made.counts[:size].sum())
        kinds.append(np.empty(total, np.uint8))
        values.append(np.empty(total, np.uint64))
        kernel.pack(made, size, kinds[-1], values[-1])
    every = np.concatenate(kinds)
    if epoch & 1:
        every |= EPOCH_BIT
    return counts, every, np.concatenate(values)


def _slice(columns: Columns, start: int, stop: int) -> Columns:
    """Records ``start`` to ``stop``; the text buffers are shared."""
    texts: list[NDArray[np.generic]] = []
    for offsets, buffer in (columns[0:2], columns[2:4], columns[4:6]):
        texts += [offsets[start : stop + 1], buffer]
    return Columns(*texts, *(c[start:stop] for c in columns[6:]))  # type: ignore[arg-type]


def _epochs(days: pl.Series, epoch_days: int) -> NDArray[np.int64]:
    since: NDArray[np.int64] = days.to_physical().to_numpy().astype(np.int64) - _ZERO_DAY
    epochs: NDArray[np.int64] = np.maximum(since, 0) // epoch_days
    return epochs


def _epoch_rows(
    days: pl.Series, epochs: NDArray[np.int64], closing: NDArray[np.bool_], keys: KeyProvider,
    policy: EncodePolicy,
) -> list[tuple[int, NDArray[np.int64]]]:  # fmt: skip
    """Each epoch in use with the rows keyed under it: its own, and those that look back."""
    first = keys.first_epoch(Purpose.MATCH)
    out: list[tuple[int, NDArray[np.int64]]] = []
    for epoch in np.unique(epochs).tolist():
        own = epochs == epoch
        out.append((epoch, np.flatnonzero(own)))
        until = epoch_start(epoch, policy.epoch_days) + timedelta(days=policy.overlap_days)
        young = np.flatnonzero(own & closing & (days < until).to_numpy())
        if young.size and epoch - 1 >= first:
            out.append((epoch - 1, young))
    return out


def _columns(records: pl.DataFrame) -> Columns:
    surnames = to_mrz_series(records["surname"]).str.slice(0, kernel.NAME_LETTERS)
    given = to_mrz_series(records["given_names"]).str.slice(0, kernel.NAME_LETTERS)
    number = (
        records["document_number"]
        .fill_null("")
        .str.to_uppercase()
        .str.replace_all(r"[^0-9A-Z]", "")
        .str.slice(0, kernel.DOCUMENT_ROOM)
    )
    born = records["birth_date"].fill_null("0000-00-00")
    year, month, day = (
        born.str.slice(at, width).cast(pl.Int32, strict=False).fill_null(0).to_numpy()
        for at, width in ((0, 4), (5, 2), (8, 2))
    )
    sex = records["sex"].cast(pl.String).fill_null("")
    letters = pl.select(
        pl.when(sex == "").then(0).otherwise(sex.str.slice(0, 1).replace_strict(_SEX, default=0))
    ).to_series()
    return Columns(
        *_buffer(surnames), *_buffer(given), *_buffer(number), year, month, day,
        letters.cast(pl.UInt8).to_numpy(), _nations(records["nationality"]),
    )  # fmt: skip


def _nations(codes: pl.Series) -> NDArray[np.uint32]:
    """Alpha-3 codes as numbers, their letters in the lowest bytes; 0 for null."""
    packed = {
        code: int.from_bytes(code.encode("ascii", "ignore")[:NATION_LETTERS], "big")
        for code in codes.unique().drop_nulls().to_list()
    }
    if not packed:
        return np.zeros(len(codes), np.uint32)
    numbers = codes.replace_strict(packed, default=0, return_dtype=pl.UInt32).fill_null(0)
    return numbers.to_numpy()


_SEX = {letter: ord(letter) for letter in "MFX"}


def _take(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    """The records at ``rows``; the buffers are shared where all rows are wanted."""
    if rows.size == columns.year.size:
        return columns
    picked: list[NDArray[np.generic]] = []
    for offsets, buffer in (columns[0:2], columns[2:4], columns[4:6]):
        sizes = (offsets[1:] - offsets[:-1])[rows]
        fresh = np.zeros(rows.size + 1, np.int64)
        np.cumsum(sizes, out=fresh[1:])
        source = np.repeat(offsets[:-1][rows] - fresh[:-1], sizes) + np.arange(fresh[-1])
        picked += [fresh, buffer[source]]
    return Columns(*picked, *(c[rows] for c in columns[6:]))  # type: ignore[arg-type]


def _frozen(columns: Columns) -> Columns:
    """Read-only, every one: numba compiles a kernel anew for each mixture (20 s the first time)."""
    views = [column.view() for column in columns]
    for view in views:
        view.flags.writeable = False
    return Columns(*views)  # type: ignore[arg-type]


def _buffer(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """A string column's bytes and offsets, without a copy per value."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    array = array.cast(pa.large_string()) if array.type != pa.large_string() else array
    buffers: list[Any] = array.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(buffers[2], np.uint8) if buffers[2] is not None else np.empty(0, np.uint8)
    return offsets, data


def _secrets(secret: bytes, policy: EncodePolicy) -> Secrets:
    inner = np.zeros((max(policy.key_kinds) + 1, 8), np.uint32)
    outer = np.zeros_like(inner)
    enabled = np.zeros(KIND_MASK + 1, np.bool_)
    for kind, own in kind_secrets(secret, policy.key_kinds).items():
        inner[kind], outer[kind] = prepare(own)
        enabled[kind] = True
    return Secrets(inner, outer, enabled)


def _gather(
    parts: Sequence[_Part], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Each record's keys of all its epochs, one after the other."""
    if len(parts) == 1:
        return parts[0].kinds, parts[0].values
    kinds = np.empty(offsets[-1], np.uint8)
    values = np.empty(offsets[-1], np.uint64)
    filled = offsets[:-1].copy()
    for part in parts:
        sizes = part.counts.astype(np.int64)
        target = np.arange(sizes.sum()) + np.repeat(
            filled[part.rows] - (np.cumsum(sizes) - sizes), sizes
        )
        kinds[target] = part.kinds
        values[target] = part.values
        filled[part.rows] += sizes
    return kinds, values


def _lists(
    name: str, offsets: NDArray[np.int64], values: NDArray[np.uint8] | NDArray[np.uint64]
) -> pl.Series:
    array = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values))  # type: ignore[call-overload]  # stubs guess booleans
    return pl.Series(name, array)


def _age_band() -> pl.Expr:
    """Age at the crossing from the birth year alone when the day is unknown; null without it."""
    year = pl.col("birth_date").str.slice(0, 4).cast(pl.Int32, strict=False)
    month = pl.col("birth_date").str.slice(5, 2).cast(pl.Int32, strict=False).fill_null(0)
    day = pl.col("birth_date").str.slice(8, 2).cast(pl.Int32, strict=False).fill_null(0)
    on = pl.col("local_date")
    # Months and days are 8 bits wide: widen before reckoning.
    today = on.dt.month().cast(pl.Int32) * 100 + on.dt.day().cast(pl.Int32)
    before = today < month * 100 + day
    age = on.dt.year() - year - before.cast(pl.Int32)
    known = pl.col("birth_date").is_not_null() & (year > 0) & (age >= 0) & (age < 120)
    bands = (
        pl.when(age < 15).then(pl.lit(AgeBand.UNDER_15.value))
        .when(age < 25).then(pl.lit(AgeBand.FROM_15.value))
        .when(age < 45).then(pl.lit(AgeBand.FROM_25.value))
        .when(age < 65).then(pl.lit(AgeBand.FROM_45.value))
        .otherwise(pl.lit(AgeBand.FROM_65.value))
    )  # fmt: skip
    return pl.when(known).then(bands).cast(enum_of(AgeBand)).alias("age_band")
