"""sojourn report, from files to files: who may read them, what is refused and how it is said."""

from __future__ import annotations

import csv
import io
import stat
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from lib.estimated import build_estimates
from sojourn.__main__ import main
from sojourn.schemas import FIGURES


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*words: str, cwd: Path) -> Done:
    """The command in this process: it prints and exits as it would in one of its own."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["sojourn", "report", *words])
        patch.setenv("COLUMNS", "200")
        patch.delenv("SOJOURN_HOME", raising=False)
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reports")
    frame = build_estimates(nations=("BRA", "CAN"))
    frame.write_parquet(home / "estimates.parquet")
    released = frame.filter(pl.col("nationality") == "").with_columns(
        pl.col("quantity").cast(pl.String), release_table=pl.lit("class"), vintage="known_at",
        level=pl.lit(0.95), epsilon=pl.lit(0.0), method=pl.lit("computed"),
        release_id=pl.lit("r1"),
    )  # fmt: skip
    FIGURES.conform(released).write_parquet(home / "figures.parquet")
    return home


def test_a_steward_gets_each_table_in_each_form_for_their_eyes_alone(folder: Path) -> None:
    for words in (("us", "us.csv"), ("uk", "uk.html"), ("monthly", "months.pdf")):
        shape, name = words
        done = run(shape, "--estimates", "estimates.parquet", "--out", name, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "for the steward alone" in done.stdout
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with (folder / "us.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"Brazil (BRA)", "Canada (CAN)"} <= {r["row"] for r in rows}
    assert "Month by month" in run_html(folder)


def run_html(folder: Path) -> str:
    done = run("monthly", "--estimates", "estimates.parquet", "--out", "m.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "m.html").read_text("utf-8")


def test_the_public_gets_released_figures_and_nothing_else(folder: Path) -> None:
    done = run("uk", "--figures", "figures.parquet", "--public", "--out", "p.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((folder / "p.html").stat().st_mode) == 0o644
    assert "Confidential" not in (folder / "p.html").read_text("utf-8")
    refused = run("uk", "--estimates", "estimates.parquet", "--public", "--out", "x.html",
                  cwd=folder)  # fmt: skip
    assert refused.returncode == 9
    assert "--figures" in refused.stderr
    assert not (folder / "x.html").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("us", "--out", "x.html"), 8, "expected a ledger"),
        (("us", "--estimates", "estimates.parquet", "--figures", "figures.parquet", "--out",
          "x.html"), 2, "found both"),
        (("us", "--estimates", "estimates.parquet", "--out", "x.doc"), 2, ".html, .pdf, .csv"),
        (("us", "--estimates", "none.parquet", "--out", "x.html"), 4, "Parquet"),
        (("us", "--estimates", "figures.parquet", "--out", "x.html"), 5, "columns"),
        (("us", "--estimates", "estimates.parquet", "--known-at", "2020-01-01", "--out", "x.csv"),
         5, "--known-at"),
        (("us", "--estimates", "estimates.parquet", "--period", "2019", "--out", "x.csv"), 5,
         "2025-01-01"),
        (("example", "nz", "--out", "x.csv"), 2, "us, uk"),
    ],
)  # fmt: skip
def test_what_cannot_be_printed_is_refused_with_advice(
    folder: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*words, cwd=folder)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / words[-1]).exists()


def test_a_table_with_a_lost_row_is_printed_only_despite_its_check(folder: Path) -> None:
    frame = pl.read_parquet(folder / "estimates.parquet")
    lost = (pl.col("nationality") == "CAN") & (pl.col("known_at") == frame["known_at"].max())
    frame.filter(~lost).write_parquet(folder / "lost.parquet")
    words = ("us", "--estimates", "lost.parquet", "--out", "lost.html")
    refused = run(*words, cwd=folder)
    assert refused.returncode == 5
    assert "the rows sum to" in refused.stderr
    assert "Canada (CAN)" in refused.stderr, "it was there in the vintage before"
    assert not (folder / "lost.html").exists()
    printed = run(*words, "--despite-check", cwd=folder)
    assert printed.returncode == 0
    assert "fails its own check" in (folder / "lost.html").read_text("utf-8")


def test_an_offices_own_groups_of_classes(folder: Path) -> None:
    (folder / "groups.toml").write_text('[groups]\n"Guests" = ["VISIT", "B1"]\n', "utf-8")
    words = ("uk", "--estimates", "estimates.parquet", "--groups", "groups.toml")
    assert run(*words, "--out", "g.csv", cwd=folder).returncode == 0
    assert "Guests" in (folder / "g.csv").read_text("utf-8")
    (folder / "bad.toml").write_text('[groups]\nA = ["VISIT"]\nB = ["VISIT"]\n', "utf-8")
    bad = run(*words[:-1], "bad.toml", "--out", "x.csv", cwd=folder)
    assert bad.returncode == 4
    assert "one in two" in bad.stderr


def test_the_examples_are_the_same_for_the_same_seed(folder: Path) -> None:
    for name in ("one.csv", "two.csv"):
        assert run("example", "uk", "--seed", "5", "--out", name, cwd=folder).returncode == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()
    assert "Study" in (folder / "one.csv").read_text("utf-8")
