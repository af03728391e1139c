"""Chinese: one reading under several romanisations, joined, hyphenated, apart, turned round.

Mandarin: Hanyu Pinyin, Wade-Giles without marks, Tongyong. Cantonese: the custom of Hong Kong, Yale
without marks, Jyutping without tones. The two readings of one character are words, not spellings,
and are not compared.
"""

from __future__ import annotations

from functools import cache
from random import Random

from anyascii import anyascii

from benchmarks.names.spelling import Script, Written, table

WITH_I = "i ian iao ie in ing"
OPEN = "a ai an ang ao"
ROUND = "ong ou u uan ui un uo"
SYLLABLES = (
    ("b p m", f"{OPEN} ei eng {WITH_I} o u"), ("f", "a an ang ei en eng ou u"),
    ("d t", f"{OPEN} e eng i ian iao ie ing {ROUND}"),
    ("n l", f"{OPEN} ei eng {WITH_I} iang iu ong u uan uo"),
    ("g k h", f"{OPEN} e en eng {ROUND} ua uai uang"),
    ("j q x", f"{WITH_I} ia iang iong iu v van ve vn"),
    ("zh ch", f"{OPEN} e en eng i {ROUND} uang"),
    ("sh", f"{OPEN} e en eng i ou u uan ui un uo uang"),
    ("z c s", f"{OPEN} e en eng i {ROUND}"), ("r", "an ang ao e en eng i ong ou u uan ui un uo"),
    ("", "yi ya yan yang yao ye yin ying yong you yu yuan yue yun wa wai wan wang wei wen wo wu "
         "an ai ao ou en"),
)  # fmt: skip
PINYIN_FINALS = table("v=U van=UAN ve=UE vn=UN")
WADE_INITIALS = table("b=P p=P d=T t=T g=K k=K j=CH q=CH x=HS zh=CH ch=CH sh=SH r=J z=TS c=TS s=S")
WADE_FINALS = table(
    "ian=IEN ie=IEH iong=IUNG ong=UNG van=UAN ve=UEH vn=UN v=U yi=I yan=YEN ye=YEH yong=YUNG "
    "you=YU yue=YUEH"
)
TONGYONG_INITIALS = table("zh=JH q=C x=S")
TONGYONG_FINALS = table("iu=IOU ui=UEI v=YU van=YUAN ve=YUE vn=YUN iong=YONG wen=WUN")
WHISTLED = frozenset("zh ch sh r z c s".split())
HISSED = frozenset("z c s".split())

C_INITIALS = "b p m f d t n l g k ng h gw kw w z c s j".split()
C_FINALS = (
    "aa aai aau aam aan aang aak ai au am an ang ei eng iu im in ing ik o oi ou on ong ok ui un "
    "ung uk eoi eon oeng yu yun"
).split()
HONG_KONG = (
    table("b=P d=T g=K k=K gw=KW z=CH c=CH j=Y"),
    table("aa=A aai=AI aau=AU aam=AM aan=AN aang=ANG aak=AK ou=O eoi=UI eon=UN oeng=EUNG yun=UEN "
          "am=UM"),
)  # fmt: skip
YALE = (
    table("z=J c=CH j=Y"),
    table("aa=A eoi=EUI eon=EUN oeng=EUNG"),
)
JYUTPING: tuple[dict[str, str], dict[str, str]] = ({}, {})

Syllable = tuple[str, str]


def _syllable(rng: Random) -> Syllable:
    initials, finals = rng.choice(SYLLABLES[:-1] * 2 + SYLLABLES[-1:])
    return rng.choice(initials.split() or [""]), rng.choice(finals.split())


def pinyin(syllable: Syllable) -> str:
    initial, final = syllable
    return initial.upper() + PINYIN_FINALS.get(final, final.upper())


def wade_giles(syllable: Syllable) -> str:
    initial, final = syllable
    start = WADE_INITIALS.get(initial, initial.upper())
    if final == "i" and initial in HISSED:
        return {"z": "TZU", "c": "TZU", "s": "SZU"}[initial]
    if final == "i" and initial in WHISTLED:
        return start + "IH"
    if final == "e" and initial in ("g", "k", "h"):
        return start + "O"
    if final == "ui" and initial in ("g", "k"):
        return start + "UEI"
    if final == "uo" and initial not in ("g", "k", "h", "sh"):
        return start + "O"
    return start + WADE_FINALS.get(final, final.upper())


def tongyong(syllable: Syllable) -> str:
    initial, final = syllable
    start = TONGYONG_INITIALS.get(initial, initial.upper())
    if final == "i" and initial in WHISTLED:
        return start + "IH"
    if initial == "f" and final == "eng":
        return "FONG"
    return start + TONGYONG_FINALS.get(final, final.upper())


@cache
def _characters() -> dict[str, str]:
    """For each reading, the first character that is read so."""
    found: dict[str, str] = {}
    for point in range(0x4E00, 0x9FA6):
        found.setdefault(anyascii(chr(point)).upper(), chr(point))
    return found


def make_mandarin(rng: Random) -> tuple[Written, ...]:
    """A surname of one syllable, a given name of one (a fifth) or two."""
    surname = _syllable(rng)
    given = [_syllable(rng) for _ in range(1 if rng.random() < 0.2 else 2)]
    p, w = [pinyin(s) for s in given], [wade_giles(s) for s in given]
    characters = _characters()
    return (
        Written(pinyin(surname), "".join(p)),
        Written(pinyin(surname), " ".join(p)),
        Written(" ".join(p), pinyin(surname)),
        Written(wade_giles(surname), "-".join(w)),
        Written(wade_giles(surname), "".join(w)),
        Written(tongyong(surname), "-".join(tongyong(s) for s in given)),
        Written(
            characters.get(pinyin(surname), pinyin(surname)),
            "".join(characters.get(s, s) for s in p),
        ),
    )


def make_cantonese(rng: Random) -> tuple[Written, ...]:
    syllables = [(rng.choice(C_INITIALS), rng.choice(C_FINALS)) for _ in range(3)]
    out = []
    for initials, finals in (HONG_KONG, YALE, JYUTPING):
        spelt = [initials.get(i, i.upper()) + finals.get(f, f.upper()) for i, f in syllables]
        out.append(Written(spelt[0], " ".join(spelt[1:])))
        if (initials, finals) == HONG_KONG:
            out.append(Written(spelt[0], "".join(spelt[1:])))
    return tuple(out)


MANDARIN = Script(
    "Chinese (Mandarin)",
    ("pinyin", "pinyin, apart", "pinyin, turned round", "Wade-Giles", "Wade-Giles, joined",
     "Tongyong", "native"),
    make_mandarin,
)  # fmt: skip
CANTONESE = Script(
    "Chinese (Cantonese)", ("Hong Kong", "Hong Kong, joined", "Yale", "Jyutping"), make_cantonese
)
