"""From a manifest's landing to the number on the screen, in a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from playwright.sync_api import sync_playwright

from benchmarks.live_path import new_office
from sojourn.simulate import World, build_country
from sojourn.simulate.manifests import write_manifest

PASSWORD = "benchmarks have no secrets"
FLIGHT = 60
WATCH = """() => {
  window.seen = [];
  const place = document.querySelector('[data-total=departures]');
  new MutationObserver(() => window.seen.push(
    [Date.now(), Number(place.textContent.replaceAll(',', ''))])).observe(
    place, {childList: true, characterData: true, subtree: true});
}"""


@dataclass(frozen=True)
class Landing:
    manifests: int
    crossings_per_second: float
    median: float
    p99: float


def landing_to_screen(rate: float, seconds: float, seed: int) -> Landing:
    """Hand departures over at ``rate`` crossings a second; when does each manifest's total show?

    Manifests land in turn; the moment at which the screen's total has reached the sum of all up
    to a manifest is when that manifest is shown.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        new_office(home)
        environment = {**os.environ, "SOJOURN_PASSWORD": PASSWORD}
        sojourn = [sys.executable, "-m", "sojourn"]
        subprocess.run(
            [*sojourn, "account", "ana", "--home", str(home)], env=environment, check=True,
            capture_output=True,
        )  # fmt: skip
        port = _free_port()
        server = subprocess.Popen([*sojourn, "serve", "--home", str(home), "--port", str(port)])
        try:
            return _measure(home, port, rate, seconds, seed)
        finally:
            server.terminate()
            server.wait()


def _measure(home: Path, port: int, rate: float, seconds: float, seed: int) -> Landing:
    address = f"http://127.0.0.1:{port}"
    _wait_for(address)
    flights = _flights(int(rate * seconds), seed)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(address)
        page.fill("#id_login", "ana")
        page.fill("#id_password", PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#live-state:has-text('Live')")
        _hand_over(home, flights[0])  # the first one warms everything up
        page.wait_for_function(_REACHED, arg=flights[0].height, timeout=60_000)
        page.evaluate(WATCH)
        landed: list[tuple[float, int]] = []
        sender = threading.Thread(target=_send, args=(home, flights, rate, landed))
        sender.start()
        sender.join()
        total = sum(f.height for f in flights)
        page.wait_for_function(_REACHED, arg=total, timeout=60_000)
        seen: list[tuple[float, int]] = page.evaluate("window.seen")
        browser.close()
    return _delays(landed, seen, seconds)


# A function and not an expression: the page's policy forbids eval.
_REACHED = """total => Number(
  document.querySelector('[data-total=departures]').textContent.replaceAll(',', '')) >= total"""


def _flights(count: int, seed: int) -> list[pl.DataFrame]:
    crossings = build_country(World(stays=2 * count, seed=seed, days=60)).crossings
    flown = crossings.filter(
        pl.col("source").str.starts_with("carrier-") & (pl.col("mode") == "air")
        & (pl.col("direction") == "departure")
    ).with_columns(source=pl.lit("carrier-XB"), port=pl.lit("UTA"))  # fmt: skip
    flown = flown.unique("crossing_id", maintain_order=True)
    return list(flown.head(count).iter_slices(FLIGHT))


def _send(
    home: Path, flights: list[pl.DataFrame], rate: float, landed: list[tuple[float, int]]
) -> None:
    total, due = flights[0].height, time.time()
    for flight in flights[1:]:
        due += flight.height / rate
        time.sleep(max(0.0, due - time.time()))
        total += flight.height
        _hand_over(home, flight)
        landed.append((time.time() * 1000, total))


_number = iter(range(1, 1_000_000))


def _hand_over(home: Path, flight: pl.DataFrame) -> None:
    now = pl.lit(datetime.now(UTC)).dt.cast_time_unit("us")
    manifest = write_manifest(
        flight.with_columns(event_time=now, recorded_at=now), 11 * next(_number)
    )
    folder = home / "inbox" / "carrier-XB"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / ".landing.part"
    part.write_bytes(manifest.data)
    part.replace(folder / manifest.file_name)


def _delays(
    landed: list[tuple[float, int]], seen: list[tuple[float, int]], seconds: float
) -> Landing:
    waits = []
    for at, total in landed:
        shown = next(moment for moment, value in seen if value >= total)
        waits.append((shown - at) / 1000)
    waits.sort()
    span = (landed[-1][0] - landed[0][0]) / 1000
    speed = (landed[-1][1] - landed[0][1]) / span
    p99 = waits[min(len(waits) - 1, int(0.99 * len(waits)))]
    return Landing(len(waits), speed, waits[len(waits) // 2], p99)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/accounts/login/", timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")
