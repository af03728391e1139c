"""Compiled kernels are never older than what was compiled into them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import sojourn

PACKAGE = Path(sojourn.__file__).parent
ASK = (
    "from sojourn.link.index import trait_of as t\n"
    "from sojourn.compiled import lean\n"
    "from sojourn.link.kept import asked\n"
    "print(asked(1))"
)
CALLER = (
    "from sojourn.compiled import lean\n"
    "from sojourn.link.called import answer\n"
    "@lean\n"
    "def asked(x: int) -> int:\n"
    "    return answer(x)\n"
)
CALLED = "from sojourn.compiled import lean\n@lean\ndef answer(x: int) -> int:\n    return x + {}\n"


def test_a_kernel_follows_a_change_in_another_file(tmp_path: Path) -> None:
    copy = tmp_path / "sojourn"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "link" / "kept.py").write_text(CALLER, "utf-8")
    told = []
    for added in (1, 5):
        (copy / "link" / "called.py").write_text(CALLED.format(added), "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", ASK], capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(tmp_path), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        told.append(int(done.stdout))
    assert told == [2, 6]
