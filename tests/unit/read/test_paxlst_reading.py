"""PAXLST as carriers send it: what a border office would notice if it were read wrongly."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn.policy import load_policy
from sojourn.read.common import Reading
from sojourn.read.edifact import read_interchanges
from sojourn.read.manifest import parse_manifest
from sojourn.read.paxlst import birth_date, looks_like_paxlst, read_paxlst

SHARED = Path(__file__).parents[4] / "shared" / "data" / "paxlst"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
POLICY = dataclasses.replace(
    load_policy().read, reporting_country="USA", country_code="US", own_ports=()
)
HEADER = "UNB+UNOA:4+ZZ+US+261120:0900+7'"


def person(number: int, reference: str = "", born: str = "720907") -> str:
    own = f"RFF+ABO:{reference}'" if reference else ""
    return (
        f"NAD+FL+++SUR{number}:GIVEN'ATT+2++F'DTM+329:{born}'NAT+2+GBR'{own}"
        f"DOC+P+N{number}'LOC+91+GBR'"
    )


def text(*people: str, bgm: str = "BGM+745'", start: str = "SYD", end: str = "HNL") -> str:
    return (
        f"{HEADER}UNH+M1+PAXLST:D:15B:UN:IATA'{bgm}TDT+20+ZZ1+++ZZ'LOC+125+{start}'"
        f"DTM+189:2611200900:201'LOC+87+{end}'DTM+232:2611192200:201'{''.join(people)}"
        f"CNT+42:{len(people)}'UNT+1+M1'UNZ+1+7'"
    )


def read(message: str | bytes) -> Reading:
    data = message if isinstance(message, bytes) else message.encode("latin-1")
    return read_paxlst(data, "d" * 64, POLICY, source=None, now=NOW)


def issues(reading: Reading) -> set[str]:
    return set(reading.quality["issue"])


def surnames(reading: Reading) -> list[str]:
    return reading.crossings["surname"].to_list()


def test_arrival_time_is_local_at_our_port_and_becomes_utc() -> None:
    row = read(text(person(1))).crossings.row(0, named=True)
    assert row["direction"] == "arrival"
    assert row["event_time"] == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert str(row["local_date"]) == "2026-11-19"
    assert (row["port"], row["evidence"], row["document_number"]) == ("HNL", "boarded", "N1")


def test_a_leg_out_of_our_country_is_a_departure() -> None:
    row = read(text(person(1), start="HNL", end="SYD")).crossings.row(0, named=True)
    assert (row["direction"], row["port"]) == ("departure", "HNL")


@pytest.mark.parametrize(("start", "end"), [("SYD", "CDG"), ("JFK", "HNL")])
def test_legs_that_do_not_touch_our_border_are_refused_with_a_reason(start: str, end: str) -> None:
    reading = read(text(person(1), start=start, end=end))
    assert reading.crossings.is_empty()
    assert reading.rejects["reason"].to_list() == ["not_our_border"]


def test_a_wrong_count_is_reported_and_the_travellers_are_still_read() -> None:
    reading = read(text(person(1), person(2)).replace("CNT+42:2", "CNT+41+8"))
    assert surnames(reading) == ["SUR1", "SUR2"]
    assert {"false_traveller_count", "false_segment_count"} <= issues(reading)


@pytest.mark.parametrize("strange", ["²", "³9", "x", ""])
def test_a_count_that_is_no_number_never_raises(strange: str) -> None:
    assert surnames(read(text(person(1)).replace("CNT+42:1", f"CNT+42:{strange}"))) == ["SUR1"]


def test_telex_lines_and_tags_split_over_lines_change_nothing() -> None:
    plain = text(person(1), person(2))
    split = "\r\n".join(plain[i : i + 7] for i in range(0, len(plain), 7))
    noisy = f"QU HNLCCXX\r\n.SYDZZXX 200900\r\n{split}\r\nNNNN\r\n"
    assert read(noisy).crossings.equals(read(plain).crossings)


def test_unusual_separators_are_taken_from_the_service_string() -> None:
    odd = text(person(1)).translate(str.maketrans(":+'", "*$#"))
    assert surnames(read(f"UNA*$.? #{odd}")) == ["SUR1"]


def test_a_message_without_any_envelope_is_read() -> None:
    assert surnames(read(text(person(1))[len(HEADER) :])) == ["SUR1"]


def test_people_who_share_a_reference_stay_apart_and_repeats_do_not_count_twice() -> None:
    reading = read(text(person(1, "A"), person(2, "A"), person(2, "A")))
    assert surnames(reading) == ["SUR1", "SUR2"]
    assert reading.crossings["crossing_id"].n_unique() == 2


def test_a_cancellation_takes_back_the_very_crossing_that_was_sent() -> None:
    sent = read(text(person(1, "A"), person(2, "B"))).crossings
    taken = read(text(person(2, "B"), bgm="BGM+745+XR'")).crossings
    assert taken["crossing_id"].to_list() == [sent["crossing_id"][1]]
    assert taken["withdrawn"].to_list() == [True]


def test_a_message_that_names_nobody_is_refused_not_passed_over() -> None:
    assert "no_travellers" in read(text(bgm="BGM+266+CL'")).rejects["reason"].to_list()


def test_a_huge_segment_is_bounded_and_its_neighbours_are_whole() -> None:
    reading = read(text(person(1), f"NAD+FL+++{'X' * 200_000}:G'", person(2)))
    assert surnames(reading) == ["SUR1", "SUR2"]
    assert reading.crossings["document_number"].to_list() == ["N1", "N2"]
    assert "oversized_segment" in issues(reading)


def test_times_past_the_calendar_are_refused_and_never_raise() -> None:
    for moment in ("999912312400", "000101010000"):
        reading = read(text(person(1)).replace("2611192200", moment))
        assert reading.crossings.is_empty()
        assert reading.rejects.height


def test_stray_bytes_in_a_surname_are_read_and_counted() -> None:
    reading = read(text(person(1)).replace("SUR1", "MU\x87\xd1OZ"))
    assert surnames(reading) == ["MUÑOZ"]
    assert {"encoding_repaired", "stray_bytes_dropped"} <= issues(reading)


def test_everything_before_a_cut_is_read_and_the_cut_is_reported() -> None:
    whole = text(person(1), person(2))
    reading = read(whole[: whole.index("NAD+FL+++SUR2")])
    assert surnames(reading) == ["SUR1"]
    assert "message_cut_short" in issues(reading)


def test_birth_dates_take_the_century_of_the_message_and_impossible_days_go() -> None:
    assert birth_date("260101", 2026) == ("2026-01-01", False)
    assert birth_date("270101", 2026) == ("1927-01-01", False)
    assert birth_date("720230", 2026) == ("1972-02-00", True)
    assert birth_date("²²²²²²", 2026) == (None, True)


def test_addresses_contacts_and_bookings_reach_no_table() -> None:
    extra = "COM+CANARYPHONE:TE'RFF+AVF:CANARYPNR'RFF+SEA:CANARYSEAT'FTX+BAG+++CANARYBAG'"
    named = person(1).replace(":GIVEN'", ":GIVEN+CANARYSTREET+CANARYTOWN'")
    reading = read(text(named + extra))
    kept = [getattr(reading, n).write_json() for n in ("crossings", "rejects", "quality")]
    assert "CANARY" not in "".join(kept)


def test_telex_headed_files_are_known_and_tables_are_not() -> None:
    assert looks_like_paxlst(f"QU HNLCCXX\r\n{text()}".encode())
    assert not looks_like_paxlst(b"crossing_id,direction,surname\n1,arrival,X\n")


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="samples by others are not present")
def test_samples_by_others_give_what_was_read_in_them_by_hand() -> None:
    for wanted in json.loads((SHARED / "expected.json").read_text("utf-8")):
        (interchange,) = read_interchanges((SHARED / wanted["file"]).read_bytes())
        (message,) = interchange.messages
        found = parse_manifest(message)
        assert interchange.had_una is wanted["una"], wanted["file"]
        assert [list(c) for c in found.counts] == wanted["cnt"], wanted["file"]
        assert found.declared_segments == wanted["unt_declared"]
        assert found.segments == wanted["segments_unh_to_unt"]
        legs = [(g["flight"], g["from"], g["to"], g["departs"], g["arrives"])
                for g in wanted["legs"]]  # fmt: skip
        assert [
            (g.flight, g.origin, g.destination, f"{g.departs:%Y-%m-%dT%H:%M}",
             f"{g.arrives:%Y-%m-%dT%H:%M}")
            for g in found.legs
        ] == legs, wanted["file"]  # fmt: skip
        year = found.legs[0].departs.year if found.legs[0].departs else 0
        people = [
            (p["role"], p["surname"], p["given"], p["second"] or "", p["sex"], p["dob"],
             p["nationality"] or "", p["embark"] or "", p["debark"] or "", p["pax_ref"] or "",
             [(d["type"] or "", d["number"] or "", d["issuer"] or "") for d in p["documents"]])
            for p in wanted["people"]
        ]  # fmt: skip
        assert [
            (p.role, p.surname, p.given, p.second, p.sex, birth_date(p.birth, year)[0],
             p.nationality, p.embark, p.debark, p.reference,
             [(d.kind, d.number, d.issuer) for d in p.documents])
            for p in found.people
        ] == people, wanted["file"]  # fmt: skip


def test_a_table_with_names_like_tags_is_a_table() -> None:
    for name in ("ARZUNA", "UNB", "UNA", "BGM", "UNH"):
        for head in (f"crossing_id,surname\n1,{name},\n{name},X\n", f'{{"surname": "{name}:"}}'):
            assert not looks_like_paxlst(head.encode())
