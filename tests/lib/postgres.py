"""A PostgreSQL server of the tests' own: made, used, thrown away."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADVICE = "these tests need PostgreSQL (initdb, pg_ctl): 'make test' installs it where it may"


def find_program(name: str) -> str:
    """initdb or pg_ctl, wherever Debian or others put it."""
    if found := shutil.which(name):
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not places:
        raise RuntimeError(ADVICE)
    return str(places[-1])


@contextmanager
def throw_away_server(*, durable: bool = False) -> Iterator[str]:
    """An address, ``postgresql+psycopg://...``, of a server on a socket in a folder of its own.

    ``durable``: it waits for its disk as an office's does; tests need not.
    """
    with tempfile.TemporaryDirectory(prefix="sojourn-pg-") as folder:
        place = Path(folder)
        data = place / "data"
        user = _harmless_user(place)
        _run(user, find_program("initdb"), "-D", str(data), "-U", "sojourn", "-A", "trust",
             "--no-sync", "-E", "UTF8")  # fmt: skip
        quick = "" if durable else " -c fsync=off -c full_page_writes=off"
        options = f"-k {place} -c listen_addresses=''{quick}"
        _run(user, find_program("pg_ctl"), "-D", str(data), "-w", "-o", options,
             "-l", str(place / "log"), "start")  # fmt: skip
        try:
            yield f"postgresql+psycopg://sojourn@/{{name}}?host={place}"
        finally:
            _run(user, find_program("pg_ctl"), "-D", str(data), "-m", "immediate", "stop")


def _harmless_user(place: Path) -> str | None:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.getuid() != 0:
        return None
    shutil.chown(place, "nobody")
    return "nobody"


def _run(user: str | None, *command: str) -> None:
    done = subprocess.run(
        command, user=user, check=False, capture_output=True, text=True, cwd="/",
        stdin=subprocess.DEVNULL,
    ) if "start" not in command else subprocess.run(
        command, user=user, check=False, text=True, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr}\n{ADVICE}")
