"""The demo: a simulated country, live, in one process. Invented travellers and people alone.

What a first look needs is there before the pages open: the country's records, linked and counted,
accounts, three stories of voluntary return. The rest follows behind the open pages: how sure
linking is, the first public figures, estimates, four hundred people more.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sojourn.encode import FileKeyProvider
from sojourn.errors import AlreadyReleasedError
from sojourn.pipeline import Office, assess, open_office, refresh_measures
from sojourn.pipeline.office import key_file
from sojourn.simulate import World
from sojourn.simulate.stream import Parcel, stream_country
from sojourn_web.demo_policy import demo_policy
from sojourn_web.hosting import (
    Task,
    configure,
    estimator,
    make_release,
    prepare_web,
    releaser,
    run,
    watcher,
)


def run_demo(home: Path, port: int, rate: float, world: World, say: Console) -> None:
    """Make the office, open the pages, go on behind them. ``rate``: records a second."""
    started = time.perf_counter()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=say) as bar:
        step = bar.add_task("making an office: keys, ledger, accounts", total=4)
        office = _demo_office(home)
        configure(office, demo=True, serves=True)
        prepare_web(demo=True)
        people, numbers = _accounts()
        bar.update(step, advance=1, description=f"simulating a country of {world.stays:,} stays")
        parcels = stream_country(world, rate=rate, now=datetime.now(UTC))
        backlog = next(parcels)
        bar.update(step, advance=1, description=f"linking {backlog.crossings:,} records")
        _hand_over(backlog, office.inbox)
        _take_backlog(office)
        bar.update(step, advance=1, description="counting cells")
        refresh_measures(office)
        bar.update(step, advance=1, description="ready")
    say.print(f"\n[bold]Sojourn demo[/] – invented travellers, {rate:g} records a second")
    say.print(f"  open     http://127.0.0.1:{port}")
    for name, password in people.items():
        say.print(f"  sign in  {name} / {password}")
    reference, code = _demo_applicant()
    say.print(f"  as Amina, at /return/: reference {reference}, code {code}")
    say.print(f"  first figures after {time.perf_counter() - started:.0f} s. Public figures and "
              f"400 people of voluntary return follow. Ctrl-C stops.\n")  # fmt: skip
    behind = _behind(office, numbers, started, say)
    run("127.0.0.1", port, [watcher(office), releaser(office), behind, _streamer(office, parcels)])


def _behind(office: Office, numbers: dict[str, int], started: float, say: Console) -> Task:
    """What follows the open pages, one after the other; then estimates, for as long as it runs."""

    def tell(what: str) -> None:
        say.print(f"  {what} after {time.perf_counter() - started:.0f} s")

    def work(stop: threading.Event) -> None:
        from django.db import connections

        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("how sure linking is", lambda: assess(office, np.random.default_rng(1))),
            ("first public figures", lambda: _release_first(office)),
            ("400 people of voluntary return", lambda: _seed_people(numbers, stop)),
        )
        try:
            for what, take in steps:
                if stop.is_set():
                    return
                take()
                tell(what)
        finally:
            connections.close_all()
        estimator(office).work(stop)

    return Task("behind", work)


def _release_first(office: Office) -> None:
    """What the demo's two stewards would have released by now, unless they have (a kept home)."""
    from sojourn_web.figures.public_files import make_ready

    yesterday = office.clock().date() - timedelta(days=1)
    with suppress(AlreadyReleasedError):
        make_release(office, yesterday, "steward", "steward-2")
    make_ready(office.statistics_url)


def _streamer(office: Office, parcels: Iterator[Parcel]) -> Task:
    def work(stop: threading.Event) -> None:
        for parcel in parcels:
            wait = (parcel.due - datetime.now(UTC)).total_seconds()
            if stop.wait(max(0.0, wait)):
                return
            _hand_over(parcel, office.inbox)

    return Task("streamer", work)


def _hand_over(parcel: Parcel, inbox: Path) -> None:
    """As any source should: written under a hidden name, then renamed into place."""
    folder = inbox / parcel.source
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / f".{parcel.file_name}.part"
    part.write_bytes(parcel.data)
    part.replace(folder / parcel.file_name)


def _take_backlog(office: Office) -> None:
    from sojourn.pipeline import load_files
    from sojourn.pipeline.watching import waiting_files

    waiting = waiting_files(office.inbox)
    load_files(office, waiting)
    for path in waiting:
        path.unlink()


def _demo_office(home: Path) -> Office:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not key_file(home).exists():
        FileKeyProvider.create(key_file(home))
    own = home / "policy.toml"
    if not own.exists():
        own.write_text(demo_policy(), "utf-8")
    return open_office(home)


def _accounts() -> tuple[dict[str, str], dict[str, int]]:
    """An account for each role, passwords and numbers by name; three stories of voluntary
    return."""
    from sojourn_web.accounts.installation import make_person
    from sojourn_web.accounts.roles import Role
    from sojourn_web.cases.demo import seed_stories
    from sojourn_web.cases.keys import case_keys

    people: dict[str, str] = {}
    numbers: dict[str, int] = {}
    # Another office, and the second of the two people who release.
    seconds = (("counsellor-south", Role.COUNSELLOR), ("steward-2", Role.STEWARD))
    for name, role in [*((r.value, r) for r in Role), *seconds]:
        people[name] = f"{name}-{secrets.token_hex(4)}"
        numbers[name] = make_person(name, people[name], role, demo=True).pk
    seed_stories(case_keys(), datetime.now(UTC), numbers)
    return people, numbers


def _seed_people(numbers: dict[str, int], stop: threading.Event) -> None:
    from sojourn_web.cases.demo import seed_people
    from sojourn_web.cases.keys import case_keys

    for _ in seed_people(case_keys(), datetime.now(UTC), numbers, Random(1)):
        if stop.is_set():
            return


def _demo_applicant() -> tuple[str, str]:
    """Reference and code of a story's person, who has no account."""
    from sojourn_web.cases.demo_stories import AMINA, give_code
    from sojourn_web.cases.keys import case_keys

    return give_code(case_keys(), datetime.now(UTC), AMINA.names)
