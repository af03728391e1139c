"""``sojourn serve`` and ``sojourn demo``: pages, watcher and (in the demo) a simulated country.

They join the library's command line by entry points. The composition root of the web side: the
one place, beside ``runs``, that may touch the pipeline.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sojourn.encode import FileKeyProvider
from sojourn.errors import SojournError, UsageError
from sojourn.pipeline import Office, assess, open_office, refresh_measures, watch_inbox
from sojourn.pipeline.estimating import refresh_estimates
from sojourn.pipeline.office import key_file
from sojourn.simulate import World
from sojourn.simulate.stream import Parcel, stream_country
from sojourn_web.demo_policy import demo_policy

say = Console(stderr=True, highlight=False)
Home = Annotated[Path, typer.Option(envvar="SOJOURN_HOME", help="The office's folder.")]
Host = Annotated[str, typer.Option(help="Listen on this address.")]
Port = Annotated[int, typer.Option(help="Listen on this port.")]
DEMO_DAYS = 240
ESTIMATES_SECONDS = 3600
ESTIMATES_SEED = 1
RELEASE_POLL_SECONDS = 2.0


def serve(
    home: Home = Path("office"),
    host: Host = "127.0.0.1",
    port: Port = 8000,
    database: Annotated[
        str | None,
        typer.Option(envvar="SOJOURN_STATISTICS_URL", help="Default: the home's SQLite file."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Take in what lands.")] = True,
) -> None:
    """Serve the live dashboard, the operators' pages and HTTP ingest; take in what lands.

    Example: sojourn serve --home office --port 8000
    """
    office = open_office(home, statistics_url=database)
    _configure(office, demo=False, serves=True)
    _prepare_web(demo=False)
    office.open_ledger().close()
    say.print(f"serving {office.home} at http://{host}:{port} (Ctrl-C stops)")
    tasks = [_watcher(office), _releaser(office), _estimator(office)] if watch else []
    _run(host, port, tasks)


def demo(
    home: Annotated[
        Path | None, typer.Option(help="Keep the demo's office here. Default: a temporary folder.")
    ] = None,
    port: Port = 8000,
    rate: Annotated[float, typer.Option(help="Records that land per second.")] = 6.0,
    stays: Annotated[int, typer.Option(help="Stays of the simulated country.")] = 12_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same country.")] = 1,
) -> None:
    """Everything, seeded, in one process: a simulated country, live. No real records, ever.

    Prints the address and a sign-in for each role.

    Example: sojourn demo --port 8000
    """
    _check_port(port)
    with tempfile.TemporaryDirectory(prefix="sojourn-demo-") as folder:
        _run_demo(home or Path(folder), port, rate, World(stays=stays, seed=seed, days=DEMO_DAYS))


def account(
    name: Annotated[str, typer.Argument(help="The user name.")],
    role: Annotated[
        str,
        typer.Option(help="analyst, operator, steward; for cases: counsellor, supervisor, "
                     "medical, auditor, administrator"),
    ] = "analyst",
    home: Home = Path("office"),
    place: Annotated[
        str, typer.Option(help="The office where a counsellor, supervisor or medic works.")
    ] = "",
    shown_as: Annotated[
        str, typer.Option(help="The name that people of a case read. Default: the user name.")
    ] = "",
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, confirmation_prompt=True, envvar="SOJOURN_PASSWORD",
            help="Asked for where it is not given; 12 characters or more.",
        ),
    ] = "",
) -> None:  # fmt: skip
    """Give somebody an account with one role, or a new password.

    Example: sojourn account maria --role counsellor --place "Office North" --home office
    """
    office = open_office(home)
    _configure(office, demo=False)
    _prepare_web(demo=False)
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from sojourn_web.accounts.installation import make_person
    from sojourn_web.accounts.roles import OFFICE_ROLES, Role

    if role not in set(Role):
        raise UsageError(f"--role: expected {' or '.join(Role)}, found {role}")
    try:
        validate_password(password)
    except ValidationError as error:
        raise UsageError(" ".join(error.messages)) from None
    if role in OFFICE_ROLES and not place.strip():
        raise UsageError(f"--place: expected the office where this {role} works, found nothing")
    user = make_person(name, password, Role(role), demo=False)
    _place(user.pk, shown_as or name, role, place.strip())
    say.print(f"{name} can sign in as {role}")


def _place(user_id: int, name: str, role: str, place: str) -> None:
    """An account of voluntary return gets its place there; another role ends one that it had."""
    from sojourn_web.accounts.roles import CASE_ROLES, OFFICE_ROLES
    from sojourn_web.cases.vocabulary import Who
    from sojourn_web.cases.wordings import end_place, place_account

    if role in CASE_ROLES:
        office = place if role in OFFICE_ROLES else ""
        place_account(user_id, name, Who(role), office, datetime.now(UTC))
    else:
        end_place(user_id, datetime.now(UTC))


def _run_demo(home: Path, port: int, rate: float, world: World) -> None:
    started = time.perf_counter()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=say) as bar:
        step = bar.add_task("making an office: keys, ledger, accounts", total=6)
        office = _demo_office(home)
        _configure(office, demo=True, serves=True)
        people = _prepare_web(demo=True)
        bar.update(step, advance=1, description=f"simulating a country of {world.stays:,} stays")
        parcels = stream_country(world, rate=rate, now=datetime.now(UTC))
        backlog = next(parcels)
        bar.update(step, advance=1, description=f"linking {backlog.crossings:,} records")
        _hand_over(backlog, office.inbox)
        _take_backlog(office)
        bar.update(step, advance=1, description="counting cells")
        refresh_measures(office)
        bar.update(step, advance=1, description="trying how sure linking is")
        assess(office, np.random.default_rng(world.seed))
        bar.update(step, advance=1, description="releasing the first public figures")
        release_first(office)
        bar.update(step, advance=1, description="ready")
    say.print(f"\n[bold]Sojourn demo[/] – invented travellers, {rate:g} records a second")
    say.print(f"  open     http://127.0.0.1:{port}")
    for name, password in people.items():
        say.print(f"  sign in  {name} / {password}")
    reference, code = _demo_applicant()
    say.print(f"  as Amina, at /return/: reference {reference}, code {code}")
    say.print(f"  first figures after {time.perf_counter() - started:.0f} s. Ctrl-C stops.\n")
    tasks = [_watcher(office), _releaser(office), _estimator(office), _streamer(office, parcels)]
    _run("127.0.0.1", port, tasks)


@dataclass(frozen=True)
class Task:
    """Work beside the pages, until ``stop`` is set."""

    name: str
    work: Callable[[threading.Event], None]


def _watcher(office: Office) -> Task:
    return Task("watcher", lambda stop: watch_inbox(office, stop))


def _releaser(office: Office) -> Task:
    """Makes the releases that two people agreed on."""

    def work(stop: threading.Event) -> None:
        from django.db import connection

        from sojourn_web.figures.public_files import make_ready

        while not stop.wait(RELEASE_POLL_SECONDS):
            try:
                if release_next(office, make_release):
                    make_ready(office.statistics_url)
            finally:
                connection.close()

    return Task("releaser", work)


def _estimator(office: Office) -> Task:
    """Estimates go on with the records, beside them: one who takes records in must not wait."""

    def work(stop: threading.Event) -> None:
        while True:
            refresh_estimates(office, np.random.default_rng(ESTIMATES_SEED))
            if stop.wait(ESTIMATES_SECONDS):
                return

    return Task("estimator", work)


def make_release(office: Office, through: date, asked_by: str, approved_by: str) -> str:
    """Through the gate; the release's name."""
    # Here, not above: the gate brings opendp, which every command would otherwise wait for.
    from sojourn.pipeline import releasing

    return releasing.make_release(office, through, asked_by, approved_by).release_id


