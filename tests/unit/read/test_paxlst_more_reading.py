"""Crew, several legs, changes, fragments, clocks that change: PAXLST's less common shapes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from sojourn.policy import load_policy
from sojourn.read.common import Reading
from sojourn.read.paxlst import read_paxlst

NOW = datetime(2026, 11, 24, tzinfo=UTC)
POLICY = dataclasses.replace(
    load_policy().read, reporting_country="USA", country_code="US", own_ports=()
)


def leg(start: str, leaves: str, end: str, arrives: str, flight: str = "ZZ1") -> str:
    return (
        f"TDT+20+{flight}+++ZZ'LOC+125+{start}'DTM+189:{leaves}:201'"
        f"LOC+87+{end}'DTM+232:{arrives}:201'"
    )


def person(number: int, role: str = "FL", more: str = "") -> str:
    return f"NAD+{role}+++SUR{number}:GIVEN'DTM+329:720907'RFF+ABO:R{number}'{more}DOC+P+N{number}'"


def message(legs: str, *people: str, bgm: str = "BGM+745'") -> str:
    return (
        f"UNB+UNOA:4+ZZ+US+261120:0900+7'UNH+M1+PAXLST:D:15B:UN:IATA'{bgm}{legs}"
        f"{''.join(people)}CNT+42:{len(people)}'UNT+1+M1'UNZ+1+7'"
    )


def read(text: str) -> Reading:
    return read_paxlst(text.encode(), "d" * 64, POLICY, source=None, now=NOW)


ONE = leg("SYD", "2611200900", "HNL", "2611192200")


def test_crew_are_read_as_crew_and_their_count_is_their_own() -> None:
    reading = read(message(ONE, person(1, "FM"), bgm="BGM+250'").replace("CNT+42:1", "CNT+41:1"))
    row = reading.crossings.row(0, named=True)
    assert row["admission_class"] == "CREW"
    assert "false_traveller_count" not in set(reading.quality["issue"])


def test_each_leg_that_crosses_the_border_is_a_crossing_for_those_on_board() -> None:
    legs = (
        leg("SYD", "2611190900", "HNL", "2611182200", "ZZ1")
        + leg("HNL", "2611190100", "LAX", "2611190900", "ZZ1")
        + leg("LAX", "2611191200", "LHR", "2611200600", "ZZ1")
    )
    through = person(1, more="LOC+178+SYD'LOC+179+LHR'")
    stays = person(2, more="LOC+178+SYD'LOC+179+LAX'")
    joins = person(3, more="LOC+178+LAX'LOC+179+LHR'")
    rows = read(message(legs, through, stays, joins)).crossings.rows(named=True)
    found = sorted((r["surname"], r["direction"], r["port"]) for r in rows)
    assert found == [
        ("SUR1", "arrival", "HNL"), ("SUR1", "departure", "LAX"), ("SUR2", "arrival", "HNL"),
        ("SUR3", "departure", "LAX"),
    ]  # fmt: skip


def test_a_change_message_corrects_the_same_crossing() -> None:
    first = read(message(ONE, person(1))).crossings
    second = read(message(ONE, person(1).replace("SUR1", "SURE1"))).crossings
    assert first["crossing_id"].to_list() == second["crossing_id"].to_list()
    assert second["surname"].to_list() == ["SURE1"]


def test_an_interactive_fragment_without_an_envelope_is_read() -> None:
    text = message(ONE, person(1))
    bare = "UIH+PAXLST:D:15B:UN:IATA+M1'" + text.split("IATA'")[1].split("UNT+")[0] + "UIT+M1+9'"
    for fragment in (bare, "UIB+UNOA:4'" + bare):
        assert read(fragment).crossings["surname"].to_list() == ["SUR1"]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2603080130", "2026-03-08T06:30"),  # New York, the hour before the clocks skip
        ("2603080330", "2026-03-08T07:30"),  # and the hour after
        ("2611010130", "2026-11-01T05:30"),  # the hour that comes twice: the first
        ("2611010230", "2026-11-01T07:30"),
    ],
)
def test_the_ports_clock_decides_also_on_the_days_when_it_changes(local: str, utc: str) -> None:
    text = message(leg("LHR", "2601010000", "JFK", local), person(1)).replace(
        "261120:0900", "261102:0900"
    )
    row = read(text).crossings.row(0, named=True)
    assert row["event_time"].isoformat()[:16] == utc


def test_a_deadline_counts_on_the_ports_date_not_on_greenwichs() -> None:
    row = read(message(leg("HNL", "2611192330", "SYD", "2611210700"), person(1))).crossings
    assert str(row["local_date"][0]) == "2026-11-19"
    assert row["event_time"][0] == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_message_of_another_sort_loses_nobody_beside_it() -> None:
    both = message(ONE, person(1)).replace(
        "UNZ+1+7'", "UNH+M2+CUSRES:D:15B:UN'BGM+962'UNT+2+M2'UNZ+2+7'"
    )
    reading = read(both)
    assert reading.crossings["surname"].to_list() == ["SUR1"]
    assert reading.rejects["reason"].to_list() == ["not_paxlst"]
