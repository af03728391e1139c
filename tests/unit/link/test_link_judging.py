"""An evaluation gives scores of invented people, of enough of them, and no pair."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import LinkageError, PrivacyError, ReadError
from sojourn.link import load_weights
from sojourn.pipeline import evaluate
from sojourn.pipeline.judging import (
    GROUPS,
    IN_TIME,
    LATE,
    LEAST_GROUP,
    LEAST_PAIRS,
    OPEN_ENDED,
    Accuracy,
    Evaluation,
    read_truth,
    worst_gap,
)
from sojourn.policy import load_policy
from sojourn.schemas import TRUTH, check_table
from sojourn.scripts import script_of
from sojourn.simulate import Country, World, build_country

POLICY = load_policy()
TABLE = load_weights()


@pytest.fixture(scope="module")
def country() -> Country:
    return build_country(World(stays=4_000, seed=11))


@pytest.fixture(scope="module")
def found(country: Country) -> Evaluation:
    return evaluate(country.crossings, country.truth, POLICY, TABLE)


def test_linking_an_ordinary_country_reaches_its_goal(found: Evaluation) -> None:
    assert found.overall.pairs > LEAST_PAIRS
    assert found.overall.f1 >= 0.995
    assert found.policy_digest == POLICY.digest


def test_fewer_than_1000_pairs_are_refused(country: Country) -> None:
    few = country.truth.head(LEAST_PAIRS - 1)
    with pytest.raises(PrivacyError, match="999 pairs; an evaluation needs at least 1000"):
        evaluate(country.crossings, few, POLICY, TABLE)


def test_no_group_under_100_is_reported_though_there_are_such_groups(
    country: Country, found: Evaluation
) -> None:
    assert set(found.groups) == set(GROUPS)
    assert not found.groups["case"], "nobody here is hard"
    for name in set(GROUPS) - {"case"}:
        groups = found.groups[name]
        assert groups
        assert min(scored.pairs for scored in groups.values()) >= LEAST_GROUP
    assert country.crossings["nationality"].n_unique() > len(found.groups["nationality"])


def test_what_an_evaluation_says_holds_no_record_and_no_reference(
    country: Country, found: Evaluation
) -> None:
    said = json.dumps(found.as_dict())
    for column in ("crossing_id", "document_number", "surname", "birth_date"):
        for value in country.crossings[column].drop_nulls().head(200):
            assert f'"{value}"' not in said
    assert {"precision", "recall", "f1", "crossings", "seconds"} <= set(found.as_dict())


def test_scores_follow_from_what_was_found(country: Country) -> None:
    """A threshold that nothing passes finds nothing; truth that is shuffled is not found."""
    deaf = replace(POLICY, linkage=replace(POLICY.linkage, threshold_log2_odds=1e6))
    nothing = evaluate(country.crossings, country.truth, deaf, TABLE)
    assert (nothing.overall.recall, nothing.overall.f1) == (0.0, 0.0)
    turned = country.truth.with_columns(pl.col("departure_id").shift(7).fill_null("nobody"))
    assert evaluate(country.crossings, turned, POLICY, TABLE).overall.f1 < 0.01


def test_the_key_it_is_done_under_changes_no_score(country: Country, found: Evaluation) -> None:
    other = evaluate(country.crossings, country.truth, POLICY, TABLE, seed=b"another")
    assert other.overall == found.overall
    assert other.groups == found.groups


def test_truth_without_cases_is_judged_as_before(country: Country, found: Evaluation) -> None:
    bare = evaluate(country.crossings, country.truth.drop("case"), POLICY, TABLE)
    assert bare.overall == found.overall
    assert bare.groups == found.groups


def test_the_groups_of_a_pair_are_those_of_its_arrival(country: Country, found: Evaluation) -> None:
    arrivals = country.truth.join(
        country.crossings, left_on="arrival_id", right_on="crossing_id"
    ).with_columns(
        script=pl.col("nationality").map_elements(script_of, return_dtype=pl.String)
    )  # fmt: skip
    assert "Latn" in found.groups["script"]
    for group in ("nationality", "mode", "sex", "script"):
        counted = dict(arrivals.group_by(pl.col(group).cast(pl.String)).len().iter_rows())
        for name, scored in found.groups[group].items():
            assert scored.pairs == counted[name], (group, name)


def test_who_leaves_on_the_last_permitted_day_is_in_time_and_a_day_on_late(
    country: Country,
) -> None:
    """Permissions rewritten: to the very day for a third, to the day before for another."""
    left = country.truth.join(
        country.crossings.select("crossing_id", left="local_date"),
        left_on="departure_id", right_on="crossing_id",
    ).with_row_index("turn").with_columns(
        until=pl.when(pl.col("turn") % 3 == 0).then("left")
        .when(pl.col("turn") % 3 == 1).then(pl.col("left") - pl.duration(days=1))
    )  # fmt: skip
    crossings = country.crossings.join(
        left.select("arrival_id", "until"), left_on="crossing_id", right_on="arrival_id",
        how="left", maintain_order="left",
    ).with_columns(authorised_until="until").drop("until")  # fmt: skip
    timed = evaluate(crossings, country.truth, POLICY, TABLE).groups["timing"]
    third = country.truth.height / 3
    assert set(timed) == {IN_TIME, LATE, OPEN_ENDED}
    assert all(abs(scored.pairs - third) <= 1 for scored in timed.values())
    assert min(scored.f1 for scored in timed.values()) > 0.99


def test_a_false_pair_counts_to_its_arrivals_case_or_else_its_departures(
    country: Country,
) -> None:
    """Truth is falsified for two cases: what is found there is then wrong, and only there."""
    case = pl.Series("case", [None, "family", "commuter", "renewed"])
    cased = country.truth.with_columns(case=case[(pl.arange(country.truth.height, eager=True) % 4)])
    family = pl.col("case") == "family"
    # Families: arrivals have another's departure. Commuters: the arrivals are in no truth.
    turned = cased.filter(family).with_columns(pl.col("departure_id").shift(1).fill_null("nobody"))
    others = cased.filter(pl.col("case") == "commuter").with_columns(
        arrival_id=cased.filter(pl.col("case").is_null())["arrival_id"].head(
            cased.filter(pl.col("case") == "commuter").height
        )
    )
    told = cased.filter(pl.col("case") == "renewed")
    by_case = evaluate(
        country.crossings, pl.concat([turned, others, told]), POLICY, TABLE
    ).groups["case"]  # fmt: skip
    assert by_case["family"].precision == by_case["family"].recall == 0.0
    assert by_case["commuter"].precision == by_case["commuter"].recall == 0.0
    assert by_case["renewed"].precision > 0.99
    assert by_case["renewed"].recall > 0.99


def test_the_worst_group_of_1000_pairs_is_named_with_its_gap() -> None:
    def scored(pairs: int, f1: float) -> Accuracy:
        return Accuracy(pairs, f1, f1, f1)

    groups = {
        "nationality": {"DEU": scored(4000, 0.99), "IND": scored(1000, 0.97),
                        "LAO": scored(999, 0.5)},
        "script": {"Latn": scored(9000, 0.985)},
        "mode": {"land": scored(3000, 0.6)},
    }  # fmt: skip
    gap = worst_gap(scored(20_000, 0.98), groups)
    assert gap is not None
    assert (gap.group, gap.name, gap.pairs, gap.f1) == ("nationality", "IND", 1000, 0.97)
    assert gap.below == pytest.approx(0.01)
    assert worst_gap(scored(500, 0.9), {"nationality": {}, "script": {}}) is None


def test_the_worst_gap_is_printed_and_in_the_json(found: Evaluation) -> None:
    assert found.worst_gap is not None
    assert found.worst_gap.name in found.remarks()[0]
    said = found.as_dict()
    assert said["worst_gap"] == asdict(found.worst_gap)
    assert {f"by_{group}" for group in GROUPS} <= set(said)
    silent = replace(found, worst_gap=None, capped=0, without_keys=0)
    assert silent.remarks() == []
    assert silent.as_dict()["worst_gap"] is None


def test_what_could_not_be_compared_is_remarked(country: Country) -> None:
    """Records without any usable key, and keys that too many share."""
    nameless = pl.arange(country.crossings.height, eager=True) % 50 == 0
    blank = [
        pl.when(nameless).then(None).otherwise(n).alias(n)
        for n in ("birth_date", "document_number")
    ]
    names = [pl.when(nameless).then(pl.lit("X")).otherwise(n).alias(n)
             for n in ("surname", "given_names")]  # fmt: skip
    narrow = replace(POLICY, linkage=replace(POLICY.linkage, candidates_per_key=1))
    spoilt = evaluate(country.crossings.with_columns(*blank, *names), country.truth, narrow, TABLE)
    assert spoilt.without_keys == int(nameless.sum())
    assert spoilt.capped > 0
    said = " ".join(spoilt.remarks())
    assert f"{spoilt.without_keys:,} records without a usable key" in said
    assert f"{spoilt.capped:,} look-ups of a key cut short" in said


def test_weights_of_another_encode_policy_judge_nothing(country: Country) -> None:
    fewer = replace(POLICY, encode=replace(POLICY.encode, kinds=POLICY.encode.kinds[:-1]))
    with pytest.raises(LinkageError, match="learned under another"):
        evaluate(country.crossings, country.truth, fewer, TABLE)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_truth_files_with_and_without_cases_are_read(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"truth.{ending}"
    rows = pl.DataFrame({"arrival_id": ["1", "2", None], "departure_id": ["3", "4", "5"]})
    for frame, cases in (
        (rows, [None, None]),
        (rows.with_columns(case=pl.Series(["family", None, None])), ["family", None]),
    ):
        frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
        read = read_truth(path)
        check_table(read, TRUTH)
        assert read["arrival_id"].to_list() == ["1", "2"]
        assert read["case"].to_list() == cases


def test_a_case_that_nobody_knows_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("arrival_id,departure_id,case\n1,2,wizards\n")
    with pytest.raises(ReadError, match="twins_together") as caught:
        read_truth(path)
    assert "wizards" not in str(caught.value)


def test_a_truth_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match=r"truth\.csv: expected Parquet or CSV with arrival_id"):
        read_truth(path)
