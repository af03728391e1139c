"""Each command with good and bad input: help that teaches, errors that say what to do."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

COMMANDS = (
    "simulate", "read", "encode", "load", "evaluate", "train", "measure", "reconcile", "purge",
    "quality", "backup", "watch", "doctor", "serve", "demo", "account",
    "report",
)  # fmt: skip


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOJOURN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "sojourn", *words], cwd=cwd, env={**kept, "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    done = run("simulate", "country", "--stays", "2500", "--seed", "9", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "country"


def test_every_command_is_listed_and_says_how_it_is_used(tmp_path: Path) -> None:
    listed = run("--help", cwd=tmp_path).stdout
    for command in COMMANDS:
        assert f"  {command}" in listed
    for command in ("load", "watch", "demo"):
        said = run(command, "--help", cwd=tmp_path).stdout
        assert "Example: sojourn" in said


def test_a_country_is_written_as_files(country: Path) -> None:
    assert {p.name for p in country.iterdir()} == {
        "crossings.parquet", "status_changes.parquet", "truth.parquet", "manifests"
    }  # fmt: skip
    assert len(list((country / "manifests").glob("*.edi"))) > 10


def test_evaluate_answers_for_programs(country: Path) -> None:
    done = run("evaluate", "crossings.parquet", "truth.parquet", "--json", cwd=country)
    found = json.loads(done.stdout)
    assert {
        "precision",
        "recall",
        "f1",
        "crossings",
        "seconds",
        "by_nationality",
        "by_mode",
    } <= set(found)
    assert found["f1"] > 0.99
    assert all(group["pairs"] >= 100 for group in found["by_nationality"].values())
    assert sorted(p.name for p in country.iterdir()) == [
        "crossings.parquet", "manifests", "status_changes.parquet", "truth.parquet"
    ], "evaluate writes nothing"  # fmt: skip


def test_hard_people_are_simulated_and_judged_case_by_case(tmp_path: Path) -> None:
    made = run("simulate", "hard", "--stays", "1500", "--hard", "200", "--no-manifests",
               cwd=tmp_path)  # fmt: skip
    assert made.returncode == 0, made.stderr
    words = ("evaluate", "hard/crossings.parquet", "hard/truth.parquet")
    found = json.loads(run(*words, "--json", cwd=tmp_path).stdout)
    assert {"by_script", "by_sex", "by_case", "by_timing", "worst_gap"} <= set(found)
    assert {"twins_apart", "commuter", "birth_date_missing"} <= set(found["by_case"])
    said = run(*words, cwd=tmp_path).stdout
    assert "worst script of 1,000 pairs or more: Latn" in said
    assert f"{found['without_keys']:,} records without a usable key" in said
    # Said where there are any.
    assert (f"{found['capped']:,} look-ups of a key cut short" in said) is (found["capped"] > 0)
    assert "by case" in said
    refused = run("simulate", "none", "--hard", "-1", cwd=tmp_path)
    assert refused.returncode == 2


def test_quality_says_what_sources_sent_and_how_sure_linking_is(
    country: Path, tmp_path: Path
) -> None:
    run("keys", "new", "--home", "office", cwd=tmp_path)
    run("load", str(country / "crossings.parquet"), "--home", "office", cwd=tmp_path)
    before = run("quality", "--home", "office", cwd=tmp_path)
    assert before.returncode == 0, before.stderr
    assert "sojourn quality --assess" in before.stdout
    after = run("quality", "--home", "office", "--assess", cwd=tmp_path)
    assert after.returncode == 0, after.stderr
    assert "false links" in after.stdout
    assert "booth-air" in after.stdout
    found = json.loads(run("quality", "--home", "office", "--json", cwd=tmp_path).stdout)
    assert {"sources", "linkage"} == set(found)
    assert found["linkage"]["whole"]["sensitivity"]["value"] > 0.98
    assert all(group["departures"] >= 100 for group in found["linkage"]["groups"])


def test_evaluate_refuses_few_pairs(country: Path, tmp_path: Path) -> None:
    pl.read_parquet(country / "truth.parquet").head(999).write_parquet(tmp_path / "few.parquet")
    done = run("evaluate", str(country / "crossings.parquet"), "few.parquet", cwd=tmp_path)
    assert done.returncode == 9
    assert "at least 1000" in done.stderr.replace("\n", " ")


def test_edge_and_centre_share_no_key(country: Path, tmp_path: Path) -> None:
    for home in ("edge", "centre"):
        assert run("keys", "new", "--home", home, cwd=tmp_path).returncode == 0
    manifest = str(next((country / "manifests").glob("*.edi")))
    read = run("read", manifest, "--out", "crossings.parquet", "--rejects", "no.ndjson",
               cwd=tmp_path)  # fmt: skip
    assert read.returncode == 0, read.stderr
    encode = run("encode", "crossings.parquet", "--out", "encodings.parquet", "--home", "edge",
                 cwd=tmp_path)  # fmt: skip
    assert encode.returncode == 0, encode.stderr
    for name in ("crossings.parquet", "encodings.parquet", "encodings.decoys.parquet"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    columns = set(pl.read_parquet_schema(tmp_path / "encodings.parquet"))
    assert not columns & {"surname", "given_names", "birth_date", "document_number", "crossing_id"}
    load = run("load", "encodings.parquet", "--home", "centre", cwd=tmp_path)
    assert load.returncode == 0, load.stderr
    held = pl.read_parquet(tmp_path / "encodings.parquet").height
    assert f"{held:,} records taken in" in load.stdout


def test_a_load_is_resumable_and_measured_purged_and_backed_up(
    country: Path, tmp_path: Path
) -> None:
    file = str(country / "crossings.parquet")
    run("keys", "new", "--home", "office", cwd=tmp_path)
    first = run("load", file, "--home", "office", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    again = run("load", file, "--home", "office", cwd=tmp_path)
    assert "0 parts committed" in again.stdout
    shown = run("measure", "--home", "office", "--known-at", "2025-12-31", "--json", cwd=tmp_path)
    cells = json.loads(shown.stdout)
    assert all(c["value"] is None or c["value"] >= 10 for c in cells)
    backup = run("backup", "office/backups/one", "--home", "office", cwd=tmp_path)
    assert backup.returncode == 0, backup.stderr
    assert "to be destroyed by" in backup.stdout
    purge = run("purge", "--home", "office", "--today", "2027-06-01", cwd=tmp_path)
    assert purge.returncode == 0, purge.stderr
    assert "1 backups destroyed" in purge.stdout
    assert not (tmp_path / "office" / "backups" / "one").exists()
    doctor = run("doctor", "--home", "office", cwd=tmp_path)
    assert doctor.returncode == 0, doctor.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("load", "nowhere.csv"), 2, "expected a file, found none"),
        (("load", "x.csv", "--home", "new"), 6, "sojourn keys new"),
        (("measure", "--home", "new"), 8, "expected a ledger, found none"),
        (("evaluate", "x.csv", "x.csv"), 4, "expected"),
        (("read", "x.csv", "--out", "o.parquet"), 4, "expected"),
        (("measure", "--known-at", "soon"), 2, "soon"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_wrong_calls_say_what_was_expected(
    words: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    done = run(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_keys_are_never_overwritten_and_must_be_private(tmp_path: Path) -> None:
    assert run("keys", "new", "--home", "office", cwd=tmp_path).returncode == 0
    key = tmp_path / "office" / "keys" / "sojourn.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = run("keys", "new", "--home", "office", cwd=tmp_path)
    assert again.returncode == 6
    key.chmod(0o644)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    open_to_all = run("load", "x.csv", "--home", "office", cwd=tmp_path)
    assert open_to_all.returncode == 6
    assert "chmod 600" in open_to_all.stderr.replace("\n", " ")


def test_a_wrong_policy_names_the_setting(tmp_path: Path) -> None:
    from sojourn.policy import load_policy

    default = Path(load_policy.__code__.co_filename).with_name("policies") / "default.toml"
    text = default.read_text().replace("smallest_cell = 10", "smallest_cell = 3")
    (tmp_path / "policy.toml").write_text(text)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    done = run("read", "x.csv", "--out", "o.parquet", "--policy", "policy.toml", cwd=tmp_path)
    assert done.returncode == 3
    assert "smallest_cell" in done.stderr
