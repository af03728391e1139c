"""Birth dates as they are known, references that can be read out, names that sound alike."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_web.cases.acts.basis import LANGUAGES
from sojourn_web.cases.applicant.languages import all_languages
from sojourn_web.cases.dates import PartialDate, parse_stored, read_birth_date
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.indexes import digest, digests_of_person, name_parts, plain_number, sound_of
from sojourn_web.cases.references import (
    ALPHABET,
    derive_code,
    digest_code,
    make_reference,
    read_reference,
)
from sojourn_web.cases.tongues import choices, codes, direction_of
from sojourn_web.cases.vocabulary import IndexKind

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "known"),
    [("1987-03-21", (1987, 3, 21)), ("1987-03", (1987, 3, None)), ("1987", (1987, None, None)),
     ("~1990", (1990, None, None)), ("", (None, None, None)), ("2000-01-01", (2000, 1, 1))],
)  # fmt: skip
def test_dates_are_taken_as_they_are_known(text: str, known: tuple[int | None, ...]) -> None:
    found = read_birth_date(text, TODAY)
    assert (found.year, found.month, found.day) == known
    assert found.about == text.startswith("~")
    assert parse_stored(str(found)) == found


@pytest.mark.parametrize("text", ["1900-01-01", "1970-01-01", "1111-11-11", "9999-12-31", "0001"])
def test_dates_that_stand_for_unknown_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(RefusedError, match="leave unknown parts empty"):
        read_birth_date(text, TODAY)


def test_a_dummy_that_a_document_shows_can_be_confirmed() -> None:
    assert read_birth_date("1970-01-01", TODAY, confirmed=True) == PartialDate(1970, 1, 1)


@pytest.mark.parametrize("text", ["21.3.1987", "1987-13", "1987-02-30", "2031", "about 1980"])
def test_impossible_dates_are_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        read_birth_date(text, TODAY)
    assert text not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "child"),
    [("2017-02", True), ("2008-03-02", False), ("2008-03-03", True), ("2008", None), ("", None),
     ("2008-03", None), ("~2009", None), ("~2016", True), ("1980", False)],
)  # fmt: skip
def test_a_child_is_one_only_where_the_date_says_so(text: str, child: bool | None) -> None:
    assert read_birth_date(text, TODAY).is_child_on(TODAY) is child


def test_references_carry_a_check_and_no_look_alikes() -> None:
    for alike in ("0O", "1IL", "8B", "5S", "2Z", "UV"):
        assert len(set(alike) & set(ALPHABET)) <= 1, alike
    for _ in range(50):
        reference = make_reference()
        assert read_reference(f" {reference.lower().replace('-', ' ')} ") == reference


@given(st.integers(0, 7), st.sampled_from(ALPHABET), st.integers(0, 6))
def test_one_wrong_or_two_exchanged_characters_are_noticed(
    place: int, other: str, swap: int
) -> None:
    plain = make_reference().replace("-", "")
    wrong = plain[:place] + other + plain[place + 1 :]
    swapped = plain[:swap] + plain[swap + 1] + plain[swap] + plain[swap + 2 :]
    for typed in {wrong, swapped} - {plain}:
        with pytest.raises(RefusedError, match="no reference"):
            read_reference(typed)


def test_codes_are_made_again_by_the_secret_alone() -> None:
    code = derive_code(b"secret", "person", "key")
    assert code == derive_code(b"secret", "person", "key")
    assert code != derive_code(b"other", "person", "key")
    kept = digest_code(b"secret", "K7WX-2MDQ", code)
    assert kept == digest_code(b"secret", "K7WX-2MDQ", code.lower().replace("-", " "))
    assert kept != digest_code(b"secret", "K7WX-2MDR", code)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mohammed", "Muhamed"), ("Yusuf", "Youssouf"), ("Diallo", "Dialo"), ("Khadija", "Hadidja"),
     ("Олена", "Olena"), ("محمد", "mhmd")],
)  # fmt: skip
def test_spellings_of_one_name_sound_alike(one: str, other: str) -> None:
    assert sound_of(name_parts(one)[0]) == sound_of(name_parts(other)[0])


def test_digests_are_keyed_and_of_one_office() -> None:
    rows = digests_of_person(b"secret", "north", ("Amina Diallo",), 1991)
    assert {kind for kind, _ in rows} == {IndexKind.NAME, IndexKind.SOUND, IndexKind.BIRTH_YEAR}
    assert not {d for _, d in rows} & {
        d for _, d in digests_of_person(b"secret", "south", ("Amina Diallo",), 1991)
    }
    assert digest(b"a", "n", IndexKind.NAME, "X") != digest(b"b", "n", IndexKind.NAME, "X")
    assert plain_number(" o-123 45 ") == "O12345"


def test_long_names_and_names_of_one_word_have_parts() -> None:
    assert name_parts("Sukarno") == ("SUKARNO",)
    assert len(name_parts(" ".join(["Ab"] * 3 + ["X" * 120]))) == 2
    assert name_parts("—") == ()


def test_there_is_one_list_of_languages_and_of_directions() -> None:
    assert choices() == LANGUAGES
    assert [code for code, _ in choices()] == list(codes()) == [x.code for x in all_languages()]
    assert ("fr", "French – français") in choices()
    assert ("en", "English") in choices()
    for code, direction in (("prs", "rtl"), ("ur", "rtl"), ("fa-AF", "rtl"), ("ckb", "rtl"),
                            ("ku", "ltr"), ("am", "ltr"), ("en", "ltr")):  # fmt: skip
        assert direction_of(code) == direction, code
    assert {x.code for x in all_languages() if x.right_to_left} == {
        code for code in codes() if direction_of(code) == "rtl"
    }
