"""Hard people are what their case says, come beside the ordinary, and leave them as they are."""

from __future__ import annotations

import polars as pl
import pytest

from sojourn.schemas import CROSSINGS, STATUS_CHANGES, TRUTH, HardCase, check_table
from sojourn.simulate import Country, World, build_country, measure_agreement

EACH = 120
PLAIN = World(stays=1500, seed=17)
HARD = World(stays=1500, seed=17, hard_stays=EACH)
CLEAN = World(
    stays=300, seed=17, hard_stays=EACH, noise=0.0, no_shows=0.0, lists=1, entry_coverage=1.0,
    exit_coverage=dict.fromkeys(HARD.exit_coverage, 1.0),
)  # fmt: skip
WRITTEN = ["surname", "given_names", "birth_date", "sex", "nationality", "document_number"]


@pytest.fixture(scope="module")
def hard() -> Country:
    return build_country(HARD)


@pytest.fixture(scope="module")
def stays() -> pl.DataFrame:
    """Each stay of a world without errors: case, traveller, and both ends as written."""
    country = build_country(CLEAN)
    ends = country.crossings.join(country.travellers, on="crossing_id", validate="1:1").select(
        "crossing_id", "traveller", "stay", "event_time", "source", *WRITTEN
    )
    return country.truth.join(ends, left_on="arrival_id", right_on="crossing_id").join(
        ends, left_on="departure_id", right_on="crossing_id", suffix="_left"
    )


def of(stays: pl.DataFrame, case: HardCase) -> pl.DataFrame:
    return stays.filter(pl.col("case") == case.value).sort("traveller", "event_time")


def same(stays: pl.DataFrame, *columns: str) -> pl.Series:
    """Rows in which the two ends agree in all of ``columns``."""
    agree = [pl.col(c).eq_missing(pl.col(f"{c}_left")) for c in columns]
    return stays.select(pl.all_horizontal(agree)).to_series()


def beside(stays: pl.DataFrame) -> pl.DataFrame:
    """Twins: each second one with the first one's columns as ``one_*``."""
    before = stays.select(pl.all().shift(1).name.prefix("one_"))
    rows = pl.concat([stays, before], how="horizontal")
    return rows.filter(pl.col("traveller") == pl.col("one_traveller") + 1).filter(
        pl.col("birth_date") == pl.col("one_birth_date"), pl.col("surname") == pl.col("one_surname")
    )


def test_a_country_with_hard_people_is_made_of_the_same_tables(hard: Country) -> None:
    check_table(hard.crossings, CROSSINGS)
    check_table(hard.status_changes, STATUS_CHANGES)
    check_table(hard.truth, TRUTH)
    again = build_country(HARD)
    assert again.crossings.equals(hard.crossings)
    assert again.truth.equals(hard.truth)


def test_ordinary_travellers_do_the_same_with_hard_people_among_them(hard: Country) -> None:
    plain = build_country(PLAIN)
    count = plain.stays["stay"].max()
    told = ["stay", "direction", "source", "event_time", *WRITTEN]
    one, other = (
        c.crossings.join(c.travellers, on="crossing_id")
        .filter(pl.col("stay") <= count).select(told).sort(told)
        for c in (plain, hard)
    )  # fmt: skip
    assert one.equals(other)
    assert plain.truth["case"].null_count() == plain.truth.height


def test_every_case_has_about_as_many_stays_as_were_asked_for(hard: Country) -> None:
    counted: dict[str, int] = dict(
        hard.truth.filter(pl.col("case").is_not_null()).group_by("case").len().iter_rows()
    )
    assert set(counted) == {case.value for case in HardCase}
    # Some never leave, some exits nobody records.
    assert all(0.5 * EACH <= n <= EACH for n in counted.values())


def test_errors_of_recording_are_made_of_hard_people_too(hard: Country) -> None:
    cast = hard.truth.filter(pl.col("case") == HardCase.FAMILY.value).drop("case")
    crossings = hard.crossings
    family = Country(crossings, hard.status_changes, cast, hard.travellers, hard.stays)
    assert 0.4 < measure_agreement(family).all_six < 0.9


def test_twins_have_one_surname_one_birth_date_and_document_numbers_side_by_side(
    stays: pl.DataFrame,
) -> None:
    for case in (HardCase.TWINS_TOGETHER, HardCase.TWINS_APART):
        once = of(stays, case).unique("traveller", keep="first", maintain_order=True)
        twins = beside(once).with_columns(
            apart=pl.col("document_number").str.slice(1).cast(pl.Int64)
            - pl.col("one_document_number").str.slice(1).cast(pl.Int64)
        )
        assert twins.height > EACH / 5
        assert (twins["apart"] == 1).mean() == 1.0
        assert (twins["given_names"] != twins["one_given_names"]).mean() > 0.95


