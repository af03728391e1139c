"""Whether the pinned requirements still answer pyproject.toml, and carry no addresses.

No network: each direct dependency must be pinned, by hash, to a version that its range admits.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FILES = {"demo.txt": ("web", "simulate"), "test.txt": ("web", "simulate", "dev")}


def find_faults() -> list[str]:
    """One line per fault."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    faults = []
    for name, extras in FILES.items():
        text = (ROOT / "requirements" / name).read_text("utf-8")
        if re.search(r"https?://|--(extra-)?index", text):
            faults.append(f"requirements/{name} carries an address")
        pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.M))
        pins = {_plain(k): v for k, v in pins.items()}
        wanted = list(project["dependencies"])
        for extra in extras:
            wanted += project["optional-dependencies"][extra]
        for line in wanted:
            requirement = Requirement(line)
            pin = pins.get(_plain(requirement.name))
            if pin is None:
                faults.append(f"requirements/{name}: {requirement.name} is not pinned: make lock")
            elif not requirement.specifier.contains(pin, prereleases=True):
                faults.append(f"requirements/{name}: {line} does not admit {pin}: make lock")
    return faults


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    found = find_faults()
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    sys.exit(1 if found else 0)