def release_next(office: Office, make: Callable[[Office, date, str, str], str]) -> bool:
    """Make the oldest approved release, if there is one; how it ended is noted with it.

    A refusal of the gate is told with its reason; of any other failure the kind alone.
    """
    from sojourn_web.runs.models import State
    from sojourn_web.runs.release_requests import settle, take_approved

    taken = take_approved(datetime.now(UTC))
    if taken is None or taken.approved_by is None:
        return False
    people = taken.asked_by.get_username(), taken.approved_by.get_username()
    try:
        made = make(office, taken.through, *people)
    except SojournError as error:
        settle(taken, State.REFUSED, told=str(error))
    except Exception as error:  # noqa: BLE001  told in the log; feeds and pages go on
        settle(taken, State.FAILED, told=f"failed: {type(error).__name__}")
    else:
        settle(taken, State.MADE, release_id=made)
    return True


def release_first(office: Office) -> None:
    """The demo's: what its two stewards would have released by now."""
    yesterday = office.clock().date() - timedelta(days=1)
    make_release(office, yesterday, "steward", "steward-2")


def _streamer(office: Office, parcels: object) -> Task:
    def work(stop: threading.Event) -> None:
        for parcel in parcels:  # type: ignore[attr-defined]
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


def _configure(office: Office, *, demo: bool, serves: bool = False) -> None:
    """Django's settings read the environment: say where this office is, then set Django up."""
    os.umask(0o077)  # what is written from here on is for nobody else on this machine
    os.environ["SOJOURN_HOME"] = str(office.home)
    os.environ["SOJOURN_STATISTICS_URL"] = office.statistics_url
    os.environ["SOJOURN_DEMO"] = "1" if demo else "0"
    os.environ["SOJOURN_SERVES"] = "1" if serves else "0"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sojourn_web.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    from sojourn_web.build_frontend import FrontendError, build

    try:
        django.setup()
        build()
    except (ImproperlyConfigured, FrontendError) as error:
        raise UsageError(str(error)) from None


