"""Machine-readable zones (ICAO Doc 9303 parts 4 to 7): TD1, TD2, TD3, MRV-A and MRV-B.

In: two or three lines. Out: ``Zone`` with its fields and the verdict on each check digit. Letters
that OCR confuses with digits are mended in the fields that hold digits only, and only where the
check digit then fits. Raises ReadError where the lines have no zone's shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.errors import ReadError

FILLER = "<"
WEIGHTS = (7, 3, 1)  # Doc 9303-3, 4.9
_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {FILLER: 0}
TO_DIGIT = str.maketrans("OQDILSBZG", "000115826")


@dataclass(frozen=True)
class Check:
    """A check digit as printed and as computed."""

    field: str
    printed: str
    computed: str
    empty: bool = False  # the field is all filler: its check digit may be filler too

    @property
    def fits(self) -> bool:
        return self.printed == self.computed or (self.empty and self.printed == FILLER)


@dataclass(frozen=True)
class Zone:
    form: str  # TD1, TD2, TD3, MRV-A, MRV-B
    document_code: str
    issuer: str
    document_number: str
    birth: str  # YYMMDD, unknown parts as <
    sex: str  # M, F, X or ""
    expiry: str
    nationality: str
    surname: str
    given_names: str
    optional: str
    optional_2: str
    name_cut: bool  # the name field is full: it may have been cut
    checks: tuple[Check, ...]
    mended: int  # characters that were read as digits

    @property
    def all_fit(self) -> bool:
        return all(check.fits for check in self.checks)


def check_digit(text: str) -> str:
    """Doc 9303-3, 4.9: weights 7, 3, 1, modulo 10. Raises ReadError on other characters."""
    try:
        return str(sum(_VALUES[c] * WEIGHTS[i % 3] for i, c in enumerate(text)) % 10)
    except KeyError:
        raise ReadError("a machine-readable zone holds A to Z, 0 to 9 and < only") from None


def parse_zone(lines: list[str]) -> Zone:
    """Lines of one zone; blanks and case are mended, lengths are not."""
    clean = [line.strip().replace(" ", "").upper() for line in lines if line.strip()]
    shape = tuple(len(line) for line in clean)
    if shape == (30, 30, 30):
        return _td1(clean)
    visa = bool(clean) and clean[0].startswith("V")
    if shape == (44, 44):
        return _two_lines(clean, "MRV-A" if visa else "TD3")
    if shape == (36, 36):
        return _two_lines(clean, "MRV-B" if visa else "TD2")
    raise ReadError(
        "expected three lines of 30 (TD1), two of 36 (TD2, MRV-B) or two of 44 (TD3, MRV-A); "
        f"found {len(clean)} lines of {', '.join(map(str, shape)) or 'nothing'}"
    )


def _check(name: str, text: str, printed: str) -> Check:
    return Check(name, printed, check_digit(text), empty=not text.strip(FILLER))


def _digits(name: str, text: str, printed: str) -> tuple[str, Check, int]:
    """A field of digits with its check; OCR letters become digits where that makes it fit."""
    as_is = _check(name, text, printed)
    if as_is.fits:
        return text, as_is, 0
    mended, mended_check = text.translate(TO_DIGIT), printed.translate(TO_DIGIT)
    then = _check(name, mended, mended_check)
    if then.fits:
        changed = sum(a != b for a, b in zip(text + printed, mended + mended_check, strict=True))
        return mended, then, changed
    return text, as_is, 0


def _number(field: str, printed: str, optional: str) -> tuple[str, Check, str]:
    """A document number of nine places, or a longer one that goes on in the optional data."""
    if printed == FILLER and optional and optional[0] != FILLER:
        rest, _, after = optional.partition(FILLER)
        whole = field + rest[:-1]
        return whole, _check("document_number", whole, rest[-1:]), after
    return field, _check("document_number", field, printed), optional


def _names(field: str) -> tuple[str, str, bool]:
    surname, _, given = field.rstrip(FILLER).partition(FILLER * 2)
    clean = (" ".join(part.replace(FILLER, " ").split()) for part in (surname, given))
    return (*clean, not field.endswith(FILLER))  # type: ignore[return-value]


def _text(field: str) -> str:
    return field.replace(FILLER, " ").strip()


def _sex(letter: str) -> str:
    return letter if letter in "MFX" else ""


def _td1(lines: list[str]) -> Zone:
    one, two, three = lines
    number, number_check, optional = _number(one[5:14], one[14], one[15:30])
    birth, birth_check, mended = _digits("birth", two[0:6], two[6])
    expiry, expiry_check, more = _digits("expiry", two[8:14], two[14])
    dates = birth + birth_check.printed + expiry + expiry_check.printed
    composite = one[5:30] + dates + two[18:29]
    surname, given, cut = _names(three)
    return Zone(
        "TD1", _text(one[0:2]), _text(one[2:5]), _text(number).replace(" ", ""), birth,
        _sex(two[7]), expiry, _text(two[15:18]), surname, given, _text(optional),
        _text(two[18:29]), cut,
        (number_check, birth_check, expiry_check, _check("composite", composite, two[29])),
        mended + more,
    )  # fmt: skip


def _two_lines(lines: list[str], form: str) -> Zone:
    one, two = lines
    surname, given, cut = _names(one[5:])
    birth, birth_check, mended = _digits("birth", two[13:19], two[19])
    expiry, expiry_check, more = _digits("expiry", two[21:27], two[27])
    optional = two[28:]
    number = two[0:9]
    checks: tuple[Check, ...] = (_check("document_number", number, two[9]),)
    dates = (birth_check, expiry_check)
    head = two[0:10] + birth + birth_check.printed + expiry + expiry_check.printed
    if form == "TD3":
        personal = two[28:42]
        optional = personal
        checks = (*checks, *dates, _check("optional", personal, two[42]),
                  _check("composite", head + two[28:43], two[43]))  # fmt: skip
    elif form == "TD2":
        number, number_check, optional = _number(two[0:9], two[9], two[28:35])
        checks = (number_check, *dates, _check("composite", head + two[28:35], two[35]))
    else:
        checks = (*checks, *dates)
    return Zone(
        form, _text(one[0:2]), _text(one[2:5]), _text(number).replace(" ", ""), birth,
        _sex(two[20]), expiry, _text(two[10:13]), surname, given, _text(optional), "", cut,
        checks, mended + more,
    )  # fmt: skip


def birth_of(zone: Zone, year: int) -> str | None:
    """YYYY-MM-DD with unknown parts as zeros; the century that is not after ``year``."""
    parts = [zone.birth[i : i + 2] for i in (0, 2, 4)]
    if not parts[0].isdigit():
        return None
    short = int(parts[0])
    century = 2000 if 2000 + short <= year else 1900
    month, day = (int(p) if p.isdigit() else 0 for p in parts[1:])
    return f"{century + short:04d}-{month:02d}-{day:02d}"
