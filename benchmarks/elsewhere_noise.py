"""Faults of recording for ``benchmarks.elsewhere``: each record is blurred by itself.

In: clean rows, randomness, a multiple of all rates. Out: the same rows, some fields altered.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

CAP = 0.6
# Rates at noise 1, per record; of the records that could have the fault.
VARIANT, NO_MIDDLE, ONE_SURNAME, JOINED = 0.03, 0.035, 0.035, 0.012
SWAPPED_NAMES, SWAPPED_DATE, NEW_YEAR = 0.006, 0.006, 0.006
TYPED_SURNAME, TYPED_GIVEN, TYPED_DATE = 0.013, 0.013, 0.006
NO_SEX, WRONG_SEX, NO_NATIONALITY, NO_DOCUMENT, OCR = 0.006, 0.003, 0.005, 0.008, 0.02

LOOKALIKES = {
    "0": "O", "O": "0", "1": "I", "I": "1", "5": "S", "S": "5", "8": "B", "B": "8", "2": "Z",
    "Z": "2", "6": "G", "G": "6", "7": "1", "3": "8", "9": "0", "4": "A", "D": "O",
}  # fmt: skip
SPELLINGS = (
    ("OU", "U"), ("KH", "H"), ("Y", "I"), ("EE", "I"), ("SH", "CH"), ("J", "DJ"), ("ZH", "J"),
    ("V", "W"), ("IY", "Y"), ("Q", "K"), ("U", "OO"), ("I", "EE"), ("O", "U"), ("E", "A"),
    ("H", ""), ("S", "SS"), ("L", "LL"), ("A", "E"),
)  # fmt: skip
Edit = Callable[[str, np.ndarray], str]


def blur(rows: pl.DataFrame, rng: np.random.Generator, noise: float) -> pl.DataFrame:
    """All faults, in the order in which passports, clerks and machines make them."""
    n = rows.height

    def hit(rate: float) -> pl.Series:
        return pl.Series(rng.random(n) < min(rate * noise, CAP))

    first_name = pl.col("given_names").str.split(" ").list.first()
    first_surname = pl.col("surname").str.split(" ").list.first()
    rows = rows.with_columns(
        pl.when(hit(NO_MIDDLE)).then(first_name).otherwise("given_names").alias("given_names"),
        pl.when(hit(ONE_SURNAME)).then(first_surname).otherwise("surname").alias("surname"),
    ).with_columns(
        _joined("given_names", hit(JOINED)),
        _joined("surname", hit(JOINED)),
    )
    for column in ("surname", "given_names"):
        chosen = hit(VARIANT) & rows["variants"]
        rows = rows.with_columns(_edited(rows[column], chosen, _respelled, rng))
    rows = rows.with_columns(
        _edited(rows["surname"], hit(TYPED_SURNAME), _mistyped, rng),
        _edited(rows["given_names"], hit(TYPED_GIVEN), _mistyped, rng),
        _edited(rows["document_number"], hit(OCR), _misread, rng),
        _edited(rows["birth_date"], hit(TYPED_DATE), _wrong_day, rng),
    )
    swapped = hit(SWAPPED_NAMES)
    rows = rows.with_columns(
        pl.when(swapped).then("given_names").otherwise("surname").alias("surname"),
        pl.when(swapped).then("surname").otherwise("given_names").alias("given_names"),
    )
    rows = rows.with_columns(
        _dates(hit(SWAPPED_DATE), hit(NEW_YEAR), pl.Series(rng.random(n) < 0.2))
    )
    return _without(rows, hit).drop("variants", "number", "leaving")


def _joined(column: str, hit: pl.Series) -> pl.Expr:
    """Two words written as one."""
    return (
        pl.when(hit).then(pl.col(column).str.replace_all(" ", "")).otherwise(column).alias(column)
    )


def _dates(swapped: pl.Series, new_year: pl.Series, zeros: pl.Series) -> pl.Expr:
    date = pl.col("birth_date")
    year, month, day = date.str.slice(0, 4), date.str.slice(5, 2), date.str.slice(8, 2)
    can = day <= "12"
    return (
        pl.when(new_year & zeros).then(year + "-00-00")
        .when(new_year).then(year + "-01-01")
        .when(swapped & can).then(year + "-" + day + "-" + month)
        .otherwise(date).alias("birth_date")
    )  # fmt: skip


def _without(rows: pl.DataFrame, hit: Callable[[float], pl.Series]) -> pl.DataFrame:
    """What was left out, and sexes set wrongly."""
    no_document = hit(NO_DOCUMENT)
    other = pl.when(pl.col("sex") == "M").then(pl.lit("F")).otherwise(pl.lit("M"))
    return rows.with_columns(
        pl.when(hit(NO_SEX)).then(None).when(hit(WRONG_SEX)).then(other).otherwise("sex")
        .alias("sex"),
        pl.when(hit(NO_NATIONALITY)).then(None).otherwise("nationality").alias("nationality"),
        *(
            pl.when(no_document).then(None).otherwise(c).alias(c)
            for c in ("document_type", "document_issuer", "document_number")
        ),
    )  # fmt: skip


def _edited(series: pl.Series, hit: pl.Series, edit: Edit, rng: np.random.Generator) -> pl.Series:
    """One by one, but only those hit."""
    places = np.flatnonzero(hit.to_numpy())
    if not len(places):
        return series
    draws = rng.random((len(places), 3))
    texts = series.gather(places).to_list()
    edited = [edit(text, draw) for text, draw in zip(texts, draws, strict=True)]
    return series.scatter(places, pl.Series(edited, dtype=pl.String))


def _mistyped(text: str, draw: np.ndarray) -> str:
    """A letter left out, doubled, replaced, or two exchanged; the first letter seldom."""
    if len(text) < 3:
        return text
    at = 1 + int(draw[0] ** 0.8 * (len(text) - 1))
    letter = chr(65 + int(draw[2] * 26))
    if draw[1] < 0.3:
        return text[:at] + text[at + 1 :]
    if draw[1] < 0.5:
        return text[:at] + letter + text[at:]
    if draw[1] < 0.75:
        return text[:at] + letter + text[at + 1 :]
    return text[: at - 1] + text[at : at + 1] + text[at - 1] + text[at + 1 :]


def _respelled(text: str, draw: np.ndarray) -> str:
    """Another romanisation: the first rule that fits, from a random one on."""
    start = int(draw[0] * len(SPELLINGS))
    for turn in range(len(SPELLINGS)):
        old, new = SPELLINGS[(start + turn) % len(SPELLINGS)]
        if old in text[1:]:
            return text[0] + text[1:].replace(old, new, 1)
    return text


def _misread(text: str, draw: np.ndarray) -> str:
    """A character taken for one that looks alike; else a digit lost or mistaken."""
    at = int(draw[0] * len(text))
    if draw[1] < 0.7 and text[at] in LOOKALIKES:
        return text[:at] + LOOKALIKES[text[at]] + text[at + 1 :]
    if draw[1] < 0.85:
        return text[:at] + text[at + 1 :]
    return text[:at] + str(int(draw[2] * 10)) + text[at + 1 :]


def _wrong_day(text: str, draw: np.ndarray) -> str:
    """A mistyped day, month or year that still is a date."""
    if draw[0] < 0.5:
        return f"{text[:8]}{1 + int(draw[2] * 28):02d}"
    if draw[0] < 0.75:
        return f"{text[:5]}{1 + int(draw[2] * 12):02d}-{min(int(text[8:]), 28):02d}"
    year = int(text[:4]) + (1 if draw[2] < 0.5 else -1)
    return f"{year:04d}-{text[5:7]}-{min(int(text[8:]), 28):02d}"
