"""Sounds in, letters out: what the families of scripts share.

A family file makes a traveller's name out of sounds and spells it under several conventions.
No list of people's names is read: whatever resembles a name is the rules' doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Written:
    """One name as one document has it, in any script."""

    surname: str
    given_names: str


@dataclass(frozen=True)
class Script:
    """``make`` gives one traveller's name in every way, in the order of ``ways``.

    The first way is the one by which names are told apart when the price is reckoned.
    """

    name: str
    ways: tuple[str, ...]
    make: Callable[[Random], tuple[Written, ...]]


def table(text: str) -> dict[str, str]:
    """``"kh=KH ain="`` as a table."""
    pairs = (entry.partition("=") for entry in text.split())
    return {sound: letters for sound, _, letters in pairs}


def spell(sounds: Iterable[str], letters: Mapping[str, str], *others: Mapping[str, str]) -> str:
    """Each sound by the first table that has it; capitals stand for themselves."""
    out = []
    for sound in sounds:
        for each in (letters, *others):
            if sound in each:
                out.append(each[sound])
                break
        else:
            out.append(sound.upper())
    return "".join(out)


def respell(text: str, rules: Sequence[tuple[str, str]]) -> str:
    """Replace from left to right; at each place the first rule that fits."""
    out, at = [], 0
    while at < len(text):
        for old, new in rules:
            if text.startswith(old, at):
                out.append(new)
                at += len(old)
                break
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def rules(text: str) -> tuple[tuple[str, str], ...]:
    """``"SCH=S CH=K"`` as rules for ``respell``."""
    return tuple(table(text).items())


def pick(rng: Random, words: str) -> str:
    return rng.choice(words.split())
