"""Greek (ELOT 743, ISO 843, popular), Hebrew (academy, popular, German) and Ethiopic.

Ethiopic follows the syllabary: consonant and one of seven vowels; BGN/PCGN without marks, the
custom of Ethiopian passports, and French and Italian custom; HAILE MARIAM apart or joined.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, respell, rules, spell, table

G_LETTERS = "α=A β=V γ=G δ=D ε=E ζ=Z η=I θ=TH ι=I κ=K λ=L μ=M ν=N ο=O π=P ρ=R σ=S ς=S τ=T "
ELOT = rules("αυ=AV ευ=EV ου=OU γγ=NG γκ=GK μπ=MP ντ=NT "
             + G_LETTERS + "υ=Y φ=F χ=CH ψ=PS ω=O ξ=X")  # fmt: skip
POPULAR = rules("αυ=AF ευ=EF ου=OU γγ=NG γκ=G μπ=B ντ=D οι=I ει=I "
                + G_LETTERS + "υ=I φ=F χ=H ψ=PS ω=O ξ=X")  # fmt: skip
LATINISED = rules("αυ=AU ευ=EU ου=U γγ=NG γκ=NK μπ=MP ντ=NT "
                  + G_LETTERS.replace("β=V", "β=B").replace("η=I", "η=E")
                  + "υ=Y φ=PH χ=CH ψ=PS ω=O ξ=X")  # fmt: skip
ISO_843 = rules(G_LETTERS + "υ=Y φ=F χ=CH ψ=PS ω=O ξ=X")
G_STARTS = "β γ δ ζ θ κ λ μ ν π ρ σ τ φ χ μπ ντ ξ ψ στ"
G_VOWELS = "α ε η ι ο ω ου ευ αυ ει"
G_ENDS = "όπουλος ίδης άκης ου ης ας ιάδης"
ACCENTS = str.maketrans("άέήίόύώ", "αεηιουω")


def _greek(rng: Random, ends: str) -> str:
    text = "".join(pick(rng, G_STARTS) + pick(rng, G_VOWELS) for _ in range(rng.choice((1, 1, 2))))
    return text + pick(rng, "κ λ μ ν ρ τ δ γ χ φ") + pick(rng, ends)


def make_greek(rng: Random) -> tuple[Written, ...]:
    family, given = _greek(rng, G_ENDS), _greek(rng, "ος α η ιος ία")
    f, g = family.translate(ACCENTS), given.translate(ACCENTS)
    return (
        Written(family, given),
        *(Written(respell(f, t), respell(g, t)) for t in (ELOT, POPULAR, LATINISED, ISO_843)),
    )


GREEK = Script("Greek", ("native", "ELOT 743", "popular", "Latinised", "ISO 843"), make_greek)

H_CONSONANTS = "b g d h v z kh t y l m n s ain p f ts q r sh k kaf".split()
H_PATTERNS = ("1 a 2 i 3", "1 a 2 o 3", "1 e 2 e 3", "1 o 2 e 3", "1 i 2 2 a 3", "m e 1 a 2 e 3",
              "1 a 2 2 a 3 i", "1 i 2 3 on", "1 u 2 i 3", "1 a 2 3 i e l")  # fmt: skip
HEBREW_NATIVE = table(
    "b=ב g=ג d=ד h=ה v=ו z=ז kh=ח t=ט y=י k=כ kaf=כ l=ל m=מ n=נ s=ס ain=ע p=פ f=פ ts=צ q=ק "
    "r=ר sh=ש a= e= i=י o=ו u=ו on=ון"
)
HEBREW_TABLES = (
    table("kh=H ain= q=K ts=TS kaf=KH"),
    table("kh=CH ain= q=K ts=TZ kaf=CH"),
    table("kh=CH ain= q=K ts=Z kaf=CH sh=SCH v=W y=J"),
    table("kh=KH ain= q=Q ts=TZ kaf=KH i=EE u=OO"),
)


def _hebrew(rng: Random) -> list[str]:
    root = rng.sample(H_CONSONANTS, 3)
    return [root[int(s) - 1] if s.isdigit() else s for s in rng.choice(H_PATTERNS).split()]


def make_hebrew(rng: Random) -> tuple[Written, ...]:
    """Doubled letters are written once, with or without vowels."""
    family, given = _hebrew(rng), _hebrew(rng)
    out = [Written(spell(family, t), spell(given, t)) for t in HEBREW_TABLES]
    bare = ([s for at, s in enumerate(w) if at == 0 or s != w[at - 1]] for w in (family, given))
    return (*out, Written(*(spell(w, HEBREW_NATIVE) for w in bare)))


HEBREW = Script("Hebrew", ("academy", "popular", "German", "English", "native"), make_hebrew)
# First code point of each consonant's row; the seven orders follow.
ROWS = {
    "h": 0x1200, "l": 0x1208, "hh": 0x1210, "m": 0x1218, "sz": 0x1220, "r": 0x1228, "s": 0x1230,
    "sh": 0x1238, "q": 0x1240, "b": 0x1260, "t": 0x1270, "ch": 0x1278, "n": 0x1290, "ny": 0x1298,
    "k": 0x12A8, "w": 0x12C8, "ain": 0x12D0, "z": 0x12D8, "zh": 0x12E0, "y": 0x12E8, "d": 0x12F0,
    "j": 0x1300, "g": 0x1308, "tt": 0x1320, "chh": 0x1328, "ts": 0x1338, "f": 0x1348,
}  # fmt: skip
ORDERS = ("ae", "u", "i", "a", "ee", "-", "o")
E_BARE = "hh=H sz=S ain= tt=T chh=CH "
ETHIOPIC_TABLES = (
    table(E_BARE + "ae=E ee=E -=I q=K ny=NY ts=TS"),
    table(E_BARE + "ae=A ee=E -=E q=Q ny=GN ts=TS"),
    table(E_BARE + "ae=E ee=IE -= q=K ny=NY ts=S"),
    table(E_BARE + "ae=E ee=E -= q=K ny=GN ts=TS sh=CH ch=TCH j=DJ u=OU"),
)


def _ethiopic(rng: Random) -> list[tuple[str, str]]:
    size = rng.choice((2, 3, 3))
    return [(rng.choice(list(ROWS)), rng.choice(ORDERS)) for _ in range(size)]


def _fidel(word: list[tuple[str, str]]) -> str:
    return "".join(chr(ROWS[c] + ORDERS.index(v)) for c, v in word)


def _latin(word: list[tuple[str, str]], letters: dict[str, str]) -> str:
    """The sixth order is silent at the end of a word."""
    out = ""
    for at, (consonant, vowel) in enumerate(word):
        last = at == len(word) - 1
        out += spell([consonant], letters)
        out += "" if last and vowel == "-" else spell([vowel], letters)
    return out


def make_ethiopic(rng: Random) -> tuple[Written, ...]:
    """A given name of one or two words, and the father's."""
    first, second, father = (_ethiopic(rng) for _ in range(3))
    two = rng.random() < 0.3
    out = []
    for at, letters in enumerate(ETHIOPIC_TABLES):
        gap = "" if at % 2 else " "
        given = _latin(first, letters) + (gap + _latin(second, letters) if two else "")
        out.append(Written(_latin(father, letters), given))
    native = Written(_fidel(father), _fidel(first) + (" " + _fidel(second) if two else ""))
    return (*out, native)


ETHIOPIC = Script(
    "Amharic and Tigrinya", ("passport", "BGN", "popular", "French", "native"), make_ethiopic
)
