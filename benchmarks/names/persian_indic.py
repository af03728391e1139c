"""Persian and Dari, and the languages of South Asia: standards beside popular spelling.

Tables: BGN/PCGN for Persian (1958) and Dari; Hunterian without marks beside what people write: EE
and OO for long vowels, W for V, S for SH, TH for T in the south, X for KSH, the last A dropped.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, spell, table

P_CONSONANTS = "b p t s j ch hh kh d z r zh sh ss tt zz gh f q k g l m n v h y".split()
P_VOWELS = "a e o aa ii uu".split()
P_ENDINGS = ("z aa d e", "p uu r", "ii", "aa n ii", "n e zh aa d", "y aa n", "d uu st", "v aa n d")
PERSIAN_NATIVE = table(
    "b=ب p=پ t=ت s=س j=ج ch=چ hh=ح kh=خ d=د z=ز r=ر zh=ژ sh=ش ss=ص tt=ط zz=ظ gh=غ f=ف q=ق "
    "k=ک g=گ l=ل m=م n=ن v=و h=ه y=ی a= e= o= aa=ا ii=ی uu=و st=ست E=ه"
)
P_BARE = "hh=H ss=S tt=T zz=Z aa=A ii=I uu=U "
PERSIAN_TABLES = (
    table(P_BARE),
    table("hh=H ss=S tt=T zz=Z aa=A ii=EE uu=OO q=GH zh=J"),
    table(P_BARE.replace("uu=U", "uu=OU") + "ch=TCH j=DJ sh=CH q=GH v=V"),
    table(P_BARE + "v=W e=I o=U"),
)
PERSIAN_WAYS = ("BGN", "popular", "French", "Dari", "native")


def _stem(rng: Random, syllables: int) -> list[str]:
    sounds: list[str] = []
    for _ in range(syllables):
        sounds += [rng.choice(P_CONSONANTS), rng.choice(P_VOWELS)]
    return [*sounds, rng.choice(P_CONSONANTS)]


def make_persian(rng: Random) -> tuple[Written, ...]:
    """A given name and a family name with one of the usual endings."""
    given = _stem(rng, rng.choice((1, 2, 2)))
    family = _stem(rng, rng.choice((1, 2))) + rng.choice(P_ENDINGS).split()
    out = [Written(spell(family, t), spell(given, t)) for t in PERSIAN_TABLES]
    native = Written(spell(family, PERSIAN_NATIVE), spell(given, PERSIAN_NATIVE))
    return (*out, native)


S_CONSONANTS = "k kh g gh ch j t th d dh n p ph b bh m y r l v sh s h ksh".split()
S_VOWELS = "a a a aa aa i ii u uu e o ai au".split()
S_NATIVE = table(
    "k=क kh=ख g=ग gh=घ ch=च j=ज t=त th=थ d=द dh=ध n=न p=प ph=फ b=ब bh=भ m=म y=य r=र l=ल v=व "
    "sh=श s=स h=ह ksh=क्ष a= aa=ा i=ि ii=ी u=ु uu=ू e=े o=ो ai=ै au=ौ nasal=ं"
)
HUNTERIAN = table("aa=A ii=I uu=U nasal=N")
INDIC_TABLES = (
    HUNTERIAN,
    table("aa=A ii=EE uu=OO v=W ai=EI au=OW ksh=X nasal=N"),
    table("aa=AA ii=I uu=U sh=S ph=F ai=AI au=OU nasal=N"),
    table("aa=A ii=I uu=U t=TH ai=AI nasal=N v=V"),
)
INDIC_WAYS = ("Hunterian", "popular north", "popular east", "south", "native")


def _indic(rng: Random, syllables: int) -> list[str]:
    sounds: list[str] = []
    for _ in range(syllables):
        sounds += [rng.choice(S_CONSONANTS), rng.choice(S_VOWELS)]
        if rng.random() < 0.15:
            sounds.append("nasal")
    if sounds[-1] == "nasal":
        sounds.pop()
    return sounds


def make_indic(rng: Random) -> tuple[Written, ...]:
    """Two names; a last short A is written in the south and not in the north."""
    given, family = _indic(rng, rng.choice((2, 3))), _indic(rng, rng.choice((2, 3, 3)))
    out = []
    for way, letters in zip(INDIC_WAYS, INDIC_TABLES, strict=False):
        words = []
        for sounds in (family, given):
            kept = sounds[:-1] if sounds[-1] == "a" and way != "south" else sounds
            text = spell(kept, letters)
            if way == "popular north" and text.endswith("EE"):
                text = text[:-2] + pick(rng, "I Y IE")
            words.append(text)
        out.append(Written(*words))
    native = Written(spell(family, S_NATIVE), spell(given, S_NATIVE))
    return (*out, native)


PERSIAN = Script("Persian and Dari", PERSIAN_WAYS, make_persian)
SOUTH_ASIAN = Script("South Asian", INDIC_WAYS, make_indic)
