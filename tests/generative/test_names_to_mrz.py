"""Names to A-Z: the standard's examples, and properties over any text."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.encode.names import to_mrz, to_mrz_series

TABLES = Path(__file__).parents[3] / "shared" / "data" / "mrz"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ærøskøbing", "AEROESKOEBING"),
        ("Åsa Müller-Weiß", "AASA MUELLER WEISS"),
        ("Þór", "THOR"),
        ("D'Artagnan", "DARTAGNAN"),
        ("O’Connor", "OCONNOR"),
        ("Ибрагимов", "IBRAGIMOV"),
        ("Щукина", "SHCHUKINA"),
        ("Παπαδόπουλος", "PAPADOPOYLOS"),
        ("A\u030asa", "AASA"),
        ("AN\u200bNA", "ANNA"),
        ("ＡＮＮＡ", "ANNA"),
        ("ANNA 2", "ANNA"),
        ("ERIKSSON<<ANNA", "ERIKSSON ANNA"),
        ("संजय शर्मा", "SANJAY SHARMA"),
        ("लक्ष्मी", "LAKSHMI"),
        ("फ़िरोज़", "FIROZ"),
        ("ਮੱਖਣ ਸਿੰਘ", "MAKKHAN SINGH"),
        ("రామకృష్ణ", "RAMAKRISHNA"),
        ("മലയാളം", "MALAYALAN"),
        ("සුනිල්", "SUNIL"),
        ("สมศักดิ์", "SMSAKDI"),
        ("សុខា", "SOKHA"),
        ("יוסף בר־אילן", "YVSF BR AYLN"),
        ("שִׁמְעוֹן", "SHMVN"),
        ("ג׳ורג׳", "JVRJ"),
        ("やまだ", "YAMADA"),
        ("ジョン・スミス", "JON SUMISU"),
        ("はっちゃん", "HATCHAN"),
        ("キョウコ", "KYOUKO"),
        ("しんぼ", "SHIMBO"),
        ("ティファニー", "TIFANI"),
        ("김민수", "GIMMINSU"),
        ("გიორგი", "GIORGI"),
        ("Հակոբյան", "HAKOBYAN"),
        ("ኃይለ ማርያም", "HAYLE MARYAM"),
        ("  \t", ""),
        ("123", ""),
        ("\u0301\u0301", ""),
    ],
)
def test_a_name_is_written_as_documents_write_it(name: str, written: str) -> None:
    assert to_mrz(name) == written


@given(st.text(max_size=40))
def test_whatever_goes_in_tokens_of_a_to_z_come_out_and_stay(name: str) -> None:
    written = to_mrz(name)
    assert re.fullmatch(r"(?:[A-Z]+(?: [A-Z]+)*)?", written)
    assert to_mrz(written) == written


@given(st.text(max_size=40))
def test_composed_and_decomposed_spellings_are_one_name(name: str) -> None:
    assert to_mrz(unicodedata.normalize("NFD", name)) == to_mrz(unicodedata.normalize("NFC", name))


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.text("aB <-'É", max_size=8))))
def test_a_column_is_written_as_its_names_one_by_one(names: list[str | None]) -> None:
    column = to_mrz_series(pl.Series("n", names, dtype=pl.String))
    assert column.to_list() == [to_mrz(n or "") for n in names]


def test_a_very_long_name_is_written_whole() -> None:
    assert to_mrz("É" * 10_000) == "E" * 10_000


@pytest.mark.shared_data
@pytest.mark.skipif(not TABLES.is_dir(), reason="samples by others are not here")
@pytest.mark.parametrize("script", ["latin", "cyrillic", "arabic"])
def test_letters_follow_the_standards_table(script: str) -> None:
    with (TABLES / f"icao_9303_3_{script}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    differ = []
    for found in rows:
        said = found.get("recommended") or found.get("mrz") or ""
        plain = re.match(r"[A-Z]+", said)
        letter = chr(int(found["codepoint"], 16))
        if said == "DOUBLE":  # shadda doubles the letter before it: no letter of its own
            assert to_mrz("\u0628" + letter) == "BB"
        elif plain and to_mrz(letter) not in re.findall(r"[A-Z]+", said):
            differ.append((found["codepoint"], said, to_mrz(letter)))
    assert differ == []
