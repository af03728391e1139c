"""One process for each measurement: what it told at its end, or why it did not."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
LONGEST_REASON = 140


@dataclass(frozen=True)
class Ran:
    told: Any  # the JSON of its last line; nothing where it said nothing


@dataclass(frozen=True)
class Failed:
    reason: str


def run(command: list[str], limit_seconds: float) -> Ran | Failed:
    """Run to the end or to the limit. No shell; the working directory is the repository's."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        try:
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=complaints)
        except OSError:
            return Failed(f"not installed: {_shown(command[0])} is not there")
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit_seconds, stop)
        timer.start()
        process.wait()
        timer.cancel()
        if process.returncode:
            reason = f"no result in {limit_seconds:.0f} s" if late.is_set() else ""
            return Failed(reason or _reason(process.returncode, _read(complaints)))
        lines = _read(out).strip().splitlines()
        told = json.loads(lines[-1]) if lines else None
        return Ran(told)


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read())


def _reason(code: int, complaints: str) -> str:
    """The last line of what it complained of, without this machine's paths."""
    if code < 0:
        return f"killed by signal {-code}"
    lines = [line for line in complaints.splitlines() if line and not line.startswith(" ")]
    said = lines[-1] if lines else f"exit code {code}"
    return _shown(said)[:LONGEST_REASON].replace("|", "/")


def _shown(text: str) -> str:
    return text.replace(f"{ROOT}/", "")
