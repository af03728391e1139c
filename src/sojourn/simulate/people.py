"""Invented travellers: names in the scripts and customs of many countries, and documents.

Name parts come from faker's public lists, drawn with a falling frequency, as real names are. A
traveller has a spelling in A-Z (as the document has it), one in the original script, and one
that another school of transliteration would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import numpy as np
import polars as pl
from anyascii import anyascii
from numpy.typing import NDArray

from sojourn.simulate.world import World


@dataclass(frozen=True)
class Custom:
    """A nationality's names: faker's locale, how parts are put together, share of travellers."""

    nationality: str
    locale: str
    share: float
    two_surnames: float = 0.0
    two_given: float = 0.3
    single_name: float = 0.0
    school: str = ""  # which other transliterations are about


CUSTOMS = (
    Custom("DEU", "de_DE", 6), Custom("AUT", "de_AT", 2), Custom("FRA", "fr_FR", 6, 0.03, 0.35),
    Custom("ESP", "es_ES", 5, 0.95, 0.4), Custom("MEX", "es_MX", 5, 0.95, 0.5),
    Custom("ARG", "es_AR", 2, 0.3, 0.5), Custom("PRT", "pt_PT", 3, 0.9, 0.4),
    Custom("BRA", "pt_BR", 5, 0.8, 0.4), Custom("ITA", "it_IT", 4, 0.03, 0.2),
    Custom("GBR", "en_GB", 7, 0.06, 0.5), Custom("IRL", "en_IE", 2, 0.02, 0.4),
    Custom("USA", "en_US", 6, 0.04, 0.7), Custom("NLD", "nl_NL", 3), Custom("HRV", "hr_HR", 2),
    Custom("SVK", "sk_SK", 2),
    Custom("CZE", "cs_CZ", 1.5), Custom("RUS", "ru_RU", 3, school="slavic"),
    Custom("UKR", "uk_UA", 3, school="slavic"), Custom("BGR", "bg_BG", 1, school="slavic"),
    Custom("GRC", "el_GR", 1.5, school="greek"), Custom("TUR", "tr_TR", 3, school="latin"),
    Custom("IRN", "fa_IR", 1.5, school="arabic"), Custom("EGY", "ar_AA", 2, 0.4, 0.5, 0, "arabic"),
    Custom("DZA", "ar_DZ", 1.5, 0.1, 0.3, 0, "arabic"),
    Custom("SAU", "ar_SA", 1, 0.3, 0.5, 0, "arabic"),
    Custom("IND", "en_IN", 6, 0.05, 0.3, 0.03, "indian"),
    Custom("PAK", "en_PK", 2, 0.1, 0.4, 0.05, "arabic"),
    Custom("BGD", "bn_BD", 1, 0.1, 0.3, 0.03, "indian"),
    Custom("CHN", "zh_CN", 7, school="chinese"), Custom("TWN", "zh_TW", 1.5, school="chinese"),
    Custom("JPN", "ja_JP", 3, school="japanese"), Custom("KOR", "ko_KR", 2.5, school="korean"),
    Custom("VNM", "vi_VN", 2, 0.0, 0.8, 0, "latin"), Custom("THA", "th_TH", 1.5),
    Custom("IDN", "id_ID", 1.5, 0.0, 0.3, 0.25), Custom("PHL", "es_CO", 3, 0.1, 0.5),
    Custom("NGA", "en_NG", 1.5, 0.05, 0.6), Custom("KEN", "en_KE", 1, 0.1, 0.5),
    Custom("SWE", "sv_SE", 1.5, school="latin"), Custom("NOR", "no_NO", 1, school="latin"),
    Custom("DNK", "da_DK", 1, school="latin"), Custom("FIN", "fi_FI", 1, school="latin"),
    Custom("HUN", "hu_HU", 1, school="latin"), Custom("ROU", "ro_RO", 1.5, school="latin"),
    Custom("GEO", "ka_GE", 0.5, school="slavic"), Custom("ISR", "he_IL", 1, school="arabic"),
)  # fmt: skip

# How another school writes the same sounds: pairs applied in order to the A-Z spelling.
SCHOOLS: dict[str, tuple[tuple[str, str], ...]] = {
    "slavic": (("SHCH", "SCH"), ("KH", "H"), ("ZH", "J"), ("YA", "IA"), ("YU", "IU"), ("IY", "Y")),
    "arabic": (("KH", "H"), ("OU", "U"), ("EE", "I"), ("SH", "CH"), ("J", "DJ"), ("W", "OU")),
    "indian": (("EE", "I"), ("OO", "U"), ("SH", "S"), ("V", "W"), ("AA", "A")),
    "chinese": (("ZH", "CH"), ("X", "HS"), ("Q", "CH"), ("D", "T"), ("B", "P"), ("Z", "TS")),
    "japanese": (("OU", "O"), ("UU", "U"), ("SHI", "SI"), ("TSU", "TU"), ("CHI", "TI")),
    "korean": (
        ("GIM", "KIM"),
        ("BAG", "PARK"),
        ("JEONG", "CHUNG"),
        ("CHOE", "CHOI"),
        ("YEONG", "YOUNG"),
        ("HYEON", "HYUN"),
        ("SEOG", "SUK"),
        ("EO", "U"),
    ),
    "greek": (("CH", "H"), ("TH", "T"), ("Y", "I"), ("OU", "U")),
    "latin": (("UE", "U"), ("OE", "O"), ("AE", "A"), ("AA", "A")),
}
FAMILY_SIZES = (0.74, 0.14, 0.07, 0.05)  # parties of 1, 2, 3 and 4
TWINS = 0.02  # of the second members of families


@dataclass(frozen=True)
class Pool:
    surnames: pl.Series
    male: pl.Series
    female: pl.Series


def _names(provider: object, *attributes: str) -> list[str]:
    for attribute in attributes:
        found = getattr(provider, attribute, None)
        if isinstance(found, property):
            continue
        if found:
            return list(dict.fromkeys(found))
    return []


def read_pool(locale: str, most: int) -> Pool:
    """A locale's name parts, in the script of faker's lists, the first ``most`` of each."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    male = _names(provider, "first_names_male", "first_names")
    female = _names(provider, "first_names_female", "first_names") or male
    surnames = _names(provider, "last_names", "last_names_male", "last_names_unisex")
    return Pool(*(pl.Series(part[:most]) for part in (surnames, male or female, female)))


