"""A column of machine-readable zones fills the identity columns that are empty."""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from sojourn.errors import ReadError
from sojourn.read.common import Notes
from sojourn.read.mrz import birth_of, parse_zone

COLUMN = "mrz"
FILLS = ("surname", "given_names", "sex", "birth_date", "nationality", "document_type",
         "document_issuer", "document_number")  # fmt: skip


def fill_from_zones(rows: pl.DataFrame, notes: Notes, source: str, now: datetime) -> pl.DataFrame:
    """Rows with a ``mrz`` column (lines separated by a line end or a bar) get its fields.

    Columns that are filled already keep what they say. Zones that cannot be read, and check
    digits that do not fit, are counted; the record is judged by what it then holds.
    """
    if COLUMN not in rows.columns:
        return rows
    found = [_fields(text, notes, source, now) for text in rows[COLUMN].to_list()]
    zones = pl.DataFrame(found, schema=dict.fromkeys(FILLS, pl.String), orient="row")
    have = {n: rows[n] if n in rows.columns else pl.Series([None] * rows.height) for n in FILLS}
    filled = [
        pl.select(pl.coalesce(_blank_to_null(have[n].cast(pl.String)), zones[n])).to_series()
        .alias(n)
        for n in FILLS
    ]  # fmt: skip
    return rows.drop(COLUMN).with_columns(filled)


def _blank_to_null(column: pl.Series) -> pl.Series:
    return column.set(column.str.strip_chars() == "", None)


def _fields(text: str | None, notes: Notes, source: str, now: datetime) -> tuple[str | None, ...]:
    if not text or not text.strip():
        return (None,) * len(FILLS)
    try:
        zone = parse_zone(re.split(r"[\r\n|]+", text.strip()))
    except ReadError:
        notes.count(source, "mrz_unreadable")
        return (None,) * len(FILLS)
    if not zone.all_fit:
        notes.count(source, "mrz_check_digit_wrong")
    notes.count(source, "mrz_mended", int(zone.mended > 0))
    return (
        zone.surname, zone.given_names, zone.sex or None, birth_of(zone, now.year),
        zone.nationality or None, zone.document_code or None, zone.issuer or None,
        zone.document_number or None,
    )  # fmt: skip
