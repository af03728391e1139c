"""A server keeps few PostgreSQL connections and uses them again; a watcher of live figures none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVE = """
import asyncio, json, sys
from sojourn_web.asgi import application
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import Role

call_command("migrate", verbosity=0)
call_command("migrate", database="cases", verbosity=0)
client = Client()
client.force_login(make_person("ana", "correct horse battery", Role.ANALYST, demo=False),
                   backend="sojourn_web.accounts.backends.OfficeBackend")
cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
connections.close_all()

def asked(path):
    return {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
            "http_version": "1.1", "scheme": "http", "server": ("localhost", 80),
            "client": ("127.0.0.1", 1)}

async def open_page(path):
    line = ApplicationCommunicator(application, asked(path))
    await line.send_input({"type": "http.request", "body": b""})
    start = await line.receive_output(30)
    return start["status"], line

async def page(path):
    status, line = await open_page(path)
    while (await line.receive_output(30)).get("more_body"):
        pass
    await line.wait(30)
    return status

async def work():
    watchers = [await open_page("/live/events") for _ in range(4)]
    pages = await asyncio.gather(*(page("/estimates") for _ in range(12)))
    for _, line in watchers:
        await line.send_input({"type": "http.disconnect"})
        await line.wait(30)
    return [status for status, _ in watchers], pages

watchers, pages = asyncio.run(work())
held = connection.pool.get_stats()
print(json.dumps({"watchers": watchers, "pages": pages, "connections": held["pool_size"],
                  "opened": held["connections_num"], "asked": held["requests_num"]}))
"""


@pytest.mark.slow
@pytest.mark.postgres
def test_many_pages_and_watchers_share_two_connections(postgres_url: str, tmp_path: Path) -> None:
    address = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, "SOJOURN_HOME": str(tmp_path), "SOJOURN_WEB_URL": address,
             "SOJOURN_STATISTICS_URL": f"sqlite:///{tmp_path / 'statistics.sqlite3'}",
             "SOJOURN_POOL": "2"},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "couldn't stop thread" not in done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["watchers"] == [200] * 4
    assert found["pages"] == [200] * 12
    assert found["connections"] <= 2
    assert found["opened"] <= 4  # opened once, not for each request
    assert found["asked"] >= 16
