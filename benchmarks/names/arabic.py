"""Arabic: root and pattern, spelt by ICAO 9303 (from the script), BGN/PCGN, ALA, DIN, Maghreb.

Tables: BGN/PCGN 1956, ALA-LC 2012, DIN 31635 without their marks; the French-based custom of the
Maghreb; Egypt's pronunciation of JIM as G. The article and ABD joined or apart as each does.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, spell, table

CONSONANTS = "b t th j hh kh d dh r z s sh ss dd tt zz ain gh f q k l m n h w y".split()
SUN = frozenset("t th d dh r z s sh ss dd tt zz l n".split())
# 1, 2, 3: the root's consonants. Patterns of nouns as any grammar has them.
PATTERNS = (
    "1 aa 2 i 3", "1 a 2 ii 3", "1 a 2 aa 3", "1 u 2 ay 3", "m a 1 2 uu 3", "m u 1 a 2 2 i 3",
    "m u 1 a 2 2 a 3", "1 a 2 2 aa 3", "1 a 2 3", "1 i 2 aa 3", "t a 1 2 ii 3", "1 a 2 3 aa n",
    "1 a 2 aa 3 ah", "1 a 2 ii 3 ah",
)  # fmt: skip
NATIVE = table(
    "b=ب t=ت th=ث j=ج hh=ح kh=خ d=د dh=ذ r=ر z=ز s=س sh=ش ss=ص dd=ض tt=ط zz=ظ ain=ع gh=غ f=ف "
    "q=ق k=ك l=ل m=م n=ن h=ه w=و y=ي a= i= u= aa=ا ii=ي uu=و ay=ي ah=ة iyy=ي"
)
BARE = "hh=H ss=S dd=D tt=T zz=Z ain= aa=A ii=I uu=U ay=AY ah=AH "
BGN = table(BARE + "iyy=I")
POPULAR = table("hh=H ss=S dd=DH tt=T zz=Z ain= q=K i=E aa=A ii=EE uu=OO ay=AI ah=A iyy=I dh=TH")
MAGHREB = table(
    "hh=H ss=S dd=D tt=T zz=D ain= sh=CH j=DJ w=OU q=K th=T dh=D u=OU i=I aa=A ii=I uu=OU ay=AI "
    "ah=A iyy=I"
)
ALA = table(BARE + "iyy=I")
DIN = table(BARE + "th=T j=G kh=H dh=D sh=S gh=G iyy=I")
EGYPT = table("hh=H ss=S dd=D tt=T zz=Z ain= j=G dh=Z th=S i=E aa=A ii=I uu=OU ay=EI ah=A iyy=Y")
TABLES = (BGN, POPULAR, MAGHREB, ALA, DIN, EGYPT)
WAYS = ("BGN", "popular, joined", "Maghreb", "ALA", "DIN, no article", "Egypt", "native")


def _root(rng: Random) -> list[str]:
    while True:
        root = rng.sample(CONSONANTS, 3)
        if not {"w", "y"} & set(root[1:]):
            return root


def noun(rng: Random) -> list[str]:
    """The sounds of a root in a pattern."""
    root = _root(rng)
    pattern = rng.choice(PATTERNS).split()
    return [root[int(s) - 1] if s.isdigit() else s for s in pattern]


def _maghreb(sounds: list[str]) -> str:
    """S between vowels is doubled, as French asks."""
    text = spell(sounds, MAGHREB)
    vowels = "AEIOU"
    return "".join(
        "SS"
        if c == "S" and 0 < at < len(text) - 1 and text[at - 1] in vowels and text[at + 1] in vowels
        else c
        for at, c in enumerate(text)
    )


def make(rng: Random) -> tuple[Written, ...]:
    """A given name (one in four: servant of ...), a father's name, a family name in -I."""
    given, father = noun(rng), noun(rng)
    family = [s for s in noun(rng) if s != "ah"] + ["iyy"]
    servant = rng.random() < 0.25
    article = rng.random() < 0.7
    out = []
    for way, letters in zip(WAYS, TABLES, strict=False):
        write = _maghreb if way == "Maghreb" else lambda s, by=letters: spell(s, by)
        name, last = write(given), write(family)
        out.append(_put(way, name, write(father), last, (servant, article), (given[0], family[0])))
    own = spell(given, NATIVE)
    native = Written(
        ("ال" if article else "") + spell(family, NATIVE),
        ("عبد ال" + own if servant else own) + " " + spell(father, NATIVE),
    )
    return (*out, native)


def _put(
    way: str, name: str, father: str, last: str, has: tuple[bool, bool], starts: tuple[str, str]
) -> Written:
    """Article and ABD as the convention writes them."""
    servant, article = has
    if way in ("BGN", "ALA", "DIN, no article"):
        gap = "-" if way == "ALA" else " "
        name = f"ABD AL{gap}{name}" if servant else name
        last = f"AL{gap}{last}" if article and way != "DIN, no article" else last
    elif way == "popular, joined":
        name = f"ABDUL {name}" if servant else name
        last = f"AL{last}" if article else last
    elif way == "Maghreb":
        sun_name, sun_last = starts[0] in SUN, starts[1] in SUN
        name = f"ABDE{name[0] if sun_name else 'L'}{name}" if servant else name
        last = f"{('E' + last[0]) if sun_last else 'EL '}{last}" if article else last
    else:
        name = f"ABDEL{name}" if servant else name
        last = f"EL{last}" if article else last
    return Written(last, f"{name} {father}")


ARABIC = Script("Arabic", WAYS, make)