def spell(names: pl.Series) -> pl.Series:
    """A-Z spellings: diaeresis and ring as documents write them, all else by anyascii."""
    expanded = {"Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Ø": "OE", "Æ": "AE", "ẞ": "SS"}
    table = {n: _spell(n, expanded) for n in names.unique().to_list()}
    return names.replace_strict(table, return_dtype=pl.String)


def _spell(name: str, expanded: dict[str, str]) -> str:
    upper = "".join(expanded.get(c, c) for c in name.upper())
    letters = anyascii(upper).upper().replace("'", "")
    kept = "".join(c if "A" <= c <= "Z" else " " for c in letters)
    return " ".join(kept.split()) or "X"


def respell(names: pl.Expr, school: str) -> pl.Expr:
    """The spelling of another school."""
    for old, new in SCHOOLS.get(school, ()):
        names = names.str.replace_all(old, new, literal=True)
    return names


def build_people(count: int, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """One row a traveller: party, names in three spellings, sex, birth date parts, documents."""
    heads = count  # more than enough; the surplus is cut
    size = rng.choice(np.arange(1, 5), heads, p=FAMILY_SIZES)
    party = np.repeat(np.arange(heads), size)[:count]
    first = np.r_[True, party[1:] != party[:-1]]
    weights = np.array([c.share for c in CUSTOMS])
    custom = rng.choice(len(CUSTOMS), heads, p=weights / weights.sum())[party]
    female = rng.random(count) < 0.48
    born_year = np.where(first, rng.integers(1942, 2006, count), rng.integers(1950, 2024, count))
    people = pl.DataFrame(
        {
            "traveller": np.arange(count),
            "party": party,
            "custom": custom.astype(np.int16),
            "sex": np.where(female, "F", "M"),
            "year": born_year,
            "month": rng.integers(1, 13, count),
            "day": rng.integers(1, 29, count),
            "number": rng.integers(1_000_000, 99_999_999, count),
            "letter": rng.integers(65, 91, count),
        }
    )
    people = _twins(people, first, rng)
    return name_people(people, first, world, rng)


def _twins(
    people: pl.DataFrame, first: NDArray[np.bool_], rng: np.random.Generator
) -> pl.DataFrame:
    """Some second members share the birth date of the one before and its next document number."""
    twin = pl.Series(~first & (rng.random(people.height) < TWINS * 4))
    shared = ("year", "month", "day", "letter")
    columns = [pl.when(twin).then(pl.col(n).shift(1)).otherwise(pl.col(n)).alias(n) for n in shared]
    number = pl.when(twin).then(pl.col("number").shift(1) + 1).otherwise(pl.col("number"))
    return people.with_columns(*columns, number.alias("number"))


def _falling(size: int, count: int, shift: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of a name list, the earlier ones more often (a shifted Zipf)."""
    weights = 1.0 / (np.arange(size) + shift)
    return rng.choice(size, count, p=weights / weights.sum())


def name_people(
    people: pl.DataFrame, first: NDArray[np.bool_], world: World, rng: np.random.Generator
) -> pl.DataFrame:
    """Names for travellers by ``custom`` and ``sex``, sorted by ``traveller``.

    ``first`` marks the first member of each party, whose surname all its members have.
    """
    parts = []
    leads = pl.Series("leads", first)
    for number, custom in enumerate(CUSTOMS):
        group = people.with_columns(leads).filter(pl.col("custom") == number)
        if group.height:
            parts.append(_name_group(group, custom, world, rng))
    named = pl.concat(parts).sort("traveller")
    # A family has one surname: that of its first member.
    return named.with_columns(
        pl.col(n).first().over("party") for n in ("surname", "surname_native", "surname_other")
    ).drop("leads")


def _name_group(
    group: pl.DataFrame, custom: Custom, world: World, rng: np.random.Generator
) -> pl.DataFrame:
    pool, count = read_pool(custom.locale, world.name_pool), group.height
    columns: dict[str, pl.Series] = {}
    for part, source in (
        ("s1", pool.surnames), ("s2", pool.surnames), ("m1", pool.male), ("m2", pool.male),
        ("f1", pool.female), ("f2", pool.female),
    ):  # fmt: skip
        picked = source[_falling(len(source), count, world.name_shift, rng)]
        columns[part], columns[part + "n"] = spell(source)[_again(picked, source)], picked
    drawn = {n: pl.Series(rng.random(count)) for n in ("two_s", "two_g", "single")}
    frame = group.with_columns(**columns, **drawn)
    female = pl.col("sex") == "F"
    both = []
    for tail in ("", "n"):
        surname = (
            pl.when(pl.col("two_s") < custom.two_surnames)
            .then(pl.concat_str("s1" + tail, "s2" + tail, separator=" "))
            .otherwise("s1" + tail)
        )
        one = pl.when(female).then("f1" + tail).otherwise("m1" + tail)
        two = pl.when(female).then("f2" + tail).otherwise("m2" + tail)
        given = (
            pl.when(pl.col("single") < custom.single_name).then(pl.lit(""))
            .when(pl.col("two_g") < custom.two_given).then(pl.concat_str(one, two, separator=" "))
            .otherwise(one)
        )  # fmt: skip
        both += [surname, given]
    return frame.with_columns(
        both[0].alias("surname"), both[1].alias("given"),
        both[2].alias("surname_native"), both[3].alias("given_native"),
        nationality=pl.lit(custom.nationality),
    ).with_columns(
        respell(pl.col("surname"), custom.school).alias("surname_other"),
        respell(pl.col("given"), custom.school).alias("given_other"),
    ).drop(*columns, *drawn)  # fmt: skip


def _again(picked: pl.Series, source: pl.Series) -> pl.Series:
    """Positions of ``picked`` in ``source`` (names are unique in a pool)."""
    return picked.replace_strict(source, pl.Series(range(len(source))), return_dtype=pl.UInt32)
