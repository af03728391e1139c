"""Pages of voluntary return under 20 users, over 50,000 invented cases on PostgreSQL.

    PYTHONPATH=src:tests:. python -m benchmarks.cases --cases 50000 --seconds 30

Makes a PostgreSQL server and a key folder of its own (in memory where there is /dev/shm), fills
them by ``cases_loader``, serves them by uvicorn in one process as ``sojourn serve`` does, and lets
20 signed-in counsellors read: each opens a page, waits one to three seconds, opens the next. Then
once more without waiting, which is a load test and no office. Prints the middle, the 95th
percentile and the slowest of each page, and how many queries it makes.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.machine import describe_commit, describe_machine

OFFICES, COUNSELLORS = 5, 8
PAGES = ("home", "list", "case")


@dataclass
class Reader:
    """A signed-in counsellor and cases of their office."""

    cookie: str
    references: list[str]
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    from lib.postgres import throw_away_server

    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        server = stack.enter_context(throw_away_server())
        _configure(server.replace("postgresql+psycopg://", "postgresql://"), home)
        started, worked = time.perf_counter(), time.process_time()
        readers = _fill(asked.cases, asked.users)
        print(f"{describe_machine()}; {describe_commit()}; load {os.getloadavg()[0]:.1f}")
        print(f"{asked.cases:,} cases loaded in {time.perf_counter() - started:.0f} s, "
              f"{time.process_time() - worked:.0f} s of one processor")  # fmt: skip
        _count_queries(readers[0])
        port = 8799
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "sojourn_web.asgi:application", "--port", str(port),
             "--log-level", "error", "--lifespan", "off", "--no-access-log"],
        )  # fmt: skip
        try:
            _wait(port)
            _read(readers[:2], port, 4.0, (0.0, 0.1))  # warm
            for title, seconds, pause in (
                ("1 to 3 s between pages", asked.seconds, (1.0, 3.0)),
                ("no wait", min(10.0, asked.seconds), (0.0, 0.0)),
            ):
                before = _processor_seconds(process.pid)
                _read(readers, port, seconds, pause)
                spent = _processor_seconds(process.pid) - before
                _print(f"{asked.users} users, {title}", readers, spent)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _configure(server: str, home: Path) -> None:
    """Both databases on the server; Django set up in this process and in the one that serves."""
    import psycopg

    with psycopg.connect(server.replace("{name}", "postgres"), autocommit=True) as admin:
        for name in ("web", "cases"):
            admin.execute(f"CREATE DATABASE {name}")
    os.environ |= {
        "SOJOURN_HOME": str(home), "DJANGO_SETTINGS_MODULE": "sojourn_web.settings",
        "SOJOURN_WEB_URL": server.replace("{name}", "web"),
        "SOJOURN_CASES_URL": server.replace("{name}", "cases"), "SOJOURN_DEMO": "1",
    }  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", database="cases", verbosity=0, interactive=False)


def _fill(cases: int, users: int) -> list[Reader]:
    from django.conf import settings
    from django.contrib.auth.models import Group, User
    from django.db import connections
    from django.test import Client

    from benchmarks.cases_loader import load_cases
    from sojourn_web.cases.keys import case_keys
    from sojourn_web.cases.models import Case, Office
    from sojourn_web.cases.vocabulary import Who
    from sojourn_web.cases.wordings import place_account, ship_wordings

    now = datetime.now(UTC)
    ship_wordings(now)
    group = Group.objects.get_or_create(name="counsellor")[0]
    offices, people = [], []
    for place in range(OFFICES):
        numbers = []
        for desk in range(COUNSELLORS):
            user = User.objects.create(username=f"c{place}-{desk}")
            user.groups.add(group)
            place_account(user.pk, user.username, Who.COUNSELLOR, f"Office {place}", now)
            numbers.append(user.pk)
            people.append((user, f"Office {place}"))
        offices.append((Office.objects.get(name=f"Office {place}"), numbers))
    load_cases(case_keys(), offices, cases, now, Random(1))
    with connections["cases"].cursor() as cursor:
        cursor.execute("ANALYZE")
    readers = []
    rng = Random(2)
    for user, office in rng.sample(people, users):
        client = Client()
        client.force_login(user, backend="sojourn_web.accounts.backends.OfficeBackend")
        known = list(
            Case.objects.filter(office__name=office).values_list("reference", flat=True)[:5000]
        )
        cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies['sessionid'].value}"
        readers.append(Reader(cookie, rng.sample(known, min(300, len(known)))))
    return readers


def _address(page: str, reader: Reader, rng: Random) -> str:
    if page == "home":
        return "/cases/"
    if page == "list":
        state = rng.choice(("", "counselling", "documents", "withdrawn"))
        return f"/cases/?state={state}&page={rng.randint(1, 40)}"
    return f"/cases/{rng.choice(reader.references)}/"


def _count_queries(reader: Reader) -> None:
    """In this process, by Django's own record."""
    from django.db import connections
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_COOKIE=reader.cookie, HTTP_HOST="localhost")
    for page in PAGES:
        address = _address(page, reader, Random(3))
        with (
            CaptureQueriesContext(connections["cases"]) as cases,
            CaptureQueriesContext(connections["default"]) as web,
        ):
            status = client.get(address).status_code
        slow = max(cases.captured_queries, key=lambda q: float(q["time"]))
        print(
            f"  {page}: {status}, {len(cases)} + {len(web)} queries, the slowest {slow['time']} s"
        )
        if os.environ.get("SOJOURN_BENCH_SQL"):
            for query in (*cases.captured_queries, *web.captured_queries):
                print("   ", query["time"], query["sql"][:300])


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/accounts/login/")
            line.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")


def _read(
    readers: list[Reader], port: int, seconds: float, pause: tuple[float, float]
) -> list[Reader]:
    for reader in readers:
        reader.taken = defaultdict(list)
        reader.errors = 0
    until = time.monotonic() + seconds

    def work(reader: Reader, number: int) -> None:
        rng = Random(number)
        time.sleep(rng.uniform(0, pause[1]))
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            page = rng.choices(PAGES, (1, 1, 2))[0]
            started = time.perf_counter()
            line.request("GET", _address(page, reader, rng), headers={"Cookie": reader.cookie})
            answer = line.getresponse()
            answer.read()
            reader.taken[page].append(time.perf_counter() - started)
            reader.errors += answer.status != 200
            time.sleep(rng.uniform(*pause))

    threads = [threading.Thread(target=work, args=(r, i)) for i, r in enumerate(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return readers


def _processor_seconds(pid: int) -> float:
    """Of the server alone; the database's processes are not in it."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _print(title: str, readers: list[Reader], spent: float) -> None:
    pages = sum(len(t) for r in readers for t in r.taken.values())
    print(f"{title}; load {os.getloadavg()[0]:.1f}; errors {sum(r.errors for r in readers)}; "
          f"the server's processor time {1000 * spent / max(1, pages):.0f} ms a page")  # fmt: skip
    for page in PAGES:
        taken: list[Any] = sorted(1000 * t for r in readers for t in r.taken[page])
        if taken:
            middle, late = statistics.median(taken), taken[int(0.95 * (len(taken) - 1))]
            print(f"  {page:5} {len(taken):5} pages  median {middle:6.0f} ms  "
                  f"95th {late:6.0f} ms  slowest {taken[-1]:6.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
