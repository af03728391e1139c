"""Cyrillic: passports' tables beside the scholars', English, French and German custom.

Native (ICAO 9303 by ``to_mrz``), the Russian rules of 1997, BGN/PCGN, ISO 9 without marks,
scholarly without marks, French, German; Ukraine's table of 2010, Bulgaria's of 2009.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, respell, rules

COMMON = "а=A б=B в=V г=G д=D з=Z и=I к=K л=L м=M н=N о=O п=P р=R с=S т=T у=U ф=F "
PASSPORT_1997 = rules(
    COMMON + "е=E ё=E ж=ZH й=Y х=KH ц=TS ч=CH ш=SH щ=SHCH ъ= ы=Y ь= э=E ю=YU я=YA"
)
BGN = rules("ий=IY ый=YY " + COMMON
    + "е=E ё=YE ж=ZH й=Y х=KH ц=TS ч=CH ш=SH щ=SHCH ъ= ы=Y ь= э=E ю=YU я=YA")  # fmt: skip
ENGLISH = rules("ий=Y ый=Y ия=IA " + COMMON
    + "е=E ё=YO ж=ZH й=Y х=KH ц=TS ч=CH ш=SH щ=SHCH ъ= ы=Y ь= э=E ю=YU я=YA")  # fmt: skip
ISO_9 = rules(COMMON + "е=E ё=E ж=Z й=J х=H ц=C ч=C ш=S щ=S ъ= ы=Y ь= э=E ю=U я=A")
SCHOLARLY = rules(COMMON + "е=E ё=E ж=Z й=J х=CH ц=C ч=C ш=S щ=SC ъ= ы=Y ь= э=E ю=JU я=JA")
FRENCH = rules("кс=X " + COMMON.replace("у=U", "у=OU")
    + "е=E ё=IO ж=J й=I х=KH ц=TS ч=TCH ш=CH щ=CHTCH ъ= ы=Y ь= э=E ю=IOU я=IA")  # fmt: skip
GERMAN = rules("ий=IJ кс=X " + COMMON.replace("в=V", "в=W").replace("з=Z", "з=S")
    + "е=E ё=JO ж=SCH й=I х=CH ц=Z ч=TSCH ш=SCH щ=SCHTSCH ъ= ы=Y ь= э=E ю=JU я=JA")  # fmt: skip
RUSSIAN_WAYS = ("native (ICAO)", "passport 1997", "BGN", "English", "ISO 9", "scholarly",
                "French", "German")  # fmt: skip
VOWELS = "аеиоуэюя"


def _stem(rng: Random, consonants: str, vowels: str, syllables: int) -> str:
    text = "" if rng.random() < 0.8 else rng.choice(vowels)
    for _ in range(syllables):
        text += rng.choice(consonants) + rng.choice(vowels)
    return text + rng.choice(consonants)


def _bgn(text: str) -> str:
    """E is YE at the start and after vowels and signs."""
    out = []
    for at, c in enumerate(text):
        first = at == 0 or text[at - 1] in VOWELS + "йъь"
        out.append("YE" if c == "е" and first else c)
    return respell("".join(out), BGN)


def make_russian(rng: Random) -> tuple[Written, ...]:
    """A given name, a patronymic, a family name."""
    letters = "бвгджзйклмнпрстфхцчшщ".replace("й", "")
    family = _stem(rng, letters, VOWELS, rng.choice((1, 1, 2)))
    family += rng.choice("ов ев ин ский енко ук ян ова ина ская ых".split())
    given = _stem(rng, letters, VOWELS, rng.choice((1, 1, 2))) + rng.choice("ий ия а ей".split())
    out = [Written(family.upper(), given.upper()),
           Written(respell(family, PASSPORT_1997), respell(given, PASSPORT_1997)),
           Written(_bgn(family), _bgn(given))]  # fmt: skip
    for table in (ENGLISH, ISO_9, SCHOLARLY, FRENCH, GERMAN):
        out.append(Written(respell(family, table), respell(given, table)))
    if family.endswith("в"):  # French and English custom: -OFF
        out[-2] = Written(out[-2].surname[:-1] + "FF", out[-2].given_names)
    return tuple(out)


U_COMMON = "а=A б=B в=V д=D е=E з=Z к=K л=L м=M н=N о=O п=P р=R с=S т=T у=U ф=F "
UKRAINE_2010 = rules(
    "зг=ZGH "
    + U_COMMON
    + "г=H ґ=G є=IE ж=ZH и=Y і=I ї=I й=I х=KH ц=TS ч=CH ш=SH щ=SHCH ь= ю=IU я=IA"
)
UKRAINE_BGN = rules(
    U_COMMON + "г=H ґ=G є=YE ж=ZH и=Y і=I ї=YI й=Y х=KH ц=TS ч=CH ш=SH щ=SHCH ь= ю=YU я=YA"
)
VIA_RUSSIAN = rules(
    U_COMMON + "г=G ґ=G є=E ж=ZH и=I і=I ї=I й=Y х=KH ц=TS ч=CH ш=SH щ=SHCH ь= ю=YU я=YA"
)
UKRAINE_SCHOLARLY = rules(
    U_COMMON + "г=H ґ=G є=JE ж=Z и=Y і=I ї=JI й=J х=CH ц=C ч=C ш=S щ=SC ь= ю=JU я=JA"
)
UKRAINIAN_WAYS = ("native (ICAO)", "national 2010", "BGN", "through Russian", "scholarly")


def make_ukrainian(rng: Random) -> tuple[Written, ...]:
    letters = "бвгджзклмнпрстфхцчшщ"
    vowels = "аеиіоуюяїє"
    family = _stem(rng, letters, vowels, rng.choice((1, 1, 2)))
    family += rng.choice("енко ук ський чук ів ко ська".split())
    given = _stem(rng, letters, vowels, rng.choice((1, 1, 2))) + rng.choice("ій ія а".split())
    out = [Written(family.upper(), given.upper())]
    for table in (UKRAINE_2010, UKRAINE_BGN, VIA_RUSSIAN, UKRAINE_SCHOLARLY):
        out.append(Written(respell(family, table), respell(given, table)))
    return tuple(out)


B_COMMON = COMMON + "е=E "
BULGARIA_2009 = rules(B_COMMON + "ж=ZH й=Y х=H ц=TS ч=CH ш=SH щ=SHT ъ=A ь=Y ю=YU я=YA")
BULGARIA_FRENCH = rules(
    B_COMMON.replace("у=U", "у=OU") + "ж=J й=I х=KH ц=TZ ч=TCH ш=CH щ=CHT ъ=A ь=I ю=IOU я=IA"
)
BULGARIA_SCHOLARLY = rules(B_COMMON + "ж=Z й=J х=H ц=C ч=C ш=S щ=ST ъ=A ь= ю=JU я=JA")
BULGARIAN_WAYS = ("native (ICAO)", "national 2009", "French", "scholarly")


def make_bulgarian(rng: Random) -> tuple[Written, ...]:
    letters = "бвгджзклмнпрстфхцчшщ"
    family = _stem(rng, letters, "аеиоуъюя", rng.choice((1, 1, 2)))
    family += rng.choice("ов ев ова ева ски ска".split())
    given = _stem(rng, letters, "аеиоуъюя", rng.choice((1, 1, 2))) + rng.choice(("", "а", "о"))
    out = [Written(family.upper(), given.upper())]
    for table in (BULGARIA_2009, BULGARIA_FRENCH, BULGARIA_SCHOLARLY):
        out.append(Written(respell(family, table), respell(given, table)))
    return tuple(out)


RUSSIAN = Script("Russian", RUSSIAN_WAYS, make_russian)
UKRAINIAN = Script("Ukrainian", UKRAINIAN_WAYS, make_ukrainian)
BULGARIAN = Script("Bulgarian", BULGARIAN_WAYS, make_bulgarian)
