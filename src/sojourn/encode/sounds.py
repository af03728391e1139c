"""A traveller's names as tokens, and each token's sound: the plain definition.

In: names in A-Z and blanks (``names.to_mrz``). Out: tokens told apart; a skeleton of six letters
at most for each. Two spellings of one name should give one skeleton. ``tokens`` is the compiled
twin. Every rule follows a romanisation table or an orthography and asks for nobody's nationality;
what each is worth by script: docs/reference/names.md (``python -m benchmarks.names``).
"""

from __future__ import annotations

SKELETON_LETTERS = 6
VOWELS = "AEIOU"
SILENT = "AEIOUH"  # dropped but for the first letter
WEAK = "AEIOUHWY"  # says too little to stand for a name

# Dropped where the field holds another token: articles, prepositions, and ABD (servant of ...;
# EBD by ICAO's Arabic table), which one document writes apart, another joins or leaves out.
PARTICLES = frozenset(
    "AL EL DE DA DO DI DU LA LE VAN VON DER DEN TEN BIN IBN DOS DAS DEL LOS LAS TER ZUM ZUR VANDER "
    "VANDEN VANDE DELA ABD EBD ABDEL ABDUL ABDAL ABDOL ABDUR ABDER".split()
)
# Particles that are written as one with the name. Longest first.
JOINED = ("VANDER", "VANDEN", "VANDE", "DELOS", "VAN", "VON", "DEL", "DOS")
SUN = "DNRSTZ"  # Arabic's article takes the sound of these: EL + RACHIDI is ERRACHIDI
BARE_LETTERS = 4  # what remains of a token without its article

# At the start of a token only. DZH: Russian for J. MP NT GK: how Greek writes B D G there.
STARTS = (("DZH", "I"), ("MP", "B"), ("NT", "D"), ("GK", "G"))
# Unaspirated stops are B D G to some romanisations and P T K to others (Wade-Giles, Korean,
# Cantonese): one letter at the start. A first vowel varies most (AHMED EHMED, ELENA YELENA).
FIRST = str.maketrans("EIOUBDG", "AAAAPTK")
# The first that fits, longest first. CH SH ZH TS and their German, French, Polish, Hungarian and
# Wade-Giles spellings are one sound class, S; Y and J are vowels, and DJ (J in French, Serbian and
# old Indonesian) with them; X and KS are S.
FOLDS = (
    # ICAO 9303's Arabic table writes X before letters that Latin lacks.
    ("XDZ", "D"), ("XJ", "S"), ("XC", "S"), ("XAA", "A"), ("XAE", "A"),
    ("TSCH", "S"), ("DSCH", "S"), ("TCH", "S"), ("SCH", "S"), ("CH", "S"), ("SH", "S"),
    ("CZ", "S"), ("CS", "S"), ("KS", "S"), ("TS", "S"), ("TZ", "S"), ("HS", "S"),
    ("KH", "H"), ("PH", "F"), ("CK", "K"), ("GN", "N"), ("DJ", "I"),
    ("AE", "A"), ("OE", "O"), ("UE", "U"), ("OU", "U"), ("EE", "I"), ("EI", "I"), ("IE", "I"),
    ("J", "I"), ("Y", "I"), ("W", "V"), ("C", "K"), ("Q", "K"), ("X", "S"), ("Z", "S"),
)  # fmt: skip


def tokens_of(surname: str, given_names: str) -> tuple[str, ...]:
    """All name tokens, surnames and given names taken in turn so that a swap changes nothing.

    Single letters are dropped where other tokens remain, particles where their own field has
    another token (LE alone is a surname); joined articles are cut off; repeats are dropped.
    """
    first, second = surname.split(), given_names.split()
    turns = [
        (fields[i], len(fields) == 1)
        for i in range(max(len(first), len(second)))
        for fields in (first, second)
        if i < len(fields)
    ]
    telling = [t for t, alone in turns if len(t) > 1 and (alone or t not in PARTICLES)]
    return tuple(dict.fromkeys(t[article(t) :] for t in telling or [t for t, _ in turns]))


def article(token: str) -> int:
    """How many of a token's first letters are a joined article or particle.

    ALKARIMI, ELKARIMI, ABDULKARIM, VANDERBERG, DELOSREYES; ERRACHIDI (French spelling of the
    Maghreb). None where fewer than four letters or two consonants would remain: ELDAR, ALI.
    Before a vowel AL is cut off long names, and not before E and I: ALOTAIBI, but ALEXEEV.
    """
    size = _article(token)
    rest = token[size:]
    strong = [c for c in rest if c not in WEAK]
    return size if len(rest) >= BARE_LETTERS and len(set(strong)) > 1 else 0


def _article(token: str) -> int:
    start = token[:3]
    if start in ("ABD", "EBD"):
        return _servant(token)
    if start[:2] in ("AL", "EL"):
        if start[2:] in VOWELS:
            return 2 if start in ("ALA", "ALO", "ALU") and len(token) >= 7 else 0
        return 0 if start[2:] == "L" else 2  # ALLISON is ALISON
    if start[:1] == "E" and start[1:2] == start[2:] and start[1:2] in SUN:
        return 2
    for particle in JOINED:
        if token.startswith(particle):
            return len(particle) if token[len(particle) :][:1] not in VOWELS else 0
    return 0


def _servant(token: str) -> int:
    """ABD, vowels, and L or the first letter of a doubled sun letter: ABDERRAHMAN."""
    at = 3
    while at < len(token) and token[at] in VOWELS:
        at += 1
    here, after = token[at : at + 1], token[at + 1 : at + 2]
    if here == "L" or (at > 3 and here and here == after and here in SUN):
        return at + 1
    return 0


def skeleton_of(token: str) -> str:
    """The sound of a name token, six letters at most: KHALED and HALID give HLD."""
    folded: list[str] = []
    at = 0
    while at < len(token):
        sound, taken = sound_at(token, at)
        folded.append(sound)
        at += taken
    heard = "".join(folded)
    kept = [c for i, c in enumerate(heard) if i == 0 or c not in SILENT]
    told = "".join(c for i, c in enumerate(kept) if i == 0 or c != kept[i - 1])
    return told[:1].translate(FIRST) + told[1:SKELETON_LETTERS]


def sound_at(token: str, at: int) -> tuple[str, int]:
    """The sound at a place ("" for none) and how many letters it takes."""
    letter, after = token[at], token[at + 1 : at + 2]
    if at == 0:
        for pattern, sound in STARTS:
            if token.startswith(pattern):
                return sound, len(pattern)
        if token[:2] == "OU" and token[2:3] and token[2] in VOWELS:
            return "V", 2  # French writes W so: OUALID
    elif letter in "VW" and (not after or after not in VOWELS + "Y"):
        # Where no vowel is beside it, it is one itself (unwritten vowels: YVSF is YUSUF); W before
        # a consonant is one in any case (CHOWDHURY, FAWZI), but not the W of CHERNOW.
        after_none = token[at - 1] not in VOWELS
        return ("U" if after_none or (letter == "W" and after) else "V"), 1
    if letter == "C" and after and after in "EIY":
        return "S", 1
    if token[at:] in ("XAH", "XAY"):
        return "A", 3  # ICAO's feminine ending and its alef maksura
    for pattern, sound in FOLDS:
        if token.startswith(pattern, at):
            if pattern == "X" and after and after not in VOWELS:
                return "", 1  # ICAO's mark of an Arabic letter: XKH is KH
            return sound, len(pattern)
    return letter, 1
