"""An evaluation gives scores of invented people, of enough of them, and no pair."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import PrivacyError, ReadError
from sojourn.link import load_weights
from sojourn.pipeline import evaluate
from sojourn.pipeline.judging import GROUPS, LEAST_GROUP, LEAST_PAIRS, Evaluation, read_truth
from sojourn.policy import load_policy
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


def test_a_truth_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match=r"truth\.csv: expected Parquet or CSV with arrival_id"):
        read_truth(path)
