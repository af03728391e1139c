"""What is said of links without the truth, held against the truth of simulated countries.

Smaller countries than ``python -m benchmarks quality`` has, and floors that leave room for the
chance in a few dozen false links.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.quality import Judged, judge, simulated

from lib.offices import hand_in, small_country, small_office
from sojourn.link import Trial
from sojourn.pipeline import Desk, Office, assess, load_files, reconcile, report_linkage
from sojourn.pipeline import quality as office_quality
from sojourn.pipeline.probing import DECOY_SHARE, decoys_for
from sojourn.schemas import LINKAGE_QUALITY, check_table
from sojourn.simulate.files import INPUT_COLUMNS
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

STAYS = 25_000


@pytest.fixture(scope="module")
def ordinary() -> Judged:
    return judge(simulated(STAYS, 51))


@pytest.fixture(scope="module")
def holes() -> Judged:
    """A country where many arrivals and departures go unrecorded, at ordinary noise."""
    return judge(simulated(STAYS, 52, entries=0.9, exits=0.8))


@pytest.fixture(scope="module")
def noisy() -> Judged:
    return judge(simulated(STAYS, 53, noise=3.0, entries=0.95, exits=0.9))


def test_false_links_are_told_within_a_factor_of_one_and_a_half(
    holes: Judged, noisy: Judged
) -> None:
    for judged in (holes, noisy):
        assert judged.false_links > 50
        assert 1 / 1.5 < judged.false_ratio < 1.5


def test_where_there_are_few_false_links_few_are_told(ordinary: Judged) -> None:
    told = ordinary.quality.false_links
    assert told.lower <= ordinary.false_links <= max(told.upper, 12)
    assert told.value < 20


def test_sensitivity_is_told_to_a_third_of_what_is_missed(ordinary: Judged, noisy: Judged) -> None:
    for judged, room in ((ordinary, 0.001), (noisy, 0.002)):
        assert judged.quality.sensitivity.value == pytest.approx(judged.sensitivity, abs=room)
        bounds = judged.quality.sensitivity_bounds
        assert bounds.lower <= judged.sensitivity <= bounds.upper


def test_coverage_times_sensitivity_is_told_within_5_percent_where_all_are_alike(
    ordinary: Judged, holes: Judged, noisy: Judged
) -> None:
    for judged in (ordinary, holes, noisy):
        assert judged.quality.coverage.value == pytest.approx(judged.coverage, rel=0.05)


@pytest.mark.parametrize("unlike", [0.15, -0.1])
def test_bounds_hold_the_truth_where_those_who_return_differ(unlike: float) -> None:
    judged = judge(simulated(STAYS, 54, unlike=unlike))
    bounds = judged.quality.coverage_bounds
    assert abs(judged.quality.coverage.value / judged.coverage - 1) > 0.05
    assert bounds.lower <= judged.coverage_over <= bounds.upper


def test_correction_brings_the_overstay_rate_within_3_percent_at_ordinary_noise(
    ordinary: Judged,
) -> None:
    assert abs(ordinary.error_after) < 0.03


def test_correction_takes_most_of_a_large_error_away(holes: Judged, noisy: Judged) -> None:
    for judged in (holes, noisy):
        assert abs(judged.error_after) < max(0.12, 0.5 * abs(judged.error_before))


def test_decoys_seldom_find_anybody(ordinary: Judged) -> None:
    assert ordinary.quality.decoy_chance.value < 0.03
    assert ordinary.quality.family_decoy_chance.value < 0.03
    assert ordinary.quality.decoy_chance.value < ordinary.quality.false_link_chance.upper


def kept(office: Office) -> pl.DataFrame:
    with office.open_ledger() as ledger:
        return ledger.linkage()


def total(counts: pl.DataFrame, what: What) -> int:
    held = (pl.col("what") == what.value) & (pl.col("group_kind") == Group.ALL.value)
    return int(counts.filter(held)["value"].sum())


def test_decoys_are_counted_at_intake_and_are_nowhere_else(
    tmp_path: Path, statistics_url: str
) -> None:
    office = small_office(tmp_path, statistics_url)
    country = small_country(stays=2_000, seed=8)
    with Desk(office) as desk:
        half = country.crossings.height // 2
        hand_in(desk, office, country.crossings.head(half), "one")
        hand_in(desk, office, country.crossings.tail(-half), "two")
    counts = kept(office)
    check_table(counts, LINKAGE_QUALITY)
    leaving = country.crossings.filter(pl.col("direction") == "departure").height
    assert 0.005 * leaving < total(counts, What.DECOYS) < 0.04 * leaving
    assert total(counts, What.FAMILY_DECOYS) > 0
    assert total(counts, What.DECOYS_LINKED) <= total(counts, What.DECOYS)
    with office.open_ledger() as ledger:
        held = pl.concat(list(ledger.all_reports()))
        assert "decoy" not in held["source"].to_list()
        assert "decoy" not in ledger.events()["source"].to_list()
        assert "decoy" not in ledger.quality()["source"].to_list()
    assert held.height == country.crossings.height


def test_the_same_file_again_asks_no_further_decoys(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    country = small_country(stays=2_000, seed=8)
    for _ in range(2):
        with Desk(office) as desk:
            hand_in(desk, office, country.crossings, "one")
    once = total(kept(office), What.DECOYS)
    other = small_office(tmp_path / "other")
    with Desk(other) as desk:
        hand_in(desk, other, country.crossings, "one")
    assert total(kept(other), What.DECOYS) == once > 0


def test_small_batches_are_asked_now_and_then_in_the_same_measure() -> None:
    crossings = small_country(stays=4_000, seed=12).crossings
    flights = [crossings.slice(at, 180) for at in range(0, crossings.height, 180)]
    asked = [decoys_for(f, f"flight {n} {again}").crossings.height
             for n, f in enumerate(flights) for again in range(20)]  # fmt: skip
    leaving = 20 * crossings.filter(pl.col("direction") == "departure").height
    assert 0 < np.count_nonzero(asked) < 0.4 * len(asked)
    assert sum(asked) == pytest.approx(2 * DECOY_SHARE * leaving, rel=0.2)


def test_asking_decoys_leaves_live_linking_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    country = small_country(stays=2_000, seed=9)
    third = country.crossings.height // 3
    stays = []
    for share in (0.0, 0.5):
        monkeypatch.setattr("sojourn.pipeline.probing.DECOY_SHARE", share)
        office = small_office(tmp_path / str(share))
        with Desk(office) as desk:
            for at in range(3):
                part = country.crossings.slice(at * third, third)
                hand_in(desk, office, part, f"part {at}")
        with office.open_ledger() as ledger:
            stays.append(ledger.stays())
    assert stays[0].equals(stays[1])


def test_an_assessment_is_kept_replaces_the_one_before_and_leaves_decoys(
    tmp_path: Path, statistics_url: str
) -> None:
    office = small_office(tmp_path, statistics_url)
    file = tmp_path / "country.parquet"
    small_country(stays=3_000, seed=10, lists=1).crossings.select(INPUT_COLUMNS).write_parquet(file)
    load_files(office, [file])
    reconcile(office)
    before = kept(office)
    assert report_linkage(office).whole is None
    rng = np.random.default_rng(1)
    assert assess(office, rng, trial=Trial(0.2, 1)) > 0
    first = kept(office)
    assess(office, rng, trial=Trial(0.2, 1))
    second = kept(office)
    assert total(first, What.DEPARTURES) == total(second, What.DEPARTURES) > 2_000
    assert total(second, What.DECOYS) == total(before, What.DECOYS) > 0
    report = report_linkage(office)
    assert report.whole is not None
    assert report.corrected is None, "so few stays ended late that their number is hidden"
    assert 0.95 < report.whole.sensitivity.value <= 1.0
    assert {q.group_kind for q in report.groups} <= set(office_quality.GROUPS)
    assert min(q.departures for q in report.groups) >= 100


def test_an_empty_ledger_has_nothing_to_assess(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    assert assess(office, np.random.default_rng(1)) == 0
    report = report_linkage(office)
    assert report.whole is None
    assert report.groups == report.gaps == report.timing == ()
