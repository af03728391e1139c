"""Recall and price of a way to code names, script by script.

In: invented travellers in several spellings. Out: of two spellings of one traveller, how often a
code agrees; of two different names, how often a code agrees too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmarks.names.material import travellers
from benchmarks.names.spelling import Script, Written
from sojourn.encode import matchkeys, sounds
from sojourn.encode.names import to_mrz
from sojourn.schemas import KeyKind

Codes = Callable[[str], tuple[str, ...]]  # a name token's codes; most coders give one
TRAVELLERS = 400
NAMES = 1_000
MAX_TOKENS = 6  # the default of policy.encode.max_name_tokens
NAMED = frozenset(KeyKind) - {KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR}


@dataclass(frozen=True)
class Recall:
    """Of ``pairs`` of different spellings: shares between 0 and 1.

    ``sound``: some name's code agrees (with the birth date that is a SOUND_DATE key). ``tokens``:
    the mean share of the shorter spelling's codes that the other has as well.
    """

    pairs: int
    sound: float
    tokens: float


@dataclass(frozen=True)
class Price:
    """Of ``names`` that differ: pairs that share a code, in 10,000; codes for 1,000 names."""

    names: int
    collisions: float
    distinct: float


def identity(name: Written) -> matchkeys.Identity:
    """The name as the encoder sees it; date and sex are everybody's, documents nobody's."""
    return matchkeys.Identity(to_mrz(name.surname), to_mrz(name.given_names), 1980, 3, 17, "F", "")


def spelling_pairs(
    script: Script, seed: int, count: int = TRAVELLERS
) -> Iterator[tuple[matchkeys.Identity, matchkeys.Identity]]:
    """Every two ways of writing one traveller that differ in A-Z."""
    for written in travellers(script, count, seed):
        seen = dict.fromkeys(identity(name) for name in written)
        yield from combinations(seen, 2)


def skeleton_codes(token: str) -> tuple[str, ...]:
    return (sounds.skeleton_of(token),)


def recall(pairs: Sequence[tuple[matchkeys.Identity, matchkeys.Identity]], codes: Codes) -> Recall:
    """How often a coder's codes of two spellings meet, on the encoder's own tokens."""
    known: dict[matchkeys.Identity, frozenset[str]] = {}

    def coded(person: matchkeys.Identity) -> frozenset[str]:
        if person not in known:
            tokens = sounds.tokens_of(person.surname, person.given_names)[:MAX_TOKENS]
            known[person] = frozenset(c for t in tokens for c in codes(t) if c)
        return known[person]

    met, share = 0, 0.0
    for one, other in pairs:
        a, b = coded(one), coded(other)
        both = len(a & b)
        met += both > 0
        share += both / max(1, min(len(a), len(b)))
    return Recall(len(pairs), met / len(pairs), share / len(pairs))


def recall_of_keys(
    pairs: Sequence[tuple[matchkeys.Identity, matchkeys.Identity]],
) -> tuple[float, float]:
    """Of the encoder's own messages: shares of pairs with a SOUND_DATE, with any of a name."""
    sound = either = 0
    for one, other in pairs:
        kinds = {
            kind
            for kind, _ in set(matchkeys.messages_of(one, MAX_TOKENS))
            & set(matchkeys.messages_of(other, MAX_TOKENS))
        }
        sound += KeyKind.SOUND_DATE in kinds
        either += bool(kinds & NAMED)
    return sound / len(pairs), either / len(pairs)


def different_names(script: Script, seed: int, count: int = NAMES) -> list[str]:
    """Up to ``count`` names that differ, as the script's first way writes them."""
    names: dict[str, None] = {}
    for written in travellers(script, 4 * count, seed + 1):
        one = identity(written[0])
        names.update(dict.fromkeys(sounds.tokens_of(one.surname, one.given_names)))
        if len(names) >= count:
            break
    return list(names)[:count]


def price(names: Sequence[str], codes: Codes) -> Price:
    """How much a coder throws together."""
    holders: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        for code in set(codes(name)):
            if code:
                holders[code].append(at)
    together = {pair for held in holders.values() for pair in combinations(held, 2)}
    possible = len(names) * (len(names) - 1) / 2
    return Price(len(names), 1e4 * len(together) / possible, 1e3 * len(holders) / len(names))
