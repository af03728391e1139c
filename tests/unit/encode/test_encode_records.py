"""From crossings to encodings: what agrees, what does not, and what has left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sojourn.encode import MemoryKeyProvider, encodable, encode, encode_status, encoder
from sojourn.encode.encoder import EPOCH_BIT, KIND_MASK
from sojourn.encode.keys import Purpose
from sojourn.errors import KeyProviderError, PolicyError
from sojourn.policy import load_policy
from sojourn.schemas import CROSSINGS, ENCODINGS, STATUS_CHANGES, KeyKind

POLICY = load_policy().encode
KEYS = MemoryKeyProvider(b"test")
DATED = {KeyKind.NAME_DATE, KeyKind.SOUND_DATE}
YEARLY = {KeyKind.PAIR_YEAR, KeyKind.SIDE_YEAR}
NAMELESS = {KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR, KeyKind.BIRTH}
SIDEWAYS = {*NAMELESS, KeyKind.SIDE_YEAR}


def crossing(crossing_id: str = "1", **changes: object) -> dict[str, object]:
    day = changes.get("local_date", date(2025, 3, 1))
    assert isinstance(day, date)
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return {
        "source": "booth",
        "crossing_id": crossing_id,
        "direction": "arrival",
        "event_time": at,
        "recorded_at": at,
        "local_date": day,
        "evidence": "crossed",
        "mode": "air",
        "surname": "Popova",
        "given_names": "Anna Maria",
        "sex": "F",
        "birth_date": "1980-05-17",
        "nationality": "UTO",
        "document_number": "AB1234567",
        "stay_limit": "unknown",
        "withdrawn": False,
        **changes,
    }


def crossings(*rows: dict[str, object]) -> pl.DataFrame:
    schema = {c.name: c.dtype for c in CROSSINGS.columns if c.name in rows[0]}
    return CROSSINGS.conform(pl.DataFrame(list(rows), schema=schema))


def kinds(encodings: pl.DataFrame, row: int = 0) -> list[KeyKind]:
    return [KeyKind(k & KIND_MASK) for k in encodings["key_kinds"][row]]


def keys_in_common(encodings: pl.DataFrame) -> set[KeyKind]:
    first, second = (
        dict(zip(encodings["match_keys"][r], kinds(encodings, r), strict=True)) for r in (0, 1)
    )
    return {first[key] for key in set(first) & set(second)}


def test_an_encoding_holds_nothing_that_names_a_traveller() -> None:
    made = encode(crossings(crossing()), KEYS, POLICY)
    gone = {"surname", "given_names", "birth_date", "document_number", "crossing_id", "service"}
    assert not gone & set(made.columns)
    written = str(made.to_dicts())
    for value in ("POPOVA", "Popova", "ANNA", "AB1234567", "1980"):
        assert value not in written


@pytest.mark.parametrize("unknown", ["0000-00-00", None])
def test_without_a_birth_date_no_key_is_made_of_a_date(unknown: str | None) -> None:
    made = encode(crossings(crossing(birth_date=unknown)), KEYS, POLICY)
    assert set(kinds(made)) == {KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR, KeyKind.NAMES_SEX}
    assert made["age_band"][0] is None


def test_a_birth_year_alone_makes_pairs_with_the_year_only() -> None:
    made = encode(crossings(crossing(birth_date="1980-00-00")), KEYS, POLICY)
    assert KeyKind.PAIR_YEAR in kinds(made)
    assert not {*DATED, KeyKind.PAIR_DAY} & set(kinds(made))


def test_two_travellers_without_name_date_or_document_share_no_key() -> None:
    nobody = {"surname": "", "given_names": "", "birth_date": None, "document_number": None}
    made = encode(crossings(crossing("1", **nobody), crossing("2", **nobody)), KEYS, POLICY)
    assert made["match_keys"].list.len().to_list() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"surname": "Anna Maria", "given_names": "Popova"}, set()),
        ({"document_number": "AB12345G7"}, {KeyKind.DOCUMENT}),
        ({"birth_date": "1980-05-18"}, {*DATED, KeyKind.PAIR_DAY, KeyKind.BIRTH}),
        ({"birth_date": "1981-05-17"}, {*DATED, *YEARLY, KeyKind.BIRTH}),
        ({"document_number": None}, {KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR}),
        ({"sex": "M"}, {KeyKind.NAMES_SEX, KeyKind.SIDE_YEAR, KeyKind.BIRTH}),
        ({"nationality": "XXA"}, {KeyKind.BIRTH}),
        ({"surname": "Hansen", "given_names": "Eva"}, set(KeyKind) - NAMELESS),
        ({"surname": "Popovaxyz", "given_names": "Annamaria"}, set(KeyKind) - SIDEWAYS),
        ({"surname": "Попова"}, set()),
    ],
)
def test_what_a_wrong_field_costs(changes: dict[str, object], lost: set[KeyKind]) -> None:
    first = crossing("1", document_number="AB1234567")
    second = crossing("2", **{"document_number": "AB1234567", **changes})
    shared = keys_in_common(encode(crossings(first, second), KEYS, POLICY))
    assert shared == set(KeyKind) - lost


def test_day_and_month_swapped_keep_their_sound_keys() -> None:
    rows = crossings(crossing("1", birth_date="1980-05-07"), crossing("2", birth_date="1980-07-05"))
    assert KeyKind.SOUND_DATE in keys_in_common(encode(rows, KEYS, POLICY))
    assert KeyKind.NAME_DATE not in keys_in_common(encode(rows, KEYS, POLICY))


def test_another_key_gives_nothing_in_common() -> None:
    one = encode(crossings(crossing()), KEYS, POLICY)
    other = encode(crossings(crossing()), MemoryKeyProvider(b"other"), POLICY)
    assert not set(one["match_keys"][0]) & set(other["match_keys"][0])
    assert one["crossing_ref"][0] != other["crossing_ref"][0]


def test_the_same_record_again_is_the_same_encoding_wherever_it_stands() -> None:
    rows = crossings(*(crossing(str(n), surname=f"Ivanova{chr(65 + n % 26)}") for n in range(40)))
    whole = encode(rows, KEYS, POLICY)
    parts = [encode(rows[n : n + 7], KEYS, POLICY) for n in range(0, 40, 7)]
    assert_frame_equal(whole, pl.concat(parts))
    assert_frame_equal(encode(rows.reverse(), KEYS, POLICY), whole.reverse())


def test_slices_of_a_long_table_do_not_touch_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = crossings(*(crossing(str(n), surname=f"Ivanova{chr(65 + n % 26)}") for n in range(40)))
    whole = encode(rows, KEYS, POLICY)
    monkeypatch.setattr(encoder, "ROWS_AT_ONCE", 7)
    assert_frame_equal(encode(rows, KEYS, POLICY), whole)


def test_references_differ_by_source_and_id_and_never_run_together() -> None:
    rows = crossings(
        crossing("1"), crossing("2"), crossing("1", source="gate"),
        crossing("h1", source="boot"), crossing("1", source="booth2"),
    )  # fmt: skip
    refs = encode(rows, KEYS, POLICY)["crossing_ref"]
    assert refs.n_unique() == 5
    assert set(refs.bin.size().to_list()) == {16}


def test_a_departure_early_in_an_epoch_still_meets_a_stay_of_the_epoch_before() -> None:
    short = replace(POLICY, epoch_days=100, overlap_days=30)
    rows = crossings(
        crossing("1", local_date=date(2000, 4, 9)),  # day 99: epoch 0
        crossing("2", direction="departure", local_date=date(2000, 4, 20)),  # day 110: epoch 1
    )
    made = encode(rows, KEYS, short)
    assert made["key_epoch"].to_list() == [0, 1]
    assert keys_in_common(made) == set(KeyKind)
    assert {k & EPOCH_BIT for k in made["key_kinds"][0]} == {0}
    assert {k & EPOCH_BIT for k in made["key_kinds"][1]} == {0, EPOCH_BIT}


def test_past_the_overlap_a_departure_has_its_own_epochs_keys_only() -> None:
    short = replace(POLICY, epoch_days=100, overlap_days=30)
    late = date(2000, 5, 10)  # day 130: the first day past the overlap
    made = encode(crossings(crossing(direction="departure", local_date=late)), KEYS, short)
    assert {k & EPOCH_BIT for k in made["key_kinds"][0]} == {EPOCH_BIT}


def test_records_of_a_destroyed_epoch_are_told_beforehand_and_refused() -> None:
    keys = MemoryKeyProvider(b"old")
    short = replace(POLICY, epoch_days=100, overlap_days=30, reference_epoch_days=50)
    keys.destroy_before(Purpose.MATCH, 1)
    days = pl.Series([date(2000, 4, 9), date(2000, 4, 10)])
    assert encodable(days, keys, short).to_list() == [False, True]
    with pytest.raises(KeyProviderError, match="epoch 0 has been destroyed"):
        encode(crossings(crossing(local_date=date(2000, 4, 9))), keys, short)
    made = encode(
        crossings(crossing(direction="departure", local_date=date(2000, 4, 10))), keys, short
    )
    assert {k & EPOCH_BIT for k in made["key_kinds"][0]} == {EPOCH_BIT}


def test_a_status_change_shares_its_travellers_keys() -> None:
    arrival = crossings(crossing())
    change = STATUS_CHANGES.conform(
        arrival.select(
            "source", "recorded_at", "surname", "given_names", "sex", "birth_date", "nationality",
            "document_number", status_id="crossing_id", kind=pl.lit("extension"),
            effective_date="local_date",
        )
    )  # fmt: skip
    encoded = encode_status(change, KEYS, POLICY)
    own = set(encode(arrival, KEYS, POLICY)["match_keys"][0])
    assert own <= set(encoded["match_keys"][0])


def test_nothing_in_gives_nothing_out() -> None:
    made = encode(CROSSINGS.empty(), KEYS, POLICY)
    assert made.schema == ENCODINGS.schema
    assert made.is_empty()


def test_more_name_tokens_than_the_kernel_keys_is_a_policy_error() -> None:
    with pytest.raises(PolicyError, match="max_name_tokens: expected at most 6, found 7"):
        encode(crossings(crossing()), KEYS, replace(POLICY, max_name_tokens=7))


@pytest.mark.parametrize(
    ("born", "on", "band"),
    [
        ("2010-03-02", date(2025, 3, 1), "0-14"),
        ("2010-03-01", date(2025, 3, 1), "15-24"),
        ("1980-00-00", date(2025, 3, 1), "45-64"),
        ("1960-12-31", date(2025, 3, 1), "45-64"),
        ("1950-01-01", date(2025, 3, 1), "65+"),
        ("2026-01-01", date(2025, 3, 1), None),
    ],
)
def test_the_age_band_is_of_the_day_of_crossing(born: str, on: date, band: str | None) -> None:
    made = encode(crossings(crossing(birth_date=born, local_date=on)), KEYS, POLICY)
    assert made["age_band"][0] == band
