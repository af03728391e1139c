"""A real server in a process of its own, and a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

PASSWORD = "a password for tests"
AXE = Path(__file__).parents[2] / "src" / "sojourn_web" / "static" / "vendor" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass(frozen=True)
class Site:
    address: str
    home: Path

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"


def find_browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("these tests need Chromium: 'make test' installs it where it may")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_sojourn(home: Path, *words: str, **more: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "sojourn", *words, "--home", str(home)], check=True,
        env=environment(**more), capture_output=True, text=True,
    )  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOJOURN_", "DJANGO_"))}
    return kept | more


def wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/accounts/login/", timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An office with a small country in it, served; an analyst and an operator."""
    home = tmp_path_factory.mktemp("office")
    run_sojourn(home, "keys", "new")
    country = home / "country"
    subprocess.run(
        [sys.executable, "-m", "sojourn", "simulate", str(country), "--stays", "1500"],
        check=True, env=environment(), capture_output=True,
    )  # fmt: skip
    run_sojourn(home, "load", str(country / "crossings.parquet"))
    run_sojourn(home, "measure")
    run_sojourn(home, "quality", "--assess")
    run_sojourn(home, "estimate")
    for role in ("analyst", "operator"):
        run_sojourn(home, "account", role, "--role", role, SOJOURN_PASSWORD=PASSWORD)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn", "serve", "--home", str(home), "--port", str(port)],
        env=environment(),
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Site(f"http://127.0.0.1:{port}", home)
    finally:
        stop(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=find_browser(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-component-update", "--no-first-run"],
        )  # fmt: skip
        yield started
        started.close()


def follow(way: Locator, key: str | None = None) -> None:
    """Click a link or a button, or press a key on it, and wait for the page it leads to.

    A click comes back before the answer is there. Asked at once, ``is_visible`` and the like
    tell of the page that is being left; ``goto`` would call the request off.
    """
    with way.page.expect_navigation():
        if key:
            way.press(key)
        else:
            way.click()


@dataclass
class Visit:
    """A signed-in page, and what its console said."""

    page: Page
    complaints: list[str]


def visit(
    browser: Browser, site: Site, role: str = "operator", *, width: int = 1280, script: bool = True
) -> Iterator[Visit]:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(site.address + "/accounts/login/")
    page.fill("#id_login", role)
    page.fill("#id_password", PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    page.wait_for_selector("[data-live]")
    yield Visit(page, complaints)
    context.close()


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site)


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, width=360)


@pytest.fixture
def without_script(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, script=False)


def find_violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page as it is."""
    page.evaluate(AXE.read_text("utf-8") + "; null")
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | ')))", WCAG,
    )  # fmt: skip
    return list(found)
