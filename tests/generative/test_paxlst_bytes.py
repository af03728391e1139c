"""Random manifests are read back as written; broken bytes give a Reading, never an exception."""

import dataclasses
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sojourn.policy import load_policy
from sojourn.read.common import Reading
from sojourn.read.paxlst import read_paxlst
from sojourn.schemas import CROSSINGS, REJECTS, SOURCE_QUALITY, check_table

POLICY = dataclasses.replace(
    load_policy().read, reporting_country="USA", country_code="US", own_ports=()
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
PEOPLE = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=8)


def write(people: list[tuple[str, str]], marks: str = ":+'") -> str:
    groups = "".join(
        f"NAD+FL+++{s}:{g}'ATT+2++M'DTM+329:720907'DOC+P+N{i}'"
        for i, (s, g) in enumerate(people)
    )  # fmt: skip
    text = (
        "UNB+UNOA:4+ZZ+US+261120:0900+7'UNH+M1+PAXLST:D:15B:UN:IATA'BGM+745'TDT+20+ZZ1+++ZZ'"
        "LOC+125+SYD'DTM+189:2611200900:201'LOC+87+HNL'DTM+232:2611192200:201'"
        f"{groups}CNT+42:{len(people)}'UNT+1+M1'UNZ+1+7'"
    )
    una = f"UNA{marks[0]}{marks[1]}.? {marks[2]}"
    return una + text.translate(str.maketrans(":+'", marks))


def read(data: bytes) -> Reading:
    return read_paxlst(data, "d" * 64, POLICY, source=None, now=NOW)


@given(PEOPLE, st.sampled_from([":+'", "*$#", "-$#", ":*'"]), st.integers(5, 90), st.booleans())
def test_travellers_survive_any_separators_line_splits_and_telex_lines(
    people: list[tuple[str, str]], marks: str, width: int, telex: bool
) -> None:
    text = write(people, marks)
    text = "\r\n".join(text[i : i + width] for i in range(0, len(text), width))
    text = f"QU HNLCCXX\r\n.SYDZZXX 200900\r\n{text}\r\nNNNN\r\n" if telex else text
    rows = read(text.encode()).crossings.select("surname", "given_names").rows()
    assert rows == people


BASE = write([("ALPHA", "ONE"), ("BETA", "TWO"), ("GAMMA", "THREE")]).encode()


@given(
    st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(BASE)),
)
def test_changed_and_cut_bytes_give_tables_as_declared_and_never_raise(
    changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(BASE)
    for at, value in changes:
        data[at] = value
    reading = read(bytes(data[:cut] if cut else data))
    check_table(reading.crossings, CROSSINGS)
    check_table(reading.rejects, REJECTS)
    check_table(reading.quality, SOURCE_QUALITY)
