"""Recall by script and its price: ``python -m benchmarks.names``; writes docs/reference/names.md.

Phonetic libraries are asked in the peers' environment (``make bench-linkage`` builds it; another
may be named with ``--python``). Where one is missing, its column says so.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.names.material import SCRIPTS
from benchmarks.names.measure import (
    different_names,
    price,
    recall,
    recall_of_keys,
    skeleton_codes,
    spelling_pairs,
)
from benchmarks.names.page import Figures, render
from benchmarks.names.with_libraries import CODERS
from benchmarks.peers.running import PEERS_PYTHON, ROOT, Failed, run
from sojourn.encode.sounds import tokens_of

PAGE = ROOT / "docs" / "reference" / "names.md"
SEED = 2026
LIMIT_SECONDS = 600


def _ask_libraries(python: Path, names: list[str]) -> dict[str, Any]:
    """What each library's coder says of each name; nothing where there is no such environment."""
    with tempfile.TemporaryDirectory() as folder:
        asked, said = Path(folder) / "names.json", Path(folder) / "codes.json"
        asked.write_text(json.dumps(names), "utf-8")
        command = [str(python), "-m", "benchmarks.names.with_libraries", str(asked), str(said)]
        told = run(command, LIMIT_SECONDS)
        if isinstance(told, Failed):
            print(f"libraries: {told.reason}")
            return {}
        found: dict[str, Any] = json.loads(said.read_text("utf-8"))
        return found


def _coder(codes: dict[str, list[str]]) -> Callable[[str], tuple[str, ...]]:
    return lambda name: tuple(codes[name])


def measure(seed: int, python: Path) -> tuple[list[Figures], dict[str, str]]:
    """All scripts' figures, and where the libraries' codes came from."""
    pairs = {s.name: list(spelling_pairs(s, seed)) for s in SCRIPTS}
    names = {s.name: different_names(s, seed) for s in SCRIPTS}
    every = {
        t
        for found in pairs.values()
        for pair in found
        for who in pair
        for t in tokens_of(who.surname, who.given_names)
    }
    every.update(n for found in names.values() for n in found)
    libraries = _ask_libraries(python, sorted(every))
    rows = []
    for script in SCRIPTS:
        own, other = pairs[script.name], names[script.name]
        beside = {
            title: (recall(own, _coder(said["codes"])), price(other, _coder(said["codes"])))
            for title, said in libraries.items()
        }
        ours = recall(own, skeleton_codes), price(other, skeleton_codes)
        rows.append(Figures(script.name, ours[0], *recall_of_keys(own), ours[1], beside))
    return rows, {title: said["from"] for title, said in libraries.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.names", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--python", type=Path, default=PEERS_PYTHON, help="has the libraries")
    parser.add_argument("--no-page", action="store_true", help="print, write nothing")
    asked = parser.parse_args()
    rows, versions = measure(asked.seed, asked.python)
    absent = [title for title, *_ in CODERS if title not in versions]
    command = "python -m benchmarks.names"
    command += "" if asked.seed == SEED else f" --seed {asked.seed}"
    if asked.python != PEERS_PYTHON:
        command += " --python <an environment with the libraries below>"
    page = render(rows, versions, absent, command, asked.seed)
    print(page)
    if not asked.no_page:
        PAGE.write_text(page, "utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
