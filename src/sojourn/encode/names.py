"""Names in any script to A-Z and blanks: the alphabet of travel documents.

In: a name as a source wrote it. Out: A-Z tokens separated by single blanks. ICAO Doc 9303-3's
tables first (``letters``); India's scripts, Hebrew and kana by ``scripts``; what has no table goes
through anyascii. Apostrophes
vanish, hyphens and commas separate, digits and all else are dropped. A name that is A-Z already
(the machine-readable zone's filler ``<`` counts as a blank) comes out as it went in.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl
from anyascii import anyascii

from sojourn.encode.letters import ARABIC, CYRILLIC, LATIN, SHADDA, TEH_MARBUTA, build_table
from sojourn.encode.scripts import spell_out

_LETTERS = build_table(LATIN) | build_table(CYRILLIC) | build_table(ARABIC)
_GONE = dict.fromkeys(map(ord, "'’ʼ`´ʹʻ\u200b\u200c\u200d\u200e\u200f\ufeff\u00ad"))
_NOT_LETTERS = re.compile(r"[^A-Z]+")
_WORD_END = re.compile(rf"{TEH_MARBUTA}(?=\W|$)")
_PLAIN = r"^[A-Za-z <\-]*$"


def to_mrz(name: str) -> str:
    """One name. Empty where nothing of it can be written in A-Z."""
    text = unicodedata.normalize("NFC", name).translate(_GONE)
    text = spell_out(_WORD_END.sub("XAH", text))
    # The capital sharp s and the long s fold to SS and S; so does upper().
    upper = text.upper()
    written: list[str] = []
    for letter in upper:
        if letter == SHADDA:
            written.append(written[-1] if written else "")
        elif letter == TEH_MARBUTA:
            written.append("XTA")
        elif letter in _LETTERS:
            written.append(_LETTERS[letter])
        elif letter.isascii():
            written.append(letter)
        elif unicodedata.category(letter).startswith("M"):
            # Above a Latin, Greek or Arabic letter it goes; in Asia it is a vowel.
            written.append(_other(letter) if "\u0d80" <= letter < "\u1ab0" else "")
        elif unicodedata.category(letter)[0] in "PSZ":
            written.append(" ")
        else:
            written.append(_other(letter))
    return _NOT_LETTERS.sub(" ", "".join(written)).strip()


def _other(letter: str) -> str:
    """A letter no table has: its base letter if it is one with marks, else anyascii."""
    base = unicodedata.normalize("NFKD", letter)[0]
    if base.isascii() and base.isalpha():
        return base.upper()
    if base in _LETTERS:
        return _LETTERS[base]
    # Syllables and ideographs end where the next begins: anyascii gives them a capital.
    return anyascii(letter).replace("'", "").replace("`", "").upper()


def to_mrz_series(names: pl.Series) -> pl.Series:
    """A column of names. Plain A-Z goes the short way; only the others are spelt out one by one.

    Nothing is kept between calls: names are personal data.
    """
    text = names.fill_null("")
    plain = text.str.contains(_PLAIN)
    short = (
        text.str.to_uppercase().str.replace_all(r"[ <\-]+", " ").str.strip_chars(" ").rename("a")
    )
    if plain.all():
        return short
    others = text.filter(~plain).unique()
    spelt = pl.Series([to_mrz(name) for name in others], dtype=pl.String)
    table = pl.DataFrame({"name": others, "spelt": spelt})
    joined = pl.DataFrame({"name": text, "short": short, "plain": plain}).join(
        table, on="name", how="left", maintain_order="left"
    )
    return joined.select(
        pl.when("plain").then("short").otherwise(pl.col("spelt").fill_null("")).alias("a")
    ).to_series()
