"""Weight tables: written, read, refused; what was never seen takes coarser odds."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LinkageError
from sojourn.link import (
    Provenance,
    WeightTable,
    check_weights,
    dump_weights,
    learn_weights,
    load_weights,
)
from sojourn.link.patterns import FIELDS, PATTERNS, decode_patterns, encode_patterns
from sojourn.link.weights import GAP_DAYS, MICROSECONDS_A_DAY, learn_curves, learn_log2_odds
from sojourn.policy import load_policy

POLICY = load_policy()
PROVENANCE = Provenance(1, "test", ("seed 1",), POLICY.encode.digest)


def code(**fields: int) -> int:
    return int(encode_patterns({f.name: np.array([fields.get(f.name, 0)]) for f in FIELDS})[0])


def same(one: WeightTable, other: WeightTable) -> bool:
    return dump_weights(one) == dump_weights(other)


def test_a_pattern_is_one_number_and_back() -> None:
    every = np.arange(PATTERNS)
    fields = decode_patterns(every)
    assert (encode_patterns(fields) == every).all()
    assert all(int(fields[f.name].max()) == f.size - 1 for f in FIELDS)


def test_a_written_table_reads_as_it_was(tmp_path: Path) -> None:
    table = load_weights()
    path = tmp_path / "weights.npz"
    path.write_bytes(dump_weights(table))
    again = load_weights(path)
    assert same(table, again)
    assert again.provenance == table.provenance
    assert (again.classes, again.offset, again.open_stays) == (
        table.classes, table.offset, table.open_stays,
    )  # fmt: skip


def test_the_shipped_table_belongs_to_the_shipped_policy() -> None:
    check_weights(load_weights(), POLICY.encode.digest)


def test_a_table_of_another_encode_policy_is_refused_with_both_digests() -> None:
    other = replace(POLICY.encode, max_name_tokens=3).digest
    with pytest.raises(LinkageError, match=f"{POLICY.encode.digest}.*{other}.*sojourn train"):
        check_weights(load_weights(), other)


def test_epochs_are_no_part_of_what_a_table_was_learned_under() -> None:
    check_weights(load_weights(), replace(POLICY.encode, epoch_days=91).digest)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"weights", dump_weights(load_weights())[:500]]
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(data)
    with pytest.raises(LinkageError, match="not a weight table"):
        load_weights(path)


def test_a_table_for_other_patterns_is_refused(tmp_path: Path) -> None:
    with np.load(io.BytesIO(dump_weights(load_weights()))) as held:
        parts = dict(held)
    about = json.loads(parts["about"].tobytes())
    about["fields"][0][1] += 1
    parts["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    path = tmp_path / "weights.npz"
    np.savez(path, **parts)
    with pytest.raises(LinkageError, match="made for other patterns"):
        load_weights(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkageError, match=r"none\.npz: cannot be read"):
        load_weights(tmp_path / "none.npz")


def test_training_without_a_country_is_refused() -> None:
    with pytest.raises(LinkageError, match="at least one simulated country"):
        learn_weights([], POLICY.linkage, PROVENANCE)


def test_a_pattern_never_seen_takes_the_odds_of_its_coarser_neighbour() -> None:
    good = code(
        document=3, names=2, sounds=2, pairs_year=1, pairs_day=1, sex=2, nationality=2, tokens=2
    )
    bad = code(document=1, names=1, sounds=1, sex=1, nationality=1, tokens=2)
    pattern = np.repeat([good, bad], 1000)
    odds = learn_log2_odds(pattern, pattern == good, np.ones(pattern.size))
    # The same as ``good`` but for the number of tokens, which was never three with it.
    unseen = code(
        document=3, names=2, sounds=2, pairs_year=1, pairs_day=1, sex=2, nationality=2, tokens=3
    )
    assert odds[good] > 8
    assert odds[bad] < -8
    assert 5 < odds[unseen] <= odds[good]
    # Nothing like it was seen: the odds of a pair at large, here one in two.
    stranger = code(document=2, names=0, sounds=3, pairs_day=3)
    assert abs(odds[stranger]) < 0.5


def test_odds_follow_what_pairs_count_for() -> None:
    pattern = np.full(4000, code(names=1, sounds=1))
    matches = np.arange(4000) < 1000
    worth = np.where(matches, 1.0, 2.0)
    found = learn_log2_odds(pattern, matches, worth)[pattern[0]]
    assert found == pytest.approx(np.log2(1000 / 6000), abs=0.01)


def test_stay_curves_fall_and_seldom_classes_share_the_first() -> None:
    days = np.concatenate([np.full(900, 3.0), np.full(600, 80.0), np.full(10, 1.0)])
    classes = pl.Series(["visitor"] * 900 + ["student"] * 600 + ["rare"] * 10)
    names, curves = learn_curves(days, classes)
    assert names == ("", "student", "visitor")
    assert (np.diff(curves, axis=1) <= 0).all()
    visitor, student = curves[2], curves[1]
    at_60 = int(np.searchsorted(GAP_DAYS, 60))
    assert student[at_60] == 0.0, "every student stays that long"
    assert visitor[at_60] < -10, "no visitor does"
    odds = np.zeros(PATTERNS, np.float32)
    table = WeightTable(odds, odds, names, curves, 1.0, 0.0, PROVENANCE)
    assert table.curve_of("student") == 1
    assert table.curve_of("rare") == table.curve_of(None) == 0


def test_a_weight_is_pattern_plus_stay_less_prior() -> None:
    curves = np.zeros((1, GAP_DAYS.size), np.float32)
    odds = np.zeros(PATTERNS, np.float32)
    odds[7] = 12.0
    table = WeightTable(odds, odds, ("",), curves, 1000.0, 0.5, PROVENANCE)
    pattern, curve = np.array([7]), np.array([0])
    week = np.array([7 * MICROSECONDS_A_DAY])
    # 12 for the pattern, log2(1 + 7) = 3 for the days, 0.5 offset, twice the open stays: 1.
    assert table.weigh(pattern, curve, week, 2000.0)[0] == pytest.approx(12 - 3 + 0.5 - 1)
    assert table.weigh(pattern, curve, week, 1000.0)[0] == pytest.approx(12 - 3 + 0.5)


def test_the_longer_stay_never_weighs_more() -> None:
    table = load_weights()
    gaps = (np.linspace(0, 1100, 2000) * MICROSECONDS_A_DAY).astype(np.int64)
    for curve in range(len(table.classes)):
        bits = table.stay_bits(np.full(gaps.size, curve), gaps)
        assert (np.diff(bits) <= 1e-5).all()
