"""Blind indexes: finding the same person again without storing a name that can be read.

In: names, a birth year, a document's number; the office that scopes the search. Out: keyed
digests (HMAC-SHA-256, cut to 128 bits) under the installation's index secret. Equal names in two
offices give different digests, so that whoever holds the database cannot follow a person between
offices. Digests are rows of ``BlindIndex`` and are deleted with the case.

Assumption: names are written in any script; ``anyascii`` brings them to Latin letters first. The
sound is a plain consonant skeleton, meant for hints to a human, never for a decision.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from hashlib import sha256

from anyascii import anyascii

from sojourn_web.cases.vocabulary import IndexKind

DIGEST_HEX = 32
# Letters that transcriptions exchange, folded in this order; vowels go afterwards.
FOLDS = (("SCH", "S"), ("SH", "S"), ("CH", "S"), ("KH", "H"), ("GH", "G"), ("PH", "F"),
         ("TH", "T"), ("DH", "D"), ("DJ", "J"), ("DZH", "J"), ("OU", "U"), ("CK", "K"),
         ("Q", "K"), ("C", "K"), ("W", "V"), ("X", "KS"), ("Z", "S"), ("Y", "I"))  # fmt: skip


def name_parts(*names: str) -> tuple[str, ...]:
    """Capital Latin letters, part by part, in order of the alphabet, each once."""
    text = anyascii(unicodedata.normalize("NFKC", " ".join(names))).upper()
    return tuple(sorted({p for p in re.split(r"[^A-Z]+", text.replace("'", "")) if p}))


def sound_of(part: str) -> str:
    """The first letter and the consonants after it, folded and without doubles."""
    for long, short in FOLDS:
        part = part.replace(long, short)
    rest = re.sub(r"[AEIOUH]", "", part[1:])
    return re.sub(r"(.)\1+", r"\1", part[:1] + rest)[:8]


def plain_number(number: str) -> str:
    """A document's number without blanks and signs, in capitals."""
    return re.sub(r"[^A-Z0-9]", "", anyascii(number).upper())


def digest(secret: bytes, scope: str, kind: IndexKind, text: str) -> str:
    """``scope``: the office's id. Hexadecimal."""
    message = "\x1f".join((scope, kind.value, text)).encode()
    return hmac.digest(secret, message, sha256).hex()[:DIGEST_HEX]


def digests_of_person(
    secret: bytes, scope: str, names: tuple[str, ...], birth_year: int | None
) -> tuple[tuple[IndexKind, str], ...]:
    """A digest for each part, each sound, and each sound with the year where it is known.

    Never of the year alone: an office's few years would be told by how often each occurs.
    """
    parts = name_parts(*names)
    sounds = sorted({sound_of(p) for p in parts})
    texts = [(IndexKind.NAME, p) for p in parts]
    texts += [(IndexKind.SOUND, s) for s in sounds]
    texts += [(IndexKind.BIRTH_YEAR, f"{s}|{birth_year}") for s in sounds if birth_year]
    return tuple((kind, digest(secret, scope, kind, text)) for kind, text in texts)
