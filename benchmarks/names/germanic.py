"""Dutch, German and Nordic: particles apart, joined, left out; letters with marks in two ways."""

from __future__ import annotations

from random import Random

from benchmarks.names.spelling import Script, Written, pick, respell, rules

D_STARTS = "b br d dr g h k kl l m n r s schr sl v w z"
D_VOWELS = "a aa e ee i ij o oe oo ui u eu ei"
D_ENDS = "k s ks kker m n nd rs ters t lt sma stra huis berg dam veld"
TUSSEN = "van de van der van den van te ten"


def _word(rng: Random, starts: str, vowels: str, ends: str) -> str:
    text = "".join(pick(rng, starts) + pick(rng, vowels) for _ in range(rng.choice((1, 1, 2))))
    return text + pick(rng, ends)


def make_dutch(rng: Random) -> tuple[Written, ...]:
    base = _word(rng, D_STARTS, D_VOWELS, D_ENDS)
    given = _word(rng, D_STARTS, D_VOWELS, "n s rt l ke je us a")
    particle = rng.choice(("van de", "van der", "van den", "van", "de", "ten"))
    head, _, tail = particle.partition(" ")
    y = rules("ij=y")
    return tuple(
        Written(s.upper(), g.upper())
        for s, g in (
            (f"{particle} {base}", given),
            (particle.replace(" ", "") + base, given),
            (f"{head} {tail}{base}" if tail else f"{head}{base}", given),
            (base, given),
            (base, f"{given} {particle}"),
            (respell(f"{particle} {base}", y), respell(given, y)),
        )
    )


DUTCH = Script(
    "Dutch",
    ("particle apart", "joined", "half joined", "left out", "after the given name", "IJ as Y"),
    make_dutch,
)
G_STARTS = "b br d f fl g gr h k kl kr l m n pf r sch schm schw st str t w z th"
G_VOWELS = "a e i o u ä ö ü ei au eu ie äu"
G_ENDS = "mann er ke l nn rt tz ß sch ch ner ler bach berg stein ss"
NO_UMLAUT = rules("ä=A ö=O ü=U ß=SS")
EXPANDED = rules("ä=AE ö=OE ü=UE ß=SS")
OLD_GERMAN = rules("ä=AE ö=OE ü=UE ß=SZ k=CK t=TH f=PH i=Y")


def make_german(rng: Random) -> tuple[Written, ...]:
    base, wed = (_word(rng, G_STARTS, G_VOWELS, G_ENDS) for _ in range(2))
    given = _word(rng, G_STARTS, G_VOWELS, "a e us rt n nz ke ch s")
    noble = rng.random() < 0.2
    von = "von " if noble else ""
    return (
        Written(von + base, given),
        Written(respell(von + base, NO_UMLAUT), respell(given, NO_UMLAUT)),
        Written(respell(base, EXPANDED), respell(given, EXPANDED)),
        Written(respell(f"{base}-{wed}", EXPANDED), respell(given, EXPANDED)),
        Written(respell(base, rules("ä=A ö=O ü=U ß=S sch=SH w=V")),
                respell(given, rules("ä=A ö=O ü=U ß=S sch=SH w=V"))),
        Written(respell(base, rules("ä=AE ö=OE ü=UE ß=SZ")),
                respell(given, rules("ä=AE ö=OE ü=UE ß=SS f=PH"))),
    )  # fmt: skip


GERMAN = Script(
    "German",
    ("native", "marks dropped", "expanded", "double surname", "English sounds", "old"),
    make_german,
)
N_STARTS = "b bj d f fj g h hj j k kj kn l m n r s sk sj st str t v þ"
N_VOWELS = "a e i o u y ä ö å ø æ ei au"
N_ENDS = "sson sen dottir lund strøm ström berg qvist nen la gård ðr vik"
DROP = rules("ä=A ö=O å=A ø=O æ=A þ=TH ð=D")
EXPAND = rules("ä=AE ö=OE å=AA ø=OE æ=AE þ=TH ð=D")
RESPELT = rules("ä=E ö=O å=O ø=O æ=E þ=T ð=D sson=SON qv=KV ei=EJ")


def make_nordic(rng: Random) -> tuple[Written, ...]:
    base = _word(rng, N_STARTS, N_VOWELS, N_ENDS)
    given = _word(rng, N_STARTS, N_VOWELS, "r n a e ik us ar ulf rid")
    return (
        Written(base, given),
        *(Written(respell(base, t), respell(given, t)) for t in (DROP, EXPAND, RESPELT)),
    )


NORDIC = Script("Nordic", ("native", "marks dropped", "expanded", "respelt"), make_nordic)
