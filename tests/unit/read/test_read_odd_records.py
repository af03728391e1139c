"""Single odd things in records: each refused or read for what it is, with a reason of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from sojourn.policy import load_policy
from sojourn.read import Reading, read_bytes
from sojourn.read.manifest import parse_moment

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEADER = "crossing_id,direction,event_time,mode,port,surname,given_names,birth_date,withdrawn"


def read(*rows: str) -> Reading:
    data = "\n".join([HEADER, *rows, ""]).encode()
    return read_bytes(data, "x.csv", load_policy().read, source="s", now=NOW)


def row(number: int, *, born: str = "1980-01-02", withdrawn: str = "") -> str:
    return f"C{number},arrival,2026-05-01T10:00:00Z,air,UTA,DOE,JO,{born},{withdrawn}"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("", False), ("false", False), ("No", False), ("0", False), ("true", True), ("YES", True)],
)
def test_withdrawn_is_read_in_the_usual_words(said: str, meant: bool) -> None:
    assert read(row(1, withdrawn=said)).crossings["withdrawn"].to_list() == [meant]


def test_a_withdrawal_that_cannot_be_read_is_refused_and_not_taken_for_no() -> None:
    found = read(row(1, withdrawn="maybe"), row(2))
    assert found.crossings["crossing_id"].to_list() == ["C2"]
    assert found.rejects["reason"].to_list() == ["withdrawn_unreadable"]
    assert "true or false" in found.rejects["expected"][0]


def test_a_birth_date_of_which_nothing_is_known_makes_no_dated_key_and_no_age() -> None:
    from sojourn.encode import MemoryKeyProvider, encode
    from sojourn.schemas import KeyKind

    crossings = read(row(1, born="0000-00-00"), row(2)).crossings
    encodings = encode(crossings, MemoryKeyProvider(b"t"), load_policy().encode)
    dated = {KeyKind.NAME_DATE, KeyKind.SOUND_DATE, KeyKind.PAIR_YEAR, KeyKind.PAIR_DAY}
    kinds = [{k & 0x7F for k in row} for row in encodings["key_kinds"].to_list()]
    assert not kinds[0] & dated
    assert kinds[1] & dated
    assert encodings["age_band"].to_list()[0] is None
    assert encodings["age_band"].cast(pl.String).to_list()[1] == "45-64"


@pytest.mark.parametrize("text", ["9912312400", "²²⁰¹⁰¹", "26022", "260230"])
def test_moments_that_cannot_be_are_none_and_never_raise(text: str) -> None:
    found = parse_moment(text)
    assert found is None or found.year in (2000, 1999)
