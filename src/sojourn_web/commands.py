"""``sojourn serve``, ``demo`` and ``account``: the web side's part of the command line.

They join the library's by entry points. What they do stands in ``hosting`` and ``demo``.
"""

from __future__ import annotations

import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sojourn.cli_printing import Seed, finite
from sojourn.errors import UsageError
from sojourn.pipeline import open_office
from sojourn.simulate import World
from sojourn_web.hosting import configure, estimator, prepare_web, releaser, run, watcher

say = Console(stderr=True, highlight=False)
Home = Annotated[Path, typer.Option(envvar="SOJOURN_HOME", help="The office's folder.")]
Host = Annotated[str, typer.Option(help="Listen on this address.")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Listen on this port.")]
DEMO_DAYS = 720


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
    configure(office, demo=False, serves=True)
    prepare_web(demo=False)
    office.open_ledger().close()
    say.print(f"serving {office.home} at http://{host}:{port} (Ctrl-C stops)")
    tasks = [watcher(office), releaser(office), estimator(office)] if watch else []
    run(host, port, tasks)


def demo(
    home: Annotated[
        Path | None, typer.Option(help="Keep the demo's office here. Default: a temporary folder.")
    ] = None,
    port: Port = 8000,
    rate: Annotated[
        float, typer.Option(min=0.01, callback=finite, help="Records that land per second.")
    ] = 6.0,
    stays: Annotated[int, typer.Option(min=1, help="Stays of the simulated country.")] = 24_000,
    seed: Seed = 1,
) -> None:
    """Everything, seeded, in one process: a simulated country, live. No real records, ever.

    Prints the address and a sign-in for each role.

    Example: sojourn demo --port 8000
    """
    from sojourn_web.demo import run_demo  # simulation, only where it is asked for

    _check_port(port)
    world = World(stays=stays, seed=seed, days=DEMO_DAYS)
    with tempfile.TemporaryDirectory(prefix="sojourn-demo-") as folder:
        run_demo(home or Path(folder), port, rate, world, say)


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
    configure(office, demo=False)
    prepare_web(demo=False)
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from sojourn_web.accounts.installation import make_person
    from sojourn_web.accounts.roles import OFFICE_ROLES, Role

    if not name.strip():
        raise UsageError("expected a user name, found nothing")
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


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError(f"port {port} is taken: choose another with --port") from None
