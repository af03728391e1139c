"""Scripts that cannot be written letter by letter: of India, Hebrew, kana. In and out: text.

ICAO has no table for them. India: the nine scripts share one layout (Unicode took ISCII's), so one
table by place in the block serves all; letters as Hunterian without marks, the vowel A where a
consonant has none (at the end in the south alone). Hebrew: the Academy's simple rules of 2006;
without points nobody knows a vowel. Kana: Hepburn as Japanese passports have it (N is M before B,
M, P). Everything else is left for ``names`` to spell.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_RUNS = re.compile("[\u0591-\u05f4]+|[\u0900-\u0d7f]+|[\u3041-\u30ff]+")
# By place in the block of 128.
_CONSONANTS = dict(
    enumerate(
        "K KH G GH N CH CHH J JH N T TH D DH N T TH D DH N N P PH B BH M Y R R L L L V SH SH S H"
        .split(), 0x15,
    )
)  # fmt: skip
_CONSONANTS |= {0x58: "Q", 0x59: "KH", 0x5A: "GH", 0x5B: "Z", 0x5C: "R", 0x5D: "RH", 0x5E: "F",
                0x5F: "Y"}  # fmt: skip
_VOWELS = dict(enumerate("A AA I II U UU RI LI E E E AI O O O AU".split(), 0x05))
_SIGNS = dict(enumerate("AA I II U UU RI RI E E E AI O O O AU".split(), 0x3E))
_SHORT = {"AA": "A", "II": "I", "UU": "U"}
_NASAL, _VISARGA, _NUKTA, _VIRAMA = (0x01, 0x02), 0x03, 0x3C, 0x4D
_WITH_NUKTA = {"K": "Q", "J": "Z", "D": "R", "DH": "RH", "PH": "F"}
_ODD = {"\u09f0": "R", "\u09f1": "V", "\u0a70": "N", "\u0d7a": "N", "\u0d7b": "N", "\u0d7c": "R",
        "\u0d7d": "L", "\u0d7e": "L", "\u0d7f": "K", "\u09ce": "T"}  # fmt: skip
_DOUBLES_NEXT = "\u0a71"
_SOUTH = "\u0b80"  # from here on scripts whose languages say the last A

_HEBREW = dict(
    zip(
        "אבגדהוזחטיךכלםמןנסעףפץצקרשתװײ",
        "- V G D H V Z H T Y KH KH L M M N N S - F F TS TS K R SH T V Y".replace("-", "").split(
            " "
        ),
        strict=True,
    )
)
_AT_START = {"א": "A", "ב": "B", "כ": "K", "ע": "A", "פ": "P"}
_WITH_GERESH = {"ג": "J", "ז": "ZH", "צ": "CH", "ץ": "CH"}
_GERESH = "\u05f3"


def spell_out(text: str) -> str:
    """``text`` (composed, NFC) with every run of these scripts in A-Z."""
    return _RUNS.sub(lambda run: _spelt(run.group()), text)


def _spelt(run: str) -> str:
    if run[0] < "\u0900":
        return _hebrew(run)
    return _indian(run) if run[0] < "\u3000" else _kana(run)


def _indian(run: str) -> str:
    """Consonants carry an A until a vowel sign, a virama or the end says otherwise."""
    out: list[str] = []
    bare = doubled = False  # the last was a consonant without vowel; the next is doubled
    for letter in run:
        place = ord(letter) & 0x7F
        if letter in _ODD or place in _CONSONANTS:
            sound = _ODD.get(letter) or _CONSONANTS[place]
            out.append(("A" if bare else "") + (sound[0] if doubled else "") + sound)
            bare, doubled = letter not in _ODD, False
        elif place == _NUKTA and out:
            held = out[-1].lstrip("A")
            out[-1] = out[-1].removesuffix(held) + _WITH_NUKTA.get(held, held)
        elif place in _SIGNS or place in _VOWELS:
            vowel = _SIGNS.get(place) or _VOWELS[place]
            out.append(_SHORT.get(vowel, vowel))
            bare = False
        elif place in _NASAL or place == _VISARGA:
            out.append(("A" if bare else "") + ("H" if place == _VISARGA else "N"))
            bare = False
        elif place == _VIRAMA:
            bare = False
        elif letter == _DOUBLES_NEXT:
            out.append("A" if bare else "")
            bare, doubled = False, True
        else:
            out.append(" " if unicodedata.category(letter)[0] in "PSZ" else "")
    if bare and run[0] >= _SOUTH:
        out.append("A")
    return "".join(out)


def _hebrew(run: str) -> str:
    """B, K and P are hard at the start of a word and soft elsewhere, ALEF and AYIN a vowel there.

    Points are passed over.
    """
    out: list[str] = []
    start, last = True, ""
    for letter in run:
        if letter in _HEBREW:
            out.append(_AT_START.get(letter, _HEBREW[letter]) if start else _HEBREW[letter])
            start, last = False, letter
        elif letter == _GERESH and last in _WITH_GERESH:
            out[-1] = _WITH_GERESH[last]
        elif letter == "\u05be":  # the hyphen of Hebrew
            out.append(" ")
            start = True
    return "".join(out)


def _kana(run: str) -> str:
    """Small letters change the syllable before them, small TSU doubles the consonant after it."""
    out: list[str] = []
    doubled = False
    for each in run:
        letter = chr(ord(each) + 0x60) if "ぁ" <= each <= "ゖ" else each
        if letter == "ッ":
            doubled = True
            continue
        if letter == "・":
            out.append(" ")
            continue
        sound = anyascii(letter).upper()
        if not sound.isalpha():  # the mark of a long vowel
            continue
        if letter in "ァィゥェォャュョヮ" and out and out[-1][-1:] in "AEIOU":
            out[-1] = _glided(out[-1][:-1], sound)
        else:
            out.append((_first_of(sound) if doubled else "") + sound)
        doubled = False
    return re.sub("N(?=[BMP])", "M", "".join(out))


def _glided(consonants: str, small: str) -> str:
    """SHI and small YA are SHA, KI and small YA are KYA, FU and small A are FA."""
    if small[0] in "YW" and consonants.endswith(("SH", "CH", "J")):
        return consonants + small[1:]
    return consonants + small


def _first_of(sound: str) -> str:
    if sound[0] in "AEIOUN":
        return ""
    return "T" if sound.startswith("CH") else sound[0]
