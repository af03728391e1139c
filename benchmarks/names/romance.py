"""Spanish and Portuguese: two surnames, one dropped, joined, turned; accents and old spelling."""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, respell, rules

STARTS = "b c d f g l m n p r s t v ch gu qu br tr fr ll h"
S_ENDINGS = "ez ero ón ado illo ano eña ejo uela ares ín iz"
S_GIVEN = "o a io ia el ino ela án és"
UNMARKED = str.maketrans("áéíóúñãõçâêôà", "aeiouñãõçaeoa")
PLAIN = str.maketrans("áéíóúñãõçâêôà", "aeiounaocaeoa")


def _word(rng: Random, endings: str) -> str:
    size = rng.choice((1, 1, 2))
    return "".join(pick(rng, STARTS) + rng.choice("aeiou") for _ in range(size)) + (
        pick(rng, "l m n r s t d v z c rr") + pick(rng, endings)
    )


def make_spanish(rng: Random) -> tuple[Written, ...]:
    father, mother = _word(rng, S_ENDINGS), _word(rng, S_ENDINGS)
    first, second = _word(rng, S_GIVEN), _word(rng, S_GIVEN)
    f, m = father.translate(PLAIN), mother.translate(PLAIN)
    a, b = first.translate(PLAIN), second.translate(PLAIN)
    return (
        Written(f"{father} {mother}", f"{first} {second}"),
        Written(f, f"{a} {b}"),
        Written(f"{f}-{m}", a),
        Written(f"{f} Y {m}", f"{a} {b}"),
        Written(f"{f} DE {m}", a),
        Written(m, f"{a} {b} {f}"),
        Written(f + m, a),
        Written(f.replace("ll", "y"), f"{a} {b}"),
    )


SPANISH = Script(
    "Spanish",
    ("two surnames", "first only", "hyphen", "Y", "DE", "as English reads it", "joined", "LL as Y"),
    make_spanish,
)
P_ENDINGS = "eira eiro ães ão inho ado ves res osa ça nho lho"
OLD_PORTUGUESE = rules("sa=za fa=pha to=tho ta=tha i=y l=ll")


def make_portuguese(rng: Random) -> tuple[Written, ...]:
    """Mother's name before the father's; the particle may be written apart, joined or not."""
    mother, father = _word(rng, P_ENDINGS), _word(rng, P_ENDINGS)
    first, second = _word(rng, S_GIVEN), _word(rng, S_GIVEN)
    m, f = mother.translate(PLAIN), father.translate(PLAIN)
    a, b = first.translate(PLAIN), second.translate(PLAIN)
    particle = "dos" if f.endswith("s") else rng.choice(("da", "de", "do"))
    return (
        Written(f"{mother} {particle} {father}", f"{first} {second}"),
        Written(f"{m} {f}", f"{a} {b}"),
        Written(f"{particle} {f}", f"{a} {b} {m}"),
        Written(particle + f, a),
        Written(f, a),
        Written(respell(f, OLD_PORTUGUESE), respell(a, OLD_PORTUGUESE)),
    )


PORTUGUESE = Script(
    "Portuguese",
    ("full", "no particle", "last only", "particle joined", "shortest", "old spelling"),
    make_portuguese,
)
