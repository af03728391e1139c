"""Vietnamese with and without marks and in either order; Indonesian old and new spelling.

Indonesia's spelling changed in 1947 (OE to U) and 1972 (DJ, TJ, SJ, J, NJ, CH to J, C, SY, Y, NY,
KH). Many have one name only: it is repeated, put in either field, or stands alone.
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, respell, rules

ONSETS = "b c ch d đ g h kh l m n ng nh ph qu r s t th tr v x"
RHYMES = (
    "ả á ân ấn ang ánh ặng ào ậu ăn ên ê iên iết inh ích iêu ô ông ồng ọc ơ ơn ợi ú uân ung ức "
    "ương ường ưu uyên uỳnh ý"
)
PLAIN = str.maketrans("ảáâấặàậăêếôồọơợúưứừýỳđạ", "aaaaaaaaeeooooouuuuyyda")


def _unmarked(text: str) -> str:
    return text.translate(PLAIN).upper()


def make_vietnamese(rng: Random) -> tuple[Written, ...]:
    """Family, middle and given name, a syllable each."""
    family, middle, given = (pick(rng, ONSETS) + pick(rng, RHYMES) for _ in range(3))
    f, m, g = map(_unmarked, (family, middle, given))
    return (
        Written(family.title(), f"{middle} {given}".title()),
        Written(f, f"{m} {g}"),
        Written(f"{f} {m}", g),
        Written(f"{m} {g}", f),
        Written(f, m + g),
        Written(f, g),
    )


VIETNAMESE = Script(
    "Vietnamese",
    ("with marks", "without", "middle with family", "turned round", "given joined",
     "middle left out"),
    make_vietnamese,
)  # fmt: skip

NEW_CONSONANTS = "b c d g h j k l m n p r s t w y sy kh ny"
OLD = rules("SY=SJ NY=NJ KH=CH C=TJ J=DJ Y=J U=OE")
MIDDLE_1947 = rules("SY=SJ NY=NJ KH=CH C=TJ J=DJ Y=J")
ENDINGS = "no to wan ti di ni rto nto ja yo wati ningsih man s r n"


def _word(rng: Random) -> str:
    text = "".join(
        pick(rng, NEW_CONSONANTS) + rng.choice("aiueo") for _ in range(rng.choice((1, 2, 2)))
    )
    return (text + pick(rng, ENDINGS)).upper()


def make_indonesian(rng: Random) -> tuple[Written, ...]:
    """One name (two in five) or two."""
    first = _word(rng)
    if rng.random() < 0.4:
        return (
            Written(first, ""), Written(first, first), Written("", first),
            Written(respell(first, OLD), ""), Written(respell(first, MIDDLE_1947), ""),
        )  # fmt: skip
    second = _word(rng)
    return (
        Written(second, first), Written(f"{first} {second}", ""), Written("", f"{first} {second}"),
        Written(respell(second, OLD), respell(first, OLD)),
        Written(respell(second, MIDDLE_1947), respell(first, MIDDLE_1947)),
    )  # fmt: skip


INDONESIAN = Script(
    "Indonesian",
    ("new spelling", "all in one field", "other field", "before 1947", "before 1972"),
    make_indonesian,
)
