"""Korean from jamo and Japanese from kana: state romanisations, scholars' and popular.

Korean: Revised (2000), McCune-Reischauer without marks (voiced between voiced sounds), and what
people write: LEE for I, PARK for PAK, CH for J, OO and U. Japanese: Hepburn, Kunrei, long vowels
written O, OU, OO, OH, and M before B, M, P.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, table

INITIALS = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
MEDIALS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
CODAS = table("-=0 k=1 n=4 t=7 l=8 m=16 p=17 ng=21")  # their places in the Unicode block
COMMON_INITIALS = "g n d r m b s - j ch k t p h".split()
COMMON_MEDIALS = "a ae eo yeo o wa u wo yu eu ui i".split()
MR_INITIALS = table("g=K d=T b=P j=CH -= ch=CH")
MR_VOICED = table("g=G d=D b=B j=J -= ch=CH")
MR_MEDIALS = table("eo=O yeo=YO eu=U")
POPULAR_INITIALS = table("g=K d=D b=B j=J r=L -= ch=CH")
POPULAR_MEDIALS = table("eo=U yeo=YOU u=OO eu=EU ui=EE ae=AE i=I")
OTHER_INITIALS = table("g=G d=T b=P j=CH r=L -= ch=CH")
OTHER_MEDIALS = table("eo=O yeo=YU u=U eu=U ui=UI ae=AI i=EE")

Syllable = tuple[str, str, str]


def _syllable(rng: Random) -> Syllable:
    return (
        rng.choice(COMMON_INITIALS),
        rng.choice(COMMON_MEDIALS),
        rng.choice(("-", "-", "n", "n", "ng", "m", "k", "l")),
    )


def _revised(s: Syllable) -> str:
    return "".join(part.replace("-", "").upper() for part in s)


def _mccune(word: list[Syllable]) -> str:
    """Voiced after a vowel or N, M, NG, L within the word."""
    out = ""
    for at, (i, m, c) in enumerate(word):
        voiced = at > 0 and word[at - 1][2] in ("-", "n", "m", "ng", "l")
        start = (MR_VOICED if voiced else MR_INITIALS).get(i, i.upper())
        start = "SH" if i == "s" and m in ("i", "wi") else start
        out += start + MR_MEDIALS.get(m, m.upper()) + c.replace("-", "").upper()
    return out


def _popular(s: Syllable, surname: bool) -> str:
    i, m, c = s
    if surname and (i, m, c) == ("-", "i", "-"):
        return "LEE"
    start = POPULAR_INITIALS.get(i, i.upper())
    start = "SH" if i == "s" and m == "i" else start
    if surname and m == "a" and c == "k":
        return start + "ARK"
    end = "H" if surname and m in ("o", "eo") and c == "-" else ""
    return start + POPULAR_MEDIALS.get(m, m.upper()) + c.replace("-", "").upper() + end


def _other(s: Syllable, surname: bool) -> str:
    i, m, c = s
    if surname and (i, m, c) == ("-", "i", "-"):
        return "YI"
    middle = "AH" if surname and m == "a" and c == "n" else OTHER_MEDIALS.get(m, m.upper())
    return OTHER_INITIALS.get(i, i.upper()) + middle + c.replace("-", "").upper()


def _hangul(s: Syllable) -> str:
    i, m, c = s
    return chr(0xAC00 + (INITIALS.index(i) * 21 + MEDIALS.index(m)) * 28 + int(CODAS[c]))


def make_korean(rng: Random) -> tuple[Written, ...]:
    surname, given = _syllable(rng), [_syllable(rng), _syllable(rng)]
    return (
        Written(_revised(surname), "".join(map(_revised, given))),
        Written(_revised(surname), "-".join(map(_revised, given))),
        Written(_mccune([surname]), _mccune(given)),
        Written(_popular(surname, True), " ".join(_popular(s, False) for s in given)),
        Written(_other(surname, True), "".join(_other(s, False) for s in given)),
        Written(_hangul(surname), "".join(map(_hangul, given))),
    )


KOREAN = Script(
    "Korean",
    ("Revised", "Revised, hyphen", "McCune-Reischauer", "popular, apart", "popular, other",
     "native"),
    make_korean,
)  # fmt: skip

ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ",
    "h": "ハヒフヘホ", "m": "マミムメモ", "r": "ラリルレロ", "g": "ガギグゲゴ", "z": "ザジズゼゾ",
    "b": "バビブベボ", "y": "ヤ ユ ヨ", "w": "ワ    ",
}  # fmt: skip
HEPBURN = table(
    "si=SHI ti=CHI tu=TSU hu=FU zi=JI sya=SHA syu=SHU syo=SHO tya=CHA tyu=CHU tyo=CHO zya=JA "
    "zyu=JU zyo=JO"
)
GLIDES = {"a": "ャ", "u": "ュ", "o": "ョ"}


def _mora(rng: Random) -> str:
    """Kunrei letters of one mora, in small letters; ``O`` for a long O, ``N`` for the nasal."""
    kind = rng.random()
    if kind < 0.12:
        return rng.choice("s t k r z h".split()) + "y" + rng.choice("auo")
    row = rng.choice(list(ROWS))
    at = rng.choice([i for i, c in enumerate(ROWS[row]) if c != " "])
    return row + "aiueo"[at]


def _word(rng: Random, size: int) -> list[str]:
    morae = []
    for at in range(size):
        mora = _mora(rng)
        if mora[-1] == "o" and rng.random() < 0.3:
            mora += ":"
        morae.append(mora)
        if at < size - 1 and rng.random() < 0.15:
            morae.append("N")
    return morae


def _roman(word: list[str], hepburn: bool, long: str, nasal: bool = False) -> str:
    out = ""
    for at, mora in enumerate(word):
        if mora == "N":
            after = word[at + 1][0] if at + 1 < len(word) else ""
            out += "M" if nasal and after in "bmp" else "N"
            continue
        short = mora.rstrip(":")
        spelt = HEPBURN.get(short, short.upper()) if hepburn else short.upper()
        out += spelt + (long if mora.endswith(":") else "")
    return out


def _kana(word: list[str]) -> str:
    out = ""
    for mora in word:
        if mora == "N":
            out += "ン"
            continue
        short = mora.rstrip(":")
        vowel = short[-1]
        if len(short) == 3:
            out += ROWS[short[0]][1] + GLIDES[vowel]
        else:
            out += ROWS[short[:-1]]["aiueo".index(vowel)]
        out += "ウ" if mora.endswith(":") else ""
    return out


def make_japanese(rng: Random) -> tuple[Written, ...]:
    words = _word(rng, rng.choice((2, 3, 3))), _word(rng, rng.choice((2, 2, 3)))
    return (
        Written(*(_roman(w, True, "") for w in words)),
        Written(*(_roman(w, False, "") for w in words)),
        Written(*(_roman(w, True, "U", nasal=True) for w in words)),
        Written(*(_roman(w, True, "H") for w in words)),
        Written(*(_roman(w, True, "O") for w in words)),
        Written(*(_kana(w) for w in words)),
    )


JAPANESE = Script(
    "Japanese",
    ("Hepburn", "Kunrei", "Hepburn OU, M", "Hepburn OH", "Hepburn OO", "native (kana)"),
    make_japanese,
)
