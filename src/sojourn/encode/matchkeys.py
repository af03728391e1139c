"""Which match keys a record has: the plain definition, and the reference for the compiled twin.

In: one traveller's names (A-Z tokens), birth date parts, sex, document number, and a secret
for each kind. Out: pairs of (KeyKind, 64-bit key). ``sojourn.encode.kernel`` gives the same
for whole columns and is what production runs; tests compare the two on generated records.

A key is HMAC-SHA-256 (RFC 2104, FIPS 180-4), cut to its first 8 bytes, over a canonical
combination of fields. Every kind is of a document or holds a date, or joins three names with
the sex, so that no key's frequency gives a name away. Equality is all that survives:
fuzziness is decided here, at the edge, by giving a record several keys. The kinds and their
worth: docs/explanation/linking.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from sojourn.encode.sounds import skeleton_of, tokens_of
from sojourn.schemas import KeyKind

DOCUMENT_LETTERS = 5  # a shorter number says too little
NAMES_SEX_TOKENS = 3
SIDE_LETTERS = 4  # of the one side's sound: a typing error further on does no harm
NATION_LETTERS = 3
SEPARATOR = "|"

# The design's OCR classes: characters that readers confuse.
OCR_CLASSES = str.maketrans("OQILSBZG", "00115826")


@dataclass(frozen=True)
class Identity:
    """One traveller as the encoder sees them, canonical. Never stored, never logged."""

    surname: str  # A-Z and blanks
    given_names: str
    year: int  # 0: unknown
    month: int
    day: int
    sex: str  # M, F, X or ""
    document_number: str  # A-Z and 0-9
    nationality: str = ""  # ICAO 9303 alpha-3


def messages_of(identity: Identity, max_tokens: int) -> list[tuple[KeyKind, str]]:
    """What is keyed, kind by kind, in the order of KeyKind; repeats within a kind once."""
    everything = tokens_of(identity.surname, identity.given_names)
    tokens = everything[:max_tokens]
    skeletons = tuple(dict.fromkeys(skeleton_of(t) for t in tokens))
    pairs = [SEPARATOR.join(sorted(pair)) for pair in combinations(skeletons, 2)]
    year, low, high = (
        f"{identity.year:04d}",
        f"{min(identity.month, identity.day):02d}",
        f"{max(identity.month, identity.day):02d}",
    )
    day_known = bool(identity.month and identity.day)
    full = bool(identity.year) and day_known
    written = f"{year}{identity.month:02d}{identity.day:02d}"
    out: list[tuple[KeyKind, str]] = []
    if len(identity.document_number) >= DOCUMENT_LETTERS:
        out.append((KeyKind.DOCUMENT, identity.document_number))
        out.append((KeyKind.DOCUMENT_OCR, identity.document_number.translate(OCR_CLASSES)))
    if full:
        out += [(KeyKind.NAME_DATE, f"{t}|{written}") for t in tokens]
        out += [(KeyKind.SOUND_DATE, f"{s}|{year}{low}{high}") for s in skeletons]
    if identity.year:
        out += [(KeyKind.PAIR_YEAR, f"{p}|{year}") for p in pairs]
    if day_known:
        out += [(KeyKind.PAIR_DAY, f"{p}|{low}{high}") for p in pairs]
    if len(everything) >= NAMES_SEX_TOKENS and identity.sex:
        out.append((KeyKind.NAMES_SEX, f"{SEPARATOR.join(sorted(everything))}|{identity.sex}"))
    if identity.year:
        out += [(KeyKind.SIDE_YEAR, f"{s}|{year}{identity.sex}") for s in _sides_of(identity)]
    new_year = identity.month == identity.day == 1  # what is written where nobody knows
    if full and not new_year and identity.sex and identity.nationality:
        out.append((KeyKind.BIRTH, f"{year}{low}{high}{identity.sex}|{identity.nationality}"))
    return out


def _sides_of(identity: Identity) -> tuple[str, ...]:
    """The start of one side's sound with the first of the other's, both ways round.

    A side is all surnames or all given names, written as one word. One of the two may be wrong
    behind its first letter, and names that are joined here and apart there make no difference.
    """
    first, second = (
        skeleton_of(side.replace(" ", "")) for side in (identity.surname, identity.given_names)
    )
    both = ((first, second), (second, first))
    found = [f"{own[:SIDE_LETTERS]}|{other[:1]}" for own, other in both if own]
    return tuple(dict.fromkeys(found))


def match_keys_of(
    identity: Identity, secrets: Mapping[KeyKind, bytes], max_tokens: int
) -> list[tuple[KeyKind, int]]:
    """The record's match keys under ``secrets``; kinds without a secret are left out."""
    return [
        (kind, int.from_bytes(hmac.digest(secrets[kind], message.encode(), "sha256")[:8], "big"))
        for kind, message in messages_of(identity, max_tokens)
        if kind in secrets
    ]
