"""Calibration: a stopped run goes on, another run's folder is refused, the sums are right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sojourn.cli import build_app
from sojourn.errors import UsageError
from sojourn.pipeline.calibrating import Progress, calibrate, run_country
from sojourn.pipeline.whole_path import run_whole
from sojourn.policy import Policy, load_policy
from sojourn.simulate.small_world import Kind


@pytest.fixture
def few() -> Policy:
    policy = load_policy()
    return replace(policy, estimate=replace(policy.estimate, draws=100))


def test_a_stopped_run_goes_on_and_ends_the_same(tmp_path: Path, few: Policy) -> None:
    kinds, seen = [Kind.PLAIN, Kind.DRIFT], []

    def tell(done: Progress) -> None:
        seen.append(done)

    whole = calibrate(kinds, 3, 5, few, tmp_path / "a", processes=1, tell=tell)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 6, 6)
    (tmp_path / "a" / "drift-00000.parquet").unlink()
    seen.clear()
    again = calibrate(kinds, 3, 5, few, tmp_path / "a", processes=1, tell=tell)
    assert (seen[0].done, seen[-1].done) == (3, 6)
    assert json.dumps(again.as_dict()) == json.dumps(whole.as_dict())
    with pytest.raises(UsageError, match="another seed or policy"):
        calibrate(kinds, 3, 6, few, tmp_path / "a", processes=1)


def test_a_country_is_judged_against_its_own_truth_and_final_vintage(few: Policy) -> None:
    cells = run_country(Kind.PLAIN, 4, 1, few)
    year = cells.filter((pl.col("span") == "year") & (pl.col("quantity") == "overstay_rate"))
    assert year.height > 5
    assert year["truth"].null_count() == 0
    assert year.select((pl.col("truth") <= pl.col("naive") + 0.05).mean()).item() > 0.9
    assert cells.filter(pl.col("why") == "to_date").height == 0


@pytest.mark.parametrize("kind", [Kind.DRIFT, Kind.DELAYS, Kind.STOPS])
def test_where_the_world_changes_the_final_vintage_stays_within_its_interval(
    kind: Kind, few: Policy
) -> None:
    cells = pl.concat([run_country(kind, country, 3, few) for country in range(8)]).filter(
        (pl.col("quantity") == "overstay_rate") & (pl.col("expected") >= 100)
        & (pl.col("mode") == "") & (pl.col("nationality") == "") & (pl.col("admission_class") == "")
    )  # fmt: skip
    held = pl.col("final").is_between(pl.col("later_lower"), pl.col("later_upper"))
    assert cells.drop_nulls("final").select(held.mean()).item() > 0.85
    true = pl.col("truth").is_between(pl.col("lower"), pl.col("upper"))
    assert cells.drop_nulls("value").select(true.mean()).item() > 0.85


def test_each_part_of_a_figure_holds_its_final_vintage_too(few: Policy) -> None:
    """Not the rate alone: a range is printed beside every part."""
    parts = ("departed_in_time", "departed_late", "no_departure_recorded", "left_unrecorded",
             "probably_still_here")  # fmt: skip
    cells = pl.concat([run_country(Kind.PLAIN, country, 11, few) for country in range(16)]).filter(
        pl.col("quantity").is_in(parts) & (pl.col("expected") >= 100) & (pl.col("mode") == "")
        & (pl.col("nationality") == "") & (pl.col("admission_class") == "")
    )  # fmt: skip
    held = pl.col("final").is_between(pl.col("later_lower"), pl.col("later_upper"))
    by_part = cells.drop_nulls("final").group_by("quantity").agg(held.mean().alias("held"))
    assert set(by_part["quantity"]) == set(parts)
    assert by_part.filter(pl.col("held") < 0.88).is_empty(), by_part


def test_a_country_all_the_way_has_names_and_links_and_is_judged_alike(few: Policy) -> None:
    cells = run_whole(0, 1, few)
    total = cells.filter(
        (pl.col("span") == "year") & (pl.col("mode") == "") & (pl.col("nationality") == "")
        & (pl.col("admission_class") == "")
    ).row(0, named=True)  # fmt: skip
    assert total["bound_lower"] <= total["truth"] <= total["bound_upper"]
    assert total["naive"] > 2 * total["truth"]
    # Truth and estimate are of the same stays: of arrivals nobody recorded no figure tells.
    overstays = total["truth"] * total["expected"]
    assert abs(overstays - round(overstays)) < 0.1
    assert cells["final"].null_count() == cells.height
    assert cells.columns == run_country(Kind.PLAIN, 0, 1, few).columns


def test_the_command_tells_its_table_as_json(tmp_path: Path) -> None:
    asked = ["calibrate", "--countries", "2", "--work", str(tmp_path / "w"), "--processes", "1",
             "--json"]  # fmt: skip
    found = CliRunner().invoke(build_app(), asked)
    assert found.exit_code == 0
    told = json.loads(found.stdout)
    assert told["countries"] == {"plain": 2}
    wrong = CliRunner().invoke(build_app(), ["calibrate", "--kind", "odd"])
    assert isinstance(wrong.exception, UsageError)
