"""Reports as columns of numbers: what the index takes in.

In: ENCODINGS, or a record's fields one by one. Out: ``Reports``. Words (sources, nationalities,
sexes, classes) become the numbers that one index knows them by. The lean door: where a record
comes as a struct and not as a table, ``report`` makes its ``Reports`` in a few microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.errors import LinkageError
from sojourn.link.weights import WeightTable
from sojourn.references import halves, ref_parts
from sojourn.schemas import Direction, Evidence

EVIDENCE = tuple(e.value for e in Evidence)  # weakest first, as their numbers
DIRECTIONS = (Direction.ARRIVAL.value, Direction.DEPARTURE.value)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Reports:
    """Columns, one value a report; keys lie side by side, report i's from offsets[i] on."""

    ref_high: NDArray[np.uint64]  # the reference's first 8 bytes, big-endian; then the others
    ref_low: NDArray[np.uint64]
    direction: NDArray[np.uint8]  # of DIRECTIONS
    evidence: NDArray[np.uint8]  # of EVIDENCE
    time: NDArray[np.int64]  # event time, microseconds since 1970, UTC
    recorded: NDArray[np.int64]
    source: NDArray[np.int32]  # numbers of Words; 0: not given
    nationality: NDArray[np.uint16]
    sex: NDArray[np.uint8]
    curve: NDArray[np.int16]  # stay-length curve of the admission class
    offsets: NDArray[np.int64]  # one more than reports
    keys: NDArray[np.uint64]
    kinds: NDArray[np.uint8]  # KeyKind, the parity of its epoch in the top bit

    @property
    def count(self) -> int:
        return self.time.size

    @property
    def without_keys(self) -> int:
        return int((np.diff(self.offsets) == 0).sum())

    @classmethod
    def joined(cls, parts: Sequence[Reports]) -> Reports:
        """One after the other; all known by the same ``Words``. Raises ValueError for none."""
        joined = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(cls)
            if f.name != "offsets"
        }
        held = [np.diff(part.offsets) for part in parts]
        offsets = np.zeros(joined["time"].size + 1, np.int64)
        np.cumsum(np.concatenate(held), out=offsets[1:])
        return cls(**joined, offsets=offsets)

    def _arranged(self, rows: NDArray[np.int64]) -> Reports:
        plain = {f.name: getattr(self, f.name)[rows] for f in fields(self)[:10]}
        offsets = np.zeros(rows.size + 1, np.int64)
        np.cumsum(np.diff(self.offsets)[rows], out=offsets[1:])
        keys, kinds = np.empty(offsets[-1], np.uint64), np.empty(offsets[-1], np.uint8)
        _pick(rows, self.offsets, self.keys, self.kinds, keys, kinds)
        return Reports(**plain, offsets=offsets, keys=keys, kinds=kinds)

    def _is_in_order(self) -> bool:
        if not np.all(self.time[1:] >= self.time[:-1]):
            return False
        tied = np.flatnonzero(self.time[1:] == self.time[:-1])
        high, low = self.ref_high, self.ref_low
        before, after = high[tied], high[tied + 1]
        rising = (before < after) | ((before == after) & (low[tied] <= low[tied + 1]))
        return bool(rising.all())

    def in_order(self) -> Reports:
        """By time, then reference."""
        if self._is_in_order():
            return self
        return self._arranged(np.lexsort((self.ref_low, self.ref_high, self.time)))


@lean
def _pick(
    rows: NDArray[np.int64], offsets: NDArray[np.int64], keys: NDArray[np.uint64],
    kinds: NDArray[np.uint8], to_keys: NDArray[np.uint64], to_kinds: NDArray[np.uint8],
) -> None:  # fmt: skip
    """These rows' keys, side by side in the rows' order."""
    at = 0
    for row in rows:
        for k in range(offsets[row], offsets[row + 1]):
            to_keys[at], to_kinds[at] = keys[k], kinds[k]
            at += 1


@dataclass(frozen=True)
class Report:
    """One record's fields, as ENCODINGS has them; ``keys`` and ``kinds`` go together."""

    ref: bytes
    source: str
    direction: str
    evidence: str
    event_time: int  # microseconds since 1970, UTC
    recorded_at: int
    nationality: str | None
    sex: str | None
    admission_class: str | None
    keys: NDArray[np.uint64]
    kinds: NDArray[np.uint8]


