"""Zones written here, read back; and single digits changed, noticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.read import parse_zone
from sojourn.read.mrz import check_digit

NAME = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=15)
NUMBER = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9)
DIGITS = st.text("0123456789", min_size=6, max_size=6)


def write_passport(surname: str, given: str, number: str, birth: str, expiry: str) -> list[str]:
    one = f"P<UTO{surname}<<{given}".ljust(44, "<")
    number, rest = number.ljust(9, "<"), "<" * 14
    head = number + check_digit(number)
    dates = birth + check_digit(birth), expiry + check_digit(expiry)
    composite = check_digit(head + "".join(dates) + rest + "0")
    return [one, f"{head}UTO{dates[0]}F{dates[1]}{rest}0{composite}"]


@given(NAME, NAME, NUMBER, DIGITS, DIGITS)
def test_what_is_written_is_read_back(
    surname: str, given_name: str, number: str, birth: str, expiry: str
) -> None:
    zone = parse_zone(write_passport(surname, given_name, number, birth, expiry))
    assert (zone.surname, zone.given_names, zone.document_number) == (surname, given_name, number)
    assert (zone.birth, zone.expiry, zone.all_fit, zone.mended) == (birth, expiry, True, 0)


PLACES = [*range(10), *range(13, 20), *range(21, 28), 42, 43]


@given(NUMBER, DIGITS, DIGITS, st.sampled_from(PLACES), st.integers(1, 9))
def test_any_single_digit_changed_is_noticed(
    number: str, birth: str, expiry: str, place: int, shift: int
) -> None:
    one, two = write_passport("A", "B", number, birth, expiry)
    if not two[place].isdigit():
        return
    changed = str((int(two[place]) + shift) % 10)
    zone = parse_zone([one, two[:place] + changed + two[place + 1 :]])
    assert not zone.all_fit
