"""A released figure from the API against an empty view on the same server: python -m benchmarks.api

A server (uvicorn, as in production) with an invented office's releases; one client, one connection
kept open; medians of many requests, the three kinds in every order so that none has a quieter
machine.
SOJOURN_STATISTICS_URL: an empty PostgreSQL database, instead of a new SQLite.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

ADDRESS = "/api/v1/figures/total/month/2026-10-01/departed/all/all/all?vintage=2026-10-31"
ROUNDS = 3000


def serve(home: Path) -> int:
    """The server in a thread; its port."""
    os.environ["SOJOURN_HOME"] = str(home)
    os.environ.setdefault("SOJOURN_STATISTICS_URL", f"sqlite:///{home / 'statistics.sqlite3'}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "sojourn_web.settings"
    import django

    django.setup()
    import uvicorn
    from django.core.management import call_command
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    from lib.published import fill
    from sojourn_web import urls

    def empty(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    urls.urlpatterns.append(path("empty", empty))
    call_command("migrate", verbosity=0, interactive=False)
    fill(os.environ["SOJOURN_STATISTICS_URL"])
    config = uvicorn.Config("sojourn_web.asgi:application", port=0, log_level="error",
                            lifespan="off", access_log=False)  # fmt: skip
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return int(server.servers[0].sockets[0].getsockname()[1])


def ask(connection: http.client.HTTPConnection, address: str, etag: str = "") -> tuple[float, int]:
    """Milliseconds and status."""
    started = time.perf_counter()
    connection.request("GET", address, headers={"If-None-Match": etag} if etag else {})
    answer = connection.getresponse()
    answer.read()
    return 1000 * (time.perf_counter() - started), answer.status


def list_figures(connection: http.client.HTTPConnection) -> list[str]:
    """Addresses of figures that nobody has asked for yet."""
    connection.request("GET", "/api/v1/figures?release_table=total&span=day&limit=1000")
    items = json.loads(connection.getresponse().read())["items"]
    parts = ("release_table", "span", "period", "quantity")
    return [
        f"/api/v1/figures/{'/'.join(i[p] for p in parts)}/all/all/all?vintage={i['vintage']}"
        for i in items
    ]


def main() -> None:
    from sojourn_web.figures.public_caching import etag_for_ever
    from sojourn_web.figures.public_marks import mark_at

    with tempfile.TemporaryDirectory() as folder:
        port = serve(Path(folder))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        first, _ = ask(connection, ADDRESS)
        connection.request("GET", ADDRESS)
        answer = connection.getresponse()
        answer.read()
        etag = answer.headers["ETag"]
        kinds = {"empty view": ("/empty", ""), "figure": (ADDRESS, ""), "304": (ADDRESS, etag)}
        fresh = list_figures(connection)
        first_asked = ("not yet asked", "304, not yet asked")
        times: dict[str, list[float]] = {name: [] for name in (*kinds, *first_asked)}
        rng = Random(7)
        for number in range(ROUNDS):
            # In an order drawn anew: what comes right after the slowest answer takes longer.
            for name in rng.sample(list(kinds), len(kinds)):
                address, held = kinds[name]
                taken, status = ask(connection, address, held)
                assert status == (304 if held else 200)
                times[name].append(taken)
            if number < len(fresh):
                # Every other one by a client that has it from another server of the same office.
                mark = mark_at(os.environ["SOJOURN_STATISTICS_URL"], fresh[number][-10:])
                etag = etag_for_ever(fresh[number], mark) if number % 2 else ""
                taken, status = ask(connection, fresh[number], etag)
                assert status == (304 if etag else 200)
                times["304, not yet asked" if etag else "not yet asked"].append(taken)
        base = statistics.median(times["empty view"])
        for name, values in times.items():
            middle = statistics.median(values)
            share = 100 * (middle / base - 1)
            print(f"{name:<18} {middle:6.2f} ms   {share:+5.1f}%   ({len(values)} answers)")
        print(f"the server's very first answer: {first:.1f} ms")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