class Vocabulary:
    """Words to small numbers, stable over batches; null is 0."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most = what, most
        self._codes: dict[str, int] = {}

    def code(self, word: str | None) -> int:
        """Raises LinkageError over so many words as the index has numbers for."""
        if word is None:
            return 0
        got = self._codes.setdefault(word, len(self._codes) + 1)
        if got > self._most:
            raise LinkageError(f"{self._what}: more than {self._most:,} different values")
        return got

    @property
    def known(self) -> tuple[str, ...]:
        """All words so far, by their numbers."""
        return tuple(self._codes)

    def codes(self, words: pl.Series) -> NDArray[np.int32]:
        text = words.cast(pl.String)
        codes = {word: self.code(word) for word in text.unique().drop_nulls().sort()}
        if not codes:
            return np.zeros(len(text), np.int32)
        coded = text.replace_strict(codes, default=0, return_dtype=pl.Int32)
        return coded.fill_null(0).to_numpy().astype(np.int32)


class Words:
    """The numbers that one index knows words by."""

    def __init__(self, weights: WeightTable) -> None:
        self.sources = Vocabulary("source", np.iinfo(np.int32).max)
        self.nationalities = Vocabulary("nationality", np.iinfo(np.uint16).max)
        self.sexes = Vocabulary("sex", np.iinfo(np.uint8).max)
        self._curve_of = weights.curve_of

    def curves(self, classes: pl.Series) -> NDArray[np.int16]:
        curves = {c: self._curve_of(c) for c in classes.unique().drop_nulls()}
        if not curves:
            return np.zeros(len(classes), np.int16)
        coded = classes.replace_strict(curves, default=0, return_dtype=pl.Int16).fill_null(0)
        return coded.to_numpy().astype(np.int16)

    def read(self, encodings: pl.DataFrame) -> Reports:
        """ENCODINGS, row for row. Raises LinkageError where a reference is not 16 bytes."""
        if encodings.height == 1:
            return self.report([_record(encodings)])
        offsets, keys = list_parts(encodings["match_keys"])
        _, kinds = list_parts(encodings["key_kinds"])
        high, low = ref_parts(encodings["crossing_ref"])
        return Reports(
            high,
            low,
            encodings["direction"].to_physical().to_numpy().astype(np.uint8),
            encodings["evidence"].to_physical().to_numpy().astype(np.uint8),
            encodings["event_time"].to_physical().to_numpy().astype(np.int64),
            encodings["recorded_at"].to_physical().to_numpy().astype(np.int64),
            self.sources.codes(encodings["source"]),
            self.nationalities.codes(encodings["nationality"]).astype(np.uint16),
            self.sexes.codes(encodings["sex"]).astype(np.uint8),
            self.curves(encodings["admission_class"]),
            offsets,
            keys,
            kinds,
        )

    def report(self, records: Sequence[Report]) -> Reports:
        """Records that come one by one. Raises LinkageError as ``read`` does."""
        raw = b"".join(r.ref for r in records)
        high, low = halves(raw, len(records))
        ends = np.cumsum([0, *(r.keys.size for r in records)])
        alone = len(records) == 1
        return Reports(
            high,
            low,
            np.array([DIRECTIONS.index(r.direction) for r in records], np.uint8),
            np.array([EVIDENCE.index(r.evidence) for r in records], np.uint8),
            np.array([r.event_time for r in records], np.int64),
            np.array([r.recorded_at for r in records], np.int64),
            np.array([self.sources.code(r.source) for r in records], np.int32),
            np.array([self.nationalities.code(r.nationality) for r in records], np.uint16),
            np.array([self.sexes.code(r.sex) for r in records], np.uint8),
            np.array([self._curve_of(r.admission_class) for r in records], np.int16),
            ends,
            _own(records[0].keys) if alone else np.concatenate([r.keys for r in records]),
            _own(records[0].kinds) if alone else np.concatenate([r.kinds for r in records]),
        )


def _record(encodings: pl.DataFrame) -> Report:
    """The only row: one call for all columns, where columns would cost a call each."""
    row = encodings.row(0, named=True)
    return Report(
        row["crossing_ref"],
        row["source"],
        row["direction"],
        row["evidence"],
        (row["event_time"] - _EPOCH) // _MICROSECOND,
        (row["recorded_at"] - _EPOCH) // _MICROSECOND,
        row["nationality"],
        row["sex"],
        row["admission_class"],
        np.array(row["match_keys"], np.uint64),
        np.array(row["key_kinds"], np.uint8),
    )


def list_parts(column: pl.Series) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Offsets (n+1) and values of a list column, without a Python loop."""
    array = column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if not isinstance(array, pa.LargeListArray):
        raise LinkageError(f"expected a list column, found {column.dtype}")
    offsets = np.asarray(array.offsets).astype(np.int64)
    return offsets - offsets[0], _own(np.asarray(array.flatten()))


def _own(values: NDArray[Any]) -> NDArray[Any]:
    """A copy where the values are somebody else's: kernels are compiled for arrays of our own."""
    return np.require(values, requirements=["C", "W"])
