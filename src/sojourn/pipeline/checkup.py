"""Is this machine fit, is this office whole: what ``sojourn doctor`` asks."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sojourn.encode import FileKeyProvider, MemoryKeyProvider, encode
from sojourn.errors import SojournError
from sojourn.link import LiveLinker, check_weights, link, load_weights
from sojourn.pipeline.office import find_office, key_file
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country

TOLD_FOR = timedelta(days=31)  # a jump that is longer ago is no fault any more


@dataclass(frozen=True)
class Finding:
    what: str
    fine: bool
    found: str
    advice: str = ""


def warm_up() -> None:
    """Compile every kernel once; later runs read them from the cache."""
    policy = load_policy()
    country = build_country(World(stays=200, seed=1))
    encodings = encode(country.crossings, MemoryKeyProvider(b"warm"), policy.encode)
    link(encodings, load_weights(), policy.linkage, policy.digest)
    linker = LiveLinker(load_weights(), policy.linkage, policy.digest)
    for batch in (encodings.head(100), encodings.slice(100, 1)):
        linker.settle(linker.decide(batch))
    linker.forget(encodings["crossing_ref"].head(1))


def check_up(home: Path, database: str | None, now: datetime | None = None) -> list[Finding]:
    """One finding a part; none stops the next. ``now``: the machine's, where it is not given."""
    at = now or datetime.now(UTC)
    return [
        Finding("Python", fine=True, found=platform.python_version()),
        Finding("SQLite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version,
                "version 3.35 or newer is needed"),
        _ask("kernels", _kernels),
        _ask("weights", _weights),
        _ask("key file", lambda: _keys(home)),
        _ask("ledger", lambda: _ledger(home, database, at)),
        _clock(home, database, at),
    ]  # fmt: skip


def _ask(what: str, question: Callable[[], str]) -> Finding:
    try:
        return Finding(what, fine=True, found=question())
    except SojournError as error:
        return Finding(what, fine=False, found=type(error).__name__, advice=str(error))


def _kernels() -> str:
    warm_up()
    return "HMAC-SHA-256 agrees with the standard library; linking runs"


def _weights() -> str:
    table, policy = load_weights(), load_policy()
    check_weights(table, policy.encode.digest)
    return f"fit the policy ({policy.digest}); from {len(table.provenance.worlds)} countries"


def _keys(home: Path) -> str:
    FileKeyProvider(key_file(home))
    return f"{key_file(home)}, mode 0600"


def _ledger(home: Path, database: str | None, now: datetime) -> str:
    with find_office(home, statistics_url=database).open_ledger() as ledger:
        state = ledger.state()
    age = ""
    if state.last_commit:
        minutes = (now - state.last_commit).total_seconds() / 60
        age = f", last commit {minutes:,.0f} minutes ago"
    return f"{state.batches:,} batches, {state.reports:,} reports{age}"


def _clock(home: Path, database: str | None, now: datetime) -> Finding:
    """Whether the clock stands before the ledger, or lately did."""
    try:
        with find_office(home, statistics_url=database).open_ledger() as ledger:
            state, kept = ledger.state(), ledger.vintages_kept()
    except SojournError as error:
        return Finding("clock", fine=False, found=type(error).__name__, advice=str(error))
    if state.last_commit is not None and state.last_commit > now:
        ahead = (state.last_commit - now).total_seconds() / 60
        return Finding(
            "clock", fine=False, found=f"the last commit is {ahead:,.0f} minutes in the future",
            advice="set this machine's clock right before anything else is taken in",
        )  # fmt: skip
    found = f"vintages from {kept.since} to {kept.last}"
    if not kept.refused or kept.last is None or kept.doubted_until is None:
        return Finding("clock", fine=True, found=found)
    commits = f"{kept.refused:,} commit{'s' if kept.refused > 1 else ''}"
    return Finding(
        "clock",
        fine=kept.last > kept.doubted_until + TOLD_FOR,
        found=f"{found}; {commits} on days that had ended already: it jumped back",
        advice=f"days up to {kept.doubted_until} are folded, not read from vintages; keep the "
        "machine's clock in step with others",
    )
