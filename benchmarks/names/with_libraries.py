"""Codes of phonetic libraries; runs in the peers' environment and imports nothing of Sojourn.

In: a JSON file, a list of names in A-Z. Out, to the file named second: for each coder that is
installed, its version and each name's codes. The last line printed is a JSON nothing.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def _jellyfish(function: str) -> Callable[[Any], Callable[[str], list[str]]]:
    return lambda module: lambda name: [getattr(module, function)(name)]


def _double_metaphone(module: Any) -> Callable[[str], list[str]]:
    return lambda name: sorted(set(module.doublemetaphone(name)) - {""})


def _daitch_mokotoff(module: Any) -> Callable[[str], list[str]]:
    coder = module.DaitchMokotoff()
    return lambda name: sorted(coder.encode(name))


CODERS = (
    ("Soundex", "jellyfish", "jellyfish", _jellyfish("soundex")),
    ("NYSIIS", "jellyfish", "jellyfish", _jellyfish("nysiis")),
    ("Metaphone", "jellyfish", "jellyfish", _jellyfish("metaphone")),
    ("Match Rating", "jellyfish", "jellyfish", _jellyfish("match_rating_codex")),
    ("Double Metaphone", "metaphone", "Metaphone", _double_metaphone),
    ("Daitch-Mokotoff", "abydos.phonetic", "abydos", _daitch_mokotoff),
)


def main() -> None:
    names = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    coded: dict[str, Any] = {}
    for title, module, package, make in CODERS:
        try:
            code = make(importlib.import_module(module))
        except ImportError:
            continue
        coded[title] = {
            "from": f"{package} {version(package)}",
            "codes": {name: code(name) for name in names},
        }
    Path(sys.argv[2]).write_text(json.dumps(coded), "utf-8")
    print("null")


if __name__ == "__main__":
    main()