def test_twins_who_travel_together_cross_within_minutes_and_others_leave_apart(
    stays: pl.DataFrame,
) -> None:
    minutes = pl.duration(minutes=6)
    gone = (pl.col("event_time_left") - pl.col("one_event_time_left")).abs()
    together = beside(of(stays, HardCase.TWINS_TOGETHER).unique("traveller", maintain_order=True))
    together = together.filter((pl.col("event_time") - pl.col("one_event_time")).abs() < minutes)
    assert together.height > EACH / 5
    assert together.select((gone < minutes).mean()).item() > 0.95
    apart = beside(of(stays, HardCase.TWINS_APART))
    assert apart.select((gone > minutes).mean()).item() > 0.95


def test_a_son_can_have_all_his_fathers_names(stays: pl.DataFrame) -> None:
    names = ["surname", "given_names", "nationality"]
    families = of(stays, HardCase.FAMILY).unique("traveller")
    shared = families.filter(pl.struct(names).is_duplicated(), pl.col("given_names") != "")
    assert shared.height >= 4
    assert families.group_by("surname").len()["len"].max() >= 3
    assert (shared["sex"] == "M").mean() == 1.0


def test_papers_change_between_the_ends_of_a_stay_as_the_case_says(stays: pl.DataFrame) -> None:
    dual = of(stays, HardCase.DUAL_NATIONAL)
    assert not same(dual, "document_number").any()
    assert same(dual, "nationality").mean() < 0.1
    assert 0.4 < same(dual, "surname").mean() < 1.0
    assert same(dual, "birth_date", "sex").all()
    renewed = of(stays, HardCase.RENEWED)
    assert not same(renewed, "document_number").any()
    assert same(renewed, "surname", "given_names", "birth_date").mean() == 1.0
    changed = of(stays, HardCase.NAME_CHANGED)
    assert not same(changed, "surname").any()
    longer = changed.filter(
        pl.col("surname_left").str.starts_with(pl.concat_str("surname", pl.lit(" ")))
    )
    assert 0.3 < longer.height / changed.height < 0.7
    assert 0.3 < same(changed, "document_number").mean() < 0.7


def test_what_was_renewed_in_one_stay_stays_new_in_the_next(stays: pl.DataFrame) -> None:
    renewed = of(stays, HardCase.RENEWED).select("traveller", "event_time", "document_number_left")
    others = stays.filter(pl.col("case").is_null()).join(renewed, on="traveller", suffix="_hard")
    later = others.filter(pl.col("event_time") > pl.col("event_time_hard"))
    earlier = others.filter(pl.col("event_time") < pl.col("event_time_hard"))
    assert min(later.height, earlier.height) > 10
    assert (later["document_number"] == later["document_number_left_hard"]).mean() > 0.9
    assert (earlier["document_number"] == earlier["document_number_left_hard"]).sum() == 0


def test_commuters_come_hundreds_of_times_a_year() -> None:
    """A commuter's year, when so many stays are asked for."""
    country = build_country(World(stays=50, seed=4, hard_stays=300, lists=1))
    came = country.crossings.filter(pl.col("direction") == "arrival").join(
        country.truth.filter(pl.col("case") == HardCase.COMMUTER.value),
        left_on="crossing_id", right_on="arrival_id",
    )  # fmt: skip
    assert came.join(country.travellers, on="crossing_id").group_by("traveller").len()[
        "len"
    ].max() > 150  # fmt: skip
    assert (came["mode"] == "land").all()


def test_some_are_gone_within_minutes_and_some_turn_round_on_one_day(stays: pl.DataFrame) -> None:
    length = pl.col("event_time_left") - pl.col("event_time")
    minutes = of(stays, HardCase.WITHIN_MINUTES)
    assert minutes.select((length < pl.duration(hours=2)).all()).item()
    turns = of(stays, HardCase.SAME_DAY)
    days = turns.group_by("traveller", pl.col("event_time").dt.date()).len()
    assert days["len"].max() >= 3
    assert days["len"].mean() > 1.8  # type: ignore[operator]


def test_birth_dates_are_missing_at_one_end_or_at_both(stays: pl.DataFrame) -> None:
    whole = of(stays, HardCase.BIRTH_DATE_MISSING)
    gone = whole.select(pl.col("birth_date").is_null(), left=pl.col("birth_date_left").is_null())
    assert gone.select(pl.any_horizontal(pl.all()).all()).item()
    assert 0.3 < gone.select(pl.all_horizontal(pl.all()).mean()).item() < 0.7
    day = of(stays, HardCase.BIRTH_DAY_MISSING)
    cut = day.select(
        pl.col("birth_date").str.ends_with("-00"),
        left=pl.col("birth_date_left").str.ends_with("-00"),
    )
    assert cut.select(pl.any_horizontal(pl.all()).all()).item()
    assert 0.3 < cut.select(pl.all_horizontal(pl.all()).mean()).item() < 0.7


def test_a_single_name_stands_as_the_surname_alone(stays: pl.DataFrame) -> None:
    single = of(stays, HardCase.ONE_NAME)
    assert (single["given_names"] == "").all()
    assert not single["surname"].str.contains(" ").any()
