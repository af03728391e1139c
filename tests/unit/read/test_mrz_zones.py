"""Machine-readable zones: the standard's own specimens, and samples by others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn.errors import ReadError
from sojourn.policy import load_policy
from sojourn.read import parse_zone, read_bytes
from sojourn.read.mrz import birth_of, check_digit

CASES = Path(__file__).parents[4] / "shared" / "data" / "mrz" / "cases.json"
# ICAO Doc 9303 parts 4 to 7, the published specimens.
TD3 = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
       "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]  # fmt: skip
TD1 = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6",
       "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]  # fmt: skip
TD2 = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"]
MRV_A = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
         "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"]  # fmt: skip
MRV_B = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"]
SPECIMENS = {"TD1": TD1, "TD2": TD2, "TD3": TD3, "MRV-A": MRV_A, "MRV-B": MRV_B}


@pytest.mark.parametrize("form", SPECIMENS)
def test_the_standards_specimen_is_read_and_fits(form: str) -> None:
    zone = parse_zone(SPECIMENS[form])
    assert (zone.form, zone.issuer, zone.surname) == (form, "UTO", "ERIKSSON")
    assert (zone.given_names, zone.sex, zone.name_cut) == ("ANNA MARIA", "F", False)
    assert zone.all_fit
    assert zone.mended == 0


def test_the_passport_specimen_in_full() -> None:
    zone = parse_zone(TD3)
    assert (zone.document_code, zone.document_number, zone.nationality) == ("P", "L898902C3", "UTO")
    assert (zone.birth, zone.expiry, zone.optional) == ("740812", "120415", "ZE184226B")
    assert birth_of(zone, 2025) == "1974-08-12"


def test_a_long_document_number_goes_on_in_the_optional_data() -> None:
    # Doc 9303-5, appendix: D23145890734 with its check digit 9 in the optional data.
    zone = parse_zone(["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2",
                       "STEVENSON<<PETER<JOHN<<<<<<<<<"])  # fmt: skip
    assert zone.document_number == "D23145890734"
    assert zone.all_fit


@pytest.mark.parametrize("form", SPECIMENS)
@pytest.mark.parametrize("letters", ["O0", "I1", "S5", "B8", "Z2"])
def test_letters_read_for_digits_are_mended_where_the_check_digits_then_fit(
    form: str, letters: str
) -> None:
    letter, digit = letters
    lines = list(SPECIMENS[form])
    dates = slice(0, 7) if form == "TD1" else slice(13, 20)
    second = lines[1]
    lines[1] = second[: dates.start] + second[dates].replace(digit, letter) + second[dates.stop :]
    zone = parse_zone(lines)
    assert zone.birth == parse_zone(SPECIMENS[form]).birth
    assert zone.mended == second[dates].count(digit)
    assert zone.all_fit


def test_unknown_birth_parts_and_sex_stay_unknown() -> None:
    birth = "74<<<<"
    second = f"L898902C36UTO{birth}{check_digit(birth)}<1204159ZE184226B<<<<<1"
    head = second[0:10] + second[13:20] + second[21:43]
    zone = parse_zone([TD3[0], second + check_digit(head)])
    assert zone.all_fit
    assert (birth_of(zone, 2025), zone.sex) == ("1974-00-00", "")


def test_a_check_digit_may_be_filler_only_where_its_field_is() -> None:
    assert check_digit("400000000") != "0"
    second = TD3[1]
    # A birth date whose check digit is 0, printed as filler: the field is not empty.
    birth = next(f"7401{d:02d}" for d in range(1, 29) if check_digit(f"7401{d:02d}") == "0")
    zone = parse_zone([TD3[0], second[:13] + birth + "<" + second[20:]])
    assert not next(c for c in zone.checks if c.field == "birth").fits


def test_a_full_name_field_may_have_been_cut() -> None:
    assert parse_zone(["P<UTO" + "A" * 20 + "<<" + "B" * 17, TD3[1]]).name_cut


@pytest.mark.parametrize("lines", [[], ["P<UTO"], [TD3[0], TD3[1][:-1]], [TD3[0], "é" * 44]])
def test_lines_of_no_known_shape_are_an_error(lines: list[str]) -> None:
    with pytest.raises(ReadError):
        parse_zone(lines)


def test_a_column_of_zones_fills_what_is_empty_and_counts_what_is_wrong() -> None:
    head = "crossing_id,direction,event_time,mode,surname,mrz\n"
    lead = "arrival,2025-03-01T12:30:00Z,air"
    wrong = TD3[1][:-1] + "5"
    data = (f"{head}1,{lead},,{'|'.join(TD3)}\n2,{lead},OTHER,\"{TD3[0]}\n{wrong}\"\n"
            f"3,{lead},MINE,garbage\n")  # fmt: skip
    policy, now = load_policy().read, datetime(2026, 1, 1, tzinfo=UTC)
    reading = read_bytes(data.encode(), "x.csv", policy, source="s", now=now)
    rows = reading.crossings.select("surname", "birth_date", "sex", "document_number").rows()
    assert rows == [
        ("ERIKSSON", "1974-08-12", "F", "L898902C3"),
        ("OTHER", "1974-08-12", "F", "L898902C3"),
        ("MINE", None, None, None),
    ]
    counted = dict(reading.quality.select("issue", "records").rows())
    assert counted["mrz_check_digit_wrong"] == counted["mrz_unreadable"] == 1


@pytest.mark.shared_data
@pytest.mark.skipif(not CASES.is_file(), reason="samples by others are not here")
def test_zones_by_others_are_read_as_they_say() -> None:
    for case in json.loads(CASES.read_text("utf-8")):
        zone = parse_zone(case["lines"])
        if zone.mended:  # the sample's verdicts are on the lines as they were scanned
            assert zone.all_fit or not case["all_check_digits_ok"]
            continue
        found = (zone.form, zone.issuer, zone.document_number, zone.birth, zone.expiry,
                 zone.nationality, zone.surname, zone.given_names, zone.name_cut)  # fmt: skip
        names = ("format", "issuer", "document_number", "birth", "expiry", "nationality",
                 "surname", "given", "name_field_full")  # fmt: skip
        assert found == tuple(case[n] for n in names), case["sources"]
        assert zone.all_fit == case["all_check_digits_ok"], case["sources"]
