"""Pages and the work beside them, in one process, until it is stopped.

In: an office. ``configure`` and ``prepare_web`` set Django up on it; ``run`` serves, with tasks in
threads of their own. A task that fails stops the server, and its error is told. With ``commands``
and ``demo``, the one place of the web side that may touch the pipeline.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from sojourn.errors import SojournError, UsageError
from sojourn.pipeline import Office, watch_inbox
from sojourn.pipeline.estimating import refresh_estimates

ESTIMATES_SECONDS = 3600
ESTIMATES_SEED = 1
RELEASE_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Task:
    """Work beside the pages, until ``stop`` is set."""

    name: str
    work: Callable[[threading.Event], None]


def watcher(office: Office) -> Task:
    return Task("watcher", lambda stop: watch_inbox(office, stop))


def releaser(office: Office) -> Task:
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


def estimator(office: Office) -> Task:
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


def configure(office: Office, *, demo: bool, serves: bool = False) -> None:
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


def prepare_web(*, demo: bool) -> None:
    """Bring the web's own tables up to date, and what voluntary return needs from the start.

    Raises UsageError where a demo is asked for in an office's home, or the other way round.
    """
    from django.core.management import call_command

    from sojourn_web.accounts.installation import DemoRefusedError, settle_kind
    from sojourn_web.accounts.models import Kind
    from sojourn_web.cases.keys import case_keys
    from sojourn_web.cases.wordings import ship_wordings

    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", database="cases", verbosity=0, interactive=False)
    try:
        settle_kind(Kind.DEMO if demo else Kind.OFFICE)
    except DemoRefusedError as error:
        raise UsageError(str(error)) from None
    case_keys()
    ship_wordings(datetime.now(UTC))


def run(host: str, port: int, tasks: list[Task]) -> None:
    """Serve until stopped; a task that fails stops the server, and its error is told."""
    import uvicorn

    config = uvicorn.Config(
        "sojourn_web.asgi:application", host=host, port=port, log_level="warning",
        lifespan="off", timeout_graceful_shutdown=1, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    stop = threading.Event()
    failures: list[BaseException] = []

    def do(task: Task) -> None:
        try:
            task.work(stop)
        except BaseException as error:  # noqa: BLE001  told below, on the main thread
            failures.append(error)
            server.should_exit = True

    threads = [threading.Thread(target=do, args=(t,), name=t.name, daemon=True) for t in tasks]
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
