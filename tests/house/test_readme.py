"""The README's commands and lines are run, as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.ledger import fold_stays
from sojourn.link import link, load_weights
from sojourn.measure import count_stays, measure
from sojourn.pipeline import record
from sojourn.policy import load_policy
from sojourn.read import read
from sojourn.schemas import CLOSED_CELLS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


@pytest.mark.slow
def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    commands = [
        line.split("#")[0].strip()
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("sojourn ")
    ]
    assert len(commands) >= 11
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "sojourn", *shlex.split(command)[1:]], cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_the_make_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = re.findall(r"make (\w+)", README)
    assert {"demo", "test", "bench"} <= set(named)
    for name in set(named) - {"s", "alone"}:
        if name not in ("and",):
            assert re.search(rf"^{name}:", makefile, re.M), name


def test_the_lines_of_the_path_are_true(tmp_path: Path) -> None:
    from sojourn.simulate import World, build_country
    from sojourn.simulate.files import INPUT_COLUMNS

    file = tmp_path / "crossings.parquet"
    country = build_country(World(stays=400, seed=3))
    country.crossings.select(INPUT_COLUMNS).write_parquet(file)
    names: dict[str, object] = {
        "read": read, "encode": encode, "link": link, "record": record, "fold": fold_stays,
        "count": count_stays, "measure": measure, "sources": [file], "policy": load_policy(),
        "keys": MemoryKeyProvider(b"readme"), "weights": load_weights(),
        "now": datetime(2026, 6, 1, tzinfo=UTC), "known_at": date(2026, 6, 1),
        "closed": CLOSED_CELLS.empty(),
    }  # fmt: skip
    (path,) = blocks("python")
    exec(path, names)
    measures = names["measures"]
    total = measures.filter(  # type: ignore[attr-defined]
        (measures["span"] == "year") & (measures["nationality"] == "")  # type: ignore[index]
        & (measures["mode"] == "") & (measures["admission_class"] == "")  # type: ignore[index]
    )  # fmt: skip
    assert total["value"].sum() > 300
    steps = re.findall(r"^(\w+)\s+=", path, re.M)
    assert steps == ["reading", "encodings", "linked", "events", "stays", "counts", "measures"]