def _prepare_web(*, demo: bool) -> dict[str, str]:
    """Bring Django's own tables up to date; a demo gets people, with their passwords."""
    from django.core.management import call_command

    from sojourn_web.accounts.installation import DemoRefusedError, make_person, settle_kind
    from sojourn_web.accounts.models import Kind
    from sojourn_web.accounts.roles import Role

    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", database="cases", verbosity=0, interactive=False)
    try:
        settle_kind(Kind.DEMO if demo else Kind.OFFICE)
    except DemoRefusedError as error:
        raise UsageError(str(error)) from None
    _prepare_cases()
    if not demo:
        return {}
    people = {}
    numbers = {}
    # Another office, and the second of the two people who release.
    seconds = (("counsellor-south", Role.COUNSELLOR), ("steward-2", Role.STEWARD))
    for name, role in [*((r.value, r) for r in Role), *seconds]:
        people[name] = f"{name}-{secrets.token_hex(4)}"
        numbers[name] = make_person(name, people[name], role, demo=True).pk
    _seed_cases(numbers)
    return people


def _prepare_cases() -> None:
    """The key store and the first wordings of voluntary return."""
    from sojourn_web.cases.keys import case_keys
    from sojourn_web.cases.wordings import ship_wordings

    case_keys()
    ship_wordings(datetime.now(UTC))


def _seed_cases(numbers: dict[str, int]) -> None:
    """Three stories and 400 invented people, where there are none yet."""
    from sojourn_web.cases.demo import seed_demo
    from sojourn_web.cases.keys import case_keys
    from sojourn_web.cases.models import Case

    if not Case.objects.exists():
        seed_demo(case_keys(), datetime.now(UTC), numbers, Random(1))


def _demo_applicant() -> tuple[str, str]:
    """Reference and code of a story's person, who has no account."""
    from sojourn_web.cases.demo_stories import AMINA, give_code
    from sojourn_web.cases.keys import case_keys

    return give_code(case_keys(), datetime.now(UTC), AMINA.names)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError(f"port {port} is taken: choose another with --port") from None


def _run(host: str, port: int, tasks: list[Task]) -> None:
    """Serve until stopped; a task that fails stops the server, and its error is told."""
    import uvicorn

    config = uvicorn.Config(
        "sojourn_web.asgi:application", host=host, port=port, log_level="warning",
        lifespan="off", timeout_graceful_shutdown=1, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    stop = threading.Event()
    failures: list[BaseException] = []

    def run(task: Task) -> None:
        try:
            task.work(stop)
        except BaseException as error:  # noqa: BLE001  told below, on the main thread
            failures.append(error)
            server.should_exit = True

    threads = [threading.Thread(target=run, args=(t,), name=t.name, daemon=True) for t in tasks]
    for thread in threads:
        thread.start()
    try:
        server.run()
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
    for failure in failures:
        if isinstance(failure, SojournError):
            raise failure
        raise RuntimeError("work beside the pages failed") from failure
