"""Polish, Czech, Hungarian, Romanian, South Slavic, and Turkish: marks kept, dropped, respelt.

Respelt: as an English or German speaker writes the sound (SH or SCH for the hissing S, CH or TSCH).
"""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, respell, rules

LANGUAGES = (
    (
        "b c cz d g j k l ł m n p r rz s sz ś t w z ż",
        "a e i o ó u y ą ę",
        "ski cki czyk ak ek owicz ń",
    ),
    ("b c č d h j k l m n p r ř s š t v z ž", "a á e ě i í o u ů y", "ek ák ský ová ka ček ný"),
    ("b cs d f g gy h k l m n ny p r s sz t v z zs", "a á e é i o ö ő u ü", "s y i ányi kó i"),
    ("b c d f g l m n p r s ș t ț v z", "a ă â e i î o u", "escu eanu an aru oiu ea"),
    ("b c č ć d đ g h j k l lj m n nj p r s š t v z ž", "a e i o u", "ić ović ević ac ar"),
)
MARKS = (
    "ł=L ś=S ż=Z ń=N ó=O ą=A ę=E á=A č=C ě=E í=I ř=R š=S ů=U ý=Y ž=Z é=E ö=O ő=O ü=U ă=A â=A î=I "
    "ș=S ț=T ć=C đ=D "
)
DROPPED = rules(MARKS)
RESPELT = rules(MARKS + "š=SH č=CH ć=CH ž=ZH ș=SH ț=TS đ=DJ cz=CH sz=S w=V cs=CH zs=ZH")
GERMANISED = rules(
    MARKS + "š=SCH č=TSCH ć=TSCH ž=SCH ș=SCH ț=TZ đ=DJ ö=OE ő=OE ü=UE cz=TSCH sz=S cs=TSCH zs=SCH"
)


def make_central(rng: Random) -> tuple[Written, ...]:
    """One language for each traveller; a woman's -OVA may be left off."""
    starts, vowels, ends = rng.choice(LANGUAGES)
    family, given = ("".join(pick(rng, starts) + pick(rng, vowels)
                             for _ in range(rng.choice((1, 2)))) for _ in range(2))  # fmt: skip
    family += pick(rng, starts) + pick(rng, ends) if ends[0] != "s" else pick(rng, ends)
    given += pick(rng, starts) + rng.choice(("", "a", "o", "an"))
    out = [Written(family, given)]
    for each in (DROPPED, RESPELT, GERMANISED):
        out.append(Written(respell(family, each), respell(given, each)))
    short = family.removesuffix("ová")
    return (*out, Written(respell(short, DROPPED), respell(given, DROPPED)))


CENTRAL = Script(
    "Central European",
    ("native", "marks dropped", "English sounds", "German sounds", "without -OVA"),
    make_central,
)
T_STARTS = "b c ç d f g h k l m n p r s ş t v y z"
T_VOWELS = ("a ı o u", "e i ö ü")
T_ENDS = ("oğlu lı can ğan r n k ş maz", "oğlu li gül ğin r n k ş mez")
T_DROPPED = rules("ç=C ş=S ğ=G ı=I ö=O ü=U")
T_EXPANDED = rules("ç=C ş=S ğ=G ı=I ö=OE ü=UE")
T_ENGLISH = rules("ç=CH ş=SH ğ= ı=I ö=O ü=U c=J")
T_GERMAN = rules("ç=TSCH ş=SCH ğ=G ı=I ö=OE ü=UE c=DSCH y=J")
T_ARABIC = rules("ç=CH ş=SH ğ=GH ı=I ö=O ü=U c=DJ v=W")


def _turkish(rng: Random) -> str:
    harmony = rng.randrange(2)
    text = "".join(
        pick(rng, T_STARTS) + pick(rng, T_VOWELS[harmony]) for _ in range(rng.choice((1, 2)))
    )
    return text + pick(rng, T_ENDS[harmony])


def make_turkish(rng: Random) -> tuple[Written, ...]:
    family, given = _turkish(rng), _turkish(rng)
    return (
        Written(family, given),
        *(Written(respell(family, t), respell(given, t))
          for t in (T_DROPPED, T_EXPANDED, T_ENGLISH, T_GERMAN, T_ARABIC)),
    )  # fmt: skip


TURKISH = Script(
    "Turkish",
    ("native", "marks dropped", "expanded", "English sounds", "German sounds", "Caucasus, Levant"),
    make_turkish,
)
