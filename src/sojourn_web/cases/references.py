"""References and codes that can be read out over the telephone.

In: a source of randomness, or what somebody typed. Out: ``K7WX-2MDQ``: seven characters and one
that checks them, from 23 without look-alikes (no 0 O, 1 I L, 8 B, 5 S, 2 Z) and without vowels.
23 is prime, so that one wrong character and two exchanged ones are always noticed.
Raises RefusedError for what cannot be a reference.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from sojourn_web.cases.errors import RefusedError

ALPHABET = "2345679CDFGHJKMNPQRTVWX"
BODY = 7
CODE = 12  # 23^12 is 54 bits; five tries, then a pause


def make_reference() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY))
    return _show(body + _check(body))


def read_reference(typed: str) -> str:
    """However it is typed: small letters, blanks, no hyphen."""
    plain = "".join(c for c in typed.upper() if c.isalnum())
    known = len(plain) == BODY + 1 and set(plain) <= set(ALPHABET)
    if not known or plain[BODY:] != _check(plain[:BODY]):
        raise RefusedError(
            "This is no reference: expected eight letters and digits such as K7WX-2MDQ. Look for "
            "one that is mistaken or two that are exchanged."
        )
    return _show(plain)


def derive_code(secret: bytes, *parts: str) -> str:
    """A code that only the holder of ``secret`` can make again from ``parts``."""
    number = int.from_bytes(hmac.digest(secret, "|".join(("code", *parts)).encode(), sha256))
    letters = []
    for _ in range(CODE):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "-".join("".join(letters[i : i + 4]) for i in range(0, CODE, 4))


def digest_code(secret: bytes, reference: str, typed: str) -> str:
    """What is kept of a code; bound to its case."""
    plain = "".join(c for c in typed.upper() if c.isalnum())
    return hmac.digest(secret, f"digest|{reference}|{plain}".encode(), sha256).hex()


def _check(body: str) -> str:
    total = sum((i + 1) * ALPHABET.index(c) for i, c in enumerate(body))
    return ALPHABET[total % len(ALPHABET)]


def _show(plain: str) -> str:
    return f"{plain[:4]}-{plain[4:]}"
