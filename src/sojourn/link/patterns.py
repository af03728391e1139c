"""The pattern of a candidate pair: which kinds of match key agree, in one number.

In: how many keys of each kind agree, and what is known of both records. Out: a code under
``PATTERNS``, mixed radix over ``FIELDS``. The weight table gives each code its log2 odds; where
a code was too seldom seen, it backs off along ``BACK_OFF`` to patterns that tell fewer things
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import prod

import numpy as np
from numpy.typing import NDArray

from sojourn.compiled import lean
from sojourn.schemas import KeyKind

MOST = 3  # counts above are counted as three
KINDS = max(KeyKind) + 1


class Document(IntEnum):
    MISSING = 0  # on one side at least
    DIFFERENT = 1
    NEAR = 2  # same after OCR confusions are folded
    SAME = 3


class Trait(IntEnum):
    """Agreement of sex or nationality."""

    MISSING = 0
    DIFFERENT = 1
    SAME = 2


@dataclass(frozen=True)
class Field:
    name: str
    size: int


FIELDS = (
    Field("document", len(Document)),
    Field("names", MOST + 1),  # NAME_DATE keys that agree
    Field("sounds", MOST + 1),
    Field("pairs_year", MOST + 1),
    Field("pairs_day", MOST + 1),
    Field("names_sex", 2),
    Field("sides", 2),  # does a SIDE_YEAR key agree
    Field("birth", 2),
    Field("sex", len(Trait)),
    Field("nationality", len(Trait)),
    Field("tokens", MOST + 1),  # dated name tokens of the side that has fewer
)
PATTERNS = prod(f.size for f in FIELDS)
# What is forgotten, step by step, when a pattern was too seldom seen in training.
BACK_OFF: tuple[tuple[str, ...], ...] = (
    ("tokens",),
    ("tokens", "nationality"),
    ("tokens", "nationality", "sex"),
    ("tokens", "nationality", "sex", "names_sex", "sides"),
    ("tokens", "nationality", "sex", "names_sex", "sides", "birth", "pairs_day"),
    (
        "tokens",
        "nationality",
        "sex",
        "names_sex",
        "sides",
        "birth",
        "pairs_day",
        "pairs_year",
        "sounds",
    ),
)


# What tells how clear a border's records are: fields that every true pair has something in.
_COARSE_FIELDS = ("document", "names", "sounds", "sex", "nationality")
_SIZES = {f.name: f.size for f in FIELDS}
COARSE = prod(_SIZES[name] for name in _COARSE_FIELDS)


def coarse_patterns(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Codes under COARSE of patterns, by the fields that show noise."""
    fields = decode_patterns(codes)
    code = np.zeros(codes.shape, np.int64)
    for name in _COARSE_FIELDS:
        code = code * _SIZES[name] + fields[name]
    return code


def decode_patterns(codes: NDArray[np.integer]) -> dict[str, NDArray[np.int64]]:
    """Each field's value for every code."""
    rest = codes.astype(np.int64)
    out: dict[str, NDArray[np.int64]] = {}
    for field in reversed(FIELDS):
        out[field.name] = rest % field.size
        rest = rest // field.size
    return {f.name: out[f.name] for f in FIELDS}


def encode_patterns(fields: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """The inverse of ``decode_patterns``; a field that is left out counts as zero."""
    code = np.zeros_like(next(iter(fields.values())))
    for field in FIELDS:
        code = code * field.size + fields.get(field.name, 0)
    return code


_DOC, _OCR = int(KeyKind.DOCUMENT), int(KeyKind.DOCUMENT_OCR)
_NAME, _SOUND = int(KeyKind.NAME_DATE), int(KeyKind.SOUND_DATE)
_YEAR, _DAY, _ALL = int(KeyKind.PAIR_YEAR), int(KeyKind.PAIR_DAY), int(KeyKind.NAMES_SEX)
_SIDE, _BIRTH = int(KeyKind.SIDE_YEAR), int(KeyKind.BIRTH)


@lean
def trait_of(a: int, b: int) -> int:
    """Codes are zero where unknown."""
    if a == 0 or b == 0:
        return 0
    return 2 if a == b else 1


@lean
def pattern_of(
    agree: NDArray[np.uint8], row: int, documents: bool, sex: int, nationality: int, tokens: int
) -> int:
    """``agree[row]``: keys of each kind in common (KeyKind); ``documents``: both have one."""
    if not documents:
        document = 0
    elif agree[row, _DOC]:
        document = 3
    elif agree[row, _OCR]:
        document = 2
    else:
        document = 1
    code = document
    code = code * 4 + min(agree[row, _NAME], 3)
    code = code * 4 + min(agree[row, _SOUND], 3)
    code = code * 4 + min(agree[row, _YEAR], 3)
    code = code * 4 + min(agree[row, _DAY], 3)
    code = code * 2 + min(agree[row, _ALL], 1)
    code = code * 2 + min(agree[row, _SIDE], 1)
    code = code * 2 + min(agree[row, _BIRTH], 1)
    code = code * 3 + sex
    code = code * 3 + nationality
    return int(code * 4 + min(tokens, 3))


# Fields that may rise where a key of a kind was not counted for everybody, as bits. A document's
# may rise by two kinds: LIMIT and above say that nothing is known.
_RISING = {"sounds": _SOUND, "pairs_year": _YEAR, "pairs_day": _DAY, "names_sex": _ALL,
           "sides": _SIDE, "birth": _BIRTH}  # fmt: skip
LIMIT = 1 << len(_RISING)
RISES = np.zeros(KINDS, np.int64)
for _bit, _kind in enumerate(_RISING.values()):
    RISES[_kind] = 1 << _bit
RISES[_DOC] = RISES[_OCR] = LIMIT


def reachable(wanted: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """For each pattern, by bits: may it become one that is ``wanted`` (both PATTERNS)?

    Bit m: when the fields in m (RISES) may rise yet. Finer kinds of key, which are counted last,
    may rise always.
    """
    if wanted.all():
        return np.full(PATTERNS, np.uint64((1 << LIMIT) - 1))
    axes = {f.name: n for n, f in enumerate(FIELDS)}
    plain = _risen(wanted.reshape([f.size for f in FIELDS]), axes["names"])
    plain[Document.NEAR] |= plain[Document.SAME]
    by_fields = [plain]
    hope = plain.astype(np.uint64)
    rising = list(_RISING)
    for m in range(1, LIMIT):
        last = m.bit_length() - 1
        by_fields.append(_risen(by_fields[m ^ (1 << last)], axes[rising[last]]))
        hope |= by_fields[m].astype(np.uint64) << np.uint64(m)
    return hope.ravel()


def _risen(held: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """True where it is at this place of an axis or at any after it."""
    out = np.moveaxis(held.copy(), axis, 0)
    for at in range(out.shape[0] - 2, -1, -1):
        out[at] |= out[at + 1]
    return np.moveaxis(out, 0, axis)
