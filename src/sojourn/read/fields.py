"""Columns of text into typed columns: times, dates, birth dates, codes. Expressions, no loops.

Each gives a column named with a trailing underscore, null where the text cannot be read.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from sojourn.read.nations import ALPHA_3, KNOWN, SAME
from sojourn.schemas import TIMESTAMP, enum_of

_TIME = (
    r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?)?\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)
_BORN = r"^(\d{4}|[0<]{4})-?([0-9<]{2})-?([0-9<]{2})$"
_SEX = {"M": "M", "F": "F", "X": "X", "1": "M", "2": "F", "MALE": "M", "FEMALE": "F"}
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def words_of(name: str, words: type[StrEnum], default: StrEnum | None = None) -> pl.Expr:
    """One of a closed vocabulary; case does not matter."""
    known = {w.value.lower(): w.value for w in words}
    text = pl.col(name).cast(pl.String).str.to_lowercase()
    found = text.replace_strict(known, default=None, return_dtype=pl.String)
    if default is not None:
        found = pl.when(pl.col(name).is_null()).then(pl.lit(default.value)).otherwise(found)
    return found.cast(enum_of(words)).alias(f"{name}_")


def parse_time(frame: pl.DataFrame, name: str) -> pl.Expr:
    """ISO 8601 to UTC; without an offset it is UTC already; a bare date is its midnight."""
    dtype, out = frame.schema[name], f"{name}_"
    if isinstance(dtype, pl.Datetime):
        moment = pl.col(name)
        zoned = moment.dt.convert_time_zone("UTC") if dtype.time_zone else (
            moment.dt.replace_time_zone("UTC")
        )  # fmt: skip
        return zoned.cast(TIMESTAMP).alias(out)
    if dtype == pl.Date:
        return pl.col(name).cast(TIMESTAMP).alias(out)
    parts = pl.col(name).str.extract_groups(_TIME)
    part = parts.struct.field
    offset = part("5").fill_null("Z").str.to_uppercase().str.replace("Z", "+00:00")
    text = pl.concat_str(
        part("1"), pl.lit(" "), part("2").fill_null("00:00"), part("3").fill_null(":00"),
        part("4").fill_null(".0").str.slice(0, 7), offset,
    )  # fmt: skip
    moment = text.str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f%z", time_unit="us", time_zone="UTC", strict=False, ambiguous="null"
    )
    return moment.alias(out)


def parse_date(frame: pl.DataFrame, name: str) -> pl.Expr:
    dtype = frame.schema[name]
    if dtype.is_temporal():
        return pl.col(name).cast(pl.Date).alias(f"{name}_")
    return pl.col(name).str.to_date("%Y-%m-%d", strict=False).alias(f"{name}_")


def parse_sex() -> pl.Expr:
    text = pl.col("sex").cast(pl.String).str.to_uppercase()
    return text.replace_strict(_SEX, default=None, return_dtype=pl.String).alias("sex_")


def parse_nationality() -> pl.Expr:
    """Alpha-3 and ICAO's special codes; alpha-2 is turned into alpha-3; others become null."""
    text = pl.col("nationality").cast(pl.String).str.to_uppercase().str.replace_all("<", "")
    known = {code: SAME.get(code, code) for code in KNOWN} | ALPHA_3
    return text.replace_strict(known, default=None, return_dtype=pl.String).alias("nationality_")


def parse_birth_date(frame: pl.DataFrame) -> list[pl.Expr]:
    """``birth_date_`` with unknown parts as zeros, and ``birth_date_repaired``.

    Months and days that cannot be become unknown. A date of six places (YYMMDD, as in the
    machine-readable zone) needs a century, which only a zone's reader knows: refused here.
    """
    dtype = frame.schema["birth_date"]
    column = pl.col("birth_date")
    if dtype.is_temporal():
        column = column.dt.strftime("%Y-%m-%d")
    parts = column.cast(pl.String).str.extract_groups(_BORN)
    number = [
        parts.struct.field(n).str.replace_all("<", "0").cast(pl.Int32, strict=False)
        for n in ("1", "2", "3")
    ]
    year, month, day = number
    good_month = month.is_between(1, 12)
    longest = month.replace_strict(
        dict(enumerate(_MONTH_DAYS, start=1)), default=31, return_dtype=pl.Int32
    )
    good_day = day.is_between(1, longest)
    text = pl.concat_str(
        year.cast(pl.String).str.zfill(4),
        pl.when(good_month).then(month).otherwise(0).cast(pl.String).str.zfill(2),
        pl.when(good_day).then(day).otherwise(0).cast(pl.String).str.zfill(2),
        separator="-",
    )
    repaired = ((month > 12) | (day > longest)).fill_null(value=False)
    return [text.alias("birth_date_"), repaired.alias("birth_date_repaired")]
